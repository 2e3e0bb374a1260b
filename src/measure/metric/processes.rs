//! p95 and p99 of programs: a process is one value, and order statistics give the quantile its exact interval.
//!
//! Below the number of processes that such an interval needs there is no number at all.

use super::MetricResult;
use super::tails::QUANTILES;
use crate::measure::absolute::Absolute;
use crate::measure::round::{Reading, Round};
use crate::stats::{Interval, Outcome, quantile_interval};

/// Error probability of a side's interval. 95 %, not the 99 % of a look: that would need 104 processes for p95 instead of 72, and
/// a claim needs the intervals of base, head and control to be apart, which is stricter than either.
pub(crate) const ALPHA: f64 = 0.05;

/// The quantiles of the processes of both sides. What is compared are whole intervals: head's with base's and its copy's.
pub(super) fn process_tails(rounds: &[Round], delta: f64) -> Vec<MetricResult> {
    let tail = |&(name, q): &(&'static str, f64)| {
        let (base, head, control) = (of(rounds, |r| &r.base, q)?, of(rounds, |r| &r.head, q)?, of(rounds, |r| &r.control, q)?);
        let slower = head.low > base.high.max(control.high) && head.median > base.median * (1.0 + delta);
        let faster = head.high < base.low.min(control.low) && head.median < base.median / (1.0 + delta);
        Some(MetricResult {
            name: name.into(),
            unit: "ns".into(),
            clock: None,
            base: Some(base.median),
            head: Some(head.median),
            ratio: Some(head.median / base.median),
            // Each side's interval misses with probability α: the quotient of the ends holds both.
            low: Some(head.low / base.high),
            high: Some(head.high / base.low),
            rounds: rounds.len(),
            outcome: if slower { Some(Outcome::Slower) } else { faster.then_some(Outcome::Faster) },
            note: None,
        })
    };
    QUANTILES.iter().filter_map(tail).collect()
}

/// Each side's own, for objectives.
pub(super) fn absolute_process_tails(rounds: &[Round]) -> Vec<Absolute> {
    let tail = |&(name, q): &(&'static str, f64)| Absolute {
        metric: name.into(),
        base: of(rounds, |round| &round.base, q),
        head: of(rounds, |round| &round.head, q),
    };
    QUANTILES.iter().map(tail).collect()
}

fn of(rounds: &[Round], side: impl Fn(&Round) -> &Reading, q: f64) -> Option<Interval> {
    let values: Vec<f64> = rounds.iter().flat_map(|round| side(round).singles.iter().copied()).collect();
    quantile_interval(&values, q, ALPHA).filter(|interval| interval.low > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::harness::Latency;
    use crate::stats::SplitMix64;

    fn rounds(n: usize, slower: f64, control: f64) -> Vec<Round> {
        let mut random = SplitMix64::new(8);
        let mut one = |factor: f64| {
            let value = factor * (100.0 + 10.0 * random.unit());
            Reading {
                latency: Latency { median: value, min: value },
                throughput: None,
                wall: value,
                usage: None,
                singles: vec![value],
            }
        };
        (0..n).map(|_| Round { base: one(1.0), head: one(slower), control: one(control) }).collect()
    }

    #[test]
    fn p95_needs_72_processes_and_p99_more_than_a_session_has() {
        assert!(process_tails(&rounds(71, 1.3, 1.0), 0.02).is_empty());
        assert_eq!(absolute_process_tails(&rounds(71, 1.3, 1.0))[0].head, None);
        let [p95] = process_tails(&rounds(192, 1.3, 1.0), 0.02).try_into().unwrap();
        assert_eq!((p95.name.as_str(), p95.outcome), ("latency.p95", Some(Outcome::Slower)));
        assert!(p95.base.is_some_and(|base| (108.0..110.0).contains(&base)), "{p95:?}");
        assert!(p95.low.unwrap() < 1.3 && 1.3 < p95.high.unwrap());
    }

    #[test]
    fn equal_sides_or_a_copy_that_moves_as_much_are_not_judged() {
        for (slower, control) in [(1.0, 1.0), (1.3, 1.3)] {
            let p95 = process_tails(&rounds(96, slower, control), 0.02).remove(0);
            assert_eq!(p95.outcome, None, "{p95:?}");
        }
        assert_eq!(process_tails(&rounds(96, 0.7, 1.0), 0.02)[0].outcome, Some(Outcome::Faster));
    }
}
