//! What ambient changes can reach: a dependency bump the stacks through it, an import its file, a profile change everything.

use std::collections::HashSet;

use camino::Utf8PathBuf;

use crate::heat::{Origin, PathMapper};
use crate::profile::Profile;
use crate::source::{Change, ChangeKind, Reach};

/// The reach of all ambient changes of a run together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ambient {
    /// True when nothing limits it.
    pub everything: bool,
    /// Files whose code it reaches.
    pub files: HashSet<Utf8PathBuf>,
    /// Crates whose code it reaches, `_` for `-`.
    pub crates: HashSet<String>,
}

impl Ambient {
    /// True when there is no ambient change.
    pub fn is_empty(&self) -> bool {
        !self.everything && self.files.is_empty() && self.crates.is_empty()
    }

    /// For each frame of a profile, whether it is reached.
    pub fn frames(&self, profile: &Profile, mapper: &PathMapper) -> Vec<bool> {
        let reached = |file: &str| match mapper.origin(file) {
            Origin::Workspace(file) => self.files.contains(&file),
            Origin::Dependency(package) => self.crates.contains(&crate_name(&package)),
            Origin::Std | Origin::System => false,
        };
        profile.frames.iter().map(|frame| self.everything || frame.file.as_deref().is_some_and(reached)).collect()
    }
}

/// `serde_json-1.0.154` as `serde_json`.
fn crate_name(package: &str) -> String {
    let at = package.rmatch_indices('-').map(|(at, _)| at).find(|&at| package[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
    package[..at.unwrap_or(package.len())].replace('-', "_")
}

/// The reach of all ambient changes among these. Test code and files that do not parse are no part of any build that is measured.
pub fn ambient_of(changes: &[Change]) -> Ambient {
    let mut ambient = Ambient::default();
    for change in changes.iter().filter(|change| change.kind == ChangeKind::Ambient) {
        if change.item().is_some_and(|item| item.test_only || item.approximate) {
            continue;
        }
        match change.reach() {
            Reach::Item => {}
            Reach::File(file) => {
                ambient.files.extend(change.base.as_ref().map(|item| item.file.clone()));
                ambient.files.insert(file);
            }
            Reach::Crates(names) => ambient.crates.extend(names),
            Reach::Everything => ambient.everything = true,
        }
    }
    ambient
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_directory_names_its_crate() {
        assert_eq!(crate_name("serde_json-1.0.154"), "serde_json");
        assert_eq!(crate_name("proc-macro2-1.0.107"), "proc_macro2");
        assert_eq!(crate_name("ripgrep-0a1b2c"), "ripgrep");
    }
}
