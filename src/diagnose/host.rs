//! Whether the machine, and not the program, made it wait: to be said before anything else.

use super::Work;
use crate::figures;

/// Of the time that threads could have run, the share that they waited for a processor (`evidence-rules.md` §3.2, C1).
const CONTENDED: f64 = 0.20;

/// Share of the time in which some task waited for a processor, where the workload alone cannot be the reason (C1).
const PRESSED: f64 = 0.20;

/// Share of the time that a quota held everything back (C1).
const THROTTLED: f64 = 0.05;

/// Share of the run-queue wait from which a program with more threads than processors is in its own way (C1).
const CROWDED: f64 = 0.25;

/// So many times as many threads ready to run as there are processors.
const TOO_MANY: f64 = 1.25;

/// A program that holds this share of all processors has nobody to blame for its waiting.
const WHOLE_MACHINE: f64 = 0.80;

/// Share of the time ready to run in which there was no processor; `None` when nothing ran.
pub(super) fn delayed(work: &Work) -> Option<f64> {
    let could_run = (work.observed.on_cpu_ns + work.observed.run_delay_ns) as f64;
    (could_run > 0.0).then(|| work.observed.run_delay_ns as f64 / could_run)
}

/// True when the program has more threads ready than the machine has processors, and has the machine to itself.
pub(super) fn is_crowded(work: &Work) -> bool {
    let machine = work.cpus as f64 * work.observed.watched_ns as f64;
    let whole = work.observed.on_cpu_ns as f64 >= WHOLE_MACHINE * machine;
    let many = work.observed.runnable >= TOO_MANY * work.cpus as f64;
    work.cpus > 0 && whole && many && delayed(work).is_some_and(|share| share >= CROWDED)
}

/// What others did to the run, in words; `None` where nothing is to be said.
pub(super) fn contention(work: &Work) -> Option<String> {
    let contention = work.contention.unwrap_or_default();
    let watched = contention.watched_ns as f64;
    let throttled = contention.throttled_ns.map(|ns| ns as f64 / watched.max(1.0)).filter(|&share| share >= THROTTLED);
    if let Some(share) = throttled {
        return Some(format!("the CPU quota held it back for {} of the time", figures::share(share.min(1.0))));
    }
    if is_crowded(work) {
        return None;
    }
    if let Some(share) = delayed(work).filter(|&share| share >= CONTENDED) {
        return Some(format!("others took the CPU for {} of the time that it was ready to run", figures::share(share)));
    }
    let few = work.observed.most_threads <= work.cpus;
    let pressed = contention.cpu_pressure.filter(|&share| few && share >= PRESSED)?;
    Some(format!("some process waited for the CPU {} of the time", figures::share(pressed)))
}
