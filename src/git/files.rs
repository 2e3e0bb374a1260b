//! Which files the work tree has, and a tree of it that can be read again later.

use camino::Utf8PathBuf;

use super::changes::fields;
use super::{Git, GitError};

impl Git {
    /// The files of the work tree, untracked ones included, relative to the top.
    pub fn working_files(&self) -> Result<Vec<Utf8PathBuf>, GitError> {
        let output = self.checked(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])?;
        let mut files: Vec<Utf8PathBuf> = fields(&output.stdout).map(Utf8PathBuf::from).collect();
        files.sort();
        files.dedup();
        Ok(files.into_iter().filter(|path| !self.is_ignored(path)).collect())
    }

    /// The work tree's tracked files as a commit that no branch names, so that a dirty side can be read again later.
    /// `None` when no tracked file is changed.
    pub fn snapshot(&self) -> Result<Option<String>, GitError> {
        // An identity of ours: git refuses to write any commit without one, and nobody will see this one.
        let identity = ["-c", "user.name=perf-expert", "-c", "user.email=perf-expert@localhost"];
        let text = self.checked([&identity[..], &["stash", "create"]].concat())?.text();
        Ok((!text.is_empty()).then_some(text))
    }
}
