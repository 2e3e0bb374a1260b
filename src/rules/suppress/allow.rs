//! Allow entries of the configuration.

use serde::Deserialize;

use crate::analysis::Finding;
use crate::rules::suppress::RulePattern;

/// One entry: `{ rule = "PE-2*", fn = "crate::cold::*", until = "2026-12-31", reason = "…" }`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allow {
    /// Which rules.
    pub rule: RulePattern,
    /// Files, relative to the repository root; `*` stands for any characters, `/` included.
    #[serde(default)]
    pub path: Option<String>,
    /// Item paths; `*` stands for any characters, `::` included.
    #[serde(default, rename = "fn")]
    pub function: Option<String>,
    /// The last day on which it holds.
    #[serde(default)]
    pub until: Option<jiff::civil::Date>,
    /// Why; shown with the finding.
    pub reason: String,
}

impl Allow {
    /// True when it speaks of the finding, expired or not. An entry without a place or a reason speaks of nothing.
    pub fn matches(&self, finding: &Finding) -> bool {
        let at = |glob: &Option<String>, text: &Option<String>| match (glob, text) {
            (None, _) => true,
            (Some(glob), Some(text)) => matches_glob(glob, text),
            (Some(_), None) => false,
        };
        let placed = self.path.is_some() || self.function.is_some();
        placed
            && !self.reason.trim().is_empty()
            && self.rule.matches(&finding.rule, &finding.name)
            && at(&self.path, &finding.file)
            && at(&self.function, &finding.item)
    }

    /// True after its last day.
    pub fn expired(&self, today: jiff::civil::Date) -> bool {
        self.until.is_some_and(|until| today > until)
    }
}

/// `*` matches any run of characters, everything else itself. Linear in the product of the lengths, whatever the pattern.
fn matches_glob(glob: &str, text: &str) -> bool {
    let mut parts = glob.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        assert!(matches_glob("crate::cold::*", "crate::cold::deep::f"));
        assert!(matches_glob("*::parse", "crate::parse"));
        assert!(matches_glob("src/*/main.rs", "src/bin/x/main.rs"));
        assert!(matches_glob("exact", "exact"));
        assert!(!matches_glob("exact", "exactly"));
        assert!(!matches_glob("ab*ba", "aba"), "the parts may not overlap");
    }

    #[test]
    fn an_entry_reads_from_configuration_and_rejects_unknown_keys() {
        let entry = serde_json::json!({"rule": "PE-2*", "fn": "a::*", "until": "2026-12-31", "reason": "r"});
        let allow: Allow = serde_json::from_value(entry).unwrap();
        assert!(!allow.expired("2026-12-31".parse().unwrap()));
        assert!(allow.expired("2027-01-01".parse().unwrap()));
        assert!(serde_json::from_value::<Allow>(serde_json::json!({"rule": "PE-2*", "reason": "r", "files": "x"})).is_err());
        assert!(serde_json::from_value::<Allow>(serde_json::json!({"rule": "PE-2*", "path": "x"})).is_err(), "no reason");
    }
}
