//! The shares of processes that failed and that did not end in time: for programs that are run as they are, an exit status is a
//! result.
//!
//! Does not judge: whether head fails where base does not is [`Failures::head_only`]'s business.

use super::MetricResult;
use crate::measure::absolute::Absolute;
use crate::measure::round::{Failures, Job};
use crate::stats::rate_interval;

/// A rate: its name, and what it counts at base and at head. A run that did not end in time is an error, too.
type Rate = (&'static str, fn(&Failures) -> (usize, usize));

const RATES: [Rate; 2] = [
    ("error_rate", |failures| (failures.base, failures.head)),
    ("timeout_rate", |failures| (failures.base_timeouts, failures.head_timeouts)),
];

/// Base runs twice in each round: its copy is the control.
fn runs(failures: &Failures) -> (usize, usize) {
    (2 * failures.attempted, failures.attempted)
}

/// Failed runs ÷ runs of each side. Whole programs always have an error rate; benchmarks when something failed, and both a timeout
/// rate when something did not end.
pub(in crate::measure) fn rates(job: &Job, complete: usize, failures: &Failures) -> Vec<MetricResult> {
    let fixed_work = job.workload.kind.has_fixed_work();
    let worth_saying = |(name, of): &&Rate| of(failures) != (0, 0) || (fixed_work && *name == "error_rate");
    let (base_runs, head_runs) = runs(failures);
    let one = |(name, of): &Rate| {
        let (base, head) = of(failures);
        MetricResult {
            name: (*name).into(),
            unit: "fraction".into(),
            clock: None,
            base: Some(base as f64 / base_runs as f64),
            head: Some(head as f64 / head_runs as f64),
            ratio: None,
            low: None,
            high: None,
            rounds: complete,
            outcome: None,
            note: None,
        }
    };
    if head_runs == 0 { Vec::new() } else { RATES.iter().filter(worth_saying).map(one).collect() }
}

/// Each side's rates with exact intervals, for objectives; none where a side could not be run as asked.
pub(in crate::measure) fn absolute_rates(failures: &Failures, alpha: f64) -> Vec<Absolute> {
    let ran = failures.not_comparable.is_none();
    let (base_runs, head_runs) = runs(failures);
    let one = |(name, of): &Rate| {
        let (base, head) = of(failures);
        Absolute {
            metric: (*name).into(),
            base: rate_interval(base, base_runs, alpha).filter(|_| ran),
            head: rate_interval(head, head_runs, alpha).filter(|_| ran),
        }
    };
    RATES.iter().map(one).collect()
}

/// True for the rates of this room.
pub(crate) fn is_rate(metric: &str) -> bool {
    RATES.iter().any(|(name, _)| *name == metric)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures() -> Failures {
        Failures { base: 0, head: 30, head_timeouts: 10, attempted: 100, ..Failures::default() }
    }

    #[test]
    fn timeouts_are_errors_and_have_a_rate_of_their_own() {
        let [errors, timeouts] = absolute_rates(&failures(), 0.01).try_into().unwrap();
        assert!(errors.head.is_some_and(|rate| rate.low > 0.15 && rate.contains(0.3) && rate.high < 0.45), "{errors:?}");
        assert!(timeouts.head.is_some_and(|rate| rate.contains(0.1) && rate.high < 0.3), "{timeouts:?}");
        // No failure in 200 runs leaves room for 2.6 %: 1 − 0.005^(1/200).
        assert!(errors.base.is_some_and(|rate| rate.low.to_bits() == 0 && (rate.high - 0.0261).abs() < 1e-3), "{errors:?}");
    }

    #[test]
    fn sides_that_were_not_run_alike_have_no_rates() {
        let unlike = Failures { not_comparable: Some("another clock".into()), ..failures() };
        assert!(absolute_rates(&unlike, 0.01).iter().all(|rate| rate.base.is_none() && rate.head.is_none()));
        assert_eq!(absolute_rates(&Failures::default(), 0.01)[0].head, None, "nothing ran");
    }
}
