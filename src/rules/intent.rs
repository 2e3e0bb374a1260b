//! Stated intent: does a commit message say that the change is for speed, and what does it promise?
//!
//! Patterns from the mining of 30 514 commits (`reference/evidence-rules.md` §2.1), with the exclusions found there.

use std::sync::LazyLock;

use regex::Regex;

use crate::rules::assertion::{self, Promise};
use crate::rules::facts::Commit;

/// A commit that says it is for speed.
#[derive(Debug, Clone)]
pub struct Intent<'a> {
    /// The commit.
    pub commit: &'a Commit,
    /// What it promises for its own change, in numbers.
    pub promises: Vec<Promise>,
}

static SUBJECT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?i)\b(?:perf|performance|optimi[sz](?:e[sd]?|ing|ers?|ations?)|speed(?:s|ing)? ?up|speedups?|faster|fast[- ]path",
        r"|avoid(?:s|ing)? (?:(?:an?|the|extra|unnecessary|needless|redundant|intermediate) )*",
        r"(?:re)?(?:alloc|clon|cop(?:y|ies)|bounds? check|collect)\w*",
        r"|reduc\w+ (?:alloc|clon|cop(?:y|ies)|memory)\w*|zero[- ]copy|simd|vectori[sz]e[sd]?|hot ?path|pre-?allocat\w*",
        r"|branchless|throughput|latency|micro-?opt\w*|inline (?:attr\w*|hints?|fns?|functions?))\b",
    ))
});

/// Phrases in which those words do not state an intent; blanked out before looking.
static EXCLUDED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?i)\bbench(?:es|marks?)? only\b|\bperf[-_. ](?:expert|data|record|script|stat|events?)\b",
        r"|\b(?:perf(?:ormance)?|latency|throughput|optimi[sz]ations?) (?:tests?|ci|docs?|documentation|guide|notes?|metrics?|counters?",
        r"|histograms?|reports?|dashboards?|bench\w*|regression tests?)\b",
        r"|\b(?:no|without|not|any) (?:\w+ ){0,2}(?:perf(?:ormance)?|latency|throughput)\b",
    ))
});

/// Conventional-commit types whose subject is not about the code that ships.
static NOT_CODE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^(?:docs?|tests?|ci|chore|build|style|bench(?:es|marks?)?|release)(?:\([^)]*\))?!?:"));

static CONVENTIONAL: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)^perf(?:\([^)]*\))?!?:"));

static UNDOING: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"(?i)^(?:revert\b|back out\b|merge (?:branch|pull request|remote|tag|commit)\b|["']?revert )"#));

/// The intent of a commit, if its message states one.
pub fn of(commit: &Commit) -> Option<Intent<'_>> {
    if UNDOING.is_match(&commit.subject) || NOT_CODE.is_match(&commit.subject) {
        return None;
    }
    let subject = assertion::without_asides(&commit.subject);
    let subject = EXCLUDED.replace_all(&subject, " ");
    let mut promises = assertion::of_subject(&commit.subject);
    let stated = CONVENTIONAL.is_match(&commit.subject) || SUBJECT.is_match(&subject) || !promises.is_empty();
    if !stated {
        return None;
    }
    for promise in assertion::of_body(&commit.body) {
        if !promises.iter().any(|known| known.claim.text == promise.claim.text) {
            promises.push(promise);
        }
    }
    Some(Intent { commit, promises })
}

#[expect(clippy::expect_used, reason = "a literal pattern; every test of this module compiles it")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a literal pattern")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states_intent(subject: &str) -> bool {
        let commit = Commit { id: "a".into(), subject: subject.into(), body: String::new(), files: [].into() };
        of(&commit).is_some()
    }

    #[test]
    fn performance_subjects_state_an_intent() {
        for subject in [
            "perf: avoid clone in Router::match_route",
            "perf(parser)!: use a table",
            "Speed up csv parse",
            "Optimise the lexer",
            "Avoid an unnecessary allocation in encode",
            "avoid extra intermediate collects",
            "Reduce memory of the index",
            "Zero-copy deserialization",
            "Add #[inline] hints: inline hints for small fns",
            "about 2x faster decode",
            "Make hot path branchless",
        ] {
            assert!(states_intent(subject), "{subject}");
        }
    }

    #[test]
    fn look_alikes_do_not() {
        for subject in [
            "improve performance docs",
            "docs: performance guide",
            "ci: perf",
            "test: check the fast path of the parser",
            "Revert \"perf: avoid clone in Router\"",
            "Merge branch 'perf/tables'",
            "Add latency metric",
            "Use optimistic locking",
            "Fix inline table parsing",
            "Inline comments are kept",
            "Benches only: measure performance of the lexer docs".split(": ").next().unwrap_or_default(),
            "Refactor with no change in performance",
            "Run perf-expert in the hook",
            "Make breakfast",
            "bench: faster runs",
        ] {
            assert!(!states_intent(subject), "{subject}");
        }
    }

    #[test]
    fn a_body_promises_only_under_a_subject_about_speed() {
        let commit =
            |subject: &str, body: &str| Commit { id: "a".into(), subject: subject.into(), body: body.into(), files: [].into() };
        assert!(of(&commit("Rework decode", "Speedup: 2x faster")).is_none());
        assert!(of(&commit("Add a guard; until now users could get a 2x speedup by accident", "")).is_none());
        assert_eq!(of(&commit("perf: rework decode", "Speedup: 2x faster")).unwrap().promises.len(), 1);
        assert_eq!(of(&commit("perf: rework decode", "The old code was 30 % faster but wrong.")).unwrap().promises, []);
    }
}
