//! The id by which a linker marks a build (`.note.gnu.build-id`): equal ids, equal program, wherever it ran.
//!
//! Does not search for files (the caller knows them).

use camino::Utf8Path;

/// The id in hexadecimal, as profiles write it; `None` where the linker gave none, or the file is no executable.
#[cfg(target_os = "linux")]
pub fn build_id(path: &Utf8Path) -> Option<String> {
    use object::Object;
    use std::fmt::Write;
    let bytes = std::fs::read(path).ok()?;
    let file = object::File::parse(bytes.as_slice()).ok()?;
    let id = file.build_id().ok().flatten()?;
    Some(id.iter().fold(String::new(), |mut hex, byte| {
        let _never_fails = write!(hex, "{byte:02x}");
        hex
    }))
}

/// Nothing is read where files have another format.
#[cfg(not(target_os = "linux"))]
pub fn build_id(_path: &Utf8Path) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_has_none() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "#!/bin/sh\n").unwrap();
        assert_eq!(build_id(Utf8Path::from_path(file.path()).unwrap()), None);
        assert_eq!(build_id(Utf8Path::new("/nowhere")), None);
    }
}
