//! What would help, changed or not: causes by name with their fix, two lines each.

use std::io::{self, Write};

use super::{Page, style};
use crate::analysis::Command;
use crate::report::advice::{advice, silenced};
use crate::report::text::{clean, paint};

/// Causes of a run that are shown.
const SHOWN: usize = 3;

pub(super) fn write(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let all = advice(page.analysis);
    let silenced = silenced(page.analysis);
    if all.is_empty() && silenced.is_none() {
        return Ok(());
    }
    let title = match page.analysis.command {
        Command::Baseline => "What would help",
        Command::Verify | Command::Check => "What would help instead, changed or not",
    };
    writeln!(out, "{} (estimates, no part of a verdict)", paint(title, style::HEADING, page.look.color))?;
    for one in all.iter().take(page.shown(all.len(), SHOWN)) {
        writeln!(out, "  cause {}", clean(&format!("{} {}", one.cause.id, one.headline())))?;
        let stack = one.stack().map(|stack| format!("; stack {stack}")).unwrap_or_default();
        writeln!(out, "    {}", clean(&format!("{}{stack}", one.remedy())))?;
        if let Some(inner) = one.inner() {
            writeln!(out, "    {}", clean(&inner))?;
        }
    }
    page.cut(out, all.len(), SHOWN, "causes")?;
    if let Some(silenced) = silenced {
        writeln!(out, "  {}", clean(&silenced))?;
    }
    writeln!(out)
}
