//! `### Current State`: what was measured, what is wanted, what lies between.

use std::io::{self, Write};

use super::escape::{cell, code, text};
use super::{NOT_MEASURED, bullet, lacks_measurement};
use crate::analysis::{Analysis, Command, MetricResult, Outcome, WorkloadResult};
use crate::figures;
use crate::report::view;

const SHOWN: usize = 10;

pub(super) fn write(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "- Metric: {}", metric(analysis))?;
    writeln!(out, "- Target: {}", target(analysis))?;
    writeln!(out, "- Gap: {}", gap(analysis))?;
    if analysis.command != Command::Baseline {
        bullet(out, &view::verdict_line(analysis))?;
    }
    for warning in &analysis.environment.warnings {
        bullet(out, &format!("Limit: {warning}"))?;
    }
    if lacks_measurement(analysis) {
        return Ok(());
    }
    writeln!(out)?;
    table(analysis, out)
}

fn metric(analysis: &Analysis) -> String {
    let Some(worst) = worst(analysis) else { return NOT_MEASURED.into() };
    let Some(metric) = worst.primary() else { return NOT_MEASURED.into() };
    let side = |value: Option<f64>| value.map_or_else(|| NOT_MEASURED.to_owned(), |value| figures::quantity(value, &metric.unit));
    let clock = metric.clock.as_ref().map(|clock| format!(", {clock} clock")).unwrap_or_default();
    let what = format!("{} of {}", code(&metric.name), code(&worst.id));
    if analysis.command == Command::Baseline {
        format!("{what}: {}{clock}", side(metric.base))
    } else {
        format!("{what}: {} → {}{clock}", side(metric.base), side(metric.head))
    }
}

fn target(analysis: &Analysis) -> &'static str {
    match analysis.command {
        Command::Baseline => "not set (no SLO is configured)",
        Command::Verify | Command::Check => "no slower than base (no SLO is configured)",
    }
}

fn gap(analysis: &Analysis) -> String {
    let change = worst(analysis).and_then(WorkloadResult::primary).filter(|_| analysis.command != Command::Baseline);
    let Some(change) = change.and_then(|metric| view::change(metric).map(|change| (change, metric.outcome))) else {
        return if analysis.command == Command::Baseline { "none to state without a target".into() } else { NOT_MEASURED.into() };
    };
    match change {
        (change, Outcome::Slower) => format!("{change} (slower)"),
        (change, Outcome::Inconclusive | Outcome::NotMeasured) => format!("cannot be told: {change}"),
        (change, outcome) => format!("none: {change} ({})", view::outcome(outcome)),
    }
}

/// The workload that matters most: the worst regression, else the first one that was measured.
fn worst(analysis: &Analysis) -> Option<&WorkloadResult> {
    let shown = view::shown_workloads(analysis);
    let measured = |workload: &&WorkloadResult| workload.primary().is_some_and(|metric| metric.base.is_some());
    shown.into_iter().find(measured).or_else(|| analysis.workloads.iter().find(measured))
}

fn table(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "| workload | metric | base | head | change | outcome |\n|---|---|---|---|---|---|")?;
    let shown = view::shown_workloads(analysis);
    let rest = analysis.workloads.iter().filter(|workload| !shown.iter().any(|w| w.id == workload.id));
    let all: Vec<&WorkloadResult> = shown.iter().copied().chain(rest).collect();
    for workload in all.iter().take(SHOWN) {
        if workload.metrics.is_empty() {
            let reason = workload.reason.as_ref().map(|reason| format!(" ({})", text(reason))).unwrap_or_default();
            let outcome = format!("{}{reason}", view::outcome(workload.outcome));
            writeln!(out, "| {} | - | {NOT_MEASURED} | {NOT_MEASURED} | - | {outcome} |", cell(&workload.id))?;
        }
        for metric in &workload.metrics {
            writeln!(out, "{}", row(analysis.command, workload, metric))?;
        }
    }
    if all.len() > SHOWN {
        writeln!(out, "\n{} more workloads are in the JSON report.", all.len() - SHOWN)?;
    }
    Ok(())
}

fn row(command: Command, workload: &WorkloadResult, metric: &MetricResult) -> String {
    let side = |value: Option<f64>| value.map_or_else(|| NOT_MEASURED.to_owned(), |value| figures::quantity(value, &metric.unit));
    let one_side = command == Command::Baseline;
    let cells = [
        cell(&workload.id),
        cell(&metric.name),
        side(metric.base),
        if one_side { "-".into() } else { side(metric.head) },
        view::change(metric).unwrap_or_else(|| "-".into()),
        match metric.outcome {
            _ if one_side => metric.note.as_deref().map_or_else(|| "-".into(), text),
            // The numbers are there; what the harness lets a whole process do says nothing about the change.
            Outcome::NotMeasured if metric.head.is_some() => match &metric.note {
                Some(note) => format!("not judged ({})", text(note)),
                None => "not judged".into(),
            },
            outcome => view::outcome(outcome).into(),
        },
    ];
    format!("| {} |", cells.join(" | "))
}
