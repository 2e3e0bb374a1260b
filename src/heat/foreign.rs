//! Paths and frames of a program that was built on another machine, from sources that may be others than those at hand.
//!
//! Paths fit by their ends, as far as only one file does; names must agree with lines. Does not count (`join`).

use std::collections::{BTreeSet, HashMap, HashSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::origin::crate_of;
use super::path::{Location, clean, outside};
use crate::profile::Frame;
use crate::source::{CrateRoot, ItemId, ItemKind, Tree};

/// Fewer common parts than these (`src/lib.rs`) say nothing.
const LEAST: usize = 2;

/// The files that a program elsewhere may have been built from.
#[derive(Debug, Clone, Default)]
pub struct Foreign {
    by_name: HashMap<String, Vec<Utf8PathBuf>>,
    roots: Vec<CrateRoot>,
}

/// How a frame found its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Match {
    /// By file and line, and its name agrees as far as it says something.
    Line,
    /// By its qualified name; its line is missing, or says otherwise.
    Name,
    /// It is of no item that is known here.
    None,
    /// Several files end like its path, and nothing tells which.
    Ambiguous,
    /// Its line lies in an item of another name: the sources were others.
    Disagrees,
}

impl Foreign {
    /// All Rust files of the tree (relative to the repository root), and the crates of the workspace.
    pub fn new(files: Vec<Utf8PathBuf>, roots: Vec<CrateRoot>) -> Self {
        let mut by_name: HashMap<String, Vec<Utf8PathBuf>> = HashMap::new();
        for file in files {
            by_name.entry(file.file_name().unwrap_or_default().to_owned()).or_default().push(file);
        }
        Self { by_name, roots }
    }

    /// The files of the tree that these paths can only be.
    pub fn files_of<'p>(&self, paths: impl Iterator<Item = &'p str>) -> BTreeSet<Utf8PathBuf> {
        let located = self.locations(paths).into_values();
        located.filter_map(|one| if let Location::Repository(file) = one { Some(file) } else { None }).collect()
    }

    /// Where the files of a profile belong. Files that fit only one way tell where the tree was; that decides about others.
    pub(super) fn locations<'p>(&self, paths: impl Iterator<Item = &'p str>) -> HashMap<&'p str, Location> {
        let mut found = HashMap::new();
        let mut open: Vec<(&str, Utf8PathBuf, Vec<Utf8PathBuf>)> = Vec::new();
        let mut moved: HashSet<(Utf8PathBuf, Utf8PathBuf)> = HashSet::new();
        for path in paths.collect::<HashSet<_>>() {
            let cleaned = clean(path);
            if let Some(outside) = self.outside(&cleaned) {
                found.insert(path, outside);
                continue;
            }
            let mut fitting = self.fitting(&cleaned);
            match (fitting.len(), fitting.pop()) {
                (1, Some(only)) => {
                    moved.insert(stems(&cleaned, &only));
                    found.insert(path, Location::Repository(only));
                }
                (_, Some(last)) => {
                    fitting.push(last);
                    open.push((path, cleaned, fitting));
                }
                (_, None) => {
                    found.insert(path, Location::Elsewhere);
                }
            }
        }
        for (path, cleaned, fitting) in open {
            let mut likely = fitting.iter().filter(|file| moved.contains(&stems(&cleaned, file)));
            let location = match (likely.next(), likely.next()) {
                (Some(only), None) => Location::Repository(only.clone()),
                _ => Location::Ambiguous(fitting),
            };
            found.insert(path, location);
        }
        found
    }

    /// Dependencies and the standard library; a crate of the workspace that was installed from a registry is none.
    fn outside(&self, path: &Utf8Path) -> Option<Location> {
        let found = outside(path, |name| self.has_crate(name))?;
        match &found {
            Location::Dependency(name) if self.has_crate(&name.replace('-', "_")) => None,
            // Vendored crates may be part of the repository.
            Location::Dependency(_) => {
                let known = self.fitting(path);
                let vendored = known.into_iter().find(|file| path.ends_with(file) && file.components().count() > 3);
                Some(vendored.map_or(found, Location::Repository))
            }
            _ => Some(found),
        }
    }

    /// The files with the longest common ending; more than one where the path does not tell.
    fn fitting(&self, path: &Utf8Path) -> Vec<Utf8PathBuf> {
        let Some(candidates) = path.file_name().and_then(|name| self.by_name.get(name)) else { return Vec::new() };
        if let Some(same) = candidates.iter().find(|file| *file == path) {
            return vec![same.clone()];
        }
        let ending = |file: &Utf8Path| common(path, file);
        let longest = candidates.iter().map(|file| ending(file)).max().unwrap_or(0);
        if longest < LEAST {
            return Vec::new();
        }
        candidates.iter().filter(|file| ending(file) == longest).cloned().collect()
    }

    fn has_crate(&self, name: &str) -> bool {
        self.roots.iter().any(|root| root.name == name)
    }

    /// Whether a crate of this name may contain the file (several targets share a directory); `None` outside of all of them.
    fn may_contain(&self, name: &str, file: &Utf8Path) -> Option<bool> {
        let depth = |root: &CrateRoot| {
            let dir = root.file.parent()?;
            file.starts_with(dir).then(|| dir.components().count())
        };
        let deepest = self.roots.iter().filter_map(depth).max()?;
        Some(self.roots.iter().any(|root| root.name == name && depth(root) == Some(deepest)))
    }

    /// The items that a frame belongs to, and how that is known.
    pub(super) fn items_of(&self, frame: &Frame, location: Option<&Location>, tree: &Tree) -> ([Option<ItemId>; 2], Match) {
        let ours = crate_of(&frame.function).filter(|name| self.has_crate(name));
        let is_outside = matches!(location, Some(Location::Dependency(_) | Location::Std));
        let qualified = ours.is_some() || frame.function.contains(" as ");
        let exported = !frame.function.contains("::") && !is_outside && !frame.module.contains(".so");
        let named = if qualified || exported { tree.by_name_id(&frame.function) } else { None };
        let file = match location {
            Some(Location::Repository(file)) => Some(file),
            Some(Location::Ambiguous(files)) => self.only_of(ours, files),
            _ => None,
        };
        let by_line = file.zip(frame.line).and_then(|(file, line)| tree.innermost_id(file, line));
        let lined = by_line.and_then(|id| Some((id, tree.get(id)?)));
        match (lined, named) {
            (Some((id, item)), _) if item.kind == ItemKind::MacroRules && ours.is_none_or(|name| tree.has_crate(name)) => {
                ([Some(id), named.filter(|&named| named != id)], Match::Line)
            }
            (Some((id, _)), Some(named)) if id == named => ([Some(id), None], Match::Line),
            (_, Some(named)) => ([Some(named), None], Match::Name),
            (Some((id, item)), None) => {
                let crate_fits = ours.is_none_or(|name| self.may_contain(name, &item.file) != Some(false));
                let fits = crate_fits && (item.kind == ItemKind::MacroCall || same_name(&frame.function, &item.path));
                if fits { ([Some(id), None], Match::Line) } else { ([None, None], Match::Disagrees) }
            }
            (None, None) => {
                let may_be_known = |files: &Vec<Utf8PathBuf>| file.is_none() && files.iter().any(|file| tree.has_file(file));
                let hidden = matches!(location, Some(Location::Ambiguous(files)) if ours.is_none() && may_be_known(files));
                ([None, None], if hidden { Match::Ambiguous } else { Match::None })
            }
        }
    }

    /// The only one of these files that a crate may contain.
    fn only_of<'f>(&self, name: Option<&str>, files: &'f [Utf8PathBuf]) -> Option<&'f Utf8PathBuf> {
        let name = name?;
        let mut fitting = files.iter().filter(|file| self.may_contain(name, file) == Some(true));
        fitting.next().filter(|_| fitting.next().is_none())
    }
}

/// Common parts at the end.
fn common(left: &Utf8Path, right: &Utf8Path) -> usize {
    left.components().rev().zip(right.components().rev()).take_while(|(a, b)| a == b).count()
}

/// What stands before the common ending of both.
fn stems(path: &Utf8Path, file: &Utf8Path) -> (Utf8PathBuf, Utf8PathBuf) {
    let same = common(path, file);
    let stem = |whole: &Utf8Path| {
        let parts = whole.components().count() - same;
        whole.components().take(parts).collect()
    };
    (stem(path), stem(file))
}

/// True unless the function's own name is another one than the item's. Closures go by their function; a bare closure and a
/// nameless frame say nothing.
fn same_name(function: &str, item: &str) -> bool {
    let own = |name: &str| {
        let parts = name.split("::").map(|part| part.split('<').next().unwrap_or(part).trim_start_matches("r#").to_owned());
        parts.filter(|part| !part.is_empty() && !part.starts_with('{')).last()
    };
    function == crate::profile::model::UNKNOWN || own(function).is_none_or(|name| own(item).is_some_and(|item| item == name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceFile;

    const FILES: [&str; 6] = [
        "src/lib.rs",
        "src/scan.rs",
        "crates/inner/src/lib.rs",
        "crates/inner/src/deep/x.rs",
        "crates/other/src/deep/x.rs",
        "third/vendor/dep/src/lib.rs",
    ];

    fn roots() -> Vec<CrateRoot> {
        let root = |name, file: &str| CrateRoot::new(name, file);
        vec![
            root("app", "src/lib.rs"),
            root("app-cli", "src/main.rs"),
            root("inner", "crates/inner/src/lib.rs"),
            root("other", "crates/other/src/lib.rs"),
        ]
    }

    fn foreign() -> Foreign {
        Foreign::new(FILES.map(Into::into).to_vec(), roots())
    }

    fn located(paths: &[&'static str]) -> Vec<String> {
        let found = foreign().locations(paths.iter().copied());
        let said = |path: &&str| match found.get(path).unwrap() {
            Location::Repository(file) => file.to_string(),
            Location::Ambiguous(files) => format!("{} files", files.len()),
            other => format!("{other:?}"),
        };
        paths.iter().map(said).collect()
    }

    #[test]
    fn the_longest_ending_decides() {
        assert_eq!(
            located(&[
                "/build/ws/src/scan.rs",
                "/home/ci/w/crates/inner/src/deep/x.rs",
                "./src/../src/scan.rs",
                "/root/.cargo/registry/src/index.crates.io-1/dep-1.2.3/src/lib.rs",
                "/root/.cargo/registry/src/index.crates.io-1/app-1.2.3/src/scan.rs",
                "/rustc/abc/library/core/src/lib.rs",
                "/w/third/vendor/dep/src/lib.rs",
                "/elsewhere/scan.rs",
            ]),
            [
                "src/scan.rs",
                "crates/inner/src/deep/x.rs",
                "src/scan.rs",
                "Dependency(\"dep\")",
                "src/scan.rs",
                "Std",
                "third/vendor/dep/src/lib.rs",
                "Elsewhere",
            ]
        );
    }

    #[test]
    fn the_files_of_a_profile_are_those_that_its_paths_can_only_be() {
        let paths = ["/w/src/scan.rs", "/app/deep/x.rs", "/rustc/abc/library/core/src/lib.rs", "/elsewhere/scan.rs"];
        let found: Vec<String> = foreign().files_of(paths.into_iter()).into_iter().map(Into::into).collect();
        assert_eq!(found, ["src/scan.rs"]);
    }

    #[test]
    fn an_ambiguous_ending_is_refused_unless_other_files_tell_where_the_tree_was() {
        assert_eq!(located(&["/app/src/lib.rs"]), ["3 files"]);
        assert_eq!(located(&["/app/deep/x.rs"]), ["2 files"]);
        assert_eq!(located(&["/app/src/lib.rs", "/app/src/scan.rs"]), ["src/lib.rs", "src/scan.rs"]);
        let copied = ["/app/src/lib.rs", "/app/src/deep/x.rs", "/w/crates/inner/src/deep/x.rs"];
        assert_eq!(located(&copied)[..2], ["3 files", "2 files"]);
    }

    const LIB: &str = "fn hot() {\n    1;\n}\nfn other() {\n    2;\n}\nmacro_rules! m {\n    () => { 1 };\n}\n";

    fn joined(function: &str, file: &str, line: u32) -> (Option<String>, Match) {
        let foreign = foreign();
        let files = ["src/lib.rs", "crates/inner/src/lib.rs"].map(|file| SourceFile::new(file, LIB, &roots()));
        let tree = Tree::of(&files);
        let locations = foreign.locations(std::iter::once(file));
        let frame = Frame { function: function.into(), file: None, line: Some(line), module: "app".into(), inlined: false };
        let ([first, _], how) = foreign.items_of(&frame, locations.get(file), &tree);
        (first.and_then(|id| tree.get(id)).map(|item| item.path.clone()), how)
    }

    #[test]
    fn the_name_must_agree_with_the_line() {
        let exact = "crates/inner/src/lib.rs";
        let found = |path: &str, how| (Some(path.to_owned()), how);
        assert_eq!(joined("inner::hot", exact, 2), found("inner::hot", Match::Line));
        assert_eq!(joined("hot", exact, 2), found("inner::hot", Match::Line));
        assert_eq!(joined("inner::hot::{{closure}}", exact, 2), found("inner::hot", Match::Line));
        assert_eq!(joined("{{closure}}", exact, 2), found("inner::hot", Match::Line));
        // Lines have moved since: the name is right, and where there is none, nothing is.
        assert_eq!(joined("inner::hot", exact, 5), found("inner::hot", Match::Name));
        assert_eq!(joined("inner::gone", exact, 5), (None, Match::Disagrees));
        assert_eq!(joined("gone", exact, 5), (None, Match::Disagrees));
        assert_eq!(joined("other::hot", exact, 2), (None, Match::Disagrees));
        assert_eq!(joined("inner::hot", exact, 8), found("inner::m!", Match::Line));
    }

    #[test]
    fn an_ambiguous_file_is_settled_by_the_crate_or_not_at_all() {
        let found = |path: &str, how| (Some(path.to_owned()), how);
        assert_eq!(joined("inner::hot", "/app/src/lib.rs", 2), found("inner::hot", Match::Line));
        assert_eq!(joined("app::hot", "/app/src/lib.rs", 2), found("app::hot", Match::Line));
        assert_eq!(joined("app_cli::hot", "/app/src/lib.rs", 2), found("app::hot", Match::Line));
        assert_eq!(joined("hot", "/app/src/lib.rs", 2), (None, Match::Ambiguous));
        assert_eq!(joined("dep::hot", "/root/.cargo/registry/src/i-1/dep-1.0.0/src/lib.rs", 2), (None, Match::None));
    }
}
