//! Runs whose numbers of iterations are known, so that what an iteration asks for can be told from what surrounds it.
//!
//! Describes the runs and tells their iterations; what is counted meanwhile is for `allocations`.

use std::path::Path;

use super::{Harness, HarnessError, Side, criterion, divan, error, libtest};
use crate::measure::Workload;
use crate::process::{Finished, Launch};

/// One of several runs. Their sum by weight holds nothing but iterations: what surrounds them cancels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CountedRun {
    /// How often this run counts, with a sign.
    pub weight: f64,
    /// Microseconds by which a question for the time moves the clock; 0: the clock is real.
    pub step: u32,
    given: Given,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Given {
    /// Criterion measures for so many seconds of its clock.
    Seconds(u32),
    /// Divan takes so many samples of so many iterations.
    Samples { count: u32, size: u32 },
    /// Libtest and bencher repeat until so many of their loops are over.
    Loops(u32),
}

/// Longer than any warm-up (criterion's own default is 3 s), so that the warm-up is one iteration, which then seems to take three
/// steps.
const CRITERION_STEP: u32 = 10_000_000;
/// Measurement times of two runs that differ by nothing but their iterations. First 20 and 30 (criterion samples flatly: 10
/// batches of 2 and of 3); then 55 and 110 (the old linear batches, 1 to 10 and 2 to 20).
const CRITERION_TIMES: [[u32; 2]; 2] = [[450, 700], [1000, 2500]];
/// Criterion asks for the time twice per iteration where it excludes the set-up. More, and the workload itself looks at the clock
/// and may behave in another way when it moves by steps.
const CRITERION_QUESTIONS: f64 = 2.0;

/// Samples × iterations each. What a sample costs divan cancels, and eight iterations are left. What grows with samples × iterations
/// does not cancel: bytes of divan's room for an iteration's output (`allocations::bytes_note`).
const DIVAN_RUNS: [(f64, u32, u32); 4] = [(1.0, 4, 1), (-1.0, 12, 1), (-1.0, 4, 2), (1.0, 12, 2)];

/// Loops, and the step with which so many of them exceed libtest's 3 s; a loop costs libtest something of its own, which cancels.
const LIBTEST_RUNS: [(f64, u32, u32); 3] = [(1.0, 1, 20_000), (-2.0, 2, 10_000), (1.0, 3, 6_000)];

impl Harness {
    /// The sets of runs to try, in this order: the next one where a set leaves no iterations. Empty where a harness cannot be told.
    pub fn counted_runs(&self) -> Vec<Vec<CountedRun>> {
        let run = |weight, step, given| CountedRun { weight, step, given };
        match self {
            Self::Criterion(_) => {
                let pair = |[few, many]: [u32; 2]| {
                    vec![run(-1.0, CRITERION_STEP, Given::Seconds(few)), run(1.0, CRITERION_STEP, Given::Seconds(many))]
                };
                CRITERION_TIMES.map(pair).into()
            }
            Self::Divan => {
                vec![DIVAN_RUNS.iter().map(|&(weight, count, size)| run(weight, 0, Given::Samples { count, size })).collect()]
            }
            Self::Libtest | Self::Bencher => {
                vec![LIBTEST_RUNS.iter().map(|&(weight, loops, step)| run(weight, step, Given::Loops(loops))).collect()]
            }
            Self::Gungraun | Self::Process => Vec::new(),
        }
    }

    /// Questions for the time that the harness itself asks per iteration.
    pub fn questions(&self) -> f64 {
        if matches!(self, Self::Criterion(_)) { CRITERION_QUESTIONS } else { 0.0 }
    }

    /// One of the runs of [`Self::counted_runs`].
    pub fn counted_launch(
        &self,
        workload: &Workload,
        side: &Side,
        scratch: &Path,
        run: &CountedRun,
    ) -> Result<Launch, HarnessError> {
        match (self, run.given) {
            (Self::Criterion(dialect), Given::Seconds(seconds)) => Ok(dialect.counted_launch(workload, side, scratch, seconds)),
            (Self::Divan, Given::Samples { count, size }) => Ok(divan::counted_launch(workload, side, count, size)),
            _ => self.round_launch(workload, side, scratch),
        }
    }

    /// Iterations of that run; `None` where the harness did something else than it was told.
    pub fn counted(
        &self,
        workload: &Workload,
        finished: &Finished,
        scratch: &Path,
        run: &CountedRun,
    ) -> Result<Option<f64>, HarnessError> {
        error::check_status(workload, finished)?;
        match run.given {
            Given::Seconds(_) => criterion::iterations(&criterion::home(scratch), &workload.harness_id).map(Some),
            Given::Samples { .. } => divan::iterations(workload, finished),
            Given::Loops(loops) => libtest::iterations(workload, finished, loops, run.step),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_run_and_each_sample_and_each_loop_costs_cancels() {
        let divan = |of: fn(f64, f64) -> f64| {
            DIVAN_RUNS.iter().map(|&(weight, count, size)| weight * of(f64::from(count), f64::from(size))).sum::<f64>()
        };
        for of in [|_, _| 1.0, |count, _| count, |_, size| size] {
            assert!(divan(of).abs() < 1e-9);
        }
        assert!((divan(|count, size| count * size) - 8.0).abs() < 1e-9);
        let libtest = |of: fn(u32) -> f64| LIBTEST_RUNS.iter().map(|&(weight, loops, _)| weight * of(loops)).sum::<f64>();
        assert!(libtest(|_| 1.0).abs() < 1e-9 && libtest(f64::from).abs() < 1e-9);
        assert!((libtest(libtest::iterations_of) - 600.0).abs() < 1e-9);
    }
}
