//! Measures many workloads: look by look, the hottest first, within a time limit; then corrects for how many they are.
//!
//! Knows neither processes nor harnesses (`Runner` does) and draws nothing (the callback does).

mod asked;
mod confirm;
mod measured;
mod workload_run;

use std::time::{Duration, Instant};

pub use confirm::{Candidate, Confirmed, Link, confirm};
pub use measured::{Ending, Measured, RoundValues};

use super::harness::HarnessError;
use super::round::{Job, Runner};
use crate::process::{ProcessError, interrupted};
use crate::stats::{Decision, Margins, Outcome, Plan, Reason, SplitMix64, benjamini_hochberg, holm};
use workload_run::WorkloadRun;

/// How a session measures.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What counts as a change.
    pub margins: Margins,
    /// Rounds after which to look.
    pub looks: Vec<usize>,
    /// Probability of even one false claim among the gating workloads.
    pub alpha: f64,
    /// Expected share of false claims among the listed others.
    pub false_discovery_rate: f64,
    /// When to stop measuring; a round that would not fit is not begun.
    pub max_time: Option<Duration>,
    /// Seed of the orders.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        let plan = Plan::default();
        // q = 0.10: `reference/measurement.md` §5.7.
        Self { margins: plan.margins, looks: plan.looks, alpha: plan.alpha, false_discovery_rate: 0.10, max_time: None, seed: 0 }
    }
}

impl Settings {
    fn plan(&self, family: usize) -> Plan {
        Plan { looks: self.looks.clone(), alpha: self.alpha, family, margins: self.margins }
    }
}

/// What is known while measuring.
#[derive(Debug, Clone)]
pub struct Progress<'a> {
    /// The workload that has just run a round.
    pub workload: &'a str,
    /// How many workloads are decided.
    pub done: usize,
    /// How many there are.
    pub workloads: usize,
    /// Rounds of this workload so far.
    pub rounds: usize,
    /// Rounds at its next look.
    pub next_look: usize,
    /// What its last look said.
    pub so_far: Option<&'a Decision>,
    /// Time since the session began.
    pub elapsed: Duration,
}

/// The result of a session, in the order of the jobs.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// One per job.
    pub measured: Vec<Measured>,
    /// Time it took.
    pub elapsed: Duration,
}

impl Session {
    /// The workloads that the time limit kept from their judgement: skipped altogether, or cut short.
    pub fn out_of_time(&self) -> impl Iterator<Item = &Measured> {
        self.measured.iter().filter(|one| matches!(one.ending, Ending::Skipped | Ending::CutShort))
    }
}

/// Measures the jobs. Errors are our own or the user's (Ctrl-C); a workload that fails is a result.
pub fn measure(
    jobs: &[Job],
    runner: &mut impl Runner,
    settings: &Settings,
    mut progress: impl FnMut(&Progress<'_>),
) -> Result<Session, HarnessError> {
    let start = Instant::now();
    let gating = jobs.iter().filter(|job| job.gating).count();
    let mut seeds = SplitMix64::new(settings.seed);
    let mut runs: Vec<WorkloadRun<'_>> = jobs
        .iter()
        .map(|job| WorkloadRun::new(job, settings.plan(if job.gating { gating } else { 1 }), seeds.next_u64()))
        .collect();
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    order.sort_by(|&a, &b| jobs[b].priority.total_cmp(&jobs[a].priority));

    // Each pass takes every open workload to its next look: a decided one costs 12 rounds, whatever the others need.
    while runs.iter().any(WorkloadRun::is_open) {
        for &index in &order {
            while runs[index].is_open() && !runs[index].is_at_look() {
                if interrupted() {
                    return Err(ProcessError::Interrupted.into());
                }
                if settings.max_time.is_some_and(|limit| start.elapsed() + runs[index].round_cost() > limit) {
                    // A cheaper one may still fit.
                    runs[index].stop();
                    break;
                }
                runs[index].run_round(runner)?;
                let done = runs.iter().filter(|run| !run.is_open()).count();
                progress(&runs[index].progress(done, jobs.len(), start.elapsed()));
            }
            runs[index].look();
        }
    }
    let mut measured: Vec<Measured> = runs.into_iter().map(WorkloadRun::finish).collect();
    correct(&mut measured, settings);
    Ok(Session { measured, elapsed: start.elapsed() })
}

/// Takes back the claims that do not survive the number of workloads: Holm among the gating ones, Benjamini–Hochberg among the others.
fn correct(measured: &mut [Measured], settings: &Settings) {
    for gating in [true, false] {
        let family: Vec<usize> =
            (0..measured.len()).filter(|&i| measured[i].gating == gating && measured[i].p_value.is_some()).collect();
        let p_values: Vec<f64> = family.iter().filter_map(|&i| measured[i].p_value).collect();
        let kept =
            if gating { holm(&p_values, settings.alpha) } else { benjamini_hochberg(&p_values, settings.false_discovery_rate) };
        for (&index, kept) in family.iter().zip(kept) {
            let claims = matches!(measured[index].outcome, Some(Outcome::Faster | Outcome::Slower));
            if claims && !kept {
                measured[index].withdraw(Reason::NotAmongMany { workloads: p_values.len() });
            }
        }
    }
}

#[cfg(test)]
mod tests;
