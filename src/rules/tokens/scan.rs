//! What one item's tokens hold.

use std::collections::BTreeSet;

use proc_macro2::{Span, TokenStream};

use super::kind::TokenKind;
use super::walk::Walker;

/// One performance token in an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// What it is.
    pub kind: TokenKind,
    /// As a person would name it: `get_unchecked`, `#[inline(always)]`.
    pub text: String,
    /// 1-based line in the scanned text.
    pub line: u32,
    /// First and one-past-last column, in characters.
    pub columns: (usize, usize),
    /// The token with what belongs to it: equal keys are the same code in two places.
    pub key: String,
}

/// Everything the rules want to know of one item's tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    /// Performance tokens in source order.
    pub occurrences: Vec<Occurrence>,
    /// The item itself is an `unsafe fn`.
    pub unsafe_fn: bool,
    /// Uses of std's `HashMap` and `HashSet`.
    pub std_maps: usize,
    /// Uses of maps and sets of any kind.
    pub maps: usize,
    /// Linear searches (`contains`, `position`, `find`).
    pub searches: usize,
    /// Deepest nesting of loops.
    pub loop_depth: usize,
}

impl Scan {
    /// How often a kind occurs.
    pub fn count(&self, kind: TokenKind) -> usize {
        self.occurrences.iter().filter(|occurrence| occurrence.kind == kind).count()
    }

    pub(super) fn push(&mut self, kind: TokenKind, text: &str, span: Span, key: String) {
        let (start, end) = (span.start(), span.end());
        let last = if end.line == start.line { end.column } else { start.column + 1 };
        let line = u32::try_from(start.line).unwrap_or(u32::MAX);
        self.occurrences.push(Occurrence { kind, text: text.to_owned(), line, columns: (start.column, last), key });
    }
}

/// Scans the tokens of one item.
///
/// `tables` names numeric tables that are items of their own; `foreign` names functions that the file declares `extern`.
pub fn scan(tokens: TokenStream, tables: &BTreeSet<String>, foreign: &BTreeSet<String>) -> Scan {
    let mut walker = Walker { scan: Scan::default(), tables: tables.clone(), foreign };
    walker.item(tokens);
    walker.scan
}
