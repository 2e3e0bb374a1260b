//! Why the verdict is what it is, in sentences.

use crate::analysis::{Finding, MetricResult, Outcome, SloResult, TestStatus, WorkloadResult};
use crate::figures;
use crate::verdict::{Evidence, FailOn, Policy, is_explained_regression, is_regression};

pub(super) fn failing_test(test: &str) -> String {
    format!("test `{test}` passed at base and fails at head")
}

pub(super) fn broken(workload: &WorkloadResult) -> Option<String> {
    let how = workload.broken.as_ref()?;
    Some(format!("workload `{}` ran at base and fails at head: {how}", workload.id))
}

pub(super) fn regression(workload: &WorkloadResult) -> String {
    let by = match workload.explained_by.first() {
        Some(item) if workload.explained == Some(true) => format!(", explained by `{item}`"),
        _ => ", not explained by the change".into(),
    };
    format!("`{}` is slower{}{by}", workload.id, by_how_much(workload))
}

pub(super) fn objective(workload: &WorkloadResult, slo: &SloResult) -> String {
    let by = workload.explained_by.first().map(|item| format!(", explained by `{item}`")).unwrap_or_default();
    let bound = if slo.at_least { "at least" } else { "at most" };
    let values = slo.head.zip(slo.low).zip(slo.high).zip(slo.base).map(|(((head, low), high), base)| {
        let head = figures::quantity_with_interval((head, low, high), &slo.unit);
        format!(": {head} here and now, base met it with {}", figures::quantity(base, &slo.unit))
    });
    format!("`{}` misses its target, {} {bound} {}{}{by}", workload.id, slo.metric, slo.written, values.unwrap_or_default())
}

pub(super) fn finding(finding: &Finding) -> String {
    format!(
        "{} {}: {}",
        finding.rule,
        finding.name,
        finding.item.as_deref().or(finding.file.as_deref()).unwrap_or(&finding.message)
    )
}

/// Why no verdict can be given on workloads that the change reaches, each reason once.
pub(super) fn doubts(evidence: &Evidence<'_>) -> Vec<String> {
    let reached = evidence.workloads.iter().filter(|w| !w.negative_control && !w.explained_by.is_empty() && w.broken.is_none());
    let mut doubts: Vec<(Outcome, &str, Vec<&str>)> = Vec::new();
    for workload in reached.filter(|workload| matches!(workload.outcome, Outcome::Inconclusive | Outcome::NotMeasured)) {
        let reason = workload.reason.as_deref().unwrap_or_default();
        match doubts.iter_mut().find(|(outcome, known, _)| (*outcome, *known) == (workload.outcome, reason)) {
            Some((.., ids)) => ids.push(&workload.id),
            None => doubts.push((workload.outcome, reason, vec![&workload.id])),
        }
    }
    doubts.into_iter().map(|(outcome, reason, ids)| doubt(outcome, reason, &ids)).collect()
}

fn doubt(outcome: Outcome, reason: &str, ids: &[&str]) -> String {
    let reason = reason.strip_prefix("not measured: ").unwrap_or(reason);
    let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    let (be, was) = if ids.len() == 1 { ("is", "was") } else { ("are", "were") };
    let ids = named(ids);
    if outcome == Outcome::Inconclusive {
        format!("{ids} {be} inconclusive{because}")
    } else {
        format!("{ids} {be} reached by the change and {was} not measured{because}")
    }
}

/// `` `a` ``, `` `a` and `b` ``, `` `a`, `b` and 7 more ``.
fn named(ids: &[&str]) -> String {
    match ids {
        [first, second, rest @ ..] if !rest.is_empty() => format!("`{first}`, `{second}` and {} more", rest.len()),
        _ => ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(" and "),
    }
}

fn unexplained_note(workload: &WorkloadResult) -> String {
    let why = workload.reason.as_deref().map(|reason| format!("{reason}; ")).unwrap_or_default();
    format!("{}: {why}layout, the machine, or code that has no stack of its own", regression(workload))
}

/// What is worth saying beside the verdict.
pub(super) fn notes(evidence: &Evidence<'_>, policy: &Policy) -> Vec<String> {
    let unexplained = |w: &&WorkloadResult| is_regression(w) && !is_explained_regression(w, evidence.changes);
    let slower = evidence.workloads.iter().filter(|_| !policy.fails_on(FailOn::Unexplained)).filter(unexplained);
    let mut notes: Vec<String> = slower.map(unexplained_note).collect();
    if evidence.tests.status == TestStatus::Failed && evidence.tests.newly_failing.is_empty() {
        notes.push("tests fail, and none of them is known to have passed at base".into());
    }
    notes
}

fn by_how_much(workload: &WorkloadResult) -> String {
    let interval = workload.primary().and_then(MetricResult::interval);
    interval.map(|interval| format!(": {}", figures::change_with_interval(interval))).unwrap_or_default()
}
