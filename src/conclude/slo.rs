//! Targets and gaps: an objective of a workload held against what was measured of each side for itself.
//!
//! Whether that fails a verdict is for `verdict` to say. A number of one side alone speaks of this machine at this moment, so an
//! objective counts as met or violated only with its whole interval, and as this change's doing only with a worse metric and a
//! changed item on the workload's stacks.

use crate::analysis::{MetricResult, Outcome, SloResult, WorkloadResult};
use crate::config::Slo;
use crate::evidence::WorkloadEvidence;
use crate::measure::metric::{ALPHA, MACHINE_NOTE, QUANTILES, is_rate};
use crate::measure::{Absolute, ClockKind};
use crate::stats::{Interval, values_needed};

const TIMES: [&str; 3] = ["latency.", "cpu.", "wall"];

/// What came of each objective of a workload whose two sides were compared, or why nothing did.
pub(crate) fn slo_results(slos: &[Slo], workload: &WorkloadResult, absolutes: &[Absolute]) -> Vec<SloResult> {
    slos.iter().map(|slo| compared(slo, workload, absolutes)).collect()
}

fn compared(slo: &Slo, workload: &WorkloadResult, absolutes: &[Absolute]) -> SloResult {
    let mut result = blank(slo);
    let metric = metric_of(slo, workload);
    result.clock = metric.and_then(|metric| metric.clock.clone());
    if let Some(metric) = metric.filter(|_| slo.is_floor()) {
        if let Err(why) = is_comparable(slo, metric) {
            result.reason = Some(why);
            return result;
        }
        // What is counted per second is the workload's own.
        result.unit.clone_from(&metric.unit);
    }
    let Some((base, head)) = absolutes.iter().find(|one| one.metric == slo.metric).and_then(|one| one.base.zip(one.head)) else {
        result.reason = Some(why_not_measured(slo, workload, metric));
        return result;
    };
    (result.base, result.base_low, result.base_high) = (Some(base.median), Some(base.low), Some(base.high));
    (result.head, result.low, result.high) = (Some(head.median), Some(head.low), Some(head.high));
    (result.met_at_base, result.met_at_head) = (is_met(slo, &base), is_met(slo, &head));
    match (result.met_at_base, result.met_at_head) {
        (Some(true), Some(false)) => {
            let explained = explained(slo, workload, metric);
            result.explained = Some(explained.is_ok());
            result.reason = explained.err();
        }
        (Some(false), Some(false)) => result.reason = Some("base violates it, too".into()),
        (_, None) => result.reason = Some(undecided(slo, &head)),
        (None, Some(false)) => result.reason = Some("base's interval holds the target, so it may have been so before".into()),
        (_, Some(true)) => {}
    }
    result
}

/// Whether both sides count what the target counts.
fn is_comparable(slo: &Slo, throughput: &MetricResult) -> Result<(), String> {
    if !slo.is_in(&throughput.unit) {
        let unit = throughput.unit.trim_end_matches("/s");
        let counted = if unit == "B" { "bytes" } else { unit };
        Err(format!("its throughput is in {counted}, the target in {}", slo.counts()))
    } else if throughput.head.is_none() {
        Err("base and head count their work in different units".into())
    } else {
        Ok(())
    }
}

fn undecided(slo: &Slo, head: &Interval) -> String {
    if is_rate(&slo.metric) && head.median.to_bits() == 0 {
        return "none of head's runs did, and they are too few to show so low a rate".into();
    }
    "head's interval holds the target".into()
}

/// What a baseline knows of each objective: the time of one side.
pub(crate) fn baseline_slos(slos: &[Slo], evidence: &WorkloadEvidence) -> Vec<SloResult> {
    slos.iter().map(|slo| at_base(slo, evidence)).collect()
}

fn at_base(slo: &Slo, evidence: &WorkloadEvidence) -> SloResult {
    let mut result = blank(slo);
    let calibration = evidence.calibration.as_ref().filter(|_| slo.metric == "latency.p50");
    let Some((calibration, time)) = calibration.and_then(|calibration| Some((calibration, calibration.latency_ns?))) else {
        result.reason = Some(match &evidence.problem {
            Some(problem) => problem.clone(),
            None => "a baseline measures the median time only; `verify` measures the rest".into(),
        });
        return result;
    };
    result.clock = Some(match calibration.clock.clock {
        ClockKind::Cpu => "cpu".into(),
        ClockKind::Wall => "wall".into(),
    });
    result.base = Some(time);
    // A baseline has no interval for one side; nearer to the target than two standard deviations of a pair, it does not tell.
    let spread = calibration.noise.as_ref().map(|noise| 2.0 * noise.pair_sd);
    result.met_at_base =
        spread.and_then(|spread| is_met(slo, &Interval { low: time * (-spread).exp(), median: time, high: time * spread.exp() }));
    if result.met_at_base.is_none() {
        result.reason = Some("it is as near to the target as its runs differ".into());
    }
    result
}

fn blank(slo: &Slo) -> SloResult {
    SloResult {
        metric: slo.metric.clone(),
        unit: slo.unit.into(),
        clock: None,
        target: slo.bound,
        written: slo.written.clone(),
        at_least: slo.is_floor(),
        base: None,
        base_low: None,
        base_high: None,
        head: None,
        low: None,
        high: None,
        met_at_base: None,
        met_at_head: None,
        explained: None,
        reason: None,
    }
}

/// `None` when the bound lies inside.
fn is_met(slo: &Slo, interval: &Interval) -> Option<bool> {
    match (slo.is_met_by(interval.low), slo.is_met_by(interval.high)) {
        (true, true) => Some(true),
        (false, false) => Some(false),
        _ => None,
    }
}

/// The comparison that belongs to an objective. Where the fastest batch stands for a process, it stands for the median, too.
fn metric_of<'w>(slo: &Slo, workload: &'w WorkloadResult) -> Option<&'w MetricResult> {
    let by_name = workload.metrics.iter().find(|metric| metric.name == slo.metric);
    by_name.or_else(|| workload.primary().filter(|_| slo.metric == "latency.p50"))
}

fn why_not_measured(slo: &Slo, workload: &WorkloadResult, metric: Option<&MetricResult>) -> String {
    match metric {
        _ if workload.metrics.is_empty() => workload.reason.clone().unwrap_or_else(|| "the workload was not measured".into()),
        Some(metric) if metric.head.is_some() && is_of_process(&slo.metric) => {
            "its harness does as much work as fits into its time, so a process's total says nothing".into()
        }
        Some(_) => "there are too few rounds for an interval of one side".into(),
        None if slo.metric == "memory.peak_rss" => {
            "it takes less than this tool itself, and of so little the kernel does not tell whose it was".into()
        }
        None => too_few_processes(slo, workload).unwrap_or_else(|| "this run did not measure it".into()),
    }
}

/// How many runs the quantile of a program would need.
fn too_few_processes(slo: &Slo, workload: &WorkloadResult) -> Option<String> {
    let (_, q) = QUANTILES.iter().find(|(name, _)| *name == slo.metric)?;
    let rounds = workload.primary().filter(|_| matches!(workload.kind.as_str(), "bench" | "binary"))?.rounds;
    let needed = values_needed(*q, ALPHA);
    Some(format!("of a whole program it needs {needed} runs of each side, and there were {rounds}"))
}

fn is_of_process(metric: &str) -> bool {
    !metric.starts_with("latency") && metric != "throughput"
}

/// Whether a violation is this change's doing, as far as a regression must be to fail: worse beyond the margin against the control,
/// a changed item on the stacks, and no doubt about the workload as a whole.
fn explained(slo: &Slo, workload: &WorkloadResult, metric: Option<&MetricResult>) -> Result<(), String> {
    let is_time = slo.is_floor() || TIMES.iter().any(|start| slo.metric.starts_with(start));
    let measured_worse = metric.is_some_and(|metric| metric.outcome == Outcome::Slower && metric.interval().is_some());
    // Base's whole interval keeps the target and head's whole interval does not: the rates differ.
    let worse = measured_worse || is_rate(&slo.metric);
    let of_the_machine = metric.is_some_and(|metric| metric.note.as_deref() == Some(MACHINE_NOTE));
    if workload.negative_control || workload.explained_by.is_empty() {
        Err("no changed item is on its stacks".into())
    } else if is_time && workload.outcome == Outcome::Inconclusive {
        Err(workload.reason.clone().unwrap_or_else(|| "the workload is inconclusive".into()))
    } else if is_time && workload.outcome == Outcome::Slower && workload.explained != Some(true) {
        Err(workload.reason.clone().unwrap_or_else(|| "the change does not explain the regression".into()))
    } else if of_the_machine {
        Err(MACHINE_NOTE.into())
    } else if !worse {
        Err("against base, side by side, it is not worse beyond the margin".into())
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    const MILLI: f64 = 1e6;

    fn slo(metric: &str, bound: f64) -> Slo {
        Slo { metric: metric.into(), bound, unit: "ns", written: "20ms".into() }
    }

    fn absolute(metric: &str, base: (f64, f64), head: (f64, f64)) -> Absolute {
        let interval = |(low, high): (f64, f64)| {
            Some(Interval { low: low * MILLI, median: f64::midpoint(low, high) * MILLI, high: high * MILLI })
        };
        Absolute { metric: metric.into(), base: interval(base), head: interval(head) }
    }

    fn slower() -> WorkloadResult {
        samples::reached("hot", Outcome::Slower, 18.0 * MILLI, (1.3, 1.28, 1.32), &["a::f"])
    }

    fn one(workload: &WorkloadResult, base: (f64, f64), head: (f64, f64)) -> SloResult {
        compared(&slo("latency.p50", 20.0 * MILLI), workload, &[absolute("latency.p50", base, head)])
    }

    #[test]
    fn met_at_base_and_violated_at_head_by_a_changed_item() {
        let result = one(&slower(), (17.9, 18.1), (23.0, 23.5));
        assert_eq!((result.met_at_base, result.met_at_head, result.explained), (Some(true), Some(false), Some(true)));
        assert_eq!((result.reason, result.clock.as_deref()), (None, Some("cpu")));
    }

    #[test]
    fn an_interval_that_holds_the_target_tells_nothing() {
        let at_head = one(&slower(), (17.9, 18.1), (19.9, 20.4));
        assert_eq!((at_head.met_at_head, at_head.explained), (None, None));
        let at_base = one(&slower(), (19.8, 20.1), (23.0, 23.5));
        assert_eq!((at_base.met_at_base, at_base.met_at_head, at_base.explained), (None, Some(false), None));
        assert!(at_base.reason.unwrap().contains("base's interval"));
    }

    #[test]
    fn violated_on_both_sides_or_met_on_both_is_not_this_changes_doing() {
        let both = one(&slower(), (21.0, 21.5), (23.0, 23.5));
        assert_eq!((both.met_at_base, both.met_at_head, both.explained), (Some(false), Some(false), None));
        let met = one(&slower(), (10.0, 10.1), (13.0, 13.1));
        assert_eq!((met.met_at_head, met.explained, met.reason), (Some(true), None, None));
    }

    #[test]
    fn without_a_changed_item_or_without_a_worse_metric_it_is_not_explained() {
        let violated = |workload: WorkloadResult| one(&workload, (17.9, 18.1), (23.0, 23.5)).explained;
        assert_eq!(violated(WorkloadResult { explained_by: Vec::new(), ..slower() }), Some(false));
        assert_eq!(violated(WorkloadResult { negative_control: true, ..slower() }), Some(false));
        assert_eq!(violated(WorkloadResult { explained: Some(false), ..slower() }), Some(false), "layout or machine");
        assert_eq!(violated(WorkloadResult { outcome: Outcome::Inconclusive, explained: None, ..slower() }), Some(false));
        // The machine moved between the rounds of the sides, and the pairs show it.
        assert_eq!(violated(samples::reached("hot", Outcome::Same, 18.0 * MILLI, (1.0, 0.99, 1.01), &["a::f"])), Some(false));
    }

    #[test]
    fn memory_is_judged_by_its_own_comparison() {
        let mut workload = samples::reached("hot", Outcome::Same, 1e6, (1.0, 0.99, 1.01), &["a::f"]);
        let target = Slo { metric: "memory.peak_rss".into(), bound: 20.0 * MILLI, unit: "bytes", written: "20MB".into() };
        let seen = [absolute("memory.peak_rss", (15.0, 15.1), (30.0, 30.1))];
        assert_eq!(compared(&target, &workload, &seen).explained, Some(false), "no comparison of it");
        workload.metrics.push(samples::memory(15.0 * MILLI, (2.0, 1.99, 2.01), Outcome::Slower));
        assert_eq!(compared(&target, &workload, &seen).explained, Some(true));
    }

    #[test]
    fn a_rate_is_worse_when_the_target_lies_between_its_sides() {
        let same = samples::reached("run", Outcome::Same, 1e6, (1.0, 0.99, 1.01), &["a::f"]);
        let errors = Slo { metric: "error_rate".into(), bound: 0.05, unit: "fraction", written: "5%".into() };
        let rate = |(low, high): (f64, f64)| Some(Interval { low, median: f64::midpoint(low, high), high });
        let seen = |base, head| [Absolute { metric: "error_rate".into(), base: rate(base), head: rate(head) }];
        let on = |workload: &WorkloadResult, head| compared(&errors, workload, &seen((0.0, 0.03), head));
        assert_eq!(on(&same, (0.2, 0.5)).explained, Some(true));
        assert_eq!(on(&WorkloadResult { explained_by: Vec::new(), ..same.clone() }, (0.2, 0.5)).explained, Some(false));
        assert_eq!((on(&same, (0.01, 0.5)).met_at_head, on(&same, (0.01, 0.5)).explained), (None, None));
        let none = Interval { low: 0.0, median: 0.0, high: 0.2 };
        let none =
            compared(&errors, &same, &[Absolute { metric: "error_rate".into(), base: rate((0.0, 0.03)), head: Some(none) }]);
        assert!(none.reason.unwrap().contains("too few"));
        // Head ended after a few failures: no metric at all, and still rates.
        let broken = WorkloadResult { metrics: Vec::new(), outcome: Outcome::NotMeasured, ..same };
        assert_eq!(on(&broken, (0.2, 1.0)).met_at_head, Some(false));
    }

    #[test]
    fn a_program_s_quantile_says_how_many_runs_it_needs() {
        let program = WorkloadResult { kind: "binary".into(), ..slower() };
        let reason = |metric| compared(&slo(metric, 1.0), &program, &[]).reason.unwrap();
        assert!(
            reason("latency.p95").contains("72 runs") && reason("latency.p99").contains("368 runs"),
            "{}",
            reason("latency.p99")
        );
    }

    #[test]
    fn a_floor_is_violated_from_above() {
        let mut workload = slower();
        workload.metrics.push(MetricResult {
            name: "throughput".into(),
            unit: "B/s".into(),
            ratio: Some(0.8),
            low: Some(0.79),
            high: Some(0.81),
            ..workload.metrics[0].clone()
        });
        let floor = Slo { unit: "B/s", ..slo("throughput", 20.0 * MILLI) };
        let seen = [absolute("throughput", (25.0, 25.1), (19.0, 19.1))];
        let result = compared(&floor, &workload, &seen);
        assert_eq!(
            (result.at_least, result.met_at_base, result.met_at_head, result.explained),
            (true, Some(true), Some(false), Some(true))
        );
        let number = Slo { unit: "count/s", ..floor.clone() };
        let unlike = |slo: &Slo, workload: &WorkloadResult| {
            let result = compared(slo, workload, &seen);
            assert_eq!((result.base, result.head, result.met_at_base, result.met_at_head), (None, None, None, None));
            assert_eq!((result.explained, result.unit.as_str()), (None, slo.unit));
            result.reason.unwrap()
        };
        assert_eq!(unlike(&number, &workload), "its throughput is in bytes, the target in a plain number");
        workload.metrics.last_mut().unwrap().unit = "elements/s".into();
        assert_eq!(compared(&number, &workload, &seen).explained, Some(true));
        assert_eq!(unlike(&floor, &workload), "its throughput is in elements, the target in bytes");
        workload.metrics.last_mut().unwrap().head = None;
        assert!(unlike(&number, &workload).contains("different units"));
    }

    #[test]
    fn what_was_not_measured_is_null_and_says_why() {
        let tail = compared(&slo("latency.p95", 20.0 * MILLI), &slower(), &[]);
        assert_eq!((tail.base, tail.head, tail.met_at_head, tail.explained), (None, None, None, None));
        assert!(tail.reason.unwrap().contains("did not measure"));
        let unmeasured = WorkloadResult { reason: Some("identical machine code".into()), ..samples::workload("hot") };
        assert_eq!(compared(&slo("latency.p50", 1.0), &unmeasured, &[]).reason.as_deref(), Some("identical machine code"));
        let mut harness = slower();
        harness.metrics.push(MetricResult { name: "wall".into(), outcome: Outcome::NotMeasured, ..harness.metrics[0].clone() });
        assert!(compared(&slo("wall", 1.0), &harness, &[]).reason.unwrap().contains("harness"));
    }
}
