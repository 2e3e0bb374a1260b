//! A fresh copy of an executable for each measured process.
//!
//! The pages of a file lie where the kernel happened to put them, and a file keeps them: of eight copies of one executable one was
//! 4 % slower in every run (a hashing bench, 30 runs of each copy on the CPU clock: 1.6 % between the copies, where 0.3 % was to be
//! expected; 0.3 % with a copy per run). Copied anew, a file's luck becomes a process's, and the rounds average it out.

use std::ffi::OsString;
use std::io;
use std::path::Path;

/// Replaces `executable` by a copy of itself that has pages of its own.
pub(super) fn renew(executable: &Path) -> io::Result<()> {
    let mut name = OsString::from(".");
    name.push(executable.file_name().unwrap_or_default());
    name.push(".new");
    let copy = executable.with_file_name(name);
    fs_err::copy(executable, &copy)?;
    // Not renamed over the old one: some file systems write a file that replaces another to the disk at once.
    fs_err::remove_file(executable)?;
    fs_err::rename(&copy, executable)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;

    #[test]
    fn the_copy_is_another_file_with_the_same_content_and_mode() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("program");
        std::fs::write(&path, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        // Held, so that its inode cannot be given to the copy.
        let old = std::fs::File::open(&path).unwrap();
        renew(&path).unwrap();
        let new = std::fs::metadata(&path).unwrap();
        assert_ne!(old.metadata().unwrap().ino(), new.ino());
        assert_eq!((std::fs::read(&path).unwrap().as_slice(), new.mode() & 0o777), (b"#!/bin/sh\n".as_slice(), 0o755));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
