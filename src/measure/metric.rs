//! The metrics of a measured workload: medians of both sides, their ratio, its interval.

mod errors;
mod processes;
mod tails;

use serde::{Deserialize, Serialize};

pub(crate) use errors::is_rate;
pub(super) use errors::{absolute_rates, rates};
pub(crate) use processes::ALPHA;
pub(super) use tails::absolute_tails;
pub(crate) use tails::{MACHINE_NOTE, QUANTILES};

use super::clock::ClockKind;
use super::noise::Statistic;
use super::peak::{GRAIN, PEAK_RSS};
use super::round::{Job, Reading, Round};
use crate::process::Usage;
use crate::stats::estimate::log_ratios;
use crate::stats::{Decision, Margins, Outcome, decide, median};

/// One metric on both sides. `None` was not measured, or has no meaning for this workload; it is never 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricResult {
    /// `latency.p50`, `wall`, `cpu.user`, `memory.peak_rss`, …
    pub name: String,
    /// `ns`, `bytes`, `B/s`, `count`.
    pub unit: String,
    /// The clock behind it, for times.
    pub clock: Option<ClockKind>,
    /// Median over the rounds at base.
    pub base: Option<f64>,
    /// Median over the rounds at head.
    pub head: Option<f64>,
    /// Median of head/base per round.
    pub ratio: Option<f64>,
    /// Lower end of its interval.
    pub low: Option<f64>,
    /// Upper end of its interval.
    pub high: Option<f64>,
    /// Rounds that this rests on.
    pub rounds: usize,
    /// The judgement; for throughput, `faster` means more of it, for memory, `faster` means less. `None` where the harness
    /// decides how much work a process does, so that whole processes do not compare.
    pub outcome: Option<Outcome>,
    /// What a reader must know before believing it.
    pub note: Option<String>,
}

/// How a metric is read from a process and judged.
struct Spec {
    name: &'static str,
    unit: &'static str,
    clock: Option<ClockKind>,
    margins: Margins,
    judged: bool,
    read: fn(&Reading) -> Option<f64>,
}

fn usage(reading: &Reading, of: fn(&Usage) -> f64) -> Option<f64> {
    reading.usage.as_ref().map(of)
}

fn specs(margins: Margins, fixed_work: bool, base_rss: Option<f64>) -> Vec<Spec> {
    let rss = base_rss.map_or(margins.delta, |base| margins.delta.max(GRAIN / base.max(1.0)));
    let spec = |name, unit, clock, read| Spec { name, unit, clock, margins, judged: fixed_work, read };
    let (cpu, wall) = (Some(ClockKind::Cpu), Some(ClockKind::Wall));
    vec![
        spec("wall", "ns", wall, |r| Some(r.wall)),
        spec("cpu.total", "ns", cpu, |r| usage(r, |u| u.cpu().as_nanos() as f64)),
        spec("cpu.user", "ns", cpu, |r| usage(r, |u| u.user.as_nanos() as f64)),
        spec("cpu.system", "ns", cpu, |r| usage(r, |u| u.system.as_nanos() as f64)),
        Spec {
            margins: Margins::with_delta(rss),
            judged: true,
            ..spec(PEAK_RSS, "bytes", None, |r| Some(r.usage.as_ref()?.peak_rss? as f64))
        },
        spec("page_faults", "count", None, |r| usage(r, |u| (u.minor_faults + u.major_faults) as f64)),
        spec("page_faults.major", "count", None, |r| usage(r, |u| u.major_faults as f64)),
        spec("context_switches.voluntary", "count", None, |r| usage(r, |u| u.voluntary_switches as f64)),
        // What reaches the disk and not the page cache, which the runs before have filled.
        Spec { judged: false, ..spec("io.read", "bytes", None, |r| r.usage.as_ref()?.disk_read.map(|n| n as f64)) },
        spec("io.written", "bytes", None, |r| r.usage.as_ref()?.disk_written.map(|n| n as f64)),
        // The scheduler's doing: it follows the load of the machine, and CPU time, which is judged already.
        Spec {
            judged: false,
            ..spec("context_switches.involuntary", "count", None, |r| usage(r, |u| u.involuntary_switches as f64))
        },
    ]
}

/// All metrics of a job, the primary one first. `decision` is that of the primary metric.
pub(super) fn metrics(job: &Job, rounds: &[Round], decision: &Decision, margins: Margins, alpha: f64) -> Vec<MetricResult> {
    let base_rss = median_of(rounds, |round| Some(round.base.usage.as_ref()?.peak_rss? as f64));
    let primary = primary(job, rounds, decision);
    let throughput = throughput(rounds, &primary);
    let specs = specs(margins, job.workload.kind.has_fixed_work(), base_rss);
    let rest = specs.iter().map(|spec| secondary(spec, rounds, alpha));
    let tails = tails::tails(job, rounds, margins, alpha);
    std::iter::once(primary).chain(tails).chain(throughput).chain(rest).collect()
}

fn median_of(rounds: &[Round], value: impl Fn(&Round) -> Option<f64>) -> Option<f64> {
    median(&rounds.iter().filter_map(value).collect::<Vec<_>>())
}

fn primary(job: &Job, rounds: &[Round], decision: &Decision) -> MetricResult {
    let effect = decision.effect.map(|effect| effect.exp());
    let value = |reading: &Reading| Some(job.statistic.of(&reading.latency));
    let (heads, _) = job.ratios(rounds);
    MetricResult {
        name: match job.statistic {
            Statistic::Median => "latency.p50",
            Statistic::Min => "latency.min",
        }
        .into(),
        unit: "ns".into(),
        clock: Some(job.clock.clock),
        base: median_of(rounds, |round| value(&round.base)),
        head: median_of(rounds, |round| value(&round.head)),
        ratio: median(&heads).map(f64::exp),
        low: effect.map(|effect| effect.low),
        high: effect.map(|effect| effect.high),
        rounds: rounds.len(),
        outcome: Some(decision.outcome),
        note: None,
    }
}

/// Work per second, where both sides state the same work per iteration.
fn throughput(rounds: &[Round], latency: &MetricResult) -> Option<MetricResult> {
    let round = rounds.first()?;
    let (base, head) = (round.base.throughput.as_ref()?, round.head.throughput.as_ref()?);
    let per_second = |ns: Option<f64>, amount: f64| ns.map(|ns| amount * 1e9 / ns);
    let same_work = base.unit == head.unit && is_same_amount(base.amount, head.amount);
    let inverse = |ratio: Option<f64>| ratio.filter(|_| same_work).map(f64::recip);
    Some(MetricResult {
        name: "throughput".into(),
        unit: format!("{}/s", base.unit),
        base: per_second(latency.base, base.amount),
        head: per_second(latency.head, head.amount).filter(|_| base.unit == head.unit),
        ratio: inverse(latency.ratio),
        low: inverse(latency.high),
        high: inverse(latency.low),
        outcome: latency.outcome.filter(|_| same_work),
        ..latency.clone()
    })
}

/// What a harness prints as a rate gives the amount back with its rounding; what a benchmark states is a whole number.
fn is_same_amount(base: f64, head: f64) -> bool {
    const ROUNDING: f64 = 0.02;
    let stated = base.fract() == 0.0 && head.fract() == 0.0;
    if stated { (base - head).abs() < 0.5 } else { (head / base - 1.0).abs() <= ROUNDING }
}

fn secondary(spec: &Spec, rounds: &[Round], alpha: f64) -> MetricResult {
    let read = spec.read;
    let ratios = |side: fn(&Round) -> &Reading| {
        let pairs = rounds.iter().filter_map(|round| Some((read(&round.base)?, read(side(round))?)));
        log_ratios(pairs)
    };
    let (head, control) = (ratios(|round| &round.head), ratios(|round| &round.control));
    // Zeroes have no ratio; a ratio of the rest would speak for the minority.
    let usable = 2 * head.len() > rounds.len();
    let decision = usable.then(|| decide(&head, &control, spec.margins, alpha));
    let effect = decision.as_ref().and_then(|decision| decision.effect).map(|effect| effect.exp());
    let nothing =
        !rounds.is_empty() && rounds.iter().all(|round| [&round.base, &round.head].iter().all(|r| read(r) == Some(0.0)));
    let outcome = decision.map(|decision| decision.outcome).or(nothing.then_some(Outcome::Same));
    MetricResult {
        name: spec.name.into(),
        unit: spec.unit.into(),
        clock: spec.clock,
        base: median_of(rounds, |round| read(&round.base)),
        head: median_of(rounds, |round| read(&round.head)),
        ratio: median(&head).filter(|_| usable).map(f64::exp),
        low: effect.map(|effect| effect.low),
        high: effect.map(|effect| effect.high),
        rounds: rounds.len(),
        outcome: outcome.filter(|_| spec.judged),
        note: None,
    }
}
