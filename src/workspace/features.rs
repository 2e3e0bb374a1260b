//! Which features of a package are on: cargo's flags, closed over the package's own feature table.

use std::collections::{BTreeMap, BTreeSet};

/// `--features`, `--all-features`, `--no-default-features`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeatureFlags {
    /// As given: each may hold several, separated by commas or spaces, each perhaps as `package/feature`.
    pub features: Vec<String>,
    /// `--all-features`.
    pub all: bool,
    /// `--no-default-features`.
    pub no_default: bool,
}

impl FeatureFlags {
    /// The flags as cargo takes them.
    pub fn args(&self) -> Vec<String> {
        let mut args: Vec<String> = self.features.iter().map(|list| format!("--features={list}")).collect();
        args.extend(self.all.then(|| "--all-features".to_owned()));
        args.extend(self.no_default.then(|| "--no-default-features".to_owned()));
        args
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.features.iter().flat_map(|list| list.split([',', ' '])).filter(|name| !name.is_empty())
    }

    /// The features of `package` that are on. `table` is its `[features]`, with the implicit ones of optional dependencies.
    pub fn enabled<'a>(&'a self, package: &str, table: &'a BTreeMap<String, Vec<String>>) -> BTreeSet<&'a str> {
        let mut waiting: Vec<&str> = if self.all { table.keys().map(String::as_str).collect() } else { Vec::new() };
        if !self.no_default {
            waiting.push("default");
        }
        let of_package = |name: &'a str| match name.split_once('/') {
            Some((owner, feature)) => (owner == package).then_some(feature),
            None => Some(name),
        };
        waiting.extend(self.names().filter_map(of_package));
        let mut enabled = BTreeSet::new();
        while let Some(name) = waiting.pop() {
            let Some((name, implied)) = table.get_key_value(name) else { continue };
            if enabled.insert(name.as_str()) {
                waiting.extend(implied.iter().filter_map(|value| implied_feature(value)));
            }
        }
        enabled
    }
}

/// `feature` and `dependency/feature` turn a feature of this package on; `dep:x` and `x?/y` do not.
fn implied_feature(value: &str) -> Option<&str> {
    match value.split_once('/') {
        Some((dependency, _)) => (!dependency.ends_with('?')).then_some(dependency),
        None => (!value.starts_with("dep:")).then_some(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> BTreeMap<String, Vec<String>> {
        [
            ("default", vec!["std"]),
            ("std", vec!["alloc"]),
            ("alloc", vec![]),
            ("big", vec!["dep:rug", "serde/derive", "weak?/x"]),
            ("serde", vec!["dep:serde"]),
            ("weak", vec!["dep:weak"]),
        ]
        .into_iter()
        .map(|(name, values)| (name.to_owned(), values.into_iter().map(str::to_owned).collect()))
        .collect()
    }

    fn enabled(flags: &FeatureFlags) -> Vec<String> {
        flags.enabled("me", &table()).into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn defaults_are_on_and_closed_over_what_they_imply() {
        assert_eq!(enabled(&FeatureFlags::default()), ["alloc", "default", "std"]);
        assert!(enabled(&FeatureFlags { no_default: true, ..FeatureFlags::default() }).is_empty());
    }

    #[test]
    fn names_come_in_every_spelling_cargo_takes() {
        let flags = FeatureFlags { features: vec!["big,alloc unknown".into(), "you/weak".into()], no_default: true, all: false };
        assert_eq!(enabled(&flags), ["alloc", "big", "serde"]);
        let flags = FeatureFlags { features: vec!["me/std".into()], no_default: true, all: false };
        assert_eq!(enabled(&flags), ["alloc", "std"]);
        assert_eq!(flags.args(), ["--features=me/std", "--no-default-features"]);
    }

    #[test]
    fn all_means_all() {
        assert_eq!(enabled(&FeatureFlags { all: true, ..FeatureFlags::default() }).len(), table().len());
    }
}
