//! One result per workload: measured, provably the same, or not measured and why.

use std::collections::BTreeMap;

use super::{hot_items, profile_result};
use crate::analysis::{ClockResult, MetricResult, Outcome, PUT_OFF, WorkloadResult};
use crate::evidence::WorkloadEvidence;
use crate::join::{Reach, SideView, explain};
use crate::measure::{self, ClockChoice, ClockKind, Ending, Measured, Workload, WorkloadKind};
use crate::source::{Change, ChangeKind};
use crate::stats;

/// What is known when results are made.
pub(crate) struct Comparison<'a> {
    /// The changed items.
    pub(crate) changes: &'a [Change],
    /// Base's view.
    pub(crate) base: &'a SideView<'a>,
    /// Head's view.
    pub(crate) head: &'a SideView<'a>,
    /// How the changes reach each workload.
    pub(crate) reaches: &'a BTreeMap<String, Reach>,
    /// True when an ambient change may affect all code.
    pub(crate) everything: bool,
}

/// Why a workload with equal executables was not run: a proof, not an omission.
pub(crate) const SAME_CODE: &str = "identical machine code";

fn blank(workload: &Workload) -> WorkloadResult {
    WorkloadResult {
        id: workload.id.clone(),
        package: workload.package.clone(),
        target: workload.target.clone(),
        kind: kind(workload.kind).into(),
        outcome: Outcome::NotMeasured,
        reason: None,
        explained: None,
        explained_by: Vec::new(),
        negative_control: false,
        broken: None,
        metrics: Vec::new(),
        slo: Vec::new(),
        smallest_detectable: None,
        clock: None,
        bottleneck: None,
        profile: None,
        hot_path: Vec::new(),
        confirmation: None,
        witness: None,
    }
}

fn kind(kind: WorkloadKind) -> &'static str {
    match kind {
        WorkloadKind::Criterion => "criterion",
        WorkloadKind::Divan => "divan",
        WorkloadKind::Libtest => "libtest",
        WorkloadKind::Bencher => "bencher",
        WorkloadKind::Bench => "bench",
        WorkloadKind::Binary => "binary",
    }
}

/// The result of a workload of which only one side is known.
pub(crate) fn baseline_result(evidence: &WorkloadEvidence, side: &SideView<'_>) -> WorkloadResult {
    let workload = &evidence.workload;
    let mut result = blank(workload);
    result.reason.clone_from(&evidence.problem);
    if evidence.pending {
        result.reason = Some(PUT_OFF.into());
    }
    if let Some(calibration) = &evidence.calibration {
        result.clock = Some(clock(&calibration.clock));
        let base = calibration.latency_ns;
        let rounds = calibration.noise.as_ref().map_or(0, |noise| noise.rounds as u32);
        result.metrics.push(MetricResult {
            name: "latency.p50".into(),
            unit: "ns".into(),
            clock: Some(clock_name(calibration.clock.clock).into()),
            base,
            head: None,
            ratio: None,
            low: None,
            high: None,
            rounds,
            outcome: if base.is_some() { Outcome::NotJudged } else { Outcome::NotMeasured },
            note: None,
        });
        let plan = stats::Plan::default();
        let last = plan.looks.last().copied().unwrap_or(192);
        result.smallest_detectable = calibration.noise.as_ref().map(|noise| noise.detectable(last, &plan));
    }
    if let Some(stored) = &evidence.profile {
        let flamegraph = stored.flamegraph.as_ref().map(ToString::to_string);
        result.profile = Some(profile_result(&stored.quality, Some(stored.file.to_string()), flamegraph));
    }
    result.hot_path = hot_items(side, &workload.id);
    result
}

fn clock(choice: &ClockChoice) -> ClockResult {
    ClockResult { clock: clock_name(choice.clock).into(), reason: choice.reason.clone() }
}

fn clock_name(clock: ClockKind) -> &'static str {
    match clock {
        ClockKind::Cpu => "cpu",
        ClockKind::Wall => "wall",
    }
}

/// The result of a workload of both sides. `measured`: its rounds, or why there are none.
pub(crate) fn compared(workload: &Workload, measured: Result<&Measured, String>, with: &Comparison<'_>) -> WorkloadResult {
    let mut result = blank(workload);
    let side = if with.head.joined(&workload.id).is_some() { with.head } else { with.base };
    result.hot_path = hot_items(side, &workload.id);
    result.profile = side.profile(&workload.id).map(|profile| profile_result(&profile.quality, None, None));
    let measured = match measured {
        Ok(measured) => measured,
        Err(reason) => {
            if reason == SAME_CODE {
                result.outcome = Outcome::Same;
            }
            result.reason = Some(reason);
            return result;
        }
    };
    if measured.gating {
        result.explained_by = on_stacks(&workload.id, with);
    }
    result.negative_control = !measured.gating;
    result.clock = Some(clock(&measured.clock));
    result.smallest_detectable = measured.detectable;
    result.reason = (!measured.reason.is_empty()).then(|| measured.reason.clone());
    result.metrics = measured.metrics.iter().map(metric).collect();
    result.outcome = measured.outcome.map_or(Outcome::NotMeasured, outcome);
    if measured.ending == Ending::HeadFails {
        let how = measured.reason.strip_prefix(measure::FAILS_AT_HEAD).unwrap_or(&measured.reason);
        result.broken = Some(how.to_owned());
    }
    let reach = with.reaches.get(&workload.id);
    if let (Some(verdict @ (stats::Outcome::Slower | stats::Outcome::Faster)), Some(reach)) = (measured.outcome, reach)
        && let Some((_, low, high)) = result.primary().and_then(MetricResult::interval)
    {
        let unbounded = with.everything || inlining_changed(&workload.id, with);
        let explanation = explain(verdict, (low, high), reach, unbounded);
        result.explained = Some(explanation.explained);
        if let Some(why_not) = explanation.why_not {
            result.reason = Some(why_not);
        }
    }
    result
}

fn metric(metric: &measure::MetricResult) -> MetricResult {
    let has_numbers = metric.base.is_some() || metric.head.is_some();
    let unjudged = if has_numbers { Outcome::NotJudged } else { Outcome::NotMeasured };
    MetricResult {
        name: metric.name.clone(),
        unit: metric.unit.clone(),
        clock: metric.clock.map(|clock| clock_name(clock).to_owned()),
        base: metric.base,
        head: metric.head,
        ratio: metric.ratio,
        low: metric.low,
        high: metric.high,
        rounds: metric.rounds as u32,
        outcome: metric.outcome.map_or(unjudged, outcome),
        note: metric.note.clone(),
    }
}

fn outcome(outcome: stats::Outcome) -> Outcome {
    match outcome {
        stats::Outcome::Faster => Outcome::Faster,
        stats::Outcome::Slower => Outcome::Slower,
        stats::Outcome::Same => Outcome::Same,
        stats::Outcome::Inconclusive => Outcome::Inconclusive,
    }
}

/// True when an item on the stacks changed its attributes: `#[inline]` moves work into and out of the callers, and its own share
/// does not bound that.
fn inlining_changed(workload: &str, with: &Comparison<'_>) -> bool {
    let shows = |side: &SideView<'_>, item: &Option<crate::source::Item>| {
        let key = item.as_ref().map(|item| item.key.as_str());
        key.zip(side.joined(workload)).is_some_and(|(key, joined)| joined.share(key).total.hits > 0)
    };
    let attributes = |change: &&Change| match (&change.base, &change.head) {
        (Some(base), Some(head)) => base.attributes != head.attributes,
        _ => false,
    };
    let changed = with.changes.iter().filter(attributes);
    changed.into_iter().any(|change| shows(with.base, &change.base) || shows(with.head, &change.head))
}

/// The changed items on a workload's stacks, most weight first; ambient ones last, when they may affect everything.
fn on_stacks(workload: &str, with: &Comparison<'_>) -> Vec<String> {
    let mut found: Vec<(f64, String)> = Vec::new();
    for change in with.changes.iter().filter(|change| change.kind != ChangeKind::Moved) {
        let Some(item) = change.item() else { continue };
        let share = |side: &SideView<'_>, item: &Option<crate::source::Item>| {
            let total = side.joined(workload)?.share(&item.as_ref()?.key).total;
            (total.hits > 0).then_some(total.share)
        };
        let shares = [share(with.base, &change.base), share(with.head, &change.head)];
        if let Some(largest) = shares.into_iter().flatten().reduce(f64::max) {
            found.push((largest, item.path.clone()));
        } else if change.kind == ChangeKind::Ambient && !item.test_only && !item.approximate {
            let reach = change.reach();
            let reached = |side: &SideView<'_>| side.joined(workload).is_some_and(|joined| joined.reached_by(&reach).hits > 0);
            if reached(with.base) || reached(with.head) {
                found.push((0.0, item.path.clone()));
            }
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.into_iter().map(|(_, path)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_from_which_nothing_is_concluded_are_not_called_unmeasured() {
        let switches = |base, head| measure::MetricResult {
            name: "context_switches.involuntary".into(),
            unit: "count".into(),
            clock: None,
            base,
            head,
            ratio: None,
            low: None,
            high: None,
            rounds: 12,
            outcome: None,
            note: None,
        };
        assert_eq!(metric(&switches(Some(3.0), Some(4.0))).outcome, Outcome::NotJudged);
        assert_eq!(metric(&switches(None, None)).outcome, Outcome::NotMeasured);
    }
}
