//! Baselines and past analyses on disk, under `target/perf-expert/`.
//!
//! Every file carries a schema version and is written beside its place, synced and renamed; a baseline appears as a whole or
//! not at all. Does not know what is in a profile, an executable or an analysis.

mod analyses;
mod baselines;
mod compared;
mod draft;
mod envelope;
mod error;
pub mod lock;
mod name;
mod record;
mod write;

use camino::{Utf8Path, Utf8PathBuf};

pub use baselines::{Baseline, BaselineSummary};
pub use compared::Compared;
pub use draft::Draft;
pub use envelope::SCHEMA_VERSION;
pub use error::StoreError;
pub use lock::Lock;
pub use record::{BaselineRecord, StoredFile, StoredTarget};

/// The directory below cargo's target directory.
pub const DIRECTORY: &str = "perf-expert";

/// Where results are kept. A writer holds the lock of the place; readers need none, because every change is one rename.
#[derive(Debug)]
pub struct Store {
    dir: Utf8PathBuf,
    lock: Option<Lock>,
}

impl Store {
    /// Opens `dir` for writing, makes it if need be, and removes what a killed run left half done.
    ///
    /// # Errors
    /// [`StoreError::Busy`] while another process writes, [`StoreError::NotWritable`] where nothing can be written.
    pub fn open(dir: &Utf8Path) -> Result<Self, StoreError> {
        let unwritable = |source| StoreError::not_writable(dir, source);
        fs_err::create_dir_all(dir.join("baselines")).map_err(unwritable)?;
        fs_err::create_dir_all(dir.join("analyses")).map_err(unwritable)?;
        mark_as_cache(dir).map_err(unwritable)?;
        let lock = Lock::acquire(&dir.join("lock"))?;
        let store = Self { dir: dir.to_owned(), lock: Some(lock) };
        store.sweep();
        Ok(store)
    }

    /// Opens `dir` for reading; it need not exist. Works beside a running writer and on read-only media.
    pub fn read(dir: &Utf8Path) -> Self {
        Self { dir: dir.to_owned(), lock: None }
    }

    /// The place.
    pub fn dir(&self) -> &Utf8Path {
        &self.dir
    }

    fn must_write(&self) -> Result<(), StoreError> {
        if self.lock.is_some() { Ok(()) } else { Err(StoreError::ReadOnly) }
    }
}

/// Backup tools skip directories with this tag (<https://bford.info/cachedir/>), as they do for cargo's.
fn mark_as_cache(dir: &Utf8Path) -> std::io::Result<()> {
    let tag = dir.join("CACHEDIR.TAG");
    if tag.exists() {
        return Ok(());
    }
    fs_err::write(tag, "Signature: 8a477f597d28d172789f06886806bc55\n# Baselines and analyses of cargo perf-expert.\n")
}

#[cfg(test)]
mod tests;
