//! Where the sources of a side are read from: a directory, or a tree of git's.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::Result;
use crate::git::Git;
use crate::source::{self, CrateRoot, SourceFile};

/// The files of one side.
#[derive(Debug, Clone)]
pub(crate) enum Texts<'a> {
    /// On disk, below this root.
    Disk(&'a Git, Utf8PathBuf),
    /// In a tree-ish of the repository.
    Tree(&'a Git, String),
}

impl Texts<'_> {
    /// The contents of files; `None` where a file is not there.
    pub(crate) fn read(&self, paths: &[Utf8PathBuf]) -> Result<Vec<Option<Vec<u8>>>> {
        match self {
            Self::Disk(_, root) => Ok(paths.iter().map(|path| std::fs::read(root.join(path)).ok()).collect()),
            Self::Tree(git, tree) => Ok(git.texts(tree, paths)?),
        }
    }

    /// All Rust files of the side.
    pub(crate) fn rust_files(&self) -> Result<Vec<Utf8PathBuf>> {
        let all = match self {
            Self::Disk(git, root) if root == git.root() => git.working_files()?,
            Self::Disk(git, _) => git.files("HEAD")?,
            Self::Tree(git, tree) => git.files(tree)?,
        };
        Ok(all.into_iter().filter(|path| path.extension() == Some("rs")).collect())
    }

    /// Rust files, placed in their crates. A file that is not UTF-8 is read with replacement characters: it will not parse,
    /// and that is said of it.
    pub(crate) fn sources(&self, paths: &[Utf8PathBuf], roots: &[CrateRoot]) -> Result<Vec<SourceFile>> {
        let mut known = roots.to_vec();
        known.extend(self.outside_roots(paths, roots)?);
        let mut files = self.placed(paths, &known)?;
        self.correct_tests(&mut files, &known)?;
        Ok(files)
    }

    fn placed(&self, paths: &[Utf8PathBuf], roots: &[CrateRoot]) -> Result<Vec<SourceFile>> {
        let texts = self.read(paths)?;
        let file = |(path, bytes): (&Utf8PathBuf, Option<Vec<u8>>)| {
            bytes.map(|bytes| SourceFile::new(path.clone(), String::from_utf8_lossy(&bytes), roots))
        };
        Ok(paths.iter().zip(texts).filter_map(file).collect())
    }

    /// `pub mod tests;` is code whatever its name: the declaring file tells, and it need not be among the changed ones.
    fn correct_tests(&self, files: &mut [SourceFile], roots: &[CrateRoot]) -> Result<()> {
        let asked: Vec<Vec<Utf8PathBuf>> = files.iter().map(|file| source::unit_test_declarers(file, roots)).collect();
        let all: BTreeSet<&Utf8PathBuf> = asked.iter().flatten().collect();
        let all: Vec<Utf8PathBuf> = all.into_iter().cloned().collect();
        let mut declarers = self.placed(&all, roots)?;
        declarers.retain(|file| source::declares_code(file, "tests"));
        for (file, asked) in files.iter_mut().zip(asked) {
            file.test_only &= !declarers.iter().any(|declarer| asked.contains(&declarer.path));
        }
        Ok(())
    }

    /// The crates of packages in the repository that are no members of the workspace, named by their manifests.
    fn outside_roots(&self, paths: &[Utf8PathBuf], roots: &[CrateRoot]) -> Result<Vec<CrateRoot>> {
        let source_dir = |path: &Utf8PathBuf| path.ancestors().find(|dir| dir.file_name() == Some("src")).map(Utf8Path::to_owned);
        let is_known = |dir: &Utf8PathBuf| roots.iter().any(|root| root.file.starts_with(dir));
        let dirs: BTreeSet<Utf8PathBuf> = paths.iter().filter_map(source_dir).filter(|dir| !is_known(dir)).collect();
        let package = |dir: &Utf8PathBuf| dir.parent().map(Utf8Path::to_owned).unwrap_or_default();
        let manifests: Vec<Utf8PathBuf> = dirs.iter().map(|dir| package(dir).join("Cargo.toml")).collect();
        let mut found = Vec::new();
        for (dir, manifest) in dirs.iter().zip(self.read(&manifests)?) {
            let name = manifest.and_then(|bytes| crate_name(&String::from_utf8_lossy(&bytes)));
            let Some(name) = name else { continue };
            found.extend(["lib.rs", "main.rs"].map(|root| CrateRoot::new(&name, dir.join(root))));
        }
        let programs = paths.iter().filter(|path| path.parent().is_some_and(|dir| dir.file_name() == Some("bin")));
        let of_found = programs.filter(|path| dirs.iter().any(|dir| path.parent().and_then(Utf8Path::parent) == Some(dir)));
        found.extend(of_found.map(|path| CrateRoot::new(path.file_stem().unwrap_or_default(), path.clone())));
        Ok(found)
    }
}

/// The library's own name, or else the package's.
fn crate_name(manifest: &str) -> Option<String> {
    let manifest: toml::Table = manifest.parse().ok()?;
    let name = |table: &str| manifest.get(table)?.get("name")?.as_str().map(str::to_owned);
    name("lib").or_else(|| name("package"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::Repo;

    #[test]
    fn a_module_named_tests_is_code_where_it_is_declared_as_code() {
        let repo = Repo::new();
        repo.write("src/lib.rs", "pub mod tests;\npub mod a;\n").write("src/tests.rs", "").write("src/a/tests.rs", "");
        repo.write("src/a.rs", "#[cfg(test)]\nmod tests;\n");
        let commit = repo.commit("a");
        let git = repo.open();
        let paths = ["src/tests.rs".into(), "src/a/tests.rs".into()];
        for texts in [Texts::Disk(&git, git.root().to_owned()), Texts::Tree(&git, commit)] {
            let files = texts.sources(&paths, &[]).unwrap();
            assert_eq!(files.iter().map(|file| file.test_only).collect::<Vec<_>>(), [false, true]);
        }
    }

    #[test]
    fn a_package_outside_of_the_workspace_is_named_by_its_manifest() {
        let repo = Repo::new();
        repo.write("vendor/ext/Cargo.toml", "[package]\nname = \"ext-x\"\n").write("vendor/ext/src/lib.rs", "");
        repo.write("vendor/ext/src/deep.rs", "").write("vendor/ext/src/bin/tool.rs", "");
        let commit = repo.commit("a");
        let git = repo.open();
        let paths = ["vendor/ext/src/lib.rs".into(), "vendor/ext/src/deep.rs".into(), "vendor/ext/src/bin/tool.rs".into()];
        let roots = [CrateRoot::new("app", "src/lib.rs"), CrateRoot::new("build-script-build", "build.rs")];
        let files = Texts::Tree(&git, commit).sources(&paths, &roots).unwrap();
        let placed: Vec<_> = files.iter().map(|file| (file.crate_name.as_str(), file.module.join("::"))).collect();
        assert_eq!(placed, [("ext_x", String::new()), ("ext_x", "deep".into()), ("tool", String::new())]);
    }
}
