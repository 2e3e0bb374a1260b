//! p95 and p99: from iterations that were timed one by one, and only from enough of them; programs have theirs from `processes`.
//!
//! Does not judge pooled quantiles: their interval comes from a bootstrap and has no control beside it.

use super::processes::{absolute_process_tails, process_tails};
use super::{MetricResult, median_of};
use crate::measure::absolute::Absolute;
use crate::measure::clock::ClockKind;
use crate::measure::round::{Job, Reading, Round};
use crate::stats::estimate::{log_ratios, median_interval};
use crate::stats::{Interval, Margins, SplitMix64, decide, median, quantile};

/// The tails that are reported, by their names in the JSON contract.
pub(crate) const QUANTILES: [(&str, f64); 2] = [("latency.p95", 0.95), ("latency.p99", 0.99)];
/// Iterations that must lie beyond a quantile on each side (`reference/measurement.md` §5.2): 200 for p95, 1 000 for p99.
const BEYOND: f64 = 10.0;
/// Fewer rounds than this are no sample to draw rounds from.
const FEWEST_ROUNDS: usize = 8;
/// Resamples of the rounds; with 1 000, the ends of a 99 % interval are the fifth values from each end.
const RESAMPLES: usize = 1000;
/// Above this share of elapsed time in the base's own CPU time, its slowest iterations show the machine (§5.2).
const MACHINE: f64 = 1.1;
/// Below this share of CPU time in the time it could run, a workload waits by itself (as for the choice of its clock).
const COMPUTES: f64 = 0.9;

/// What is said of tails on the wall clock that the scheduler makes.
pub(crate) const MACHINE_NOTE: &str = "machine, not code: the base itself waited for a processor";

/// The quantiles that these rounds can carry; none where iterations were timed in batches, or were too few.
pub(super) fn tails(job: &Job, rounds: &[Round], margins: Margins, alpha: f64) -> Vec<MetricResult> {
    let (clock, machine) = (job.clock.clock, is_machine(job, rounds));
    let of_job = |metric: MetricResult| MetricResult {
        clock: Some(clock),
        note: machine.then(|| MACHINE_NOTE.into()),
        outcome: metric.outcome.filter(|_| !machine),
        ..metric
    };
    if job.workload.kind.has_fixed_work() {
        return process_tails(rounds, margins.delta).into_iter().map(of_job).collect();
    }
    let tail = |&(name, q): &(&'static str, f64)| {
        let needed = (BEYOND / (1.0 - q)).round() as usize;
        let [fewest, total] = [
            rounds.iter().flat_map(sides).map(|side| side.singles.len()).min()?,
            [base as Pick, head].map(|pick| rounds.iter().map(|round| pick(round).singles.len()).sum()).into_iter().min()?,
        ];
        let found = if fewest >= needed { per_round(rounds, q, margins, alpha) } else { None };
        let pooled = || if total >= needed { pooled(rounds, q, alpha) } else { None };
        let mut metric = found.or_else(pooled)?;
        metric.name = name.into();
        Some(of_job(metric))
    };
    QUANTILES.iter().filter_map(tail).collect()
}

type Pick = fn(&Round) -> &Reading;

fn base(round: &Round) -> &Reading {
    &round.base
}

fn head(round: &Round) -> &Reading {
    &round.head
}

fn sides(round: &Round) -> [&Reading; 3] {
    [&round.base, &round.head, &round.control]
}

/// Elapsed time says more about the neighbours than about a workload that would have computed all the time.
fn is_machine(job: &Job, rounds: &[Round]) -> bool {
    let ratio = median_of(rounds, |round| {
        let cpu = round.base.usage?.cpu().as_nanos() as f64;
        (cpu > 0.0).then(|| round.base.wall / cpu)
    });
    let computes = job.clock.cpu_share.is_none_or(|share| share >= COMPUTES);
    job.clock.clock == ClockKind::Wall && computes && ratio.is_some_and(|ratio| ratio > MACHINE)
}

fn blank(rounds: &[Round]) -> MetricResult {
    MetricResult {
        name: String::new(),
        unit: "ns".into(),
        clock: None,
        base: None,
        head: None,
        ratio: None,
        low: None,
        high: None,
        rounds: rounds.len(),
        outcome: None,
        note: None,
    }
}

/// Each process has enough iterations: its quantile is a value like any other.
fn per_round(rounds: &[Round], q: f64, margins: Margins, alpha: f64) -> Option<MetricResult> {
    let of = |pick: Pick| rounds.iter().map(move |round| quantile(&pick(round).singles, q)).collect::<Option<Vec<f64>>>();
    let (bases, heads, controls) = (of(base)?, of(head)?, of(|round| &round.control)?);
    let ratios = |values: &[f64]| log_ratios(bases.iter().copied().zip(values.iter().copied()));
    let (head_ratios, control_ratios) = (ratios(&heads), ratios(&controls));
    let decision = decide(&head_ratios, &control_ratios, margins, alpha);
    let effect = decision.effect.map(|effect| effect.exp());
    Some(MetricResult {
        base: median(&bases),
        head: median(&heads),
        ratio: median(&head_ratios).map(f64::exp),
        low: effect.map(|effect| effect.low),
        high: effect.map(|effect| effect.high),
        outcome: Some(decision.outcome),
        ..blank(rounds)
    })
}

/// All processes of a side together have enough. The process is the replicate: whole rounds are drawn for the interval.
fn pooled(rounds: &[Round], q: f64, alpha: f64) -> Option<MetricResult> {
    if rounds.len() < FEWEST_ROUNDS {
        return None;
    }
    let everything: Vec<&Round> = rounds.iter().collect();
    let ratio = |drawn: &[&Round]| Some(pool(drawn, head, q)? / pool(drawn, base, q)?);
    let drawn = resampled(rounds, ratio, alpha)?;
    Some(MetricResult {
        base: pool(&everything, base, q),
        head: pool(&everything, head, q),
        ratio: Some(drawn.median),
        low: Some(drawn.low),
        high: Some(drawn.high),
        ..blank(rounds)
    })
}

/// The quantile of all single iterations of a side.
fn pool(drawn: &[&Round], pick: Pick, q: f64) -> Option<f64> {
    let mut singles = Vec::new();
    for round in drawn {
        singles.extend_from_slice(&pick(round).singles);
    }
    nearest_rank(&mut singles, q)
}

/// A value of the rounds, and the interval that drawing them again and again gives it.
fn resampled(rounds: &[Round], value: impl Fn(&[&Round]) -> Option<f64>, alpha: f64) -> Option<Interval> {
    let everything: Vec<&Round> = rounds.iter().collect();
    // The same rounds give the same interval.
    let mut random = SplitMix64::new(rounds.len() as u64);
    let mut values = Vec::with_capacity(RESAMPLES);
    for _ in 0..RESAMPLES {
        let drawn: Vec<&Round> = (0..rounds.len()).filter_map(|_| rounds.get(random.below(rounds.len()))).collect();
        values.push(value(&drawn)?);
    }
    let (low, high) = (quantile(&values, alpha / 2.0)?, quantile(&values, 1.0 - alpha / 2.0)?);
    Some(Interval { low, median: value(&everything)?, high })
}

/// Each side's own p95 and p99, for objectives: as the comparison has them, without ratios.
pub(in crate::measure) fn absolute_tails(job: &Job, rounds: &[Round], alpha: f64) -> Vec<Absolute> {
    if job.workload.kind.has_fixed_work() {
        return absolute_process_tails(rounds);
    }
    let tail = |&(name, q): &(&'static str, f64)| Absolute {
        metric: name.into(),
        base: of_side(rounds, base, q, alpha),
        head: of_side(rounds, head, q, alpha),
    };
    QUANTILES.iter().map(tail).collect()
}

fn of_side(rounds: &[Round], pick: Pick, q: f64, alpha: f64) -> Option<Interval> {
    let needed = (BEYOND / (1.0 - q)).round() as usize;
    let counts = || rounds.iter().map(|round| pick(round).singles.len());
    if counts().min()? >= needed {
        let values: Option<Vec<f64>> = rounds.iter().map(|round| quantile(&pick(round).singles, q)).collect();
        return median_interval(&values?, alpha);
    }
    let enough = counts().sum::<usize>() >= needed && rounds.len() >= FEWEST_ROUNDS;
    if enough { resampled(rounds, |drawn| pool(drawn, pick, q), alpha) } else { None }
}

/// The smallest value that at least `q` of all do not exceed; found without sorting, for it is asked a thousand times.
fn nearest_rank(values: &mut [f64], q: f64) -> Option<f64> {
    let rank = ((q * values.len() as f64).ceil() as usize).checked_sub(1)?;
    (rank < values.len()).then(|| *values.select_nth_unstable_by(rank, f64::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::measure::WorkloadKind;
    use crate::measure::clock::ClockChoice;
    use crate::measure::harness::{Latency, Side};
    use crate::measure::noise::Statistic;
    use crate::measure::workload::sample;
    use crate::process::Usage;
    use crate::stats::Outcome;

    fn job(clock: ClockKind, cpu_share: f64) -> Job {
        let side = Side::new("/t/exe", "/repo");
        Job {
            workload: sample("x", WorkloadKind::Criterion),
            base: side.clone(),
            head: side.clone(),
            control: side,
            clock: ClockChoice {
                clock,
                reason: String::new(),
                cpu_share: Some(cpu_share),
                threads: None,
                busiest_thread: None,
                voluntary_per_second: None,
                scale: 1,
            },
            statistic: Statistic::Median,
            priority: 0.0,
            gating: true,
            round_cost: None,
            work: None,
            objectives: Vec::new(),
        }
    }

    /// Iterations of 100 with a tail of 200 from the 90th percentile on, `slower` times longer.
    fn reading(random: &mut SplitMix64, iterations: usize, slower: f64) -> Reading {
        let mut one = || slower * (if random.unit() > 0.9 { 200.0 } else { 100.0 }) * (1.0 + 0.01 * random.normal());
        let singles = (0..iterations).map(|_| one()).collect();
        let usage = Usage { user: Duration::from_micros(100), ..Usage::default() };
        Reading { latency: Latency { median: 100.0, min: 100.0 }, throughput: None, wall: 150_000.0, usage: Some(usage), singles }
    }

    fn measured(rounds: usize, iterations: usize, slower: f64, job: &Job) -> Vec<MetricResult> {
        let mut random = SplitMix64::new(5);
        let mut one = |slower| reading(&mut random, iterations, slower);
        let rounds: Vec<Round> = (0..rounds).map(|_| Round { base: one(1.0), head: one(slower), control: one(1.0) }).collect();
        tails(job, &rounds, Margins::default(), 0.01)
    }

    fn cpu() -> Job {
        job(ClockKind::Cpu, 1.0)
    }

    #[test]
    fn too_few_iterations_carry_no_quantile() {
        assert!(measured(12, 0, 1.0, &cpu()).is_empty());
        assert!(measured(12, 16, 1.0, &cpu()).is_empty(), "192 iterations are too few for p95");
        let names = |metrics: Vec<MetricResult>| metrics.into_iter().map(|metric| metric.name).collect::<Vec<_>>();
        assert_eq!(names(measured(24, 10, 1.0, &cpu())), ["latency.p95"]);
        assert_eq!(names(measured(101, 10, 1.0, &cpu())), ["latency.p95", "latency.p99"]);
        assert!(measured(7, 199, 1.0, &cpu()).is_empty(), "too few processes to draw from");
    }

    #[test]
    fn enough_iterations_in_each_process_are_judged_like_any_value() {
        let p95 = measured(24, 400, 1.2, &cpu()).remove(0);
        assert_eq!(p95.outcome, Some(Outcome::Slower));
        assert!(
            (p95.ratio.unwrap() - 1.2).abs() < 0.03 && p95.base.is_some_and(|base| (195.0..210.0).contains(&base)),
            "{p95:?}"
        );
    }

    #[test]
    fn each_side_has_quantiles_of_its_own_or_none() {
        let mut random = SplitMix64::new(5);
        let mut one = |slower| reading(&mut random, 20, slower);
        let rounds: Vec<Round> = (0..48).map(|_| Round { base: one(1.0), head: one(1.2), control: one(1.0) }).collect();
        let tails = absolute_tails(&cpu(), &rounds, 0.01);
        let p95 = &tails[0];
        assert_eq!(p95.metric, "latency.p95");
        assert!(p95.base.unwrap().contains(200.0) && p95.head.unwrap().contains(240.0), "{p95:?}");
        assert_eq!((tails[1].base, tails[1].head), (None, None), "960 iterations are too few for p99");
    }

    #[test]
    fn the_nearest_rank_is_one_of_the_values() {
        let values = || (1..=100).map(f64::from).collect::<Vec<_>>();
        assert_eq!(nearest_rank(&mut values(), 0.95), Some(95.0));
        assert_eq!(nearest_rank(&mut values(), 1.0), Some(100.0));
        assert_eq!(nearest_rank(&mut [], 0.95), None);
    }

    #[test]
    fn pooled_quantiles_have_an_interval_that_holds_the_truth_and_no_judgement() {
        let p95 = measured(48, 20, 1.2, &cpu()).remove(0);
        let (low, high) = (p95.low.unwrap(), p95.high.unwrap());
        assert!(low < 1.2 && 1.2 < high && high < 1.6, "{p95:?}");
        assert_eq!(p95.outcome, None);
    }

    #[test]
    fn a_tail_of_waiting_for_the_processor_is_the_machine_s() {
        let on = |job: &Job| measured(24, 400, 1.2, job).remove(0);
        let machine = on(&job(ClockKind::Wall, 1.0));
        assert_eq!((machine.note.as_deref(), machine.outcome), (Some(MACHINE_NOTE), None));
        assert_eq!(on(&cpu()).note, None, "CPU time knows no neighbours");
        assert_eq!(on(&job(ClockKind::Wall, 0.3)).note, None, "it waits by itself");
    }
}
