//! The analysis as it is.

use std::io::{self, Write};

use crate::analysis::Analysis;

/// One object, indented for people; keys in the order of [`Analysis`]. Control characters are escaped by JSON itself.
pub(super) fn render(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, analysis)?;
    writeln!(out)
}
