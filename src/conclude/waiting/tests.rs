//! Waits of both sides on hand-made runs.

use super::*;
use crate::evidence::{Driven, WorkloadEvidence};
use crate::join::SideData;
use crate::profile::Frame;
use crate::report::samples::measured;
use crate::sample::offcpu::{BlockedStack, Observed, Place as Where, Wait, Waiting as Seen};
use crate::source::{Change, ChangeKind, SourceFile, changes, items};

const BASE: &str = "pub fn caller() { append() }\npub fn append() {}\npub fn fetch() {}\n";
const MS: u64 = 1_000_000;

/// `function:line` of `src/a.rs`, or `function` elsewhere; leaf first, separated by ` < `.
fn observed(waits: &[(&str, Wait, u64)], cpu_ms: u64) -> Observed {
    let mut blocked = Blocked::default();
    let mut observed = Observed { looks: 200, on_cpu_ns: cpu_ms * MS, ..Observed::default() };
    for (text, wait, ms) in waits {
        let frames = text.split(" < ").map(|text| {
            let own = text.rsplit_once(':').and_then(|(name, line)| Some((name, line.parse().ok()?)));
            let (function, line) = own.map_or((text, None), |(name, line)| (name, Some(line)));
            let file = line.map(|_| "/repo/src/a.rs".to_owned());
            blocked.frames.push(Frame { function: function.into(), file, line, module: "exe".into(), inlined: false });
            u32::try_from(blocked.frames.len() - 1).unwrap()
        });
        let frames = frames.collect();
        let (ns, looks) = (ms * MS, ms / 5);
        blocked.stacks.push(BlockedStack {
            frames,
            wait: *wait,
            what: None,
            idle: wait.is_idle(),
            place: Where::Outside,
            confirmed: false,
            complete: true,
            ns,
            looks,
        });
        observed.waits.push(Seen { wait: *wait, what: None, idle: wait.is_idle(), ns, samples: looks });
    }
    let waited: u64 = waits.iter().filter(|(_, wait, _)| !wait.is_idle()).map(|(.., ms)| ms * MS).sum();
    observed.watched_ns = observed.on_cpu_ns + waited;
    observed.blocked = Some(blocked);
    observed
}

struct Case {
    changes: Vec<Change>,
    base: SideData,
    head: SideData,
    evidence: Evidence,
}

impl Case {
    /// `append` was changed.
    fn new() -> Self {
        let head = BASE.replace("fn append() {}", "fn append() { sync() }");
        let (old, new) = (SourceFile::new("src/a.rs", BASE, &[]), SourceFile::new("src/a.rs", &head, &[]));
        let side = |file: &SourceFile| SideData::new("/repo".into(), items(file));
        Self { base: side(&old), head: side(&new), changes: changes(&[old], &[new], &[]), evidence: Evidence::default() }
    }

    fn result(&self, mut result: WorkloadResult, base: &Observed, head: &Observed) -> WorkloadResult {
        let run = |observed: &Observed| Watched {
            observed: observed.clone(),
            cpu_ns: observed.on_cpu_ns,
            user_ns: Some(0.9 * observed.on_cpu_ns as f64),
            runs: 2,
        };
        let pairs: WatchedPairs = Ok((0..8).map(|_| [run(base), run(head)]).collect());
        let both = Both {
            changes: &self.changes,
            base: &self.base.view(),
            head: &self.head.view(),
            base_evidence: &self.evidence,
            head_evidence: &self.evidence,
        };
        add_waiting(std::slice::from_mut(&mut result), &both, |_| Some(&pairs));
        result
    }
}

fn bench(kind: &str, clock: &str, outcome: Outcome) -> WorkloadResult {
    let mut result = measured("work", outcome, 1e6, (2.0, 1.98, 2.02));
    result.kind = kind.into();
    result.metrics[0].clock = Some(clock.into());
    result
}

#[test]
fn a_program_s_waits_are_of_a_run_and_name_the_changed_function_that_waits() {
    let fetch = ("recv < a::fetch:3", Wait::Socket, 400);
    let sync = ("fsync < std::fs::File::sync_all < a::append:2 < a::caller:1", Wait::Durability, 240);
    let result =
        Case::new().result(bench("binary", "wall", Outcome::Slower), &observed(&[fetch], 100), &observed(&[fetch, sync], 100));
    let found = result.waiting.unwrap();
    assert_eq!((found.per.as_str(), found.metric, found.pairs, found.note), ("run", None, 8, None));
    let [place] = found.places.as_slice() else { panic!("{:#?}", found.places) };
    assert_eq!((place.wait.as_str(), place.owner.as_deref()), ("durability", Some("crate::a::append")));
    assert_eq!((place.function.as_deref(), place.side.as_str()), (Some("std::fs::File::sync_all"), "both"));
    assert_eq!((place.file.as_deref(), place.line), (Some("src/a.rs"), Some(2)));
    assert_eq!((place.through.as_deref(), place.through_kind), (Some("crate::a::append"), Some(ChangeKind::Modified)));
    assert!((place.time.difference - 120e6).abs() < 1.0 && place.time.base.to_bits() == 0, "{place:?}");
    assert!((found.all.base - 200e6).abs() < 1.0 && found.moved, "{:?}", found.all);
}

#[test]
fn of_a_benchmark_they_are_of_an_iteration_by_its_time() {
    // One thread: half of the time that an iteration takes is waited, then three quarters of twice the time.
    let half = observed(&[("recv < a::fetch:3", Wait::Socket, 500)], 500);
    let more = observed(&[("recv < a::fetch:3", Wait::Socket, 750)], 250);
    let found = Case::new().result(bench("criterion", "wall", Outcome::Slower), &half, &more).waiting.unwrap();
    assert_eq!((found.per.as_str(), found.metric.as_deref()), ("iteration", Some("latency.p50")));
    let [place] = found.places.as_slice() else { panic!("{:#?}", found.places) };
    assert!((place.time.base - 0.5e6).abs() < 1.0 && (place.time.difference - 1e6).abs() < 1.0, "{place:?}");
    assert_eq!(place.through, None, "`fetch` was not changed");
}

#[test]
fn where_several_threads_work_the_cpu_time_of_an_iteration_is_the_measure() {
    let mut parallel = observed(&[("lock < a::append:2", Wait::Lock, 600)], 400);
    parallel.watched_ns = 500 * MS;
    let idle = observed(&[], 400);
    let without = Case::new().result(bench("criterion", "wall", Outcome::Slower), &idle, &parallel);
    assert!(without.waiting.is_none() && without.unmeasured[WAITING].contains("CPU time of an iteration"), "{without:#?}");
    let mut result = bench("criterion", "wall", Outcome::Slower);
    let cpu = MetricResult { name: "cpu.per_iteration".into(), clock: Some("cpu".into()), ..result.metrics[0].clone() };
    result.metrics.push(MetricResult { ratio: Some(1.0), low: Some(0.99), high: Some(1.01), base: Some(4e5), ..cpu });
    let found = Case::new().result(result, &idle, &parallel).waiting.unwrap();
    let [place] = found.places.as_slice() else { panic!("{:#?}", found.places) };
    assert!((place.time.difference - 6e5).abs() < 1.0 && place.through.as_deref() == Some("crate::a::append"), "{place:?}");
}

#[test]
fn the_harness_s_own_cpu_time_is_no_iteration_s() {
    let mut case = Case::new();
    let workload = crate::measure::workload::sample("work", crate::measure::WorkloadKind::Criterion);
    let driven = Driven { workload, harness: crate::measure::harness::Harness::Process };
    let null = Some(crate::diagnose::Null { user_ns: 10 * MS, system_ns: 15 * MS, ..Default::default() });
    let work = Some(crate::diagnose::Work { null, ..Default::default() });
    case.evidence.workloads = vec![WorkloadEvidence { work, ..WorkloadEvidence::of(&driven) }];
    let sleeps = observed(&[("nanosleep < a::append:2", Wait::Sleep, 800)], 100);
    let found = case.result(bench("criterion", "cpu", Outcome::Same), &observed(&[], 100), &sleeps).waiting.unwrap();
    assert!((found.places[0].time.head - 2.0 * 800.0 / 50.0 * 1e6).abs() < 1.0, "{found:#?}");
    assert!(found.note.unwrap().contains("leaves out what is waited"));
}

#[test]
fn set_up_that_waits_may_be_outside_of_the_time() {
    let sets_up = observed(&[("recv < a::fetch:3 < criterion::bencher::Bencher::iter_batched", Wait::Socket, 500)], 500);
    let result = Case::new().result(bench("criterion", "wall", Outcome::Slower), &sets_up, &sets_up);
    assert!(result.unmeasured[WAITING].contains("set-up"), "{result:#?}");
}

#[test]
fn idle_threads_and_equal_sides_say_nothing() {
    let of = |parked| observed(&[("recv < a::fetch:3", Wait::Socket, 500), ("park < a::caller:1", Wait::Parked, parked)], 500);
    let found = Case::new().result(bench("binary", "wall", Outcome::Slower), &of(0), &of(5000)).waiting.unwrap();
    assert!(found.places.is_empty() && !found.moved && found.kernel.is_none(), "{found:#?}");
}

#[test]
fn why_it_was_not_watched_is_said() {
    let case = Case::new();
    let both = Both {
        changes: &case.changes,
        base: &case.base.view(),
        head: &case.head.view(),
        base_evidence: &case.evidence,
        head_evidence: &case.evidence,
    };
    let mut results = vec![bench("binary", "wall", Outcome::Slower), bench("binary", "wall", Outcome::Slower)];
    results[1].id = "other".into();
    let late: WatchedPairs = Err("no time was left".into());
    add_waiting(&mut results, &both, |id| (id == "work").then_some(&late));
    assert_eq!(results[0].unmeasured[WAITING], "no time was left");
    assert!(!results[1].unmeasured.contains_key(WAITING));
}
