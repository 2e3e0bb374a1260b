//! `### Root Cause`: exact items and files.

use std::io::{self, Write};

use super::{NOT_MEASURED, bullet, lacks_measurement, lacks_profile};
use crate::analysis::{Analysis, Command};
use crate::report::view;

const SHOWN: usize = 10;

pub(super) fn write(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    let regressions = view::regressions(analysis);
    for workload in &regressions {
        let item = view::explaining(analysis, workload);
        let cause = item.map(|item| {
            let line = view::line_of(item).map(|line| format!(":{line}")).unwrap_or_default();
            let share = view::share(item).map(|share| format!(", {share} of the samples")).unwrap_or_default();
            format!("; the changed `{}` (`{}{line}`) is on its stacks{share}", item.item, item.file)
        });
        bullet(out, &format!("{}{}", view::regression(workload), cause.unwrap_or_default()))?;
    }
    let (findings, _) = view::findings(analysis);
    for finding in findings.iter().take(SHOWN) {
        let place = finding.file.as_ref().map(|file| match finding.line {
            Some(line) => format!(" (`{file}:{line}`)"),
            None => format!(" (`{file}`)"),
        });
        let severity = view::severity(finding.severity);
        bullet(out, &format!("{severity} {}: {}{}", finding.rule, finding.message, place.unwrap_or_default()))?;
    }
    if findings.len() > SHOWN {
        writeln!(out, "- {} more findings are in the JSON report.", findings.len() - SHOWN)?;
    }
    if regressions.is_empty() && findings.is_empty() {
        writeln!(out, "{}", nothing(analysis))?;
    }
    changes(analysis, out)
}

fn nothing(analysis: &Analysis) -> String {
    match analysis.command {
        Command::Baseline => "No change was examined: a baseline describes one side.".into(),
        _ if lacks_measurement(analysis) && lacks_profile(analysis) => format!("{NOT_MEASURED}."),
        Command::Verify => "No confident regression is explained by the change, and no rule fired.".into(),
        Command::Check => "No rule fired; whether anything got slower was not measured.".into(),
    }
}

fn changes(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    let changes = view::shown_changes(analysis);
    if changes.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nChanged items:\n")?;
    for change in changes.iter().take(SHOWN) {
        let heat = change.heat.map_or("ambient, may affect anything", view::heat);
        let share = match (view::share(change), &change.heat_reason) {
            (Some(share), _) => format!(" {share} of `{}`", change.workload.as_deref().unwrap_or("all workloads")),
            (None, Some(reason)) => format!(" ({reason})"),
            (None, None) => change.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default(),
        };
        bullet(out, &format!("`{}`: {heat}{share}", change.item))?;
    }
    if changes.len() > SHOWN {
        writeln!(out, "- {} more are in the JSON report.", changes.len() - SHOWN)?;
    }
    Ok(())
}
