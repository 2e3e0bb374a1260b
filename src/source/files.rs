//! Changed files that are not Rust items: manifests, lock file, build script, toolchain, data.
//!
//! Documentation, licences and settings of development tools are no changes at all.

use camino::{Utf8Path, Utf8PathBuf};
use proc_macro2::TokenStream;

use super::hash;
use super::model::{Change, ChangeKind, Item, ItemKind};
use super::note::listed;
use super::tokens::Tokens;
use super::{lockfile, manifest};

/// One changed file; `None` where a side does not have it.
#[derive(Debug, Clone)]
pub struct FileChange {
    /// Path relative to the repository root (head's name after a rename).
    pub path: Utf8PathBuf,
    /// Content at base.
    pub base: Option<Vec<u8>>,
    /// Content at head.
    pub head: Option<Vec<u8>>,
}

/// What kind of change a file can make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileRole {
    /// Rust source: compare its items ([`super::changes`]).
    Source,
    /// A build script: Rust, but it may change anything.
    BuildScript,
    /// `Cargo.toml`.
    Manifest,
    /// `Cargo.lock`.
    Lock,
    /// `rust-toolchain`, `.cargo/config.toml`.
    Settings,
    /// Anything that code may read.
    Data,
    /// Documentation, licences, settings of tools that do not build.
    Irrelevant,
}

/// The role of a file, from its path.
pub fn role(path: &Utf8Path) -> FileRole {
    let name = path.file_name().unwrap_or_default();
    let parent = path.parent().and_then(Utf8Path::file_name);
    match (parent, name) {
        (_, "build.rs") if !path.components().any(|c| c.as_str() == "src") => FileRole::BuildScript,
        (_, "Cargo.toml") => FileRole::Manifest,
        (_, "Cargo.lock") => FileRole::Lock,
        (_, "rust-toolchain" | "rust-toolchain.toml") | (Some(".cargo"), "config" | "config.toml") => FileRole::Settings,
        _ if path.extension() == Some("rs") => FileRole::Source,
        _ if is_irrelevant(path) => FileRole::Irrelevant,
        _ => FileRole::Data,
    }
}

fn is_irrelevant(path: &Utf8Path) -> bool {
    const TOOLS: [&str; 9] = [
        "clippy.toml",
        "rustfmt.toml",
        "deny.toml",
        "cliff.toml",
        "release.toml",
        "typos.toml",
        "bors.toml",
        "justfile",
        "Makefile",
    ];
    const DOCUMENTS: [&str; 12] = [
        "readme",
        "changelog",
        "changes",
        "license",
        "licence",
        "copying",
        "notice",
        "authors",
        "contributing",
        "security",
        "news",
        "code_of_conduct",
    ];
    let name = path.file_name().unwrap_or_default();
    let lower = name.to_lowercase();
    let hidden = path.components().any(|c| c.as_str().starts_with('.') && c.as_str() != ".cargo");
    let in_source = path.components().any(|c| c.as_str() == "src");
    let in_docs = !in_source && path.components().any(|c| matches!(c.as_str(), "docs" | "doc"));
    let text = matches!(path.extension(), Some("md" | "markdown" | "rst" | "adoc"));
    let root_text = path.extension() == Some("txt") && path.components().count() == 1;
    let document = DOCUMENTS.iter().any(|document| lower.starts_with(document));
    hidden || TOOLS.contains(&name) || (!is_data_place(path) && (in_docs || text || root_text || document))
}

/// True in directories whose files are input: a bench may well read a .md or .txt file.
fn is_data_place(path: &Utf8Path) -> bool {
    const PLACES: [&str; 6] = ["data", "testdata", "test_data", "fixtures", "assets", "benches"];
    path.parent().is_some_and(|dir| dir.components().any(|c| PLACES.contains(&c.as_str())))
}

/// The ambient changes among changed files that are not Rust items. Files outside all `packages` (directories relative to
/// the repository root; empty list: the whole repository is one package) are read by no build and left out.
pub fn ambient_file_changes(files: &[FileChange], packages: &[Utf8PathBuf]) -> Vec<Change> {
    files.iter().filter_map(|file| ambient(file, packages)).collect()
}

/// True when one of the sources takes a file of this name into the program (`include_str!` and its kin; in a `doc` attribute it
/// becomes documentation only).
pub fn is_included<'s>(path: &Utf8Path, sources: impl IntoIterator<Item = &'s str>) -> bool {
    let name = path.file_name().unwrap_or(path.as_str());
    let takes = |line: &str| line.contains("include") && line.contains(name) && !line.contains("doc");
    sources.into_iter().any(|text| text.contains(name) && text.lines().any(takes))
}

/// The change of a file that programs include, whatever its name says.
pub fn included_file_change(file: &FileChange) -> Change {
    change(file, "included by the source", |bytes| file_item(&file.path, bytes, &[]))
}

/// The change of a file that programs may read when they run, whatever its name says.
pub fn data_file_change(file: &FileChange) -> Change {
    change(file, "data file", |bytes| Item { kind: ItemKind::Data, ..file_item(&file.path, bytes, &[]) })
}

fn ambient(file: &FileChange, packages: &[Utf8PathBuf]) -> Option<Change> {
    if file.base == file.head {
        return None;
    }
    let text = |side: &Option<Vec<u8>>| side.as_deref().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let (base, head) = (text(&file.base).unwrap_or_default(), text(&file.head).unwrap_or_default());
    let (detail, crates) = match role(&file.path) {
        FileRole::Source | FileRole::Irrelevant => return None,
        FileRole::Manifest => (listed(non_empty(manifest::difference(&base, &head))?), Vec::new()),
        FileRole::Lock => {
            let changed = lockfile::difference(&base, &head);
            let crates = changed.iter().map(|package| package.name.replace('-', "_")).collect();
            (listed(non_empty(changed)?.iter().map(ToString::to_string).collect()), crates)
        }
        FileRole::Settings => (listed(non_empty(manifest::settings_difference(&base, &head))?), Vec::new()),
        FileRole::BuildScript if same_tokens(&base, &head) => return None,
        FileRole::BuildScript => ("build script".to_owned(), Vec::new()),
        FileRole::Data if is_outside(&file.path, packages) && !is_data_place(&file.path) => return None,
        FileRole::Data => return Some(data_file_change(file)),
    };
    Some(change(file, &detail, |bytes| file_item(&file.path, bytes, &crates)))
}

fn change(file: &FileChange, detail: &str, item: impl Fn(&[u8]) -> Item) -> Change {
    let verb = match (&file.base, &file.head) {
        (None, _) => " (added)",
        (_, None) => " (deleted)",
        _ => "",
    };
    let item = |side: &Option<Vec<u8>>| side.as_deref().map(&item);
    let note = Some(format!("{}{verb}: {detail}", file.path));
    Change { kind: ChangeKind::Ambient, base: item(&file.base), head: item(&file.head), note }
}

fn non_empty<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

fn is_outside(path: &Utf8Path, packages: &[Utf8PathBuf]) -> bool {
    !packages.is_empty() && !packages.iter().any(|package| path.starts_with(package))
}

fn same_tokens(base: &str, head: &str) -> bool {
    let tokens = |text: &str| text.parse::<TokenStream>().ok().map(|stream| Tokens::new(stream).hash(0, u64::MAX, &[]));
    // A text that nests beyond reason is compared as it is.
    let nested = |text: &str| super::items::nesting(text) > super::items::MAX_NESTING;
    !nested(base) && !nested(head) && tokens(base).is_some() && tokens(base) == tokens(head)
}

fn file_item(path: &Utf8Path, bytes: &[u8], crates: &[String]) -> Item {
    let lines = (1, bytes.split(|&byte| byte == b'\n').count().max(1) as u32);
    Item {
        key: format!("{path}#1"),
        path: path.to_string(),
        kind: ItemKind::File,
        file: path.to_owned(),
        lines,
        body_lines: lines,
        made_names: crates.to_vec(),
        signature_hash: 0,
        body_hash: hash::of_bytes(bytes),
        attributes_hash: 0,
        attributes: Vec::new(),
        approximate: false,
        test_only: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(path: &str, base: Option<&str>, head: Option<&str>) -> Vec<String> {
        let bytes = |text: Option<&str>| text.map(|text| text.as_bytes().to_vec());
        let file = FileChange { path: path.into(), base: bytes(base), head: bytes(head) };
        ambient_file_changes(&[file], &["crates/a".into(), "benches".into()]).into_iter().filter_map(|c| c.note).collect()
    }

    #[test]
    fn documentation_and_tool_settings_are_no_changes() {
        for path in [
            "README.md",
            "crates/a/CHANGELOG.md",
            "LICENSE-MIT",
            "notes.txt",
            "docs/guide/picture.png",
            ".github/workflows/ci.yml",
            ".gitignore",
            "rustfmt.toml",
            "scripts/release.sh",
        ] {
            assert_eq!(notes(path, Some("a"), Some("b")), [""; 0], "{path}");
        }
    }

    #[test]
    fn what_code_may_read_is_a_data_file() {
        for path in [
            "crates/a/data/words.txt",
            "crates/a/src/table.bin",
            "crates/a/benches/input.md",
            "crates/a/data/words.md",
            "testdata/words.txt",
            "fixtures/README.md",
        ] {
            assert_eq!(notes(path, Some("a"), Some("b")), [format!("{path}: data file")]);
        }
        assert_eq!(notes("crates/a/x.csv", None, Some("b")), ["crates/a/x.csv (added): data file"]);
    }

    #[test]
    fn data_reaches_no_code() {
        let file = FileChange { path: "crates/a/data/x.txt".into(), base: Some(b"a".to_vec()), head: Some(b"b".to_vec()) };
        assert_eq!(data_file_change(&file).reach(), super::super::Reach::Item);
        assert_eq!(included_file_change(&file).reach(), super::super::Reach::Everything);
    }

    #[test]
    fn a_build_script_counts_by_its_tokens() {
        assert_eq!(notes("build.rs", Some("fn main() {}"), Some("// x\nfn main() { }")), [""; 0]);
        assert_eq!(notes("build.rs", Some("fn main() {}"), Some("fn main() { x() }")), ["build.rs: build script"]);
        assert_eq!(role("src/build.rs".into()), FileRole::Source);
    }

    #[test]
    fn toolchain_and_cargo_settings_are_ambient() {
        let toml = "[toolchain]\nchannel = \"1.90\"\n";
        let changed = notes("rust-toolchain.toml", Some(toml), Some(&toml.replace("1.90", "1.91")));
        assert_eq!(changed, ["rust-toolchain.toml: [toolchain] − channel = \"1.90\", [toolchain] + channel = \"1.91\""]);
        assert_eq!(notes("rust-toolchain", Some("1.90\n"), Some("1.91")), ["rust-toolchain: − 1.90, + 1.91"]);
        assert_eq!(notes(".cargo/config.toml", Some("[build]\n"), Some("# why\n[build]\n")), [""; 0]);
    }

    #[test]
    fn a_lock_file_reaches_the_crates_it_changed() {
        let lock = "[[package]]\nname = \"my-dep\"\nversion = \"1.0.1\"\nsource = \"registry+x\"\n";
        let file = FileChange {
            path: "Cargo.lock".into(),
            base: Some(lock.into()),
            head: Some(lock.replace("1.0.1", "1.0.2").into_bytes()),
        };
        let changes = ambient_file_changes(&[file], &[]);
        let change = changes.first().unwrap();
        assert_eq!(change.note.as_deref(), Some("Cargo.lock: my-dep 1.0.1 → 1.0.2"));
        assert_eq!(change.reach(), super::super::Reach::Crates(vec!["my_dep".into()]));
    }
}
