//! The settings of `[profile.bench]` for a binary that cargo compiles as `release`.
//!
//! `cargo rustc --profile bench` builds a binary as its unit tests. Profiles are told apart by their settings, not by their
//! names, so what is compiled for `bench` is fresh for a `release` of equal settings.

use std::collections::BTreeMap;

/// What `build::profile_environment` sets for both; a setting on the command line would be stronger than that.
const OURS: [&str; 3] = ["debug", "strip", "split-debuginfo"];
const BENCH: &str = "CARGO_PROFILE_BENCH_";

/// Arguments that give `release` the settings that `manifest` (a root manifest's text) gives to `bench` alone. `None` when they
/// cannot be told.
pub(super) fn as_release(manifest: &str) -> Option<Vec<String>> {
    let manifest: toml::Table = manifest.parse().ok()?;
    let Some(bench) = manifest.get("profile").and_then(|profiles| profiles.get("bench")) else { return Some(Vec::new()) };
    let mut settings = Vec::new();
    for (name, value) in bench.as_table()? {
        match name.as_str() {
            "inherits" if value.as_str() == Some("release") => {}
            "inherits" => return None,
            name if OURS.contains(&name) => {}
            name => leaves(&format!("profile.release.{}", key(name)), value, &mut settings),
        }
    }
    Some(settings.into_iter().flat_map(|setting| ["--config".to_owned(), setting]).collect())
}

/// The variables that do the same for what the environment sets for `bench`.
pub(super) fn variables(environment: impl Iterator<Item = (String, String)>) -> BTreeMap<String, String> {
    environment
        .filter_map(|(name, value)| Some((format!("CARGO_PROFILE_RELEASE_{}", name.strip_prefix(BENCH)?), value)))
        .collect()
}

/// `path.to.key=value` for each value below; cargo takes one per argument.
fn leaves(path: &str, value: &toml::Value, settings: &mut Vec<String>) {
    match value {
        toml::Value::Table(table) => {
            for (name, value) in table {
                leaves(&format!("{path}.{}", key(name)), value, settings);
            }
        }
        value => settings.push(format!("{path}={}", written(value))),
    }
}

fn key(name: &str) -> String {
    let is_bare = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) && !name.is_empty();
    if is_bare { name.to_owned() } else { written(name) }
}

/// Profiles have strings, numbers, booleans and lists of those, which TOML writes as JSON does.
fn written(value: impl serde::Serialize) -> String {
    serde_json::to_string(&value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_carried_over_but_ours() {
        let manifest = "[profile.release]\nlto = true\n[profile.bench]\ndebug = 2\nstrip = true\nopt-level = 's'\nlto = false\n\
            [profile.bench.package.'a.b']\nopt-level = 1\n[profile.bench.build-override]\ncodegen-units = 3\n";
        let args = as_release(manifest).unwrap();
        let mut settings: Vec<&str> = args.iter().map(String::as_str).filter(|arg| *arg != "--config").collect();
        settings.sort_unstable();
        assert_eq!(
            settings,
            [
                "profile.release.build-override.codegen-units=3",
                "profile.release.lto=false",
                "profile.release.opt-level=\"s\"",
                "profile.release.package.\"a.b\".opt-level=1",
            ]
        );
        assert_eq!(args.len(), 8);
    }

    #[test]
    fn nothing_is_carried_over_where_bench_is_release() {
        assert_eq!(as_release("[profile.release]\nlto = true\n[profile.bench]\ninherits = 'release'\n").unwrap(), [""; 0]);
        assert_eq!(as_release("[package]\nname = 'x'\n").unwrap(), [""; 0]);
    }

    #[test]
    fn what_cannot_be_told_is_refused() {
        assert_eq!(as_release("[profile.bench]\ninherits = 'dist'\n"), None);
        assert_eq!(as_release("not toml ["), None);
    }

    #[test]
    fn variables_for_bench_are_read_for_release() {
        let environment = [("CARGO_PROFILE_BENCH_LTO", "fat"), ("CARGO_PROFILE_DEV_LTO", "off"), ("HOME", "/h")];
        let carried = variables(environment.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(carried.into_iter().collect::<Vec<_>>(), [("CARGO_PROFILE_RELEASE_LTO".to_owned(), "fat".to_owned())]);
    }
}
