//! The table of workloads: what moved, by how much, and why.

use std::io::{self, Write};

use super::{Page, style};
use crate::analysis::{MetricResult, Outcome, WorkloadResult};
use crate::figures;
use crate::report::text::{Cell, Table, clean, shorten};
use crate::report::view;

/// Rows before the rest is counted.
const SHOWN: usize = 6;
const WIDEST_NAME: usize = 36;

pub(super) fn write(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let shown = view::shown_workloads(page.analysis);
    let counted = view::counted_workloads(page.analysis);
    if shown.is_empty() {
        return match counted {
            Some(counted) => writeln!(out, "Workloads: {counted}\n"),
            None => writeln!(out, "Workloads: none\n"),
        };
    }
    let mut table = Table::default();
    table.row(["Workload", "base", "head", "change", "sees", "outcome", "why"].map(|title| Cell::styled(title, style::HEADING)));
    for workload in shown.iter().take(page.shown(shown.len(), SHOWN)) {
        row(&mut table, workload);
    }
    for line in table.lines(page.look.color) {
        writeln!(out, "{line}")?;
    }
    page.cut(out, shown.len(), SHOWN, "workloads")?;
    for workload in shown.iter().take(page.shown(shown.len(), SHOWN)) {
        if let Some(clock) = view::wall_clock(workload) {
            writeln!(out, "  {}", clean(&format!("{}: {clock}", shorten(&workload.id, WIDEST_NAME))))?;
        }
    }
    if let Some(counted) = counted {
        let sees = view::counted_sees(page.analysis).map(|sees| format!("; {sees}")).unwrap_or_default();
        writeln!(out, "  {counted}, not reached by the change{sees}")?;
    }
    writeln!(out)
}

fn row(table: &mut Table, workload: &WorkloadResult) {
    let primary = workload.primary();
    let side = |value: fn(&MetricResult) -> Option<f64>| match primary {
        Some(metric) => value(metric).map_or_else(|| "-".to_owned(), |value| figures::quantity(value, &metric.unit)),
        None => "-".into(),
    };
    let color = if workload.broken.is_some() { style::outcome(Outcome::Slower) } else { style::outcome(workload.outcome) };
    table.row([
        Cell::from(shorten(&clean(&workload.id), WIDEST_NAME)),
        side(|metric| metric.base).into(),
        side(|metric| metric.head).into(),
        primary.and_then(view::change).unwrap_or_else(|| "-".into()).into(),
        view::sees(workload).unwrap_or_default().into(),
        Cell::styled(view::outcome_of(workload), color),
        clean(&why(workload)).into(),
    ]);
    for metric in workload.metrics.iter().skip(1).filter(|metric| matches!(metric.outcome, Outcome::Slower | Outcome::Faster)) {
        side_effect(table, metric);
    }
}

/// A metric beside time that moved: memory, faults, throughput.
fn side_effect(table: &mut Table, metric: &MetricResult) {
    let side = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| figures::quantity(value, &metric.unit));
    let word = if metric.outcome == Outcome::Slower { "worse" } else { "better" };
    table.row([
        Cell::from(format!("  {}", clean(&metric.name))),
        side(metric.base).into(),
        side(metric.head).into(),
        view::change(metric).unwrap_or_else(|| "-".into()).into(),
        Cell::default(),
        Cell::styled(word, style::outcome(metric.outcome)),
    ]);
}

fn why(workload: &WorkloadResult) -> String {
    if let Some(how) = &workload.broken {
        return format!("ran at base, fails at head: {how}");
    }
    let by = workload.explained_by.first();
    match (workload.outcome, workload.explained, by) {
        (Outcome::Slower | Outcome::Faster, Some(true), Some(item)) => format!("`{}`", shorten(item, WIDEST_NAME)),
        (Outcome::Slower | Outcome::Faster, Some(false), _) => {
            format!("not explained by the change{}", workload.reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default())
        }
        _ => workload.reason.clone().unwrap_or_default(),
    }
}
