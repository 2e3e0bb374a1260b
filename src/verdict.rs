//! The judgement: from results and findings to pass, fail or inconclusive, the exit code, and why.
//!
//! Pure. Does not measure or explain; it only refuses to fail on anything that does not rest on a changed item plus measured
//! evidence, or on something that ran at base and fails at head.

mod controls;
mod policy;
mod reasons;
#[cfg(test)]
mod tests;

pub use controls::settle;
pub use policy::{FailOn, OnInconclusive, Policy, UnknownFailOn};

use crate::analysis::{ChangeResult, Command, Finding, Outcome, Severity, SloResult, Tests, Verdict, WorkloadResult};
use crate::exit::Exit;
use crate::source::ChangeKind;

/// What is judged.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The command: `baseline` judges nothing, `check` has measured nothing.
    pub command: Command,
    /// Results per workload, after [`settle`].
    pub workloads: &'a [WorkloadResult],
    /// The changed items.
    pub changes: &'a [ChangeResult],
    /// What the rules found.
    pub findings: &'a [Finding],
    /// `cargo test` of the changed packages.
    pub tests: &'a Tests,
}

/// The judgement over a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Pass, fail or inconclusive.
    pub verdict: Verdict,
    /// The exit code that goes with it.
    pub exit: Exit,
    /// One sentence per reason, most important first.
    pub reasons: Vec<String>,
}

/// Judges a run.
pub fn judge(evidence: &Evidence<'_>, policy: &Policy) -> Judgement {
    if evidence.command == Command::Baseline {
        return Judgement { verdict: Verdict::Pass, exit: Exit::Pass, reasons: Vec::new() };
    }
    let failures = failures(evidence, policy);
    let doubts = if evidence.command == Command::Verify { reasons::doubts(evidence) } else { Vec::new() };
    let (verdict, exit) = match (failures.is_empty(), doubts.is_empty(), policy.on_inconclusive) {
        (false, _, _) => (Verdict::Fail, Exit::Failed),
        (true, true, _) => (Verdict::Pass, Exit::Pass),
        (true, false, OnInconclusive::Pass) => (Verdict::Inconclusive, Exit::Pass),
        (true, false, OnInconclusive::Fail) => (Verdict::Inconclusive, Exit::Inconclusive),
    };
    let notes = reasons::notes(evidence, policy);
    Judgement { verdict, exit, reasons: failures.into_iter().chain(doubts).chain(notes).collect() }
}

fn failures(evidence: &Evidence<'_>, policy: &Policy) -> Vec<String> {
    let mut failures = Vec::new();
    if policy.fails_on(FailOn::Tests) {
        failures.extend(evidence.tests.newly_failing.iter().map(|test| reasons::failing_test(test)));
        failures.extend(evidence.workloads.iter().filter_map(reasons::broken));
    }
    if policy.fails_on(FailOn::Regression) {
        let explained = evidence.workloads.iter().filter(|workload| is_explained_regression(workload, evidence.changes));
        failures.extend(explained.map(reasons::regression));
    }
    if policy.fails_on(FailOn::Slo) {
        let violated = evidence.workloads.iter().flat_map(|w| w.slo.iter().map(move |slo| (w, slo)));
        let by_change = violated.filter(|(workload, slo)| is_slo_violation(slo, workload, evidence.changes));
        failures.extend(by_change.map(|(workload, slo)| reasons::objective(workload, slo)));
    }
    if policy.fails_on(FailOn::Error) {
        let errors = evidence.findings.iter().filter(|finding| is_error(finding, evidence.changes));
        failures.extend(errors.map(reasons::finding));
    }
    if policy.fails_on(FailOn::Warning) {
        let warnings = evidence.findings.iter().filter(|finding| finding.counts() && is_loud(finding));
        failures.extend(warnings.filter(|finding| !is_error(finding, evidence.changes)).map(reasons::finding));
    }
    if policy.fails_on(FailOn::Unexplained) {
        let slower = evidence.workloads.iter().filter(|workload| is_regression(workload));
        failures.extend(slower.filter(|w| !is_explained_regression(w, evidence.changes)).map(reasons::regression));
    }
    failures
}

fn is_loud(finding: &Finding) -> bool {
    finding.severity >= Severity::Warning
}

/// A workload that got confidently slower: it says so, and its interval does.
fn is_regression(workload: &WorkloadResult) -> bool {
    let measured = workload.primary().and_then(crate::analysis::MetricResult::interval);
    workload.outcome == Outcome::Slower && measured.is_some_and(|(_, low, _)| low > 1.0)
}

/// A regression that a changed item in its stacks accounts for.
pub fn is_explained_regression(workload: &WorkloadResult, changes: &[ChangeResult]) -> bool {
    let by_a_change = workload.explained_by.iter().any(|item| is_changed(item, changes));
    is_regression(workload) && workload.explained == Some(true) && by_a_change
}

/// An objective that base meets and head violates, each with its whole interval, because of a changed item.
pub fn is_slo_violation(slo: &SloResult, workload: &WorkloadResult, changes: &[ChangeResult]) -> bool {
    let beyond = match (slo.at_least, slo.low, slo.high) {
        (false, Some(low), _) => low > slo.target,
        (true, _, Some(high)) => high < slo.target,
        _ => false,
    };
    let crossed = slo.met_at_base == Some(true) && slo.met_at_head == Some(false) && beyond;
    let by_a_change = workload.explained_by.iter().any(|item| is_changed(item, changes));
    crossed && slo.explained == Some(true) && by_a_change && !workload.negative_control
}

/// A finding of level error that counts, on a changed item, with something measured.
fn is_error(finding: &Finding, changes: &[ChangeResult]) -> bool {
    let measured = finding.evidence.iter().any(|e| matches!(e.kind.as_str(), "share" | "measurement" | "stack"));
    let on_a_change = finding.item.as_ref().is_some_and(|item| is_changed(item, changes));
    finding.counts() && finding.severity == Severity::Error && on_a_change && measured
}

fn is_changed(item: &str, changes: &[ChangeResult]) -> bool {
    changes.iter().any(|change| change.item == item && change.kind != ChangeKind::Moved)
}
