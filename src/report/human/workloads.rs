//! The table of workloads: what moved, by how much, and why.

use std::io::{self, Write};

use super::footnotes::{Footnotes, together, whole};
use super::{Page, style};
use crate::analysis::{MetricResult, Outcome, WorkloadResult};
use crate::figures;
use crate::report::cause;
use crate::report::objective::{Standing, objectives};
use crate::report::text::{Cell, Table, clean, paint, shorten};
use crate::report::{growth, memory, untimed, view, waiting};

/// Rows before the rest is counted.
const SHOWN: usize = 6;
const WIDEST_NAME: usize = 36;
/// Places that grew, per workload.
const SHOWN_GROWN: usize = 3;

pub(super) fn write(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let shown = view::shown_workloads(page.analysis);
    let counted = view::counted_workloads(page.analysis);
    if shown.is_empty() {
        match counted.as_slice() {
            [] => writeln!(out, "Workloads: none\n")?,
            [only] => writeln!(out, "Workloads: {}\n", clean(only))?,
            _ => {
                writeln!(out, "Workloads:")?;
                rest(page, &counted, out)?;
            }
        }
        return targets(page, out);
    }
    let mut table = Table::default();
    table.row(["Workload", "base", "head", "change", "sees", "outcome", "why"].map(|title| Cell::styled(title, style::HEADING)));
    let rows: Vec<&WorkloadResult> = shown.iter().take(page.shown(shown.len(), SHOWN)).copied().collect();
    let reasons: Vec<String> = rows.iter().map(|workload| clean(&why(workload))).collect();
    let notes = Footnotes::of(&reasons);
    for (workload, reason) in rows.iter().zip(&reasons) {
        row(&mut table, workload, notes.cell(reason));
    }
    for line in table.lines(page.look.color) {
        writeln!(out, "{line}")?;
    }
    page.cut(out, shown.len(), SHOWN, "workloads")?;
    let remarks = rows.iter().flat_map(|workload| {
        let lines = [view::wall_clock(workload), cause::notable(workload), memory::notable(workload), cause::changed(workload)];
        let grown = growth::lines(workload, SHOWN_GROWN).into_iter().chain(waiting::lines(workload, SHOWN_GROWN));
        lines.into_iter().flatten().chain(grown).map(|line| (workload.id.as_str(), line))
    });
    let remarks = together(remarks, WIDEST_NAME);
    let cut = whole(rows.iter().map(|workload| workload.id.as_str()), WIDEST_NAME);
    for line in notes.lines().chain(remarks).chain(cut) {
        writeln!(out, "  {}", clean(&line))?;
    }
    rest(page, &counted, out)?;
    targets(page, out)
}

/// The workloads that are only counted, a line per kind.
fn rest(page: &Page<'_>, counted: &[String], out: &mut dyn Write) -> io::Result<()> {
    for line in counted.iter().take(page.shown(counted.len(), SHOWN)) {
        writeln!(out, "  {}", clean(line))?;
    }
    page.cut(out, counted.len(), SHOWN, "reasons")?;
    if let Some(sees) = view::counted_sees(page.analysis) {
        writeln!(out, "  {sees}")?;
    }
    writeln!(out)
}

/// Objectives, where there are any.
pub(super) fn targets(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let objectives = objectives(page.analysis);
    if objectives.is_empty() {
        return Ok(());
    }
    writeln!(out, "{} (numbers of this machine, now)", paint("Targets", style::HEADING, page.look.color))?;
    for objective in objectives.iter().take(page.shown(objectives.len(), SHOWN)) {
        let line = clean(&format!("{}: {}", shorten(&objective.workload.id, WIDEST_NAME), objective.line()));
        let style = match objective.standing {
            Standing::Broken => style::BAD,
            Standing::Violated | Standing::Untold => style::UNSURE,
            Standing::NotMeasured | Standing::Met => anstyle::Style::new(),
        };
        writeln!(out, "  {}", paint(&line, style, page.look.color))?;
    }
    page.cut(out, objectives.len(), SHOWN, "targets")?;
    writeln!(out)
}

fn row(table: &mut Table, workload: &WorkloadResult, why: String) {
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
        primary.and_then(view::change).or_else(|| untimed::change(workload)).unwrap_or_else(|| "-".into()).into(),
        view::sees(workload).unwrap_or_default().into(),
        Cell::styled(view::outcome_of(workload), color),
        why.into(),
    ]);
    // Throughput is work over the same time: it says nothing new.
    let moved =
        |metric: &&MetricResult| matches!(metric.outcome, Outcome::Slower | Outcome::Faster) && metric.name != "throughput";
    for metric in view::telling_metrics(workload).skip(1).filter(moved) {
        side_effect(table, metric);
    }
    let further = [view::confirmation(workload), view::witness(workload).map(str::to_owned)];
    for text in further.into_iter().flatten() {
        table.row([Cell::from(""), "".into(), "".into(), "".into(), "".into(), "".into(), clean(&text).into()]);
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
