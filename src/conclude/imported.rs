//! Measurements of other tools, for readers: hyperfine's JSON export, 1.x and 2.0.
//!
//! Pure. What is imported was not measured here and is never compared with anything.

use serde_json::Value;

use super::workloads::unknown;
use crate::analysis::{IMPORTED, MetricResult, Outcome, WorkloadResult};
use crate::error::Expected;
use crate::exit::Exit;
use crate::stats::{median, quantile};

/// What every imported figure says.
const NOTE: &str = "imported from hyperfine, not re-measured";
/// Runs that p95 takes, as for our own.
const RUNS_FOR_P95: usize = 200;
const NANOS: f64 = 1e9;

/// A file that is no export of hyperfine.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// Not JSON.
    #[error("`{file}` is not JSON")]
    Json {
        /// The file.
        file: String,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// Another kind of JSON, or of another version.
    #[error("`{file}` is no export of hyperfine that is known here: {problem}")]
    Shape {
        /// The file.
        file: String,
        /// What is missing.
        problem: String,
    },
}

impl Expected for ImportError {
    fn hint(&self) -> Option<String> {
        Some("write it with `hyperfine --export-json FILE COMMAND`; versions 1.x and 2.0 are read".into())
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// One result per command of an export. `file` is its name, for messages.
pub(crate) fn hyperfine(file: &str, text: &[u8]) -> Result<Vec<WorkloadResult>, ImportError> {
    let shape = |problem: String| ImportError::Shape { file: file.to_owned(), problem };
    let export: Value = serde_json::from_slice(text).map_err(|source| ImportError::Json { file: file.to_owned(), source })?;
    let version = export.get("schema_version").map_or(Some(1), Value::as_u64);
    let read: fn(&Value) -> Option<Vec<MetricResult>> = match version {
        Some(1) => version_1,
        Some(2) => version_2,
        _ => return Err(shape(format!("its schema_version is {}", export.get("schema_version").unwrap_or(&Value::Null)))),
    };
    let Some(results) = export.get("results").and_then(Value::as_array).filter(|results| !results.is_empty()) else {
        return Err(shape("it has no `results`".into()));
    };
    let one = |(number, result): (usize, &Value)| {
        let named = ["name", "command"].iter().find_map(|key| result.get(*key)?.as_str());
        let metrics = read(result).filter(|metrics| !metrics.is_empty());
        named
            .zip(metrics)
            .map(|(name, metrics)| workload(name, metrics))
            .ok_or_else(|| shape(format!("result {} has no times", number + 1)))
    };
    results.iter().enumerate().map(one).collect()
}

fn workload(name: &str, metrics: Vec<MetricResult>) -> WorkloadResult {
    WorkloadResult { reason: Some(NOTE.into()), metrics, ..unknown(name, IMPORTED) }
}

fn metric(name: &str, unit: &str, clock: Option<&str>, value: Option<f64>, runs: usize) -> Option<MetricResult> {
    Some(MetricResult {
        name: name.into(),
        unit: unit.into(),
        clock: clock.map(str::to_owned),
        base: Some(value.filter(|value| value.is_finite() && *value >= 0.0)?),
        head: None,
        ratio: None,
        low: None,
        high: None,
        rounds: u32::try_from(runs).unwrap_or(u32::MAX),
        outcome: Outcome::NotMeasured,
        note: Some(NOTE.into()),
    })
}

/// p50 of elapsed time, and p95 of enough runs.
fn latencies(seconds: &[f64]) -> [Option<MetricResult>; 2] {
    let at = |name, value: Option<f64>| metric(name, "ns", Some("wall"), value.map(|value| value * NANOS), seconds.len());
    let p95 = if seconds.len() >= RUNS_FOR_P95 { quantile(seconds, 0.95) } else { None };
    [at("latency.p50", median(seconds)), at("latency.p95", p95)]
}

fn numbers(result: &Value, key: &str) -> Vec<f64> {
    result.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_f64).collect()
}

fn failures(codes: &[Option<i64>]) -> Option<MetricResult> {
    let failed = codes.iter().filter(|code| **code != Some(0)).count();
    (!codes.is_empty()).then(|| metric("error_rate", "fraction", None, Some(failed as f64 / codes.len() as f64), codes.len()))?
}

/// `results[i].{times[], user, system, memory_usage_byte[], exit_codes[]}`; user and system are means there, and left out:
/// a mean is no median.
fn version_1(result: &Value) -> Option<Vec<MetricResult>> {
    let times = numbers(result, "times");
    let memory = numbers(result, "memory_usage_byte");
    let codes: Vec<Option<i64>> =
        result.get("exit_codes").and_then(Value::as_array).into_iter().flatten().map(Value::as_i64).collect();
    let [p50, p95] = latencies(&times);
    let rest = [p95, metric("memory.peak_rss", "bytes", None, median(&memory), memory.len()), failures(&codes)];
    Some(std::iter::once(p50?).chain(rest.into_iter().flatten()).collect())
}

/// `results[i].measurements[j].{METRIC: {value, unit}, exit_code}`; times are seconds, memory bytes.
fn version_2(result: &Value) -> Option<Vec<MetricResult>> {
    let runs = result.get("measurements")?.as_array()?;
    let values = |name: &str| -> Vec<f64> { runs.iter().filter_map(|run| run.get(name)?.get("value")?.as_f64()).collect() };
    let [p50, p95] = latencies(&values("time_wall_clock"));
    let of = |name, key, unit, clock, scale: f64| {
        let values = values(key);
        metric(name, unit, clock, median(&values).map(|value| value * scale), values.len())
    };
    let codes: Vec<Option<i64>> = runs.iter().filter_map(|run| run.get("exit_code")).map(Value::as_i64).collect();
    let rest = [
        p95,
        of("cpu.total", "time_cpu", "ns", Some("cpu"), NANOS),
        of("cpu.user", "time_user", "ns", Some("cpu"), NANOS),
        of("cpu.system", "time_system", "ns", Some("cpu"), NANOS),
        of("memory.peak_rss", "memory_peak_resident", "bytes", None, 1.0),
        of("instructions", "instructions", "count", None, 1.0),
        failures(&codes),
    ];
    Some(std::iter::once(p50?).chain(rest.into_iter().flatten()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION_1: &str = r#"{"results":[{"command":"sleep 0.1","mean":0.105,"stddev":0.001,"median":0.104,"user":0.002,
        "system":0.001,"min":0.1,"max":0.2,"times":[0.1,0.104,0.2],"memory_usage_byte":[1048576,1048576,2097152],
        "exit_codes":[0,1,null]}]}"#;
    const VERSION_2: &str = r#"{"schema_version":2,"metadata":{},"primary_metric":"time_wall_clock","results":[{"command":"sleep 0.1",
        "name":"nap","measurements":[{"time_wall_clock":{"value":0.1,"unit":"second"},"time_user":{"value":0.002,"unit":"second"},
        "memory_peak_resident":{"value":1048576,"unit":"byte"},"exit_code":0}],"summary":{}}]}"#;

    fn values(text: &str) -> Vec<(String, f64)> {
        let workload = hyperfine("x.json", text.as_bytes()).unwrap().remove(0);
        assert!(workload.metrics.iter().all(|metric| metric.note.as_deref() == Some(NOTE) && metric.head.is_none()));
        workload.metrics.into_iter().map(|metric| (metric.name, metric.base.unwrap())).collect()
    }

    #[test]
    fn both_schemas_are_read_as_medians_in_our_units() {
        let named = |name: &str, value: f64| (name.to_owned(), value);
        assert_eq!(
            values(VERSION_1),
            [named("latency.p50", 104e6), named("memory.peak_rss", 1_048_576.0), named("error_rate", 2.0 / 3.0)]
        );
        assert_eq!(
            values(VERSION_2),
            [
                named("latency.p50", 100e6),
                named("cpu.user", 2e6),
                named("memory.peak_rss", 1_048_576.0),
                named("error_rate", 0.0)
            ]
        );
        assert_eq!(hyperfine("x.json", VERSION_2.as_bytes()).unwrap()[0].id, "nap");
    }

    #[test]
    fn an_import_is_never_an_outcome() {
        let workload = hyperfine("x.json", VERSION_1.as_bytes()).unwrap().remove(0);
        assert_eq!((workload.outcome, workload.kind.as_str()), (Outcome::NotMeasured, IMPORTED));
        assert!(workload.reason.unwrap().contains("not re-measured"));
    }

    #[test]
    fn what_is_no_export_says_what_is_wrong_with_it() {
        let said = |text: &str| hyperfine("x.json", text.as_bytes()).unwrap_err();
        assert!(said("{").to_string().contains("not JSON"));
        assert!(said("{}").to_string().contains("no `results`"));
        assert!(said(r#"{"schema_version":9,"results":[{}]}"#).to_string().contains("schema_version is 9"));
        assert!(said(r#"{"results":[{"command":"x","times":[]}]}"#).to_string().contains("result 1 has no times"));
        assert_eq!(said("{}").exit(), Exit::Usage);
    }
}
