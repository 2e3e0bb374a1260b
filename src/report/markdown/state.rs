//! `### Current State`: what was measured, what is wanted, what lies between.

use std::io::{self, Write};

use super::escape::{cell, code, text};
use super::{NOT_MEASURED, bullet, lacks_measurement};
use crate::analysis::{Analysis, BOTTLENECK, Command, MetricResult, Outcome, WorkloadResult};
use crate::figures;
use crate::profile::Engine;
use crate::report::objective::{Objective, Standing, objectives};
use crate::report::{order, untimed, view};

const SHOWN: usize = 10;

pub(super) fn write(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "- Metric: {}", metric(analysis))?;
    writeln!(out, "- Target: {}", target(analysis))?;
    writeln!(out, "- Gap: {}", gap(analysis))?;
    if analysis.command != Command::Baseline {
        bullet(out, &view::verdict_line(analysis))?;
    }
    let elsewhere = analysis.environment.engine == Engine::Imported.name();
    if let Some(base) = analysis.base.as_ref().filter(|_| elsewhere) {
        bullet(out, &format!("Profile: {}", base.evidence))?;
    }
    for warning in &analysis.environment.warnings {
        bullet(out, &format!("Limit: {warning}"))?;
    }
    targets(analysis, out)?;
    if lacks_measurement(analysis) {
        return Ok(());
    }
    writeln!(out)?;
    table(analysis, out)
}

fn metric(analysis: &Analysis) -> String {
    if let Some(objective) = focus(analysis) {
        let what = format!("{} of {}", code(&objective.slo.metric), code(&objective.workload.id));
        let clock = objective.slo.clock.as_ref().map(|clock| format!(", {clock} clock")).unwrap_or_default();
        let before = objective.base().map(|base| format!("{base} → ")).unwrap_or_default();
        return format!("{what}: {before}{}{clock}", objective.value().unwrap_or_else(|| NOT_MEASURED.into()));
    }
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

fn target(analysis: &Analysis) -> String {
    if let Some(objective) = focus(analysis) {
        return text(&objective.target());
    }
    let set = if objectives(analysis).is_empty() { "no SLO is configured" } else { "it has no SLO; those of others are below" };
    match analysis.command {
        Command::Baseline => format!("not set ({set})"),
        Command::Verify | Command::Check => format!("no slower than base ({set})"),
    }
}

fn gap(analysis: &Analysis) -> String {
    if let Some(objective) = focus(analysis) {
        let verdict = text(&objective.verdict());
        return match objective.gap() {
            Some(gap) => format!("{gap} ({verdict}; a number of this machine, now)"),
            None => format!("{NOT_MEASURED} ({verdict})"),
        };
    }
    if let Some(change) = worst(analysis).filter(|_| analysis.command != Command::Baseline).and_then(untimed::change) {
        return format!("not known: {change} instructions, and no time");
    }
    let change = worst(analysis).and_then(WorkloadResult::primary).filter(|_| analysis.command != Command::Baseline);
    let Some(change) = change.and_then(|metric| view::change(metric).map(|change| (change, metric.outcome))) else {
        return if analysis.command == Command::Baseline { "none to state without a target".into() } else { NOT_MEASURED.into() };
    };
    match change {
        (change, Outcome::Slower) => format!("{change} (slower)"),
        (change, Outcome::Inconclusive | Outcome::NotMeasured | Outcome::NotJudged) => format!("cannot be told: {change}"),
        (change, outcome) => format!("none: {change} ({})", view::outcome(outcome)),
    }
}

/// The objective that the first lines speak of: the worst one, unless a regression elsewhere matters more.
fn focus(analysis: &Analysis) -> Option<Objective<'_>> {
    let first = objectives(analysis).into_iter().next()?;
    let elsewhere = worst(analysis).is_some_and(|worst| worst.id != first.workload.id && worst.outcome == Outcome::Slower);
    (first.standing == Standing::Broken || !elsewhere).then_some(first)
}

/// Every objective, when there are several.
fn targets(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    let all = objectives(analysis);
    if all.is_empty() || (all.len() == 1 && focus(analysis).is_some()) {
        return Ok(());
    }
    writeln!(out, "\n| workload | target | base | here and now | gap | |\n|---|---|---|---|---|---|")?;
    for objective in all.iter().take(SHOWN) {
        let known = |value: Option<String>| value.unwrap_or_else(|| NOT_MEASURED.to_owned());
        let cells = [
            cell(&objective.workload.id),
            cell(&format!("{} {}", objective.slo.metric, objective.target())),
            objective.base().unwrap_or_else(|| "-".into()),
            known(objective.value()),
            objective.gap().unwrap_or_else(|| "-".into()),
            text(&objective.verdict().replace('|', "¦")),
        ];
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    if all.len() > SHOWN {
        writeln!(out, "\n{} more targets are in the JSON report.", all.len() - SHOWN)?;
    }
    Ok(())
}

/// The workload that matters most: the worst regression, else the first one that was measured.
fn worst(analysis: &Analysis) -> Option<&WorkloadResult> {
    let shown = view::shown_workloads(analysis);
    let measured = |workload: &&WorkloadResult| workload.primary().is_some_and(|metric| metric.base.is_some());
    shown.into_iter().find(measured).or_else(|| analysis.workloads.iter().find(measured))
}

fn table(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "| workload | metric | base | head | change | outcome |\n|---|---|---|---|---|---|")?;
    let all = order::ordered(analysis, SHOWN);
    for workload in all.iter().take(SHOWN) {
        if workload.metrics.is_empty() {
            let reason = workload.reason.as_ref().map(|reason| format!(" ({})", text(reason))).unwrap_or_default();
            let outcome = format!("{}{reason}", view::outcome(workload.outcome));
            writeln!(out, "| {} | - | {NOT_MEASURED} | {NOT_MEASURED} | - | {outcome} |", cell(&workload.id))?;
        }
        for metric in view::telling_metrics(workload) {
            writeln!(out, "{}", row(analysis.command, workload, metric))?;
        }
    }
    let remarks: Vec<String> = all.iter().take(SHOWN).filter_map(|workload| remark(workload)).collect();
    if !remarks.is_empty() {
        writeln!(out)?;
    }
    for remark in remarks {
        bullet(out, &remark)?;
    }
    if all.len() > SHOWN {
        writeln!(out, "\n{} more workloads are in the JSON report.", all.len() - SHOWN)?;
    }
    further(&all, out)
}

/// What stands behind the outcomes: the repetition, and counted instructions.
fn further(workloads: &[&WorkloadResult], out: &mut dyn Write) -> io::Result<()> {
    let said = |workload: &&WorkloadResult| {
        let texts = [view::confirmation(workload), view::witness(workload).map(str::to_owned)];
        let texts: Vec<String> = texts.into_iter().flatten().map(|said| text(&said)).collect();
        (!texts.is_empty()).then(|| format!("- {}: {}", code(&workload.id), texts.join("; ")))
    };
    let lines: Vec<String> = workloads.iter().take(SHOWN).filter_map(said).collect();
    if lines.is_empty() { Ok(()) } else { writeln!(out, "\n{}", lines.join("\n")) }
}

/// Which clock a workload was measured with, what would have shown, and what could not be measured.
fn remark(workload: &WorkloadResult) -> Option<String> {
    let clock = workload.clock.as_ref().filter(|_| !workload.metrics.is_empty())?;
    let spread = workload.spread.map(|spread| format!(" (processes spread {})", figures::share(spread))).unwrap_or_default();
    let sees =
        workload.smallest_detectable.map(|change| format!("; a change of {} or more would show{spread}", figures::share(change)));
    let missing: Vec<String> = workload
        .unmeasured
        .iter()
        .filter(|(name, _)| *name != BOTTLENECK)
        .map(|(name, why)| format!("; {name}: not measured: {why}"))
        .collect();
    Some(format!(
        "`{}`: {} clock, because {}{}{}",
        workload.id,
        clock.clock,
        clock.reason,
        sees.unwrap_or_default(),
        missing.concat()
    ))
}

fn row(command: Command, workload: &WorkloadResult, metric: &MetricResult) -> String {
    let side = |value: Option<f64>| value.map_or_else(|| NOT_MEASURED.to_owned(), |value| figures::quantity(value, &metric.unit));
    let one_side = command == Command::Baseline;
    let cells = [
        cell(&workload.id),
        cell(&metric.name),
        side(metric.base),
        if one_side { "-".into() } else { side(metric.head) },
        view::change(metric).or_else(|| untimed::change(workload)).unwrap_or_else(|| "-".into()),
        match metric.outcome {
            _ if one_side => metric.note.as_deref().map_or_else(|| "-".into(), text),
            // The numbers are there; what the harness lets a whole process do says nothing about the change.
            Outcome::NotMeasured | Outcome::NotJudged if metric.head.is_some() => match &metric.note {
                Some(note) => format!("not judged ({})", text(note)),
                None => "not judged".into(),
            },
            Outcome::Inconclusive if workload.noise && workload.primary() == Some(metric) => view::outcome_of(workload).into(),
            outcome => view::outcome(outcome).into(),
        },
    ];
    format!("| {} |", cells.join(" | "))
}
