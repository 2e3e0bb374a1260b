//! A round: base, head and control, each in a fresh process, once.
//!
//! Runs one round and keeps score of failures; when to stop is the session's business.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::clock::ClockChoice;
use super::harness::{HarnessError, Latency, Side, Throughput};
use super::noise::Statistic;
use super::{Workload, order::Role};
use crate::config::Slo;
use crate::process::Usage;
use crate::stats::estimate::log_ratios;

/// A workload that is to be measured on two sides.
#[derive(Debug, Clone)]
pub struct Job {
    /// What is measured.
    pub workload: Workload,
    /// The base executable.
    pub base: Side,
    /// The head executable.
    pub head: Side,
    /// A copy of the base executable at another path; same root as `base`.
    pub control: Side,
    /// The clock that was chosen at `baseline`.
    pub clock: ClockChoice,
    /// Which value of a process counts, as chosen at `baseline`.
    pub statistic: Statistic,
    /// Hotter first: where the time goes when it is limited.
    pub priority: f64,
    /// True when changed items reach it: Holm's family. False for negative controls.
    pub gating: bool,
    /// Elapsed time that a round is expected to take (`NoiseModel::cost`), for the time limit; learned on the way when unknown.
    pub round_cost: Option<Duration>,
    /// Work of one run or iteration as the configuration states it; what the harness states itself comes first.
    pub work: Option<Throughput>,
    /// Objectives of the workload: the rounds go on while one of them may still be answered (`session`).
    pub objectives: Vec<Slo>,
}

impl Job {
    /// The side of a role.
    pub fn side(&self, role: Role) -> &Side {
        match role {
            Role::Base => &self.base,
            Role::Head => &self.head,
            Role::Control => &self.control,
        }
    }

    /// ln(head/base) and ln(control/base) of the primary metric, per round.
    pub fn ratios(&self, rounds: &[Round]) -> (Vec<f64>, Vec<f64>) {
        let value = |reading: &Reading| self.statistic.of(&reading.latency);
        let against_base = |side: fn(&Round) -> &Reading| log_ratios(rounds.iter().map(|r| (value(&r.base), value(side(r)))));
        (against_base(|round| &round.head), against_base(|round| &round.control))
    }
}

/// What one process gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Time per iteration (per process for whole programs) on the job's clock, nanoseconds.
    pub latency: Latency,
    /// Work per iteration, where the benchmark states it.
    pub throughput: Option<Throughput>,
    /// Elapsed time of the process, nanoseconds.
    pub wall: f64,
    /// The kernel's account; `None` where there is none.
    pub usage: Option<Usage>,
    /// Times of single iterations, nanoseconds; empty where the harness times batches only.
    pub singles: Vec<f64>,
}

/// Runs one side of a job once, in a fresh process.
pub trait Runner {
    /// An error for which `HarnessError::is_workload_failure` holds is a result of the workload; any other ends the session.
    fn run_side(&mut self, job: &Job, role: Role) -> Result<Reading, HarnessError>;
}

/// The readings of a round in which all three processes succeeded.
#[derive(Debug, Clone, PartialEq)]
pub struct Round {
    /// The base's.
    pub base: Reading,
    /// The head's.
    pub head: Reading,
    /// The control's.
    pub control: Reading,
}

/// Processes that failed, per side.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    /// Failed runs of the base executable and its copy.
    pub base: usize,
    /// Failed runs of the head executable.
    pub head: usize,
    /// Failed runs of base and its copy that did not end in time.
    #[serde(default)]
    pub base_timeouts: usize,
    /// The same at head.
    #[serde(default)]
    pub head_timeouts: usize,
    /// Rounds that were begun: head ran once in each, base twice.
    #[serde(default)]
    pub attempted: usize,
    /// What the last failing run of base or control said.
    pub base_message: Option<String>,
    /// What the last failing run of head said.
    pub head_message: Option<String>,
    /// Why the sides cannot be compared although nothing crashed: one does not know the benchmark, or is on another clock.
    pub not_comparable: Option<String>,
}

/// Begins the reason of what fails on head's side only; how it fails follows.
pub const FAILS_AT_HEAD: &str = "fails at head, not at base: ";

/// A failure that repeats is a fact; one alone may be chance.
const REPEATED: usize = 2;
/// Failures of head alone that chance does not explain where other runs of head succeed: in a workload that fails now and then on
/// both sides, each failure is head's with probability 1/3, and the first five all are in 0.4 % of cases.
const BEYOND_CHANCE: usize = 5;
/// More failures than this, spread over both sides, and the workload is too flaky to be measured.
const TOO_MANY: usize = 6;

impl Failures {
    /// True when head fails each time, or more often than chance has it, where base never did: a correctness regression, whatever
    /// the speed.
    pub fn head_only(&self) -> bool {
        let always = self.head >= REPEATED && self.head == self.attempted;
        self.base == 0 && self.not_comparable.is_none() && (always || self.head >= BEYOND_CHANCE)
    }

    /// True when head has failed repeatedly and base has not, too seldom yet to tell that from chance: more rounds will.
    pub fn is_unsettled(&self) -> bool {
        self.base == 0 && self.head >= REPEATED && !self.head_only()
    }

    /// Why there is no point in going on, if there is none.
    pub fn hopeless(&self) -> Option<String> {
        if let Some(reason) = &self.not_comparable {
            Some(format!("cannot be compared: {reason}"))
        } else if self.head_only() {
            let of =
                if self.head < self.attempted { format!("in {} of {} runs: ", self.head, self.attempted) } else { String::new() };
            Some(format!("{FAILS_AT_HEAD}{of}{}", self.head_message.as_deref().unwrap_or("no message")))
        } else if self.base >= REPEATED {
            let sides = if self.head > 0 { "on both sides" } else { "at base" };
            Some(format!("fails {sides}: {}", self.base_message.as_deref().unwrap_or("no message")))
        } else if self.base + self.head >= TOO_MANY {
            Some("fails now and then on both sides".into())
        } else {
            None
        }
    }

    /// True when runs of base, or of both sides, fail too often for a comparison: how often can still be told.
    pub fn is_flaky(&self) -> bool {
        self.hopeless().is_some() && self.not_comparable.is_none() && !self.head_only()
    }

    /// Adds the numbers of further runs; what they said stays as it is.
    pub(super) fn add(&mut self, other: &Self) {
        self.base += other.base;
        self.head += other.head;
        self.base_timeouts += other.base_timeouts;
        self.head_timeouts += other.head_timeouts;
        self.attempted += other.attempted;
    }

    fn note(&mut self, role: Role, error: &HarnessError) {
        if !error.is_failed_run() {
            let side = if role == Role::Head { "head" } else { "base" };
            self.not_comparable = Some(format!("at {side}, {error}"));
            return;
        }
        let (count, timeouts, message) = match role {
            Role::Head => (&mut self.head, &mut self.head_timeouts, &mut self.head_message),
            Role::Base | Role::Control => (&mut self.base, &mut self.base_timeouts, &mut self.base_message),
        };
        *count += 1;
        *timeouts += usize::from(error.is_timeout());
        *message = Some(error.to_string());
    }
}

/// Runs one round in the given order. `None` when a process failed; all three run in any case, so that a failure of one side
/// is always seen next to the others.
pub fn run_round(
    job: &Job,
    order: [Role; 3],
    runner: &mut impl Runner,
    failures: &mut Failures,
) -> Result<Option<Round>, HarnessError> {
    failures.attempted += 1;
    let (mut base, mut head, mut control) = (None, None, None);
    for role in order {
        let reading = match runner.run_side(job, role) {
            Ok(reading) => Some(reading),
            Err(error) if error.is_workload_failure() => {
                failures.note(role, &error);
                None
            }
            Err(error) => return Err(error),
        };
        match role {
            Role::Base => base = reading,
            Role::Head => head = reading,
            Role::Control => control = reading,
        }
    }
    Ok(match (base, head, control) {
        (Some(base), Some(head), Some(control)) => Some(Round { base, head, control }),
        _ => None,
    })
}

/// A job of one executable on all sides, for tests.
#[cfg(test)]
pub(crate) fn sample(id: &str, priority: f64, gating: bool) -> Job {
    let side = Side::new("/t/exe", "/repo");
    Job {
        workload: super::workload::sample(id, super::WorkloadKind::Criterion),
        base: side.clone(),
        head: side.clone(),
        control: side,
        clock: ClockChoice {
            clock: super::clock::ClockKind::Cpu,
            reason: "one thread computes".into(),
            cpu_share: Some(1.0),
            threads: Some(1),
            busiest_thread: Some(1.0),
            voluntary_per_second: Some(0.0),
            scale: 1,
        },
        statistic: Statistic::Median,
        priority,
        gating,
        round_cost: None,
        work: None,
        objectives: Vec::new(),
    }
}
