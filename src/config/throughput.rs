//! `throughput` of a workload table: how much work one run, or one iteration of a benchmark, does.

use super::reader::{Problem, Value};
use super::units;

/// Work that the user states, because the workload itself does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// Units per run; at least 1.
    pub amount: u64,
    /// `elements` or `B`.
    pub unit: &'static str,
}

/// `{ elements = 1000 }` or `{ bytes = "64MiB" }`.
pub(super) fn read(value: Value<'_>) -> Result<Work, Problem> {
    let none = value.problem("expected the work of one run: { elements = 1000 } or { bytes = \"64MiB\" }");
    let mut table = value.table()?;
    let elements = table.optional("elements", |value| amount(&value, "a whole number of elements", |text| text.parse().ok()))?;
    let bytes = table.optional("bytes", |value| amount(&value, "a size such as \"64MiB\"", units::size))?;
    table.finish()?;
    match (elements, bytes) {
        (Some(amount), None) => Ok(Work { amount, unit: "elements" }),
        (None, Some(amount)) => Ok(Work { amount, unit: "B" }),
        _ => Err(none),
    }
}

fn amount(value: &Value<'_>, expected: &str, parse: impl Fn(&str) -> Option<u64>) -> Result<u64, Problem> {
    let text = if value.is_text() { value.text()?.to_owned() } else { value.number()?.to_string() };
    parse(&text).filter(|&amount| amount > 0).ok_or_else(|| value.problem(format!("expected {expected}, more than 0")))
}
