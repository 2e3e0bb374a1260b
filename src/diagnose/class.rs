//! The classifier: the first rule that holds names the class, and every part of 15 % or more is told beside it.
//!
//! Rules and defaults are those of `reference/evidence-rules.md` §3.2 (C1–C11). C2 (blocked async workers) rests on
//! the stacks of blocked threads alone.

use std::collections::BTreeMap;

use super::faults::most_until;
use super::who::{blocked_workers, confirmed_locks};
use super::{Part, Time, Waiter, Work, host, waiters, words};

/// What keeps a workload from being done sooner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The processor.
    Cpu,
    /// Something outside of the program.
    Io,
    /// Pages, the allocator, or the memory itself.
    Memory,
    /// Other threads of the program.
    Contention,
    /// Nothing: it has next to nothing to do.
    Idle,
    /// No single thing.
    Mixed,
}

impl Class {
    /// Its name in the JSON contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu-bound",
            Self::Io => "io-bound",
            Self::Memory => "memory-bound",
            Self::Contention => "contention-bound",
            Self::Idle => "idle",
            Self::Mixed => "mixed",
        }
    }
}

/// What came of a workload.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnosis {
    /// The class.
    pub class: Class,
    /// What of it: `durability`, `locks`, `serial` …; `None` where there is nothing to add.
    pub kind: Option<&'static str>,
    /// 0 to 1.
    pub confidence: f64,
    /// Looks and samples that it rests on.
    pub samples: u64,
    /// Shares of the work time, by the names of [`Part`].
    pub shares: BTreeMap<String, f64>,
    /// Lower and upper ends of those shares.
    pub intervals: BTreeMap<String, [f64; 2]>,
    /// What others did to the run, in words.
    pub host: Option<String>,
    /// One sentence.
    pub summary: String,
    /// What agrees, and what was counted, one clause each.
    pub evidence: Vec<String>,
    /// Who waited while there was work, most time first.
    pub waiters: Vec<Waiter>,
}

/// Workers that stand still inside of a task: share of the work time (C2).
const BLOCKED_WORKERS: f64 = 0.10;
/// Locks: share of the work time (C3).
const LOCKS: f64 = 0.20;
/// Part of that time of which stacks must say the same, to agree.
const CONFIRMED: f64 = 0.50;
/// Hand-off storm: voluntary switches per CPU second, with this share of the CPU time in the kernel (C3).
const STORM: f64 = 10_000.0;
const STORM_KERNEL: f64 = 0.30;
/// Waits for I/O: share of the work time (C4).
const IO: f64 = 0.30;
/// Rate of calls: share of the work time on the CPU, of that in the kernel, calls per CPU second, and bytes of each (C5).
const CALLS_ON_CPU: f64 = 0.50;
const CALLS_KERNEL: f64 = 0.30;
const CALLS: f64 = 50_000.0;
const SMALL: f64 = 512.0;
/// Bytes per call up to which it is an eventfd that wakes somebody (C5's exception).
const EVENTFD: f64 = 8.5;
/// Faults: per CPU second, with this share of the CPU time in the kernel (C6).
const FAULTS: f64 = 60_000.0;
const FAULTS_KERNEL: f64 = 0.10;
/// Part of the run that is its start: a program that touched nearly all of its pages in it is not bound by them.
const START: f64 = 0.25;
/// Capacity: faults that need I/O, per second, and the share of the time in which memory was short (C6). A program's own pages
/// are read at its start; a steady rate is more than that.
const MAJOR_FAULTS: f64 = 50.0;
const SHORT_MEMORY: f64 = 0.01;
/// Copying: share of the CPU samples; without hardware counters a hint only (C7).
const COPYING: f64 = 0.40;
/// The allocator: share of the CPU samples (C8).
const ALLOCATOR: f64 = 0.20;
/// User code: share of the work time (C9).
const USER: f64 = 0.70;
/// Work time as a share of the watched time below which nothing is exercised (C10).
const IDLE: f64 = 0.10;
/// The clock: share of the work time from which waiting for it is what the workload does.
const SLEEP: f64 = 0.50;
/// Samples from which a share is as good as it gets (§3.2).
const ENOUGH: f64 = 300.0;
/// Samples below which nothing is said.
pub(super) const FEWEST: u64 = 30;
/// Factor where others took the machine (C1).
const CONTENDED: f64 = 0.5;
/// Factor where only one kind of evidence speaks (§3.2).
const ONE_WITNESS: f64 = 0.7;

/// A rule's answer: class, what of it, its base confidence, and whether a second kind of evidence agrees.
type Answer = (Class, Option<&'static str>, f64, bool);

/// Names the bottleneck, or says why nobody can.
pub fn diagnose(work: &Work) -> Result<Diagnosis, String> {
    let time = Time::of(work);
    let samples = work.on_cpu.samples + waiting_samples(work);
    if work.observed.looks == 0 {
        return Err("the run was over before its threads could be looked at".into());
    }
    if time.total() <= 0.0 && work.observed.waits.is_empty() {
        return Err("no time of it was accounted".into());
    }
    if work.on_cpu.samples + work.observed.looks < FEWEST {
        return Err(format!("{samples} samples are too few"));
    }
    let (class, kind, base, agrees) = first(work, &time);
    let agrees = agrees && !is_batched(work);
    let host = host::contention(work);
    let waiters = waiters(work);
    // That there is nothing to do is known from every look, not only from those that found work.
    let known = if class == Class::Idle { samples.max(work.observed.looks) } else { samples };
    let confidence = base
        * (known as f64 / ENOUGH).min(1.0)
        * if host.is_some() { CONTENDED } else { 1.0 }
        * if agrees { 1.0 } else { ONE_WITNESS };
    let summary = words::summary((class, kind), work, &time, &waiters, known);
    Ok(Diagnosis {
        class,
        kind,
        confidence,
        samples: known,
        shares: time.shares().into_iter().map(|(part, share)| (part.name().to_owned(), share)).collect(),
        intervals: time.shares().into_iter().map(|(part, _)| (part.name().to_owned(), time.interval(part).into())).collect(),
        evidence: words::evidence(work, &time, &waiters, &summary),
        summary,
        host,
        waiters,
    })
}

/// Share of the samples under criterion's batched loops from which the run says less about what is timed.
const BATCHED: f64 = 0.10;

/// True where a part of the run, and of its page faults, is the harness's preparation that it does not time.
pub(super) fn is_batched(work: &Work) -> bool {
    work.on_cpu.batched >= BATCHED
}

fn waiting_samples(work: &Work) -> u64 {
    work.observed.waits.iter().filter(|waiting| Part::of(waiting).is_some()).map(|waiting| waiting.samples).sum()
}

fn first(work: &Work, time: &Time) -> Answer {
    let rules = [idle, crowded, workers, locks, storm, sleeps, io, calls, capacity, faults, copying, allocator, cpu];
    rules.iter().find_map(|rule| rule(work, time)).unwrap_or((Class::Mixed, None, 0.5, true))
}

/// Before the others: of next to no work any share may be large.
fn idle(work: &Work, time: &Time) -> Option<Answer> {
    // Time in which it was ready and had no processor is no idleness.
    let delay = work.observed.run_delay_ns / work.observed.most_threads.max(1);
    let free = work.observed.watched_ns.saturating_sub(delay) as f64;
    (time.total() < IDLE * free).then_some((Class::Idle, Some("no work"), 0.9, true))
}

fn crowded(work: &Work, _: &Time) -> Option<Answer> {
    host::is_crowded(work).then_some((Class::Contention, Some("over-subscribed"), 0.9, true))
}

fn workers(work: &Work, _: &Time) -> Option<Answer> {
    (blocked_workers(work).share >= BLOCKED_WORKERS).then_some((Class::Contention, Some("blocked async workers"), 0.95, true))
}

fn locks(work: &Work, time: &Time) -> Option<Answer> {
    // The word of the lock says so; does a stack, too?
    let agrees = confirmed_locks(work) >= CONFIRMED;
    (time.share(Part::Lock) >= LOCKS).then_some((Class::Contention, Some("locks"), 0.9, agrees))
}

fn storm(work: &Work, time: &Time) -> Option<Answer> {
    let eventfd = work.call_rate().is_some_and(|(rate, bytes)| rate >= CALLS && bytes <= EVENTFD);
    let storm = work.observed.most_threads >= 2 && kernel(time) >= STORM_KERNEL && (work.switch_rate() >= STORM || eventfd);
    (storm && time.io() < IO).then_some((Class::Contention, Some("hand-off"), 0.6, true))
}

fn sleeps(_: &Work, time: &Time) -> Option<Answer> {
    (time.share(Part::Sleep) >= SLEEP).then_some((Class::Idle, Some("sleep"), 0.9, true))
}

fn io(work: &Work, time: &Time) -> Option<Answer> {
    let (part, _) = time.shares().into_iter().find(|(part, _)| part.is_io())?;
    // The time was blocked by the scheduler's account; that most looks held still says that it is these waits.
    let agrees = work.observed.raced <= waiting_samples(work);
    (time.io() >= IO).then_some((Class::Io, Some(part.name()), 0.9, agrees))
}

fn calls(work: &Work, time: &Time) -> Option<Answer> {
    let (rate, bytes) = work.call_rate()?;
    let on_cpu = time.share(Part::User) + time.share(Part::Kernel);
    let many = on_cpu >= CALLS_ON_CPU && kernel(time) >= CALLS_KERNEL && rate >= CALLS && bytes < SMALL;
    many.then_some((Class::Io, Some("syscall-rate"), 0.85, true))
}

fn capacity(work: &Work, _: &Time) -> Option<Answer> {
    let short = work.contention.and_then(|contention| contention.memory_pressure).is_some_and(|share| share >= SHORT_MEMORY);
    let swaps = work.observed.swapped.is_some_and(|bytes| bytes > 0);
    let reads = work.major_fault_rate().is_some_and(|rate| rate >= MAJOR_FAULTS);
    (reads && (short || swaps)).then_some((Class::Memory, Some("capacity"), 0.8, short && swaps))
}

/// True where page faults hold a workload up all the time (C6), whatever else does.
pub fn faults_hold_up(work: &Work) -> bool {
    faults(work, &Time::of(work)).is_some()
}

fn faults(work: &Work, time: &Time) -> Option<Answer> {
    let started = most_until(&work.observed.resident).is_some_and(|until| until <= START);
    // Whose pages they are cannot be told there.
    if is_batched(work) || started {
        return None;
    }
    let many = work.fault_rate().is_some_and(|rate| rate >= FAULTS) && kernel(time) >= FAULTS_KERNEL;
    many.then_some((Class::Memory, Some("faults"), 0.8, true))
}

fn copying(work: &Work, time: &Time) -> Option<Answer> {
    let much = work.on_cpu.copying >= COPYING && time.share(Part::User) >= USER;
    much.then_some((Class::Memory, Some("bandwidth"), 0.4, true))
}

fn allocator(work: &Work, time: &Time) -> Option<Answer> {
    let much = work.on_cpu.allocator >= ALLOCATOR && time.share(Part::User) >= USER;
    much.then_some((Class::Memory, Some("allocator"), 0.85, true))
}

fn cpu(work: &Work, time: &Time) -> Option<Answer> {
    let kind = if work.is_serial() { "serial" } else { "parallel" };
    // The sampler's own count of the same time; where the time in user code is known from it, it is measured against all CPU time.
    let agrees = work.on_cpu.coverage.is_some_and(|coverage| coverage >= 0.7) || work.user_by_samples().is_some();
    (time.share(Part::User) >= USER).then_some((Class::Cpu, Some(kind), 0.9, agrees))
}

/// The kernel's share of the CPU time.
pub(super) fn kernel(time: &Time) -> f64 {
    let (user, kernel) = (time.share(Part::User), time.share(Part::Kernel));
    if user + kernel > 0.0 { kernel / (user + kernel) } else { 0.0 }
}
