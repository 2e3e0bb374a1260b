//! What is measured beside the rounds, once per workload, in runs of its own: allocations, and the CPU time of what is timed on
//! the wall clock. Nothing here decides about a workload.

use std::collections::BTreeMap;

use super::absolute::Absolute;
use super::allocations::{self, AllocationCounter, Counts, Effort};
use super::clock::{ClockChoice, ClockKind};
use super::harness::{Harness, HarnessError};
use super::order::Role;
use super::peak::{MEMORY, peaks};
use super::round::Job;
use super::{LiveRunner, MetricResult};
use crate::stats::estimate::{log_ratios, median_interval};
use crate::stats::{Outcome, Plan, median};

/// Figures beside the rounds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Aside {
    /// What was measured.
    pub metrics: Vec<MetricResult>,
    /// Sides for themselves, for objectives.
    pub absolutes: Vec<Absolute>,
    /// What was not, by the first part of the metric's name, and why.
    pub unmeasured: BTreeMap<String, String>,
}

/// The name under which it is said that allocations were not counted.
pub const ALLOCATIONS: &str = "allocations";
/// CPU time of one iteration, of all threads, where the primary clock is the wall clock.
pub const CPU_PER_ITERATION: &str = "cpu.per_iteration";

/// Pairs for the CPU figure: the fewest that have an interval of 99 %.
const PAIRS: usize = 8;
/// The CPU clock runs at most this many times faster for a workload that mostly waits.
const FASTEST: f64 = 200.0;

/// Measures beside the rounds. `delta` is the smallest change of memory that counts; `None` where the rounds have measured it.
/// Errors are our own or the user's.
pub fn aside(
    runner: &mut LiveRunner<'_>,
    job: &Job,
    counter: Result<&AllocationCounter, &str>,
    delta: Option<f64>,
) -> Result<Aside, HarnessError> {
    let mut aside = Aside::default();
    match delta.map(|delta| peaks(runner, job, delta)).transpose()? {
        Some(Ok(peaks)) => {
            aside.metrics.push(peaks.metric);
            aside.absolutes.push(peaks.absolute);
        }
        Some(Err(why)) => {
            aside.unmeasured.insert(MEMORY.into(), why);
        }
        None => {}
    }
    let counted = match counter {
        Ok(counter) => both_counts(runner, job, counter)?,
        Err(why) => Err(why.to_owned()),
    };
    match counted {
        Ok((base, head)) => aside.metrics.extend([
            MetricResult {
                note: allocations::count_note(job.workload.kind).map(str::to_owned),
                ..allocations::compare("allocations.count", "count", &base.calls, &head.calls)
            },
            MetricResult {
                note: allocations::bytes_note(job.workload.kind).map(str::to_owned),
                ..allocations::compare("allocations.bytes", "bytes", &base.bytes, &head.bytes)
            },
            allocations::compare_peaks(&base.peak, &head.peak),
        ]),
        Err(why) => {
            aside.unmeasured.insert(ALLOCATIONS.into(), why);
        }
    }
    if job.clock.clock == ClockKind::Wall && matches!(runner.harness(&job.workload, &job.base)?, Harness::Criterion(_)) {
        match cpu_per_iteration(runner, job)? {
            Ok(metric) => aside.metrics.push(metric),
            Err(why) => {
                aside.unmeasured.insert(CPU_PER_ITERATION.into(), why);
            }
        }
    }
    Ok(aside)
}

fn both_counts(
    runner: &mut LiveRunner<'_>,
    job: &Job,
    counter: &AllocationCounter,
) -> Result<Result<(Counts, Counts), String>, HarnessError> {
    let base = match allocations::count(runner, counter, &job.workload, job.side(Role::Base), Effort::THOROUGH)? {
        Ok(counts) => counts,
        Err(why) => return Ok(Err(why)),
    };
    let head = allocations::count(runner, counter, &job.workload, job.side(Role::Head), Effort::THOROUGH)?;
    Ok(head.map(|head| (base, head)))
}

/// The same executables under the CPU clock, which counts all threads.
fn cpu_per_iteration(runner: &mut LiveRunner<'_>, job: &Job) -> Result<Result<MetricResult, String>, HarnessError> {
    if runner.shim().is_none() {
        return Ok(Err("the CPU clock could not be built".into()));
    }
    if job.clock.is_foreign() {
        return Ok(Err("it takes its times from a clock of its own".into()));
    }
    // The harness waits for CPU time to pass: of a workload that uses a tenth of a processor, ten times as long.
    let faster = (1.0 / job.clock.cpu_share.unwrap_or(1.0).max(1.0 / FASTEST)).clamp(1.0, FASTEST);
    let clock = ClockChoice { clock: ClockKind::Cpu, scale: faster.round() as u32, ..job.clock.clone() };
    let (mut bases, mut heads) = (Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        let roles = if pair % 2 == 0 { [Role::Base, Role::Head] } else { [Role::Head, Role::Base] };
        for role in roles {
            let time = match runner.run_once(&job.workload, job.side(role), &clock) {
                Ok(reading) => reading.latency.median,
                Err(error) if error.is_workload_failure() => return Ok(Err(error.to_string())),
                Err(error) => return Err(error),
            };
            if role == Role::Base { bases.push(time) } else { heads.push(time) }
        }
    }
    let ratios = log_ratios(bases.iter().copied().zip(heads.iter().copied()));
    let interval = median_interval(&ratios, Plan::default().look_alpha()).map(|interval| interval.exp());
    Ok(Ok(MetricResult {
        name: CPU_PER_ITERATION.into(),
        unit: "ns".into(),
        clock: Some(ClockKind::Cpu),
        base: median(&bases),
        head: median(&heads),
        ratio: interval.map(|interval| interval.median),
        low: interval.map(|interval| interval.low),
        high: interval.map(|interval| interval.high),
        rounds: PAIRS,
        outcome: None::<Outcome>,
        note: None,
    }))
}
