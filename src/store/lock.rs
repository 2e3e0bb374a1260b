//! One writer per place: an exclusive lock on a file, held as long as the value lives.
//!
//! The kernel lets go of it when the process ends, however it ends.

use std::io::Write;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::{File, OpenOptions};

use super::StoreError;

/// The lock. The file itself stays: removing it would let two processes lock two different files of one name.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: Utf8PathBuf,
}

impl Lock {
    /// Takes the lock at `path`, or says who has it. Never waits.
    pub fn acquire(path: &Utf8Path) -> Result<Self, StoreError> {
        let file = open(path).map_err(|source| StoreError::writing(path, source))?;
        if !try_lock(&file).map_err(StoreError::Io)? {
            let pid = std::fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok());
            return Err(StoreError::Busy { dir: path.parent().unwrap_or(path).to_string(), pid });
        }
        let say_who = |mut file: &File| {
            file.set_len(0)?;
            writeln!(file, "{}", std::process::id())
        };
        // Only a courtesy to the next one who asks: a full disk must not keep anybody from working.
        let _courtesy = say_who(&file);
        Ok(Self { file, path: path.to_owned() })
    }

    /// The lock file.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        unlock(&self.file);
    }
}

/// Closing is not enough: a child that another thread has just forked shares the open file until it executes its program,
/// and would keep the lock for that long.
#[cfg(unix)]
fn unlock(file: &File) {
    let _closing_does_the_rest = rustix::fs::flock(file, rustix::fs::FlockOperation::Unlock);
}

#[cfg(not(unix))]
fn unlock(_file: &File) {}

#[cfg(unix)]
fn open(path: &Utf8Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)
}

#[cfg(unix)]
fn try_lock(file: &File) -> std::io::Result<bool> {
    use rustix::fs::{FlockOperation, flock};
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// On Windows an open file that is not shared is the lock.
#[cfg(windows)]
fn open(path: &Utf8Path) -> std::io::Result<File> {
    use fs_err::os::windows::fs::OpenOptionsExt;
    OpenOptions::new().create(true).truncate(false).read(true).write(true).share_mode(0).open(path)
}

#[cfg(not(any(unix, windows)))]
fn open(path: &Utf8Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the Unix half can fail")]
fn try_lock(_file: &File) -> std::io::Result<bool> {
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_one_learns_who_the_first_one_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(dir.path()).unwrap().join("lock");
        let first = Lock::acquire(&path).unwrap();
        match Lock::acquire(&path) {
            Err(StoreError::Busy { pid, .. }) => assert_eq!(pid, Some(std::process::id())),
            other => panic!("{other:?}"),
        }
        drop(first);
        Lock::acquire(&path).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_copy_of_the_open_file_does_not_keep_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(dir.path()).unwrap().join("lock");
        let first = Lock::acquire(&path).unwrap();
        let _forked = first.file.file().try_clone().unwrap();
        drop(first);
        Lock::acquire(&path).unwrap();
    }
}
