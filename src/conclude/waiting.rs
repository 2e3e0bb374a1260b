//! What is waited longer between base and head, for the workloads of which both sides were watched in turn.

use std::collections::HashMap;

use super::growth::{Both, Keys, Side, is_untimed, side_of, time_of};
use crate::analysis::{MetricResult, MovedTime, Outcome, WAITING, WaitingGrowth, WaitingPlace, WorkloadResult};
use crate::evidence::{Evidence, Watched};
use crate::heat::{Moved, Naming, Pair, Place, Scale, Turn, WaitGrown, WaitPlace, Waiting, waiting};
use crate::join::SideView;
use crate::profile::Profile;
use crate::sample::offcpu::Blocked;
use crate::stats::Interval;

/// What was watched of a workload, or why it was not.
pub(crate) type WatchedPairs = Result<Vec<[Watched; 2]>, String>;

/// Adds what is waited longer to each workload that was watched, or why nobody can tell.
pub(crate) fn add_waiting<'w>(
    results: &mut [WorkloadResult],
    both: &Both<'_>,
    watched: impl Fn(&str) -> Option<&'w WatchedPairs>,
) {
    let keys = both.keys();
    for result in results {
        let Some(pairs) = watched(&result.id) else { continue };
        let found = pairs.as_ref().map_err(Clone::clone).and_then(|pairs| both.waiting(result, pairs, &keys));
        match found {
            Ok(found) => result.waiting = Some(found),
            Err(why) => {
                result.unmeasured.insert(WAITING.into(), why);
            }
        }
    }
}

/// What the times of a watched run are divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// The number of runs: each does the same work.
    Runs,
    /// The work time of a workload of which one thread works at a time: as many iterations as fit.
    WorkTime,
    /// CPU time, without what the harness takes for itself.
    CpuTime,
}

impl Both<'_> {
    fn waiting(&self, result: &WorkloadResult, pairs: &[[Watched; 2]], keys: &Keys) -> Result<WaitingGrowth, String> {
        let (unit, metric) = unit(result, pairs)?;
        let scale = match metric {
            Some(metric) => scale_of(metric).ok_or("its time has no interval")?,
            None => Scale { base: 1.0, ratio: Interval { low: 1.0, median: 1.0, high: 1.0 } },
        };
        let none = HashMap::new();
        let sides = [
            Viewed { of: self, side: Side::Base, view: self.base, keys: &none, null: null(self.base_evidence, &result.id) },
            Viewed { of: self, side: Side::Head, view: self.head, keys, null: null(self.head_evidence, &result.id) },
        ];
        let turns = |[base, head]: &[Watched; 2]| -> Result<Pair, String> {
            let [of_base, of_head] = &sides;
            Ok([of_base.turn(base, unit)?, of_head.turn(head, unit)?])
        };
        let turns: Vec<Pair> = pairs.iter().map(turns).collect::<Result<_, String>>()?;
        let found = waiting(&turns, &scale).ok_or("too few runs were watched")?;
        Ok(self.told(&found, result, metric, pairs, keys))
    }

    fn told(
        &self,
        found: &Waiting,
        result: &WorkloadResult,
        metric: Option<&MetricResult>,
        pairs: &[[Watched; 2]],
        keys: &Keys,
    ) -> WaitingGrowth {
        WaitingGrowth {
            per: if metric.is_some() { "iteration" } else { "run" }.into(),
            metric: metric.map(|metric| metric.name.clone()),
            pairs: u32::try_from(pairs.len()).unwrap_or(u32::MAX),
            compared: found.tested as u64,
            all: moved(&found.all),
            moved: found.moved,
            kernel: found.kernel.as_ref().map(moved),
            places: found.named.iter().map(|one| self.place(one, keys)).collect(),
            note: note(result, found),
        }
    }

    fn place(&self, one: &WaitGrown, keys: &Keys) -> WaitingPlace {
        let owner = one.place.owner.as_deref().and_then(|key| self.owner(key, keys));
        let side = one
            .place
            .owner
            .as_deref()
            .map_or("both", |key| side_of(self.base.tree().id(key).is_some(), self.at_head(key, keys).is_some()));
        let (through, through_kind) = self.through(one.through).unzip();
        WaitingPlace {
            wait: one.place.wait.name().into(),
            function: one.callee.clone(),
            owner: owner.map(|item| item.path.clone()),
            file: owner.map(|item| item.file.to_string()),
            line: owner.map(|item| item.body_lines.0),
            side: side.into(),
            time: moved(&one.moved),
            through,
            through_kind,
        }
    }
}

fn moved(one: &Moved) -> MovedTime {
    let Interval { low, median, high } = one.difference;
    MovedTime { base: one.base, head: one.head, difference: median, low, high }
}

/// A harness fills its time with iterations, whatever one takes: then a metric tells how long one is.
fn unit<'r>(result: &'r WorkloadResult, pairs: &[[Watched; 2]]) -> Result<(Unit, Option<&'r MetricResult>), String> {
    if matches!(result.kind.as_str(), "bench" | "binary") {
        return Ok((Unit::Runs, None));
    }
    let wall = result.primary().filter(|metric| metric.clock.as_deref() == Some("wall") && metric.unit == "ns");
    let is_serial = pairs.iter().flatten().all(is_serial);
    match wall.filter(|metric| is_serial && metric.interval().is_some()) {
        Some(metric) => Ok((Unit::WorkTime, Some(metric))),
        None => Ok((Unit::CpuTime, Some(time_of(result)?))),
    }
}

/// Work of others than the busiest thread from which on iterations take less time than the threads' work.
const SPREAD: f64 = 0.1;

/// True where threads work one at a time: all of the work time fits into the time that was watched.
fn is_serial(watched: &Watched) -> bool {
    let observed = &watched.observed;
    observed.watched_ns > 0 && work_time(watched) <= (1.0 + SPREAD) * observed.watched_ns as f64
}

/// What all threads did and waited for, the waits for a processor with it.
fn work_time(watched: &Watched) -> f64 {
    let observed = &watched.observed;
    let waited: u64 = observed.waits.iter().filter(|one| !one.idle).map(|one| one.ns).sum();
    (observed.on_cpu_ns + observed.run_delay_ns + observed.unnamed_ns + waited) as f64
}

fn scale_of(metric: &MetricResult) -> Option<Scale> {
    let (base, (ratio, low, high)) = metric.base.zip(metric.interval())?;
    Some(Scale { base, ratio: Interval { low, median: ratio, high } })
}

/// CPU time of a run in which the harness does nothing, nanoseconds.
fn null(side: &Evidence, id: &str) -> f64 {
    let null = side.of(id).and_then(|one| one.work.as_ref()?.null);
    null.map_or(0.0, |null| (null.user_ns + null.system_ns) as f64)
}

/// One side, for turning what was watched into turns.
struct Viewed<'v> {
    of: &'v Both<'v>,
    side: Side,
    view: &'v SideView<'v>,
    keys: &'v Keys,
    null: f64,
}

impl Viewed<'_> {
    fn turn(&self, watched: &Watched, unit: Unit) -> Result<Turn, String> {
        let divisor = match unit {
            Unit::Runs => watched.runs as f64,
            Unit::WorkTime => work_time(watched),
            Unit::CpuTime => watched.cpu_ns as f64 - self.null * watched.runs as f64,
        };
        if divisor <= 0.0 {
            return Err("a watched run took no CPU time beyond the harness's own".into());
        }
        let kernel = watched.user_ns.map(|user| (watched.cpu_ns as f64 - user) / divisor);
        let mut turn = Turn {
            unnamed: watched.observed.unnamed_ns as f64 / divisor,
            kernel,
            all: work_time(watched) / divisor,
            ..Turn::default()
        };
        let (changed, functions) = (self.of.changed(self.side), HashMap::new());
        let naming = Naming { keys: self.keys, functions: &functions };
        for (wait, profile) in watched.observed.blocked.iter().flat_map(Blocked::by_kind) {
            let joined = self.view.join(&profile);
            if unit != Unit::Runs && is_untimed(&joined) {
                return Err("it waits in set-up that its time may leave out".into());
            }
            let places = joined.places(&naming, &changed, |frame| self.of.ambient(&joined, frame));
            let each = looks_per_ns(&profile);
            for (Place { owner, callee }, counts) in places.counts {
                for (through, ns) in counts {
                    let place = WaitPlace { wait, owner: owner.clone() };
                    turn.add(place, through, callee.as_deref(), ns as f64 / divisor, ns as f64 * each);
                }
            }
        }
        Ok(turn)
    }
}

fn looks_per_ns(profile: &Profile) -> f64 {
    let ns = profile.samples();
    if ns == 0 { 0.0 } else { profile.records.unwrap_or(0) as f64 / ns as f64 }
}

/// True where the outcome rests on CPU time, which leaves waits out.
fn is_blind(result: &WorkloadResult) -> bool {
    result.primary().is_some_and(|metric| metric.clock.as_deref() == Some("cpu"))
}

fn note(result: &WorkloadResult, found: &Waiting) -> Option<String> {
    let waits = !found.named.is_empty() || found.moved;
    let same = !matches!(result.outcome, Outcome::Slower | Outcome::Faster);
    (waits && same && is_blind(result)).then(|| "its time is CPU time, which leaves out what is waited".into())
}

#[cfg(test)]
#[path = "waiting/tests.rs"]
mod tests;
