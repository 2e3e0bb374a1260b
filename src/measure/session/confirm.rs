//! The second stage: every workload that screening called slower or faster again, with fresh processes and, where there are
//! several, over pairs of links. Only what this stage measures enters its judgement: the data that chose it would flatter it.
//!
//! Does not link (`workspace::relink`) and does not judge layouts (`stats::layouts`).

use std::time::{Duration, Instant};

use super::asked;
use super::measured::{Ending, Measured, RoundValues, Summary};
use super::{Progress, Settings};
use crate::measure::absolute::absolutes;
use crate::measure::harness::{HarnessError, Side};
use crate::measure::metric::{metrics, rates};
use crate::measure::order::Orders;
use crate::measure::round::{Failures, Job, Round, Runner, run_round};
use crate::process::{ProcessError, interrupted};
use crate::stats::{AcrossLayouts, LayoutRound, Outcome, Plan, Reason, SplitMix64, Step, across_layouts, holm, median};

/// Sweeps after which to look, with several pairs of links: a sweep is a round of each.
const SWEEPS: [usize; 4] = [2, 4, 8, 16];
/// Pairs of links from which on sweeps are counted.
const FEWEST_SWEPT: usize = 3;
/// Rounds after which to look at one pair, or at two: that which was built and an aligned one.
const ROUNDS: [usize; 3] = [12, 24, 48];

/// One pair of links of the two sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The base.
    pub base: Side,
    /// The head.
    pub head: Side,
    /// A copy of that base.
    pub control: Side,
}

/// A workload that is to be confirmed.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// As it was screened; its sides are the pair that was built.
    pub job: Job,
    /// What screening said of it.
    pub screened: Measured,
    /// Further pairs of links.
    pub links: Vec<Link>,
}

impl Candidate {
    fn claimed(&self) -> Outcome {
        self.screened.outcome.unwrap_or(Outcome::Inconclusive)
    }

    /// Median head/base while screening, minus one.
    fn effect(&self) -> f64 {
        self.screened.primary().and_then(|metric| metric.ratio).map_or(0.0, |ratio| ratio - 1.0)
    }
}

/// What the confirmation found.
#[derive(Debug, Clone, PartialEq)]
pub struct Confirmed {
    /// The result that counts.
    pub measured: Measured,
    /// Median head/base of each pair of links, as ratios; the pair that was built comes first.
    pub ratios: Vec<f64>,
    /// How many of them lie beyond the margin on the side that screening claimed.
    pub agreeing: usize,
    /// Standard deviation between links of the base, a fraction; `None` where layout was not varied enough to say.
    pub layout_sd: Option<f64>,
    /// How many further pairs were left out because they fail, and how the first of them does.
    pub left_out: Option<(usize, String)>,
}

/// Confirms the candidates, the first one first. `settings.max_time` bounds this stage alone.
pub fn confirm(
    candidates: &[Candidate],
    runner: &mut impl Runner,
    settings: &Settings,
    mut progress: impl FnMut(&Progress<'_>),
) -> Result<Vec<Confirmed>, HarnessError> {
    let start = Instant::now();
    let mut seeds = SplitMix64::new(settings.seed);
    let mut runs: Vec<Run<'_>> =
        candidates.iter().map(|candidate| Run::new(candidate, settings, candidates.len(), seeds.next_u64())).collect();
    // Every claim is settled before an objective of one takes the time of another.
    for stage in [Stage::Claims, Stage::Objectives] {
        for (done, run) in runs.iter_mut().enumerate() {
            while run.is_open(stage) {
                if interrupted() {
                    return Err(ProcessError::Interrupted.into());
                }
                if settings.max_time.is_some_and(|limit| start.elapsed() + run.round_cost() > limit) {
                    run.stop();
                    break;
                }
                run.run_round(runner)?;
                run.look();
                progress(&run.progress(done, candidates.len(), start.elapsed()));
            }
        }
    }
    let mut confirmed: Vec<Confirmed> = runs.into_iter().map(Run::finish).collect();
    correct(&mut confirmed, settings.alpha);
    for (candidate, confirmed) in candidates.iter().zip(&mut confirmed) {
        settle(candidate, &mut confirmed.measured);
    }
    Ok(confirmed)
}

/// Holm among the candidates: they were chosen by other data, so these p-values owe nothing to the workloads left behind.
fn correct(confirmed: &mut [Confirmed], alpha: f64) {
    let family: Vec<usize> = (0..confirmed.len()).filter(|&i| confirmed[i].measured.p_value.is_some()).collect();
    let p_values: Vec<f64> = family.iter().filter_map(|&i| confirmed[i].measured.p_value).collect();
    for (&index, kept) in family.iter().zip(holm(&p_values, alpha)) {
        let measured = &mut confirmed[index].measured;
        if !kept && matches!(measured.outcome, Some(Outcome::Faster | Outcome::Slower)) {
            measured.withdraw(Reason::NotAmongMany { workloads: p_values.len() });
        }
    }
}

/// Says of what was not confirmed that it was not.
fn settle(candidate: &Candidate, measured: &mut Measured) {
    let (screened, confirmed) = (candidate.effect(), measured.primary().and_then(|metric| metric.ratio));
    match measured.outcome {
        // A failing workload is a result of its own.
        None if measured.ending != Ending::Skipped => {}
        None => {
            *measured = candidate.screened.clone();
            measured.withdraw(Reason::NoTimeToConfirm { screened });
        }
        Some(outcome) if outcome == candidate.claimed() => {}
        Some(Outcome::Inconclusive) if measured.why.as_ref().is_some_and(Reason::is_layout) => {}
        Some(Outcome::Inconclusive) => measured.reason = format!("not confirmed: {}", measured.reason),
        Some(_) => measured.withdraw(Reason::NotConfirmed { screened, confirmed: confirmed.map(|ratio| ratio - 1.0) }),
    }
}

/// What the rounds are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// To judge what screening claimed.
    Claims,
    /// To answer the objectives that are open then.
    Objectives,
}

/// One candidate on its way.
struct Run<'a> {
    candidate: &'a Candidate,
    /// One per pair of links; the pair that was built comes first.
    jobs: Vec<Job>,
    /// By pair of links. A failure of another link is no failure of head: only that which was built can say so.
    failures: Vec<Failures>,
    /// Pairs that take part. One that fails drops out, except the first.
    kept: Vec<usize>,
    plan: Plan,
    /// Looks that are done.
    looked: usize,
    /// Rounds that an objective may ask for.
    most: usize,
    orders: Orders,
    random: SplitMix64,
    /// Pairs that this sweep still has to run.
    left: Vec<usize>,
    sweep: usize,
    rounds: Vec<(usize, usize, Round)>,
    costs: Vec<f64>,
    judged: Option<AcrossLayouts>,
    /// How it would end if no objective asked for more.
    settled: Option<Ending>,
    ending: Option<Ending>,
}

impl<'a> Run<'a> {
    fn new(candidate: &'a Candidate, settings: &Settings, family: usize, seed: u64) -> Self {
        let built = std::iter::once(candidate.job.clone());
        let linked = candidate.links.iter().map(|link| {
            let Link { base, head, control } = link.clone();
            Job { base, head, control, ..candidate.job.clone() }
        });
        let jobs: Vec<Job> = built.chain(linked).collect();
        let looks = if jobs.len() < FEWEST_SWEPT { ROUNDS.to_vec() } else { SWEEPS.map(|sweeps| sweeps * jobs.len()).to_vec() };
        let plan = Plan { looks, alpha: settings.alpha, family, margins: settings.margins };
        let most = settings.looks.last().copied().unwrap_or_default();
        Self {
            candidate,
            failures: vec![Failures::default(); jobs.len()],
            kept: (0..jobs.len()).collect(),
            jobs,
            looked: 0,
            most,
            plan: asked::with_room(plan, &candidate.job, most),
            orders: Orders::new(seed),
            random: SplitMix64::new(seed.rotate_left(32)),
            left: Vec::new(),
            sweep: 0,
            rounds: Vec::new(),
            costs: Vec::new(),
            judged: None,
            settled: None,
            ending: None,
        }
    }

    fn is_open(&self, stage: Stage) -> bool {
        let is_claim = self.settled.is_none() && !self.built_failures().is_flaky();
        self.ending.is_none() && (is_claim || stage == Stage::Objectives)
    }

    /// Ends the rounds because the time is up.
    fn stop(&mut self) {
        self.ending = Some(match self.settled {
            _ if self.built_failures().is_flaky() => Ending::Fails,
            Some(settled) => settled,
            None if self.rounds.is_empty() => Ending::Skipped,
            None => Ending::CutShort,
        });
    }

    fn round_cost(&self) -> Duration {
        median(&self.costs).map(Duration::from_secs_f64).or(self.candidate.job.round_cost).unwrap_or_default()
    }

    fn run_round(&mut self, runner: &mut impl Runner) -> Result<(), HarnessError> {
        if self.left.is_empty() {
            self.left = self.kept.clone();
            self.random.shuffle(&mut self.left);
            self.sweep += usize::from(!self.costs.is_empty());
        }
        let (Some(layout), Some(order)) = (self.left.pop(), self.orders.next()) else { return Ok(()) };
        let (Some(job), Some(failures)) = (self.jobs.get(layout), self.failures.get_mut(layout)) else { return Ok(()) };
        let start = Instant::now();
        if let Some(round) = run_round(job, order, runner, failures)? {
            self.rounds.push((layout, self.sweep, round));
        }
        self.costs.push(start.elapsed().as_secs_f64());
        let (hopeless, head_only) = (failures.hopeless().is_some(), failures.head_only());
        if hopeless && layout > 0 {
            self.drop_pair(layout);
        } else if hopeless && !asked::is_rate_open(&self.candidate.job, &self.pooled(), &self.plan) {
            self.ending = Some(if head_only { Ending::HeadFails } else { Ending::Fails });
        }
        Ok(())
    }

    /// Goes on without a pair of links, at as many looks as before.
    fn drop_pair(&mut self, layout: usize) {
        self.kept.retain(|kept| *kept != layout);
        self.left.retain(|left| *left != layout);
        self.rounds.retain(|(of, _, _)| *of != layout);
        let now = self.kept.len();
        // Fewer sweeps are too few rounds where there are hardly any pairs.
        if now >= FEWEST_SWEPT {
            let plan = Plan { looks: SWEEPS.map(|sweeps| sweeps * now).to_vec(), ..self.plan.clone() };
            self.plan = asked::with_room(plan, &self.candidate.job, self.most);
        }
    }

    /// The failures of the pair that was built.
    fn built_failures(&self) -> Failures {
        self.failures.first().cloned().unwrap_or_default()
    }

    /// The failures of all pairs that take part: a rate is of every run.
    fn pooled(&self) -> Failures {
        let mut all = self.built_failures();
        for failures in self.kept.iter().filter(|kept| **kept > 0).filter_map(|kept| self.failures.get(*kept)) {
            all.add(failures);
        }
        all
    }

    fn layout_rounds(&self) -> Vec<LayoutRound> {
        let of = |(layout, sweep, round): &(usize, usize, Round)| {
            let (head, control) = self.candidate.job.ratios(std::slice::from_ref(round));
            let base = self.candidate.job.statistic.of(&round.base.latency).ln();
            let layout = self.kept.iter().position(|kept| kept == layout)?;
            Some(LayoutRound { layout, sweep: *sweep, head: *head.first()?, control: *control.first()?, base })
        };
        self.rounds.iter().filter_map(of).collect()
    }

    fn judge(&self) -> AcrossLayouts {
        across_layouts(&self.layout_rounds(), self.candidate.claimed(), self.plan.margins, self.plan.look_alpha())
    }

    /// Judges at the planned looks.
    fn look(&mut self) {
        let due = self.plan.looks.iter().filter(|look| **look <= self.rounds.len()).count();
        if self.ending.is_some() || self.built_failures().is_flaky() || due <= self.looked {
            return;
        }
        self.looked = due;
        let judged = self.judge();
        let rounds: Vec<Round> = self.rounds.iter().map(|(_, _, round)| round.clone()).collect();
        let (head, control) = self.candidate.job.ratios(&rounds);
        let step = self.plan.look(&head, &control);
        let (outcome, last) = (judged.decision.outcome, self.plan.next_look(self.rounds.len()).is_none());
        let enough = match (outcome, &step) {
            (Outcome::Same, _) => true,
            (Outcome::Slower | Outcome::Faster, Step::Stop(_)) => {
                self.plan.overall_p(&judged.decision) <= self.plan.alpha / self.plan.family.max(1) as f64
            }
            (Outcome::Inconclusive, Step::Stop(pooled)) if pooled.outcome == Outcome::Inconclusive => true,
            // Some links show it and others do not, each beyond its sampling error: more rounds do not change what links are like.
            (Outcome::Inconclusive, _) => {
                let sweeps = self.rounds.len() / self.kept.len().max(1);
                sweeps >= SWEEPS[1] && matches!(judged.decision.reason, Reason::LayoutSensitive { .. })
            }
            (_, Step::Continue(_)) => false,
        };
        let pooled = self.pooled();
        self.settled = (last || enough).then_some(match (outcome, last) {
            (Outcome::Inconclusive, true) => Ending::Exhausted,
            (Outcome::Inconclusive, false) => Ending::Futile,
            _ => Ending::Decided,
        });
        if last || !asked::is_open(&self.candidate.job, &rounds, &pooled, &self.plan) {
            self.ending = self.settled;
        }
        self.judged = Some(judged);
    }

    fn progress(&self, done: usize, workloads: usize, elapsed: Duration) -> Progress<'_> {
        Progress {
            workload: &self.candidate.job.workload.id,
            done,
            workloads,
            rounds: self.rounds.len(),
            next_look: self.plan.next_look(self.rounds.len().saturating_sub(1)).unwrap_or(self.rounds.len()),
            so_far: self.judged.as_ref().map(|judged| &judged.decision),
            elapsed,
        }
    }

    /// The pairs that dropped out, and how the first of them fails.
    fn left_out(&self) -> Option<(usize, String)> {
        let mut out = self.failures.iter().skip(1).filter_map(Failures::hopeless);
        let first = out.next()?;
        Some((1 + out.count(), first))
    }

    fn finish(self) -> Confirmed {
        let (failures, pooled, left_out) = (self.built_failures(), self.pooled(), self.left_out());
        let ending = self.ending.unwrap_or(Ending::Skipped);
        let judged = (!matches!(ending, Ending::Skipped | Ending::Fails | Ending::HeadFails)).then(|| self.judge());
        let (job, plan) = (&self.candidate.job, &self.plan);
        let rounds: Vec<Round> = self.rounds.into_iter().map(|(_, _, round)| round).collect();
        let decision = judged.as_ref().map(|judged| judged.decision.clone());
        let mut metrics =
            decision.as_ref().map_or_else(Vec::new, |decision| metrics(job, &rounds, decision, plan.margins, plan.look_alpha()));
        if !metrics.is_empty() {
            metrics.extend(rates(job, rounds.len(), &pooled));
        }
        let p_value = decision.as_ref().filter(|decision| decision.effect.is_some()).map(|decision| plan.overall_p(decision));
        let measured = Measured::new(Summary {
            job,
            ending,
            decision,
            p_value,
            metrics,
            absolutes: absolutes(job, &rounds, &pooled, plan.look_alpha()),
            values: rounds.iter().map(|round| RoundValues::new(job, round)).collect(),
            failures,
        });
        let across = judged.unwrap_or_else(|| across_layouts(&[], Outcome::Inconclusive, plan.margins, plan.look_alpha()));
        Confirmed {
            measured,
            ratios: across.medians.iter().map(|median| median.exp()).collect(),
            agreeing: across.agreeing,
            layout_sd: across.base_spread.map(f64::exp_m1),
            left_out,
        }
    }
}

#[cfg(test)]
mod tests;
