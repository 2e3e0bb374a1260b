//! Instructions of a fixed amount of work on both sides, by the processor's own counter: the second witness where there is one.
//!
//! A count is of the whole process. Of a criterion benchmark, two runs that differ by nothing but their known numbers of
//! iterations give one iteration by difference; of a program that does the same work each time the process itself is counted; the
//! other harnesses choose their iterations by the clock, and nothing is counted. Decides nothing.

use std::time::{Duration, Instant};

use super::LiveRunner;
use super::allocations::{AllocationCounter, Stop, Totals, by_difference, counted_once};
use super::harness::{CountedRun, Harness, HarnessError, Side};
use super::workload::Workload;
use crate::process::Limits;
use crate::sample::counter::{CountError, Event, run_counted};

/// Pairs of runs, base and head in turn.
const PAIRS: usize = 5;

/// Counts of both sides, one per pair.
#[derive(Debug, Clone, PartialEq)]
pub struct InstructionPairs {
    /// "one iteration" or "the whole process".
    pub what: &'static str,
    /// Base.
    pub base: Vec<f64>,
    /// Head.
    pub head: Vec<f64>,
}

/// Why nothing was counted; a fragment.
#[derive(Debug, thiserror::Error)]
pub enum InstructionsError {
    /// The harness runs as many iterations as fit in a time.
    #[error("its harness does not run a known number of iterations")]
    UnknownWork,
    /// Both runs did the same number of iterations, or more iterations took no more instructions.
    #[error("its iterations cannot be told from the rest")]
    Indistinct,
    /// Whole programs that take long.
    #[error("{PAIRS} pairs of runs take longer than {} s", .0.as_secs())]
    TooSlow(Duration),
    /// The counter.
    #[error(transparent)]
    Count(#[from] CountError),
    /// The workload.
    #[error(transparent)]
    Harness(#[from] HarnessError),
    /// What makes criterion's iterations known.
    #[error("{0}")]
    Unseen(String),
}

impl From<Stop> for InstructionsError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Unseen(why) => Self::Unseen(why),
            Stop::Error(error) => error.into(),
        }
    }
}

/// Counts both sides of a workload in pairs of runs, all of them within the time for one (`limits`). `counter` is the library whose clock makes criterion's iterations known.
pub fn instruction_pairs(
    runner: &mut LiveRunner<'_>,
    counter: Result<&AllocationCounter, &str>,
    workload: &Workload,
    sides: (&Side, &Side),
    limits: Limits,
    event: Event,
) -> Result<InstructionPairs, InstructionsError> {
    let mut pairs = InstructionPairs { what: "", base: Vec::new(), head: Vec::new() };
    let start = Instant::now();
    for pair in 0..PAIRS {
        if pair > 0 && start.elapsed() * PAIRS as u32 > limits.timeout * pair as u32 {
            return Err(InstructionsError::TooSlow(limits.timeout));
        }
        let mut of = |side: &Side| Counting { runner: &mut *runner, counter, workload, side, limits, event }.once();
        let (base, head) = if pair % 2 == 0 {
            let base = of(sides.0)?;
            (base, of(sides.1)?)
        } else {
            let head = of(sides.1)?;
            (of(sides.0)?, head)
        };
        pairs.what = base.0;
        pairs.base.push(base.1);
        pairs.head.push(head.1);
    }
    Ok(pairs)
}

struct Counting<'a, 'r> {
    runner: &'a mut LiveRunner<'r>,
    counter: Result<&'a AllocationCounter, &'a str>,
    workload: &'a Workload,
    side: &'a Side,
    limits: Limits,
    event: Event,
}

impl Counting<'_, '_> {
    fn once(&mut self) -> Result<(&'static str, f64), InstructionsError> {
        let harness = self.runner.harness(self.workload, self.side)?;
        if matches!(harness, Harness::Criterion(_)) {
            Ok(("one iteration", self.iteration(harness)?))
        } else if self.workload.kind.has_fixed_work() {
            Ok(("the whole process", self.process(harness)?))
        } else {
            Err(InstructionsError::UnknownWork)
        }
    }

    fn process(&mut self, harness: Harness) -> Result<f64, InstructionsError> {
        let scratch = self.runner.fresh_scratch()?;
        let launch = harness.round_launch(self.workload, self.side, scratch.path())?;
        let (finished, count) = run_counted(&launch, &self.limits, self.event)?;
        harness.read(self.workload, &finished, scratch.path())?;
        Ok(count as f64)
    }

    fn iteration(&mut self, harness: Harness) -> Result<f64, InstructionsError> {
        for set in harness.counted_runs() {
            if let Some(between) = by_difference(&set, harness, |run| self.counted(harness, run))? {
                let count = between.each(|_, count| *count as f64);
                return if count > 0.0 { Ok(count) } else { Err(InstructionsError::Indistinct) };
            }
        }
        Err(InstructionsError::Indistinct)
    }

    /// What was asked for in how many iterations, and the count.
    fn counted(&mut self, harness: Harness, run: &CountedRun) -> Result<((Totals, f64), u64), InstructionsError> {
        let counter = self.counter.map_err(|why| InstructionsError::Unseen(why.to_owned()))?;
        let (limits, event) = (self.limits, self.event);
        let mut count = None;
        let counting = |launch: &crate::process::Launch| {
            let (finished, counted) = run_counted(launch, &limits, event)?;
            count = Some(counted);
            Ok::<_, InstructionsError>(finished)
        };
        let counted = counted_once(self.runner, counter, harness, (self.workload, self.side), run, counting)?;
        Ok((counted, count.ok_or(CountError::Shared)?))
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
