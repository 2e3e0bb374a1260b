//! The benchmarks of an executable, and the flags it understands, in one question.

use std::path::Path;
use std::time::Duration;

use super::Dialect;
use super::dialect::quiet;
use crate::measure::harness::{HarnessError, Side};
use crate::process::{Launch, Limits, run};

/// What an executable answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The ids in the order of the program, as `Workload::harness_id` wants them.
    pub ids: Vec<String>,
    /// The flags it understands.
    pub dialect: Dialect,
}

/// Setup code of benches runs while listing, so it may take its time.
const LIST_TIMEOUT: Duration = Duration::from_secs(60);

/// Asks the executable for its benchmarks. `package_dir` is relative to the side's root; `scratch` is for criterion's files.
pub fn list(side: &Side, package_dir: &Path, scratch: &Path) -> Result<Listing, HarnessError> {
    let mut last = None;
    // From the newest dialect to the oldest: an unknown flag or value ends the program before anything is listed.
    for dialect in [Dialect::NEWEST, Dialect { exact: false, fractions: true }, Dialect { exact: false, fractions: false }] {
        let finished = run(&launch(side, package_dir, scratch, dialect), &limits())?;
        let ids = parse(&finished.stdout_text());
        if finished.success() && (!ids.is_empty() || finished.stdout.is_empty()) {
            return Ok(Listing { ids, dialect });
        }
        let hopeless = finished.timed_out || finished.success();
        last = Some(finished);
        if hopeless {
            break;
        }
    }
    Err(match last {
        Some(finished) => HarnessError::not_listed("criterion", side, &finished),
        None => HarnessError::NotRun { id: "--list".into() },
    })
}

fn limits() -> Limits {
    Limits { timeout: LIST_TIMEOUT, ..Limits::default() }
}

fn launch(side: &Side, package_dir: &Path, scratch: &Path, dialect: Dialect) -> Launch {
    let launch = side.launch_at(package_dir);
    let exact: &[&str] = if dialect.exact { &["--exact"] } else { &[] };
    // Without --bench, 0.3 takes --list for a test run.
    quiet(launch, scratch).args(["--bench", "--list", "--noplot"]).args(dialect.times()).args(Dialect::small()).args(exact)
}

/// `ID: benchmark` since 0.4, `ID: bench` before. Other lines are what the program itself prints.
fn parse(stdout: &str) -> Vec<String> {
    let id = |line: &str| line.strip_suffix(": benchmark").or_else(|| line.strip_suffix(": bench")).map(str::to_owned);
    let mut ids: Vec<String> = stdout.lines().filter_map(|line| id(line.trim_end())).filter(|id| !id.is_empty()).collect();
    let mut seen = std::collections::HashSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    ids
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(unix)]
    use crate::measure::harness::testing::stand_in;

    #[test]
    fn ids_of_old_and_new_versions_are_read_among_other_output() {
        let old = "Gnuplot not found, using plotters backend\nint: bench\n\ngroup/x/map/1000: bench\n";
        assert_eq!(parse(old), ["int", "group/x/map/1000"]);
        let new = "loading…\nbad: bench: benchmark\nint: benchmark\nint: benchmark\n";
        assert_eq!(parse(new), ["bad: bench", "int"]);
    }

    #[cfg(unix)]
    #[test]
    fn an_executable_that_refuses_fractions_is_an_old_one() {
        let dir = tempfile::tempdir().unwrap();
        let script = r#"case "$*" in *--exact*|*0.02*) echo "error: Invalid value" >&2; exit 1;; esac; echo "a: bench""#;
        let listing = list(&stand_in(dir.path(), script), Path::new(""), dir.path()).unwrap();
        assert_eq!(listing, Listing { ids: vec!["a".into()], dialect: Dialect { exact: false, fractions: false } });
    }

    #[cfg(unix)]
    #[test]
    fn an_executable_that_benches_instead_of_listing_is_not_taken_for_criterion() {
        let dir = tempfile::tempdir().unwrap();
        let error = list(&stand_in(dir.path(), "echo running; echo why >&2"), Path::new(""), dir.path()).unwrap_err();
        assert!(error.to_string().contains("why"), "{error}");
        assert!(list(&stand_in(dir.path(), "exit 0"), Path::new(""), dir.path()).unwrap().ids.is_empty());
    }
}
