//! Allocations per iteration of one side: the difference of two runs whose numbers of iterations are known.

use std::path::Path;
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
    if let Some(why) = out_of_reach(&side.executable) {
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

/// Why the allocator of an executable is not the C library's; `None` where it is, as far as can be seen.
pub(super) fn out_of_reach(executable: &Path) -> Option<String> {
    Linkage::read(executable).and_then(|linkage| unreachable_by_preload(&linkage))
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
        let harness = self.harness;
        let Some(between) = by_difference(set, harness, |run| Ok::<_, Stop>((self.counted(run)?, ())))? else {
            return Ok(None);
        };
        let each = |of: fn(&Totals) -> u64| between.each(|totals, ()| of(totals) as f64);
        let (calls, bytes) = without_stray(each(|totals| totals.calls), each(|totals| totals.bytes), between.iterations);
        Ok(Some(Each { calls, bytes, peak: between.shortest().map_or(0, |totals| totals.peak) as f64 }))
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

/// Runs of one set, weighed so that what surrounds their iterations cancels. `T` is what else was counted of a run.
pub(in crate::measure) struct Difference<T> {
    runs: Vec<(f64, (Totals, f64), T)>,
    /// Iterations between them, more than zero.
    pub(in crate::measure) iterations: f64,
}

impl<T> Difference<T> {
    /// Of one iteration.
    pub(in crate::measure) fn each(&self, of: impl Fn(&Totals, &T) -> f64) -> f64 {
        self.runs.iter().map(|(weight, (totals, _), more)| weight * of(totals, more)).sum::<f64>() / self.iterations
    }

    /// What was asked for in the run of the fewest iterations.
    fn shortest(&self) -> Option<&Totals> {
        self.runs.iter().map(|(_, counted, _)| counted).min_by(|a, b| a.1.total_cmp(&b.1)).map(|(totals, _)| totals)
    }
}

/// Counts the runs of a set. `None` when they did not differ by their iterations.
pub(in crate::measure) fn by_difference<T, E: From<Stop>>(
    set: &[CountedRun],
    harness: Harness,
    mut count: impl FnMut(&CountedRun) -> Result<((Totals, f64), T), E>,
) -> Result<Option<Difference<T>>, E> {
    let mut runs = Vec::new();
    for run in set {
        let (counted, more) = count(run)?;
        runs.push((run.weight, counted, more));
    }
    let iterations: f64 = runs.iter().map(|(weight, (_, iterations), _)| weight * iterations).sum();
    let between = Difference { runs, iterations };
    if iterations <= 0.0 {
        return Ok(None);
    }
    if between.each(|totals, _| totals.questions as f64).abs() > harness.questions() {
        return Err(Stop::Unseen("it looks at the clock itself, so its iterations cannot be counted out".into()).into());
    }
    Ok(Some(between))
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

/// One allocation of the harness's own more or less between runs of different lengths is none of the workload's. Two are: of
/// criterion's ten iterations, that is every fifth.
const STRAY: f64 = 1.5;

/// Allocations and bytes of one iteration, without what is stray.
fn without_stray(calls: f64, bytes: f64, iterations: f64) -> (f64, f64) {
    let whole = calls.round().max(0.0);
    if (calls - whole).abs() > (STRAY / iterations).min(0.25) {
        return (calls.max(0.0), bytes.max(0.0));
    }
    // Where each iteration makes the same allocations, what is left of a byte is the stray one's.
    let near = bytes.round();
    let bytes = if whole == 0.0 {
        0.0
    } else if (bytes - near).abs() < 0.25 {
        near
    } else {
        bytes
    };
    (whole, bytes.max(0.0))
}

/// Counts of base and head as a metric, judged where both repeat exactly; `faster` is fewer.
///
/// Counts that vary (hash seeds, threads), or that nobody saw twice, have medians and no more: three against three lie apart by
/// chance in one of ten comparisons of equal sides, and their ends are no interval of anything.
pub fn compare(name: &str, unit: &str, base: &[f64], head: &[f64]) -> MetricResult {
    let (old, new) = (median(base), median(head));
    let ratio = old.zip(new).and_then(
        |(old, new)| {
            if new.to_bits() == old.to_bits() { Some(1.0) } else { (old > 0.0).then(|| new / old) }
        },
    );
    let exact = repeats_within(base, 0.0) && repeats_within(head, 0.0);
    let beyond = |more: f64, less: f64| more > less * (1.0 + NEGLIGIBLE);
    let outcome = old.zip(new).filter(|_| exact).map(|(old, new)| match (beyond(new, old), beyond(old, new)) {
        (true, _) => Outcome::Slower,
        (_, true) => Outcome::Faster,
        _ => Outcome::Same,
    });
    MetricResult {
        name: name.into(),
        unit: unit.into(),
        clock: None,
        base: old,
        head: new,
        ratio,
        low: ratio.filter(|_| exact),
        high: ratio.filter(|_| exact),
        rounds: base.len().min(head.len()),
        outcome,
        note: None,
    }
}

/// True when there are several counts, no further apart than this.
fn repeats_within(counts: &[f64], slack: f64) -> bool {
    let end = |pick: fn(f64, f64) -> f64| counts.iter().copied().reduce(pick);
    let apart = end(f64::max).zip(end(f64::min)).map(|(most, least)| most - least);
    counts.len() > 1 && apart.is_some_and(|apart| apart <= slack)
}

/// What the harness keeps of names and paths moves a peak by bytes: neither this many nor this share is a difference.
const SLACK: f64 = 4096.0;
const SLACK_SHARE: f64 = 0.01;

/// Largest live heaps of base and head as a metric: what [`compare`] says, but small differences are none, neither between the
/// sides nor between the repeats of one.
pub fn compare_peaks(base: &[f64], head: &[f64]) -> MetricResult {
    let compared = compare("allocations.peak", "bytes", base, head);
    let outcome = compared.base.zip(compared.head).and_then(|(old, new)| {
        let slack = SLACK.max(SLACK_SHARE * old);
        let repeated = repeats_within(base, slack) && repeats_within(head, slack);
        repeated.then_some(match new - old {
            more if more > slack => Outcome::Slower,
            fewer if fewer < -slack => Outcome::Faster,
            _ => Outcome::Same,
        })
    });
    MetricResult { outcome, note: Some(PEAK.into()), ..compared }
}

/// What the allocations of an iteration hold beside the timed part; what the harness asks for around its iterations cancels between
/// two runs of different lengths. `None` where there is nothing but the timed part.
pub fn count_note(kind: WorkloadKind) -> Option<&'static str> {
    match kind {
        WorkloadKind::Criterion => {
            Some("with the set-up of each iteration (`iter_batched`); what the harness asks for is taken off")
        }
        WorkloadKind::Divan => Some("with the set-up of each iteration (`with_inputs`); what the harness asks for is taken off"),
        WorkloadKind::Bench | WorkloadKind::Binary => Some("of the whole process, its start included"),
        WorkloadKind::Libtest | WorkloadKind::Bencher | WorkloadKind::Gungraun => None,
    }
}

/// What the bytes of an iteration hold beside the workload's own; `None` where nothing.
pub fn bytes_note(kind: WorkloadKind) -> Option<&'static str> {
    if kind == WorkloadKind::Divan {
        return Some("with the set-up of each iteration and the room that divan makes for its input and output");
    }
    count_note(kind)
}

/// What a peak is.
pub const PEAK: &str = "largest live heap within one short run, harness and set-up included";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_that_differ_by_what_a_path_takes_are_the_same() {
        assert_eq!(compare_peaks(&[20_000.0, 20_009.0], &[20_400.0; 2]).outcome, Some(Outcome::Same));
        assert_eq!(compare_peaks(&[1e9; 3], &[1.009e9; 3]).outcome, Some(Outcome::Same));
        let more = compare_peaks(&[20_000.0, 20_000.0, 20_016.0], &[40_000.0; 3]);
        assert_eq!((more.outcome, more.low, more.high), (Some(Outcome::Slower), None, None));
        assert_eq!(compare_peaks(&[40_000.0; 3], &[20_000.0; 3]).outcome, Some(Outcome::Faster));
    }

    #[test]
    fn peaks_that_vary_or_were_seen_once_are_not_judged() {
        assert_eq!(compare_peaks(&[20_000.0], &[20_000.0]).outcome, None);
        assert_eq!(compare_peaks(&[20_000.0, 30_000.0, 25_000.0], &[80_000.0; 3]).outcome, None);
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
        let none = compare("allocations.count", "count", &[0.0; 3], &[0.0; 3]);
        assert_eq!((none.outcome, none.ratio), (Some(Outcome::Same), Some(1.0)));
        let some = compare("allocations.count", "count", &[0.0; 3], &[3.0; 3]);
        assert_eq!((some.outcome, some.ratio, some.low, some.high), (Some(Outcome::Slower), None, None, None));
    }

    #[test]
    fn counts_that_vary_or_were_seen_once_are_not_judged_and_have_no_interval() {
        let varied = [100.0, 104.0, 102.0];
        for (base, head) in [(&varied[..], &[113.0, 111.0, 115.0][..]), (&varied, &[113.0; 3]), (&[113.0; 3], &varied)] {
            let apart = compare("allocations.bytes", "bytes", base, head);
            assert_eq!((apart.outcome, apart.low, apart.high), (None, None, None));
            assert!(apart.base.is_some() && apart.head.is_some() && apart.ratio.is_some());
        }
        for (base, head) in [(&[100.0][..], &[190.0][..]), (&[100.0; 3], &[190.0]), (&[100.0], &[100.0; 3])] {
            let once = compare("allocations.count", "count", base, head);
            assert_eq!((once.outcome, once.low, once.high), (None, None, None));
        }
    }

    #[test]
    fn a_stray_allocation_of_the_harness_is_taken_away() {
        assert_eq!(without_stray(101.0 - 1.0 / 900.0, 4040.0 - 40.0 / 900.0, 900.0), (101.0, 4040.0));
        assert_eq!(without_stray(-1.0 / 50.0, -3.0, 50.0), (0.0, 0.0));
        assert_eq!(without_stray(1.0 / 10.0, 6.0, 10.0), (0.0, 0.0), "one in ten iterations may be the harness's");
    }

    #[test]
    fn what_only_some_iterations_allocate_is_not_taken_for_stray() {
        for iterations in [10.0, 100.0, 1e6] {
            assert_eq!(without_stray(0.2, 12.8, iterations), (0.2, 12.8));
            assert_eq!(without_stray(7.2, 71.1, iterations), (7.2, 71.1));
        }
        assert_eq!(without_stray(0.001, 0.064, 1e6), (0.001, 0.064));
    }
}
