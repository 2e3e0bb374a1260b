//! What `doctor` found, as a table.

use std::io::{self, Write};

use super::escape::text;
use crate::doctor::Diagnosis;
use crate::report::doctor::{answer, self_test, status, way_out};

pub(in crate::report) fn doctor(diagnosis: &Diagnosis, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "## Can this machine measure?\n\n{}\n", text(&answer(diagnosis)))?;
    writeln!(out, "| check | status | found | what to do |\n|---|---|---|---|")?;
    for check in &diagnosis.checks {
        let remedy = way_out(check).map_or_else(|| "-".to_owned(), column);
        writeln!(out, "| {} | {} | {} | {remedy} |", column(&check.title), status(check.status), column(&check.summary))?;
    }
    let Some(test) = &diagnosis.self_test else { return Ok(()) };
    writeln!(out, "\n### Self-test on {}\n", text(&format!("`{}`", test.workload)))?;
    for (name, line) in self_test(test) {
        writeln!(out, "- {name}: {}", text(&line))?;
    }
    Ok(())
}

/// Prose in a table, where a bar would end the cell.
fn column(raw: &str) -> String {
    text(&raw.replace('|', "¦"))
}
