//! Whether the change accounts for what was measured: a changed item must be on the stacks, and hold enough of them.

use super::{Reach, Reached};
use crate::figures;
use crate::heat::Share;
use crate::stats::Outcome;

/// Whether a change of speed is the change's doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// True when it is.
    pub explained: bool,
    /// Why not, as a fragment; `None` when explained.
    pub why_not: Option<String>,
}

impl Explanation {
    fn yes() -> Self {
        Self { explained: true, why_not: None }
    }

    fn no(why: impl Into<String>) -> Self {
        Self { explained: false, why_not: Some(why.into()) }
    }
}

/// Judges a ratio head / base with its interval `(low, high)`. `unbounded`: no share bounds the effect
/// (an ambient change that may affect all code, a change of inlining).
///
/// Amdahl: what has share p of base's time can gain at most p of it, so `1 − high ≤ p` (upper end); what has share q of head's
/// time can have cost at most q of it, so `1 − 1/low ≤ q` (upper end).
pub fn explain(outcome: Outcome, (low, high): (f64, f64), reach: &Reach, unbounded: bool) -> Explanation {
    if unbounded {
        return Explanation::yes();
    }
    if reach.reached == Reached::No {
        return Explanation::no("no changed item is on its stacks");
    }
    let hits = |share: Option<Share>| share.map_or(0, |share| share.hits);
    // A sample or two on one side are no disappearance from the other.
    let cold = reach.reached == Reached::Cold;
    match outcome {
        // What was on the stacks on one side and is gone on the other has no share there that could bound it.
        Outcome::Slower if !cold && hits(reach.head) == 0 && hits(reach.base) > 0 => Explanation::yes(),
        Outcome::Faster if !cold && hits(reach.base) == 0 && hits(reach.head) > 0 => Explanation::yes(),
        Outcome::Slower => {
            let least_loss = 1.0 - 1.0 / low;
            within("cost", least_loss, reach.head.or(reach.base).map(|share| (share.hits, share.high)), "head")
        }
        Outcome::Faster => {
            let least_gain = 1.0 - high;
            within("gain", least_gain, reach.base.or(reach.head).map(|share| (share.hits, share.high)), "base")
        }
        Outcome::Same | Outcome::Inconclusive => Explanation::yes(),
    }
}

fn within(what: &str, least: f64, share: Option<(u64, f64)>, side: &str) -> Explanation {
    match share {
        None => Explanation::no("there is no profile that could show it"),
        Some((0, _)) => Explanation::no("no sample shows a changed item"),
        Some((_, most)) if least <= most => Explanation::yes(),
        Some((_, most)) => Explanation::no(format!(
            "the changed items hold at most {} of {side}'s time by its samples, too little to {what} {}",
            figures::share(most),
            figures::share(least)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(base: u64, head: u64) -> Reach {
        Reach { reached: Reached::Yes, base: Some(Share::new(base, 1000)), head: Some(Share::new(head, 1000)) }
    }

    #[test]
    fn a_loss_that_fits_into_the_changed_items_is_explained() {
        assert!(explain(Outcome::Slower, (1.5, 1.6), &reach(500, 700), false).explained);
        assert!(explain(Outcome::Faster, (0.6, 0.7), &reach(500, 300), false).explained);
    }

    #[test]
    fn a_loss_larger_than_what_the_changed_items_hold_is_not() {
        let explanation = explain(Outcome::Slower, (1.5, 1.6), &reach(20, 20), false);
        assert!(!explanation.explained);
        assert!(explanation.why_not.unwrap().contains("hold at most"));
        assert!(!explain(Outcome::Faster, (0.5, 0.6), &reach(20, 20), false).explained);
    }

    #[test]
    fn a_deleted_override_explains_what_took_its_place() {
        assert!(explain(Outcome::Slower, (2.0, 3.0), &reach(900, 0), false).explained);
        assert!(!explain(Outcome::Slower, (2.0, 3.0), &reach(0, 0), false).explained);
    }

    #[test]
    fn a_stray_sample_of_a_cold_item_explains_nothing() {
        let stray = Reach { reached: Reached::Cold, ..reach(1, 0) };
        assert!(!explain(Outcome::Slower, (2.0, 3.0), &stray, false).explained);
        assert!(!explain(Outcome::Slower, (2.0, 3.0), &Reach { reached: Reached::Cold, ..reach(1, 1) }, false).explained);
    }

    #[test]
    fn a_workload_that_no_change_reaches_is_never_explained_but_by_everything() {
        let unreached = Reach { reached: Reached::No, base: None, head: None };
        assert!(!explain(Outcome::Slower, (1.5, 1.6), &unreached, false).explained);
        assert!(explain(Outcome::Slower, (1.5, 1.6), &unreached, true).explained);
    }
}
