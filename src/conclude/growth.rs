//! What grew between base and head, for the workloads that got slower or faster: profiles of both sides, scaled by the measured time.

mod moved;

use std::collections::{BTreeSet, HashMap};

use crate::analysis::{GROWTH, GrownPlace, Growth, MetricResult, Outcome, WorkloadResult};
use crate::evidence::Evidence;
use crate::figures::{self, counted};
use crate::heat::{ENOUGH, Grown, Joined, Naming, Place, Places, Through, Times, growth};
use crate::join::SideView;
use crate::measure::aside::CPU_PER_ITERATION;
use crate::profile::Engine;
use crate::source::{Change, ChangeKind, Item, ItemId, Reach, Tree};
use crate::stats::Interval;

/// Both sides of a comparison, and what differs.
pub(crate) struct Both<'a> {
    pub(crate) changes: &'a [Change],
    pub(crate) base: &'a SideView<'a>,
    pub(crate) head: &'a SideView<'a>,
    pub(crate) base_evidence: &'a Evidence,
    pub(crate) head_evidence: &'a Evidence,
}

/// Adds what grew to each workload that got slower or faster, or why nobody can tell.
pub(crate) fn add_growth(results: &mut [WorkloadResult], both: &Both<'_>) {
    let keys = both.keys();
    for result in results.iter_mut().filter(|result| matches!(result.outcome, Outcome::Slower | Outcome::Faster)) {
        match both.growth(result, &keys) {
            Ok(found) => result.growth = Some(found),
            Err(why) => {
                result.unmeasured.insert(GROWTH.into(), why);
            }
        }
    }
}

/// Names of functions whose presence in a stack says that the harness leaves something out of the time: inputs made before each batch.
const UNTIMED: [&str; 7] = [
    "::iter_batched",
    "::iter_with_setup",
    "::iter_with_large_setup",
    "::iter_custom",
    "::bench_values",
    "::bench_refs",
    "::with_inputs",
];

/// Share of a side's samples from which on such a function matters.
const MATTERS: f64 = 0.01;

impl Both<'_> {
    fn growth(&self, result: &WorkloadResult, keys: &Keys) -> Result<Growth, String> {
        let (base, head) = self.joined(&result.id)?;
        let metric = time_of(result)?;
        let untimed = is_untimed(base) || is_untimed(head);
        let times = Times { untimed, ..self.times(metric, &result.id).ok_or("its time has no interval")? };
        let (at_base, at_head) = self.places(base, head, keys);
        let found = growth(&at_base, &at_head, &times);
        let moved = moved::partners(&found.named, |one, other| self.meet(one, other, (base, head), keys));
        let mut places: Vec<GrownPlace> = found.named.iter().map(|one| self.shown(one, base, head, keys)).collect();
        let names: Vec<String> = places.iter().map(|place| place.function.clone()).collect();
        for (place, partner) in places.iter_mut().zip(moved) {
            place.moved = partner.and_then(|partner| names.get(partner).cloned()).filter(|_| place.through.is_none());
        }
        Ok(Growth {
            metric: metric.name.clone(),
            base: times.base,
            head: times.base * times.ratio.median,
            base_samples: base.samples(),
            head_samples: head.samples(),
            compared: found.tested as u64,
            places: without_shuffled(places),
            note: note(&times, metric, result, self.sampled(&result.id)),
        })
    }

    /// True where some stack of either side holds the owners of both places.
    fn meet(&self, one: &Place, other: &Place, (base, head): (&Joined<'_>, &Joined<'_>), keys: &Keys) -> bool {
        let Some((one, other)) = one.owner.as_deref().zip(other.owner.as_deref()) else { return false };
        let of_head = |key| self.at_head(key, keys).map(|item| item.key.as_str());
        let meet_at_head = || of_head(one).zip(of_head(other)).is_some_and(|(one, other)| head.share_a_stack(one, other));
        base.share_a_stack(one, other) || meet_at_head()
    }

    /// How long the sampled part of an iteration takes at base and at head, nanoseconds; `None` when not measured.
    pub(crate) fn sides(&self, result: &WorkloadResult) -> Option<(f64, f64)> {
        let times = self.times(time_of(result).ok()?, &result.id)?;
        Some((times.base, times.base * times.ratio.median))
    }

    fn times(&self, metric: &MetricResult, id: &str) -> Option<Times> {
        let (base, (ratio, low, high)) = metric.base.zip(metric.interval())?;
        let [of_base, of_head] = self.sampled(id);
        let scale = of_head / of_base;
        let ratio = Interval { low: low * scale, median: ratio * scale, high: high * scale };
        Some(Times { base: base * of_base, ratio, untimed: false })
    }

    fn joined(&self, id: &str) -> Result<(&Joined<'_>, &Joined<'_>), String> {
        let of = |side: &'_ SideView<'_>, name: &str| match side.joined(id).map(Joined::samples) {
            None => Err(format!("it has no profile at {name}")),
            Some(samples) if samples < ENOUGH => {
                let few = counted(samples as usize, "sample");
                Err(format!(
                    "its profile at {name} has {few}, fewer than {ENOUGH} show no difference: give `baseline` and `verify` a longer `--profile-time`"
                ))
            }
            Some(_) => Ok(()),
        };
        of(self.base, "base")?;
        of(self.head, "head")?;
        self.base.joined(id).zip(self.head.joined(id)).ok_or_else(|| "it has no profile".into())
    }

    /// The part of each side's CPU time that its engine samples: without the kernel's, where only user code is sampled.
    fn sampled(&self, id: &str) -> [f64; 2] {
        let of = |side: &Evidence| {
            let evidence = side.of(id)?;
            // The agent samples the kernel's time as well.
            let work = evidence.work.as_ref().filter(|_| side.engine() == Engine::PerfEvent)?;
            let (user, all) = (work.user(), work.user() + work.system());
            (user > 0.0 && all > 0.0).then_some(user / all)
        };
        // One side alone would only shift the scale.
        match (of(self.base_evidence), of(self.head_evidence)) {
            (Some(base), Some(head)) => [base, head],
            _ => [1.0, 1.0],
        }
    }

    fn places(&self, base: &Joined<'_>, head: &Joined<'_>, keys: &Keys) -> (Places, Places) {
        let mut functions = base.shared_names();
        functions.extend(head.shared_names());
        let none = HashMap::new();
        let of = |joined: &Joined<'_>, keys: &HashMap<String, String>, side: Side| {
            let changed = self.changed(side);
            let naming = Naming { keys, functions: &functions };
            joined.places(&naming, &changed, |frame| self.ambient(joined, frame))
        };
        (of(base, &none, Side::Base), of(head, keys, Side::Head))
    }

    /// The numbers of the changes of a side's items.
    pub(super) fn changed(&self, side: Side) -> HashMap<ItemId, usize> {
        let behaves = |change: &Change| !matches!(change.kind, ChangeKind::Moved) && change.reach() == Reach::Item;
        let changes = self.changes.iter().enumerate().filter(|(_, change)| behaves(change));
        let id = |change: &Change| match side {
            Side::Base => self.base.tree().id(&change.base.as_ref()?.key),
            Side::Head => self.head.tree().id(&change.head.as_ref()?.key),
        };
        changes.filter_map(|(number, change)| Some((id(change)?, number))).collect()
    }

    /// The ambient change that reaches a frame.
    pub(super) fn ambient(&self, joined: &Joined<'_>, frame: usize) -> Option<usize> {
        let reaches = |change: &Change| {
            let of_build =
                change.kind == ChangeKind::Ambient && !change.item().is_some_and(|item| item.test_only || item.approximate);
            of_build && joined.reaches_frame(&change.reach(), frame)
        };
        self.changes.iter().position(reaches)
    }

    fn shown(&self, one: &Grown, base: &Joined<'_>, head: &Joined<'_>, keys: &Keys) -> GrownPlace {
        let owner = one.place.owner.as_deref().and_then(|key| self.owner(key, keys));
        let callee = one.place.callee.clone();
        let side = match (&callee, one.place.owner.as_deref()) {
            (Some(function), _) => side_of(base.shows_function(function), head.shows_function(function)),
            (None, Some(key)) => side_of(self.base.tree().id(key).is_some(), self.at_head(key, keys).is_some()),
            (None, None) => "both",
        };
        let (through, through_kind) = self.through(one.through).unzip();
        GrownPlace {
            function: callee.or_else(|| owner.map(|item| item.path.clone())).unwrap_or_default(),
            owner: owner.map(|item| item.path.clone()),
            file: owner.map(|item| item.file.to_string()),
            line: owner.map(|item| item.body_lines.0),
            side: side.into(),
            difference: one.difference.median,
            low: one.difference.low,
            high: one.difference.high,
            base_share: one.base.share,
            head_share: one.head.share,
            moved: None,
            through,
            through_kind,
        }
    }

    /// The path of a changed item and what happened to it.
    pub(super) fn through(&self, through: Through) -> Option<(String, ChangeKind)> {
        let Through::Change(number) = through else { return None };
        self.changes.get(number).and_then(|change| Some((change.item()?.path.clone(), change.kind)))
    }

    /// The item of a key that stands for both sides, as it is at head if it is there.
    pub(super) fn owner(&self, key: &str, keys: &Keys) -> Option<&Item> {
        let of_base = || self.base.tree().id(key).and_then(|id| self.base.tree().get(id));
        self.at_head(key, keys).or_else(of_base)
    }

    pub(super) fn at_head(&self, key: &str, keys: &Keys) -> Option<&Item> {
        let own = keys.iter().find(|(_, base)| *base == key).map_or(key, |(head, _)| head.as_str());
        self.head.tree().id(own).and_then(|id| self.head.tree().get(id))
    }

    /// Base's key of each item that has another one at head: one that a change pairs with it, or else the only one of the same
    /// name and tokens that the other side does not have (nothing is said of what is in a file that was only renamed).
    pub(super) fn keys(&self) -> Keys {
        let (base, head) = (self.base.tree(), self.head.tree());
        let pairs = self.changes.iter().filter_map(|change| change.head.as_ref().zip(change.base.as_ref()));
        let mut keys: Keys = pairs.map(|(head, base)| (head.key.clone(), base.key.clone())).collect();
        let (old, new) = (only_in(base, head), only_in(head, base));
        for (identity, item) in &new {
            let Some((item, before)) = item.zip(old.get(identity).copied().flatten()) else { continue };
            keys.entry(item.key.clone()).or_insert_with(|| before.key.clone());
        }
        keys
    }
}

/// Base's key by head's.
pub(super) type Keys = HashMap<String, String>;

/// The name, body and signature of each item that the other tree does not have; `None` for what several are.
fn only_in<'t>(tree: &'t Tree, other: &Tree) -> HashMap<(&'t str, u64, u64), Option<&'t Item>> {
    let mut found: HashMap<(&str, u64, u64), Option<&Item>> = HashMap::new();
    for item in tree.items().iter().filter(|item| item.kind.is_code() && other.id(&item.key).is_none()) {
        let name = item.path.rsplit("::").next().unwrap_or(&item.path);
        let same = found.entry((name, item.body_hash, item.signature_hash));
        same.and_modify(|one| *one = None).or_insert(Some(item));
    }
    found
}

/// Without what functions of one owner take from each other while the owner itself stays as it was: inlined into one loop, they share
/// its samples as they like, whoever calls it.
fn without_shuffled(places: Vec<GrownPlace>) -> Vec<GrownPlace> {
    let is_of_both = |one: &GrownPlace| one.side == "both" && one.owner.is_some() && one.owner != one.through;
    let is_part = |one: &GrownPlace| is_of_both(one) && one.owner.as_ref() != Some(&one.function);
    let opposes = |one: &GrownPlace, other: &GrownPlace| {
        is_part(other) && other.owner == one.owner && other.difference.signum() != one.difference.signum()
    };
    let is_shuffled = |one: &GrownPlace| is_part(one) && places.iter().any(|other| opposes(one, other));
    let shuffled: Vec<bool> = places.iter().map(is_shuffled).collect();
    places.into_iter().zip(shuffled).filter_map(|(one, shuffled)| (!shuffled).then_some(one)).collect()
}

#[derive(Clone, Copy)]
pub(super) enum Side {
    Base,
    Head,
}

pub(super) fn side_of(at_base: bool, at_head: bool) -> &'static str {
    match (at_base, at_head) {
        (true, false) => "base",
        (false, true) => "head",
        _ => "both",
    }
}

/// The time that samples of running code split: the CPU time of an iteration.
pub(super) fn time_of(result: &WorkloadResult) -> Result<&MetricResult, String> {
    let with_interval = |metric: &&MetricResult| metric.interval().is_some() && metric.base.is_some_and(|ns| ns > 0.0);
    let named = |name: &str| result.metrics.iter().find(|metric| metric.name == name).filter(with_interval);
    let primary = result.primary().filter(|metric| metric.clock.as_deref() == Some("cpu") && metric.unit == "ns");
    // A harness fills its time whatever an iteration takes.
    let whole = || named("cpu.total").filter(|_| matches!(result.kind.as_str(), "bench" | "binary"));
    let found = primary.filter(with_interval).or_else(|| named(CPU_PER_ITERATION)).or_else(whole);
    found.ok_or_else(|| "the CPU time of an iteration was not measured, and samples split nothing else".into())
}

pub(super) fn is_untimed(joined: &Joined<'_>) -> bool {
    let names: BTreeSet<&str> = joined.functions().filter(|name| UNTIMED.iter().any(|mark| name.ends_with(mark))).collect();
    joined.share_of_functions(&names) >= MATTERS
}

/// The kernel's part of the CPU time from which on a reader must know that it is in no place.
const MUCH_KERNEL: f64 = 0.1;

fn note(times: &Times, metric: &MetricResult, result: &WorkloadResult, sampled: [f64; 2]) -> Option<String> {
    let untimed = times.untimed.then(|| {
        "the samples may show set-up that the time leaves out: only what grew by its share as well is named, and it grew by at least \
         this"
            .to_owned()
    });
    let [base, head] = sampled.map(|user| 1.0 - user);
    let kernel = (base.max(head) >= MUCH_KERNEL).then(|| {
        format!(
            "the kernel's part of the CPU time ({} at base, {} at head) is not sampled and in no place",
            figures::share(base),
            figures::share(head)
        )
    });
    let is_primary = result.primary().is_some_and(|primary| primary.name == metric.name);
    let running = (!is_primary).then(|| "running time only: what it waits for is not in it".to_owned());
    let all: Vec<String> = untimed.into_iter().chain(kernel).chain(running).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

#[cfg(test)]
#[path = "growth/tests.rs"]
mod tests;
