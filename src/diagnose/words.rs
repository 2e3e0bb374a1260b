//! A diagnosis in words: one sentence, and the clauses that it rests on. Names of files and peers are untrusted; renderers clean them.

use super::class::{is_batched, kernel};
use super::faults::most_until;
use super::who::blocked_workers;
use super::{Class, Part, Time, Waiter, Work};
use crate::figures;
use crate::heat::Share;
use crate::sample::offcpu::{Place, Wait, Waiting};

/// Parts that are told (`evidence-rules.md` §3.2).
const TOLD: f64 = 0.15;

/// Waits that are named in the evidence.
const NAMED: usize = 3;

/// Share of the work time from which a function that waits is named.
const WAITS: f64 = 0.03;

pub(super) fn summary(
    (class, kind): (Class, Option<&'static str>),
    work: &Work,
    time: &Time,
    waiters: &[Waiter],
    samples: u64,
) -> String {
    let told: Vec<String> = time
        .shares()
        .iter()
        .filter(|(_, share)| *share >= TOLD)
        .enumerate()
        .map(|(place, &(part, share))| {
            let whole = if place == 0 { " of the work time" } else { "" };
            let (low, high) = time.interval(part);
            format!("{}{whole} {}", figures::share_between(share, low, high), doing(part, work, waiters))
        })
        .collect();
    let parts = match (class, kind, told.is_empty()) {
        (_, Some("blocked async workers"), _) => workers(work, waiters),
        (Class::Idle, Some("no work"), _) => busy(work, time),
        (_, _, true) => "no part reaches 15 % of the work time".into(),
        (_, _, false) => told.join(", "),
    };
    let batches = "criterion's batches are in it, which it does not time".to_owned();
    let note = if is_batched(work) { Some(batches) } else { note(class, kind, work) };
    let note = note.map(|note| format!("; {note}")).unwrap_or_default();
    format!("{parts}{note} (n = {samples})")
}

/// What the shares do not say themselves.
fn note(class: Class, kind: Option<&'static str>, work: &Work) -> Option<String> {
    let note = match (class, kind?) {
        (Class::Cpu, "serial") if work.cpus > 1 => "one thread does it",
        (Class::Cpu, "parallel") => "several threads do it",
        (Class::Io, "syscall-rate") => "many small reads and writes",
        (Class::Memory, "capacity") => "memory is short",
        (Class::Memory, "faults") => return Some(format!("it touches many new pages{}", early(work))),
        (Class::Memory, "bandwidth") => {
            return Some(format!("{} of the CPU samples copy memory, a hint only", figures::share(work.on_cpu.copying)));
        }
        (Class::Memory, "allocator") => {
            return Some(format!("{} of the CPU samples allocate or free", figures::share(work.on_cpu.allocator)));
        }
        (Class::Contention, "over-subscribed") => "more threads are ready to run than there are processors",
        (Class::Contention, "hand-off") => "threads hand work to each other too often",
        (Class::Idle, "no work") => "this run does not exercise the program",
        _ => return None,
    };
    Some(note.into())
}

/// Part of the run until which most page faults are no steady stream.
const EARLY: f64 = 0.75;

fn early(work: &Work) -> String {
    let until = most_until(&work.observed.resident).filter(|&until| until < EARLY);
    until.map(|until| format!(", nearly all in the first {} of the run", figures::share(until))).unwrap_or_default()
}

/// "on the CPU in user code", "waiting for a database (127.0.0.1:5432)".
fn doing(part: Part, work: &Work, waiters: &[Waiter]) -> String {
    let what = match part {
        Part::User => "on the CPU in user code",
        Part::Kernel => "on the CPU in the kernel",
        Part::Network => "waiting for a socket",
        Part::Database => "waiting for a database",
        Part::Disk => "waiting for files",
        Part::Durability => "waiting for data to be safe on the disk (fsync)",
        Part::Pipe => "waiting at a pipe",
        Part::Device => "waiting for a device",
        Part::Lock => "waiting for locks",
        Part::Sleep => "asleep",
        Part::Memory => "waiting for pages",
        Part::Other => "waiting for something else",
    };
    let of_part = |waiting: &&Waiting| Part::of(waiting) == Some(part);
    let name = work.observed.waits.iter().filter(of_part).find_map(|waiting| waiting.what.as_deref());
    let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
    let mine = |waiter: &&Waiter| Part::of_wait(waiter.wait, waiter.what.as_deref()) == part;
    let owner = waiters.iter().find(mine).and_then(|waiter| waiter.owner.as_ref());
    let owner = owner.map(|owner| format!(" in `{}`", owner.function)).unwrap_or_default();
    format!("{what}{name}{owner}")
}

/// The share, and whose task it is most.
fn workers(work: &Work, waiters: &[Waiter]) -> String {
    let Share { share, low, high, .. } = blocked_workers(work);
    let share = figures::share_between(share, low, high);
    let first = waiters.iter().find(|waiter| waiter.place == Place::Worker).map(Waiter::sentence);
    let first = first.map(|first| format!("; most of it, {first}")).unwrap_or_default();
    format!("for {share} of the work time workers of the runtime stand still inside of tasks{first}")
}

fn busy(work: &Work, time: &Time) -> String {
    let watched = work.observed.watched_ns as f64;
    let share = if watched > 0.0 { time.total() / watched } else { 0.0 };
    let idle = work.observed.waits.iter().find(|waiting| waiting.idle).map(|waiting| idle(waiting.wait));
    let idle = idle.map(|idle| format!(", mostly {idle}")).unwrap_or_default();
    format!("work takes {} of its time{idle}", figures::share(share))
}

fn idle(wait: Wait) -> &'static str {
    match wait {
        Wait::HandOff => "waiting for its own threads or processes at a pipe or socket",
        Wait::Parked => "parked",
        Wait::Join => "waiting for threads to end",
        Wait::Child => "waiting for child processes",
        Wait::Event => "waiting for events",
        Wait::Sleep => "asleep beside others",
        _ => "standing by while others work",
    }
}

/// What was counted, most telling first.
pub(super) fn evidence(work: &Work, time: &Time, waiters: &[Waiter], summary: &str) -> Vec<String> {
    let observed = &work.observed;
    // What the summary says with the same share, or in the same words, is not said again.
    let said = |waiter: &&Waiter| {
        let (share, named) =
            (figures::share(waiter.share.share), waiter.owner.as_ref().map(|owner| format!("in `{}`", owner.function)));
        let names = summary.contains(&waiter.sentence()) || named.is_some_and(|named| summary.contains(&named));
        names && summary.contains(&share)
    };
    let told = waiters.iter().filter(|waiter| waiter.share.share >= WAITS && waiter.owner.is_some());
    let who = told.take(NAMED).filter(|waiter| !said(waiter));
    let mut lines: Vec<String> = who
        .map(|waiter| {
            let share = figures::share_with_interval(waiter.share.share, waiter.share.low, waiter.share.high);
            format!("{share} of the work time: {}", waiter.sentence())
        })
        .collect();
    lines.push(format!("{} of the CPU time in the kernel{}", figures::share(kernel(time)), by_samples(work)));
    lines.push(format!("{} voluntary switches per CPU second", count(work.switch_rate())));
    lines.extend(work.fault_rate().map(|rate| {
        let null = if work.null.is_some() { ", without those of an empty run" } else { "; no empty run to take away" };
        format!("{} page faults per CPU second{null}", count(rate))
    }));
    lines.extend(work.call_rate().filter(|(rate, _)| *rate >= 1000.0).map(|(rate, bytes)| {
        format!("{} reads and writes per CPU second, {} each", count(rate), figures::quantity(bytes, "bytes"))
    }));
    if work.on_cpu.samples > 0 {
        let told = [("the allocator", work.on_cpu.allocator), ("copying memory", work.on_cpu.copying)];
        let told = told.iter().filter(|(_, share)| *share >= TOLD);
        lines.extend(told.map(|(what, share)| format!("{} of the CPU samples in {what}", figures::share(*share))));
    }
    let waits = observed.waits.iter().filter(|waiting| Part::of(waiting).is_some() && waiting.what.is_some());
    lines.extend(waits.take(NAMED).map(|waiting| {
        let what = waiting.what.as_deref().unwrap_or_default();
        format!("waited {} for {what}", figures::quantity(waiting.ns as f64, "ns"))
    }));
    let raced =
        if observed.raced > 0 { format!(", {} dropped as the thread went on meanwhile", observed.raced) } else { String::new() };
    let cost = figures::share(observed.own_ns as f64 / observed.watched_ns.max(1) as f64);
    lines.push(format!(
        "{} at its threads{raced}; sampling and watching took {cost} of a CPU",
        figures::counted(observed.looks as usize, "look")
    ));
    lines
}

/// Where the time in user code was taken from, if the kernel's account says something else.
fn by_samples(work: &Work) -> String {
    let Some((ticks, sampled)) = work.user_by_samples() else { return String::new() };
    let [ticks, sampled] = [ticks, sampled].map(|ns| figures::quantity(ns as f64, "ns"));
    format!(", by the samples: they show {sampled} in user code where the kernel's ticks account {ticks}")
}

fn count(rate: f64) -> String {
    figures::quantity(rate.round(), "count")
}
