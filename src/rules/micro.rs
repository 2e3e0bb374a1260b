//! `PE-201 speculative-micro-optimization`: costly code where measured time shows that it cannot pay.
//!
//! Fires on net additions of costly tokens in a changed item that was proven to run and to hold next to no time. Never calls
//! an unmeasured item cold.

mod rule;
mod words;

pub(crate) use rule::RULE;

use crate::analysis::{Bound, Finding, Heat, Outcome, Severity};
use crate::rules::facts::{ChangedItem, Facts};
use crate::rules::intent;
use crate::rules::scans::{Scans, Sides};
use crate::rules::severity::{HeatEffect, Known, severity};
use crate::rules::snippet;
use crate::rules::tokens::{Added, TokenClass};

/// One finding per changed item; items in `covered` already have a finding that says that nobody exercises them.
pub(super) fn judge(facts: &Facts<'_>, scans: &Scans, covered: &[String]) -> Vec<Finding> {
    let items = facts.changes.iter().filter(|item| item.is_code() && item.change.head.is_some());
    items.filter_map(|item| finding(facts, item, scans.get(item)?, covered)).collect()
}

/// True while the item holds costly tokens and is not hot: its suppression still has something to allow.
pub(super) fn pertains(scans: &Scans, item: &ChangedItem<'_>) -> bool {
    let pays = matches!(item.result.heat, Some(Heat::Hot | Heat::Warm));
    let costly = |sides: &Sides| sides.head.occurrences.iter().any(|o| o.kind.class() != TokenClass::Moderate);
    !pays && scans.get(item).is_some_and(costly)
}

fn finding(facts: &Facts<'_>, item: &ChangedItem<'_>, sides: &Sides, covered: &[String]) -> Option<Finding> {
    let stated = states_intent(facts, item);
    let counted = |added: &&Added| added.kind.class() != TokenClass::Moderate || stated;
    let added: Vec<&Added> = sides.added.iter().filter(counted).collect();
    let shown = shown(&added)?;
    let severity = severity(Known {
        base: base_severity(&added),
        effect: HeatEffect::ColdIsWorse,
        heat: item.result.heat,
        proof: false,
        changed: true,
    })?;
    let severity = if facts.weakness.is_some() { severity.min(Severity::Warning) } else { severity };
    let unmeasured = item.result.heat == Some(Heat::Unmeasured);
    if paid_off(facts, item) || (unmeasured && covered.contains(&item.result.item)) {
        return None;
    }
    let bound = item.result.high.filter(|&high| high < 1.0).map(|share| Bound { share, max_speedup: 1.0 / (1.0 - share) });
    Some(Finding {
        rule: RULE.id.into(),
        name: RULE.name.into(),
        severity,
        item: Some(item.result.item.clone()),
        file: Some(item.result.file.clone()),
        line: Some(shown.first.line),
        snippet: item.head_file.and_then(|file| snippet::of(file, &shown.first, "added by this change")),
        message: words::message(facts, item, &added),
        evidence: words::evidence(facts, item, &added),
        bound,
        fix: words::fix(facts, item, shown),
        not_proven: words::not_proven(facts, item),
        preexisting: false,
        suppressed: None,
    })
}

/// Unsafe code that only speed explains is a warning before heat is known, anything else an info; measured coldness adds one level.
///
/// A plain `unsafe` may call what has no safe form (an own unsafe function, a `static mut`, a pointer), whatever the commit says
/// that it is for: that is never an error.
fn base_severity(added: &[&Added]) -> Severity {
    if added.iter().any(|added| added.is_unsafe_for_speed()) { Severity::Warning } else { Severity::Info }
}

/// The token to point at: one that only speed explains, if there is one.
fn shown<'a>(added: &[&'a Added]) -> Option<&'a Added> {
    added.iter().find(|added| added.kind.only_for_speed()).or_else(|| added.first()).copied()
}

/// A commit that touches the item's file says that it is for speed.
fn states_intent(facts: &Facts<'_>, item: &ChangedItem<'_>) -> bool {
    let touches = |file: &&camino::Utf8PathBuf| file.as_str() == item.result.file;
    facts.commits.iter().any(|commit| commit.files.iter().any(|file| touches(&file)) && intent::of(commit).is_some())
}

/// A workload got confidently faster, and this item is in its stacks: the measurement has the last word.
fn paid_off(facts: &Facts<'_>, item: &ChangedItem<'_>) -> bool {
    facts.workloads.iter().any(|workload| {
        workload.outcome == Outcome::Faster
            && workload.explained == Some(true)
            && workload.explained_by.contains(&item.result.item)
    })
}
