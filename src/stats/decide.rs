//! From the log ratios of the rounds to faster, slower, same or inconclusive.
//!
//! How the control raises the margin δ (the rule, and why):
//! - A control whose interval contains zero has shown nothing but its sampling error, which the head's own interval already
//!   carries. It raises δ to the magnitude of its *median* only: base is the denominator of both ratios, so a lucky base pushes
//!   both the same way, and the median says how far. A control that is merely wide (few rounds so far) blinds nothing.
//! - A control whose interval excludes zero has shown a real shift between two copies of one file: head may carry another of
//!   that size. It raises δ to the far end of its interval.
//! - A control whose interval lies wholly beyond δ has *moved*: two copies of one file differ by more than what counts as a
//!   change, so nothing is claimed at all.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::estimate::{Interval, median, median_error, median_interval, robust_sd, sign_test_above, sign_test_below};

/// What happened to one workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The interval of head/base lies wholly below 1/(1+δ).
    Faster,
    /// The interval of head/base lies wholly above 1+δ.
    Slower,
    /// The interval lies wholly within ±ε: a positive statement, not the absence of one.
    Same,
    /// None of these could be shown.
    Inconclusive,
}

/// What counts as a change, as fractions (0.02 is 2 %).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Margins {
    /// δ: an effect must lie wholly beyond this to be a change.
    pub delta: f64,
    /// ε: an effect must lie wholly inside ±this to be none.
    pub epsilon: f64,
}

impl Default for Margins {
    /// δ = 2 %: the smallest margin without a false alarm in any cell of 20 trials per kernel and clock
    /// (`reference/measurement.md` §4b; 1 % left up to 6 %). ε = 3 %.
    fn default() -> Self {
        Self { delta: 0.02, epsilon: 0.03 }
    }
}

impl Margins {
    /// Margins for a chosen δ; ε follows where it would leave no room above δ.
    pub fn with_delta(delta: f64) -> Self {
        let delta = delta.max(0.0);
        Self { delta, epsilon: (1.5 * delta).max(Self::default().epsilon) }
    }

    fn log_delta(&self) -> f64 {
        self.delta.ln_1p()
    }

    fn log_epsilon(&self) -> f64 {
        self.epsilon.ln_1p()
    }
}

/// Why the outcome is what it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Reason {
    /// The interval lies in one region.
    Shown,
    /// Fewer rounds than an interval of this confidence needs.
    TooFewRounds {
        /// Rounds there were.
        rounds: usize,
    },
    /// Noise: two copies of one executable differ by more than the margin.
    ControlMoved {
        /// Median control/base, minus one.
        shift: f64,
    },
    /// Noise: the first and the second half of the rounds say opposite things.
    HalvesDisagree {
        /// Median head/base of the first half, minus one.
        first: f64,
        /// The same for the second half.
        second: f64,
    },
    /// The interval is wider than the regions: more rounds, or a quieter machine, would decide.
    TooWide,
    /// The interval is narrow but lies across a margin: the effect is about as large as the margin itself.
    OnTheEdge,
    /// The claim would not survive Holm's correction for the workloads that were judged together.
    NotAmongMany {
        /// How many there were.
        workloads: usize,
    },
    /// Some links of the same two sources show the effect and others do not.
    LayoutSensitive {
        /// Median head/base of the links that show it, minus one.
        effect: f64,
        /// How many show it.
        links: usize,
        /// How many there were.
        of: usize,
    },
    /// Links of the base alone differ so much that an effect of this size is no news.
    LayoutMoves {
        /// Standard deviation between links of the base, a fraction.
        spread: f64,
    },
    /// Screening claimed a change that fresh processes do not show.
    NotConfirmed {
        /// Median head/base while screening, minus one.
        screened: f64,
        /// The same in the confirmation; `None` when it has none.
        confirmed: Option<f64>,
    },
    /// The time limit came before the confirmation.
    NoTimeToConfirm {
        /// Median head/base while screening, minus one.
        screened: f64,
    },
}

impl Reason {
    /// True when links of one source differ by as much as the sides do.
    pub fn is_layout(&self) -> bool {
        matches!(self, Self::LayoutSensitive { .. } | Self::LayoutMoves { .. })
    }

    /// True when there are too few rounds for any interval.
    pub fn is_too_few(&self) -> bool {
        matches!(self, Self::TooFewRounds { .. })
    }

    /// True when the machine, not the change, is the obstacle.
    pub fn is_noise(&self) -> bool {
        matches!(self, Self::ControlMoved { .. } | Self::HalvesDisagree { .. } | Self::TooWide)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |value: f64| format!("{:+.1} %", 100.0 * value);
        match self {
            Self::Shown => f.write_str("the interval lies in one region"),
            Self::TooFewRounds { rounds } => write!(f, "only {rounds} rounds"),
            Self::ControlMoved { shift } => {
                write!(f, "noise: a copy of the base executable differs from it by {}", percent(*shift))
            }
            Self::HalvesDisagree { first, second } => {
                write!(f, "noise: the first half of the rounds says {}, the second {}", percent(*first), percent(*second))
            }
            Self::TooWide => f.write_str("noise: the rounds spread too far"),
            Self::OnTheEdge => f.write_str("the effect is about as large as the margin"),
            Self::NotAmongMany { workloads } => write!(f, "not significant among {workloads} workloads"),
            Self::LayoutSensitive { effect, links, of } => {
                let effect = percent(*effect);
                write!(f, "layout-sensitive: {effect} in {links} of {of} links; not attributable to the change")
            }
            Self::LayoutMoves { spread } => write!(
                f,
                "layout-sensitive: links of the base alone differ by ±{:.1} %; not attributable to the change",
                100.0 * spread
            ),
            Self::NotConfirmed { screened, confirmed } => {
                write!(f, "not confirmed: {} at first", percent(*screened))?;
                confirmed.map_or(Ok(()), |then| write!(f, ", {} with fresh processes", percent(then)))
            }
            Self::NoTimeToConfirm { screened } => {
                write!(f, "not confirmed: {} at first, and the time limit left no time to repeat it", percent(*screened))
            }
        }
    }
}

/// The judgement of one set of rounds. Effects are log ratios here; `Interval::exp` makes ratios of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The outcome.
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
    /// Median of ln(head/base) and its interval; `None` with too few rounds.
    pub effect: Option<Interval>,
    /// The same for the control.
    pub control: Option<Interval>,
    /// δ as the control raised it, a fraction.
    pub delta: f64,
    /// Two-sided p-value of "head is within δ of base", for one look.
    pub p_value: f64,
    /// The smallest change that as many rounds with this spread find in 95 of 100 runs, a fraction; `None` with too few rounds.
    pub detectable: Option<f64>,
}

impl Decision {
    /// Takes a claim back.
    #[must_use]
    pub fn withdrawn(mut self, reason: Reason) -> Self {
        self.outcome = Outcome::Inconclusive;
        self.reason = reason;
        self
    }
}

/// 95 % quantile of the normal distribution: the power that "detectable" promises.
const POWER_Z: f64 = 1.645;

/// Judges the rounds so far. `head` and `control` are ln(side/base) per round; an empty control raises nothing.
pub fn decide(head: &[f64], control: &[f64], margins: Margins, alpha: f64) -> Decision {
    decide_beyond(head, control, margins, alpha, 0.0)
}

/// The same, where something beside the control (the layout) moves the workload by `floor`, a fraction: δ is at least that.
pub fn decide_beyond(head: &[f64], control: &[f64], margins: Margins, alpha: f64, floor: f64) -> Decision {
    let control_interval = median_interval(control, alpha);
    let delta = raised_delta(control, control_interval.as_ref(), margins).max(floor.ln_1p());
    let p_value = (2.0 * sign_test_above(head, delta).min(sign_test_below(head, -delta))).min(1.0);
    let decision = |outcome, reason, effect: Option<Interval>| Decision {
        outcome,
        reason,
        effect,
        control: control_interval,
        delta: delta.exp_m1(),
        p_value,
        detectable: effect.and_then(|effect| detectable(head, &effect, delta)),
    };
    let Some(effect) = median_interval(head, alpha) else {
        return decision(Outcome::Inconclusive, Reason::TooFewRounds { rounds: head.len() }, None);
    };
    if let Some(noise) = noise(head, control_interval.as_ref(), margins) {
        return decision(Outcome::Inconclusive, noise, Some(effect));
    }
    let outcome = region(&effect, delta, margins.log_epsilon());
    let reason = match outcome {
        Outcome::Inconclusive if effect.half_width() < margins.log_delta() / 2.0 => Reason::OnTheEdge,
        Outcome::Inconclusive => Reason::TooWide,
        _ => Reason::Shown,
    };
    decision(outcome, reason, Some(effect))
}

fn region(effect: &Interval, delta: f64, epsilon: f64) -> Outcome {
    if effect.low > delta {
        Outcome::Slower
    } else if effect.high < -delta {
        Outcome::Faster
    } else if effect.reach() < epsilon {
        Outcome::Same
    } else {
        Outcome::Inconclusive
    }
}

/// The rule at the head of this file, on the logarithmic scale.
fn raised_delta(control: &[f64], interval: Option<&Interval>, margins: Margins) -> f64 {
    let shown = match interval {
        Some(interval) if !interval.contains(0.0) => interval.reach(),
        _ => median(control).map_or(0.0, f64::abs),
    };
    margins.log_delta().max(shown)
}

fn noise(head: &[f64], control: Option<&Interval>, margins: Margins) -> Option<Reason> {
    let delta = margins.log_delta();
    if let Some(control) = control.filter(|control| control.low > delta || control.high < -delta) {
        return Some(Reason::ControlMoved { shift: control.median.exp_m1() });
    }
    halves_disagree(head, delta)
}

/// Halves on opposite sides of the margin, by more than three standard errors: the machine changed on the way. Without the
/// second condition every wide spread would pass for a drift.
fn halves_disagree(head: &[f64], delta: f64) -> Option<Reason> {
    let (early, late) = head.split_at(head.len() / 2);
    let (first, second) = (median(early)?, median(late)?);
    let error = median_error(robust_sd(early)?.hypot(robust_sd(late)?), early.len());
    let opposite = first.min(second) < -delta && first.max(second) > delta;
    let drift = opposite && (first - second).abs() > 3.0 * error;
    drift.then(|| Reason::HalvesDisagree { first: first.exp_m1(), second: second.exp_m1() })
}

fn detectable(head: &[f64], effect: &Interval, delta: f64) -> Option<f64> {
    let spread = POWER_Z * median_error(robust_sd(head)?, head.len());
    Some((delta + effect.half_width() + spread).exp_m1())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn around(center: f64, spread: f64, n: usize) -> Vec<f64> {
        (0..n).map(|i| center + spread * (((i * 7 + 3) % n) as f64 / (n - 1) as f64 - 0.5)).collect()
    }

    fn judged(head: &[f64], control: &[f64]) -> Decision {
        decide(head, control, Margins::default(), 0.01)
    }

    #[test]
    fn each_region_has_its_outcome() {
        let quiet = around(0.0, 0.01, 24);
        assert_eq!(judged(&around(0.05, 0.01, 24), &quiet).outcome, Outcome::Slower);
        assert_eq!(judged(&around(-0.05, 0.01, 24), &quiet).outcome, Outcome::Faster);
        assert_eq!(judged(&around(0.01, 0.01, 24), &quiet).outcome, Outcome::Same);
        let edge = judged(&around(0.024, 0.05, 96), &quiet);
        assert_eq!((edge.outcome, edge.reason), (Outcome::Inconclusive, Reason::OnTheEdge));
        assert_eq!(judged(&around(0.0, 0.4, 24), &quiet).reason, Reason::TooWide);
    }

    #[test]
    fn too_few_rounds_claim_nothing() {
        let decision = judged(&around(0.5, 0.01, 7), &[]);
        assert_eq!((decision.outcome, decision.effect), (Outcome::Inconclusive, None));
        assert!(decision.reason.to_string().contains('7'));
    }

    #[test]
    fn a_control_that_is_merely_wide_does_not_blind() {
        let wide = around(0.0, 0.3, 24);
        let decision = judged(&around(0.05, 0.01, 24), &wide);
        assert_eq!(decision.outcome, Outcome::Slower);
        assert!((decision.delta - 0.02).abs() < 1e-3);
    }

    #[test]
    fn a_control_that_shows_a_shift_raises_the_margin_to_its_far_end() {
        let shifted = around(0.012, 0.02, 24);
        let decision = judged(&around(0.021, 0.001, 24), &shifted);
        let far_end = decision.control.unwrap().high.exp_m1();
        assert!(far_end > 0.012 && (decision.delta - far_end.max(0.02)).abs() < 1e-12);
    }

    #[test]
    fn a_control_that_moved_forbids_every_claim() {
        let decision = judged(&around(0.5, 0.01, 24), &around(0.03, 0.01, 24));
        assert!(decision.reason.is_noise() && decision.outcome == Outcome::Inconclusive);
        assert!(decision.reason.to_string().contains("+3.0 %"));
    }

    #[test]
    fn halves_that_disagree_are_noise() {
        let mut head = around(0.04, 0.001, 12);
        head.extend(around(-0.04, 0.001, 12));
        assert!(matches!(judged(&head, &[]).reason, Reason::HalvesDisagree { .. }));
    }

    #[test]
    fn the_detectable_change_shrinks_with_rounds() {
        let few = judged(&around(0.0, 0.1, 12), &[]).detectable.unwrap();
        let many = judged(&around(0.0, 0.1, 192), &[]).detectable.unwrap();
        assert!(few > many && many > 0.02);
    }

    #[test]
    fn a_larger_margin_leaves_room_for_same() {
        assert!((Margins::with_delta(0.05).epsilon - 0.075).abs() < 1e-12);
        assert!((Margins::with_delta(0.01).epsilon - 0.03).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn swapping_base_and_head_swaps_faster_and_slower(
            head in prop::collection::vec(-0.2..0.2f64, 8..60),
            control in prop::collection::vec(-0.2..0.2f64, 8..60),
        ) {
            let mirror = |values: &[f64]| values.iter().map(|v| -v).collect::<Vec<_>>();
            let (one, other) = (judged(&head, &control), judged(&mirror(&head), &mirror(&control)));
            let swapped = match one.outcome {
                Outcome::Faster => Outcome::Slower,
                Outcome::Slower => Outcome::Faster,
                outcome => outcome,
            };
            prop_assert_eq!(swapped, other.outcome);
            prop_assert!((one.p_value - other.p_value).abs() < 1e-12);
        }

        #[test]
        fn a_claim_of_change_always_has_its_p_value(head in prop::collection::vec(-0.2..0.2f64, 8..60)) {
            let decision = judged(&head, &[]);
            if matches!(decision.outcome, Outcome::Faster | Outcome::Slower) {
                prop_assert!(decision.p_value <= 0.01);
            }
        }
    }
}
