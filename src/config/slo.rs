//! Service level objectives of a workload: a metric and the bound that it must keep.

use super::nearest::nearest;
use super::reader::{Problem, Value};
use super::units;

/// What a metric counts; base units are nanoseconds, bytes, fractions and plain numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Time,
    Size,
    Fraction,
    Number,
    /// Units of work per second.
    Rate,
}

/// The unit of a throughput that is bounded as a size.
pub const BYTES_PER_SECOND: &str = "B/s";
/// The unit of a throughput that is bounded as a number: of elements, or whatever else than bytes the workload counts.
pub const COUNT_PER_SECOND: &str = "count/s";

/// Every metric that an objective may be about, by its name in the JSON contract.
const METRICS: [(&str, Unit); 17] = [
    ("latency.p50", Unit::Time),
    ("latency.p95", Unit::Time),
    ("latency.p99", Unit::Time),
    ("throughput", Unit::Rate),
    ("wall", Unit::Time),
    ("cpu.total", Unit::Time),
    ("cpu.user", Unit::Time),
    ("cpu.system", Unit::Time),
    ("memory.peak_rss", Unit::Size),
    ("page_faults", Unit::Number),
    ("page_faults.major", Unit::Number),
    ("context_switches.voluntary", Unit::Number),
    ("context_switches.involuntary", Unit::Number),
    ("io.read", Unit::Size),
    ("io.written", Unit::Size),
    ("error_rate", Unit::Fraction),
    ("timeout_rate", Unit::Fraction),
];

/// One objective. `throughput` must not fall below its bound, every other metric must not exceed it.
#[derive(Debug, Clone, PartialEq)]
pub struct Slo {
    /// Name of the metric, as in the JSON contract.
    pub metric: String,
    /// The bound, in `unit`.
    pub bound: f64,
    /// `ns`, `bytes`, `fraction`, `count`, or of throughput [`BYTES_PER_SECOND`] or [`COUNT_PER_SECOND`].
    pub unit: &'static str,
    /// The bound as it was written, for reports.
    pub written: String,
}

impl Slo {
    /// The bound in words, where a workload may count its work in something else.
    pub fn counts(&self) -> &'static str {
        if self.unit == BYTES_PER_SECOND { "bytes" } else { "a plain number" }
    }

    /// True if the bound can be held against a metric in `unit`: bytes against bytes, a number against anything else per second.
    pub fn is_in(&self, unit: &str) -> bool {
        !self.is_floor() || (self.unit == BYTES_PER_SECOND) == (unit == BYTES_PER_SECOND)
    }

    /// True for metrics where more is better.
    pub fn is_floor(&self) -> bool {
        self.metric == "throughput"
    }

    /// True if `measured` keeps the bound.
    pub fn is_met_by(&self, measured: f64) -> bool {
        if self.is_floor() { measured >= self.bound } else { measured <= self.bound }
    }
}

pub(super) fn read(value: Value<'_>) -> Result<Vec<Slo>, Problem> {
    value.table()?.entries().into_iter().map(|(metric, value)| read_one(metric, &value)).collect()
}

fn read_one(metric: &str, value: &Value<'_>) -> Result<Slo, Problem> {
    let Some((_, unit)) = METRICS.iter().find(|(name, _)| *name == metric) else {
        let mut problem = value.problem("unknown metric");
        problem.hint = nearest(metric, METRICS.map(|(name, _)| name)).map(|name| format!("did you mean `{name}`?"));
        return Err(problem);
    };
    let written = if value.is_text() { value.text()?.to_owned() } else { value.number()?.to_string() };
    let (bound, expected) = match unit {
        Unit::Time => (units::duration(&written).map(|time| (time.as_nanos() as f64, "ns")), "a duration such as \"20ms\""),
        Unit::Size => (units::size(&written).map(|bytes| (bytes as f64, "bytes")), "a size such as \"200MiB\""),
        Unit::Fraction => (units::fraction(&written).map(|share| (share, "fraction")), "a fraction such as 0.001 or \"0.1%\""),
        Unit::Rate => (per_second(&written), "work per second such as 5000 or \"200MiB/s\""),
        Unit::Number => (number(&written).map(|number| (number, "count")), "a number"),
    };
    let (bound, unit) = bound.ok_or_else(|| value.problem(format!("expected {expected}")))?;
    Ok(Slo { metric: metric.to_owned(), bound, unit, written })
}

/// Units of work, or bytes as a size, with or without `/s`; and which of them. `5k` is a number, `5kB` a size.
fn per_second(text: &str) -> Option<(f64, &'static str)> {
    let text = text.strip_suffix("/s").unwrap_or(text).trim();
    let unit = if text.ends_with('B') { BYTES_PER_SECOND } else { COUNT_PER_SECOND };
    let amount = number(text).or_else(|| units::size(text).map(|amount| amount as f64))?;
    Some((amount, unit))
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
}
