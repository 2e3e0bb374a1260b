//! Temporary crates without dependencies, for tests.

use camino::{Utf8Path, Utf8PathBuf};

pub(super) struct Crate {
    _dir: tempfile::TempDir,
    root: Utf8PathBuf,
}

impl Crate {
    pub(super) fn named(name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(dir.path().canonicalize().unwrap()).unwrap().join(name);
        std::fs::create_dir(&root).unwrap();
        Self { _dir: dir, root }
    }

    pub(super) fn root(&self) -> &Utf8Path {
        &self.root
    }

    pub(super) fn write(&self, path: &str, text: &str) -> &Self {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }
}
