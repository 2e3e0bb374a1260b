//! Settings of cargo and rustup: which of them belong to a commit, and how each side gets its own and no other's.
//!
//! cargo and rustup take their settings from where they are started upwards. A base with the head's settings is built from the
//! head's place. One with settings of its own is built in its checkout, which then must not lie below the head's.

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};

use super::super::{Cargo, Workspace, WorkspaceError, fingerprint, rustup};
use crate::git::Git;

const CONFIGURATION: [&str; 2] = [".cargo/config.toml", ".cargo/config"];
const TOOLCHAIN: [&str; 2] = ["rust-toolchain.toml", "rust-toolchain"];

/// How the settings of a commit differ from the work tree's. Paths are relative to the repository.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    configuration: Option<Utf8PathBuf>,
    toolchain: Option<Utf8PathBuf>,
    /// Files that neither side has under git: the user's, for both sides.
    private: Vec<Utf8PathBuf>,
}

impl Settings {
    /// Compares those of `commit`.
    pub(super) fn of(git: &Git, head: &Workspace, commit: &str) -> Result<Self, WorkspaceError> {
        let mut settings = Self::default();
        let dirs = directories(git, head);
        let files = |names: [&str; 2]| -> Vec<Utf8PathBuf> {
            dirs.iter().flat_map(|dir| names.iter().map(move |name| dir.join(name))).collect()
        };
        settings.configuration = settings.first_difference(git, commit, files(CONFIGURATION))?;
        settings.toolchain = settings.first_difference(git, commit, files(TOOLCHAIN))?;
        Ok(settings)
    }

    fn first_difference(
        &mut self,
        git: &Git,
        commit: &str,
        files: Vec<Utf8PathBuf>,
    ) -> Result<Option<Utf8PathBuf>, WorkspaceError> {
        let mut first = None;
        let theirs = git.texts(commit, &files)?;
        for (file, theirs) in files.into_iter().zip(theirs) {
            let ours = std::fs::read(git.root().join(&file)).ok();
            if ours.as_deref().map(lines) == theirs.as_deref().map(lines) {
                continue;
            }
            if theirs.is_none() && !git.is_tracked(&file)? {
                self.private.push(file);
            } else {
                first = first.or(Some(file));
            }
        }
        Ok(first)
    }

    /// The first file that differs.
    pub(super) fn differing(&self) -> Option<&Utf8Path> {
        self.configuration.as_deref().or(self.toolchain.as_deref())
    }

    /// How cargo is called for the checkout at `tree`, whose workspace root is `root`.
    pub(super) fn cargo(
        &self,
        git: &Git,
        head: &Workspace,
        tree: &Utf8Path,
        root: &Utf8Path,
        warnings: &mut Vec<String>,
    ) -> Result<Cargo, WorkspaceError> {
        if self.differing().is_none() {
            return Ok(head.cargo.clone());
        }
        for file in &self.private {
            let place = tree.join(file);
            if let Some(dir) = place.parent() {
                fs_err::create_dir_all(dir)?;
            }
            fs_err::copy(git.root().join(file), place)?;
        }
        for file in [&self.configuration, &self.toolchain].into_iter().flatten() {
            warnings.push(format!("{file} differs between base and head: each side is built with its own"));
        }
        let same_place = head.cargo.cwd.strip_prefix(git.root()).map(|dir| tree.join(dir)).ok();
        let cwd = same_place.filter(|dir| dir.is_dir()).unwrap_or_else(|| root.to_owned());
        // What rustup chose for the head must not be imposed on a base that names another toolchain; what the user chose must.
        let anew = self.toolchain.is_some() && !rustup::is_overridden(&head.cargo.cwd);
        Ok(if anew { Cargo::choosing_anew(cwd) } else { head.cargo.at(cwd) })
    }
}

/// Without what a checkout may do to line ends.
fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect()
}

/// A directory beside the repository, for checkouts whose settings differ: everything above the repository applies there, too, and
/// nothing of the work tree does. Each state directory has its own.
pub(super) fn beside(git: &Git, state: &Utf8Path) -> Utf8PathBuf {
    let tag: String = fingerprint::hex(&Sha256::digest(state.as_str())).chars().take(8).collect();
    git.root().parent().unwrap_or(git.root()).join(format!(".perf-expert-{tag}"))
}

/// From where cargo starts up to the top of the repository, relative to it.
fn directories(git: &Git, head: &Workspace) -> Vec<Utf8PathBuf> {
    let relative = |dir: &Utf8Path| dir.strip_prefix(git.root()).map(Utf8Path::to_owned).ok();
    let start = relative(&head.cargo.cwd).or_else(|| relative(head.root())).unwrap_or_default();
    start.ancestors().map(Utf8Path::to_owned).collect()
}
