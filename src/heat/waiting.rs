//! What is waited longer, or computed longer in the kernel, at head than at base: pairs of watched runs, one side right after the
//! other, each difference with an interval that excludes chance.
//!
//! How long something is waited is the machine's doing as much as the program's (a disk, a neighbour that holds a lock's owner off
//! the processor), and differs from run to run by more than looks at one run can show: what counts is how far the pairs agree. Does
//! not run anything and does not know who changed what.

use std::collections::{BTreeMap, BTreeSet};

use super::growth::FALSELY;
use super::places::Through;
use crate::sample::offcpu::Wait;
use crate::stats::Interval;
use crate::stats::student::{mean_interval, two_sided};

/// Fewer pairs say nothing.
pub const FEWEST_PAIRS: usize = 5;

/// A place that fewer looks than this have shown, in all runs together, is not tested.
const FEWEST_LOOKS: f64 = 10.0;

/// Less than this part of the time that an iteration takes is not worth a word.
const LEAST: f64 = 0.01;

/// From this part of a difference on, the changed items on its stacks are said to be what it goes through.
const HALF: f64 = 0.5;

/// Who waits, and for what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WaitPlace {
    /// For what.
    pub wait: Wait,
    /// Key of the workspace's innermost item; `None` where no frame is the workspace's.
    pub owner: Option<String>,
}

/// What was waited in a place in one run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Waited {
    /// Time.
    pub time: f64,
    /// Looks that showed it.
    pub looks: f64,
    /// The time by what of the change its stacks show.
    pub through: BTreeMap<Through, f64>,
    /// The time by the function elsewhere that the owner called.
    pub callees: BTreeMap<String, f64>,
}

/// A watched run (several of a short program). Times are per unit of what scales them: a run, or the time that the iterations took.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Turn {
    /// Who waited, idle threads left out.
    pub places: BTreeMap<WaitPlace, Waited>,
    /// Time that was waited in places that no look has shown.
    pub unnamed: f64,
    /// Time on a processor in the kernel; `None` where nobody could tell it from user code.
    pub kernel: Option<f64>,
    /// All of its threads' work time.
    pub all: f64,
}

impl Turn {
    /// Adds time that was waited.
    pub fn add(&mut self, place: WaitPlace, through: Through, callee: Option<&str>, time: f64, looks: f64) {
        let waited = self.places.entry(place).or_default();
        waited.time += time;
        waited.looks += looks;
        *waited.through.entry(through).or_default() += time;
        if let Some(callee) = callee {
            *waited.callees.entry(callee.to_owned()).or_default() += time;
        }
    }

    fn time(&self, place: &WaitPlace) -> f64 {
        self.places.get(place).map_or(0.0, |waited| waited.time)
    }

    fn waited(&self) -> f64 {
        self.unnamed + self.places.values().map(|waited| waited.time).sum::<f64>()
    }
}

/// Base's turn and head's.
pub type Pair = [Turn; 2];

/// What turns the times of a turn into nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Nanoseconds of one at base.
    pub base: f64,
    /// Head's ÷ base's, with its interval of 95 %.
    pub ratio: Interval,
}

/// A time on both sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moved {
    /// At base, nanoseconds.
    pub base: f64,
    /// At head.
    pub head: f64,
    /// Head's minus base's, with its interval.
    pub difference: Interval,
}

impl Moved {
    /// The same with an interval that holds although all that nobody saw may have been waited here.
    fn wherever(mut self, unnamed: &Self) -> Self {
        self.difference.low -= unnamed.base;
        self.difference.high += unnamed.head;
        self
    }

    /// True when the interval excludes 0 and the difference is worth a word.
    fn is_clear(&self, least: f64) -> bool {
        !self.difference.contains(0.0) && self.difference.median.abs() >= least
    }
}

/// A place that waits for another time at head.
#[derive(Debug, Clone, PartialEq)]
pub struct WaitGrown {
    /// Who, for what.
    pub place: WaitPlace,
    /// The function elsewhere that the owner called most of the time; `None` where it waits by itself.
    pub callee: Option<String>,
    /// By how much.
    pub moved: Moved,
    /// What of the change most of the difference goes through.
    pub through: Through,
}

/// All that moved.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// All waits together, whether they moved or not.
    pub all: Moved,
    /// True when all waits together moved.
    pub moved: bool,
    /// Time in the kernel, if it moved.
    pub kernel: Option<Moved>,
    /// What is named, largest difference first.
    pub named: Vec<WaitGrown>,
    /// How many differences were looked at.
    pub tested: usize,
}

/// What is waited longer or less long; `None` for too few pairs. A place is named when its interval excludes 0; the intervals hold
/// all together with a probability of `1 −` half of [`FALSELY`] (Student's for the mean of the pairs' differences at Bonferroni's
/// quantile; the uncertainty of the scale's ratio is added to it, and the time that no look has shown).
pub fn waiting(pairs: &[Pair], scale: &Scale) -> Option<Waiting> {
    if pairs.len() < FEWEST_PAIRS {
        return None;
    }
    let looks = |place: &&WaitPlace| {
        let of = |turn: &Turn| turn.places.get(*place).map_or(0.0, |waited| waited.looks);
        pairs.iter().flatten().map(of).sum::<f64>()
    };
    let places: BTreeSet<&WaitPlace> = pairs.iter().flatten().flat_map(|turn| turn.places.keys()).collect();
    let seen: Vec<&WaitPlace> = places.into_iter().filter(|place| looks(place) >= FEWEST_LOOKS).collect();
    let tested = seen.len() + 2;
    let test = Test { pairs, scale, alpha: FALSELY / 2.0 / tested as f64 };
    let least = LEAST * test.moved(|turn| Some(turn.all))?.base;
    let all = test.moved(|turn| Some(turn.waited()))?;
    let unnamed = test.moved(|turn| Some(turn.unnamed))?;
    let mut named: Vec<WaitGrown> = seen
        .into_iter()
        .filter_map(|place| {
            let moved = test.moved(|turn| Some(turn.time(place)))?.wherever(&unnamed);
            let moved = Some(moved).filter(|moved| moved.is_clear(least))?;
            Some(WaitGrown {
                callee: test.callee(place, &moved),
                through: test.through(place, &moved),
                place: place.clone(),
                moved,
            })
        })
        .collect();
    named.sort_by(|a, b| b.moved.difference.median.abs().total_cmp(&a.moved.difference.median.abs()));
    let kernel = test.moved(|turn| turn.kernel).filter(|moved| moved.is_clear(least));
    Some(Waiting { all, moved: all.is_clear(least), kernel, named, tested })
}

struct Test<'t> {
    pairs: &'t [Pair],
    scale: &'t Scale,
    alpha: f64,
}

impl Test<'_> {
    /// `None` where a turn does not know it.
    fn moved(&self, time: impl Fn(&Turn) -> Option<f64>) -> Option<Moved> {
        let sides: Vec<(f64, f64)> =
            self.pairs.iter().map(|[base, head]| time(base).zip(time(head))).collect::<Option<Vec<_>>>()?;
        let Scale { base: unit, ratio } = self.scale;
        let differences: Vec<f64> = sides.iter().map(|(base, head)| (head * ratio.median - base) * unit).collect();
        let found = mean_interval(&differences, self.alpha)?;
        let mean = |side: fn(&(f64, f64)) -> f64| sides.iter().map(side).sum::<f64>() / sides.len() as f64 * unit;
        let (base, head) = (mean(|one| one.0), mean(|one| one.1));
        // What the ratio may be off by moves all pairs alike; its interval is one of logarithms.
        let freedom = self.pairs.len() - 1;
        let wider = two_sided(self.alpha, freedom) / two_sided(0.05, freedom);
        let end = |end: f64| ratio.median * (end / ratio.median).max(0.0).powf(wider);
        let below = (found.median - found.low).hypot(head * (ratio.median - end(ratio.low)));
        let above = (found.high - found.median).hypot(head * (end(ratio.high) - ratio.median));
        let difference = Interval { low: found.median - below, median: found.median, high: found.median + above };
        Some(Moved { base, head: head * ratio.median, difference })
    }

    /// The side that waits longer tells best what it calls.
    fn callee(&self, place: &WaitPlace, moved: &Moved) -> Option<String> {
        let side = usize::from(moved.difference.median > 0.0);
        let turns = self.pairs.iter().filter_map(|pair| pair.get(side)?.places.get(place));
        let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
        for (callee, time) in turns.flat_map(|waited| &waited.callees) {
            *sums.entry(callee).or_default() += time;
        }
        sums.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(callee, _)| callee.to_owned())
    }

    /// The change that most of the difference goes through, if changed items together make half of it.
    fn through(&self, place: &WaitPlace, moved: &Moved) -> Through {
        let mut sums: BTreeMap<Through, f64> = BTreeMap::new();
        for [base, head] in self.pairs {
            for (turn, factor) in [(base, -1.0), (head, self.scale.ratio.median)] {
                for (through, time) in turn.places.get(place).into_iter().flat_map(|waited| &waited.through) {
                    *sums.entry(*through).or_default() += time * factor;
                }
            }
        }
        let whole = moved.difference.median / self.scale.base * self.pairs.len() as f64;
        sums.remove(&Through::Nothing);
        let together: f64 = sums.values().sum::<f64>() / whole;
        let most = sums.into_iter().max_by(|a, b| (a.1 / whole).total_cmp(&(b.1 / whole)));
        most.filter(|_| together >= HALF).map_or(Through::Nothing, |(through, _)| through)
    }
}

#[cfg(test)]
#[path = "waiting/tests.rs"]
mod tests;
