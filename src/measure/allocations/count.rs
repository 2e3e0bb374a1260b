//! Allocations per iteration of one side: the difference of two runs whose numbers of iterations are known.

use std::time::Duration;

use super::counter::{AllocationCounter, Totals};
use crate::measure::harness::{CountedRun, Harness, HarnessError, Side};
use crate::measure::{LiveRunner, MetricResult, Workload, WorkloadKind};
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
    /// Bytes of the largest live heap within the shortest of the runs, harness and set-up included.
    pub peak: Vec<f64>,
}

/// How much a count may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Repeats, to see whether the counts vary: hash seeds and threads make them.
    pub repeats: usize,
    /// A run that takes longer than this is given up: under a clock of steps a waiting program may wait for ever.
    pub longest: Duration,
}

impl Effort {
    /// For a comparison.
    pub const THOROUGH: Self = Self { repeats: 3, longest: Duration::from_secs(15) };
    /// For a baseline, whose counts are never compared with.
    pub const ONCE: Self = Self { repeats: 1, longest: Duration::from_secs(3) };
}

/// A side that has taken longer than this is not repeated.
const LONG: Duration = Duration::from_secs(3);
/// Counts, or says why not. Errors are our own or the user's.
pub fn count(
    runner: &mut LiveRunner<'_>,
    counter: &AllocationCounter,
    workload: &Workload,
    side: &Side,
    effort: Effort,
) -> Result<Result<Counts, String>, HarnessError> {
    if let Some(why) = Linkage::read(&side.executable).and_then(|linkage| unreachable_by_preload(&linkage)) {
        return Ok(Err(why));
    }
    let harness = runner.harness(workload, side)?;
    let sets = harness.counted_runs();
    if sets.is_empty() && !workload.kind.has_fixed_work() {
        return Ok(Err("its harness does not tell how many iterations it runs".into()));
    }
    let whole = sets.is_empty();
    let mut sets = sets.iter();
    let mut set = sets.next();
    let mut counting = Counting { runner, counter, workload, side, harness, longest: effort.longest };
    let begun = std::time::Instant::now();
    let mut counts = Counts::default();
    while counts.calls.len() < effort.repeats {
        let once = match set {
            _ if whole => counting.whole(),
            Some(set) => counting.by_difference(set),
            None => return Ok(Err("the bench sets its own times, so iterations cannot be told from the rest".into())),
        };
        match once {
            Ok(Some(each)) => {
                counts.calls.push(each.calls);
                counts.bytes.push(each.bytes);
                counts.peak.push(each.peak);
            }
            Ok(None) => set = sets.next(),
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
    longest: Duration,
}

/// What one repeat showed.
struct Each {
    calls: f64,
    bytes: f64,
    peak: f64,
}

impl Counting<'_, '_> {
    /// Per iteration; `None` when the runs did not differ by their iterations.
    fn by_difference(&mut self, set: &[CountedRun]) -> Result<Option<Each>, Stop> {
        let mut runs = Vec::new();
        for run in set {
            let (totals, iterations) = self.counted(run)?;
            runs.push((run.weight, totals, iterations));
        }
        let iterations: f64 = runs.iter().map(|(weight, _, iterations)| weight * iterations).sum();
        if iterations <= 0.0 {
            return Ok(None);
        }
        let each =
            |of: fn(&Totals) -> u64| runs.iter().map(|(weight, totals, _)| weight * of(totals) as f64).sum::<f64>() / iterations;
        if each(|totals| totals.questions).abs() > self.harness.questions() {
            return Err(Stop::Unseen("it looks at the clock itself, so its iterations cannot be counted out".into()));
        }
        let shortest = runs.iter().min_by(|a, b| a.2.total_cmp(&b.2)).map_or(0, |(_, totals, _)| totals.peak);
        Ok(Some(Each {
            calls: rounded(each(|totals| totals.calls)),
            bytes: rounded(each(|totals| totals.bytes)),
            peak: shortest as f64,
        }))
    }

    fn counted(&mut self, run: &CountedRun) -> Result<(Totals, f64), Stop> {
        let limits = self.limits();
        let of = (self.workload, self.side);
        counted_once(self.runner, self.counter, self.harness, of, run, |launch| within(launch, &limits))
    }

    fn whole(&mut self) -> Result<Option<Each>, Stop> {
        let scratch = self.runner.fresh_scratch()?;
        let mut launch = self.harness.round_launch(self.workload, self.side, scratch.path())?;
        let sheet = self.counter.apply(&mut launch, 0, scratch.path()).map_err(HarnessError::from)?;
        let finished = within(&launch, &self.limits())?;
        self.harness.read(self.workload, &finished, scratch.path())?;
        let totals = sheet.totals().ok_or_else(unseen)?;
        Ok(Some(Each { calls: totals.calls as f64, bytes: totals.bytes as f64, peak: totals.peak as f64 }))
    }

    fn limits(&self) -> Limits {
        let limits = self.runner.limits(self.workload);
        Limits { timeout: limits.timeout.min(self.longest), ..limits }
    }
}

fn within(launch: &Launch, limits: &Limits) -> Result<Finished, Stop> {
    Ok(run(launch, limits).map_err(HarnessError::from)?)
}

/// What was asked for in a run whose iterations are known, and these. `run` runs it.
pub(in crate::measure) fn counted_once<E: From<Stop>>(
    runner: &LiveRunner<'_>,
    counter: &AllocationCounter,
    harness: Harness,
    (workload, side): (&Workload, &Side),
    counted: &CountedRun,
    run: impl FnOnce(&Launch) -> Result<Finished, E>,
) -> Result<(Totals, f64), E> {
    let of_harness = |error: HarnessError| E::from(error.into());
    let scratch = runner.fresh_scratch().map_err(of_harness)?;
    let mut launch = harness.counted_launch(workload, side, scratch.path(), counted).map_err(of_harness)?;
    let sheet = counter.apply(&mut launch, counted.step, scratch.path()).map_err(|error| of_harness(error.into()))?;
    let finished = run(&launch)?;
    let iterations = harness.counted(workload, &finished, scratch.path(), counted).map_err(of_harness)?;
    let iterations =
        iterations.ok_or_else(|| Stop::Unseen("its harness does not count out its iterations as expected".into()))?;
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

/// What the harness keeps of names and paths moves a peak by bytes: neither this many nor this share is a difference.
const SLACK: f64 = 4096.0;
const SLACK_SHARE: f64 = 0.01;

/// Largest live heaps of base and head as a metric: what [`compare`] says, but small differences are none.
pub fn compare_peaks(base: &[f64], head: &[f64]) -> MetricResult {
    let compared = compare("allocations.peak", "bytes", base, head);
    let near = compared
        .base
        .zip(compared.head)
        .is_some_and(|(old, new)| (new - old).abs() <= SLACK || (new - old).abs() <= SLACK_SHARE * old);
    let outcome = if near { Some(Outcome::Same) } else { compared.outcome };
    MetricResult { outcome, note: Some(PEAK.into()), ..compared }
}

/// What the bytes of an iteration hold beside the workload's own; `None` where nothing.
pub fn bytes_note(kind: WorkloadKind) -> Option<&'static str> {
    (kind == WorkloadKind::Divan).then_some("with the room that divan makes for an iteration's input and output")
}

/// What a peak is.
pub const PEAK: &str = "largest live heap within one short run, harness and set-up included";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_that_differ_by_what_a_path_takes_are_the_same() {
        assert_eq!(compare_peaks(&[20_000.0], &[20_400.0]).outcome, Some(Outcome::Same));
        assert_eq!(compare_peaks(&[1e9], &[1.009e9]).outcome, Some(Outcome::Same));
        assert_eq!(compare_peaks(&[20_000.0; 3], &[40_000.0; 3]).outcome, Some(Outcome::Slower));
        assert_eq!(compare_peaks(&[40_000.0; 3], &[20_000.0; 3]).outcome, Some(Outcome::Faster));
    }

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
