//! What each kind of stacks says about a cause, put together as shares of the work time: `p = U·p_cpu + (1−U)·p_off`
//! (`evidence-rules.md` §1.1), and the kernel's part, which no sample shows, in proportion to the samples of its calls or by
//! its page faults: estimates.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::catalogue::{CATALOGUE, Catalogue};
use super::entry::Entry;
use super::gain::Gain;
use super::marks::Set;
use super::matcher::{Cause, CauseOwner, Inner, StackLine, Subject};
use super::tally::{Tallies, Tally, tally, tally_faults};
use crate::diagnose::class::FEWEST;
use crate::diagnose::{Part, Time, Work};
use crate::heat::{Joined, Share};
use crate::profile::Frame;
use crate::source::ItemId;

/// One kind of stacks, counted.
struct Source<'a> {
    joined: &'a Joined<'a>,
    /// What part of the work time its stacks stand for, about.
    part: f64,
    of: Stacks,
    tallies: Tallies<'a>,
}

/// What its stacks are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stacks {
    Running,
    Waiting,
    Faulting,
}

/// All kinds of a workload's stacks.
pub(super) struct Sources<'a> {
    kinds: Vec<Source<'a>>,
    /// Entries that may claim some of the kernel's time that no sample shows.
    claiming: Set,
    /// `None` where nobody counted more than the CPU samples.
    time: Option<Time>,
    work: Option<&'a Work>,
}

impl<'a> Sources<'a> {
    pub(super) fn of(subject: &Subject<'a>, open: Set, claiming: Set, catalogue: &Catalogue) -> Self {
        let time = subject.work.map(Time::of).filter(|time| time.total() > 0.0);
        let mut sources = Vec::new();
        // Where it is all that is known, it must be some.
        let enough = |joined: &&Joined<'_>| {
            let profile = joined.profile();
            time.is_some() || profile.records.unwrap_or_else(|| profile.samples()) >= FEWEST
        };
        sources.extend(subject.cpu.filter(enough).map(|joined| Source {
            joined,
            part: running(time.as_ref(), joined, CERTAIN).share,
            of: Stacks::Running,
            tallies: tally(joined, None, open, catalogue),
        }));
        sources.extend(subject.waits.iter().zip(time.iter().cycle()).map(|((wait, joined), time)| Source {
            joined,
            part: time.waiting([(joined.profile(), 1.0)]).share,
            of: Stacks::Waiting,
            tallies: tally(joined, Some(*wait), open, catalogue),
        }));
        sources.extend(subject.faults.zip(time.as_ref()).map(|(joined, time)| Source {
            joined,
            part: faulting(subject.work, time, CERTAIN).share,
            of: Stacks::Faulting,
            tallies: tally_faults(joined, catalogue),
        }));
        let asks = |set: Set| catalogue.entries.iter().enumerate().filter(move |(at, _)| set >> at & 1 == 1);
        let claiming =
            asks(claiming & open).filter(|(_, entry)| !entry.kernel.is_empty()).fold(0, |set: Set, (at, _)| set | 1 << at);
        Self { kinds: sources, claiming, time, work: subject.work }
    }

    /// Entries that any stack fits.
    pub(super) fn entries(&self) -> BTreeSet<usize> {
        self.kinds.iter().flat_map(|source| source.tallies.by_cause.keys().map(|&(entry, _)| entry)).collect()
    }

    /// What an entry holds, whatever its size; `None` where no owner is left.
    pub(super) fn cause(&self, at: usize, entry: &'static Entry) -> Option<Cause> {
        let mut by_owner: BTreeMap<ItemId, Vec<(&Source<'a>, &Tally<'a>)>> = BTreeMap::new();
        for source in &self.kinds {
            for (&(_, owner), tally) in source.tallies.by_cause.iter().filter(|((entry, _), _)| *entry == at) {
                by_owner.entry(owner).or_default().push((source, tally));
            }
        }
        let mut owners: Vec<(ItemId, CauseOwner)> =
            by_owner.iter().filter_map(|(&id, of)| Some((id, self.owner(at, id, of)?))).collect();
        owners.sort_by(|a, b| b.1.share.share.total_cmp(&a.1.share.share).then_with(|| a.1.item.cmp(&b.1.item)));
        let counts: Vec<(&Source<'_>, u64)> = self
            .kinds
            .iter()
            .map(|source| {
                let of_entry = source.tallies.by_cause.iter().filter(|((entry, _), _)| *entry == at);
                (source, of_entry.map(|(_, tally)| tally.count).sum())
            })
            .collect();
        let parts = self.parts(at, &counts);
        let of_kind = |kind: Kind| parts.iter().filter(|(_, one)| *one == kind).map(|(share, _)| share.share).sum::<f64>();
        let share = sum(parts.iter().map(|(share, _)| *share));
        let first = by_owner.get(&owners.first()?.0)?;
        Some(Cause {
            entry,
            share,
            inner: self.inner(at),
            functions: functions(&by_owner),
            stack: stack(first),
            gain: Gain::of(share, entry),
            kernel: of_kind(Kind::Kernel),
            waited: of_kind(Kind::Waited),
            of_work_time: self.time.is_some(),
            threshold: 0.0,
            owners: owners.into_iter().map(|(_, owner)| owner).collect(),
        })
    }

    /// What is done most where this entry says only where it is done.
    fn inner(&self, at: usize) -> Option<Inner> {
        let mut counts: BTreeMap<usize, Vec<(&Source<'_>, u64)>> = BTreeMap::new();
        for source in &self.kinds {
            let tallies = source.tallies.by_cause.iter().filter(|((entry, _), _)| *entry == at);
            for (&inner, &count) in tallies.flat_map(|(_, tally)| &tally.inner) {
                counts.entry(inner).or_default().push((source, count));
            }
        }
        let share = |(inner, counts): (usize, Vec<(&Source<'_>, u64)>)| {
            // What the kernel's time would be is not asked again.
            let parts = self.parts(at, &counts).into_iter().filter(|(_, kind)| *kind != Kind::Kernel);
            Some(Inner { entry: CATALOGUE.entries.get(inner)?, share: sum(parts.map(|(share, _)| share)) })
        };
        counts.into_iter().filter_map(share).max_by(|a, b| a.share.share.total_cmp(&b.share.share))
    }

    fn owner(&self, at: usize, id: ItemId, of_owner: &[(&Source<'a>, &Tally<'a>)]) -> Option<CauseOwner> {
        let counts: Vec<(&Source<'_>, u64)> = of_owner.iter().map(|(source, tally)| (*source, tally.count)).collect();
        let item = of_owner.first()?.0.joined.item(id)?;
        let share = sum(self.parts(at, &counts).into_iter().map(|(share, _)| share));
        Some(CauseOwner { item: item.path.clone(), file: item.file.to_string(), line: item.body_lines.0, share })
    }

    /// The parts of the work time that these counts of an entry are.
    fn parts(&self, entry: usize, counts: &[(&Source<'_>, u64)]) -> Vec<(Share, Kind)> {
        let mut parts = Vec::new();
        let of = |kind: Stacks| counts.iter().filter(move |(source, count)| source.of == kind && *count > 0).collect::<Vec<_>>();
        let (waited, ran, faulted) = (of(Stacks::Waiting), of(Stacks::Running), of(Stacks::Faulting));
        if let Some(time) = self.time.as_ref().filter(|_| !waited.is_empty()) {
            let part = |source: &Source<'_>, count: u64| count as f64 / source.joined.profile().samples().max(1) as f64;
            let kinds = waited.iter().map(|(source, count)| (source.joined.profile(), part(source, *count)));
            parts.push((time.waiting(kinds), Kind::Waited));
        }
        for (source, count) in &faulted {
            let part = |time| faulting(self.work, time, source.joined.portion(*count));
            parts.extend(self.time.as_ref().map(|time| (Share { hits: 0, ..part(time) }, Kind::Kernel)));
        }
        for (source, count) in &ran {
            parts.push((running(self.time.as_ref(), source.joined, source.joined.portion(*count)), Kind::Running));
            let claims = faulted.is_empty() && self.claiming >> entry & 1 == 1;
            if let Some(time) = self.time.as_ref().filter(|_| claims) {
                let calls = source.tallies.calls(self.claiming);
                // The same samples once more: they are not counted again. How long each call takes is not known, so that none of it
                // is sure.
                let share = Share { hits: 0, low: 0.0, ..Share::new(*count, calls) };
                parts.push((time.unsampled(source.joined.profile().quality.engine, share), Kind::Kernel));
            }
        }
        parts
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Running,
    Kernel,
    Waited,
}

/// What a page fault takes with the zeroing of its page, about, and at least; seconds. A page of 4 KiB is zeroed in 0.1 µs where the
/// cache holds it, and entering and leaving the kernel takes as long.
const FAULT: f64 = 1e-6;
const SHORTEST_FAULT: f64 = 0.25e-6;

/// All of the samples, for sure.
const CERTAIN: Share = Share { hits: 0, samples: 0, share: 1.0, low: 1.0, high: 1.0 };

/// What a share of the CPU samples is of the work time, or of themselves where nobody counted the rest.
fn running(time: Option<&Time>, joined: &Joined<'_>, share: Share) -> Share {
    time.map_or(share, |time| time.running(joined.profile().quality.engine, share))
}

/// What a share of the page faults is of the work time: at least what the shortest fault takes, at most all of the kernel's time.
fn faulting(work: Option<&Work>, time: &Time, of_faults: Share) -> Share {
    let kernel = time.share(Part::Kernel);
    let computing = kernel + time.share(Part::User);
    let rate = work.and_then(Work::fault_rate).unwrap_or(0.0);
    let taken = |seconds: f64| (rate * seconds * computing).min(kernel);
    let Share { share, low, high, .. } = of_faults;
    Share { share: share * taken(FAULT), low: low * taken(SHORTEST_FAULT), high: high * kernel, ..of_faults }
}

/// Parts of one whole; the interval is at least as wide as it has to be.
fn sum(parts: impl Iterator<Item = Share>) -> Share {
    let none = Share { hits: 0, samples: 0, share: 0.0, low: 0.0, high: 0.0 };
    let all = parts.fold(none, |a, b| Share {
        hits: a.hits + b.hits,
        samples: a.samples.max(b.samples),
        share: a.share + b.share,
        low: a.low + b.low,
        high: a.high + b.high,
    });
    Share { share: all.share.min(1.0), low: all.low.min(1.0), high: all.high.min(1.0), ..all }
}

/// The functions that fitted, most of the work time first.
fn functions(by_owner: &BTreeMap<ItemId, Vec<(&Source<'_>, &Tally<'_>)>>) -> Vec<String> {
    let mut weights: HashMap<&str, f64> = HashMap::new();
    for (source, tally) in by_owner.values().flatten() {
        for (name, count) in &tally.functions {
            *weights.entry(name).or_default() += weight(source, *count);
        }
    }
    let mut weights: Vec<(&str, f64)> = weights.into_iter().collect();
    weights.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
    weights.into_iter().map(|(name, _)| name.to_owned()).collect()
}

fn weight(source: &Source<'_>, count: u64) -> f64 {
    source.part * count as f64 / (source.joined.profile().samples().max(1)) as f64
}

/// The stack of an owner that was seen most.
fn stack(of_owner: &[(&Source<'_>, &Tally<'_>)]) -> Vec<StackLine> {
    let heaviest = of_owner.iter().max_by(|a, b| weight(a.0, a.1.count).total_cmp(&weight(b.0, b.1.count)));
    let Some((source, tally)) = heaviest else { return Vec::new() };
    let profile = source.joined.profile();
    let line = |frame: &Frame| StackLine {
        function: frame.function.clone(),
        file: frame.file.as_deref().map(|file| source.joined.shown(file)),
        line: frame.line,
        inlined: frame.inlined,
    };
    tally.stack().iter().filter_map(|&id| profile.frames.get(id as usize)).map(line).collect()
}
