//! Suppression: comments and allow entries that take a finding out of the verdict, with a reason.
//!
//! A suppressed finding stays in the report. Does not decide whether a rule fires.

mod allow;
mod apply;
mod comment;
mod cover;
mod pattern;

pub use allow::Allow;
pub(super) use apply::apply;
pub(super) use comment::Comment;
pub use pattern::RulePattern;

use crate::rules::rule::Rule;

/// `PE-001`.
pub(super) static MALFORMED: Rule = Rule {
    id: "PE-001",
    name: "malformed-suppression",
    summary: "A suppression that suppresses nothing, because its reason is missing or its rule is unknown",
    meaning: "A `perf-expert: allow(…)` comment was found that cannot work. A suppression without a reason cannot be\n\
              reviewed, and an unknown rule id would silently allow nothing.",
    evidence: "The comment itself. Always a warning: it says nothing about speed.",
    fires: &[
        "`// perf-expert: allow(PE-201)`: no reason",
        "`// perf-expert: allow(PE-210): measured in production`: no such rule",
        "`// perf-expert: allow PE-201: reason`: no parentheses",
    ],
    silent: &[
        "`// perf-expert: allow(PE-201): the caller is FFI, measured in prod-bench`",
        "the same text in a string or in a doc comment",
    ],
    fix: "Write `// perf-expert: allow(RULE): reason` on the item, on the statement, or on the line above.\n\
          RULE is an id (`PE-201`), a name, or a family (`PE-2*`); several are separated by commas.",
    suppress: "It cannot be suppressed by a comment; fix the comment or remove it.",
    thresholds: &[],
};

/// `PE-002`.
pub(super) static UNUSED: Rule = Rule {
    id: "PE-002",
    name: "unused-suppression",
    summary: "A suppression that no finding needs any more",
    meaning: "A `perf-expert: allow(…)` comment stands on a changed item, but the rule has nothing to say about that item:\n\
              the pattern is gone, or the item turned hot. An allow entry of the configuration may also have expired.",
    evidence: "The comment, and a rule that looked at the item with measured heat. Always a warning.",
    fires: &[
        "the `unsafe` block under `allow(PE-201)` was removed",
        "the function under `allow(PE-201)` is hot in a benchmark now",
        "an allow entry with `until = \"2026-01-31\"` still matches a finding after that day",
    ],
    silent: &[
        "the suppressed item was not changed: rules judge changes, so they had no reason to look",
        "the item still holds the pattern, and this change did not add to it",
        "the item is unmeasured",
    ],
    fix: "Remove the comment, or move the date of the entry and say why.",
    suppress: "It cannot be suppressed by a comment; remove the one it names.",
    thresholds: &[],
};
