//! Which locked packages changed between two `Cargo.lock` files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A package whose locked versions differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) name: String,
    gone: Vec<String>,
    new: Vec<String>,
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.gone.join(", "), self.new.join(", ")) {
            (gone, new) if gone.is_empty() => write!(f, "{} {new} added", self.name),
            (gone, new) if new.is_empty() => write!(f, "{} {gone} removed", self.name),
            (gone, new) => write!(f, "{} {gone} → {new}", self.name),
        }
    }
}

/// The packages that differ, in order of their names. Packages without a source are the workspace's own: their code is compared itself.
pub(super) fn difference(base: &str, head: &str) -> Vec<Package> {
    let (old, new) = (packages(base), packages(head));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let empty = BTreeSet::new();
    names
        .into_iter()
        .filter_map(|name| {
            let (before, after) = (old.get(name).unwrap_or(&empty), new.get(name).unwrap_or(&empty));
            let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect::<Vec<_>>();
            let (gone, new) = (only(before, after), only(after, before));
            (before != after).then(|| Package { name: name.clone(), gone, new })
        })
        .collect()
}

/// Versions of every package that comes from elsewhere; a git source adds its commit.
fn packages(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut out: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for block in text.split("[[package]]").skip(1) {
        let value = |key: &str| {
            let line = block.lines().find_map(|line| line.trim().strip_prefix(key)?.trim_start().strip_prefix('='))?;
            Some(line.trim().trim_matches('"'))
        };
        let (Some(name), Some(version), Some(source)) = (value("name"), value("version"), value("source")) else { continue };
        let commit = source.strip_prefix("git+").and_then(|git| git.rsplit_once('#'));
        let version = match commit {
            Some((_, commit)) => format!("{version} ({})", commit.get(..8).unwrap_or(commit)),
            None => version.to_owned(),
        };
        out.entry(name.to_owned()).or_default().insert(version);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(packages: &[(&str, &str, &str)]) -> String {
        let block = |(name, version, source): &(&str, &str, &str)| {
            let source = if source.is_empty() { String::new() } else { format!("source = \"{source}\"\n") };
            format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n{source}checksum = \"0\"\n")
        };
        format!("version = 4\n\n{}", packages.iter().map(block).collect::<Vec<_>>().join("\n"))
    }

    fn shown(base: &[(&str, &str, &str)], head: &[(&str, &str, &str)]) -> Vec<String> {
        difference(&lock(base), &lock(head)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn changed_added_and_removed_packages_are_named() {
        let changed = shown(
            &[
                ("serde", "1.0.1", "registry+x"),
                ("gone", "0.1.0", "registry+x"),
                ("own", "0.1.0", ""),
                ("two", "1.0.0", "registry+x"),
                ("two", "2.0.0", "registry+x"),
            ],
            &[
                ("serde", "1.0.2", "registry+x"),
                ("new", "3.0.0", "registry+x"),
                ("own", "0.2.0", ""),
                ("two", "1.0.0", "registry+x"),
                ("two", "2.1.0", "registry+x"),
            ],
        );
        assert_eq!(changed, ["gone 0.1.0 removed", "new 3.0.0 added", "serde 1.0.1 → 1.0.2", "two 2.0.0 → 2.1.0"]);
    }

    #[test]
    fn a_git_dependency_changes_with_its_commit() {
        let changed = shown(&[("g", "1.0.0", "git+https://x#aaaaaaaaaaaa")], &[("g", "1.0.0", "git+https://x#bbbbbbbbbbbb")]);
        assert_eq!(changed, ["g 1.0.0 (aaaaaaaa) → 1.0.0 (bbbbbbbb)"]);
    }
}
