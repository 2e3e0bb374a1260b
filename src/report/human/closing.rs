//! Tests, what was left out, what to do next, and the verdict as the last line.

use std::io::{self, Write};

use super::{Page, style};
use crate::analysis::{Command, TestStatus, Verdict};
use crate::report::text::{clean, paint};
use crate::report::view;

const SKIPPED: usize = 3;
const STEPS: usize = 3;
const REASONS: usize = 3;
const FAILING: usize = 5;

pub(super) fn write(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    if page.analysis.command == Command::Verify {
        tests(page, out)?;
    }
    skipped(page, out)?;
    next_steps(page, out)?;
    let line = match page.analysis.command {
        Command::Baseline => view::baseline_line(page.analysis),
        Command::Verify | Command::Check => {
            reasons(page, out)?;
            view::verdict_line(page.analysis)
        }
    };
    writeln!(out, "{}", paint(&line, style::verdict(page.analysis.verdict), page.look.color))
}

fn tests(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let tests = &page.analysis.tests;
    let packages = if tests.packages.is_empty() { String::new() } else { format!(" ({})", tests.packages.join(", ")) };
    let summary = match tests.status {
        TestStatus::NotChecked => format!("not checked: {}", tests.summary),
        TestStatus::Passed | TestStatus::Failed => tests.summary.clone(),
    };
    writeln!(out, "Tests: {}", clean(&format!("{summary}{packages}")))?;
    for test in tests.newly_failing.iter().take(page.shown(tests.newly_failing.len(), FAILING)) {
        writeln!(out, "  newly failing: {}", clean(test))?;
    }
    page.cut(out, tests.newly_failing.len(), FAILING, "newly failing tests")
}

fn skipped(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let skipped = &page.analysis.skipped;
    if skipped.is_empty() {
        return Ok(());
    }
    writeln!(out, "Skipped: {}", skipped.len())?;
    for entry in skipped.iter().take(page.shown(skipped.len(), SKIPPED)) {
        let remedy = entry.remedy.as_deref().filter(|remedy| !remedy.contains('\n')).map(|remedy| format!(" → {remedy}"));
        writeln!(out, "  {}", clean(&format!("{}: {}{}", entry.name, entry.reason, remedy.unwrap_or_default())))?;
    }
    page.cut(out, skipped.len(), SKIPPED, "skipped")
}

fn next_steps(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let steps = &page.analysis.next_steps;
    if steps.is_empty() {
        return Ok(());
    }
    writeln!(out, "Next:")?;
    for step in steps.iter().take(page.shown(steps.len(), STEPS)) {
        writeln!(out, "  - {}", clean(step))?;
    }
    page.cut(out, steps.len(), STEPS, "steps")
}

/// The reasons of a verdict that is not a failure: a failure's reasons are the findings above.
fn reasons(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let reasons = &page.analysis.reasons;
    if page.analysis.verdict == Verdict::Fail || reasons.is_empty() {
        return Ok(());
    }
    for reason in reasons.iter().take(page.shown(reasons.len(), REASONS)) {
        writeln!(out, "Note: {}", clean(reason))?;
    }
    page.cut(out, reasons.len(), REASONS, "notes")
}
