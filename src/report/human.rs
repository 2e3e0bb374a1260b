//! The report for people: findings as rustc shows them, short tables, what to do next, the verdict last.
//!
//! A reader wants the answer in twenty lines: what does not matter is counted, and long lists are cut.

mod advice;
mod baseline;
mod changes;
mod closing;
mod findings;
mod footnotes;
mod opening;
mod owners;
pub(super) mod style;
mod workloads;

use std::io::{self, Write};

use crate::analysis::{Analysis, Command};
use crate::report::Look;

pub(super) fn render(analysis: &Analysis, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let page = Page { analysis, look };
    opening::write(&page, out)?;
    match analysis.command {
        Command::Baseline => baseline::write(&page, out)?,
        Command::Verify => {
            findings::write(&page, out)?;
            workloads::write(&page, out)?;
            changes::write(&page, out)?;
        }
        Command::Check => {
            findings::write(&page, out)?;
            changes::write(&page, out)?;
            owners::write(&page, out)?;
        }
    }
    advice::write(&page, out)?;
    closing::write(&page, out)
}

/// What is written, and how it looks.
struct Page<'a> {
    analysis: &'a Analysis,
    look: Look,
}

impl Page<'_> {
    /// How many of `length` entries are shown where `usual` are shown usually.
    fn shown(&self, length: usize, usual: usize) -> usize {
        // A remark about one more entry takes as much room as the entry.
        if self.look.verbose || length == usual + 1 { length } else { length.min(usual) }
    }

    /// The remark about what was cut, if anything was.
    fn cut(&self, out: &mut dyn Write, length: usize, usual: usize, noun: &str) -> io::Result<()> {
        let more = length - self.shown(length, usual);
        if more == 0 {
            return Ok(());
        }
        writeln!(out, "  … {more} more {noun} (see --message-format json)")
    }
}
