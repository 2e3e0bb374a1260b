//! Cuts the source line to show under a finding.

use crate::analysis::Snippet;
use crate::rules::tokens::Occurrence;

/// A longer line is generated or minified: showing it helps nobody.
const LONGEST_LINE: usize = 300;

/// The line of an occurrence with the token underlined.
pub(super) fn of(file: &str, occurrence: &Occurrence, label: &str) -> Option<Snippet> {
    let line = file.lines().nth((occurrence.line as usize).checked_sub(1)?)?;
    if line.len() > LONGEST_LINE {
        return None;
    }
    let at = |column: usize| line.char_indices().nth(column).map_or(line.len(), |(byte, _)| byte);
    let highlight = (at(occurrence.columns.0), at(occurrence.columns.1));
    Some(Snippet { first_line: occurrence.line, text: line.to_owned(), highlight, label: label.to_owned() })
}
