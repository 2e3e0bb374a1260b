//! One workload on its way through the looks.

use std::time::{Duration, Instant};

use super::measured::{Ending, Measured, RoundValues, Summary};
use super::{Progress, asked};
use crate::measure::absolute::absolutes;
use crate::measure::harness::HarnessError;
use crate::measure::metric::{metrics, rates};
use crate::measure::order::Orders;
use crate::measure::round::{Failures, Job, Round, Runner, run_round};
use crate::stats::{Decision, Outcome, Plan, Step, median};

/// A measurement in progress. It is at a look when it has as many rounds as the next look wants.
#[derive(Debug)]
pub(super) struct WorkloadRun<'a> {
    job: &'a Job,
    plan: Plan,
    orders: Orders,
    rounds: Vec<Round>,
    failures: Failures,
    costs: Vec<f64>,
    next_look: usize,
    so_far: Option<Decision>,
    ending: Option<Ending>,
}

impl<'a> WorkloadRun<'a> {
    pub(super) fn new(job: &'a Job, plan: Plan, seed: u64) -> Self {
        let next_look = plan.next_look(0).unwrap_or(0);
        Self {
            job,
            plan,
            orders: Orders::new(seed),
            rounds: Vec::new(),
            failures: Failures::default(),
            costs: Vec::new(),
            next_look,
            so_far: None,
            ending: None,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.ending.is_none()
    }

    pub(super) fn is_at_look(&self) -> bool {
        self.rounds.len() >= self.next_look
    }

    /// What the next round will take, as far as the last ones, or else the calibration, tell.
    pub(super) fn round_cost(&self) -> Duration {
        median(&self.costs).map(Duration::from_secs_f64).or(self.job.round_cost).unwrap_or_default()
    }

    /// Ends the rounds because the time is up.
    pub(super) fn stop(&mut self) {
        self.ending = Some(match self.rounds.is_empty() {
            _ if self.failures.is_flaky() => Ending::Fails,
            true => Ending::Skipped,
            false => Ending::CutShort,
        });
    }

    pub(super) fn run_round(&mut self, runner: &mut impl Runner) -> Result<(), HarnessError> {
        let Some(order) = self.orders.next() else { return Ok(()) };
        let start = Instant::now();
        if let Some(round) = run_round(self.job, order, runner, &mut self.failures)? {
            self.rounds.push(round);
        }
        self.costs.push(start.elapsed().as_secs_f64());
        if self.failures.hopeless().is_some() && !asked::is_rate_open(self.job, &self.failures, &self.plan) {
            self.ending = Some(if self.failures.head_only() { Ending::HeadFails } else { Ending::Fails });
        }
        Ok(())
    }

    /// Judges what there is, when it is time.
    pub(super) fn look(&mut self) {
        if !self.is_open() || !self.is_at_look() {
            return;
        }
        if self.failures.is_flaky() {
            // Only a rate is still asked for, and the runs count for it whether they make a round or not.
            self.next_look = self.plan.next_look(self.rounds.len()).unwrap_or(usize::MAX);
            return;
        }
        let (head, control) = self.job.ratios(&self.rounds);
        let (decision, stop) = match self.plan.look(&head, &control) {
            Step::Stop(decision) => (decision, true),
            Step::Continue(decision) => (decision, false),
        };
        match self.plan.next_look(self.rounds.len()) {
            Some(next) if !stop || self.wants_more(&decision) => self.next_look = next,
            later => {
                let open = decision.outcome == Outcome::Inconclusive;
                self.ending = Some(match later {
                    Some(_) if open => Ending::Futile,
                    None if open => Ending::Exhausted,
                    _ => Ending::Decided,
                });
            }
        }
        self.so_far = Some(decision);
    }

    /// Whether something else than the judgement needs more rounds: an objective, or failures of head that may be chance. A claim
    /// is measured again in any case, and its objectives with it.
    fn wants_more(&self, decision: &Decision) -> bool {
        let is_repeated = self.job.gating && matches!(decision.outcome, Outcome::Slower | Outcome::Faster);
        let asked = || asked::is_open(self.job, &self.rounds, &self.failures, &self.plan);
        self.failures.is_unsettled() || (!is_repeated && asked())
    }

    pub(super) fn progress(&self, done: usize, workloads: usize, elapsed: Duration) -> Progress<'_> {
        Progress {
            workload: &self.job.workload.id,
            done,
            workloads,
            rounds: self.rounds.len(),
            next_look: self.next_look,
            so_far: self.so_far.as_ref(),
            elapsed,
        }
    }

    /// The result.
    pub(super) fn finish(mut self) -> Measured {
        if self.is_open() {
            self.stop();
        }
        let ending = self.ending.unwrap_or(Ending::Skipped);
        let judged = !matches!(ending, Ending::Skipped | Ending::Fails | Ending::HeadFails);
        let decision = judged.then(|| {
            let (head, control) = self.job.ratios(&self.rounds);
            self.plan.judge(&head, &control)
        });
        let mut metrics = decision.as_ref().map_or_else(Vec::new, |decision| {
            metrics(self.job, &self.rounds, decision, self.plan.margins, self.plan.look_alpha())
        });
        if !metrics.is_empty() {
            metrics.extend(rates(self.job, self.rounds.len(), &self.failures));
        }
        let p_value =
            decision.as_ref().filter(|decision| decision.effect.is_some()).map(|decision| self.plan.overall_p(decision));
        Measured::new(Summary {
            job: self.job,
            ending,
            decision,
            p_value,
            metrics,
            absolutes: absolutes(self.job, &self.rounds, &self.failures, self.plan.look_alpha()),
            values: self.rounds.iter().map(|round| RoundValues::new(self.job, round)).collect(),
            failures: self.failures,
        })
    }
}
