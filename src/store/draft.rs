//! A baseline that is being made: files gather in a hidden directory until the record names them.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::{StoreError, StoredFile, write};
use crate::workspace::fingerprint::hex;

/// Files that will become part of a baseline. Dropped without [`super::Store::save_baseline`], it leaves nothing.
#[derive(Debug)]
pub struct Draft {
    dir: TempDir,
    files: BTreeMap<Utf8PathBuf, StoredFile>,
}

impl super::Store {
    /// Begins a baseline.
    pub fn draft(&self) -> Result<Draft, StoreError> {
        self.must_write()?;
        let home = self.dir().join("baselines");
        let dir = tempfile::Builder::new().prefix(".tmp-").tempdir_in(&home);
        let dir = dir.map_err(|source| StoreError::writing(&home, source))?;
        Ok(Draft { dir, files: BTreeMap::new() })
    }
}

impl Draft {
    /// Adds a file with these contents at `path` inside the baseline.
    pub fn add_bytes(&mut self, path: &Utf8Path, bytes: &[u8]) -> Result<(), StoreError> {
        self.add(path, bytes, None)
    }

    /// Copies a file from disk, executable bit included.
    pub fn add_file(&mut self, path: &Utf8Path, from: &Utf8Path) -> Result<(), StoreError> {
        let source = fs_err::File::open(from).map_err(StoreError::Io)?;
        let permissions = source.metadata().map_err(StoreError::Io)?.permissions();
        self.add(path, source, Some(permissions))
    }

    fn add(
        &mut self,
        path: &Utf8Path,
        mut source: impl Read,
        permissions: Option<std::fs::Permissions>,
    ) -> Result<(), StoreError> {
        let target = self.place(path)?;
        let failed = |error| StoreError::writing(&target, error);
        let mut file = fs_err::File::create(&target).map_err(failed)?;
        let (mut hash, mut size) = (Sha256::new(), 0_u64);
        let mut block = vec![0; 1 << 16];
        loop {
            let read = source.read(&mut block).map_err(failed)?;
            let Some(bytes) = block.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
            file.write_all(bytes).map_err(failed)?;
            hash.update(bytes);
            size += read as u64;
        }
        if let Some(permissions) = permissions {
            file.set_permissions(permissions).map_err(failed)?;
        }
        file.sync_all().map_err(failed)?;
        self.files.insert(path.to_owned(), StoredFile { size, sha256: hex(&hash.finalize()) });
        Ok(())
    }

    fn root(&self) -> Result<&Utf8Path, StoreError> {
        Utf8Path::from_path(self.dir.path())
            .ok_or_else(|| StoreError::Io(std::io::Error::other("the store's path is not valid UTF-8")))
    }

    /// Paths inside a baseline are plain: no `..`, nothing absolute.
    fn place(&self, path: &Utf8Path) -> Result<Utf8PathBuf, StoreError> {
        let plain = path.components().all(|part| matches!(part, Utf8Component::Normal(_)));
        if !plain || path.as_str().is_empty() {
            return Err(StoreError::BadName { name: path.to_string() });
        }
        let target = self.root()?.join(path);
        if let Some(parent) = target.parent() {
            fs_err::create_dir_all(parent).map_err(|source| StoreError::writing(&target, source))?;
        }
        Ok(target)
    }

    /// Puts the directory at `target`, durable, and returns what is in it.
    pub(super) fn settle(self, target: &Utf8Path) -> Result<BTreeMap<Utf8PathBuf, StoredFile>, StoreError> {
        let root = self.root()?.to_owned();
        // The last ancestor of a relative path is the empty one: the baseline itself.
        let mut dirs: Vec<&Utf8Path> = self.files.keys().flat_map(|path| path.ancestors().skip(1)).collect();
        dirs.sort();
        dirs.dedup();
        for dir in dirs {
            write::sync_dir(&root.join(dir))?;
        }
        fs_err::rename(&root, target).map_err(|source| StoreError::writing(target, source))?;
        // It has another name now, and another owner.
        let _moved_away = self.dir.keep();
        Ok(self.files)
    }
}
