//! Metrics of each side for itself, with intervals: what an objective in milliseconds or bytes is held against.
//!
//! Comparisons use ratios per round (`metric`), which cancel what the machine does; these do not, and speak of this machine at
//! this moment.

use serde::{Deserialize, Serialize};

use super::metric::{absolute_rates, absolute_tails};
use super::round::{Failures, Job, Reading, Round};
use crate::process::Usage;
use crate::stats::Interval;
use crate::stats::estimate::median_interval;

/// One metric on both sides. `None` was not measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Absolute {
    /// Its name, as in `MetricResult`.
    pub metric: String,
    /// Median over the rounds at base, with its order-statistic interval.
    pub base: Option<Interval>,
    /// The same at head.
    pub head: Option<Interval>,
}

/// How a metric is read from one process.
type Read = fn(&Reading) -> Option<f64>;

fn usage(reading: &Reading, of: fn(&Usage) -> f64) -> Option<f64> {
    reading.usage.as_ref().map(of)
}

/// What one process tells, whatever harness drives it.
const OF_ANY_PROCESS: [(&str, Read); 3] = [
    ("latency.p50", |reading| Some(reading.latency.median)),
    ("throughput", |reading| reading.throughput.as_ref().map(|work| work.amount * 1e9 / reading.latency.median)),
    ("memory.peak_rss", |reading| Some(reading.usage.as_ref()?.peak_rss? as f64)),
];

/// What a whole process tells where every run does the same work; a harness does as much as fits into its time.
const OF_FIXED_WORK: [(&str, Read); 10] = [
    ("wall", |reading| Some(reading.wall)),
    ("cpu.total", |reading| usage(reading, |usage| usage.cpu().as_nanos() as f64)),
    ("cpu.user", |reading| usage(reading, |usage| usage.user.as_nanos() as f64)),
    ("cpu.system", |reading| usage(reading, |usage| usage.system.as_nanos() as f64)),
    ("page_faults", |reading| usage(reading, |usage| (usage.minor_faults + usage.major_faults) as f64)),
    ("page_faults.major", |reading| usage(reading, |usage| usage.major_faults as f64)),
    ("io.read", |reading| Some(reading.usage.as_ref()?.disk_read? as f64)),
    ("io.written", |reading| Some(reading.usage.as_ref()?.disk_written? as f64)),
    ("context_switches.voluntary", |reading| usage(reading, |usage| usage.voluntary_switches as f64)),
    ("context_switches.involuntary", |reading| usage(reading, |usage| usage.involuntary_switches as f64)),
];

/// Every metric that has a meaning for one side alone; `alpha` is the error of an interval.
pub(super) fn absolutes(job: &Job, rounds: &[Round], failures: &Failures, alpha: f64) -> Vec<Absolute> {
    let fixed: &[(&str, Read)] = if job.workload.kind.has_fixed_work() { &OF_FIXED_WORK } else { &[] };
    let one = |(metric, read): &(&str, Read)| Absolute {
        metric: (*metric).to_owned(),
        base: interval(rounds, |round| read(&round.base), alpha),
        head: interval(rounds, |round| read(&round.head), alpha),
    };
    let of_rounds = OF_ANY_PROCESS.iter().chain(fixed).map(one).chain(absolute_tails(job, rounds, alpha));
    of_rounds.chain(absolute_rates(failures, alpha)).collect()
}

/// `None` when a round lacks the value: an interval of the rest would speak for the rest only.
fn interval(rounds: &[Round], read: impl Fn(&Round) -> Option<f64>, alpha: f64) -> Option<Interval> {
    let values: Option<Vec<f64>> = rounds.iter().map(read).collect();
    median_interval(&values?, alpha)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::harness::Latency;

    fn round(base: f64, head: f64) -> Round {
        let reading = |nanos: f64| Reading {
            latency: Latency { median: nanos, min: nanos },
            throughput: None,
            singles: Vec::new(),
            wall: nanos,
            usage: None,
        };
        Round { base: reading(base), head: reading(head), control: reading(base) }
    }

    #[test]
    fn each_side_has_an_interval_of_its_own() {
        let rounds: Vec<Round> = (0..12).map(|n| round(100.0 + f64::from(n), 200.0 + f64::from(n))).collect();
        let base = interval(&rounds, |round| Some(round.base.latency.median), 0.01).unwrap();
        let head = interval(&rounds, |round| Some(round.head.latency.median), 0.01).unwrap();
        assert!(base.high < head.low && base.contains(105.5) && head.contains(205.5));
    }

    #[test]
    fn too_few_rounds_and_missing_values_give_none() {
        let few: Vec<Round> = (0..4).map(|_| round(1.0, 1.0)).collect();
        assert_eq!(interval(&few, |round| Some(round.head.wall), 0.01), None);
        let many: Vec<Round> = (0..20).map(|_| round(1.0, 1.0)).collect();
        assert_eq!(interval(&many, |round| usage(&round.head, |usage| usage.minor_faults as f64), 0.01), None);
    }
}
