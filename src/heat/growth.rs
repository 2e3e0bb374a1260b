//! Which places take longer at head than at base, each with an interval that excludes chance.
//!
//! Takes counted samples of both sides and how long an iteration takes; does not know what is on a disk or who changed what.

use std::collections::{BTreeMap, BTreeSet};

use super::places::{Place, Places, Through};
use super::share::Share;
use crate::stats::normal::simultaneous;
use crate::stats::{Counted, Interval, difference};

/// How often, at most, any place of a workload is named although nothing but chance moved it: half of it for what is computed, half
/// for what is waited ([`super::waiting`]).
pub(super) const FALSELY: f64 = 0.01;

/// A place with fewer samples than this on both sides together could never be named, and is not tested.
const FEWEST: u64 = 10;

/// Samples of one run are not independent of each other, and runs of one program differ by where its memory lies: their shares
/// spread by more than chance. Variance of the shares ÷ the binomial one, of six profiles each of two benchmarks on a busy machine:
/// 1.1 and 1.3 on average over the places, 2.9 at most.
const SPREAD: f64 = 2.0;

/// From this part of an owner's difference on, what it called is named instead of the owner's whole.
const MOST: f64 = 0.8;

/// From this part of a difference on, the changed items on its stacks are said to be what it goes through.
const HALF: f64 = 0.5;

/// The fewest samples of a side that anything is said of (DESIGN §6).
pub const ENOUGH: u64 = 300;

/// How long the sampled part of an iteration takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Times {
    /// At base, nanoseconds.
    pub base: f64,
    /// Head's ÷ base's, with its interval of 95 %.
    pub ratio: Interval,
    /// True when the samples may show work that the iteration's time leaves out (set-up before each batch): then only what holds
    /// whatever that work takes is said.
    pub untimed: bool,
}

/// A place that takes another time at head.
#[derive(Debug, Clone, PartialEq)]
pub struct Grown {
    /// The owner, and what it called if that holds most of the difference.
    pub place: Place,
    /// True when only what the owner called is meant, not the owner's whole.
    pub is_part: bool,
    /// Head's time minus base's, nanoseconds per iteration, with the interval that excludes 0.
    pub difference: Interval,
    /// Its share at base.
    pub base: Share,
    /// Its share at head.
    pub head: Share,
    /// What of the change most of the difference goes through.
    pub through: Through,
}

/// All that moved.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Growth {
    /// What is named, largest difference first.
    pub named: Vec<Grown>,
    /// How many places were looked at.
    pub tested: usize,
}

/// Samples of a place on both sides.
#[derive(Debug, Clone, Default)]
struct Pair {
    base: BTreeMap<Through, u64>,
    head: BTreeMap<Through, u64>,
}

impl Pair {
    fn add(&mut self, other: &Self) {
        for (mine, others) in [(&mut self.base, &other.base), (&mut self.head, &other.head)] {
            for (through, count) in others {
                *mine.entry(*through).or_insert(0) += count;
            }
        }
    }

    fn hits(&self) -> (u64, u64) {
        (self.base.values().sum(), self.head.values().sum())
    }

    fn is_seen(&self) -> bool {
        let (base, head) = self.hits();
        base + head >= FEWEST
    }
}

/// What grew and what shrank. A place is named when its interval excludes 0; the intervals hold all together with a probability of
/// `1 −` half of [`FALSELY`] ([`difference`] at Bonferroni's quantile, widened by [`SPREAD`]).
pub fn growth(base: &Places, head: &Places, times: &Times) -> Growth {
    let parts = pairs(base, head);
    let mut owners: BTreeMap<Option<&str>, Pair> = BTreeMap::new();
    for (place, pair) in &parts {
        owners.entry(place.owner.as_deref()).or_default().add(pair);
    }
    // What is nobody's has no whole that would mean anything.
    owners.remove(&None);
    let tested = owners.values().chain(parts.values()).filter(|pair| pair.is_seen()).count();
    let test = Test { samples: (base.samples, head.samples), times, z: simultaneous(FALSELY / 2.0, tested) * SPREAD.sqrt() };
    let mut named = Vec::new();
    let all: BTreeSet<Option<&str>> = parts.keys().map(|place| place.owner.as_deref()).collect();
    for owner in all {
        let within = parts.iter().filter(|(place, _)| place.owner.as_deref() == owner);
        let moved: Vec<Grown> = within.filter_map(|(place, pair)| test.named(place.clone(), true, pair)).collect();
        let pair = owners.get(&owner);
        let whole = pair.and_then(|pair| test.named(Place { owner: owner.map(str::to_owned), callee: None }, false, pair));
        named.extend(match (whole, pair) {
            (Some(whole), _) => told(whole, moved),
            (None, Some(pair)) => without_whole(moved, scaled(&test.difference(pair), times.base).median),
            (None, None) => moved,
        });
    }
    named.sort_by(|a, b| b.difference.median.abs().total_cmp(&a.difference.median.abs()));
    Growth { named, tested }
}

/// Parts of an owner whose whole is not known to differ by more than chance, or by how much. What inlined functions of one loop take
/// from each other is nothing but the sampled place: parts that make no difference to the whole are told only where a change lies on
/// them, or one side alone has them.
fn without_whole(moved: Vec<Grown>, whole: f64) -> Vec<Grown> {
    let is_of_one_side = |part: &Grown| part.base.hits == 0 || part.head.hits == 0;
    let makes_a_difference = |part: &Grown| whole / part.difference.median >= HALF;
    let is_told = |part: &Grown| part.through != Through::Nothing || is_of_one_side(part) || makes_a_difference(part);
    moved.into_iter().filter(is_told).collect()
}

/// The owner's whole, or the part that holds most of it.
fn told(whole: Grown, moved: Vec<Grown>) -> Vec<Grown> {
    let most = |part: &Grown| part.place.callee.is_some() && part.difference.median / whole.difference.median >= MOST;
    let same_way = |part: &Grown| part.difference.median * whole.difference.median > 0.0;
    let (with, against): (Vec<Grown>, Vec<Grown>) = moved.into_iter().partition(same_way);
    // What went the other way is in no sum that a reader could see.
    let told = with.into_iter().find(most).unwrap_or(whole);
    std::iter::once(told).chain(against).collect()
}

fn pairs(base: &Places, head: &Places) -> BTreeMap<Place, Pair> {
    let mut pairs: BTreeMap<Place, Pair> = BTreeMap::new();
    for (place, counts) in &base.counts {
        pairs.entry(place.clone()).or_default().base.clone_from(counts);
    }
    for (place, counts) in &head.counts {
        pairs.entry(place.clone()).or_default().head.clone_from(counts);
    }
    pairs
}

struct Test<'t> {
    samples: (u64, u64),
    times: &'t Times,
    z: f64,
}

impl Test<'_> {
    fn named(&self, place: Place, is_part: bool, pair: &Pair) -> Option<Grown> {
        if !pair.is_seen() {
            return None;
        }
        let [base, head] = self.counted(pair);
        let found = self.difference(pair);
        let is_clear = |interval: &Interval| !interval.contains(0.0);
        // Work that the time leaves out changes the scale, but never the sign of what moved by its share as well.
        let one = Interval { low: 1.0, median: 1.0, high: 1.0 };
        let holds_whatever = || {
            let of_shares = difference(base, head, &one, self.z);
            is_clear(&of_shares) && of_shares.median * found.median > 0.0
        };
        (is_clear(&found) && (!self.times.untimed || holds_whatever())).then(|| Grown {
            place,
            is_part,
            difference: scaled(&found, self.times.base),
            base: Share::new(base.hits, base.samples),
            head: Share::new(head.hits, head.samples),
            through: self.through(pair, found.median),
        })
    }

    fn counted(&self, pair: &Pair) -> [Counted; 2] {
        let (base, head) = pair.hits();
        [Counted { hits: base, samples: self.samples.0 }, Counted { hits: head, samples: self.samples.1 }]
    }

    /// In units of base's time.
    fn difference(&self, pair: &Pair) -> Interval {
        let [base, head] = self.counted(pair);
        difference(base, head, &self.times.ratio, self.z)
    }

    /// The change that most of the difference goes through, if changed items together make half of it.
    fn through(&self, pair: &Pair, whole: f64) -> Through {
        let of = |through: &Through| {
            let share = |counts: &BTreeMap<Through, u64>, samples: u64| {
                let hits = counts.get(through).copied().unwrap_or(0);
                Counted { hits, samples }.share()
            };
            share(&pair.head, self.samples.1) * self.times.ratio.median - share(&pair.base, self.samples.0)
        };
        let all: BTreeSet<&Through> = pair.base.keys().chain(pair.head.keys()).collect();
        let changed: Vec<(Through, f64)> = all
            .into_iter()
            .filter(|through| **through != Through::Nothing)
            .map(|through| (*through, of(through) / whole))
            .collect();
        let together: f64 = changed.iter().map(|(_, part)| part).sum();
        let most = changed.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
        most.filter(|_| together >= HALF).map_or(Through::Nothing, |(through, _)| through)
    }
}

fn scaled(interval: &Interval, by: f64) -> Interval {
    Interval { low: interval.low * by, median: interval.median * by, high: interval.high * by }
}

#[cfg(test)]
#[path = "growth/tests.rs"]
mod tests;
