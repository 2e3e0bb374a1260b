//! How noisy a workload is on this machine: learned at `baseline` from copies of one executable, used to plan, never to judge.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::harness::Latency;
use crate::stats::estimate::{log_ratios, median_error, robust_sd};
use crate::stats::{Plan, median};

/// Which value of a process stands for it. Decided before head is seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Statistic {
    /// The median of its batches.
    #[default]
    Median,
    /// The fastest of its batches: steadier where memory makes batches slow at random.
    Min,
}

impl Statistic {
    /// The value of a process.
    pub fn of(self, latency: &Latency) -> f64 {
        match self {
            Self::Median => latency.median,
            Self::Min => latency.min,
        }
    }
}

/// The spread of a workload between processes of one executable.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NoiseModel {
    /// The statistic with the better spread.
    pub statistic: Statistic,
    /// Standard deviation (robust) of ln(copy/base) per round, with `statistic`.
    pub pair_sd: f64,
    /// The same with the median of the batches.
    pub pair_sd_median: f64,
    /// The same with the fastest batch.
    pub pair_sd_min: f64,
    /// Pairs that this rests on.
    pub rounds: usize,
    /// Elapsed milliseconds of one process, median.
    pub process_ms: f64,
}

/// How much smaller the spread of the fastest batch must be to give up the median for it. A memory-bound bench had 0.52
/// (`reference/measurement.md` §4e); a handful of pairs shows anything above 0.6 by chance.
const WORTHWHILE: f64 = 0.6;
/// Quantiles of the normal distribution: 1 − α/2 for one look (α = 1 %), and the power of 95 %.
const LOOK_Z: f64 = 2.576;
const POWER_Z: f64 = 1.645;

impl NoiseModel {
    /// From pairs of runs of one executable. `None` with fewer than three usable pairs.
    pub fn from_pairs(pairs: &[(Latency, Latency)], walls: &[Duration]) -> Option<Self> {
        let spread = |statistic: Statistic| {
            let ratios = log_ratios(pairs.iter().map(|(base, copy)| (statistic.of(base), statistic.of(copy))));
            if ratios.len() < 3 { None } else { robust_sd(&ratios) }
        };
        let (pair_sd_median, pair_sd_min) = (spread(Statistic::Median)?, spread(Statistic::Min)?);
        let fastest = pair_sd_min < WORTHWHILE * pair_sd_median;
        let millis: Vec<f64> = walls.iter().map(|wall| wall.as_secs_f64() * 1e3).collect();
        Some(Self {
            statistic: if fastest { Statistic::Min } else { Statistic::Median },
            pair_sd: if fastest { pair_sd_min } else { pair_sd_median },
            pair_sd_median,
            pair_sd_min,
            rounds: pairs.len(),
            process_ms: median(&millis)?,
        })
    }

    /// The smallest change, as a fraction, that this many rounds find in 95 of 100 runs: the margin, the half-width of the
    /// interval, and the play that power needs.
    pub fn detectable(&self, rounds: usize, plan: &Plan) -> f64 {
        let error = median_error(self.pair_sd, rounds);
        (plan.margins.delta.ln_1p() + (LOOK_Z + POWER_Z) * error).exp_m1()
    }

    /// The first planned look that finds a change of this size, if any does.
    pub fn rounds_for(&self, change: f64, plan: &Plan) -> Option<usize> {
        plan.looks.iter().copied().find(|&rounds| self.detectable(rounds, plan) <= change)
    }

    /// Elapsed time that so many rounds of three processes take.
    pub fn cost(&self, rounds: usize) -> Duration {
        Duration::from_secs_f64((3.0 * rounds as f64 * self.process_ms / 1e3).clamp(0.0, 1e9))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::SplitMix64;

    fn pairs(sd_median: f64, sd_min: f64) -> Vec<(Latency, Latency)> {
        let mut random = SplitMix64::new(9);
        let mut one =
            || Latency { median: 100.0 * (sd_median * random.normal()).exp(), min: 90.0 * (sd_min * random.normal()).exp() };
        (0..200).map(|_| (one(), one())).collect()
    }

    #[test]
    fn the_fastest_batch_is_taken_only_where_it_is_much_steadier() {
        let walls = [Duration::from_millis(70)];
        assert_eq!(NoiseModel::from_pairs(&pairs(0.07, 0.03), &walls).unwrap().statistic, Statistic::Min);
        assert_eq!(NoiseModel::from_pairs(&pairs(0.02, 0.018), &walls).unwrap().statistic, Statistic::Median);
    }

    #[test]
    fn the_spread_of_a_pair_is_that_of_two_processes() {
        let model = NoiseModel::from_pairs(&pairs(0.02, 0.02), &[Duration::from_millis(70)]).unwrap();
        assert!((model.pair_sd / (0.02 * 2f64.sqrt()) - 1.0).abs() < 0.2, "{model:?}");
    }

    #[test]
    fn planning_agrees_with_the_measured_design() {
        let model =
            NoiseModel { pair_sd: 0.02, ..NoiseModel::from_pairs(&pairs(0.02, 0.02), &[Duration::from_millis(70)]).unwrap() };
        let plan = Plan::default();
        assert_eq!(model.rounds_for(0.05, &plan), Some(24), "{:?}", model.detectable(12, &plan));
        assert_eq!(model.rounds_for(0.02, &plan), None);
        assert_eq!(model.cost(10), Duration::from_millis(2100));
    }

    #[test]
    fn two_pairs_are_no_noise_model() {
        assert_eq!(NoiseModel::from_pairs(&pairs(0.02, 0.02)[..2], &[Duration::from_millis(70)]), None);
    }
}
