//! From the paths in debug information to files of the repository.

use std::collections::HashMap;

use camino::{Utf8Path, Utf8PathBuf};

/// Whose code a frame is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A file of the repository, relative to its root.
    Workspace(Utf8PathBuf),
    /// A crate from a registry or a git checkout: `serde-1.0.228`.
    Dependency(String),
    /// The standard library.
    Std,
    /// libc, the kernel's vdso, or a path that belongs to nothing known.
    System,
}

/// Maps paths of one side's debug information.
#[derive(Debug, Clone, Default)]
pub struct PathMapper {
    roots: Vec<Utf8PathBuf>,
    by_name: HashMap<String, Vec<Utf8PathBuf>>,
}

impl PathMapper {
    /// `root` is where the side's tree was built; `files` are its Rust files relative to it, for paths that were remapped
    /// (`--remap-path-prefix`, `trim-paths`) or recorded relative to some directory.
    pub fn new<'a>(root: &Utf8Path, files: impl IntoIterator<Item = &'a Utf8Path>) -> Self {
        let mut by_name: HashMap<String, Vec<Utf8PathBuf>> = HashMap::new();
        for file in files {
            by_name.entry(file.file_name().unwrap_or_default().to_owned()).or_default().push(file.to_owned());
        }
        for candidates in by_name.values_mut() {
            // The longest path that fits says the most.
            candidates.sort_by_key(|path| std::cmp::Reverse(path.components().count()));
        }
        let mut roots = vec![root.to_owned()];
        roots.extend(root.canonicalize_utf8().ok().filter(|real| real != root));
        Self { roots, by_name }
    }

    /// Whose code a path is.
    pub fn origin(&self, path: &str) -> Origin {
        let path = Utf8Path::new(path);
        if let Some(package) = package_of(path) {
            return Origin::Dependency(package);
        }
        if is_std(path) {
            return Origin::Std;
        }
        if let Some(relative) = self.roots.iter().find_map(|root| path.strip_prefix(root).ok()) {
            return Origin::Workspace(tidy(relative));
        }
        let candidates = self.by_name.get(path.file_name().unwrap_or_default());
        match candidates.into_iter().flatten().find(|file| tidy(path).ends_with(file)) {
            Some(file) => Origin::Workspace(file.clone()),
            None => Origin::System,
        }
    }
}

/// `a/./b/../c` as `a/c`: include!d and `#[path]` files carry such detours.
fn tidy(path: &Utf8Path) -> Utf8PathBuf {
    let mut parts = Utf8PathBuf::new();
    for part in path.components() {
        match part.as_str() {
            "." => {}
            ".." if parts.file_name().is_some() => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts
}

/// `…/registry/src/INDEX/NAME-VERSION/…` and `…/git/checkouts/NAME-HASH/REV/…`.
fn package_of(path: &Utf8Path) -> Option<String> {
    let parts: Vec<&str> = path.components().map(|part| part.as_str()).collect();
    let after = |window: [&str; 2], skip: usize| {
        let at = parts.windows(2).position(|pair| pair == window)?;
        parts.get(at + 2 + skip).map(|name| (*name).to_owned())
    };
    after(["registry", "src"], 1).or_else(|| after(["git", "checkouts"], 0))
}

fn is_std(path: &Utf8Path) -> bool {
    let text = path.as_str();
    text.starts_with("/rustc/") || text.contains("/lib/rustlib/src/rust/") || text.starts_with("/rust/deps/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapper() -> PathMapper {
        let files = ["src/lib.rs", "a/src/lib.rs", "src/parse.rs"].map(Utf8Path::new);
        PathMapper::new(Utf8Path::new("/home/u/repo"), files)
    }

    #[test]
    fn paths_under_the_root_are_the_workspace_s() {
        let file = |path: &str| mapper().origin(path);
        assert_eq!(file("/home/u/repo/src/parse.rs"), Origin::Workspace("src/parse.rs".into()));
        assert_eq!(file("/home/u/repo/src/../src/./parse.rs"), Origin::Workspace("src/parse.rs".into()));
    }

    #[test]
    fn remapped_paths_find_the_longest_file_that_fits() {
        assert_eq!(mapper().origin("/remapped/a/src/lib.rs"), Origin::Workspace("a/src/lib.rs".into()));
        assert_eq!(mapper().origin("src/lib.rs"), Origin::Workspace("src/lib.rs".into()));
        assert_eq!(mapper().origin("/elsewhere/other.rs"), Origin::System);
    }

    #[test]
    fn dependencies_and_std_keep_their_names() {
        let registry = "/home/u/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/serde-1.0.228/src/lib.rs";
        assert_eq!(mapper().origin(registry), Origin::Dependency("serde-1.0.228".into()));
        assert_eq!(mapper().origin("/rustc/0123/library/core/src/num.rs"), Origin::Std);
    }
}
