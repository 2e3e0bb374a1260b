//! gungraun and iai-callgrind: instruction counts under valgrind, read from the summaries that their runner saves.
//!
//! A count repeats to the last digit, so one run of each side is enough; it says nothing about time. The runner must have the
//! version of the crate, and says so itself when it has not.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::{Found, HarnessError, Listed, Side, error, list_with};
use crate::measure::Workload;
use crate::process::{Finished, Launch, Limits, run};

/// The two names of one tool (iai-callgrind was renamed with 0.17); each looks at its own.
const PREFIXES: [&str; 2] = ["GUNGRAUN", "IAI_CALLGRIND"];
/// What would compare with, or store beside, the user's own results, or print something else.
const SCRUBBED: [&str; 6] = ["BASELINE", "LOAD_BASELINE", "SAVE_BASELINE", "LIST", "OUTPUT_FORMAT", "FILTER"];
/// The user's own limits are exceeded: the counts are there all the same (gungraun's guide, "Regressions").
const LIMIT_EXCEEDED: i32 = 3;
/// Directories above a summary: package, target, group, benchmark.
const DEEPEST: usize = 6;

fn configured(mut launch: Launch) -> Launch {
    for prefix in PREFIXES {
        launch.env.extend(SCRUBBED.map(|name| (format!("{prefix}_{name}").into(), None)));
    }
    launch
}

/// The benchmarks of an executable; only its runner knows them.
pub(super) fn list(side: &Side, package_dir: &Path) -> Result<Listed, HarnessError> {
    let finished = list_with("gungraun", side, &configured(side.launch_at(package_dir)).args(["--bench", "--list"]))?;
    let text = finished.stdout_text();
    let ids = text.lines().filter_map(|line| line.trim_end().strip_suffix(": benchmark"));
    Ok(Listed { found: ids.map(|id| Found::Id(id.to_owned())).collect() })
}

pub(super) fn launch(workload: &Workload, side: &Side, scratch: &Path) -> Launch {
    launch_all(workload, side, scratch).args([workload.harness_id.as_str()])
}

fn launch_all(workload: &Workload, side: &Side, scratch: &Path) -> Launch {
    let launch = configured(side.launch(workload)).args(["--bench"]);
    PREFIXES.iter().fold(launch, |launch, prefix| {
        launch.env(format!("{prefix}_HOME"), scratch).env(format!("{prefix}_SAVE_SUMMARY"), "json")
    })
}

/// Instructions by the benchmark's id.
pub type Counts = BTreeMap<String, f64>;

/// Counts the instructions of one benchmark, and of others where the runner cannot run it alone: iai-callgrind up to 0.16 knows
/// targets only. `scratch` is a fresh directory that belongs to this run.
pub fn count(workload: &Workload, side: &Side, limits: &Limits, scratch: &Path) -> Result<Counts, HarnessError> {
    for launch in [launch(workload, side, scratch), launch_all(workload, side, scratch)] {
        let finished = run(&launch, limits)?;
        check_status(workload, &finished)?;
        let counts = read(workload, scratch)?;
        if counts.contains_key(&workload.harness_id) {
            return Ok(counts);
        }
    }
    Err(HarnessError::NotRun { id: workload.harness_id.clone() })
}

fn check_status(workload: &Workload, finished: &Finished) -> Result<(), HarnessError> {
    let exceeded = finished.code == Some(LIMIT_EXCEEDED) && !finished.timed_out;
    if exceeded { Ok(()) } else { error::check_status(workload, finished) }
}

/// What stands in the summaries below a directory. The problem is the workload's only where the summary is.
fn read(workload: &Workload, home: &Path) -> Result<Counts, HarnessError> {
    let id = &workload.harness_id;
    let problem = |problem: String| HarnessError::Output { id: id.clone(), problem };
    let mut counts = Counts::new();
    for path in summaries(home) {
        let text = std::fs::read(&path).map_err(|error| problem(format!("{}: {error}", path.display())))?;
        let summary: Value = serde_json::from_slice(&text).map_err(|error| problem(format!("{}: {error}", path.display())))?;
        match (path_of(&summary), instructions(&summary)) {
            (Some(found), Some(count)) => drop(counts.insert(found, count)),
            (Some(found), None) if found == *id => return Err(problem("its summary holds no instruction count".into())),
            _ => {}
        }
    }
    Ok(counts)
}

fn summaries(home: &Path) -> Vec<std::path::PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![(home.to_owned(), 0)]);
    while let Some((directory, depth)) = open.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_dir && depth < DEEPEST {
                open.push((entry.path(), depth + 1));
            } else if !is_dir && entry.file_name() == "summary.json" {
                found.push(entry.path());
            }
        }
    }
    found
}

/// `gg::grp::mix::seven`, as the list has it.
fn path_of(summary: &Value) -> Option<String> {
    let path = summary.get("module_path")?.as_str()?;
    Some(match summary.get("id").and_then(Value::as_str) {
        Some(id) => format!("{path}::{id}"),
        None => path.to_owned(),
    })
}

/// `Ir` of Callgrind's total, wherever schema 6 (iai-callgrind 0.16 to gungraun 0.19) and 7 keep it.
fn instructions(summary: &Value) -> Option<f64> {
    let profiles = summary.get("profiles")?.as_array()?;
    let callgrind = profiles.iter().find(|profile| profile.get("tool").and_then(Value::as_str) == Some("Callgrind"))?;
    let total = ["data", "summaries"].iter().find_map(|name| callgrind.get(name)?.get("total"))?;
    let count = new_value(find(total, "Ir")?)?;
    (count > 0.0).then_some(count)
}

fn find<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let object = value.as_object()?;
    object.get(name).or_else(|| object.values().find_map(|inner| find(inner, name)))
}

/// `{"values":{"new":8815}}` since schema 7, `{"metrics":{"Left":{"Int":8815}}}` before; the new side stands first in `Both`.
fn new_value(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::Array(both) => new_value(both.first()?),
        Value::Object(object) => {
            let names = ["values", "new", "metrics", "Left", "Both", "Int", "Float"];
            names.iter().find_map(|name| object.get(*name)).and_then(new_value)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::WorkloadKind;
    use crate::measure::harness::testing::{finished, variable, words};
    use crate::measure::workload::sample;

    const SUMMARY: &str = include_str!("../../../fixtures/gungraun/0.20.0-summary.json");
    const IAI_SUMMARY: &str = include_str!("../../../fixtures/gungraun/iai-callgrind-0.16.1-summary.json");

    #[test]
    fn one_benchmark_is_counted_away_from_the_user_s_results() {
        let launch =
            launch(&sample("gg::grp::mix::seven", WorkloadKind::Gungraun), &Side::new("/t/exe", "/repo"), Path::new("/s"));
        assert_eq!(words(&launch), ["--bench", "gg::grp::mix::seven"]);
        assert_eq!(variable(&launch, "GUNGRAUN_HOME").as_deref(), Some("/s"));
        assert_eq!(variable(&launch, "IAI_CALLGRIND_SAVE_SUMMARY").as_deref(), Some("json"));
        assert!(launch.env.contains(&("GUNGRAUN_BASELINE".into(), None)));
    }

    #[test]
    fn recorded_summaries_give_the_counts_by_benchmark() {
        let home = tempfile::tempdir().unwrap();
        for (name, text) in [("mix.seven", SUMMARY), ("mix.small", IAI_SUMMARY)] {
            let dir = home.path().join("gg/grp").join(name);
            std::fs::create_dir_all(&dir).unwrap();
            std::fs::write(dir.join("summary.json"), text).unwrap();
        }
        let read = |id: &str| read(&sample(id, WorkloadKind::Gungraun), home.path());
        let counts = [("b::grp::mix::small".to_owned(), 8165.0), ("gg::grp::mix::seven".to_owned(), 8815.0)];
        assert_eq!(read("gg::grp::mix::eight").unwrap(), counts.into());
        std::fs::write(home.path().join("gg/grp/mix.seven/summary.json"), "{").unwrap();
        assert!(read("gg::grp::mix::seven").unwrap_err().to_string().contains("summary.json"));
    }

    #[test]
    fn the_new_side_of_two_is_the_count() {
        let both = r#"{"metrics":{"Both":[{"Int":42},{"Int":7}]}}"#;
        assert_eq!(new_value(&serde_json::from_str(both).unwrap()), Some(42.0));
        assert_eq!(instructions(&serde_json::json!({"profiles": []})), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_runner_that_knows_no_benchmarks_is_run_for_all_of_its_target() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("summary"), IAI_SUMMARY).unwrap();
        let script = dir.path().join("bench");
        let text = "#!/bin/sh\n[ $# -gt 1 ] && exit 0\ncp \"${0%/*}/summary\" \"$IAI_CALLGRIND_HOME/summary.json\"\n";
        std::fs::write(&script, text).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::create_dir_all(dir.path().join("crates/x")).unwrap();
        let side = Side::new(script, dir.path());
        let count = |id: &str| {
            let scratch = tempfile::tempdir().unwrap();
            count(&sample(id, WorkloadKind::Gungraun), &side, &Limits::default(), scratch.path())
        };
        assert_eq!(count("b::grp::mix::small").unwrap().len(), 1);
        assert!(matches!(count("b::grp::mix::large"), Err(HarnessError::NotRun { .. })));
    }

    #[test]
    fn a_limit_of_the_user_s_own_is_no_failure_of_the_run() {
        let workload = sample("x", WorkloadKind::Gungraun);
        let ended = |code| Finished { code: Some(code), ..finished("") };
        assert!(check_status(&workload, &ended(3)).is_ok() && check_status(&workload, &ended(0)).is_ok());
        assert!(check_status(&workload, &ended(1)).is_err());
    }
}
