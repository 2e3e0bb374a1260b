//! Compares what a commit promises with what was measured.

use crate::analysis::{Finding, Heat, Severity, WorkloadResult};
use crate::rules::assertion::Promise;
use crate::rules::claim::Claim;
use crate::rules::facts::{ChangedItem, Commit, Facts};
use crate::rules::premature::{at, candidates, words};
use crate::rules::severity::{HeatEffect, Known, severity};

/// Part of a promised gain that must show: "2x" is said of 1.9x.
const ROUNDING: f64 = 0.9;

/// How a promise fared in one workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fared {
    /// The whole interval falls short of the promise.
    Contradicted,
    /// The interval holds the promise and its opposite, or the promise is too small to show here.
    Unresolved,
    /// The gain is shown, and it is what was promised.
    Kept,
}

/// One workload in which a promise can be checked.
pub(super) struct Measured<'a> {
    pub(super) item: &'a ChangedItem<'a>,
    pub(super) workload: &'a WorkloadResult,
    /// Ratio head / base with its interval; exactly 1 where the machine code is identical.
    pub(super) interval: (f64, f64, f64),
    /// Both sides are the same program: nothing had to be run to know that.
    pub(super) identical: bool,
    pub(super) fared: Fared,
}

/// The finding about one promise; `None` when nothing that was measured speaks of it.
///
/// The best workload decides: a promise may be about one case. It is read in the writer's favour: as one about the function,
/// whose share of the workload limits what can show (Amdahl), at the lower end of that share. A promise that names a function
/// is held against that function only, and one that names something else, or some input only, cannot be contradicted.
pub(super) fn check(facts: &Facts<'_>, commit: &Commit, meant: &[&ChangedItem<'_>], promise: &Promise) -> Option<Finding> {
    let named: Vec<&ChangedItem<'_>> =
        candidates(facts, commit).into_iter().filter(|item| promise.names(&item.result.item)).collect();
    if named.is_empty() && is_about_unchanged(facts, promise) {
        return None;
    }
    let of_something_else = named.is_empty() && !promise.about.is_empty();
    let spoken_of = if named.is_empty() { meant } else { &named };
    // A cold function that rides along must not shield a claim about the hot one.
    let is_warm = |item: &&ChangedItem<'_>| matches!(item.result.heat, Some(Heat::Hot | Heat::Warm));
    let any_warm = spoken_of.iter().any(&is_warm);
    let weighty = spoken_of.iter().filter(|item| !any_warm || is_warm(item));
    let all =
        weighty.flat_map(|item| facts.workloads.iter().filter_map(|workload| measured(facts, item, workload, &promise.claim)));
    let mut best = all.max_by(|a, b| a.fared.cmp(&b.fared).then_with(|| b.interval.0.total_cmp(&a.interval.0)))?;
    if of_something_else || (promise.limited && best.fared == Fared::Contradicted) {
        best.fared = Fared::Unresolved;
    }
    let contradicted = best.fared == Fared::Contradicted;
    let base = if contradicted { Severity::Warning } else { Severity::Info };
    let mut not_proven = Vec::new();
    // Another commit may have taken the gain away again: then the sum proves nothing about this one.
    if facts.commits.iter().any(|other| other.id != commit.id && !other.files.is_disjoint(&commit.files)) {
        not_proven.push("other commits of this change touch the same files".to_owned());
    }
    if best.item.is_conditional() {
        not_proven.push(format!("what `cfg` leaves out of `{}` in this build", best.item.result.item));
    }
    if contradicted && promise.claim.at_most {
        not_proven.push("that a workload runs the best case".to_owned());
    }
    let proof = contradicted && not_proven.is_empty();
    let known = Known { base, effect: HeatEffect::Irrelevant, heat: best.item.result.heat, proof, changed: true };
    Some(Finding {
        message: words::promise(commit, promise, &best, of_something_else),
        evidence: vec![words::measurement(&best), words::commit(commit)],
        fix: words::promise_fix(best.fared),
        not_proven,
        ..at(best.item, severity(known)?)
    })
}

/// True when the promise names a function of the workspace that is known from a profile and that the change leaves alone.
fn is_about_unchanged(facts: &Facts<'_>, promise: &Promise) -> bool {
    let mut own = facts.workloads.iter().flat_map(|workload| &workload.hot_path).filter(|hot| hot.origin == "workspace");
    own.any(|hot| promise.names(&hot.item) && !facts.changes.iter().any(|change| change.result.item == hot.item))
}

fn measured<'a>(
    facts: &Facts<'_>,
    item: &'a ChangedItem<'a>,
    workload: &'a WorkloadResult,
    claim: &Claim,
) -> Option<Measured<'a>> {
    let hottest = item.result.workload.as_deref() == Some(&workload.id);
    let in_hot_path = workload.hot_path.iter().find(|hot| hot.item == item.result.item).map(|hot| hot.low);
    if workload.is_identical() {
        let runs = (hottest && item.is_measured()) || in_hot_path.is_some();
        let (interval, fared) = ((1.0, 1.0, 1.0), Fared::Contradicted);
        return runs.then_some(Measured { item, workload, interval, identical: true, fared });
    }
    let on_stack = hottest || workload.explained_by.contains(&item.result.item);
    let primary = workload.primary().filter(|metric| on_stack && metric.unit == "ns")?;
    let interval = primary.interval()?;
    let share = if hottest { item.result.low } else { None }.or(in_hot_path);
    let fared = fared(interval, share, claim, facts.noise_floor);
    Some(Measured { item, workload, interval, identical: false, fared })
}

/// Holds the interval of head / base against the promise; `share` is the function's share of the workload, if known.
fn fared((_, low, high): (f64, f64, f64), share: Option<f64>, claim: &Claim, noise_floor: f64) -> Fared {
    let gain = share.unwrap_or(0.0) * (1.0 - claim.ratio) * ROUNDING;
    let target = 1.0 - gain;
    let shown = high < 1.0;
    match () {
        () if shown && low <= share.map_or(claim.ratio, |_| target) => Fared::Kept,
        () if share.is_none() || gain < noise_floor || (claim.at_most && shown) => Fared::Unresolved,
        () if low > target => Fared::Contradicted,
        () => Fared::Unresolved,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn twice() -> Claim {
        Claim { text: "2x faster".into(), ratio: 0.5, at_most: false, as_factor: true }
    }

    fn said(interval: (f64, f64, f64), share: Option<f64>) -> Fared {
        fared(interval, share, &twice(), 0.02)
    }

    #[test]
    fn no_gain_where_one_had_to_show_contradicts() {
        assert_eq!(said((1.01, 0.98, 1.03), Some(0.9)), Fared::Contradicted);
        assert_eq!(said((1.3, 1.2, 1.4), Some(0.9)), Fared::Contradicted);
        assert_eq!(said((0.9, 0.88, 0.92), Some(0.9)), Fared::Contradicted, "a gain, but far from 2x");
    }

    #[test]
    fn the_functions_share_limits_what_must_show() {
        assert_eq!(said((0.9, 0.86, 0.92), Some(0.3)), Fared::Kept, "2x of 30 % is 15 % of the whole");
        assert_eq!(said((1.0, 0.99, 1.01), Some(0.01)), Fared::Unresolved, "half a percent cannot be told");
        assert_eq!(said((1.0, 0.99, 1.01), None), Fared::Unresolved, "of an unknown share nothing can be demanded");
        assert_eq!(said((0.95, 0.94, 0.96), None), Fared::Unresolved, "nor can a small gain be called the promised one");
    }

    #[test]
    fn a_wide_interval_decides_nothing() {
        assert_eq!(said((0.8, 0.5, 1.2), Some(0.9)), Fared::Unresolved);
    }

    #[test]
    fn a_best_case_is_not_contradicted_by_a_smaller_gain() {
        let claim = Claim { at_most: true, ..twice() };
        assert_eq!(fared((0.9, 0.88, 0.92), Some(0.9), &claim, 0.02), Fared::Unresolved);
        assert_eq!(fared((1.0, 0.98, 1.02), Some(0.9), &claim, 0.02), Fared::Contradicted);
    }

    proptest! {
        #[test]
        fn an_interval_that_reaches_the_promise_never_contradicts(low in 0.1_f64..0.5, high in 0.5_f64..2.0, share in 0.0_f64..1.0) {
            prop_assert_ne!(said((f64::midpoint(low, high), low, high), Some(share)), Fared::Contradicted);
        }
    }
}
