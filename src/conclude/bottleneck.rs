//! The bottleneck of each workload as the analysis shows it, and what a change did to its class.

use super::root_causes::Profiled;
use crate::analysis::{BOTTLENECK, Bottleneck, WaitResult, WorkloadResult};
use crate::diagnose::{Diagnosis, Waiter, diagnose};
use crate::evidence::WorkloadEvidence;
use crate::heat::Location;
use crate::sample::offcpu::Place;

/// A change of class is told from this confidence on, on both sides: below it the two may be the same.
const CONFIDENT: f64 = 0.6;

/// Waits that are told of a workload.
const WAITS: usize = 10;

/// Adds the class of each workload, head's where head was profiled and base's where it was not.
pub(crate) fn add_bottlenecks(results: &mut [WorkloadResult], base: Option<Profiled<'_>>, head: Profiled<'_>) {
    for result in results {
        let (at_head, at_base) = (of(head, &result.id), base.and_then(|base| of(base, &result.id)));
        let with_work = |one: &Option<Of<'_>>| one.as_ref().is_some_and(|(_, one)| one.work.is_some());
        let (shown, other) = if with_work(&at_head) { (at_head, at_base) } else { (at_base.or(at_head), None) };
        let Some((side, shown)) = shown else { continue };
        match of_workload(shown) {
            Ok(found) => {
                let before = other.and_then(|(_, other)| of_workload(other).ok());
                let changed = before.and_then(|before| class_change(&before, &found));
                result.bottleneck = Some(Bottleneck { changed, ..bottleneck(found, side) });
            }
            Err(why) => {
                result.unmeasured.insert(BOTTLENECK.into(), why);
            }
        }
    }
}

/// A side, and what was counted of a workload there.
type Of<'a> = (Profiled<'a>, &'a WorkloadEvidence);

fn of<'a>(side: Profiled<'a>, id: &str) -> Option<Of<'a>> {
    Some((side, side.evidence.of(id)?))
}

fn of_workload(evidence: &WorkloadEvidence) -> Result<Diagnosis, String> {
    let Some(work) = &evidence.work else { return Err(why_not(evidence).into()) };
    diagnose(work)
}

fn why_not(evidence: &WorkloadEvidence) -> &'static str {
    match (&evidence.profile, evidence.instructions) {
        (_, Some(_)) => "its instructions are counted, which is no run that could be watched",
        (Some(_), None) => "its threads were not watched when it was profiled",
        (None, None) => "it was not profiled",
    }
}

fn bottleneck(found: Diagnosis, side: Profiled<'_>) -> Bottleneck {
    Bottleneck {
        class: found.class.name().into(),
        confidence: found.confidence,
        shares: found.shares,
        intervals: found.intervals,
        kind: found.kind.map(str::to_owned),
        summary: Some(found.summary),
        evidence: found.evidence,
        host: found.host,
        samples: Some(found.samples),
        changed: None,
        waits: found.waiters.into_iter().take(WAITS).map(|waiter| wait(waiter, side)).collect(),
    }
}

fn wait(waiter: Waiter, side: Profiled<'_>) -> WaitResult {
    let shown = |file: &String| match side.view.paths().locate(file, side.view.tree()) {
        Location::Repository(path) => path.into_string(),
        _ => file.clone(),
    };
    let owner = waiter.owner;
    WaitResult {
        wait: waiter.wait.name().into(),
        what: waiter.what,
        under: waiter.under,
        file: owner.as_ref().and_then(|owner| owner.file.as_ref()).map(shown),
        line: owner.as_ref().and_then(|owner| owner.line),
        function: owner.map(|owner| owner.function),
        blocks_worker: waiter.place == Place::Worker,
        share: waiter.share.share,
        low: waiter.share.low,
        high: waiter.share.high,
        ns: waiter.ns,
        looks: waiter.looks,
        stack: waiter.stack.into_iter().map(|frame| frame.function).collect(),
    }
}

/// One line where the class is another one; `None` where it is the same or one of the two is unsure.
fn class_change(base: &Diagnosis, head: &Diagnosis) -> Option<String> {
    let sure = base.confidence >= CONFIDENT && head.confidence >= CONFIDENT;
    let (was, is) = (base.class.name(), head.class.name());
    (sure && was != is).then(|| format!("it was {was} at base and is {is} at head"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::{OnCpu, Work};
    use crate::evidence::Evidence;
    use crate::join::SideData;
    use crate::profile::Frame;
    use crate::sample::offcpu::{Blocked, BlockedStack, Observed, Wait, Waiting};

    const SECOND: u64 = 1_000_000_000;

    fn work(on_cpu: u64, waited: u64) -> Work {
        let waiting = Waiting { wait: Wait::Socket, what: None, idle: false, ns: waited, samples: waited / 5_000_000 };
        Work {
            runs: 1,
            cpus: 2,
            user_ns: on_cpu,
            on_cpu: OnCpu { samples: on_cpu / 1_000_000, coverage: Some(1.0), ..OnCpu::default() },
            observed: Observed {
                watched_ns: on_cpu + waited,
                looks: 600,
                threads: 1,
                most_threads: 1,
                on_cpu_ns: on_cpu,
                busiest_ns: on_cpu,
                waits: vec![waiting],
                ..Observed::default()
            },
            ..Work::default()
        }
    }

    fn evidence(work: Option<Work>) -> Evidence {
        let workload = crate::measure::workload::sample("hot", crate::measure::WorkloadKind::Bench);
        let driven = crate::evidence::Driven { workload, harness: crate::measure::harness::Harness::Process };
        Evidence { workloads: vec![WorkloadEvidence { work, ..WorkloadEvidence::of(&driven) }], ..Evidence::default() }
    }

    fn result(base: Option<Work>, head: Option<Work>) -> WorkloadResult {
        let mut results = vec![super::super::workloads::unknown("hot", "bench")];
        let nothing = SideData::default();
        let (view, base, head) = (nothing.view(), evidence(base), evidence(head));
        let side = |evidence| Profiled { evidence, view: &view };
        add_bottlenecks(&mut results, Some(side(&base)), side(&head));
        results.remove(0)
    }

    #[test]
    fn another_class_is_told_when_both_sides_are_sure() {
        let (cpu, io) = (work(3 * SECOND, 0), work(SECOND, 2 * SECOND));
        let changed = |base: &Work, head: &Work| result(Some(base.clone()), Some(head.clone())).bottleneck.unwrap().changed;
        assert_eq!(changed(&cpu, &io).as_deref(), Some("it was cpu-bound at base and is io-bound at head"));
        assert_eq!(changed(&io, &io), None);
        let mut unsure = io.clone();
        unsure.observed.run_delay_ns = 10 * SECOND;
        assert_eq!(changed(&cpu, &unsure), None, "a machine that was shared says nothing about a change");
    }

    #[test]
    fn the_file_of_a_wait_is_the_repository_s() {
        let frame = |file: &str| Frame {
            function: "app::save".into(),
            file: Some(file.into()),
            line: Some(3),
            module: "app".into(),
            inlined: false,
        };
        let stack = |at: u32, ns| BlockedStack {
            frames: vec![at],
            wait: Wait::Socket,
            what: None,
            idle: false,
            place: Place::Outside,
            confirmed: false,
            complete: true,
            ns,
            looks: 100,
        };
        let mut work = work(SECOND, 2 * SECOND);
        let frames = vec![frame("/repo/src/save.rs"), Frame { function: "app::load".into(), ..frame("/elsewhere/load.rs") }];
        work.observed.blocked = Some(Blocked { frames, stacks: vec![stack(0, 2 * SECOND), stack(1, SECOND)] });
        let (found, data) = (of_workload(&evidence(Some(work)).workloads[0]).unwrap(), SideData::new("/repo".into(), Vec::new()));
        let evidence = Evidence::default();
        let shown = bottleneck(found, Profiled { evidence: &evidence, view: &data.view() });
        let files: Vec<&str> = shown.waits.iter().filter_map(|wait| wait.file.as_deref()).collect();
        assert_eq!(files, ["src/save.rs", "/elsewhere/load.rs"]);
    }

    #[test]
    fn head_is_shown_and_base_where_head_was_not_profiled() {
        let shown = result(Some(work(3 * SECOND, 0)), None).bottleneck.unwrap();
        assert_eq!((shown.class.as_str(), shown.changed), ("cpu-bound", None));
        let neither = result(None, None);
        assert_eq!(neither.unmeasured[BOTTLENECK], "it was not profiled");
        assert!(neither.bottleneck.is_none());
    }
}
