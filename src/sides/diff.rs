//! The change as items: which files differ, and what of that is a change of code.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;

use super::readers::{Sources, Use};
use super::{DataFile, Texts};
use crate::error::Result;
use crate::git::{FileChange, FileStatus, Git, Head};
use crate::source::{self, Change, CrateRoot, FileRole, ItemKind};

/// What differs between base and head.
#[derive(Debug, Clone, Default)]
pub(crate) struct Diff {
    /// The files that git names.
    pub(crate) files: Vec<FileChange>,
    /// Build settings that are not under git: they apply to both sides and are no part of the change.
    pub(crate) for_both: Vec<Utf8PathBuf>,
    /// The items.
    pub(crate) changes: Vec<Change>,
    /// Files among them that programs may read when they run.
    pub(crate) data: Vec<DataFile>,
    /// Texts at base by their path there.
    pub(crate) base_texts: BTreeMap<Utf8PathBuf, String>,
    /// Texts at head.
    pub(crate) head_texts: BTreeMap<Utf8PathBuf, String>,
}

impl Diff {
    /// True when no build and no run could come out differently: nothing, or comments and documents only.
    pub(crate) fn is_nothing(&self) -> bool {
        self.changes.is_empty()
    }

    /// What the comparison leaves out.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let warning = |file| format!("{file} is not under git, so it applies to both sides; `git add` it to compare with it");
        self.for_both.iter().map(warning).collect()
    }

    /// True when files differ that are compiled into programs: equal code proves nothing then.
    pub(crate) fn has_compiled_data(&self) -> bool {
        let is_file = |change: &Change| change.item().is_some_and(|item| item.kind == ItemKind::File);
        let is_data = |change: &Change| change.item().is_some_and(|item| source::role(&item.file) == FileRole::Data);
        self.changes.iter().any(|change| is_file(change) && is_data(change))
    }

    /// True when files differ that programs may read, in whatever way: base needs the tree that it was built in.
    pub(crate) fn has_data(&self) -> bool {
        self.has_compiled_data() || !self.data.is_empty()
    }
}

/// Reads and compares both sides. `packages`: package directories relative to the repository root.
pub(crate) fn read_diff(git: &Git, base_tree: &str, head: &Head, roots: &[CrateRoot], packages: &[Utf8PathBuf]) -> Result<Diff> {
    let head_side = head;
    let mut files = git.changed_files(base_tree, head)?;
    files.retain(|file| !is_new_lock_file(file));
    let for_both = private_settings(git, &files, head)?;
    files.retain(|file| !for_both.contains(&file.path));
    let base = Texts::Tree(git, base_tree.to_owned());
    let head = match head {
        Head::WorkingTree => Texts::Disk(git, git.root().to_owned()),
        Head::Commit(sha) => Texts::Tree(git, sha.clone()),
    };
    let is_rust = |path: &Utf8PathBuf| source::role(path) == FileRole::Source;
    let old: Vec<Utf8PathBuf> = files.iter().filter_map(FileChange::base_path).filter(|p| is_rust(p)).cloned().collect();
    let new: Vec<Utf8PathBuf> = files.iter().filter_map(FileChange::head_path).filter(|p| is_rust(p)).cloned().collect();
    let renames: Vec<(Utf8PathBuf, Utf8PathBuf)> = files.iter().filter_map(renamed).collect();
    let (old, new) = (base.sources(&old, roots)?, head.sources(&new, roots)?);
    let mut changes = source::changes(&old, &new, &renames);
    let others = other_files(&files, &base, &head)?;
    let sources = Sources::read(&others, [&base, &head], packages)?;
    let mut data = Vec::new();
    for file in &others {
        let in_package = packages.iter().any(|package| file.path.starts_with(package));
        let data_file = |readers| DataFile { path: file.path.clone(), readers, in_package };
        match sources.use_of(file) {
            Use::Compiled => changes.push(source::included_file_change(file)),
            Use::Read(readers) => {
                changes.push(source::data_file_change(file));
                data.push(data_file(readers));
            }
            Use::Unknown => {
                let ambient = source::ambient_file_changes(std::slice::from_ref(file), packages);
                let is_stray = *head_side == Head::WorkingTree && is_stray(git, file, packages)?;
                let is_data = |change: &Change| !is_stray && change.item().is_some_and(|item| item.kind == ItemKind::Data);
                data.extend(ambient.iter().filter(|change| is_data(change)).map(|_| data_file(BTreeSet::new())));
                changes.extend(ambient);
            }
        }
    }
    let texts = |files: Vec<source::SourceFile>| files.into_iter().map(|file| (file.path, file.text)).collect();
    Ok(Diff { files, for_both, changes, data, base_texts: texts(old), head_texts: texts(new) })
}

/// Settings files of the work tree that git does not know; see `workspace::prepare`.
fn private_settings(git: &Git, files: &[FileChange], head: &Head) -> Result<Vec<Utf8PathBuf>> {
    let mut private = Vec::new();
    let added = files.iter().filter(|file| *head == Head::WorkingTree && file.status == FileStatus::Added);
    for file in added.filter(|file| source::role(&file.path) == FileRole::Settings) {
        if !git.is_tracked(&file.path)? {
            private.push(file.path.clone());
        }
    }
    Ok(private)
}

/// A base without a lock file is built with head's: the versions are the same on both sides.
pub(crate) fn is_new_lock_file(file: &FileChange) -> bool {
    file.status == FileStatus::Added && file.path.file_name() == Some("Cargo.lock")
}

/// A new file that nobody put under git, that no source names, and that is empty or lies beside a manifest: a report that was just
/// written there (`verify > report.json`, which is empty until it ends), not something that a workload reads.
fn is_stray(git: &Git, file: &source::FileChange, packages: &[Utf8PathBuf]) -> Result<bool> {
    let parent = file.path.parent().unwrap_or(&file.path);
    let is_beside_a_manifest = parent.as_str().is_empty() || packages.iter().any(|package| package == parent);
    let is_empty = file.head.as_ref().is_some_and(Vec::is_empty);
    let is_new = file.base.is_none() && (is_empty || is_beside_a_manifest);
    Ok(is_new && !git.is_tracked(&file.path)?)
}

fn renamed(file: &FileChange) -> Option<(Utf8PathBuf, Utf8PathBuf)> {
    match &file.status {
        FileStatus::Renamed { from } => Some((from.clone(), file.path.clone())),
        _ => None,
    }
}

/// What is not Rust source: manifests, lock file, build scripts, settings, data.
fn other_files(files: &[FileChange], base: &Texts<'_>, head: &Texts<'_>) -> Result<Vec<source::FileChange>> {
    let mut others = Vec::new();
    for file in files {
        if source::role(&file.path) == FileRole::Source {
            continue;
        }
        let one = |texts: &Texts<'_>, path: Option<&Utf8PathBuf>| -> Result<Option<Vec<u8>>> {
            let Some(path) = path else { return Ok(None) };
            Ok(texts.read(std::slice::from_ref(path))?.pop().flatten())
        };
        let (old, new) = (one(base, file.base_path())?, one(head, file.head_path())?);
        others.push(source::FileChange { path: file.path.clone(), base: old, head: new });
    }
    Ok(others)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::Repo;

    #[test]
    fn settings_without_git_are_no_part_of_the_change() {
        let repo = Repo::new();
        repo.write("src/lib.rs", "").commit("one");
        repo.write(".cargo/config.toml", "[profile.bench]\nopt-level = 0\n");
        let diff = || read_diff(&repo.open(), "HEAD", &Head::WorkingTree, &[], &[]).unwrap();
        let private = diff();
        assert!(private.is_nothing() && private.files.is_empty(), "{private:?}");
        assert!(private.warnings()[0].starts_with(".cargo/config.toml is not under git"), "{private:?}");
        repo.git(&["add", "-A"]);
        let tracked = diff();
        assert_eq!((tracked.changes.len(), tracked.warnings().len()), (1, 0), "{tracked:?}");
    }

    #[test]
    fn a_report_that_is_written_into_the_repository_is_not_taken_for_data_of_a_workload() {
        let repo = Repo::new();
        repo.write("src/lib.rs", "").commit("one");
        repo.write("analysis.json", "{}").write("target-reports/empty.json", "").write("data/words.json", "[1]");
        let diff = || read_diff(&repo.open(), "HEAD", &Head::WorkingTree, &[], &[Utf8PathBuf::new()]).unwrap();
        let data = |diff: &Diff| diff.data.iter().map(|file| file.path.to_string()).collect::<Vec<_>>();
        assert_eq!(data(&diff()), ["data/words.json"]);
        repo.git(&["add", "-A"]);
        assert_eq!(data(&diff()), ["analysis.json", "data/words.json", "target-reports/empty.json"]);
    }
}
