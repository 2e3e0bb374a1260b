//! The table of changed items: how hot each one is.

use std::io::{self, Write};

use super::footnotes::{together, whole};
use super::{Page, style};
use crate::analysis::{ChangeResult, Command, Heat};
use crate::figures;
use crate::report::text::{Cell, Table, clean, shorten};
use crate::report::view;

/// Rows before the rest is counted.
const SHOWN: usize = 6;
const WIDEST_NAME: usize = 44;

pub(super) fn write(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let shown = view::shown_changes(page.analysis);
    let counted = view::counted_changes(page.analysis);
    if shown.is_empty() {
        return match counted {
            Some(counted) => writeln!(out, "Changed items: {counted}\n"),
            None => writeln!(out, "Changed items: none\n"),
        };
    }
    let mut table = Table::default();
    table.row(["Changed item", "change", "heat", "share", "of", "can gain"].map(|title| Cell::styled(title, style::HEADING)));
    for change in shown.iter().take(page.shown(shown.len(), SHOWN)) {
        table.row(row(change));
    }
    for line in table.lines(page.look.color) {
        writeln!(out, "{line}")?;
    }
    page.cut(out, shown.len(), SHOWN, "changed items")?;
    let rows: Vec<&ChangeResult> = shown.iter().take(page.shown(shown.len(), SHOWN)).copied().collect();
    let workloads = rows.iter().filter_map(|change| change.workload.as_deref());
    let cut = whole(workloads, WIDEST_NAME).filter(|_| page.analysis.command == Command::Check);
    for line in together(rows.iter().filter_map(|change| doubt(change)), WIDEST_NAME).into_iter().chain(cut) {
        writeln!(out, "  {}", clean(&line))?;
    }
    if let Some(counted) = counted {
        writeln!(out, "  {counted}")?;
    }
    writeln!(out)
}

/// Why a share is uncertain or doubtful.
fn doubt(change: &ChangeResult) -> Option<(&str, String)> {
    let reason = change.heat_reason.as_ref().filter(|_| change.total.is_some())?;
    Some((&change.item, reason.clone()))
}

fn row(change: &ChangeResult) -> Vec<Cell> {
    let kind = format!("{}{}", view::kind(change.kind), if change.approximate { " (approximate)" } else { "" });
    let mut cells = vec![Cell::from(shorten(&clean(&change.item), WIDEST_NAME)), kind.into()];
    let Some(heat) = change.heat else {
        cells.push(Cell::styled("-", style::heat(None)));
        cells.push(clean(change.note.as_deref().unwrap_or("may affect anything")).into());
        return cells;
    };
    cells.push(Cell::styled(view::heat(heat), style::heat(Some(heat))));
    match view::share(change) {
        Some(share) if heat != Heat::Unmeasured => {
            cells.push(share.into());
            cells.push(of(change).into());
            cells.push(view::bound(change).unwrap_or_default().into());
        }
        _ => {
            let reason = change.heat_reason.as_deref().unwrap_or("no workload shows it");
            cells.push(clean(&format!("not measured: {reason}")).into());
        }
    }
    cells
}

/// `parse/large (base, 1880 samples)`.
fn of(change: &ChangeResult) -> String {
    let workload = change.workload.as_deref().unwrap_or("all workloads");
    let samples = change.samples.map(|samples| figures::counted(samples as usize, "sample"));
    // Lines are the rule; a name alone is worth a word.
    let by = change.joined_by.as_deref().filter(|by| *by != "line").map(|by| format!("by {by}"));
    let details: Vec<String> = change.side.clone().into_iter().chain(samples).chain(by).collect();
    let details = if details.is_empty() { String::new() } else { format!(" ({})", details.join(", ")) };
    clean(&format!("{}{details}", shorten(workload, WIDEST_NAME)))
}
