//! Where a source file stands: its crate and its module path, from the file's path alone.
//!
//! `#[path]` and `#[cfg(test)] mod x;` are corrected by [`super::items`], which sees the declarations.

use camino::{Utf8Path, Utf8PathBuf};

/// The root file of one cargo target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrateRoot {
    /// Crate name as the compiler knows it (`-` is `_`).
    pub name: String,
    /// Root file, relative to the repository root.
    pub file: Utf8PathBuf,
}

impl CrateRoot {
    /// A root; `-` in the target's name becomes `_`.
    pub fn new(name: &str, file: impl Into<Utf8PathBuf>) -> Self {
        Self { name: name.replace('-', "_"), file: file.into() }
    }
}

/// One Rust file of one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Path relative to the repository root, `/` separated.
    pub path: Utf8PathBuf,
    /// Its text.
    pub text: String,
    /// The crate it belongs to (the library where several targets could share it).
    pub crate_name: String,
    /// Its module path inside the crate; empty for a crate root.
    pub module: Vec<String>,
    /// True when no build of a bench or binary contains it (`tests/`, `examples/`, `#[cfg(test)] mod`).
    pub test_only: bool,
}

impl SourceFile {
    /// Places a file among the workspace's targets. Without a fitting root the directory layout names the crate.
    pub fn new(path: impl Into<Utf8PathBuf>, text: impl Into<String>, roots: &[CrateRoot]) -> Self {
        let path = path.into();
        let (crate_name, module) = locate(&path, roots);
        let test_only = is_test_path(&path, roots);
        Self { path, text: text.into(), crate_name, module, test_only }
    }

    /// The directory that `mod x;` in this file looks into.
    pub(super) fn module_dir(&self) -> Utf8PathBuf {
        let dir = self.path.parent().unwrap_or(Utf8Path::new("")).to_owned();
        let is_directory_owner = self.module.is_empty() || self.path.file_name() == Some("mod.rs");
        if is_directory_owner { dir } else { dir.join(self.path.file_stem().unwrap_or_default()) }
    }
}

fn locate(path: &Utf8Path, roots: &[CrateRoot]) -> (String, Vec<String>) {
    if let Some(root) = roots.iter().find(|root| root.file == path) {
        return (root.name.clone(), Vec::new());
    }
    let owner = roots
        .iter()
        .filter_map(|root| Some((root, path.strip_prefix(root.file.parent()?).ok()?)))
        // The deepest directory wins; a library before its binaries.
        .min_by_key(|(root, rest)| (rest.components().count(), root.file.file_name() != Some("lib.rs")));
    match owner {
        Some((root, rest)) => (root.name.clone(), modules(rest)),
        None => by_layout(path),
    }
}

/// `a/mod.rs` and `a.rs` are both module `a`.
fn modules(rest: &Utf8Path) -> Vec<String> {
    let without = rest.with_extension("");
    let mut parts: Vec<String> = without.components().map(|c| c.as_str().trim_start_matches("r#").to_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

/// Cargo's directory conventions, for a file whose target nobody named.
fn by_layout(path: &Utf8Path) -> (String, Vec<String>) {
    let parts: Vec<&str> = path.components().map(|c| c.as_str()).collect();
    let stem = |name: &str| name.trim_end_matches(".rs").replace('-', "_");
    let is_target_dir = |part: &&str| matches!(*part, "benches" | "tests" | "examples");
    let Some(at) = parts.iter().rposition(|part| *part == "src").or_else(|| parts.iter().rposition(is_target_dir)) else {
        // `support/mod.rs` is the module `support`, wherever it is declared.
        let named = parts.iter().rfind(|part| **part != "mod.rs").or(parts.last());
        return (named.map_or_else(String::new, |last| stem(last)), Vec::new());
    };
    let package = at.checked_sub(1).and_then(|before| parts.get(before)).map_or_else(|| "crate".to_owned(), |name| stem(name));
    let rest = parts.get(at + 1..).unwrap_or_default();
    match (parts.get(at).copied(), rest) {
        (Some("src"), ["lib.rs" | "main.rs"]) => (package, Vec::new()),
        (Some("src"), ["bin", program] | ["bin", program, "main.rs"]) => (stem(program), Vec::new()),
        (Some("src"), ["bin", program, inner @ ..]) => (stem(program), modules(Utf8Path::new(&inner.join("/")))),
        (Some("src"), inner) => (package, modules(Utf8Path::new(&inner.join("/")))),
        (_, [single] | [single, "main.rs"]) => (stem(single), Vec::new()),
        (_, [program, inner @ ..]) => (stem(program), modules(Utf8Path::new(&inner.join("/")))),
        (_, []) => (package, Vec::new()),
    }
}

/// Test and example targets, and the conventional places of unit tests in files of their own; of the latter, the declaring
/// module has the last word ([`unit_test_declarers`]).
fn is_test_path(path: &Utf8Path, roots: &[CrateRoot]) -> bool {
    let dirs: Vec<&str> = path.parent().into_iter().flat_map(|dir| dir.components().map(|c| c.as_str())).collect();
    // A package that lives below some `tests` directory is one like any other.
    let sources = roots.iter().filter_map(|root| root.file.parent());
    let own = sources.filter(|dir| dir.file_name() == Some("src") && path.starts_with(dir)).map(|dir| dir.components().count());
    let in_source = own.max();
    let to_source = in_source.or_else(|| dirs.iter().position(|dir| *dir == "src").map(|at| at + 1)).unwrap_or(dirs.len());
    let target = in_source.is_none() && dirs.iter().take(to_source).any(|dir| matches!(*dir, "tests" | "examples"));
    target || dirs.iter().skip(to_source).any(|dir| *dir == "tests") || path.file_name() == Some("tests.rs")
}

/// The files of which one declares the module `tests` that a unit-test file is, or lies in; empty for any other file.
pub(crate) fn unit_test_declarers(file: &SourceFile, roots: &[CrateRoot]) -> Vec<Utf8PathBuf> {
    let source = |path: &Utf8Path| path.components().any(|c| c.as_str() == "src");
    let is_module = |path: &&Utf8Path| matches!(path.file_name(), Some("tests" | "tests.rs"));
    // The outermost `tests` below a source directory.
    let outermost = file.path.ancestors().filter(is_module).filter_map(Utf8Path::parent).filter(|dir| source(dir)).last();
    let Some(dir) = outermost.filter(|_| file.test_only) else { return Vec::new() };
    let named = ["lib.rs", "main.rs", "mod.rs"].map(|name| dir.join(name));
    let odd = roots.iter().map(|root| root.file.clone()).filter(|root| root.parent() == Some(dir) && !named.contains(root));
    named.iter().cloned().chain([dir.with_extension("rs")]).chain(odd).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(path: &str, roots: &[(&str, &str)]) -> (String, String) {
        let roots: Vec<CrateRoot> = roots.iter().map(|(name, file)| CrateRoot::new(name, *file)).collect();
        let file = SourceFile::new(path, "", &roots);
        (file.crate_name, file.module.join("::"))
    }

    const ROOTS: [(&str, &str); 6] = [
        ("my-app", "src/main.rs"),
        ("my-lib", "src/lib.rs"),
        ("tool", "src/bin/tool/main.rs"),
        ("parse", "benches/parse.rs"),
        ("inner", "crates/inner/src/lib.rs"),
        ("odd", "crates/odd/source/root.rs"),
    ];

    #[test]
    fn module_paths_follow_the_file_paths() {
        for (path, crate_name, module) in [
            ("src/lib.rs", "my_lib", ""),
            ("src/main.rs", "my_app", ""),
            ("src/a.rs", "my_lib", "a"),
            ("src/a/mod.rs", "my_lib", "a"),
            ("src/a/b.rs", "my_lib", "a::b"),
            ("src/bin/tool/main.rs", "tool", ""),
            ("src/bin/tool/help.rs", "tool", "help"),
            ("benches/parse.rs", "parse", ""),
            ("crates/inner/src/deep/er.rs", "inner", "deep::er"),
            ("crates/odd/source/x.rs", "odd", "x"),
        ] {
            assert_eq!(place(path, &ROOTS), (crate_name.into(), module.into()), "{path}");
        }
    }

    #[test]
    fn without_targets_the_layout_decides() {
        for (path, crate_name, module) in [
            ("crates/in-ner/src/lib.rs", "in_ner", ""),
            ("crates/in-ner/src/a/mod.rs", "in_ner", "a"),
            ("x/src/bin/tool.rs", "tool", ""),
            ("x/benches/fast-one.rs", "fast_one", ""),
            ("x/tests/it/main.rs", "it", ""),
            ("src/lib.rs", "crate", ""),
            ("x/src/a/tests/big.rs", "x", "a::tests::big"),
            ("script.rs", "script", ""),
            ("support/mod.rs", "support", ""),
        ] {
            assert_eq!(place(path, &[]), (crate_name.into(), module.into()), "{path}");
        }
    }

    #[test]
    fn test_and_example_targets_are_test_only() {
        for (path, expected) in [
            ("tests/it.rs", true),
            ("examples/x.rs", true),
            ("src/a/tests.rs", true),
            ("src/tests/x.rs", true),
            ("src/contests.rs", false),
            ("src/examples/x.rs", false),
            ("tests/cases/x/src/lib.rs", true),
            ("benches/a.rs", false),
        ] {
            assert_eq!(SourceFile::new(path, "", &[]).test_only, expected, "{path}");
        }
        let member = [CrateRoot::new("x", "tests/cases/x/src/lib.rs")];
        assert!(!SourceFile::new("tests/cases/x/src/a.rs", "", &member).test_only);
        assert!(SourceFile::new("tests/cases/x/src/a/tests.rs", "", &member).test_only);
    }

    #[test]
    fn a_unit_test_file_has_a_declaring_module() {
        let declarers = |path: &str| unit_test_declarers(&SourceFile::new(path, "", &[]), &[]);
        assert_eq!(declarers("src/tests/x.rs"), ["src/lib.rs", "src/main.rs", "src/mod.rs", "src.rs"]);
        assert_eq!(declarers("src/a/tests.rs"), ["src/a/lib.rs", "src/a/main.rs", "src/a/mod.rs", "src/a.rs"]);
        assert!(declarers("tests/it.rs").is_empty() && declarers("src/a.rs").is_empty());
    }
}
