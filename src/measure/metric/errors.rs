//! The share of processes that failed: for programs that are run as they are, an exit status is a result.

use super::MetricResult;
use crate::measure::round::{Failures, Job};

/// Failed runs ÷ runs. Whole programs always have it; benchmarks when something failed. The judgement is
/// [`Failures::head_only`]'s, so there is none here.
pub(in crate::measure) fn error_rate(job: &Job, complete: usize, attempted: usize, failures: &Failures) -> Option<MetricResult> {
    let worth_saying = job.workload.kind.has_fixed_work() || failures.base + failures.head > 0;
    if attempted == 0 || !worth_saying {
        return None;
    }
    let rate = |failed: usize, runs: usize| Some(failed as f64 / runs as f64);
    Some(MetricResult {
        name: "error_rate".into(),
        unit: "fraction".into(),
        clock: None,
        // Base runs twice in each round: its copy is the control.
        base: rate(failures.base, 2 * attempted),
        head: rate(failures.head, attempted),
        ratio: None,
        low: None,
        high: None,
        rounds: complete,
        outcome: None,
        note: None,
    })
}
