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
    /// What is listed like an id, but is none that the program knows: the rest of an id that holds a line break.
    pub broken: Vec<String>,
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
            let broken = broken(&finished.stdout_text(), |id| {
                let asked = launch(side, package_dir, scratch, dialect).args([id]);
                dialect.exact
                    && run(&asked, &limits()).is_ok_and(|answer| answer.success() && !parse(&answer.stdout_text()).contains(id))
            });
            let ids = ids.into_iter().filter(|id| !broken.contains(id)).collect();
            return Ok(Listing { ids, broken, dialect });
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

/// The ids behind a line of another kind that the program does not know when asked for them. Such a line is mostly what the
/// program itself prints, but it may be the beginning of an id with a line break.
fn broken(stdout: &str, is_unknown: impl Fn(&String) -> bool) -> Vec<String> {
    let lines: Vec<&str> = stdout.lines().collect();
    let doubtful = lines.windows(2).filter_map(|pair| match pair {
        [before, line] if id(before).is_none() => id(line),
        _ => None,
    });
    doubtful.filter(|id| !id.starts_with('-')).filter(is_unknown).collect()
}

/// `ID: benchmark` since 0.4, `ID: bench` before. Other lines are what the program itself prints.
fn id(line: &str) -> Option<String> {
    let line = line.trim_end();
    let id = line.strip_suffix(": benchmark").or_else(|| line.strip_suffix(": bench"))?;
    (!id.is_empty()).then(|| id.to_owned())
}

fn parse(stdout: &str) -> Vec<String> {
    let mut ids: Vec<String> = stdout.lines().filter_map(id).collect();
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
        assert_eq!(
            listing,
            Listing { ids: vec!["a".into()], broken: vec![], dialect: Dialect { exact: false, fractions: false } }
        );
    }

    #[cfg(unix)]
    #[test]
    fn the_rest_of_an_id_with_a_line_break_is_no_benchmark() {
        let dir = tempfile::tempdir().unwrap();
        let script = r#"for last; do :; done
case "$last" in
  b) echo "noise"; echo "b: benchmark";;
  line) ;;
  *) printf 'a: benchmark\nnl\nline: benchmark\nnoise\nb: benchmark\n';;
esac"#;
        let listing = list(&stand_in(dir.path(), script), Path::new(""), dir.path()).unwrap();
        assert_eq!((listing.ids, listing.broken), (vec!["a".to_owned(), "b".to_owned()], vec!["line".to_owned()]));
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
