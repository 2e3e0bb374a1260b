//! A directory for the runs of one command; gone at its end, and swept at the next start after a `kill -9`.

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::Result;

/// A scratch directory below the store.
#[derive(Debug)]
pub(crate) struct Scratch {
    dir: Utf8PathBuf,
}

impl Scratch {
    /// Makes an empty one. The caller holds the store's lock, so whatever is left there belongs to nobody.
    pub(crate) fn new(state: &Utf8Path) -> Result<Self> {
        let dir = state.join("scratch");
        if dir.exists() {
            fs_err::remove_dir_all(&dir)?;
        }
        fs_err::create_dir_all(&dir)?;
        Ok(Self { dir })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Utf8Path {
        &self.dir
    }

    /// A copy of a file, at `SUB/NAME`.
    pub(crate) fn copy(&self, file: &Utf8Path, sub: &str) -> Result<Utf8PathBuf> {
        let dir = self.dir.join(sub);
        fs_err::create_dir_all(&dir)?;
        let to = dir.join(file.file_name().unwrap_or("program"));
        fs_err::copy(file, &to)?;
        Ok(to)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _swept_next_time = fs_err::remove_dir_all(&self.dir);
    }
}
