//! Peak memory of programs that are smaller than this tool, in runs of their own: base and head in turn, each looked at as it exits.

use std::time::{Duration, Instant};

use super::absolute::Absolute;
use super::harness::{HarnessError, Side};
use super::order::Role;
use super::round::Job;
use super::{LiveRunner, MetricResult, Workload};
use crate::stats::estimate::{log_ratios, median_interval};
use crate::stats::{Margins, Plan, decide, median};

/// The metric's name.
pub const PEAK_RSS: &str = "memory.peak_rss";
/// Under which it is said that it was not measured.
pub const MEMORY: &str = "memory";

/// Pairs: the fewest that have an interval of 99 %.
const PAIRS: usize = 8;
/// Beyond this, three pairs must do, without an interval.
const LONG: Duration = Duration::from_secs(10);
const FEWEST: usize = 3;
/// Peak memory moves in pages and arenas: less than this is no change (`reference/measurement.md` §5.2).
pub(super) const GRAIN: f64 = 256.0 * 1024.0;

/// What was measured of both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct Peaks {
    /// The comparison.
    pub metric: MetricResult,
    /// Each side for itself.
    pub absolute: Absolute,
}

/// Measures, or says why not. `delta` is the smallest change that counts.
pub fn peaks(runner: &mut LiveRunner<'_>, job: &Job, delta: f64) -> Result<Result<Peaks, String>, HarnessError> {
    let (mut bases, mut heads) = (Vec::new(), Vec::new());
    let begun = Instant::now();
    for pair in 0..PAIRS {
        if pair >= FEWEST && begun.elapsed() > LONG {
            break;
        }
        let roles = if pair % 2 == 0 { [Role::Base, Role::Head] } else { [Role::Head, Role::Base] };
        for role in roles {
            match peak_of(runner, &job.workload, job.side(role))? {
                Ok(peak) if role == Role::Base => bases.push(peak),
                Ok(peak) => heads.push(peak),
                Err(why) => return Ok(Err(why)),
            }
        }
    }
    Ok(Ok(compared(job.workload.kind.has_fixed_work(), &bases, &heads, delta)))
}

fn compared(is_whole: bool, bases: &[f64], heads: &[f64], delta: f64) -> Peaks {
    let alpha = Plan::default().look_alpha();
    let base = median(bases);
    let margin = base.map_or(delta, |base| delta.max(GRAIN / base.max(1.0)));
    let ratios = log_ratios(bases.iter().copied().zip(heads.iter().copied()));
    let decision = decide(&ratios, &[], Margins::with_delta(margin), alpha);
    let effect = decision.effect.map(|effect| effect.exp());
    let what = if is_whole { "in runs of its own" } else { "in runs of its own of one iteration, harness included" };
    let metric = MetricResult {
        name: PEAK_RSS.into(),
        unit: "bytes".into(),
        clock: None,
        base,
        head: median(heads),
        ratio: median(&ratios).map(f64::exp),
        low: effect.map(|effect| effect.low),
        high: effect.map(|effect| effect.high),
        rounds: ratios.len(),
        outcome: effect.map(|_| decision.outcome),
        note: Some(what.into()),
    };
    let absolute = Absolute { metric: PEAK_RSS.into(), base: median_interval(bases, alpha), head: median_interval(heads, alpha) };
    Peaks { metric, absolute }
}

/// The peak of one run of a side, bytes.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn peak_of(runner: &mut LiveRunner<'_>, workload: &Workload, side: &Side) -> Result<Result<f64, String>, HarnessError> {
    use crate::process::traced::{TraceError, run_for_peak};
    let harness = runner.harness(workload, side)?;
    let scratch = runner.fresh_scratch()?;
    let launch = harness.test_launch(workload, side, scratch.path());
    Ok(match run_for_peak(&launch, &runner.limits(workload)) {
        Ok((finished, Some(peak))) if finished.success() => Ok(peak as f64),
        Ok((finished, _)) => Err(format!("the run that was looked at ended with {}", finished.outcome())),
        Err(TraceError::Process(error @ crate::process::ProcessError::Interrupted)) => return Err(error.into()),
        Err(error) => Err(format!("it takes less than this tool itself, and {error}, so nobody can look at it as it exits")),
    })
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn peak_of(_runner: &mut LiveRunner<'_>, _workload: &Workload, _side: &Side) -> Result<Result<f64, String>, HarnessError> {
    Ok(Err("it takes less than this tool itself, and of so little the kernel does not tell whose it was".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Outcome;

    const MIB: f64 = 1024.0 * 1024.0;

    fn sides(base: f64, head: f64) -> Peaks {
        let around = |mib: f64| (0..PAIRS).map(|n| mib * MIB + 4096.0 * (n % 3) as f64).collect::<Vec<_>>();
        compared(true, &around(base), &around(head), 0.02)
    }

    #[test]
    fn a_peak_that_grew_by_more_than_a_page_is_worse_and_one_that_did_not_is_the_same() {
        assert_eq!(sides(3.0, 12.0).metric.outcome, Some(Outcome::Slower));
        assert_eq!(sides(12.0, 3.0).metric.outcome, Some(Outcome::Faster));
        let same = sides(3.0, 3.0);
        assert_eq!((same.metric.outcome, same.metric.rounds), (Some(Outcome::Same), PAIRS));
        assert!(same.absolute.base.is_some() && same.absolute.head.is_some());
    }

    #[test]
    fn three_pairs_have_medians_and_no_judgement() {
        let few = compared(false, &[3.0 * MIB; 3], &[9.0 * MIB; 3], 0.02);
        assert_eq!((few.metric.outcome, few.metric.low), (None, None));
        assert!((few.metric.ratio.unwrap() - 3.0).abs() < 1e-9 && few.metric.note.unwrap().contains("harness"));
    }
}
