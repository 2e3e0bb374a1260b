//! What `cargo test` printed: which test of which program passed or failed.

use std::collections::{BTreeSet, HashMap};

use cargo_metadata::{Message, PackageId};

/// The test programs of a build: whose each executable is, by its file name.
#[derive(Debug, Default)]
pub(super) struct Programs {
    packages: HashMap<String, String>,
}

impl Programs {
    /// From cargo's messages (`--message-format json`).
    pub(super) fn read(messages: &[u8], package: impl Fn(&PackageId) -> Option<String>) -> Self {
        let mut programs = Self::default();
        for message in Message::parse_stream(messages).flatten() {
            let Message::CompilerArtifact(artifact) = message else { continue };
            let file = artifact.executable.as_ref().and_then(|path| path.file_name());
            if let Some((file, package)) = file.zip(package(&artifact.package_id)) {
                programs.packages.insert(file.to_owned(), package);
            }
        }
        programs
    }

    /// The program whose tests come next. cargo says so before it starts one: `Running tests/a.rs (target/debug/deps/a-0123)`.
    fn opened_by(&self, line: &str) -> Option<String> {
        if let Some(crate_name) = line.strip_prefix("   Doc-tests ") {
            return Some(format!("doc-tests of {crate_name}"));
        }
        let (what, path) = line.strip_prefix("     Running ")?.strip_suffix(')')?.rsplit_once(" (")?;
        let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
        Some(match self.packages.get(file) {
            Some(package) => format!("{package}, {what}"),
            None => format!("{}, {what}", file.rsplit_once('-').map_or(file, |(name, _hash)| name)),
        })
    }
}

/// The tests by name and program: programs come and go, so their number says nothing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) passed: BTreeSet<String>,
    pub(super) failed: BTreeSet<String>,
}

impl Told {
    /// Reads both streams in the order in which they were written.
    pub(super) fn read(output: &str, programs: &Programs) -> Self {
        let mut told = Self::default();
        let mut program = None;
        for line in output.lines() {
            if let Some(next) = programs.opened_by(line) {
                program = Some(next);
                continue;
            }
            let (Some(rest), Some(program)) = (line.strip_prefix("test "), &program) else { continue };
            let named = |name: &str| format!("{} ({program})", name.trim_end_matches(" - should panic"));
            if let Some(name) = rest.strip_suffix(" ... FAILED") {
                told.failed.insert(named(name));
            } else if let Some(name) = rest.strip_suffix(" ... ok") {
                told.passed.insert(named(name));
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: &str = "\
     Running unittests src/lib.rs (target/debug/deps/tst-1111)

running 0 tests

     Running tests/a.rs (target/debug/deps/a-2222)

running 1 test
test basic ... ok

     Running tests/b.rs (target/debug/deps/b-3333)

running 2 tests
test basic ... FAILED
test boom - should panic ... ok

   Doc-tests tst

running 1 test
test src/lib.rs - f (line 3) ... ok
";

    fn names(told: &BTreeSet<String>) -> Vec<&str> {
        told.iter().map(String::as_str).collect()
    }

    #[test]
    fn equal_names_are_kept_apart_by_what_their_program_is() {
        let told = Told::read(BOTH, &Programs::default());
        assert_eq!(names(&told.failed), ["basic (b, tests/b.rs)"]);
        assert_eq!(
            names(&told.passed),
            ["basic (a, tests/a.rs)", "boom (b, tests/b.rs)", "src/lib.rs - f (line 3) (doc-tests of tst)"]
        );
    }

    #[test]
    fn a_deleted_program_does_not_hand_its_passes_to_the_next_one() {
        let (from, to) = (BOTH.find("     Running tests/a.rs").unwrap(), BOTH.find("     Running tests/b.rs").unwrap());
        let head = format!("{}{}", &BOTH[..from], &BOTH[to..]);
        let (base, head) = (Told::read(BOTH, &Programs::default()), Told::read(&head, &Programs::default()));
        assert_eq!(head.failed.intersection(&base.passed).count(), 0);
    }

    #[test]
    fn the_same_file_name_in_two_packages_is_two_programs() {
        let packages = [("a-2222".to_owned(), "one".to_owned()), ("b-3333".to_owned(), "two".to_owned())].into();
        let told = Told::read(&BOTH.replace("tests/b.rs", "tests/a.rs"), &Programs { packages });
        assert_eq!(
            (names(&told.failed), told.passed.contains("basic (one, tests/a.rs)")),
            (vec!["basic (two, tests/a.rs)"], true)
        );
    }
}
