//! One line per regression and finding, for editors and `grep`: `file:line: severity[rule]: message`.

use std::io::{self, Write};

use crate::analysis::{Analysis, Command, Outcome, Severity};
use crate::report::advice::advice;
use crate::report::objective::{Standing, objectives};
use crate::report::text::clean;
use crate::report::{untimed, view};

/// Causes of a run that are shown.
const ADVICE: usize = 3;

pub(super) fn render(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    for workload in view::regressions(analysis) {
        let item = view::explaining(analysis, workload);
        let place = place(item.map(|item| item.file.as_str()), item.and_then(view::line_of));
        let by = item.map(|item| format!(", explained by `{}`", item.item)).unwrap_or_default();
        line(out, &format!("{place}error[regression]: {}{by}", view::regression(workload)))?;
    }
    for workload in view::unexplained(analysis) {
        line(out, &format!("warning[unexplained-regression]: {}, not explained by the change", view::regression(workload)))?;
    }
    for objective in objectives(analysis) {
        let level = match objective.standing {
            Standing::Broken => "error[slo]",
            Standing::Violated => "warning[slo]",
            Standing::Untold | Standing::NotMeasured => "note[slo]",
            Standing::Met => continue,
        };
        line(out, &format!("{level}: `{}`: {}", objective.workload.id, objective.line()))?;
    }
    for workload in analysis.workloads.iter().filter(|workload| workload.outcome == Outcome::Inconclusive) {
        let reason = workload.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        line(out, &format!("note[inconclusive]: `{}` is inconclusive{reason}", workload.id))?;
    }
    for workload in view::passed_over(analysis) {
        let reason = workload.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        line(out, &format!("note[not-measured]: `{}` is reached by the change and was not measured{reason}", workload.id))?;
    }
    for workload in &analysis.workloads {
        if let Some(counts) = untimed::line(workload) {
            line(out, &format!("note[counted]: {counts}"))?;
        }
        if let Some(how) = &workload.broken {
            line(out, &format!("error[broken-workload]: `{}` ran at base and fails at head: {how}", workload.id))?;
        }
    }
    for test in &analysis.tests.newly_failing {
        line(out, &format!("error[test]: `{test}` passed at base and fails at head"))?;
    }
    let (counting, _) = view::findings(analysis);
    for finding in counting {
        let place = place(finding.file.as_deref(), finding.line);
        let severity = if finding.severity == Severity::Info { "note" } else { view::severity(finding.severity) };
        line(out, &format!("{place}{severity}[{}]: {}", finding.rule, finding.message))?;
    }
    for one in advice(analysis).iter().take(ADVICE) {
        let owner = one.cause.owner();
        let place = place(owner.map(|owner| owner.file.as_str()), owner.map(|owner| owner.line));
        line(out, &format!("{place}note[{}]: {}; {}", one.cause.id, one.headline(), one.gain()))?;
    }
    if analysis.command == Command::Baseline {
        for workload in &analysis.workloads {
            line(out, &format!("{}: {}", workload.id, view::time_or_why(workload)))?;
        }
        return line(out, &view::baseline_line(analysis));
    }
    line(out, &view::verdict_line(analysis))
}

/// `src/a.rs:3: `, or nothing where nothing is known.
fn place(file: Option<&str>, line: Option<u32>) -> String {
    match (file, line) {
        (Some(file), Some(line)) => format!("{file}:{line}: "),
        (Some(file), None) => format!("{file}: "),
        (None, _) => String::new(),
    }
}

fn line(out: &mut dyn Write, text: &str) -> io::Result<()> {
    writeln!(out, "{}", clean(text))
}
