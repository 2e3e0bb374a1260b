//! The anti-patterns: pure functions from facts about a change to findings.
//!
//! Does not measure, read files or ask git; what a rule may not know it is not given. Tokens and words only select what to
//! look at: an error always rests on a changed item plus measured evidence ([`severity`]).

pub mod assertion;
pub mod claim;
pub mod facts;
pub mod intent;
mod micro;
mod nearest;
mod premature;
pub mod registry;
mod rule;
mod scans;
pub mod severity;
mod snippet;
pub mod suppress;
#[cfg(test)]
mod tests;
pub mod tokens;

pub use facts::{BaseEvidence, ChangedItem, Commit, Facts};
pub(crate) use micro::RULE as MICRO;
pub use rule::Rule;
pub use suppress::Allow;

use crate::analysis::Finding;

/// Everything the rules have to say, loudest first; suppressed findings are included and marked.
pub fn judge(facts: &Facts<'_>) -> Vec<Finding> {
    let scans = scans::Scans::of(facts);
    let mut findings = premature::judge(facts, &scans);
    let covered: Vec<String> = findings.iter().filter_map(|finding| finding.item.clone()).collect();
    findings.extend(micro::judge(facts, &scans, &covered));
    suppress::apply(facts, &mut findings, &|pattern, item, comment| {
        let speaks_of = |rule: &Rule| pattern.matches(rule.id, rule.name);
        (speaks_of(&micro::RULE) && micro::pertains(&scans, item))
            || (speaks_of(&premature::RULE) && premature::pertains(item, comment))
    });
    findings.sort_by(|a, b| {
        let place = |finding: &Finding| (finding.file.clone(), finding.line, finding.rule.clone());
        b.counts().cmp(&a.counts()).then(b.severity.cmp(&a.severity)).then_with(|| place(a).cmp(&place(b)))
    });
    findings
}
