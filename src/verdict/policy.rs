//! What fails the verdict, as the user wants it.

use std::collections::BTreeSet;
use std::str::FromStr;

use serde::Deserialize;

use crate::error::Expected;
use crate::exit::Exit;

/// One kind of thing that can fail the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailOn {
    /// A confident regression that a changed item explains.
    Regression,
    /// A confident regression, explained or not.
    Unexplained,
    /// A finding of level error.
    Error,
    /// A finding of level warning or error.
    Warning,
    /// A test or a workload that ran at base and fails at head.
    Tests,
    /// An objective that base meets and head violates, by a changed item.
    Slo,
    /// Nothing.
    None,
}

impl FailOn {
    /// Every name, as the user writes it.
    pub const NAMES: [(&'static str, Self); 7] = [
        ("regression", Self::Regression),
        ("unexplained", Self::Unexplained),
        ("error", Self::Error),
        ("warning", Self::Warning),
        ("tests", Self::Tests),
        ("slo", Self::Slo),
        ("none", Self::None),
    ];
}

/// Not the name of something that can fail.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is nothing that `fail-on` knows")]
pub struct UnknownFailOn(String);

impl Expected for UnknownFailOn {
    fn hint(&self) -> Option<String> {
        Some(format!("choose among {}", FailOn::NAMES.map(|(name, _)| name).join(", ")))
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

impl FromStr for FailOn {
    type Err = UnknownFailOn;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim()));
        found.map(|&(_, kind)| kind).ok_or_else(|| UnknownFailOn(text.to_owned()))
    }
}

/// What an inconclusive run ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnInconclusive {
    /// Exit code 0 and a note.
    #[default]
    Pass,
    /// Exit code 103.
    Fail,
}

/// What fails, and what an inconclusive run ends with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    fail_on: BTreeSet<FailOn>,
    /// What an inconclusive run ends with.
    pub on_inconclusive: OnInconclusive,
}

impl Default for Policy {
    fn default() -> Self {
        Self::new(&[], OnInconclusive::Pass)
    }
}

impl Policy {
    /// The policy that fails on these. An empty list is the default: explained regressions, error findings, new failures,
    /// violated objectives.
    ///
    /// `warning` and `unexplained` add to the default; naming any other kind replaces it; `none` empties it.
    pub fn new(named: &[FailOn], on_inconclusive: OnInconclusive) -> Self {
        let widens = named.iter().all(|kind| matches!(kind, FailOn::Warning | FailOn::Unexplained));
        let mut fail_on: BTreeSet<FailOn> = named.iter().copied().collect();
        if widens {
            fail_on.extend([FailOn::Regression, FailOn::Error, FailOn::Tests, FailOn::Slo]);
        }
        if fail_on.contains(&FailOn::Warning) {
            fail_on.insert(FailOn::Error);
        }
        if fail_on.contains(&FailOn::Unexplained) {
            fail_on.insert(FailOn::Regression);
        }
        if fail_on.contains(&FailOn::None) {
            fail_on.clear();
        }
        Self { fail_on, on_inconclusive }
    }

    /// True when that kind fails the verdict.
    pub fn fails_on(&self, kind: FailOn) -> bool {
        self.fail_on.contains(&kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_widen_replace_or_empty_the_default() {
        let fails = |named: &[FailOn]| {
            let policy = Policy::new(named, OnInconclusive::Pass);
            FailOn::NAMES.iter().filter(|(_, kind)| policy.fails_on(*kind)).map(|(name, _)| *name).collect::<Vec<_>>()
        };
        assert_eq!(fails(&[]), ["regression", "error", "tests", "slo"]);
        assert_eq!(fails(&[FailOn::Warning]), ["regression", "error", "warning", "tests", "slo"]);
        assert_eq!(fails(&[FailOn::Unexplained]), ["regression", "unexplained", "error", "tests", "slo"]);
        assert_eq!(fails(&[FailOn::Regression]), ["regression"]);
        assert_eq!(fails(&[FailOn::Regression, FailOn::Warning]), ["regression", "error", "warning"]);
        assert_eq!(fails(&[FailOn::None]), [""; 0]);
    }

    #[test]
    fn names_are_read_and_unknown_ones_listed() {
        assert_eq!("Unexplained".parse::<FailOn>().unwrap(), FailOn::Unexplained);
        let error = "regresion".parse::<FailOn>().unwrap_err();
        assert!(error.hint().unwrap().contains("regression"));
        assert_eq!(error.exit(), Exit::Usage);
    }
}
