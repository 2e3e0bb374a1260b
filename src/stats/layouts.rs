//! Whether an effect holds in every layout: one median per pair of links beside the pooled interval.
//!
//! The order of functions alone moves a workload: byte-identical code has been measured 12 % apart in 4 of 8 links, with an
//! interval of ±0.4 % (`reference/measurement.md` §4d). What a change does, it does in every link. So a claim stands when
//! - the pooled rounds show it, beyond three times the spread between links of the base alone,
//! - no pair of links shows less than the margin by more than its sampling error, and
//! - the mean over the pairs of links has a t interval without zero: the links, not the rounds, are the replicates of layout.
//!
//! Of two pairs (the one that was built, and one with aligned functions) only the second can be asked.

use super::decide::{Decision, Margins, Outcome, Reason, decide_beyond};
use super::estimate::{median, median_error, robust_sd};

/// One round of a pair of links.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayoutRound {
    /// Which pair, from 0.
    pub layout: usize,
    /// Rounds of one sweep were made one after the other, one per pair.
    pub sweep: usize,
    /// ln(head/base).
    pub head: f64,
    /// ln(control/base); the control is a copy of that link of the base.
    pub control: f64,
    /// ln(base), of any unit.
    pub base: f64,
}

/// The judgement over all pairs of links.
#[derive(Debug, Clone, PartialEq)]
pub struct AcrossLayouts {
    /// The judgement.
    pub decision: Decision,
    /// Median ln(head/base) of each pair.
    pub medians: Vec<f64>,
    /// How many of them lie beyond the margin on the claimed side.
    pub agreeing: usize,
    /// Standard deviation between links of the base, log scale, without the sampling error; `None` with fewer than three.
    pub base_spread: Option<f64>,
}

/// What layout alone does must be exceeded this many times (`reference/measurement.md` §5.4).
const SPREADS: f64 = 3.0;
/// Standard errors by which a pair's median must miss the margin to contradict a claim.
const CONTRADICTS: f64 = 2.0;
/// Pairs that a spread needs.
const FEWEST: usize = 3;

/// Judges rounds over pairs of links; with one pair, as [`decide`](super::decide()) does. `claimed` is what screening claimed.
pub fn across_layouts(rounds: &[LayoutRound], claimed: Outcome, margins: Margins, alpha: f64) -> AcrossLayouts {
    let pairs = rounds.iter().map(|round| round.layout + 1).max().unwrap_or(0);
    let head: Vec<f64> = rounds.iter().map(|round| round.head).collect();
    let control: Vec<f64> = rounds.iter().map(|round| round.control).collect();
    let base_spread = base_spread(rounds, pairs);
    let floor = base_spread.map_or(0.0, |spread| (SPREADS * spread).exp_m1());
    let decision = decide_beyond(&head, &control, margins, alpha, floor);
    let seen = Pairs::of(rounds, pairs, claimed, margins);
    let agreeing = seen.beyond();
    let decision = if pairs < 2 { decision } else { seen.doubt(decision, base_spread, margins, floor) };
    AcrossLayouts { decision, agreeing, base_spread, medians: seen.medians }
}

/// The pairs of links, seen from the claimed side.
struct Pairs {
    medians: Vec<f64>,
    /// Standard error of a pair's median.
    errors: Vec<f64>,
    sign: f64,
    margin: f64,
}

impl Pairs {
    fn of(rounds: &[LayoutRound], pairs: usize, claimed: Outcome, margins: Margins) -> Self {
        let by_pair: Vec<Vec<f64>> = (0..pairs).map(|pair| of_pair(rounds, pair, |round| round.head)).collect();
        let by_pair: Vec<Vec<f64>> = by_pair.into_iter().filter(|values| !values.is_empty()).collect();
        let sd = within(&by_pair);
        Self {
            medians: by_pair.iter().filter_map(|values| median(values)).collect(),
            errors: by_pair.iter().map(|values| median_error(sd, values.len())).collect(),
            sign: if claimed == Outcome::Faster { -1.0 } else { 1.0 },
            margin: margins.delta.ln_1p(),
        }
    }

    fn effects(&self) -> impl Iterator<Item = (f64, f64)> {
        self.medians.iter().map(|median| self.sign * median).zip(self.errors.iter().copied())
    }

    fn beyond(&self) -> usize {
        self.effects().filter(|&(effect, _)| effect > self.margin).count()
    }

    /// The decision, with what the pairs say against it.
    fn doubt(&self, decision: Decision, base_spread: Option<f64>, margins: Margins, floor: f64) -> Decision {
        let claims = matches!(decision.outcome, Outcome::Slower | Outcome::Faster);
        let contradicted = self.effects().any(|(effect, error)| effect + CONTRADICTS * error < self.margin);
        let shown = self.effects().any(|(effect, error)| effect - CONTRADICTS * error > self.margin);
        if contradicted && shown && self.range() > self.margin {
            return self.sensitive(decision);
        }
        if claims && contradicted {
            return decision.withdrawn(Reason::OnTheEdge);
        }
        // Two pairs know no spread; both of them show it.
        if claims && self.medians.len() >= FEWEST && self.mean_may_be_zero() {
            return if self.range() > self.margin + CONTRADICTS * self.worst_error() {
                self.sensitive(decision)
            } else {
                decision.withdrawn(Reason::TooWide)
            };
        }
        match (decision.effect, base_spread) {
            // It would be a change, if layout did not do as much.
            (Some(effect), Some(spread))
                if decision.outcome == Outcome::Inconclusive && !decision.reason.is_control() && floor > margins.delta =>
            {
                let (near, margin) = (effect.low.max(-effect.high), self.margin);
                if near > margin && near <= floor.ln_1p() {
                    return decision.withdrawn(Reason::LayoutMoves { spread: spread.exp_m1() });
                }
                decision
            }
            _ => decision,
        }
    }

    fn sensitive(&self, decision: Decision) -> Decision {
        let showing: Vec<f64> = self.medians.iter().copied().filter(|median| self.sign * median > self.margin).collect();
        let effect = median(&showing).unwrap_or(0.0).exp_m1();
        decision.withdrawn(Reason::LayoutSensitive { effect, links: showing.len(), of: self.medians.len() })
    }

    fn range(&self) -> f64 {
        let ends = |(low, high): (f64, f64), (effect, _)| (f64::min(low, effect), f64::max(high, effect));
        let (low, high) = self.effects().fold((f64::INFINITY, f64::NEG_INFINITY), ends);
        high - low
    }

    fn worst_error(&self) -> f64 {
        self.errors.iter().copied().fold(0.0, f64::max)
    }

    /// True unless the two-sided 95 % t interval of the mean of the pairs' medians lies on the claimed side of zero.
    fn mean_may_be_zero(&self) -> bool {
        let effects: Vec<f64> = self.effects().map(|(effect, _)| effect).collect();
        let Some((mean, sd)) = mean_and_sd(&effects) else { return true };
        mean - t_quantile(effects.len() - 1) * sd / (effects.len() as f64).sqrt() <= 0.0
    }
}

impl Reason {
    /// True when the control or the halves spoke: then nothing is said of layouts.
    fn is_control(&self) -> bool {
        matches!(self, Self::ControlMoved { .. } | Self::HalvesDisagree { .. })
    }
}

fn of_pair(rounds: &[LayoutRound], pair: usize, value: impl Fn(&LayoutRound) -> f64) -> Vec<f64> {
    rounds.iter().filter(|round| round.layout == pair).map(value).collect()
}

/// The spread within pairs, all of them together: a pair alone has too few rounds to know its own.
fn within(by_pair: &[Vec<f64>]) -> f64 {
    let around = |values: &Vec<f64>| {
        let center = median(values).unwrap_or(0.0);
        // The median of n values takes one of them with it: n / (n − 1).
        let room = (values.len() as f64 / (values.len().max(2) - 1) as f64).sqrt();
        values.iter().map(|value| room * (value - center)).collect::<Vec<f64>>()
    };
    robust_sd(&by_pair.iter().flat_map(around).collect::<Vec<f64>>()).unwrap_or(0.0)
}

/// How far links of the base lie apart: per link the median of ln(base) against the mean of its sweep, so that what drifts with
/// time cancels; then the standard deviation of those, less what sampling explains.
fn base_spread(rounds: &[LayoutRound], pairs: usize) -> Option<f64> {
    if pairs < FEWEST {
        return None;
    }
    // Base and its copy are the same link: their mean is the steadier level.
    let level = |round: &LayoutRound| round.base + round.control / 2.0;
    let sweeps = rounds.iter().map(|round| round.sweep + 1).max().unwrap_or(0);
    let mut levels: Vec<Vec<f64>> = vec![Vec::new(); pairs];
    for sweep in 0..sweeps {
        let of_sweep: Vec<&LayoutRound> = rounds.iter().filter(|round| round.sweep == sweep).collect();
        // A sweep with a failed round has another mean.
        if of_sweep.len() < pairs {
            continue;
        }
        let mean = of_sweep.iter().map(|round| level(round)).sum::<f64>() / of_sweep.len() as f64;
        for round in of_sweep {
            if let Some(values) = levels.get_mut(round.layout) {
                values.push(level(round) - mean);
            }
        }
    }
    let centers: Vec<f64> = levels.iter().filter_map(|values| median(values)).collect();
    let (_, sd) = mean_and_sd(&centers).filter(|_| centers.len() == pairs)?;
    let sampling = median_error(within(&levels), levels.iter().map(Vec::len).min().unwrap_or(0));
    Some((sd * sd - sampling * sampling).max(0.0).sqrt())
}

fn mean_and_sd(values: &[f64]) -> Option<(f64, f64)> {
    if values.len() < 2 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((mean, (squares / (values.len() - 1) as f64).sqrt()))
}

/// 97.5 % quantile of Student's t distribution (Abramowitz and Stegun, table 26.10).
fn t_quantile(degrees: usize) -> f64 {
    const TABLE: [f64; 9] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];
    degrees.checked_sub(1).and_then(|at| TABLE.get(at)).copied().unwrap_or(TABLE[0])
}

#[cfg(test)]
mod tests;
