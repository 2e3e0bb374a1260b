//! The change as items: which files differ, and what of that is a change of code.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use super::Texts;
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

    /// True when files that programs may read at run time differ.
    pub(crate) fn has_data(&self) -> bool {
        let is_file = |change: &Change| change.item().is_some_and(|item| item.kind == ItemKind::File);
        let is_data = |change: &Change| change.item().is_some_and(|item| source::role(&item.file) == FileRole::Data);
        self.changes.iter().any(|change| is_file(change) && is_data(change))
    }
}

/// Reads and compares both sides. `packages`: package directories relative to the repository root.
pub(crate) fn read_diff(git: &Git, base_tree: &str, head: &Head, roots: &[CrateRoot], packages: &[Utf8PathBuf]) -> Result<Diff> {
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
    let ambient = source::ambient_file_changes(&others, packages);
    let said: Vec<Utf8PathBuf> = ambient.iter().filter_map(|change| Some(change.item()?.file.clone())).collect();
    let silent: Vec<&source::FileChange> = others.iter().filter(|file| !said.contains(&file.path)).collect();
    changes.extend(ambient);
    changes.extend(included(&silent, &head)?);
    let texts = |files: Vec<source::SourceFile>| files.into_iter().map(|file| (file.path, file.text)).collect();
    Ok(Diff { files, for_both, changes, base_texts: texts(old), head_texts: texts(new) })
}

/// Those of the files that look as if no build reads them, but that the source includes.
fn included(files: &[&source::FileChange], head: &Texts<'_>) -> Result<Vec<Change>> {
    let readable = files.iter().filter(|file| matches!(source::role(&file.path), FileRole::Irrelevant | FileRole::Data));
    let readable: Vec<&&source::FileChange> = readable.collect();
    if readable.is_empty() {
        return Ok(Vec::new());
    }
    let sources = head.read(&head.rust_files()?)?;
    let texts: Vec<String> = sources.into_iter().flatten().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect();
    let is_included = |file: &&&source::FileChange| source::is_included(&file.path, texts.iter().map(String::as_str));
    Ok(readable.into_iter().filter(is_included).map(|file| source::included_file_change(file)).collect())
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
}
