//! Changed files that are not Rust: compiled in, read when a program runs, or neither.
//!
//! Looks at the sources of both sides; what it cannot tell, the file's place decides ([`crate::source::role`]).

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::Texts;
use crate::error::Result;
use crate::source::{self, FileChange, FileRole, SourceFile};

/// A changed file that programs may read when they run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DataFile {
    /// Relative to the repository root.
    pub(crate) path: Utf8PathBuf,
    /// The sources that name it; empty when only its place says that it is data.
    pub(crate) readers: BTreeSet<Utf8PathBuf>,
    /// False for files outside of all packages.
    pub(crate) in_package: bool,
}

/// How a file gets into a program.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// When it is built.
    Compiled,
    /// When it runs: these sources name it.
    Read(BTreeSet<Utf8PathBuf>),
    /// No source names it.
    Unknown,
}

/// The sources of both sides that any build of a bench or binary may contain, and the build scripts.
pub(super) struct Sources<'a> {
    texts: Vec<(Utf8PathBuf, String)>,
    packages: &'a [Utf8PathBuf],
}

impl<'a> Sources<'a> {
    /// Reads them, if any of the files could be meant. `packages`: directories relative to the repository root.
    pub(super) fn read(files: &[FileChange], sides: [&Texts<'_>; 2], packages: &'a [Utf8PathBuf]) -> Result<Self> {
        let mut texts = Vec::new();
        if files.iter().any(is_readable) {
            for side in sides {
                let mut paths = side.rust_files()?;
                paths.retain(|path| !is_for_tests(path));
                let read = side.read(&paths)?;
                let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
                texts.extend(paths.into_iter().zip(read).filter_map(|(path, bytes)| Some((path, text(bytes?)))));
            }
        }
        Ok(Self { texts, packages })
    }

    /// How the file gets into a program.
    pub(super) fn use_of(&self, file: &FileChange) -> Use {
        if !is_readable(file) {
            return Use::Unknown;
        }
        if source::is_included(&file.path, self.texts.iter().map(|(_, text)| text.as_str())) {
            return Use::Compiled;
        }
        let inside = self.packages.iter().filter_map(|package| file.path.strip_prefix(package).ok());
        let inside = inside.min_by_key(|rest| rest.components().count()).unwrap_or(&file.path);
        let naming = self.texts.iter().filter(|(_, text)| source::mentions(text, inside)).map(|(path, _)| path.clone());
        let (scripts, readers): (BTreeSet<Utf8PathBuf>, BTreeSet<Utf8PathBuf>) =
            naming.partition(|path| source::role(path) == FileRole::BuildScript);
        match (readers.is_empty(), scripts.is_empty()) {
            (false, _) => Use::Read(readers),
            (true, false) => Use::Compiled,
            (true, true) => Use::Unknown,
        }
    }
}

fn is_readable(file: &FileChange) -> bool {
    file.base != file.head && matches!(source::role(&file.path), FileRole::Irrelevant | FileRole::Data)
}

/// True in test and example targets, which no measured program contains.
pub(crate) fn is_for_tests(path: &Utf8Path) -> bool {
    SourceFile::new(path, "", &[]).test_only
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(path: &str, texts: &[(&str, &str)]) -> Use {
        let texts = texts.iter().map(|(path, text)| ((*path).into(), (*text).to_owned())).collect();
        let packages = ["".into(), "crates/a".into()];
        let file = FileChange { path: path.into(), base: Some(b"a".to_vec()), head: Some(b"b".to_vec()) };
        Sources { texts, packages: &packages }.use_of(&file)
    }

    #[test]
    fn a_document_that_a_source_reads_is_data() {
        let bench = ("crates/a/benches/run.rs", "fs::read(\"data/words.md\")");
        assert_eq!(used("crates/a/data/words.md", &[bench]), Use::Read(["crates/a/benches/run.rs".into()].into()));
        assert_eq!(used("crates/a/docs/guide.md", &[bench]), Use::Unknown);
        assert_eq!(used("README.md", &[("src/lib.rs", "fs::read(\"README.md\")")]), Use::Read(["src/lib.rs".into()].into()));
    }

    #[test]
    fn what_is_included_or_read_by_a_build_script_is_compiled_in() {
        assert_eq!(used("src/table.bin", &[("src/lib.rs", "static T: &[u8] = include_bytes!(\"table.bin\");")]), Use::Compiled);
        assert_eq!(used("proto/a.proto", &[("build.rs", "compile(\"proto/a.proto\")")]), Use::Compiled);
        assert_eq!(used("Cargo.toml", &[("src/lib.rs", "read(\"Cargo.toml\")")]), Use::Unknown);
    }
}
