//! Which rules a suppression speaks of.

use serde::{Deserialize, Serialize};

use crate::rules::nearest;
use crate::rules::registry::RULES;

/// An id (`PE-201`), a name (`speculative-micro-optimization`) or a family (`PE-2*`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RulePattern(String);

impl RulePattern {
    /// A pattern as it was written.
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True when it speaks of the rule with that id and name.
    pub fn matches(&self, id: &str, name: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(family) => starts_with_ignoring_case(family, "PE-") && starts_with_ignoring_case(id, family),
            None => self.0.eq_ignore_ascii_case(id) || self.0.eq_ignore_ascii_case(name),
        }
    }

    /// True when it speaks of any rule that exists; a whole family (`PE-7*`) may have no rules yet.
    pub fn is_known(&self) -> bool {
        let family = self.0.strip_suffix('*').is_some_and(|family| starts_with_ignoring_case(family, "PE-"));
        family || RULES.iter().any(|rule| self.matches(rule.id, rule.name))
    }

    /// The nearest id or name, for a message about a typo.
    pub fn nearest(&self) -> Option<&'static str> {
        let names: Vec<&'static str> = RULES.iter().flat_map(|rule| [rule.id, rule.name]).collect();
        names.get(nearest::nearest(&self.0, names.iter().copied())?).copied()
    }
}

fn starts_with_ignoring_case(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_names_and_families_match() {
        let matches = |pattern: &str| RulePattern::new(pattern).matches("PE-201", "speculative-micro-optimization");
        assert!(matches("PE-201") && matches("pe-201") && matches("speculative-micro-optimization") && matches("PE-2*"));
        assert!(!matches("PE-202") && !matches("PE-1*") && !matches("PE-20") && !matches("speculative"));
    }

    #[test]
    fn a_typo_is_unknown_and_has_a_nearest_name() {
        let typo = RulePattern::new("PE-20l");
        assert!(!typo.is_known());
        assert_eq!(typo.nearest(), Some("PE-201"));
        assert!(RulePattern::new("PE-7*").is_known());
        assert!(!RulePattern::new("*").is_known(), "allowing everything is not a choice of a rule");
    }
}
