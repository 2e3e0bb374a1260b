//! A side's first build, made short: what the other side has compiled of the dependencies is copied.
//!
//! cargo decides by its own fingerprints what of the copy is still good; nothing is shared afterwards.

use std::io;

use camino::Utf8Path;

/// Copies `from` to `to` unless there is something already. Times are kept: cargo compares them for build scripts. A copy that
/// does not succeed is removed, and the build starts from nothing.
pub fn seed(from: &Utf8Path, to: &Utf8Path) -> bool {
    if to.exists() || !from.is_dir() {
        return false;
    }
    let copied = copy(from, to).is_ok();
    if !copied {
        let _starts_from_nothing = std::fs::remove_dir_all(to);
    }
    copied
}

fn copy(from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in from.read_dir_utf8()? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            // Incremental state is large and worth nothing to another place.
            if entry.file_name() != "incremental" {
                copy(entry.path(), &target)?;
            }
        } else if kind.is_file() && entry.file_name() != ".cargo-lock" {
            std::fs::copy(entry.path(), &target)?;
            let modified = entry.metadata()?.modified()?;
            std::fs::File::options()
                .write(true)
                .open(&target)
                .or_else(|_read_only| std::fs::File::open(&target))?
                .set_modified(modified)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_keeps_times_and_is_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap();
        std::fs::create_dir_all(root.join("base/release/deps")).unwrap();
        let file = root.join("base/release/deps/a.rlib");
        std::fs::write(&file, "x").unwrap();
        let old = std::time::SystemTime::now() - std::time::Duration::from_secs(1000);
        std::fs::File::options().write(true).open(&file).unwrap().set_modified(old).unwrap();
        assert!(seed(&root.join("base"), &root.join("head")));
        let copied = root.join("head/release/deps/a.rlib");
        assert_eq!(copied.metadata().unwrap().modified().unwrap(), file.metadata().unwrap().modified().unwrap());
        assert!(!seed(&root.join("base"), &root.join("head")));
        assert!(!seed(&root.join("none"), &root.join("other")));
    }
}
