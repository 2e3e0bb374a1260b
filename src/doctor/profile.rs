//! The cargo profile in use: what the manifest says of debug information and stripping, and what a build here really has.

use std::path::Path;

use toml::{Table, Value};

use super::check::Check;
use super::trial::Trial;
use crate::workspace::Workspace;

const ID: &str = "debug-info";
const TITLE: &str = "debug info";

pub(super) fn check(workspace: Option<&Workspace>, profile: Option<&str>, trial: Option<&Trial>) -> Check {
    let name = profile.unwrap_or("bench");
    let text = workspace.and_then(|workspace| std::fs::read_to_string(workspace.root().join("Cargo.toml")).ok());
    let said = Said::by(&text.and_then(|text| text.parse().ok()).unwrap_or_default(), name);
    judged(name, &said, trial.and_then(|trial| has_debug_info(trial.executable())))
}

fn judged(name: &str, said: &Said, found: Option<bool>) -> Check {
    let manifest = format!("profile `{name}`: debug = {}, strip = {}", said.debug, said.strip);
    let check = if found == Some(false) {
        Check::limited(ID, TITLE, format!("{manifest}; what is built here has no debug information all the same"))
            .remedy("remove flags that strip (`-C strip`, `-s`, `-C debuginfo=0`) from RUSTFLAGS and the cargo configuration")
    } else if let Some((first, others)) = said.without.split_first() {
        let more = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
        Check::limited(ID, TITLE, format!("{manifest}; `{first}`{more} is built without, so its functions cannot be told apart"))
            .remedy(format!("remove `debug` from `[profile.{name}.package.{first}]`"))
    } else {
        Check::ok(ID, TITLE, format!("{manifest}; builds of this tool have debug = 1 and are not stripped"))
    };
    check
        .value("profile", name)
        .value("debug", said.debug.clone())
        .value("strip", said.strip.clone())
        .value("found_in_a_build", found)
}

/// What a manifest says about a profile; cargo's defaults where it says nothing.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    debug: String,
    strip: String,
    /// Packages that an override takes the debug information from: environment variables do not reach those.
    without: Vec<String>,
}

impl Said {
    fn by(manifest: &Table, name: &str) -> Self {
        let profiles = manifest.get("profile").and_then(Value::as_table);
        let chain = chain(profiles, name);
        let setting = |key: &str| chain.iter().find_map(|table| table.get(key));
        let off = |value: &Value| matches!(value.as_str(), Some("none")) || matches!(spelled(value).as_str(), "0" | "false");
        let overrides = chain.iter().filter_map(|table| table.get("package")?.as_table()).flatten();
        let without = overrides.filter(|(_, table)| table.get("debug").is_some_and(off)).map(|(package, _)| package.clone());
        Self {
            debug: setting("debug").map_or_else(|| "0 (default)".into(), spelled),
            strip: setting("strip").map_or_else(|| "none (default)".into(), spelled),
            without: without.collect(),
        }
    }
}

fn spelled(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(flag) => flag.to_string(),
        _ => "?".into(),
    }
}

/// The profile's table and those that it inherits from; a circle, which cargo refuses, ends it.
fn chain<'t>(profiles: Option<&'t Table>, name: &str) -> Vec<&'t Table> {
    let mut chain = Vec::new();
    let (mut name, mut seen) = (name.to_owned(), Vec::new());
    while !seen.contains(&name) {
        let table = profiles.and_then(|profiles| profiles.get(&name)?.as_table());
        chain.extend(table);
        let named = table.and_then(|table| table.get("inherits")?.as_str()).map(str::to_owned);
        let parent = named.or_else(|| (name == "bench").then(|| "release".into()));
        seen.push(name);
        let Some(parent) = parent else { break };
        name = parent;
    }
    chain
}

/// `None` where executables of this system cannot be read.
#[cfg(target_os = "linux")]
fn has_debug_info(executable: &Path) -> Option<bool> {
    use object::{Object, ObjectSection};
    let bytes = std::fs::read(executable).ok()?;
    let file = object::File::parse(bytes.as_slice()).ok()?;
    Some(file.section_by_name(".debug_info").is_some_and(|section| section.size() > 0))
}

#[cfg(not(target_os = "linux"))]
fn has_debug_info(_executable: &Path) -> Option<bool> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    fn said(text: &str, name: &str) -> Said {
        Said::by(&text.parse().unwrap(), name)
    }

    #[test]
    fn bench_inherits_from_release_and_profiles_of_the_user_from_what_they_name() {
        let text = "[profile.release]\ndebug = 'full'\nstrip = true\n[profile.bench]\nstrip = 'symbols'\n\
                    [profile.fast]\ninherits = 'bench'\ndebug = 2\n";
        let of = |name| (said(text, name).debug, said(text, name).strip);
        assert_eq!(of("bench"), ("full".into(), "symbols".into()));
        assert_eq!(of("fast"), ("2".into(), "symbols".into()));
        assert_eq!(of("release"), ("full".into(), "true".into()));
        assert!(said("", "bench").debug.contains("default"));
        assert_eq!(said("[profile.a]\ninherits='b'\n[profile.b]\ninherits='a'\n", "a").strip, "none (default)");
    }

    #[test]
    fn a_package_override_and_a_stripping_flag_limit_what_can_be_seen() {
        let text = "[profile.release.package.parser]\ndebug = false\n[profile.bench.package.\"*\"]\nopt-level = 3\n";
        let check = judged("bench", &said(text, "bench"), Some(true));
        assert_eq!(check.status, Status::Limited);
        assert!(check.summary.contains("`parser`"), "{}", check.summary);
        let stripped = judged("bench", &said("", "bench"), Some(false));
        assert!(stripped.status == Status::Limited && stripped.remedy.unwrap().contains("RUSTFLAGS"));
        assert_eq!(judged("bench", &said("", "bench"), None).status, Status::Ok);
    }
}
