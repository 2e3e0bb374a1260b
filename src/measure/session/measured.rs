//! What is known about a workload at the end of a session.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::measure::absolute::Absolute;
use crate::measure::aside::Aside;
use crate::measure::clock::ClockChoice;
use crate::measure::metric::MetricResult;
use crate::measure::noise::Statistic;
use crate::measure::round::{Failures, Job, Round};
use crate::stats::estimate::robust_sd;
use crate::stats::{Decision, Interval, Outcome, Reason};

/// Why a workload's rounds ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// A look decided.
    Decided,
    /// A look found that further rounds could not decide.
    Futile,
    /// All planned rounds are done.
    Exhausted,
    /// The time limit came; what there is was judged.
    CutShort,
    /// The time limit came before the first round.
    Skipped,
    /// It fails at head and never failed at base: a correctness regression.
    HeadFails,
    /// It fails at base, or now and then on both sides.
    Fails,
}

/// The primary metric of one round, nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RoundValues {
    /// At base.
    pub base: f64,
    /// At head.
    pub head: f64,
    /// Of the second copy of base.
    pub control: f64,
}

impl RoundValues {
    pub(super) fn new(job: &Job, round: &Round) -> Self {
        let value = |reading: &crate::measure::round::Reading| job.statistic.of(&reading.latency);
        Self { base: value(&round.base), head: value(&round.head), control: value(&round.control) }
    }
}

/// The result of one workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// `Workload::id`.
    pub workload: String,
    /// True when it belonged to the family that can fail the verdict.
    pub gating: bool,
    /// The clock of the primary metric.
    pub clock: ClockChoice,
    /// Which value of a process counted.
    pub statistic: Statistic,
    /// Complete rounds.
    pub rounds: usize,
    /// Why the rounds ended.
    pub ending: Ending,
    /// The judgement of the primary metric; `None` when there is none (not run, or failing).
    pub outcome: Option<Outcome>,
    /// Why, in words for reports; names the smallest change that could have been seen when the outcome is inconclusive.
    pub reason: String,
    /// Why, for programs.
    pub why: Option<Reason>,
    /// The metrics, the primary one first; empty when there are none.
    pub metrics: Vec<MetricResult>,
    /// Metrics of each side for itself; empty when there are none.
    #[serde(default)]
    pub absolutes: Vec<Absolute>,
    /// Control/base with its interval, as ratios.
    pub control: Option<Interval>,
    /// Robust standard deviation of ln(control/base) per round.
    pub pair_sd: Option<f64>,
    /// δ as the control raised it, a fraction.
    pub delta: Option<f64>,
    /// The smallest change that these rounds find in 95 of 100 runs, a fraction.
    pub detectable: Option<f64>,
    /// p-value of "within δ of base", corrected for the looks, not for the number of workloads.
    pub p_value: Option<f64>,
    /// Metrics that could not be measured, and why.
    #[serde(default)]
    pub unmeasured: BTreeMap<String, String>,
    /// Processes that failed.
    pub failures: Failures,
    /// The primary metric, round by round.
    pub values: Vec<RoundValues>,
}

/// What a measurement hands over at its end.
pub(super) struct Summary<'a> {
    pub(super) job: &'a Job,
    pub(super) ending: Ending,
    pub(super) decision: Option<Decision>,
    pub(super) p_value: Option<f64>,
    pub(super) metrics: Vec<MetricResult>,
    pub(super) absolutes: Vec<Absolute>,
    pub(super) values: Vec<RoundValues>,
    pub(super) failures: Failures,
}

impl Measured {
    pub(super) fn new(summary: Summary<'_>) -> Self {
        let Summary { job, ending, decision, p_value, metrics, absolutes, values, failures } = summary;
        let controls: Vec<f64> = values.iter().map(|round| (round.control / round.base).ln()).collect();
        let reason = match &decision {
            Some(decision) => worded(decision, values.len(), ending),
            None if ending == Ending::Skipped => "not measured: the time limit came first".into(),
            None => failures.hopeless().unwrap_or_default(),
        };
        Self {
            workload: job.workload.id.clone(),
            gating: job.gating,
            clock: job.clock.clone(),
            statistic: job.statistic,
            rounds: values.len(),
            ending,
            outcome: decision.as_ref().map(|decision| decision.outcome),
            reason,
            why: decision.as_ref().map(|decision| decision.reason.clone()),
            metrics,
            absolutes,
            control: decision.as_ref().and_then(|decision| decision.control).map(|control| control.exp()),
            pair_sd: robust_sd(&controls),
            delta: decision.as_ref().map(|decision| decision.delta),
            detectable: decision.as_ref().and_then(|decision| decision.detectable),
            p_value,
            unmeasured: BTreeMap::new(),
            failures,
            values,
        }
    }

    /// The primary metric.
    pub fn primary(&self) -> Option<&MetricResult> {
        self.metrics.first()
    }

    /// True when neither side has a value of this metric.
    pub fn lacks(&self, name: &str) -> bool {
        self.metric(name).is_none_or(|metric| metric.base.is_none() && metric.head.is_none())
    }

    /// Adds what was measured beside the rounds, in place of what they could not measure.
    pub fn add(&mut self, aside: Aside) {
        for metric in aside.metrics {
            match self.metrics.iter_mut().find(|known| known.name == metric.name) {
                Some(known) => *known = metric,
                None => self.metrics.push(metric),
            }
        }
        for absolute in aside.absolutes {
            self.absolutes.retain(|known| known.metric != absolute.metric);
            self.absolutes.push(absolute);
        }
        self.unmeasured = aside.unmeasured;
    }

    /// A metric by its name.
    pub fn metric(&self, name: &str) -> Option<&MetricResult> {
        self.metrics.iter().find(|metric| metric.name == name)
    }

    /// True when the machine was too noisy for a judgement.
    pub fn is_noise(&self) -> bool {
        self.outcome == Some(Outcome::Inconclusive) && self.why.as_ref().is_some_and(Reason::is_noise)
    }

    /// Takes a claim back, in the primary metric and in what is derived from it.
    pub(super) fn withdraw(&mut self, reason: Reason) {
        self.outcome = Some(Outcome::Inconclusive);
        let screened = matches!(reason, Reason::NotConfirmed { .. } | Reason::NoTimeToConfirm { .. });
        self.reason = if screened { reason.to_string() } else { format!("{reason}{}", visible(self.detectable)) };
        self.why = Some(reason);
        for metric in self.metrics.iter_mut().filter(|metric| metric.name.starts_with("latency") || metric.name == "throughput") {
            metric.outcome = Some(Outcome::Inconclusive);
        }
    }
}

fn worded(decision: &Decision, rounds: usize, ending: Ending) -> String {
    let cut = if ending == Ending::CutShort { ", cut short by the time limit" } else { "" };
    if decision.reason.is_layout() {
        return format!("{} ({rounds} rounds{cut})", decision.reason);
    }
    let Some(effect) = decision.effect.filter(|_| decision.outcome != Outcome::Inconclusive) else {
        // How many they are is the reason itself.
        let after = if decision.reason.is_too_few() { String::new() } else { format!(" after {rounds} rounds") };
        return format!("{}{after}{cut}{}", decision.reason, visible(decision.detectable));
    };
    let percent = |log: f64| 100.0 * log.exp_m1();
    format!(
        "{:+.1} % [{:+.1}, {:+.1}] after {rounds} rounds{cut}, margin {:.1} %",
        percent(effect.median),
        percent(effect.low),
        percent(effect.high),
        100.0 * decision.delta
    )
}

fn visible(detectable: Option<f64>) -> String {
    detectable.map_or_else(String::new, |change| format!("; this run could have seen a change of {:.1} %", 100.0 * change))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Margins, decide};

    #[test]
    fn the_number_of_rounds_is_said_once() {
        let few = decide(&[0.1; 3], &[0.0; 3], Margins::default(), 0.001);
        assert_eq!(worded(&few, 3, Ending::CutShort), "only 3 rounds, cut short by the time limit");
        let wide: Vec<f64> = (0..48).map(|round| if round % 2 == 0 { 0.5 } else { -0.5 }).collect();
        assert!(worded(&decide(&wide, &[0.0; 48], Margins::default(), 0.01), 48, Ending::Decided).contains(" after 48 rounds"));
    }
}
