//! `PE-101`.

use super::{BaseEvidence, Case};
use crate::analysis::{Heat, Outcome, Severity, WorkloadResult};
use crate::report::samples;

const BASE: &str = "fn parse_row(x: &[u8]) -> Vec<u8> {\n    x.to_vec().clone()\n}\n";
const HEAD: &str = "fn parse_row(x: &[u8]) -> Vec<u8> {\n    x.to_vec()\n}\n";

fn optimized(heat: Heat) -> Case {
    Case::new().function("parse_row", Some(BASE), Some(HEAD), heat)
}

fn with_claim(subject: &str) -> Case {
    optimized(Heat::Hot).commit(subject, "", &["src/parse_row.rs"])
}

fn load(outcome: Outcome, interval: (f64, f64, f64)) -> WorkloadResult {
    samples::reached("bench/load", outcome, 1e6, interval, &["app::parse_row"])
}

#[test]
fn an_optimization_that_no_workload_reaches_is_a_warning() {
    let case = optimized(Heat::Unmeasured).commit("perf: speed up csv parse", "", &["src/parse_row.rs"]);
    let finding = case.workload(samples::workload("bench/a")).only();
    assert_eq!((finding.rule.as_str(), finding.severity), ("PE-101", Severity::Warning));
    assert_eq!(
        finding.message,
        "`app::parse_row` was optimized without a baseline: \"perf: speed up csv parse\" (0a1b2c3); \
         no measurement reaches it (no workload executes it)"
    );
    assert!(finding.fix.contains("add a benchmark"), "{}", finding.fix);
}

#[test]
fn a_missing_or_stale_baseline_is_said() {
    let intent = || with_claim("perf: avoid clone");
    let missing = intent().evidence(BaseEvidence::Missing).only();
    assert!(missing.message.contains("no measurement from before"), "{}", missing.message);
    let stale = intent().evidence(BaseEvidence::Stale(vec!["rustc 1.94.0, now 1.95.0".into()])).only();
    assert!(stale.message.contains("rustc 1.94.0"), "{}", stale.message);
    assert_eq!(stale.severity, Severity::Warning);
}

#[test]
fn a_measured_function_needs_no_finding() {
    with_claim("perf: avoid clone in parse_row").silent();
    optimized(Heat::Unmeasured).commit("Simplify parse_row", "", &["src/parse_row.rs"]).silent();
    optimized(Heat::Unmeasured).commit("Revert \"perf: clone in parse_row\"", "", &["src/parse_row.rs"]).silent();
}

#[test]
fn only_commits_that_touch_the_file_count() {
    optimized(Heat::Unmeasured).commit("perf: avoid clone", "", &["src/other.rs"]).silent();
}

#[test]
fn the_function_that_the_message_names_is_the_one_meant() {
    let case = with_claim("perf: make rare_case faster").item(
        "rare_case",
        "src/parse_row.rs",
        Some(BASE),
        Some(HEAD),
        Heat::Unmeasured,
        |_| (1, 3),
    );
    assert_eq!(case.only().item.as_deref(), Some("app::rare_case"));
}

#[test]
fn a_claim_that_the_measurement_contradicts_is_an_error() {
    let finding = with_claim("parse_row is 2x faster").workload(load(Outcome::Same, (1.01, 0.98, 1.03))).only();
    assert_eq!(finding.severity, Severity::Error);
    assert_eq!(
        finding.message,
        "claimed 2x faster, measured 0.99x [0.97, 1.02] in `bench/load`: the change to `app::parse_row` does not keep it (0a1b2c3)"
    );
    assert_eq!(finding.evidence.first().unwrap().kind, "measurement");
}

#[test]
fn a_percentage_is_answered_with_a_percentage() {
    let finding = with_claim("parse_row takes 30 % less time").workload(load(Outcome::Same, (1.0, 0.99, 1.01))).only();
    assert!(finding.message.starts_with("claimed 30 % less time, measured +0.0 % [-1.0, +1.0] time"), "{}", finding.message);
}

#[test]
fn a_claim_that_holds_is_noted() {
    let finding = with_claim("parse_row is 2x faster").workload(load(Outcome::Faster, (0.8, 0.78, 0.82))).only();
    assert_eq!(finding.severity, Severity::Info, "{}", finding.message);
    assert!(finding.message.contains("this fits the claim, as `app::parse_row` holds 40 % of it"), "{}", finding.message);
}

#[test]
fn a_claim_below_what_can_be_told_is_not_contradicted() {
    let finding = with_claim("parse_row is 3 % faster").workload(load(Outcome::Same, (1.0, 0.985, 1.015))).only();
    assert_eq!(finding.severity, Severity::Info);
    assert!(finding.message.contains("cannot tell"), "{}", finding.message);
}

#[test]
fn another_commit_on_the_same_file_caps_a_contradiction_at_warning() {
    let case = with_claim("parse_row is 2x faster").commit("Add checks", "", &["src/parse_row.rs"]);
    assert_eq!(case.workload(load(Outcome::Same, (1.0, 0.98, 1.02))).only().severity, Severity::Warning);
}

#[test]
fn the_best_workload_decides_about_a_claim() {
    let mut other = samples::reached("bench/small", Outcome::Same, 1e3, (1.0, 0.99, 1.01), &["app::parse_row"]);
    other.hot_path = vec![samples::hot("app::parse_row", 0.5, 0.9)];
    let case = with_claim("parse_row is 2x faster").workload(other).workload(load(Outcome::Faster, (0.7, 0.68, 0.72)));
    assert!(case.only().message.contains("bench/load"));
}

#[test]
fn a_claim_about_a_workload_that_the_function_is_not_in_is_not_checked() {
    let unrelated = samples::measured("bench/else", Outcome::Same, 1e6, (1.0, 0.99, 1.01));
    with_claim("parse_row is 2x faster").workload(unrelated).silent();
}

#[test]
fn what_a_message_says_of_something_else_is_no_promise() {
    for (subject, body) in [
        ("Tidy parse_row", "The old code was 30 % faster but wrong."),
        ("Tidy parse_row", "Note that crate foo would be 3x faster, but we do not use it."),
        ("Add a guard; until now users could get a 2x speedup by accident", ""),
    ] {
        let case = optimized(Heat::Hot).commit(subject, body, &["src/parse_row.rs"]);
        case.workload(load(Outcome::Same, (1.0, 0.99, 1.01))).silent();
    }
}

#[test]
fn a_promise_about_another_function_accuses_nobody() {
    let info = with_claim("perf: hash is now 5x faster").workload(load(Outcome::Same, (1.0, 0.99, 1.01))).only();
    assert_eq!(info.severity, Severity::Info);
    assert!(info.message.contains("the claim speaks of \"hash\", the change is to `app::parse_row`"), "{}", info.message);
    let mut known = load(Outcome::Same, (1.0, 0.99, 1.01));
    known.hot_path = vec![samples::hot("app::hash", 0.5, 0.9)];
    with_claim("perf: hash is now 5x faster").workload(known).silent();
}

#[test]
fn a_promise_about_some_input_is_not_contradicted() {
    let finding = with_claim("parse_row is 2x faster on long rows").workload(load(Outcome::Same, (1.0, 0.99, 1.01))).only();
    assert_eq!(finding.severity, Severity::Info);
}

#[test]
fn a_best_case_that_does_not_show_is_a_warning() {
    let finding = with_claim("parse_row is up to 2x faster").workload(load(Outcome::Same, (1.0, 0.99, 1.01))).only();
    assert_eq!(finding.severity, Severity::Warning);
}

#[test]
fn identical_machine_code_contradicts_a_promise() {
    let same = || WorkloadResult { outcome: Outcome::Same, ..samples::workload("bench/load") };
    let finding = with_claim("perf: make parse_row 10x faster").workload(same()).only();
    assert_eq!(finding.severity, Severity::Error);
    assert!(
        finding.message.starts_with("claimed 10x faster, measured identical machine code in `bench/load`"),
        "{}",
        finding.message
    );
    assert_eq!(finding.evidence.first().unwrap().kind, "identical machine code");
    // A benchmark that the function is not in proves nothing of it.
    let other = WorkloadResult { outcome: Outcome::Same, ..samples::workload("bench/else") };
    with_claim("perf: make parse_row 10x faster").workload(other).silent();
}

#[test]
fn code_that_this_build_may_leave_out_caps_a_contradiction_at_warning() {
    let head = "fn parse_row(x: &[u8]) -> Vec<u8> {\n    #[cfg(feature = \"simd\")]\n    return fast(x);\n    x.to_vec()\n}\n";
    let case = Case::new().function("parse_row", Some(BASE), Some(head), Heat::Hot);
    let case = case.commit("parse_row is 2x faster", "", &["src/parse_row.rs"]);
    assert_eq!(case.workload(load(Outcome::Same, (1.0, 0.99, 1.01))).only().severity, Severity::Warning);
}

#[test]
fn tokens_alone_are_never_more_than_an_info() {
    let head = "#[inline(always)]\nfn parse_row(x: &[u8]) -> u8 {\n    unsafe { *x.get_unchecked(1) }\n}\n";
    let case =
        Case::new().function("parse_row", Some(BASE), Some(head), Heat::Unmeasured).commit("cleanup", "", &["src/parse_row.rs"]);
    let finding = case.only();
    assert_eq!((finding.rule.as_str(), finding.severity), ("PE-101", Severity::Info));
}

#[test]
fn a_better_algorithm_is_only_worth_knowing() {
    let base = "fn uniq(x: &[u8]) {\n    for a in x {\n        for b in x { f(a, b) }\n    }\n}\n";
    let head = "fn uniq(x: &[u8]) {\n    for a in x { f(a) }\n}\n";
    let case =
        Case::new().function("uniq", Some(base), Some(head), Heat::Unmeasured).commit("perf: linear uniq", "", &["src/uniq.rs"]);
    assert_eq!(case.only().severity, Severity::Info);
}
