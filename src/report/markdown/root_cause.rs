//! `### Root Cause`: exact items and files.

use std::io::{self, Write};

use super::escape::{code, text};
use super::{NOT_MEASURED, advice, lacks_measurement, lacks_profile, list};
use crate::analysis::{Analysis, ChangeResult, Command, Finding, WorkloadResult};
use crate::report::{growth, order, view, waiting};

pub(super) fn write(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    let regressions = view::regressions(analysis).into_iter().map(|workload| regression(analysis, workload));
    let (findings, _) = view::findings(analysis);
    let causes: Vec<String> = regressions.chain(findings.into_iter().map(finding)).collect();
    if causes.is_empty() {
        writeln!(out, "{}", nothing(analysis))?;
    }
    list(out, &causes, false)?;
    owners(analysis, out)?;
    grown(analysis, out)?;
    changes(analysis, out)?;
    advice::causes(analysis, out)
}

/// Workloads whose owners are listed.
const WORKLOADS: usize = 3;
/// Places that grew, per workload.
const GROWN: usize = 5;

fn owners(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    let all = order::ordered(analysis, WORKLOADS);
    for workload in all.into_iter().filter(|workload| !workload.owners.is_empty()).take(WORKLOADS) {
        writeln!(out, "\nWho the time of {} belongs to:\n", code(&workload.id))?;
        for owner in &workload.owners {
            let place = code(&format!("{}:{}", owner.file, owner.line));
            writeln!(out, "- {} ({place}) {}", code(&owner.item), text(&growth::share(owner)))?;
            if let Some(stack) = growth::stack(owner) {
                let share = growth::stack_share(owner).map(|share| format!("{share}: ")).unwrap_or_default();
                writeln!(out, "  - {}", text(&format!("{share}{stack}")))?;
            }
        }
    }
    Ok(())
}

fn grown(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    for workload in view::shown_workloads(analysis) {
        let lines: Vec<String> = growth::lines(workload, GROWN).into_iter().chain(waiting::lines(workload, GROWN)).collect();
        if !lines.is_empty() {
            writeln!(out, "\nWhat differs in {}:\n", code(&workload.id))?;
            list(out, &lines, false)?;
        }
    }
    Ok(())
}

fn regression(analysis: &Analysis, workload: &WorkloadResult) -> String {
    let cause = view::explaining(analysis, workload).map(|item| {
        let line = view::line_of(item).map(|line| format!(":{line}")).unwrap_or_default();
        let here = item.workload.as_deref() == Some(&workload.id);
        let share = view::share(item).filter(|_| here).map(|share| format!(", {share} of the samples")).unwrap_or_default();
        format!("; the changed `{}` (`{}{line}`) is on its stacks{share}", item.item, item.file)
    });
    format!("{}{}", view::regression(workload), cause.unwrap_or_default())
}

fn finding(finding: &Finding) -> String {
    let place = finding.file.as_ref().map(|file| match finding.line {
        Some(line) => format!(" (`{file}:{line}`)"),
        None => format!(" (`{file}`)"),
    });
    let severity = view::severity(finding.severity);
    format!("{severity} {}: {}{}", finding.rule, finding.message, place.unwrap_or_default())
}

fn nothing(analysis: &Analysis) -> String {
    match analysis.command {
        Command::Baseline => "No change was examined: a baseline describes one side.".into(),
        _ if lacks_measurement(analysis) && lacks_profile(analysis) => format!("{NOT_MEASURED}."),
        Command::Verify => format!("No confident regression is explained by the change, and {}.", quiet(analysis)),
        Command::Check => format!("Whether anything got slower was not measured, and {}.", quiet(analysis)),
    }
}

/// What the rules have to say when none of it counts.
fn quiet(analysis: &Analysis) -> String {
    match analysis.findings.len() {
        0 => "no rule fired".into(),
        _ => format!("no finding counts ({} suppressed or there before)", analysis.findings.len()),
    }
}

fn changes(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    let changes = view::shown_changes(analysis);
    if changes.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nChanged items:\n")?;
    let entries: Vec<String> = changes.into_iter().map(change).collect();
    list(out, &entries, false)
}

fn change(change: &ChangeResult) -> String {
    let heat = change.heat.map_or("ambient, may affect anything", view::heat);
    let share = match (view::share(change), &change.heat_reason) {
        (Some(share), reason) => {
            let doubt = reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            format!(" {share} of `{}`{doubt}", change.workload.as_deref().unwrap_or("all workloads"))
        }
        (None, Some(reason)) => format!(" ({reason})"),
        (None, None) => change.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default(),
    };
    format!("`{}`: {heat}{share}", change.item)
}
