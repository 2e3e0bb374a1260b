//! A compiler flag beside those that cargo would use.
//!
//! cargo takes the flags of one place only: `CARGO_ENCODED_RUSTFLAGS`, else `RUSTFLAGS`, else all `target.….rustflags` of the
//! configuration together, else `build.rustflags` (The Cargo Book, "build.rustflags"). Lists of the configuration and of
//! `--config` are joined, so the flag goes to the place that counts. Reads settings; builds nothing.

use super::super::Workspace;
use super::super::surroundings::settings_files;
use crate::process::Tool;

/// Where the flag goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Appended {
    /// To the variable's value, after the separator.
    Variable { name: &'static str, value: String, separator: char },
    /// To a list of the configuration, by its key.
    Configuration(String),
}

/// A byte that no flag has.
const ENCODED: (&str, char) = ("CARGO_ENCODED_RUSTFLAGS", '\u{1f}');
const PLAIN: (&str, char) = ("RUSTFLAGS", ' ');

impl Appended {
    /// The place that counts for a workspace.
    pub(super) fn find(workspace: &Workspace) -> Self {
        let files = settings_files(&workspace.cargo.cwd).into_iter().filter_map(|file| std::fs::read_to_string(file).ok());
        let triple = workspace.options.target.as_deref().or_else(|| workspace.rustc.host()).unwrap_or_default();
        Self::of(|name| std::env::var(name).ok(), files, triple)
    }

    fn of(variable: impl Fn(&str) -> Option<String>, mut files: impl Iterator<Item = String>, triple: &str) -> Self {
        for (name, separator) in [ENCODED, PLAIN] {
            // Also an empty one counts.
            if let Some(value) = variable(name) {
                return Self::Variable { name, value, separator };
            }
        }
        let of_triple = format!("CARGO_TARGET_{}_RUSTFLAGS", triple.to_uppercase().replace(['-', '.'], "_"));
        let by_target = variable(&of_triple).is_some() || files.any(|text| has_target_flags(&text));
        Self::Configuration(if by_target { format!("target.{triple}.rustflags") } else { "build.rustflags".into() })
    }

    /// The call of cargo with the flag.
    pub(super) fn to(&self, tool: Tool, flag: &str) -> Tool {
        match self {
            Self::Variable { name, value, .. } if value.is_empty() => tool.env(name, flag),
            Self::Variable { name, value, separator } => tool.env(name, format!("{value}{separator}{flag}")),
            Self::Configuration(key) => tool.arg("--config").arg(format!("{key}=[\"{flag}\"]")),
        }
    }
}

/// True if a configuration file has flags for a target, by triple or by `cfg(…)`.
fn has_target_flags(text: &str) -> bool {
    let Ok(settings) = text.parse::<toml::Table>() else { return false };
    let targets = settings.get("target").and_then(toml::Value::as_table);
    targets.is_some_and(|targets| targets.values().any(|target| target.get("rustflags").is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIPLE: &str = "x86_64-unknown-linux-gnu";

    fn found(variables: &[(&str, &str)], files: &[&str]) -> Appended {
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Appended::of(variable, files.iter().map(|text| (*text).to_owned()), TRIPLE)
    }

    fn shown(appended: &Appended) -> String {
        appended.to(Tool::new("cargo"), "-F").display()
    }

    #[test]
    fn the_environment_comes_first_and_keeps_its_flags() {
        let both = [("RUSTFLAGS", "-a -b"), ("CARGO_ENCODED_RUSTFLAGS", "-c")];
        let files = ["[build]\nrustflags = ['-x']\n"];
        let Appended::Variable { name, value, separator } = found(&both, &files) else { panic!() };
        assert_eq!((name, value.as_str(), separator), ("CARGO_ENCODED_RUSTFLAGS", "-c", '\u{1f}'));
        assert!(matches!(found(&both[..1], &files), Appended::Variable { name: "RUSTFLAGS", .. }));
        assert!(matches!(found(&[("RUSTFLAGS", "")], &files), Appended::Variable { name: "RUSTFLAGS", .. }));
    }

    #[test]
    fn flags_of_a_target_hide_those_of_the_build() {
        let build = "[build]\nrustflags = ['-x']\n";
        let key = |files: &[&str]| shown(&found(&[], files));
        assert_eq!(key(&[build]), "cargo --config build.rustflags=[\"-F\"]");
        assert_eq!(key(&[]), "cargo --config build.rustflags=[\"-F\"]");
        let of_target = "cargo --config target.x86_64-unknown-linux-gnu.rustflags=[\"-F\"]";
        assert_eq!(key(&[build, "[target.'cfg(unix)']\nrustflags = ['-y']\n"]), of_target);
        assert_eq!(shown(&found(&[("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS", "-z")], &[build])), of_target);
        assert_eq!(key(&["[target.x86_64-unknown-linux-gnu]\nlinker = 'cc'\n"]), "cargo --config build.rustflags=[\"-F\"]");
    }
}
