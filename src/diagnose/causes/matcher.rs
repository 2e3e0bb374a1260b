//! From joined profiles and counters to the causes that a workload's time goes into.
//!
//! Pure. One sample counts once per cause and for one cause only: that of the highest level, then the one whose frame is nearest to
//! the leaf, then the first of the catalogue. A stack without an owner in the workspace counts for none: there is nothing to edit.

use std::collections::{BTreeMap, HashMap};

use super::catalogue::{CATALOGUE, Catalogue};
use super::entry::{Counter, Entry};
use super::gain::Gain;
use super::marks::Set;
use super::tally::{Tally, tally};
use crate::diagnose::{Part, Time, Work};
use crate::heat::{Joined, Share};
use crate::profile::Engine;

/// Nothing below this share of the work time is worth advice (`evidence-rules.md` §4.2).
const LEAST: f64 = 0.03;

/// So many times the noise floor a share must be, so that what a fix brings can be seen.
const ABOVE_NOISE: f64 = 2.0;

/// What is known of a workload.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Stacks of running threads.
    pub cpu: Option<&'a Joined<'a>>,
    /// Counters of the same runs; without them shares are of the CPU samples, and causes that need counters are not found.
    pub work: Option<&'a Work>,
    /// Smallest change of the workload that this machine shows, as a fraction; `None` where nobody knows.
    pub noise: Option<f64>,
}

/// A cause that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Cause {
    /// What is known about it.
    pub entry: &'static Entry,
    /// Its share of the work time, over all owners.
    pub share: Share,
    /// Who in the workspace it is spent for, most first.
    pub owners: Vec<CauseOwner>,
    /// The functions that gave it away, most samples first.
    pub functions: Vec<String>,
    /// From what fitted to the first owner's caller, leaf first, as seen most.
    pub stack: Vec<StackLine>,
    /// What a fix can bring.
    pub gain: Gain,
    /// True when the shares are of the work time; false when of the CPU samples only, as nobody counted the rest.
    pub of_work_time: bool,
    /// Share of the work time from which anything is said of this workload.
    pub threshold: f64,
}

/// A workspace item that time is spent for.
#[derive(Debug, Clone, PartialEq)]
pub struct CauseOwner {
    /// Its path.
    pub item: String,
    /// Its file, relative to the repository root.
    pub file: String,
    /// Line of its keyword.
    pub line: u32,
    /// Its part of the cause, a share of the work time.
    pub share: Share,
}

/// A frame as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackLine {
    /// Normalized function name.
    pub function: String,
    /// File, relative to the repository root where it is in it.
    pub file: Option<String>,
    /// Line.
    pub line: Option<u32>,
    /// Inlined into the next.
    pub inlined: bool,
}

impl Cause {
    /// Impact over effort, to order by.
    pub fn rank(&self) -> f64 {
        let (low, high) = self.entry.recoverable;
        self.share.share * f64::midpoint(low, high) / self.entry.effort.weight()
    }
}

/// Every cause with a share that is worth advice, best ratio of impact to effort first.
pub fn causes(subject: &Subject<'_>) -> Vec<Cause> {
    of(subject, &CATALOGUE)
}

fn of(subject: &Subject<'_>, catalogue: &'static Catalogue) -> Vec<Cause> {
    let Some(joined) = subject.cpu else { return Vec::new() };
    let (part, of_work_time) = part(joined, subject.work);
    let mut by_entry: BTreeMap<usize, Vec<(u32, Tally<'_>)>> = BTreeMap::new();
    for ((entry, owner), tally) in tally(joined, None, open(subject.work, catalogue), catalogue) {
        by_entry.entry(entry).or_default().push((owner, tally));
    }
    let threshold = LEAST.max(ABOVE_NOISE * subject.noise.unwrap_or(0.0));
    let cause = |(at, mut owners): (usize, Vec<(u32, Tally<'_>)>)| {
        let entry = catalogue.entries.get(at)?;
        owners.sort_by(|a, b| b.1.count.cmp(&a.1.count).then(a.0.cmp(&b.0)));
        let count = owners.iter().map(|(_, tally)| tally.count).sum();
        let share = scaled(joined.portion(count), part);
        (share.share >= entry.min_share && share.low >= threshold).then(|| Cause {
            entry,
            share,
            functions: functions(&owners),
            stack: owners.first().map(|(_, tally)| stack(joined, tally)).unwrap_or_default(),
            owners: owners.iter().filter_map(|(item, tally)| owner(joined, *item, tally, part)).collect(),
            gain: Gain::of(share, entry),
            of_work_time,
            threshold,
        })
    };
    let mut found: Vec<Cause> = by_entry.into_iter().filter_map(cause).collect();
    found.sort_by(|a, b| b.rank().total_cmp(&a.rank()));
    found
}

/// What part of the work time the CPU samples stand for: user code, and the kernel where the engine samples that too.
fn part(joined: &Joined<'_>, work: Option<&Work>) -> (f64, bool) {
    let Some(time) = work.map(Time::of).filter(|time| time.total() > 0.0) else { return (1.0, false) };
    let kernel = if joined.profile().quality.engine == Engine::PerfEvent { 0.0 } else { time.share(Part::Kernel) };
    (time.share(Part::User) + kernel, true)
}

fn scaled(share: Share, part: f64) -> Share {
    Share { share: share.share * part, low: share.low * part, high: share.high * part, ..share }
}

/// The entries whose counters hold; what is not known does not hold.
fn open(work: Option<&Work>, catalogue: &Catalogue) -> Set {
    let holds = |entry: &Entry| {
        let counted = |counter| work.and_then(|work| value(counter, work));
        entry.counters.iter().all(|(&counter, bounds)| counted(counter).is_some_and(|value| bounds.hold(value)))
    };
    let all = catalogue.entries.iter().take(super::marks::MOST).enumerate();
    all.filter(|(_, entry)| holds(entry)).fold(0, |set: Set, (at, _)| set | 1 << at)
}

fn value(counter: Counter, work: &Work) -> Option<f64> {
    let per_cpu_second = |count: u64| (work.cpu_seconds() > 0.0).then(|| count as f64 / work.cpu_seconds());
    let seconds = work.observed.watched_ns as f64 / 1e9;
    match counter {
        Counter::Faults => work.fault_rate(),
        Counter::Calls => work.call_rate().map(|(rate, _)| rate),
        Counter::BytesPerCall => work.call_rate().map(|(_, bytes)| bytes),
        Counter::Reads => per_cpu_second(work.observed.transfers?.reads),
        Counter::Writes => per_cpu_second(work.observed.transfers?.writes),
        Counter::Switches => Some(work.switch_rate()),
        Counter::ThreadsPerSecond => (seconds > 0.0).then(|| work.observed.threads as f64 / seconds),
        Counter::Threads => Some(work.observed.most_threads as f64),
        Counter::KernelShare => {
            let (user, kernel) = (work.user(), work.system());
            (user + kernel > 0.0).then(|| kernel / (user + kernel))
        }
    }
}

fn functions(owners: &[(u32, Tally<'_>)]) -> Vec<String> {
    let mut counts: HashMap<&str, u64> = HashMap::new();
    for (name, count) in owners.iter().flat_map(|(_, tally)| &tally.functions) {
        *counts.entry(name).or_default() += count;
    }
    let mut counts: Vec<(&str, u64)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    counts.into_iter().map(|(name, _)| name.to_owned()).collect()
}

fn owner(joined: &Joined<'_>, item: u32, tally: &Tally<'_>, part: f64) -> Option<CauseOwner> {
    let share = scaled(joined.portion(tally.count), part);
    let item = joined.item(item)?;
    Some(CauseOwner { item: item.path.clone(), file: item.file.to_string(), line: item.body_lines.0, share })
}

fn stack(joined: &Joined<'_>, tally: &Tally<'_>) -> Vec<StackLine> {
    let frames = tally.stack().iter().filter_map(|&id| joined.profile().frames.get(id as usize));
    let line = |frame: &crate::profile::Frame| StackLine {
        function: frame.function.clone(),
        file: frame.file.as_deref().map(|file| joined.shown(file)),
        line: frame.line,
        inlined: frame.inlined,
    };
    frames.map(line).collect()
}
