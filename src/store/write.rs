//! Bytes that are on the disk before their name is: temporary file, sync, rename.

use std::io::Write;

use camino::Utf8Path;
use fs_err::File;

use super::StoreError;

/// Writes `path` so that it holds either its old contents or all of the new ones.
pub(super) fn replace(path: &Utf8Path, bytes: &[u8]) -> Result<(), StoreError> {
    replace_by(path, |file| file.write_all(bytes))
}

/// [`replace`] with a writer that may fail.
pub(super) fn replace_by(path: &Utf8Path, fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<(), StoreError> {
    let failed = |source| StoreError::writing(path, source);
    let dir = path.parent().unwrap_or(path);
    let mut temporary = tempfile::Builder::new().prefix(".tmp-").tempfile_in(dir).map_err(failed)?;
    fill(temporary.as_file_mut()).map_err(failed)?;
    temporary.as_file().sync_all().map_err(failed)?;
    temporary.persist(path).map_err(|error| failed(error.error))?;
    sync_dir(dir)
}

/// Makes the names in a directory durable.
#[cfg(unix)]
pub(super) fn sync_dir(dir: &Utf8Path) -> Result<(), StoreError> {
    let sync = || File::open(dir)?.sync_all();
    match sync() {
        // Some network file systems cannot sync a directory; the rename itself was atomic.
        Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => Ok(()),
        done => done.map_err(|source| StoreError::writing(dir, source)),
    }
}

/// Other systems have no such call.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the Unix half can fail")]
pub(super) fn sync_dir(_dir: &Utf8Path) -> Result<(), StoreError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_that_fails_half_way_leaves_the_old_contents_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        let path = dir.join("file");
        replace(&path, b"old").unwrap();
        let error = replace_by(&path, |file| {
            file.write_all(b"new but")?;
            Err(std::io::ErrorKind::StorageFull.into())
        })
        .unwrap_err();
        assert!(matches!(error, StoreError::Full { .. }), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(dir.read_dir_utf8().unwrap().count(), 1);
    }
}
