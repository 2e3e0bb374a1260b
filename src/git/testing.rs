//! Temporary repositories for tests.

use camino::{Utf8Path, Utf8PathBuf};

use super::{Git, command};

/// A repository in a temporary directory that goes away with it.
pub(crate) struct Repo {
    dir: tempfile::TempDir,
    root: Utf8PathBuf,
}

impl Repo {
    pub(crate) fn new() -> Self {
        Self::named("repo")
    }

    pub(crate) fn named(name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(dir.path().canonicalize().unwrap()).unwrap().join(name);
        std::fs::create_dir(&root).unwrap();
        let repo = Self { dir, root };
        repo.git(&["init", "-q", "-b", "main"]);
        repo
    }

    pub(crate) fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// A path beside the repository, inside the same temporary directory.
    pub(crate) fn outside(&self, name: &str) -> Utf8PathBuf {
        Utf8PathBuf::from_path_buf(self.dir.path().canonicalize().unwrap()).unwrap().join(name)
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) -> &Self {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// Commits everything and returns the commit.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        let identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "protocol.file.allow=always"];
        command().cwd(&self.root).args(identity).args(args).run_checked().unwrap().text()
    }

    pub(crate) fn open(&self) -> Git {
        Git::discover(&self.root).unwrap()
    }
}
