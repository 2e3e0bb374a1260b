//! A table per class, and the laws of shares and confidence.

mod catalogue;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod live;
mod recorded;

use proptest::prelude::*;

use super::{Class, Diagnosis, OnCpu, Part, Time, Work, diagnose};
use crate::measure::Contention;
use crate::profile::Frame;
use crate::sample::offcpu::{Blocked, BlockedStack, Observed, Place, Resident, Transfers, Wait, Waiting};

const MS: u64 = 1_000_000;

fn waiting(wait: Wait, ms: u64, what: Option<&str>) -> Waiting {
    Waiting { wait, what: what.map(str::to_owned), idle: wait.is_idle(), ns: ms * MS, samples: ms / 5 }
}

/// Milliseconds in user code and in the kernel, and waits; one thread on a quiet machine with two processors.
fn work(user: u64, system: u64, waits: Vec<Waiting>) -> Work {
    let blocked: u64 = waits.iter().map(|one| one.ns).sum();
    let on_cpu = (user + system) * MS;
    Work {
        runs: 1,
        cpus: 2,
        user_ns: user * MS,
        system_ns: system * MS,
        minor_faults: Some(100),
        major_faults: Some(0),
        on_cpu: OnCpu { samples: user, coverage: Some(1.0), ..OnCpu::default() },
        observed: Observed {
            watched_ns: on_cpu + blocked,
            looks: (on_cpu + blocked) / (5 * MS),
            threads: 1,
            most_threads: 1,
            runnable: 1.0,
            on_cpu_ns: on_cpu,
            busiest_ns: on_cpu,
            waits,
            ..Observed::default()
        },
        ..Work::default()
    }
}

fn found(work: &Work) -> Diagnosis {
    diagnose(work).unwrap()
}

/// Seconds of waiting inside of a task, of six that the program computes or waits elsewhere.
fn blocks_workers(ms: u64, place: Place) -> Work {
    let frame = |function: &str| Frame {
        function: function.into(),
        file: Some("/a/src/main.rs".into()),
        line: Some(1),
        module: "a".into(),
        inlined: false,
    };
    let waits = vec![waiting(Wait::Durability, ms, Some("/a/log"))];
    let mut work = work(6000 - ms, 20, waits);
    let stack = BlockedStack {
        frames: vec![0, 1],
        wait: Wait::Durability,
        what: Some("/a/log".into()),
        idle: false,
        place,
        confirmed: false,
        complete: true,
        ns: ms * MS,
        looks: ms / 5,
    };
    work.observed.blocked =
        Some(Blocked { frames: vec![frame("a::save"), frame("a::handle::{{closure}}")], stacks: vec![stack] });
    work
}

#[test]
fn workers_that_stand_still_inside_of_tasks_are_a_class_of_their_own() {
    let found_in = |ms, place| found(&blocks_workers(ms, place));
    let blocked = found_in(2000, Place::Worker);
    assert_eq!((blocked.class, blocked.kind), (Class::Contention, Some("blocked async workers")));
    assert!(blocked.confidence > 0.9, "{blocked:?}");
    let summary = "for 33 % [31, 36] of the work time workers of the runtime stand still inside of tasks; most of it, `a::save` waits for fsync \
                   (/a/log) under `a::handle::{{closure}}`, inside of a task: its worker polls no other meanwhile (n = 4400)";
    assert_eq!(blocked.summary, summary);
    assert!(!blocked.evidence.iter().any(|line| line.contains("a::save")), "said once: {:?}", blocked.evidence);
    let outside = found_in(2000, Place::Outside);
    assert!(!outside.evidence.iter().any(|line| line.contains("a::save")), "said once: {:?}", outside.evidence);
    assert_eq!(found_in(2000, Place::Outside).class, Class::Io, "a thread of its own may wait");
    assert_eq!(found_in(400, Place::Worker).class, Class::Cpu, "too little to be the bottleneck");
}

#[test]
fn what_runs_between_the_ticks_is_known_by_its_samples() {
    let split = |ticks, sampled: u64| {
        let mut work = work(ticks, 500 - ticks, vec![]);
        (work.on_cpu.samples, work.on_cpu.sampled_ns) = (sampled, Some(sampled * MS));
        work
    };
    let bursts = split(0, 300);
    assert!((bursts.user() - 3e8).abs() < 1.0 && (bursts.system() - 2e8).abs() < 1.0, "{} {}", bursts.user(), bursts.system());
    let told = "40 % of the CPU time in the kernel, by the samples: they show 300.0 ms in user code where the kernel's ticks account 0 ns";
    assert!(found(&bursts).evidence.contains(&told.to_owned()), "{:?}", found(&bursts).evidence);
    assert_eq!(split(290, 300).user_by_samples(), None, "two clocks");
    assert_eq!(split(0, 5).user_by_samples(), None, "chance");
    assert!((split(400, 300).user() - 4e8).abs() < 1.0, "samples may be lost");
    assert!((split(0, 600).user() - 5e8).abs() < 1.0 && split(0, 600).system() < 1.0, "no more than all");
}

#[test]
fn a_table_of_classes() {
    let calls = |bytes_each: u64| {
        let transfers = Transfers { reads: 0, writes: 200_000, bytes: 200_000 * bytes_each, written: None, disk_bytes: 0 };
        let mut work = work(1000, 1000, vec![]);
        work.observed.transfers = Some(transfers);
        work
    };
    let threads = |mut work: Work, threads: u64| {
        work.observed.most_threads = threads;
        work
    };
    let mut storm = threads(work(1000, 1000, vec![]), 2);
    storm.voluntary_switches = 40_000;
    let mut faults = work(1500, 500, vec![]);
    faults.minor_faults = Some(200_000);
    let mut capacity = work(1500, 500, vec![]);
    (capacity.major_faults, capacity.observed.swapped) = (Some(1000), Some(1 << 20));
    let mut copying = work(2000, 10, vec![]);
    copying.on_cpu.copying = 0.5;
    let mut allocates = work(2000, 10, vec![]);
    allocates.on_cpu.allocator = 0.3;
    let mut parallel = threads(work(4000, 10, vec![]), 2);
    parallel.observed.busiest_ns = 2000 * MS;
    let mut crowded = threads(work(4000, 10, vec![]), 8);
    (crowded.observed.watched_ns, crowded.observed.runnable) = (2000 * MS, 7.0);
    crowded.observed.run_delay_ns = 12_000 * MS;
    let table = [
        (work(2000, 20, vec![]), Class::Cpu, Some("serial")),
        (parallel, Class::Cpu, Some("parallel")),
        (work(400, 20, vec![waiting(Wait::Socket, 1600, Some("127.0.0.1:5432"))]), Class::Io, Some("database")),
        (work(400, 20, vec![waiting(Wait::Socket, 1600, Some("10.0.0.1:443"))]), Class::Io, Some("network")),
        (work(400, 20, vec![waiting(Wait::Durability, 1600, Some("/a/db"))]), Class::Io, Some("durability")),
        (work(400, 20, vec![waiting(Wait::File, 1600, Some("/a/b"))]), Class::Io, Some("disk")),
        (work(400, 20, vec![waiting(Wait::Pipe, 1600, None)]), Class::Io, Some("pipe")),
        (threads(work(1000, 20, vec![waiting(Wait::Lock, 900, None)]), 2), Class::Contention, Some("locks")),
        (storm.clone(), Class::Contention, Some("hand-off")),
        (crowded, Class::Contention, Some("over-subscribed")),
        (calls(64), Class::Io, Some("syscall-rate")),
        (threads(calls(8), 2), Class::Contention, Some("hand-off")),
        (calls(8192), Class::Mixed, None),
        (faults, Class::Memory, Some("faults")),
        (capacity, Class::Memory, Some("capacity")),
        (copying, Class::Memory, Some("bandwidth")),
        (allocates, Class::Memory, Some("allocator")),
        (work(20, 5, vec![waiting(Wait::Sleep, 2000, None)]), Class::Idle, Some("sleep")),
        (work(20, 5, vec![waiting(Wait::Event, 2000, None)]), Class::Idle, Some("no work")),
        (work(20, 5, vec![waiting(Wait::Parked, 9000, None)]), Class::Idle, Some("no work")),
        (work(1000, 500, vec![waiting(Wait::Other, 400, None)]), Class::Mixed, None),
    ];
    for (work, class, kind) in table {
        let found = found(&work);
        assert_eq!((found.class, found.kind), (class, kind), "{found:#?}");
    }
    storm.observed.most_threads = 1;
    assert_eq!(found(&storm).class, Class::Mixed, "one thread hands nothing over");
}

#[test]
fn what_is_said_names_the_wait_and_counts_the_samples() {
    let cpu = found(&work(1000, 20, vec![]));
    assert_eq!(cpu.summary, "98 % of the work time on the CPU in user code; one thread does it (n = 1000)");
    let io = found(&work(400, 20, vec![waiting(Wait::Socket, 1800, Some("127.0.0.1:5432"))]));
    let waits = "81 % [77, 84] of the work time waiting for a database (127.0.0.1:5432)";
    assert_eq!(io.summary, format!("{waits}, 18 % [15, 22] on the CPU in user code (n = 760)"));
    assert!(io.evidence.iter().any(|line| line == "waited 1.800 s for 127.0.0.1:5432"), "{:?}", io.evidence);
    let idle = found(&work(20, 5, vec![waiting(Wait::Event, 2000, None)]));
    let work = "work takes 1.2 % of its time, mostly waiting for events";
    assert_eq!(idle.summary, format!("{work}; this run does not exercise the program (n = 405)"));
}

#[test]
fn idle_threads_are_no_part_of_the_work() {
    let idle = Waiting { idle: true, ..waiting(Wait::Pipe, 9000, None) };
    let found = found(&work(1000, 10, vec![idle, waiting(Wait::Join, 9000, None)]));
    assert_eq!(found.class, Class::Idle, "1 s of work in 19 s: {found:#?}");
    let mut watched_less = work(1000, 10, vec![waiting(Wait::Join, 9000, None)]);
    watched_less.observed.watched_ns = 1100 * MS;
    assert_eq!(diagnose(&watched_less).unwrap().class, Class::Cpu);
}

#[test]
fn pages_that_are_touched_at_the_start_are_no_bottleneck() {
    let faults = |until: u64| {
        let mut work = work(1500, 500, vec![]);
        work.minor_faults = Some(200_000);
        let point = |look: u64| Resident { at_ns: look * 20 * MS, bytes: 0, faults: Some(200_000 * look.min(until) / until) };
        work.observed.resident = (0..=100).map(point).collect();
        found(&work)
    };
    assert_eq!(faults(10).class, Class::Cpu, "a tenth of the run");
    let half = faults(50);
    assert_eq!(half.kind, Some("faults"));
    assert!(half.summary.contains("many new pages, nearly all in the first 45 % of the run"), "{}", half.summary);
    assert!(!faults(100).summary.contains("nearly all"), "{}", faults(100).summary);
}

#[test]
fn what_an_empty_run_costs_is_taken_away() {
    let mut work = work(1000, 200, vec![]);
    work.minor_faults = Some(120_000);
    assert_eq!(found(&work).kind, Some("faults"));
    work.null = Some(super::Null { minor_faults: 110_000, ..super::Null::default() });
    assert_eq!(found(&work).kind, Some("serial"));
}

#[test]
fn pages_of_criterion_s_batches_are_not_held_against_the_code() {
    let mut work = work(500, 500, vec![]);
    work.minor_faults = Some(300_000);
    let alone = found(&work);
    work.on_cpu.batched = 1.0;
    let batched = found(&work);
    assert_eq!((alone.class, batched.class), (Class::Memory, Class::Mixed));
    assert!(batched.confidence < alone.confidence && batched.summary.contains("criterion's batches"), "{batched:?}");
}

#[test]
fn too_little_to_say_anything_is_said() {
    assert!(diagnose(&Work::default()).unwrap_err().contains("over before"));
    let mut short = work(20, 1, vec![]);
    short.observed.looks = 4;
    assert_eq!(diagnose(&short).unwrap_err(), "20 samples are too few");
}

#[test]
fn a_quota_and_a_busy_machine_are_told_apart() {
    let mut throttled = work(1000, 20, vec![]);
    throttled.contention = Some(Contention { watched_ns: 1000 * MS, throttled_ns: Some(300 * MS), ..Contention::default() });
    assert_eq!(found(&throttled).host.as_deref(), Some("the CPU quota held it back for 30 % of the time"));
    let mut shared = work(1000, 20, vec![]);
    shared.observed.run_delay_ns = 1020 * MS;
    let said = found(&shared).host.unwrap();
    assert_eq!(said, "others took the CPU for 50 % of the time that it was ready to run");
}

const PARTS: [(Part, Wait); 6] = [
    (Part::Network, Wait::Socket),
    (Part::Disk, Wait::File),
    (Part::Durability, Wait::Durability),
    (Part::Pipe, Wait::Pipe),
    (Part::Lock, Wait::Lock),
    (Part::Sleep, Wait::Sleep),
];

prop_compose! {
    fn any_work()(user in 0u64..5000, system in 0u64..5000, times in prop::array::uniform6(0u64..5000)) -> Work {
        work(user, system, PARTS.iter().zip(times).map(|((_, wait), ms)| waiting(*wait, ms, None)).collect())
    }
}

proptest! {
    #[test]
    fn shares_are_shares(work in any_work()) {
        if let Ok(found) = diagnose(&work) {
            let sum: f64 = found.shares.values().sum();
            prop_assert!(sum <= 1.0 + 1e-9 && found.shares.values().all(|share| (0.0..=1.0).contains(share)), "{found:?}");
            prop_assert!((0.0..=1.0).contains(&found.confidence));
        }
    }

    #[test]
    fn more_of_a_part_never_lowers_its_share(work in any_work(), which in 0usize..6, more in 0u64..5000) {
        let (part, wait) = PARTS[which];
        let mut with_more = work.clone();
        with_more.observed.waits.push(waiting(wait, more, None));
        prop_assert!(Time::of(&with_more).share(part) >= Time::of(&work).share(part) - 1e-12);
    }

    #[test]
    fn a_machine_that_is_shared_is_said_and_halves_the_confidence(work in any_work(), delay in 0u64..20_000) {
        let mut shared = work.clone();
        shared.observed.run_delay_ns = delay * MS;
        shared.observed.watched_ns += delay * MS;
        if let (Ok(alone), Ok(shared_found)) = (diagnose(&work), diagnose(&shared)) {
            let could_run = shared.observed.on_cpu_ns + shared.observed.run_delay_ns;
            let contended = shared.observed.run_delay_ns as f64 >= 0.2 * could_run as f64 && could_run > 0;
            prop_assert_eq!(shared_found.host.is_some(), contended);
            prop_assert_eq!(alone.class, shared_found.class, "waiting for a processor is in no share");
            let factor = if contended { 0.5 } else { 1.0 };
            prop_assert!((shared_found.confidence - factor * alone.confidence).abs() < 1e-9);
        }
    }
}
