//! From the paths in debug information to files of the repository.

use std::collections::HashMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::foreign::Foreign;
use crate::source::Tree;

/// Where a source file belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A file of the repository, relative to its root.
    Repository(Utf8PathBuf),
    /// Probably this file of the repository, by the end of its path (remapped or trimmed); only the function's crate can confirm it.
    Probably(Utf8PathBuf),
    /// One of these files of the repository; nothing tells which. Only of programs that were built elsewhere.
    Ambiguous(Vec<Utf8PathBuf>),
    /// A crate from a registry, a git checkout or a vendor directory.
    Dependency(String),
    /// The standard library, or a crate inside it.
    Std,
    /// Anything else.
    Elsewhere,
}

/// Maps one side's debug paths.
#[derive(Debug, Clone, Default)]
pub struct PathMapper {
    roots: Vec<Utf8PathBuf>,
    foreign: Option<Foreign>,
}

impl PathMapper {
    /// A mapper for a build whose repository root had these names (the checkout's directory; also its canonical path if that differs).
    pub fn new(roots: impl IntoIterator<Item = Utf8PathBuf>) -> Self {
        Self { roots: roots.into_iter().map(|root| clean(root.as_str())).collect(), foreign: None }
    }

    /// A mapper for a build on another machine.
    pub fn foreign(files: Foreign) -> Self {
        Self { roots: Vec::new(), foreign: Some(files) }
    }

    /// The files of the tree, when the build was on another machine.
    pub(super) fn elsewhere(&self) -> Option<&Foreign> {
        self.foreign.as_ref()
    }

    /// Prepares look-ups against one tree.
    pub(super) fn resolver<'t>(&'t self, tree: &'t Tree) -> Resolver<'t> {
        let mut by_name: HashMap<&str, Vec<&Utf8Path>> = HashMap::new();
        for file in tree.files() {
            by_name.entry(file.file_name().unwrap_or_default()).or_default().push(file);
        }
        Resolver { mapper: self, tree, by_name }
    }

    /// Where a file of the debug information belongs.
    pub fn locate(&self, file: &str, tree: &Tree) -> Location {
        self.resolver(tree).locate(file)
    }

    fn below_root<'p>(&self, path: &'p Utf8Path) -> Option<&'p Utf8Path> {
        self.roots.iter().filter_map(|root| path.strip_prefix(root).ok()).min_by_key(|rest| rest.as_str().len())
    }
}

/// A mapper with an index of the tree's file names.
pub(super) struct Resolver<'t> {
    mapper: &'t PathMapper,
    tree: &'t Tree,
    by_name: HashMap<&'t str, Vec<&'t Utf8Path>>,
}

impl Resolver<'_> {
    pub(super) fn elsewhere(&self) -> Option<&Foreign> {
        self.mapper.elsewhere()
    }

    pub(super) fn locate(&self, file: &str) -> Location {
        let path = clean(file);
        let inside = self.mapper.below_root(&path);
        // Known files first: a repository may itself lie in a registry or a vendor directory.
        if let Some(known) = inside.filter(|inside| self.tree.has_file(inside)) {
            return Location::Repository(known.to_owned());
        }
        if path.is_relative() && self.tree.has_file(&path) {
            return Location::Repository(path);
        }
        if let Some(origin) = outside(&path, |name| self.tree.has_crate(name)) {
            return origin;
        }
        match (inside, self.by_ending(&path)) {
            (Some(inside), _) => Location::Repository(inside.to_owned()),
            (None, Some(known)) => Location::Probably(known),
            (None, None) => Location::Elsewhere,
        }
    }

    /// The longest of the tree's files that the path ends with.
    fn by_ending(&self, path: &Utf8Path) -> Option<Utf8PathBuf> {
        let candidates = self.by_name.get(path.file_name()?)?;
        let fitting = candidates.iter().filter(|file| path.ends_with(file));
        fitting.max_by_key(|file| file.as_str().len()).map(|file| (*file).to_owned())
    }
}

/// Dependencies and the standard library, from how cargo and rustc lay out paths.
pub(super) fn outside(path: &Utf8Path, is_ours: impl Fn(&str) -> bool) -> Option<Location> {
    let parts: Vec<&str> = path.components().map(|c| c.as_str()).filter(|part| *part != "/").collect();
    let starts = |prefix: &[&str]| parts.starts_with(prefix);
    if starts(&["rustc"]) || starts(&["rust", "deps"]) || parts.windows(3).any(|w| w == ["rustlib", "src", "rust"]) {
        return Some(Location::Std);
    }
    let after = |marker: &[&str]| {
        let at = parts.windows(marker.len()).position(|window| window == marker)?;
        parts.get(at + marker.len()..)
    };
    if let Some([_index, package, ..]) = after(&["registry", "src"]) {
        return Some(Location::Dependency(package_name(package)));
    }
    if let Some([checkout, ..]) = after(&["git", "checkouts"]) {
        let name = checkout.rsplit_once('-').map_or(*checkout, |(name, _hash)| name);
        return Some(Location::Dependency(name.to_owned()));
    }
    if let Some([package, ..]) = after(&["vendor"]) {
        return Some(Location::Dependency(package_name(package)));
    }
    // `name-1.2.3/src/…`: trimmed paths, and distributions' own registries.
    let versioned = parts.windows(2).find(|w| matches!(w, [package, "src"] if split_version(package).is_some()));
    let name = versioned.and_then(|w| split_version(w.first()?));
    name.filter(|name| !is_ours(&name.replace('-', "_"))).map(|name| Location::Dependency(name.to_owned()))
}

fn package_name(directory: &str) -> String {
    split_version(directory).unwrap_or(directory).to_owned()
}

/// The name in `name-1.2.3`.
fn split_version(directory: &str) -> Option<&str> {
    let is_version = |text: &str| {
        let mut numbers = text.split(['.', '-', '+']);
        numbers.by_ref().take(2).filter(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())).count() == 2
    };
    directory
        .match_indices('-')
        .find(|(at, _)| directory.get(at + 1..).is_some_and(is_version))
        .and_then(|(at, _)| directory.get(..at))
}

/// `/` separated, without `.` and `..`.
pub(super) fn clean(path: &str) -> Utf8PathBuf {
    let path = if path.contains('/') { path.to_owned() } else { path.replace('\\', "/") };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/")).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{CrateRoot, SourceFile};

    fn tree() -> Tree {
        let roots = [CrateRoot::new("app", "src/lib.rs"), CrateRoot::new("inner", "crates/inner/src/lib.rs")];
        let file = |path: &str| SourceFile::new(path, "fn f() {}", &roots);
        Tree::of(&[file("src/lib.rs"), file("crates/inner/src/lib.rs"), file("crates/inner/src/deep/x.rs")])
    }

    #[test]
    fn paths_find_their_home() {
        let (tree, mapper) = (tree(), PathMapper::new(["/home/repo".into(), "/link".into()]));
        let repository = |path: &str| Location::Repository(path.into());
        let dependency = |name: &str| Location::Dependency(name.into());
        for (path, expected) in [
            ("/home/repo/src/lib.rs", repository("src/lib.rs")),
            ("/link/./crates/inner/src/deep/../lib.rs", repository("crates/inner/src/lib.rs")),
            ("crates/inner/src/lib.rs", repository("crates/inner/src/lib.rs")),
            ("/home/repo/target/release/build/x/out/gen.rs", repository("target/release/build/x/out/gen.rs")),
            ("/home/repository/src/other.rs", Location::Elsewhere),
            ("/remapped/crates/inner/src/deep/x.rs", Location::Probably("crates/inner/src/deep/x.rs".into())),
            ("/rustc/59807616e1fa/library/core/src/num/mod.rs", Location::Std),
            ("/rust/deps/hashbrown-0.15.2/src/raw/mod.rs", Location::Std),
            ("/home/u/.rustup/toolchains/x/lib/rustlib/src/rust/library/alloc/src/vec.rs", Location::Std),
            ("/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/my-dep-1.2.3-beta.1/src/lib.rs", dependency("my-dep")),
            ("/home/repo/.cargo/registry/src/idx/dep-0.1.0/src/lib.rs", dependency("dep")),
            ("/root/.cargo/git/checkouts/some-dep-0a1b2c/9f8e7d/src/lib.rs", dependency("some-dep")),
            ("/home/repo/vendor/dep/src/lib.rs", dependency("dep")),
            ("serde-1.0.1/src/lib.rs", dependency("serde")),
            ("/usr/src/glibc/malloc.c", Location::Elsewhere),
        ] {
            assert_eq!(mapper.locate(path, &tree), expected, "{path}");
        }
    }

    #[test]
    fn a_repository_inside_a_registry_is_still_the_repository() {
        let mapper = PathMapper::new(["/root/.cargo/registry/src/idx/app-1.0.0".into()]);
        let path = "/root/.cargo/registry/src/idx/app-1.0.0/src/lib.rs";
        assert_eq!(mapper.locate(path, &tree()), Location::Repository("src/lib.rs".into()));
    }
}
