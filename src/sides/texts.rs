//! Where the sources of a side are read from: a directory, or a tree of git's.

use camino::Utf8PathBuf;

use crate::error::Result;
use crate::git::Git;
use crate::source::{CrateRoot, SourceFile};

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
        let texts = self.read(paths)?;
        let file = |(path, bytes): (&Utf8PathBuf, Option<Vec<u8>>)| {
            bytes.map(|bytes| SourceFile::new(path.clone(), String::from_utf8_lossy(&bytes), roots))
        };
        Ok(paths.iter().zip(texts).filter_map(file).collect())
    }
}
