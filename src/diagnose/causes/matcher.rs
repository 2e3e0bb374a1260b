//! From joined profiles and counters to the causes that a workload's time goes into.
//!
//! Pure. One sample counts once per cause and for one cause only: that of the highest level, then the one whose frame is nearest to
//! the leaf, then the first of the catalogue. A stack without an owner in the workspace counts for none: there is nothing to edit.

use std::collections::BTreeMap;

use super::catalogue::{CATALOGUE, Catalogue};
use super::entry::{Bounds, Counter, Entry};
use super::gain::Gain;
use super::marks::Set;
use super::sources::Sources;
use crate::diagnose::Work;
use crate::heat::{Joined, Share};
use crate::profile::Profile;
use crate::sample::offcpu::{Blocked, Wait};

/// Nothing below this share of the work time is worth advice (`evidence-rules.md` §4.2).
const LEAST: f64 = 0.03;

/// So many times the noise floor a share must be, so that what a fix brings can be seen.
const ABOVE_NOISE: f64 = 2.0;

/// What is known of a workload.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Stacks of running threads.
    pub cpu: Option<&'a Joined<'a>>,
    /// Stacks of threads that waited while there was work, one profile per kind of wait, joined with the same tree.
    pub waits: &'a [(Wait, Joined<'a>)],
    /// Stacks of page faults, joined with the same tree, where page faults hold the workload up.
    pub faults: Option<&'a Joined<'a>>,
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
    /// Where the cause says only where something is done, what it is that is done most; `None` where no other cause fits.
    pub inner: Option<Inner>,
    /// Who in the workspace it is spent for, most first.
    pub owners: Vec<CauseOwner>,
    /// The functions that gave it away, most samples first.
    pub functions: Vec<String>,
    /// From what fitted to the first owner's caller, leaf first, as seen most.
    pub stack: Vec<StackLine>,
    /// What a fix can bring.
    pub gain: Gain,
    /// What of the share is the kernel's time, which no sample shows: shared out by the samples of the calls. An estimate.
    pub kernel: f64,
    /// What of the share was waited.
    pub waited: f64,
    /// True when the shares are of the work time; false when of the CPU samples only, as nobody counted the rest.
    pub of_work_time: bool,
    /// Share of the work time from which anything is said of this workload.
    pub threshold: f64,
}

/// What is done where a cause says only where.
#[derive(Debug, Clone, PartialEq)]
pub struct Inner {
    /// What is known about it.
    pub entry: &'static Entry,
    /// Its share of the work time.
    pub share: Share,
}

/// All that is to be said about a workload.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Every cause with a share that is worth advice, best ratio of impact to effort first.
    pub causes: Vec<Cause>,
    /// Share of the work time from which anything is said.
    pub threshold: f64,
    /// How many more would have been told on a machine without noise.
    pub silenced: usize,
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

/// The stacks of threads that waited while there was work, one profile per kind of wait, weighed by nanoseconds.
pub fn waits(work: &Work) -> Vec<(Wait, Profile)> {
    work.observed.blocked.as_ref().map(Blocked::by_kind).unwrap_or_default()
}

/// The causes of a workload.
pub fn causes(subject: &Subject<'_>) -> Found {
    of(subject, &CATALOGUE)
}

fn of(subject: &Subject<'_>, catalogue: &'static Catalogue) -> Found {
    let counters = |counters: fn(&Entry) -> &BTreeMap<Counter, Bounds>| open(subject.work, catalogue, counters);
    let all = Sources::of(subject, counters(|entry| &entry.counters), counters(|entry| &entry.kernel), catalogue);
    let threshold = LEAST.max(ABOVE_NOISE * subject.noise.unwrap_or(0.0));
    let cause = |at: usize| {
        let entry = catalogue.entries.get(at)?;
        let found = all.cause(at, entry)?;
        (found.share.share >= entry.min_share && found.share.low >= LEAST).then_some(Cause { threshold, ..found })
    };
    let found = all.entries().into_iter().filter_map(cause);
    let (mut told, silenced): (Vec<Cause>, Vec<Cause>) = found.partition(|cause| cause.share.low >= threshold);
    told.sort_by(|a, b| b.rank().total_cmp(&a.rank()));
    Found { causes: told, threshold, silenced: silenced.len() }
}

/// The entries of which what these counters ask holds; what is not known does not hold.
fn open(work: Option<&Work>, catalogue: &Catalogue, asked: fn(&Entry) -> &BTreeMap<Counter, Bounds>) -> Set {
    let holds = |entry: &Entry| {
        let counted = |counter| work.and_then(|work| value(counter, work));
        asked(entry).iter().all(|(&counter, bounds)| counted(counter).is_some_and(|value| bounds.hold(value)))
    };
    let all = catalogue.entries.iter().take(super::marks::MOST).enumerate();
    all.filter(|(_, entry)| holds(entry)).fold(0, |set: Set, (at, _)| set | 1 << at)
}

/// Threads that began, or were seen where nobody was told.
fn began(work: &Work) -> u64 {
    work.observed.born.map_or(work.observed.threads, |born| born.threads)
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
        Counter::BytesPerSync => {
            let transfers = work.observed.transfers?;
            let written = transfers.written.unwrap_or(transfers.bytes) as f64;
            (work.voluntary_switches > 0).then(|| written / work.voluntary_switches as f64)
        }
        Counter::Switches => Some(work.switch_rate()),
        Counter::ThreadsPerSecond => (seconds > 0.0).then(|| began(work) as f64 / seconds),
        Counter::Threads => Some(work.observed.most_threads as f64),
        Counter::Runnable => Some(work.observed.runnable),
        Counter::KernelShare => {
            let (user, kernel) = (work.user(), work.system());
            (user + kernel > 0.0).then(|| kernel / (user + kernel))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::offcpu::{Born, Observed};

    #[test]
    fn threads_that_live_for_less_than_a_look_are_counted_where_the_kernel_tells() {
        let seen = Observed { watched_ns: 2_000_000_000, threads: 6, ..Observed::default() };
        let told = Observed { born: Some(Born { threads: 5000, processes: 1 }), ..seen.clone() };
        let rate = |observed| value(Counter::ThreadsPerSecond, &Work { observed, ..Work::default() });
        assert_eq!((rate(seen), rate(told)), (Some(3.0), Some(2500.0)));
        assert_eq!(rate(Observed::default()), None);
    }
}
