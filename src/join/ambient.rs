//! What an ambient change can reach: a dependency bump the stacks through it, a const its package, a profile change everything.

use camino::{Utf8Path, Utf8PathBuf};

use crate::heat::{Origin, PathMapper};
use crate::profile::Profile;
use crate::source::{Change, ChangeKind, ItemKind};

/// The reach of one or more ambient changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ambient {
    /// True when nothing limits it.
    pub everything: bool,
    /// Package directories whose code it reaches.
    pub packages: Vec<Utf8PathBuf>,
    /// Names of dependencies whose code it reaches.
    pub dependencies: Vec<String>,
}

impl Ambient {
    /// True when there is no ambient change.
    pub fn is_empty(&self) -> bool {
        !self.everything && self.packages.is_empty() && self.dependencies.is_empty()
    }

    /// For each frame of a profile, whether it is reached.
    pub fn frames(&self, profile: &Profile, mapper: &PathMapper) -> Vec<bool> {
        let reached = |file: &str| match mapper.origin(file) {
            Origin::Workspace(file) => self.packages.iter().any(|package| file.starts_with(package)),
            Origin::Dependency(crate_version) => {
                self.dependencies.iter().any(|name| crate_version.strip_prefix(name.as_str()).is_some_and(|v| v.starts_with('-')))
            }
            Origin::Std | Origin::System => false,
        };
        profile.frames.iter().map(|frame| self.everything || frame.file.as_deref().is_some_and(reached)).collect()
    }
}

/// The reach of all ambient changes among these. `package_of` names the package directory of a file.
pub fn ambient_of(changes: &[Change], package_of: impl Fn(&Utf8Path) -> Utf8PathBuf) -> Ambient {
    let mut ambient = Ambient::default();
    for change in changes.iter().filter(|change| change.kind == ChangeKind::Ambient) {
        let Some(item) = change.item() else {
            ambient.everything = true;
            continue;
        };
        if item.test_only || item.approximate {
            continue;
        }
        if item.kind != ItemKind::File {
            ambient.packages.push(package_of(&item.file));
            continue;
        }
        if item.file.file_name() == Some("Cargo.lock") {
            let note = change.note.as_deref().unwrap_or_default();
            let names = bumped(note);
            if names.is_empty() {
                ambient.everything = true;
            }
            ambient.dependencies.extend(names);
        } else {
            ambient.everything = true;
        }
    }
    ambient.packages.sort();
    ambient.packages.dedup();
    ambient
}

/// The package names in "Cargo.lock: serde 1.0.1 → 1.0.2, itoa removed".
fn bumped(note: &str) -> Vec<String> {
    let list = note.split_once(": ").map_or(note, |(_, list)| list);
    list.split(", ").filter_map(|entry| entry.split_whitespace().next()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_bumped_packages_are_read_from_the_note() {
        assert_eq!(bumped("Cargo.lock: serde 1.0.1 → 1.0.2, itoa removed"), ["serde", "itoa"]);
    }
}
