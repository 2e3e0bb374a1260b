//! The reports: one [`Analysis`] rendered for people, programs, pull requests and editors.
//!
//! Does not judge, sort out evidence or draw on a terminal: it writes text into a given writer. A number that was not measured
//! is never shown; the report says "not measured" instead. Everything that came from outside is cleaned before it is written.

mod advice;
mod cause;
mod doctor;
mod growth;
mod human;
mod json;
mod markdown;
mod memory;
mod names;
mod objective;
mod order;
#[cfg(test)]
pub(crate) mod samples;
mod short;
#[cfg(test)]
mod tests;
mod text;
mod untimed;
mod view;
mod waiting;

use std::io::{self, Write};
use std::str::FromStr;

use crate::analysis::Analysis;
use crate::error::Expected;
use crate::exit::Exit;

pub use doctor::{DOCTOR_SCHEMA, render_diagnosis};
pub use text::clean;
pub(crate) use text::clean_lines;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Format {
    /// For people at a terminal.
    #[default]
    Human,
    /// One line per finding and regression.
    Short,
    /// The whole analysis as one JSON object.
    Json,
    /// The required structure, for pull requests and assistants.
    Markdown,
}

impl Format {
    /// Every format by the name that `--message-format` takes.
    pub const NAMES: [(&'static str, Self); 4] =
        [("human", Self::Human), ("short", Self::Short), ("json", Self::Json), ("markdown", Self::Markdown)];
}

/// Not the name of a format.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no message format")]
pub struct UnknownFormat(String);

impl Expected for UnknownFormat {
    fn hint(&self) -> Option<String> {
        Some(format!("choose among {}", Format::NAMES.map(|(name, _)| name).join(", ")))
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        found.map(|&(_, format)| format).ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}

/// How a report for people looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Write ANSI colours.
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// Cut nothing short.
    pub verbose: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self { color: false, width: 120, verbose: false }
    }
}

/// The JSON schema (draft 2020-12) of `--message-format json`.
pub const SCHEMA: &str = include_str!("report/analysis.schema.json");

/// Writes an analysis in a format.
pub fn render(analysis: &Analysis, format: Format, look: Look, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Human => human::render(analysis, look, out),
        Format::Short => short::render(analysis, out),
        Format::Json => json::render(analysis, out),
        Format::Markdown => markdown::render(analysis, out),
    }
}
