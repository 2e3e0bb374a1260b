//! Allocations per iteration of one side: the difference of two runs whose numbers of iterations are known.

use std::time::Duration;

use super::counter::{AllocationCounter, Totals};
use crate::measure::harness::{Harness, HarnessError, Side};
use crate::measure::{LiveRunner, MetricResult, Workload};
use crate::process::{Finished, Launch, Limits, ProcessError, run};
use crate::stats::{Outcome, median};
use crate::workspace::Linkage;

/// What was counted per iteration (per process for whole programs), once per repeat.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    /// Allocations.
    pub calls: Vec<f64>,
    /// Bytes asked for.
    pub bytes: Vec<f64>,
}

/// Repeats, to see whether the counts vary: hash seeds and threads make them.
const REPEATS: usize = 3;
/// A side that has taken longer than this is not repeated.
const LONG: Duration = Duration::from_secs(3);
/// A run that takes longer than this is given up: under a clock of steps a waiting program may wait for ever.
const TOO_LONG: Duration = Duration::from_secs(15);

/// Seconds by which a question for the time moves the clock: longer than any warm-up (criterion's own default is 3 s), so that
/// the warm-up is one iteration, which then seems to take three steps.
const STEP: u32 = 10;
/// Measurement times, in seconds of that clock, of two runs that differ by nothing but their iterations. First 20 and 30
/// (criterion samples flatly: 10 batches of 2 and of 3); then 55 and 110 (the old linear batches, 1 to 10 and 2 to 20).
pub(in crate::measure) const TIMES: [(u32, u32); 2] = [(450, 700), (1000, 2500)];
/// Criterion asks for the time twice per iteration where it excludes the set-up. More, and the workload itself looks at the clock
/// and may behave in another way when it moves by steps.
pub(in crate::measure) const QUESTIONS: f64 = 2.0;

/// Counts, or says why not. Errors are our own or the user's.
pub fn count(
    runner: &mut LiveRunner<'_>,
    counter: &AllocationCounter,
    workload: &Workload,
    side: &Side,
) -> Result<Result<Counts, String>, HarnessError> {
    if let Some(why) = Linkage::read(&side.executable).and_then(|linkage| unreachable_by_preload(&linkage)) {
        return Ok(Err(why));
    }
    let harness = runner.harness(workload, side)?;
    let mut counting = Counting { runner, counter, workload, side, harness };
    let begun = std::time::Instant::now();
    let mut counts = Counts::default();
    let mut times = TIMES.iter();
    let mut pair = times.next();
    while counts.calls.len() < REPEATS {
        let once = match (harness.counted_launch(workload, side, std::path::Path::new(""), 1), pair) {
            (Some(_), Some(&pair)) => counting.by_difference(pair),
            (None, _) if workload.kind.has_fixed_work() => counting.whole(),
            (None, _) => return Ok(Err("its harness does not tell how many iterations it runs".into())),
            (Some(_), None) => return Ok(Err("the bench sets its own times, so iterations cannot be told from the rest".into())),
        };
        match once {
            Ok(Some((calls, bytes))) => {
                counts.calls.push(calls);
                counts.bytes.push(bytes);
            }
            Ok(None) => pair = times.next(),
            Err(Stop::Unseen(why)) => return Ok(Err(why)),
            Err(Stop::Error(error)) if is_ours(&error) => return Err(error),
            Err(Stop::Error(error)) => return Ok(Err(format!("the counting run failed: {error}"))),
        }
        if begun.elapsed() > LONG && !counts.calls.is_empty() {
            break;
        }
    }
    Ok(Ok(counts))
}

fn unreachable_by_preload(linkage: &Linkage) -> Option<String> {
    if linkage.is_static() {
        return Some("it is statically linked, so its allocator cannot be counted".into());
    }
    linkage.foreign_allocator.map(|name| format!("its allocator is {name}, which does not go through the C library's malloc"))
}

fn is_ours(error: &HarnessError) -> bool {
    matches!(error, HarnessError::Process(ProcessError::Interrupted) | HarnessError::Scratch(_) | HarnessError::Preload(_))
}

/// A smaller relative difference is not worth a word.
const NEGLIGIBLE: f64 = 0.001;

/// Why there is no count.
pub(in crate::measure) enum Stop {
    /// It cannot be seen here; a fragment.
    Unseen(String),
    /// The run failed.
    Error(HarnessError),
}

impl From<HarnessError> for Stop {
    fn from(error: HarnessError) -> Self {
        Self::Error(error)
    }
}

struct Counting<'a, 'r> {
    runner: &'a mut LiveRunner<'r>,
    counter: &'a AllocationCounter,
    workload: &'a Workload,
    side: &'a Side,
    harness: Harness,
}

impl Counting<'_, '_> {
    /// Calls and bytes per iteration; `None` when both runs did the same number of iterations.
    fn by_difference(&mut self, (few, many): (u32, u32)) -> Result<Option<(f64, f64)>, Stop> {
        let ((few, fewer), (many, more)) = (self.counted(few)?, self.counted(many)?);
        let iterations = more - fewer;
        if iterations <= 0.0 {
            return Ok(None);
        }
        let each = |of: fn(&Totals) -> u64| (of(&many) as f64 - of(&few) as f64) / iterations;
        if each(|totals| totals.questions) > QUESTIONS {
            return Err(Stop::Unseen("it looks at the clock itself, so its iterations cannot be counted out".into()));
        }
        Ok(Some((rounded(each(|totals| totals.calls)), rounded(each(|totals| totals.bytes)))))
    }

    fn counted(&mut self, seconds: u32) -> Result<(Totals, f64), Stop> {
        let limits = self.limits();
        let of = (self.workload, self.side);
        stepped(self.runner, self.counter, self.harness, of, seconds, |launch| {
            run(launch, &limits).map_err(|error| Stop::from(HarnessError::from(error)))
        })
    }

    fn whole(&mut self) -> Result<Option<(f64, f64)>, Stop> {
        let scratch = self.runner.fresh_scratch()?;
        let mut launch = self.harness.round_launch(self.workload, self.side, scratch.path())?;
        let sheet = self.counter.apply(&mut launch, 0, scratch.path()).map_err(HarnessError::from)?;
        let finished = run(&launch, &self.limits()).map_err(HarnessError::from)?;
        self.harness.read(self.workload, &finished, scratch.path())?;
        let totals = sheet.totals().ok_or_else(unseen)?;
        Ok(Some((totals.calls as f64, totals.bytes as f64)))
    }

    fn limits(&self) -> Limits {
        let limits = self.runner.limits(self.workload);
        Limits { timeout: limits.timeout.min(TOO_LONG), ..limits }
    }
}

/// What was asked for, and the iterations, of a run while the clock moves by steps until `seconds` of it are over. `run` runs it.
pub(in crate::measure) fn stepped<E: From<Stop>>(
    runner: &LiveRunner<'_>,
    counter: &AllocationCounter,
    harness: Harness,
    (workload, side): (&Workload, &Side),
    seconds: u32,
    run: impl FnOnce(&Launch) -> Result<Finished, E>,
) -> Result<(Totals, f64), E> {
    let of_harness = |error: HarnessError| E::from(error.into());
    let scratch = runner.fresh_scratch().map_err(of_harness)?;
    let launch = harness.counted_launch(workload, side, scratch.path(), seconds);
    let Some(mut launch) = launch else { return Err(Stop::Unseen("its harness does not count".into()).into()) };
    let sheet = counter.apply(&mut launch, STEP, scratch.path()).map_err(|error| of_harness(error.into()))?;
    let finished = run(&launch)?;
    let iterations = harness.counted(workload, &finished, scratch.path()).map_err(of_harness)?;
    Ok((sheet.totals().ok_or_else(unseen)?, iterations))
}

fn unseen() -> Stop {
    Stop::Unseen("it asks the C library's allocator for nothing: it has one of its own, or another loader".into())
}

/// Criterion's own few allocations differ by one or two between runs of different lengths, and are none of the workload's.
fn rounded(each: f64) -> f64 {
    let near = each.round();
    if (each - near).abs() < 0.25 { near.max(0.0) } else { each.max(0.0) }
}

/// Counts of base and head as a metric: exact where they do not vary, else the median and the range of the ratio. `faster` is fewer.
pub fn compare(name: &str, unit: &str, base: &[f64], head: &[f64]) -> MetricResult {
    let (old, new) = (median(base), median(head));
    let end = |values: &[f64], pick: fn(f64, f64) -> f64| values.iter().copied().reduce(pick);
    let ratio = |new: Option<f64>, old: Option<f64>| match (new?, old?) {
        (new, old) if new.to_bits() == old.to_bits() => Some(1.0),
        (new, old) => (old > 0.0).then(|| new / old),
    };
    let low = ratio(end(head, f64::min), end(base, f64::max));
    let high = ratio(end(head, f64::max), end(base, f64::min));
    let known = low.is_some() && high.is_some();
    let beyond =
        |more: Option<f64>, less: Option<f64>| more.zip(less).is_some_and(|(more, less)| more > less * (1.0 + NEGLIGIBLE));
    let more = beyond(end(head, f64::min), end(base, f64::max));
    let fewer = beyond(end(base, f64::min), end(head, f64::max));
    MetricResult {
        name: name.into(),
        unit: unit.into(),
        clock: None,
        base: old,
        head: new,
        ratio: ratio(new, old).filter(|_| known),
        low: low.filter(|_| known),
        high: high.filter(|_| known),
        rounds: base.len().min(head.len()),
        outcome: Some(if more {
            Outcome::Slower
        } else if fewer {
            Outcome::Faster
        } else {
            Outcome::Same
        }),
        note: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_counts_are_the_same_and_more_are_worse() {
        let same = compare("allocations.count", "count", &[101.0; 3], &[101.0; 3]);
        assert_eq!((same.outcome, same.ratio, same.low, same.high), (Some(Outcome::Same), Some(1.0), Some(1.0), Some(1.0)));
        let more = compare("allocations.count", "count", &[100.0; 3], &[110.0; 3]);
        assert_eq!((more.outcome, more.ratio, more.rounds), (Some(Outcome::Slower), Some(1.1), 3));
        let fewer = compare("allocations.count", "count", &[100.0; 3], &[0.0; 3]);
        assert_eq!((fewer.outcome, fewer.ratio), (Some(Outcome::Faster), Some(0.0)));
    }

    #[test]
    fn none_before_and_none_now_is_no_change_but_some_has_no_ratio() {
        let none = compare("allocations.count", "count", &[0.0], &[0.0]);
        assert_eq!((none.outcome, none.ratio), (Some(Outcome::Same), Some(1.0)));
        let some = compare("allocations.count", "count", &[0.0], &[3.0]);
        assert_eq!((some.outcome, some.ratio, some.low, some.high), (Some(Outcome::Slower), None, None, None));
    }

    #[test]
    fn counts_that_vary_have_a_range_and_claim_nothing_where_it_overlaps() {
        let varied = compare("allocations.bytes", "bytes", &[100.0, 104.0, 102.0], &[103.0, 101.0, 105.0]);
        assert_eq!(varied.outcome, Some(Outcome::Same));
        assert!(varied.low.unwrap() < 1.0 && varied.high.unwrap() > 1.0, "{varied:?}");
        let apart = compare("allocations.bytes", "bytes", &[100.0, 104.0, 102.0], &[113.0, 111.0, 115.0]);
        assert_eq!(apart.outcome, Some(Outcome::Slower));
    }

    #[test]
    fn a_stray_allocation_of_the_harness_is_rounded_away() {
        assert!((rounded(100.9) - 101.0).abs() < 1e-9 && rounded(-0.1).abs() < 1e-9);
        assert!((rounded(2.5) - 2.5).abs() < 1e-9);
    }
}
