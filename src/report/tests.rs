//! The reports over hand-made analyses: what a user reads, and what the schema promises.

mod cases;
mod doctor;
mod look;
mod schema;

use super::*;

/// A report as text.
fn rendered(analysis: &Analysis, format: Format) -> String {
    let mut out = Vec::new();
    render(analysis, format, Look::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}
