//! `PE-101 optimization-without-baseline`: a change for speed that nobody measured before, or that does not keep its promise.
//!
//! One finding per commit that states an intent, plus an info for changes whose tokens alone look like one.

mod promise;
mod rule;
mod words;

pub(super) use rule::RULE;

use crate::analysis::{Evidence, Finding, Heat, Severity};
use crate::rules::facts::{BaseEvidence, ChangedItem, Commit, Facts};
use crate::rules::intent::{self, Intent};
use crate::rules::scans::Scans;
use crate::rules::severity::{HeatEffect, Known, severity};
use crate::rules::suppress::Comment;
use crate::rules::tokens::TokenClass;
use crate::source::ChangeKind;

/// Sum of token weights (log2 likelihood ratios) from which tokens alone look like an optimization. At 4 the precision is 18 %,
/// at 8 it is 41 % (`reference/evidence-rules.md` §2.2), so this is never more than an info.
const TOKEN_SCORE: f64 = 5.5;

pub(super) fn judge(facts: &Facts<'_>, scans: &Scans) -> Vec<Finding> {
    let intents: Vec<Intent<'_>> = facts.commits.iter().filter_map(intent::of).collect();
    let mut findings: Vec<Finding> = intents.iter().flat_map(|intent| of_commit(facts, scans, intent)).collect();
    findings.extend(of_tokens(facts, scans, &intents));
    findings
}

/// An allow that base already had was for an earlier change: no reason to call it unused now.
pub(super) fn pertains(item: &ChangedItem<'_>, comment: &Comment) -> bool {
    item.base_file.is_some_and(|base| base.lines().any(|line| line.trim() == comment.text))
}

/// What a commit's intent comes to: a missing measurement, or a promise that was checked.
fn of_commit(facts: &Facts<'_>, scans: &Scans, intent: &Intent<'_>) -> Vec<Finding> {
    let meant = meant(facts, intent.commit);
    let Some(first) = meant.first().copied() else { return Vec::new() };
    let unmeasured = match facts.base_evidence {
        BaseEvidence::Valid => !meant.iter().any(|item| item.is_measured()),
        BaseEvidence::Missing | BaseEvidence::Stale(_) => true,
    };
    if !unmeasured {
        return intent.promises.iter().filter_map(|promise| promise::check(facts, intent.commit, &meant, promise)).collect();
    }
    let algorithmic = meant.iter().any(|item| scans.get(item).is_some_and(super::scans::Sides::is_algorithmic));
    let base = if algorithmic { Severity::Info } else { Severity::Warning };
    without_baseline(facts, first, base, words::commit(intent.commit), words::unmeasured_claim(intent)).into_iter().collect()
}

/// The changed items that a commit speaks of: those that its message names, or else all in the files that it touches.
fn meant<'a>(facts: &'a Facts<'a>, commit: &Commit) -> Vec<&'a ChangedItem<'a>> {
    let candidates = candidates(facts, commit);
    let named: Vec<_> = candidates.iter().copied().filter(|item| names(commit, item.short_name())).collect();
    if named.is_empty() { candidates } else { named }
}

/// The changed items in the files that a commit touches that had a before to compare with.
fn candidates<'a>(facts: &'a Facts<'a>, commit: &Commit) -> Vec<&'a ChangedItem<'a>> {
    let candidate = |item: &&ChangedItem<'_>| {
        let had_a_before = !matches!(item.change.kind, ChangeKind::Added | ChangeKind::Deleted);
        item.is_code() && had_a_before && commit.files.iter().any(|file| file.as_str() == item.result.file)
    };
    facts.changes.iter().filter(candidate).collect()
}

/// True when the message holds the name as a word of its own.
fn names(commit: &Commit, name: &str) -> bool {
    let words = |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name);
    // A name such as `get` or `new` is an ordinary word.
    name.len() > 3 && (words(&commit.subject) || words(&commit.body))
}

/// Changes without a stated intent whose tokens look like one, in functions that nobody measured.
fn of_tokens(facts: &Facts<'_>, scans: &Scans, intents: &[Intent<'_>]) -> Vec<Finding> {
    let stated =
        |item: &ChangedItem<'_>| intents.iter().any(|i| i.commit.files.iter().any(|file| file.as_str() == item.result.file));
    let items = facts.changes.iter().filter(|item| item.is_code() && item.change.kind != ChangeKind::Added && !stated(item));
    let unmeasured =
        items.filter(|item| *facts.base_evidence != BaseEvidence::Valid || item.result.heat == Some(Heat::Unmeasured));
    unmeasured
        .filter_map(|item| {
            let added = &scans.get(item)?.added;
            let score: f64 = added.iter().map(|added| added.kind.weight()).sum();
            let costly = added.iter().any(|added| added.kind.class() != TokenClass::Moderate);
            (costly && score >= TOKEN_SCORE)
                .then(|| without_baseline(facts, item, Severity::Info, words::tokens(added), None))
                .flatten()
        })
        .collect()
}

fn without_baseline(
    facts: &Facts<'_>,
    item: &ChangedItem<'_>,
    base: Severity,
    intent: Evidence,
    not_proven: Option<String>,
) -> Option<Finding> {
    let known = Known { base, effect: HeatEffect::Irrelevant, heat: item.result.heat, proof: false, changed: true };
    Some(Finding {
        message: words::without_baseline(facts, item, &intent),
        evidence: vec![words::baseline(facts, item), intent],
        fix: words::first_step(facts, item),
        not_proven: not_proven.into_iter().collect(),
        ..at(item, severity(known)?)
    })
}

/// A finding of this rule about an item, with nothing said yet.
fn at(item: &ChangedItem<'_>, severity: Severity) -> Finding {
    let line = item.change.head.as_ref().map(|head| head.body_lines.0).or(item.result.base_lines.map(|lines| lines.0));
    Finding {
        rule: RULE.id.into(),
        name: RULE.name.into(),
        severity,
        item: Some(item.result.item.clone()),
        file: Some(item.result.file.clone()),
        line,
        snippet: None,
        message: String::new(),
        evidence: Vec::new(),
        bound: None,
        fix: String::new(),
        not_proven: Vec::new(),
        preexisting: false,
        suppressed: None,
    }
}
