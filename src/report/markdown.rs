//! The required structure (`reference/workflow.md`): always the same seven headings, filled with measured values or an explicit
//! "not measured yet".

mod action;
mod advice;
mod bottleneck;
mod doctor;
mod escape;
mod root_cause;
mod state;

use std::io::{self, Write};

use crate::analysis::Analysis;
pub(super) use doctor::doctor;
use escape::text;

/// What is written where no number is.
const NOT_MEASURED: &str = "not measured yet";

pub(super) fn render(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "## Performance Analysis\n")?;
    writeln!(out, "### Current State\n")?;
    state::write(analysis, out)?;
    writeln!(out, "\n### Bottleneck Identified\n")?;
    bottleneck::write(analysis, out)?;
    writeln!(out, "\n### Root Cause\n")?;
    root_cause::write(analysis, out)?;
    writeln!(out, "\n### Recommended Fix\n")?;
    action::recommended(analysis, out)?;
    writeln!(out, "\n### Implementation\n")?;
    action::implementation(analysis, out)?;
    writeln!(out, "\n### Verification Plan\n")?;
    action::verification(analysis, out)
}

/// True when no workload has a profile.
fn lacks_profile(analysis: &Analysis) -> bool {
    analysis.workloads.iter().all(|workload| workload.profile.is_none())
}

/// True when no workload has a number.
fn lacks_measurement(analysis: &Analysis) -> bool {
    let measured = |w: &crate::analysis::WorkloadResult| w.primary().is_some_and(|metric| metric.base.is_some());
    !analysis.workloads.iter().any(measured)
}

/// Entries of a list before the rest is counted.
const LISTED: usize = 10;

/// A list, cut where it gets long; `number` makes it an ordered one.
fn list(out: &mut dyn Write, entries: &[String], number: bool) -> io::Result<()> {
    for (position, entry) in (1..).zip(entries).take(LISTED) {
        let mark = if number { format!("{position}.") } else { "-".to_owned() };
        writeln!(out, "{mark} {}", text(entry))?;
    }
    match entries.len().saturating_sub(LISTED) {
        0 => Ok(()),
        more => writeln!(out, "\n{more} more are in the JSON report."),
    }
}

fn bullet(out: &mut dyn Write, content: &str) -> io::Result<()> {
    writeln!(out, "- {}", text(content))
}
