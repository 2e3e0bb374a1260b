//! Criterion's result files: found by walking, named by their own `benchmark.json`, never by their path.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::dialect::cut_title;
use crate::measure::Workload;
use crate::measure::harness::{HarnessError, HarnessReading, Latency, Throughput};
use crate::process::Finished;
use crate::stats;

#[derive(Deserialize)]
struct Benchmark {
    full_id: String,
    #[serde(default)]
    title: String,
    /// Its variants differ between versions: read leniently.
    #[serde(default)]
    throughput: serde_json::Value,
}

#[derive(Deserialize)]
struct Sample {
    iters: Vec<f64>,
    times: Vec<f64>,
}

/// Criterion nests group, function and value; a benchmark cannot lie deeper.
const DEEPEST: usize = 6;
/// A million batches are some 20 MB; anything larger is no sample of a short run.
const LARGEST: u64 = 64 << 20;

/// Iterations of the measured batches of one id below `home`, without the warm-up.
pub fn iterations(home: &Path, id: &str) -> Result<f64, HarnessError> {
    let (_, sample) = find(home, id)?;
    Ok(sample.iters.iter().sum())
}

/// What one run reports for all its iterations together, in the unit of its measurement.
pub fn total(home: &Path, id: &str) -> Result<f64, HarnessError> {
    let (_, sample) = find(home, id)?;
    Ok(sample.times.iter().sum())
}

/// Reads the newest result of one id below `home`.
pub fn read_result(home: &Path, id: &str) -> Result<HarnessReading, HarnessError> {
    let (benchmark, sample) = find(home, id)?;
    let problem = || HarnessError::Result { id: id.to_owned(), problem: "sample.json holds no times".into() };
    let latency = latency(&sample).ok_or_else(problem)?;
    Ok(HarnessReading {
        latency: Some(latency),
        throughput: throughput(&benchmark.throughput),
        digit: None,
        singles: singles(&sample),
    })
}

fn find(home: &Path, id: &str) -> Result<(Benchmark, Sample), HarnessError> {
    let problem = |problem: String| HarnessError::Result { id: id.to_owned(), problem };
    let mut found = None;
    for directory in results(home) {
        let benchmark: Benchmark = read_json(&directory.join("benchmark.json")).map_err(problem)?;
        if benchmark.title == id {
            found = Some((directory, benchmark));
            break;
        }
        // The first of several with one id (criterion numbers their titles) is the one without a number.
        let same = benchmark.full_id == id || cut_title(id).is_some_and(|prefix| benchmark.full_id.starts_with(prefix));
        if same && found.is_none() {
            found = Some((directory, benchmark));
        }
    }
    let Some((directory, benchmark)) = found else {
        return Err(HarnessError::NotRun { id: id.to_owned() });
    };
    let sample: Sample = read_json(&directory.join("sample.json")).map_err(problem)?;
    Ok((benchmark, sample))
}

/// Every `new` directory below `home`, in a stable order.
fn results(home: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![(home.to_owned(), 0)];
    while let Some((directory, depth)) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&directory) else { continue };
        for entry in entries.flatten() {
            // `file_type` does not follow links: a loop cannot catch us.
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            let path = entry.path();
            // A group may itself be named "new", so a result is a directory with a result in it.
            if path.join("benchmark.json").is_file() {
                if entry.file_name() == "new" {
                    found.push(path);
                }
            } else if depth < DEEPEST {
                open.push((path, depth + 1));
            }
        }
    }
    found.sort();
    found
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    let named = |problem: &dyn std::fmt::Display| format!("{}: {problem}", path.display());
    let size = std::fs::metadata(path).map_err(|error| named(&error))?.len();
    if size > LARGEST {
        return Err(named(&format_args!("{size} bytes are too many")));
    }
    let text = std::fs::read(path).map_err(|error| named(&error))?;
    serde_json::from_slice(&text).map_err(|error| named(&error))
}

fn latency(sample: &Sample) -> Option<Latency> {
    let pairs = sample.times.iter().zip(&sample.iters);
    let each: Vec<f64> = pairs.map(|(time, iterations)| time / iterations).filter(|ns| ns.is_finite() && *ns > 0.0).collect();
    if sample.times.len() != sample.iters.len() {
        return None;
    }
    Some(Latency { median: stats::median(&each)?, min: each.iter().copied().reduce(f64::min)? })
}

/// The times of iterations that were timed one by one: long ones are batches of one.
fn singles(sample: &Sample) -> Vec<f64> {
    let single = sample.iters.iter().all(|&iterations| iterations <= 1.0);
    if single { sample.times.clone() } else { Vec::new() }
}

/// `{"Bytes":n}` and its relatives. Of elements and bytes together, the elements are the primary ones for criterion, too.
fn throughput(value: &serde_json::Value) -> Option<Throughput> {
    let (name, amount) = value.as_object()?.iter().next()?;
    let (unit, amount) = match name.as_str() {
        "Bytes" | "BytesDecimal" => ("B", amount.as_f64()?),
        "Bits" => ("bit", amount.as_f64()?),
        "Elements" => ("elements", amount.as_f64()?),
        "ElementsAndBytes" => ("elements", amount.get("elements")?.as_f64()?),
        _ => return None,
    };
    (amount > 0.0).then(|| Throughput { amount, unit: unit.to_owned() })
}

/// Checks the output of a test or profile run for the benchmark's name: an unknown id prints nothing and exits 0.
pub fn check_ran(workload: &Workload, finished: &Finished) -> Result<(), HarnessError> {
    let id = &workload.harness_id;
    // `Benchmarking ID: Profiling for …` goes to stdout in 0.3 and to stderr since; test mode says `Testing ID`.
    let output = format!("{}\n{}", finished.stdout_text(), String::from_utf8_lossy(&finished.stderr));
    let ran = output.lines().any(|line| {
        let named = line.trim_start_matches(|c: char| c == '\r' || c == '\u{1b}' || c.is_whitespace());
        let rest = named.strip_prefix("Benchmarking ").or_else(|| named.strip_prefix("Testing "));
        rest.and_then(|rest| rest.strip_prefix(id.as_str())).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    });
    if ran { Ok(()) } else { Err(HarnessError::NotRun { id: id.clone() }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::WorkloadKind;
    use crate::measure::harness::testing::finished;
    use crate::measure::workload::sample;

    fn recorded(version: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/criterion").join(version)
    }

    fn write(home: &Path, directory: &str, benchmark: &str, sample: &str) {
        let directory = home.join(directory);
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("benchmark.json"), benchmark).unwrap();
        std::fs::write(directory.join("sample.json"), sample).unwrap();
    }

    #[test]
    fn recorded_results_of_three_versions_are_read() {
        for version in ["0.3.6", "0.5.1", "0.8.2"] {
            let plain = read_result(&recorded(version), "int").unwrap();
            let latency = plain.latency.unwrap();
            assert!(latency.min <= latency.median && (40_000.0..60_000.0).contains(&latency.median), "{version}: {latency:?}");
            assert!(plain.throughput.is_none() && plain.singles.is_empty());
            let grouped = read_result(&recorded(version), "group/x/map/1000").unwrap();
            assert_eq!(grouped.throughput, Some(Throughput { amount: 1000.0, unit: "elements".into() }));
        }
    }

    #[test]
    fn the_median_is_that_of_times_per_iteration() {
        let home = tempfile::tempdir().unwrap();
        let sample = r#"{"sampling_mode":"Linear","iters":[1.0,2.0,4.0],"times":[10.0,24.0,80.0]}"#;
        write(home.path(), "a/new", r#"{"full_id":"a","title":"a"}"#, sample);
        let latency = read_result(home.path(), "a").unwrap().latency.unwrap();
        assert_eq!(latency, Latency { median: 12.0, min: 10.0 });
    }

    #[test]
    fn batches_of_one_are_single_iterations() {
        let home = tempfile::tempdir().unwrap();
        write(home.path(), "a/new", r#"{"full_id":"a"}"#, r#"{"iters":[1.0,1.0],"times":[7.0,9.0]}"#);
        assert_eq!(read_result(home.path(), "a").unwrap().singles, [7.0, 9.0]);
    }

    #[test]
    fn the_name_comes_from_the_file_and_never_from_the_path() {
        let home = tempfile::tempdir().unwrap();
        let sample = r#"{"iters":[1.0],"times":[7.0]}"#;
        write(home.path(), "new/x_y/new", r#"{"full_id":"new/x:y"}"#, sample);
        write(home.path(), "z/new", r#"{"full_id":"other"}"#, sample);
        assert!(read_result(home.path(), "new/x:y").is_ok());
        assert!(matches!(read_result(home.path(), "z"), Err(HarnessError::NotRun { .. })));
    }

    #[test]
    fn a_cut_title_finds_its_own_result() {
        let home = tempfile::tempdir().unwrap();
        let (prefix, sample) = ("x".repeat(100), r#"{"iters":[1.0],"times":[7.0]}"#);
        write(home.path(), "a/new", &format!(r#"{{"full_id":"{prefix}yz","title":"{prefix}..."}}"#), sample);
        assert!(read_result(home.path(), &format!("{prefix}...")).is_ok());
    }

    #[test]
    fn damaged_results_name_the_file() {
        let home = tempfile::tempdir().unwrap();
        write(home.path(), "a/new", r#"{"full_id":"a"}"#, r#"{"iters":[1.0,2.0],"times":[7.0"#);
        assert!(read_result(home.path(), "a").unwrap_err().to_string().contains("sample.json"));
        write(home.path(), "a/new", r#"{"full_id":"a"}"#, r#"{"iters":[0.0],"times":[7.0]}"#);
        assert!(read_result(home.path(), "a").unwrap_err().to_string().contains("no times"));
        write(home.path(), "a/new", r#"{"full_id":"a"}"#, r#"{"iters":[1.0,1.0],"times":[7.0]}"#);
        assert!(read_result(home.path(), "a").is_err());
    }

    #[test]
    fn every_throughput_that_criterion_writes_is_known() {
        let read = |json: &str| throughput(&serde_json::from_str(json).unwrap()).map(|t| (t.amount, t.unit));
        assert_eq!(read(r#"{"Bytes":8}"#), Some((8.0, "B".into())));
        assert_eq!(read(r#"{"BytesDecimal":8}"#), Some((8.0, "B".into())));
        assert_eq!(read(r#"{"ElementsAndBytes":{"elements":3,"bytes":9}}"#), Some((3.0, "elements".into())));
        assert_eq!(read("null"), None);
    }

    #[test]
    fn a_run_of_another_id_is_not_a_run_of_this_one() {
        let workload = sample("grp/alloc", WorkloadKind::Criterion);
        assert!(check_ran(&workload, &finished("Benchmarking grp/alloc: Complete (Analysis Disabled)\n")).is_ok());
        assert!(check_ran(&workload, &finished("Testing grp/alloc\nSuccess\n")).is_ok());
        assert!(check_ran(&workload, &finished("Benchmarking grp/alloc_long: Profiling for 1 s\n")).is_err());
        assert!(check_ran(&workload, &finished("")).is_err());
    }
}
