//! A compiler flag beside those that cargo would use.
//!
//! cargo takes the flags of one place only: `CARGO_ENCODED_RUSTFLAGS`, else `RUSTFLAGS`, else all `target.….rustflags` that apply,
//! together, else `build.rustflags` (The Cargo Book, "build.rustflags"). A flag in a place that had none would hide those of the
//! next one. To what the files say, as a string or as a list, cargo adds the variable of the same key, so the flag goes there.
//! Reads settings; builds nothing.

use cargo_metadata::cargo_platform::{Cfg, CfgExpr};

use super::super::Workspace;
use super::super::surroundings::settings_files;
use crate::process::Tool;

/// Where the flag goes: to the variable's value, after the separator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Appended {
    name: String,
    value: String,
    separator: char,
}

/// Why the place that counts is not known; a fragment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownPlace {
    /// A condition on what is no fixed property of the platform, or that does not parse.
    #[error("whether the compiler flags of `[target.'{0}']` apply cannot be told")]
    Condition(String),
    /// Of what it includes nothing is read here.
    #[error("cargo's configuration includes other files, which may have compiler flags")]
    Include,
}

/// A byte that no flag has.
const ENCODED: (&str, char) = ("CARGO_ENCODED_RUSTFLAGS", '\u{1f}');
const PLAIN: (&str, char) = ("RUSTFLAGS", ' ');
const OF_BUILD: &str = "CARGO_BUILD_RUSTFLAGS";

/// What a platform is, whatever flags the compiler gets. Not `target_feature`, `panic` and names that `--cfg` sets.
const FIXED: [&str; 10] = [
    "unix",
    "windows",
    "target_os",
    "target_arch",
    "target_env",
    "target_family",
    "target_vendor",
    "target_abi",
    "target_endian",
    "target_pointer_width",
];

impl Appended {
    /// The place that counts for a workspace.
    pub(super) fn find(workspace: &Workspace) -> Result<Self, UnknownPlace> {
        let files = settings_files(&workspace.cargo.cwd).into_iter().filter_map(|file| std::fs::read_to_string(file).ok());
        let files: Vec<toml::Table> = files.filter_map(|text| text.parse().ok()).collect();
        let triple = workspace.options.target.as_deref().or_else(|| workspace.rustc.host()).unwrap_or_default();
        Self::of(|name| std::env::var(name).ok(), &files, triple, || workspace.cargo.platform(triple))
    }

    fn of(
        variable: impl Fn(&str) -> Option<String>,
        files: &[toml::Table],
        triple: &str,
        platform: impl FnOnce() -> Option<Vec<Cfg>>,
    ) -> Result<Self, UnknownPlace> {
        let to = |name: &str, separator| Self { name: name.into(), value: variable(name).unwrap_or_default(), separator };
        for (name, separator) in [ENCODED, PLAIN] {
            // Also an empty one counts.
            if variable(name).is_some() {
                return Ok(to(name, separator));
            }
        }
        let of_triple = format!("CARGO_TARGET_{}_RUSTFLAGS", triple.to_uppercase().replace(['-', '.'], "_"));
        let has = |name: &str| variable(name).is_some_and(|flags| !flags.trim().is_empty());
        if has(&of_triple) {
            return Ok(to(&of_triple, ' '));
        }
        if files.iter().any(|file| file.contains_key("include")) {
            return Err(UnknownPlace::Include);
        }
        let of_build = has(OF_BUILD) || files.iter().any(|file| file.get("build").is_some_and(has_flags));
        let flags: Vec<&str> = flags_by_target(files);
        // Where the build has none to hide, those of the target hold whether the others apply or not.
        let by_target = if of_build { applies(&flags, triple, platform)? } else { !flags.is_empty() };
        Ok(to(if by_target { &of_triple } else { OF_BUILD }, ' '))
    }

    /// The call of cargo with the flag.
    pub(super) fn to(&self, tool: Tool, flag: &str) -> Tool {
        let Self { name, value, separator } = self;
        tool.env(name, if value.is_empty() { flag.to_owned() } else { format!("{value}{separator}{flag}") })
    }
}

fn has_flags(table: &toml::Value) -> bool {
    match table.get("rustflags") {
        Some(toml::Value::String(flags)) => !flags.trim().is_empty(),
        Some(toml::Value::Array(flags)) => !flags.is_empty(),
        _ => false,
    }
}

/// The triples and conditions that the files have flags for.
fn flags_by_target(files: &[toml::Table]) -> Vec<&str> {
    let targets = files.iter().filter_map(|file| file.get("target")?.as_table()).flatten();
    targets.filter(|(_, target)| has_flags(target)).map(|(key, _)| key.as_str()).collect()
}

/// True if some of these triples and conditions are this platform's.
fn applies(keys: &[&str], triple: &str, platform: impl FnOnce() -> Option<Vec<Cfg>>) -> Result<bool, UnknownPlace> {
    if keys.contains(&triple) {
        return Ok(true);
    }
    let conditions: Vec<&str> = keys.iter().copied().filter(|key| key.starts_with("cfg(")).collect();
    let Some(first) = conditions.first() else { return Ok(false) };
    let platform = platform().ok_or_else(|| UnknownPlace::Condition((*first).to_owned()))?;
    let mut unknown = None;
    for condition in conditions {
        match told(condition, &platform) {
            Some(true) => return Ok(true),
            Some(false) => {}
            None => unknown = Some(condition.to_owned()),
        }
    }
    unknown.map_or(Ok(false), |condition| Err(UnknownPlace::Condition(condition)))
}

/// Whether a `cfg(…)` holds on a platform.
fn told(condition: &str, platform: &[Cfg]) -> Option<bool> {
    let expression: CfgExpr = condition.strip_prefix("cfg(")?.strip_suffix(')')?.parse().ok()?;
    is_fixed(&expression).then(|| expression.matches(platform))
}

fn is_fixed(expression: &CfgExpr) -> bool {
    match expression {
        CfgExpr::Not(inner) => is_fixed(inner),
        CfgExpr::All(all) | CfgExpr::Any(all) => all.iter().all(is_fixed),
        CfgExpr::Value(Cfg::Name(name) | Cfg::KeyPair(name, _)) => FIXED.contains(&name.as_str()),
        CfgExpr::True | CfgExpr::False => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIPLE: &str = "x86_64-unknown-linux-gnu";
    const OF_TRIPLE: &str = "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS";
    const BUILD: &str = "[build]\nrustflags = ['-x']\n";

    fn found(variables: &[(&str, &str)], files: &[&str]) -> Result<Appended, UnknownPlace> {
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let files: Vec<toml::Table> = files.iter().map(|text| text.parse().unwrap()).collect();
        let platform = ["unix", "target_os=\"linux\"", "target_arch=\"x86_64\"", "target_feature=\"sse2\""];
        Appended::of(variable, &files, TRIPLE, || platform.iter().map(|cfg| cfg.parse().ok()).collect())
    }

    fn name(files: &[&str]) -> String {
        found(&[], files).unwrap().name
    }

    #[test]
    fn the_environment_comes_first_and_keeps_its_flags() {
        let both = [("RUSTFLAGS", "-a -b"), ("CARGO_ENCODED_RUSTFLAGS", "-c")];
        let encoded = Appended { name: "CARGO_ENCODED_RUSTFLAGS".into(), value: "-c".into(), separator: '\u{1f}' };
        assert_eq!(found(&both, &[BUILD]), Ok(encoded));
        assert_eq!(found(&both[..1], &[BUILD]).unwrap().name, "RUSTFLAGS");
        assert_eq!(found(&[("RUSTFLAGS", "")], &[BUILD]).unwrap().name, "RUSTFLAGS");
        let of_target = found(&[(OF_TRIPLE, "-z")], &[BUILD, "include = 'x'"]).unwrap();
        assert_eq!((of_target.name.as_str(), of_target.value.as_str()), (OF_TRIPLE, "-z"));
    }

    #[test]
    fn flags_of_the_target_hide_those_of_the_build_and_those_of_another_do_not() {
        assert_eq!(name(&[BUILD]), OF_BUILD);
        assert_eq!(name(&["[build]\nrustflags = '-x'\n"]), OF_BUILD);
        // Whatever `build.target` says.
        assert_eq!(name(&[]), OF_BUILD);
        for ours in ["'cfg(unix)'", "'cfg(all(target_os=\"linux\", not(windows)))'", TRIPLE] {
            assert_eq!(name(&[BUILD, &format!("[target.{ours}]\nrustflags = '-y'\n")]), OF_TRIPLE, "{ours}");
        }
        for other in ["'cfg(windows)'", "aarch64-apple-darwin", "'cfg(all(unix, target_arch=\"wasm32\"))'"] {
            assert_eq!(name(&[BUILD, &format!("[target.{other}]\nrustflags = '-y'\n")]), OF_BUILD, "{other}");
        }
        assert_eq!(name(&[BUILD, &format!("[target.{TRIPLE}]\nlinker = 'cc'\nrustflags = []\n")]), OF_BUILD);
    }

    #[test]
    fn what_cannot_be_told_is_refused_where_flags_could_be_hidden() {
        let unclear = "[target.'cfg(target_feature=\"avx2\")']\nrustflags = ['-y']\n";
        let why = UnknownPlace::Condition("cfg(target_feature=\"avx2\")".into());
        assert_eq!(found(&[], &[BUILD, unclear]), Err(why));
        assert_eq!(name(&[unclear]), OF_TRIPLE);
        assert_eq!(name(&[BUILD, unclear, "[target.'cfg(unix)']\nrustflags = ['-y']\n"]), OF_TRIPLE);
        assert_eq!(found(&[], &["include = ['more.toml']"]), Err(UnknownPlace::Include));
    }
}
