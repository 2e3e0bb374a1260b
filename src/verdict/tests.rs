//! The promise: a failing verdict always rests on a changed item plus measured evidence.

use proptest::prelude::*;

use super::*;
use crate::analysis::{Heat, TestStatus};
use crate::report::samples;

const SLOWER: (f64, f64, f64) = (1.08, 1.06, 1.1);

struct Run {
    command: Command,
    workloads: Vec<WorkloadResult>,
    changes: Vec<ChangeResult>,
    findings: Vec<Finding>,
    tests: Tests,
}

fn run() -> Run {
    let changes = ["parse::lexer::next", "parse::config::load"];
    Run {
        command: Command::Verify,
        workloads: Vec::new(),
        changes: changes.map(|item| samples::heated(item, Heat::Hot, (0.4, 0.37, 0.43), "hot")).into(),
        findings: Vec::new(),
        tests: samples::analysis(Command::Verify).tests,
    }
}

impl Run {
    fn judge(&self, policy: &Policy) -> Judgement {
        let evidence = Evidence {
            command: self.command,
            workloads: &self.workloads,
            changes: &self.changes,
            findings: &self.findings,
            tests: &self.tests,
        };
        judge(&evidence, policy)
    }

    fn verdict(&self) -> (Verdict, Exit) {
        let judgement = self.judge(&Policy::default());
        (judgement.verdict, judgement.exit)
    }
}

fn regression() -> WorkloadResult {
    samples::reached("hot", Outcome::Slower, 1e6, SLOWER, &["parse::lexer::next"])
}

#[test]
fn an_explained_regression_fails() {
    let judgement = Run { workloads: vec![regression()], ..run() }.judge(&Policy::default());
    assert_eq!((judgement.verdict, judgement.exit), (Verdict::Fail, Exit::Failed));
    assert_eq!(judgement.reasons, ["`hot` is slower: +8.0 % [+6.0, +10.0], explained by `parse::lexer::next`"]);
}

#[test]
fn an_unexplained_regression_is_only_noted_unless_asked() {
    let unexplained = WorkloadResult { explained: Some(false), explained_by: vec![], ..regression() };
    let run = Run { workloads: vec![unexplained], ..run() };
    assert_eq!(run.verdict(), (Verdict::Pass, Exit::Pass));
    let reasons = run.judge(&Policy::default()).reasons;
    assert_eq!(
        reasons,
        [
            "`hot` is slower: +8.0 % [+6.0, +10.0], not explained by the change: layout, the machine, or code that has no stack of its own"
        ]
    );
    let strict = Policy::new(&[FailOn::Unexplained], OnInconclusive::Pass);
    assert_eq!(run.judge(&strict).verdict, Verdict::Fail);
}

#[test]
fn a_regression_explained_by_something_that_did_not_change_does_not_fail() {
    let mut run = Run { workloads: vec![regression()], ..run() };
    run.changes.remove(0);
    assert_eq!(run.verdict().0, Verdict::Pass);
}

#[test]
fn an_error_finding_fails_only_when_it_counts_and_has_evidence() {
    let error = samples::finding(Severity::Error);
    let with = |finding: Finding| Run { findings: vec![finding], ..run() }.verdict().0;
    assert_eq!(with(error.clone()), Verdict::Fail);
    assert_eq!(with(Finding { suppressed: Some("r".into()), ..error.clone() }), Verdict::Pass);
    assert_eq!(with(Finding { preexisting: true, ..error.clone() }), Verdict::Pass);
    assert_eq!(with(Finding { evidence: vec![], ..error.clone() }), Verdict::Pass);
    assert_eq!(with(Finding { item: Some("parse::unchanged".into()), ..error }), Verdict::Pass);
    assert_eq!(with(samples::finding(Severity::Warning)), Verdict::Pass);
}

#[test]
fn warnings_fail_when_asked() {
    let run = Run { findings: vec![samples::finding(Severity::Warning)], ..run() };
    assert_eq!(run.judge(&Policy::new(&[FailOn::Warning], OnInconclusive::Pass)).exit, Exit::Failed);
    assert_eq!(run.judge(&Policy::new(&[FailOn::None], OnInconclusive::Pass)).exit, Exit::Pass);
}

#[test]
fn new_test_failures_and_broken_workloads_fail() {
    let mut tests = run().tests;
    tests.status = TestStatus::Failed;
    assert_eq!(Run { tests: tests.clone(), ..run() }.verdict().0, Verdict::Pass, "they failed before");
    tests.newly_failing = vec!["parse::round_trips".into()];
    assert_eq!(Run { tests, ..run() }.verdict().0, Verdict::Fail);
    let broken = WorkloadResult { broken: Some("exit status: 3".into()), ..samples::workload("hot") };
    assert_eq!(Run { workloads: vec![broken], ..run() }.verdict().0, Verdict::Fail);
}

/// Slower than its target by the change, though the regression itself is not what fails here.
fn missed() -> WorkloadResult {
    let violated = samples::objective("latency.p50", "20ms", (18e6, 23.4e6), (Some(true), Some(false)));
    let slo = vec![SloResult { explained: Some(true), ..violated }];
    WorkloadResult { slo, ..samples::reached("hot", Outcome::Slower, 18e6, (1.3, 1.28, 1.32), &["parse::lexer::next"]) }
}

fn only_slo(workload: WorkloadResult) -> Judgement {
    Run { workloads: vec![workload], ..run() }.judge(&Policy::new(&[FailOn::Slo], OnInconclusive::Pass))
}

#[test]
fn a_target_that_base_met_and_a_changed_item_breaks_fails() {
    let judgement = only_slo(missed());
    assert_eq!(judgement.exit, Exit::Failed);
    assert_eq!(
        judgement.reasons,
        ["`hot` misses its target, latency.p50 at most 20ms: 23.40 ms [23.17 ms, 23.63 ms] here and now, base met it with \
             18.00 ms, explained by `parse::lexer::next`"]
    );
    let default = Run { workloads: vec![missed()], ..run() }.judge(&Policy::default());
    assert!(default.reasons.iter().any(|reason| reason.contains("misses its target")), "on by default: {:?}", default.reasons);
}

#[test]
fn a_target_fails_nothing_unless_every_condition_holds() {
    let with = |change: &dyn Fn(&mut WorkloadResult)| {
        let mut workload = missed();
        change(&mut workload);
        only_slo(workload).verdict
    };
    assert_eq!(with(&|_| {}), Verdict::Fail);
    assert_eq!(with(&|w| w.slo[0].met_at_base = Some(false)), Verdict::Pass, "violated on both sides");
    assert_eq!(with(&|w| w.slo[0].met_at_base = None), Verdict::Pass, "base cannot be told");
    assert_eq!(with(&|w| w.slo[0].met_at_head = None), Verdict::Pass, "head cannot be told");
    assert_eq!(with(&|w| w.slo[0].met_at_head = Some(true)), Verdict::Pass, "met");
    assert_eq!(with(&|w| w.slo[0].low = None), Verdict::Pass, "not measured");
    assert_eq!(with(&|w| w.slo[0].low = Some(19e6)), Verdict::Pass, "the interval is not beyond it");
    assert_eq!(with(&|w| w.slo[0].explained = Some(false)), Verdict::Pass, "not explained");
    assert_eq!(with(&|w| w.explained_by = vec!["parse::unchanged".into()]), Verdict::Pass, "nothing on its stacks changed");
    assert_eq!(with(&|w| w.negative_control = true), Verdict::Pass);
    let off = Run { workloads: vec![missed()], ..run() }.judge(&Policy::new(&[FailOn::Error], OnInconclusive::Pass));
    assert_eq!(off.verdict, Verdict::Pass, "not asked for");
}

#[test]
fn a_reached_workload_that_could_not_be_told_makes_the_run_inconclusive() {
    let unsure = samples::reached("hot", Outcome::Inconclusive, 1e6, (1.02, 0.98, 1.06), &["parse::lexer::next"]);
    let run = Run { workloads: vec![unsure], ..run() };
    assert_eq!(run.verdict(), (Verdict::Inconclusive, Exit::Pass));
    assert_eq!(run.judge(&Policy::new(&[], OnInconclusive::Fail)).exit, Exit::Inconclusive);
}

#[test]
fn a_workload_that_no_change_reaches_leaves_no_doubt() {
    let unreached = WorkloadResult { outcome: Outcome::Inconclusive, ..samples::workload("cold") };
    assert_eq!(Run { workloads: vec![unreached], ..run() }.verdict(), (Verdict::Pass, Exit::Pass));
}

#[test]
fn check_has_measured_nothing_and_doubts_nothing() {
    let reached = WorkloadResult { explained_by: vec!["parse::lexer::next".into()], ..samples::workload("hot") };
    assert_eq!(Run { command: Command::Check, workloads: vec![reached], ..run() }.verdict(), (Verdict::Pass, Exit::Pass));
}

#[test]
fn baseline_judges_nothing() {
    assert_eq!(Run { command: Command::Baseline, workloads: vec![regression()], ..run() }.verdict(), (Verdict::Pass, Exit::Pass));
}

fn any_workload() -> impl Strategy<Value = WorkloadResult> {
    let outcomes = [Outcome::Faster, Outcome::Slower, Outcome::Same, Outcome::Inconclusive, Outcome::NotMeasured];
    let items = ["parse::lexer::next", "parse::config::load", "parse::unchanged"];
    let ratio = (0.5_f64..2.0, 0.0_f64..0.3);
    (
        proptest::sample::select(outcomes.to_vec()),
        proptest::option::of(ratio),
        proptest::option::of(any::<bool>()),
        proptest::sample::subsequence(items.to_vec(), 0..=3),
        any::<bool>(),
    )
        .prop_map(|(outcome, ratio, explained, by, negative_control)| {
            let (ratio, half) = ratio.unwrap_or((f64::NAN, 0.0));
            let measured = samples::reached("w", outcome, 1e6, (ratio, ratio - half, ratio + half), &by);
            WorkloadResult { explained, negative_control, ..measured }
        })
        .prop_flat_map(|workload| (Just(workload), proptest::collection::vec(any_objective(), 0..2)))
        .prop_map(|(workload, slo)| WorkloadResult { slo, ..workload })
}

fn any_objective() -> impl Strategy<Value = SloResult> {
    let met = || proptest::option::of(any::<bool>());
    (met(), met(), met(), proptest::option::of(1e6_f64..4e7)).prop_map(|(at_base, at_head, explained, low)| {
        let one = samples::objective("latency.p50", "20ms", (18e6, 23e6), (at_base, at_head));
        SloResult { low, explained, ..one }
    })
}

fn any_finding() -> impl Strategy<Value = Finding> {
    let severities = [Severity::Info, Severity::Warning, Severity::Error];
    let items = [None, Some("parse::config::load"), Some("parse::unchanged")];
    let select = (proptest::sample::select(severities.to_vec()), proptest::sample::select(items.to_vec()));
    (select, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|((severity, item), bare, preexisting, suppressed)| {
        let mut finding = samples::finding(severity);
        finding.item = item.map(Into::into);
        finding.preexisting = preexisting;
        finding.suppressed = suppressed.then(|| "r".into());
        if bare {
            finding.evidence.retain(|evidence| evidence.kind == "token");
        }
        finding
    })
}

proptest! {
    #[test]
    fn a_failure_always_rests_on_a_changed_item_and_measured_evidence(
        mut workloads in proptest::collection::vec(any_workload(), 0..5),
        findings in proptest::collection::vec(any_finding(), 0..4),
        newly_failing in proptest::bool::weighted(0.1),
        controls in any::<bool>(),
    ) {
        if controls {
            settle(&mut workloads, 0.02);
        }
        let mut run = Run { workloads, findings, ..run() };
        if newly_failing {
            run.tests.newly_failing = vec!["t".into()];
        }
        if run.verdict().0 == Verdict::Fail && !newly_failing {
            let changed = |item: &String| run.changes.iter().any(|change| &change.item == item);
            let slower = run.workloads.iter().any(|w| {
                w.outcome == Outcome::Slower
                    && w.explained == Some(true)
                    && w.explained_by.iter().any(changed)
                    && w.primary().and_then(crate::analysis::MetricResult::interval).is_some_and(|(_, low, _)| low > 1.0)
            });
            let found = run.findings.iter().any(|f| {
                let measured = f.evidence.iter().any(|e| e.kind == "share");
                f.counts() && f.severity == Severity::Error && measured && f.item.as_ref().is_some_and(changed)
            });
            let missed = run.workloads.iter().any(|w| {
                let broken = |slo: &SloResult| {
                    slo.met_at_base == Some(true) && slo.explained == Some(true) && slo.low.is_some_and(|low| low > slo.target)
                };
                w.explained_by.iter().any(changed) && w.slo.iter().any(broken)
            });
            prop_assert!(slower || found || missed);
        }
    }

    #[test]
    fn an_empty_policy_never_fails(
        workloads in proptest::collection::vec(any_workload(), 0..5),
        findings in proptest::collection::vec(any_finding(), 0..4),
    ) {
        let judgement = Run { workloads, findings, ..run() }.judge(&Policy::new(&[FailOn::None], OnInconclusive::Pass));
        prop_assert_eq!(judgement.exit, Exit::Pass);
    }
}

#[test]
fn workloads_with_the_same_doubt_are_named_together() {
    let cut = |id: &str, reason: &str| WorkloadResult {
        reason: Some(reason.into()),
        ..samples::reached(id, Outcome::NotMeasured, 1e6, SLOWER, &["parse::lexer::next"])
    };
    let time = "not measured: the time limit came first";
    let workloads = vec![cut("a", time), cut("b", time), cut("c", time), cut("d", "it crashed")];
    let judgement = Run { workloads, ..run() }.judge(&Policy::default());
    assert_eq!(judgement.verdict, Verdict::Inconclusive);
    assert_eq!(
        judgement.reasons,
        [
            "`a`, `b` and 1 more are reached by the change and were not measured: the time limit came first",
            "`d` is reached by the change and was not measured: it crashed"
        ]
    );
}
