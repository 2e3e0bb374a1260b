//! `### Recommended Fix`, `### Implementation` and `### Verification Plan`: what to do, first things first.

use std::io::{self, Write};

use super::{NOT_MEASURED, advice, escape::text, lacks_profile, list};
use crate::analysis::{Analysis, Command, MetricResult, TestStatus};
use crate::figures;
use crate::report::view;

const GATHER: &str = "Gather profile/baseline: `cargo perf-expert baseline` (`cargo perf-expert list` says what would run).";

/// Numbered steps; without profiling data the first one is to gather it.
pub(super) fn recommended(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    let mut steps: Vec<String> = Vec::new();
    steps.extend(lacks_profile(analysis).then(|| GATHER.to_owned()));
    let (findings, _) = view::findings(analysis);
    steps.extend(view::regressions(analysis).into_iter().filter_map(|workload| {
        let item = view::explaining(analysis, workload)?;
        Some(format!("Win back `{}`: rework or revert the change to `{}`", workload.id, item.item))
    }));
    for finding in findings.iter().filter(|finding| !finding.fix.is_empty()) {
        let bound = finding.bound.map(|bound| format!(" (at most {} to gain)", figures::factor(bound.max_speedup)));
        steps.push(format!("{}: {}{}", finding.rule, finding.fix, bound.unwrap_or_default()));
    }
    steps.extend(advice::steps(analysis));
    steps.extend(analysis.next_steps.iter().cloned());
    steps.dedup();
    if steps.is_empty() {
        return writeln!(out, "Nothing to fix: no evidence asks for a change.");
    }
    list(out, &steps, true)
}

/// What is in the change, or what has to be done before anything is written.
pub(super) fn implementation(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    if lacks_profile(analysis) {
        writeln!(out, "Not started: no optimization without a profile. First: gather profile/baseline.\n")?;
    }
    let (findings, _) = view::findings(analysis);
    let mut places: Vec<String> = view::regressions(analysis)
        .into_iter()
        .filter_map(|workload| view::explaining(analysis, workload))
        .map(|item| place(&item.file, view::line_of(item), &item.item))
        .collect();
    places.extend(findings.iter().filter_map(|f| Some(place(f.file.as_deref()?, f.line, f.item.as_deref().unwrap_or(&f.rule)))));
    places.dedup();
    if places.is_empty() && !lacks_profile(analysis) && !advice::any(analysis) {
        return writeln!(out, "No edit is called for.");
    }
    list(out, &places, false)?;
    advice::edits(analysis, out)
}

fn place(file: &str, line: Option<u32>, item: &str) -> String {
    let line = line.map(|line| format!(":{line}")).unwrap_or_default();
    format!("`{file}{line}`: edit `{item}`")
}

/// How the next measurement is made comparable, and what it has to guard.
pub(super) fn verification(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    let base = analysis.base.as_ref().map(|base| base.commit.get(..12).unwrap_or(&base.commit));
    let command = match (analysis.command, base) {
        (Command::Baseline, _) | (_, None) => "cargo perf-expert verify".to_owned(),
        (_, Some(base)) => format!("cargo perf-expert verify --base {base}"),
    };
    writeln!(out, "- Same method and data: {} measures base and head side by side again.", text(&format!("`{command}`")))?;
    advice::checks(analysis, out)?;
    writeln!(out, "- Smallest change that would show: {}", detectable(analysis))?;
    writeln!(out, "- Correctness: {}", text(&correctness(analysis)))?;
    writeln!(out, "- Related paths: {}", text(&related(analysis)))?;
    writeln!(out, "- Resource side effects: {}", text(&resources(analysis)))
}

fn detectable(analysis: &Analysis) -> String {
    let smallest = analysis.workloads.iter().filter_map(|workload| workload.smallest_detectable);
    smallest
        .max_by(f64::total_cmp)
        .map_or_else(|| NOT_MEASURED.to_owned(), |change| format!("{} (in the noisiest workload)", figures::share(change)))
}

fn correctness(analysis: &Analysis) -> String {
    let tests = &analysis.tests;
    match tests.status {
        TestStatus::NotChecked if !tests.packages.is_empty() => format!("not checked: {}", tests.summary),
        TestStatus::NotChecked => format!("not checked yet ({}); run `cargo test`", tests.summary),
        TestStatus::Passed => format!("`cargo test` passed ({})", tests.summary),
        TestStatus::Failed => format!("`cargo test` failed ({})", tests.summary),
    }
}

fn related(analysis: &Analysis) -> String {
    let controls = analysis.workloads.iter().filter(|workload| workload.negative_control).count();
    let measured =
        analysis.workloads.iter().filter(|workload| workload.primary().and_then(MetricResult::interval).is_some()).count();
    if measured == 0 {
        return NOT_MEASURED.into();
    }
    format!(
        "{} measured on both sides, {} of them as negative controls; skipped: {}",
        figures::counted(measured, "workload"),
        controls,
        analysis.skipped.len()
    )
}

/// Everything but the primary metric that was measured on both sides.
fn resources(analysis: &Analysis) -> String {
    let metrics = analysis
        .workloads
        .iter()
        .flat_map(|workload| view::telling_metrics(workload).skip(1).map(move |metric| (workload, metric)));
    let measured: Vec<String> = metrics
        .filter_map(|(workload, metric)| Some(format!("{} of `{}` {}", metric.name, workload.id, view::change(metric)?)))
        .take(6)
        .collect();
    if measured.is_empty() { NOT_MEASURED.into() } else { measured.join("; ") }
}
