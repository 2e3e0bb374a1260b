//! The few things that `cargo metadata` does not tell about a manifest: `harness`, `bench`, `[workspace]`, and `path` values.

use camino::Utf8PathBuf;
use toml::{Table, Value};

/// A manifest as far as this room needs it. One that does not parse (cargo would have said so first) knows nothing.
#[derive(Debug, Default)]
pub(super) struct Manifest(Table);

/// What a `[[bench]]` says about how it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BenchFlags {
    /// `harness`: true (libtest) unless set.
    pub(super) harness: bool,
    /// `bench`: whether a plain `cargo bench` includes it; true unless set.
    pub(super) bench: bool,
}

impl Manifest {
    pub(super) fn parse(text: &str) -> Self {
        Self(text.parse().unwrap_or_default())
    }

    /// The flags of one bench target; a discovered target without a table has the defaults.
    pub(super) fn bench(&self, name: &str) -> BenchFlags {
        let tables = self.0.get("bench").and_then(Value::as_array).into_iter().flatten();
        let table = tables.filter_map(Value::as_table).find(|table| table.get("name").and_then(Value::as_str) == Some(name));
        let flag = |key: &str| table.and_then(|table| table.get(key)).and_then(Value::as_bool).unwrap_or(true);
        BenchFlags { harness: flag("harness"), bench: flag("bench") }
    }

    /// True if cargo's search for a workspace root ends here.
    pub(super) fn is_workspace_root(&self) -> bool {
        self.0.contains_key("workspace")
    }

    /// True if it names its workspace root itself.
    pub(super) fn names_workspace(&self) -> bool {
        self.0.get("package").and_then(|package| package.get("workspace")).is_some()
    }

    /// Every relative `path = "…"` of a dependency, replacement or patch, wherever it stands.
    pub(super) fn paths(&self) -> Vec<Utf8PathBuf> {
        let mut paths = Vec::new();
        for value in self.0.values() {
            collect(value, &mut paths);
        }
        paths
    }
}

fn collect(value: &Value, paths: &mut Vec<Utf8PathBuf>) {
    match value {
        Value::Table(table) => {
            if let Some(path) = table.get("path").and_then(Value::as_str) {
                paths.push(path.into());
            }
            table.values().for_each(|value| collect(value, paths));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, paths)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_benches_in_both_spellings() {
        let manifest =
            Manifest::parse("bench = [{ name = 'a', harness = false }, { name = 'b', bench = false }]\n[package]\nname='x'\n");
        assert_eq!(manifest.bench("a"), BenchFlags { harness: false, bench: true });
        assert_eq!(manifest.bench("b"), BenchFlags { harness: true, bench: false });
        let manifest = Manifest::parse("[[bench]]\nname = \"a\" # harness = true\nharness = false\n");
        assert!(!manifest.bench("a").harness && manifest.bench("discovered").harness);
    }

    #[test]
    fn a_manifest_that_does_not_parse_knows_nothing() {
        let manifest = Manifest::parse("[[bench]\n");
        assert!(manifest.bench("a").harness && !manifest.is_workspace_root() && manifest.paths().is_empty());
    }

    #[test]
    fn paths_are_found_in_every_table() {
        let text = "[dependencies]\na = { path = '../a' }\n[target.'cfg(unix)'.dev-dependencies.b]\npath = '../b'\n\
                    [patch.crates-io]\nc = { path = 'c' }\n[workspace.dependencies]\nd.path = '../../d'\n[workspace]\n";
        let mut paths = Manifest::parse(text).paths();
        paths.sort();
        assert_eq!(paths, ["../../d", "../a", "../b", "c"]);
        assert!(Manifest::parse(text).is_workspace_root());
    }
}
