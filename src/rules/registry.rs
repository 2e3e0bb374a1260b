//! All rules by id and by name.
//!
//! Does not run them.

use crate::error::Expected;
use crate::exit::Exit;
use crate::rules::rule::Rule;
use crate::rules::{micro, nearest, premature, suppress};

/// Every rule, in the order of the ids.
pub static RULES: [&Rule; 4] = [&suppress::MALFORMED, &suppress::UNUSED, &premature::RULE, &micro::RULE];

/// Nobody knows a rule of that name.
#[derive(Debug, thiserror::Error)]
#[error("no rule is called `{query}`")]
pub struct UnknownRule {
    query: String,
    nearest: Option<&'static Rule>,
}

impl Expected for UnknownRule {
    fn hint(&self) -> Option<String> {
        Some(match self.nearest {
            Some(rule) => format!("did you mean {} (`{}`)?", rule.id, rule.name),
            None => "`cargo perf-expert explain` lists every rule and cause".into(),
        })
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// The rule with that id or name, in any case.
pub fn find(query: &str) -> Result<&'static Rule, UnknownRule> {
    let wanted = query.trim().to_lowercase().replace('_', "-");
    let exact = RULES.iter().find(|rule| rule.id.to_lowercase() == wanted || rule.name == wanted);
    exact.copied().ok_or_else(|| UnknownRule { query: query.to_owned(), nearest: closest(&wanted) })
}

fn closest(wanted: &str) -> Option<&'static Rule> {
    let ids: Vec<String> = RULES.iter().map(|rule| rule.id.to_lowercase()).collect();
    let names = ids.iter().map(String::as_str).chain(RULES.iter().map(|rule| rule.name));
    let position = nearest::nearest(wanted, names)?;
    RULES.get(position % RULES.len()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_found_by_id_and_by_name_in_any_case() {
        assert_eq!(find("PE-201").unwrap().name, "speculative-micro-optimization");
        assert_eq!(find("pe-101").unwrap().id, "PE-101");
        assert_eq!(find("Unused_Suppression").unwrap().id, "PE-002");
    }

    #[test]
    fn a_typo_gets_the_nearest_name() {
        let hint = |query| find(query).unwrap_err().hint().unwrap();
        assert!(hint("speculative-micro-optimisation").contains("PE-201"));
        assert!(hint("PE-20l").contains("PE-201"), "{}", hint("PE-20l"));
        assert!(hint("banana-republic").contains("list"));
    }

    #[test]
    fn every_rule_says_everything_that_explain_promises() {
        for rule in RULES {
            assert!(rule.id.starts_with("PE-") && rule.id.len() == 6, "{}", rule.id);
            assert!(rule.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", rule.name);
            assert!(!rule.summary.ends_with('.') && rule.summary.len() < 100, "{}", rule.id);
            for text in [rule.meaning, rule.evidence, rule.fix, rule.suppress] {
                assert!(text.len() > 40, "{}: {text}", rule.id);
            }
            assert!(!rule.fires.is_empty() && !rule.silent.is_empty(), "{}", rule.id);
            let wide = rule.explain().lines().filter(|line| line.chars().count() > 120).count();
            assert_eq!(wide, 0, "{} has lines that do not fit a terminal", rule.id);
        }
    }

    #[test]
    fn ids_and_names_are_unique_and_in_order() {
        assert!(RULES.is_sorted_by(|a, b| a.id < b.id));
        let names: std::collections::BTreeSet<_> = RULES.iter().map(|rule| rule.name).collect();
        assert_eq!(names.len(), RULES.len());
    }
}
