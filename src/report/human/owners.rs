//! Whose the time is, for a page without a table of workloads: the few items that carry most of each profile.

use std::io::{self, Write};

use super::{Page, style};
use crate::report::growth;
use crate::report::text::{clean, paint, shorten};

/// Workloads that are shown.
const SHOWN: usize = 3;
/// Items of each.
const ITEMS: usize = 3;
const WIDEST_NAME: usize = 36;

pub(super) fn write(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let all: Vec<_> = page.analysis.workloads.iter().filter(|workload| !workload.owners.is_empty()).collect();
    if all.is_empty() {
        return Ok(());
    }
    writeln!(out, "{} (as profiled, not measured now)", paint("Who the time belongs to", style::HEADING, page.look.color))?;
    for workload in all.iter().take(page.shown(all.len(), SHOWN)) {
        for owner in workload.owners.iter().take(page.shown(workload.owners.len(), ITEMS)) {
            let name = shorten(&clean(&workload.id), WIDEST_NAME);
            let line = format!("{name}: `{}` ({}:{}) {}", owner.item, owner.file, owner.line, growth::share(owner));
            writeln!(out, "  {}", clean(&line))?;
        }
    }
    page.cut(out, all.len(), SHOWN, "workloads")?;
    writeln!(out)
}
