//! Whether two executables run the same instructions: equal code is a proof, no run needed.
//!
//! Holds under the precondition that both sides were built with the same settings. It says nothing about what a program reads
//! when it runs. Measured in `reference/conventions.md`, experiment 4: two directories, or an edited comment, give equal code.

use camino::Utf8Path;

use super::WorkspaceError;

/// The comparison of two executables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SameCode {
    /// The same instructions, constants and tables.
    Same,
    /// The same instructions and constants; only data that holds addresses differs. Line numbers of panics live there (a
    /// comment that shifts lines), but so do tables that mix pointers and numbers: the same only if no item changed.
    SameButTables {
        /// Names of the sections that differ.
        sections: Vec<String>,
    },
    /// Something else.
    Different {
        /// Names of the sections that differ.
        sections: Vec<String>,
    },
}

/// Instructions, constants, unwinding, what is imported, and initialised data.
#[cfg(target_os = "linux")]
const CODE: [&str; 14] = [
    ".text",
    ".init",
    ".fini",
    ".plt",
    ".plt.got",
    ".rodata",
    ".eh_frame",
    ".gcc_except_table",
    ".data",
    ".tdata",
    ".dynsym",
    ".dynstr",
    ".rela.plt",
    ".gnu.version",
];
/// Sections without contents, compared by size.
#[cfg(target_os = "linux")]
const SIZES: [&str; 2] = [".bss", ".tbss"];
/// Data that holds addresses, and the relocations that fill it in.
#[cfg(target_os = "linux")]
const TABLES: [&str; 6] = [".data.rel.ro", ".rela.dyn", ".relr.dyn", ".init_array", ".fini_array", ".got"];

/// Compares what two executables would execute.
#[cfg(target_os = "linux")]
pub fn compare(left: &Utf8Path, right: &Utf8Path) -> Result<SameCode, WorkspaceError> {
    let (left_bytes, right_bytes) = (fs_err::read(left)?, fs_err::read(right)?);
    let (left, right) = (parse(left, &left_bytes)?, parse(right, &right_bytes)?);
    let differing = |names: &[&str], differ: &dyn Fn(&str) -> bool| -> Vec<String> {
        names.iter().filter(|name| differ(name)).map(|&name| name.to_owned()).collect()
    };
    let contents = |name: &str| section(&left, name) != section(&right, name);
    let mut sections = differing(&CODE, &contents);
    sections.extend(differing(&SIZES, &|name| size(&left, name) != size(&right, name)));
    if !sections.is_empty() {
        return Ok(SameCode::Different { sections });
    }
    let sections = differing(&TABLES, &contents);
    Ok(if sections.is_empty() { SameCode::Same } else { SameCode::SameButTables { sections } })
}

#[cfg(target_os = "linux")]
fn parse<'a>(path: &Utf8Path, bytes: &'a [u8]) -> Result<object::File<'a>, WorkspaceError> {
    let refused = |problem: String| WorkspaceError::NotAnExecutable { file: path.to_string(), problem };
    let file = object::File::parse(bytes).map_err(|error| refused(error.to_string()))?;
    // Without code two files would always be "the same".
    match section(&file, ".text") {
        Some(text) if !text.is_empty() => Ok(file),
        _ => Err(refused("it has no code".into())),
    }
}

#[cfg(target_os = "linux")]
fn section<'a>(file: &object::File<'a>, name: &str) -> Option<&'a [u8]> {
    use object::{Object, ObjectSection};
    file.section_by_name(name).and_then(|section| section.data().ok())
}

#[cfg(target_os = "linux")]
fn size(file: &object::File<'_>, name: &str) -> Option<u64> {
    use object::{Object, ObjectSection};
    file.section_by_name(name).map(|section| section.size())
}

/// True if stacks can be given file and line.
#[cfg(target_os = "linux")]
pub fn has_debug_info(path: &Utf8Path) -> Result<bool, WorkspaceError> {
    use object::Object;
    let bytes = fs_err::read(path)?;
    Ok(parse(path, &bytes)?.section_by_name(".debug_info").is_some())
}

/// Where sections are not read, only byte-identical files are the same.
#[cfg(not(target_os = "linux"))]
pub fn compare(left: &Utf8Path, right: &Utf8Path) -> Result<SameCode, WorkspaceError> {
    let same = fs_err::read(left)? == fs_err::read(right)?;
    Ok(if same { SameCode::Same } else { SameCode::Different { sections: vec!["file".into()] } })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_the_same_as_itself_and_a_text_is_no_executable() {
        let me = camino::Utf8PathBuf::from_path_buf(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(compare(&me, &me).unwrap(), SameCode::Same);
        let text = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(text.path(), "#!/bin/sh\n").unwrap();
        let error = compare(&me, Utf8Path::from_path(text.path()).unwrap()).unwrap_err();
        assert!(matches!(error, WorkspaceError::NotAnExecutable { .. }), "{error}");
    }
}
