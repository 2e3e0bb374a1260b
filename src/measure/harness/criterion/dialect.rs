//! The command lines of the criterion versions.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::home;
use crate::measure::Workload;
use crate::measure::harness::Side;
use crate::process::Launch;

/// Which of the flags that changed between versions an executable understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Dialect {
    /// `--exact ID`; without it the filter is a regular expression.
    pub exact: bool,
    /// Times like `0.05`; 0.3 takes whole seconds only.
    pub fractions: bool,
}

/// 20 ms of warm-up and 50 ms of ten batches: 30–50 ms CPU beyond it (`reference/measurement.md` §3).
const SHORT: [&str; 4] = ["--warm-up-time", "0.02", "--measurement-time", "0.05"];
/// The same where a second is the smallest time; a scaled clock makes it as short.
const WHOLE: [&str; 4] = ["--warm-up-time", "1", "--measurement-time", "1"];
/// The smallest sample and the fewest resamples that no version refuses or warns about.
const SMALL: [&str; 4] = ["--sample-size", "10", "--nresamples", "1000"];

/// Longer titles are listed cut, with dots behind (`MAX_TITLE_LEN` in criterion's report.rs, 0.3 to 0.8).
const CUT_TITLE: usize = 100;

impl Dialect {
    /// The newest one.
    pub const NEWEST: Self = Self { exact: true, fractions: true };

    /// Flags of a short measured run.
    pub fn times(self) -> [&'static str; 4] {
        if self.fractions { SHORT } else { WHOLE }
    }

    /// How many times faster the harness's clock should run to make the run short.
    pub fn scale(self) -> u32 {
        if self.fractions { 1 } else { 20 }
    }

    pub(super) fn small() -> [&'static str; 4] {
        SMALL
    }

    /// What selects this id and nothing else, as trailing arguments.
    fn select(self, id: &str) -> Vec<String> {
        if let Some(prefix) = cut_title(id) {
            return vec!["--".into(), format!("^{}", regex::escape(prefix))];
        }
        if self.exact {
            return vec!["--exact".into(), "--".into(), id.into()];
        }
        vec!["--".into(), format!("^{}$", regex::escape(id))]
    }

    pub(in crate::measure::harness) fn round_launch(self, workload: &Workload, side: &Side, scratch: &Path) -> Launch {
        quiet(side.launch(workload), scratch)
            .args(["--bench", "--noplot"])
            .args(self.times())
            .args(SMALL)
            .args(self.select(&workload.harness_id))
    }

    /// A run that is to last this many whole seconds of a clock that the harness is given.
    pub(in crate::measure::harness) fn counted_launch(
        self,
        workload: &Workload,
        side: &Side,
        scratch: &Path,
        seconds: u32,
    ) -> Launch {
        quiet(side.launch(workload), scratch)
            .args(["--bench", "--noplot", "--warm-up-time", "1", "--measurement-time"])
            .args([seconds.to_string()])
            .args(SMALL)
            .args(self.select(&workload.harness_id))
    }

    /// `--test` without `--bench`: every version runs each benchmark once then.
    pub(in crate::measure::harness) fn test_launch(self, workload: &Workload, side: &Side, scratch: &Path) -> Launch {
        quiet(side.launch(workload), scratch).args(["--test"]).args(self.select(&workload.harness_id))
    }

    pub(in crate::measure::harness) fn profile_launch(
        self,
        workload: &Workload,
        side: &Side,
        seconds: u32,
        scratch: &Path,
    ) -> Launch {
        quiet(side.launch(workload), scratch)
            .args(["--bench".to_owned(), "--noplot".into(), "--profile-time".into(), seconds.max(1).to_string()])
            .args(self.select(&workload.harness_id))
    }
}

/// The part of a listed title before the dots, when criterion has cut it.
pub(super) fn cut_title(id: &str) -> Option<&str> {
    // The cut is at a character boundary at or below 100 bytes, so up to 3 bytes may be missing.
    id.strip_suffix("...").filter(|prefix| (CUT_TITLE - 3..=CUT_TITLE).contains(&prefix.len()))
}

/// Criterion must neither find the user's results nor talk to a `cargo criterion` that started us.
pub(super) fn quiet(mut launch: Launch, scratch: &Path) -> Launch {
    for name in ["CARGO_CRITERION_PORT", "CRITERION_DEBUG"] {
        launch.env.push((name.into(), None));
    }
    launch.env("CRITERION_HOME", home(scratch))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::WorkloadKind;
    use crate::measure::workload::sample;

    const OLD: Dialect = Dialect { exact: false, fractions: false };

    fn words(launch: &Launch) -> String {
        launch.args.iter().map(|arg| arg.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    fn side() -> Side {
        Side::new("/t/exe", "/repo")
    }

    #[test]
    fn a_round_is_short_and_of_one_id() {
        let launch = Dialect::NEWEST.round_launch(&sample("a/b", WorkloadKind::Criterion), &side(), Path::new("/s"));
        assert_eq!(
            words(&launch),
            "--bench --noplot --warm-up-time 0.02 --measurement-time 0.05 --sample-size 10 --nresamples 1000 --exact -- a/b"
        );
        assert!(launch.env.contains(&("CRITERION_HOME".into(), Some("/s/criterion".into()))));
    }

    #[test]
    fn an_old_executable_gets_whole_seconds_and_an_anchored_escaped_filter() {
        let launch = OLD.round_launch(&sample("a.b(1)", WorkloadKind::Criterion), &side(), Path::new("/s"));
        assert!(words(&launch).contains("--measurement-time 1 "));
        assert!(words(&launch).ends_with(r"-- ^a\.b\(1\)$"));
    }

    #[test]
    fn profile_and_test_runs_are_one_id_too() {
        let workload = sample("-x", WorkloadKind::Criterion);
        let profile = Dialect::NEWEST.profile_launch(&workload, &side(), 0, Path::new("/s"));
        assert_eq!(words(&profile), "--bench --noplot --profile-time 1 --exact -- -x");
        assert_eq!(words(&Dialect::NEWEST.test_launch(&workload, &side(), Path::new("/s"))), "--test --exact -- -x");
    }

    #[test]
    fn a_title_that_criterion_cut_is_selected_by_its_beginning() {
        let listed = format!("{}...", "x".repeat(100));
        assert_eq!(Dialect::NEWEST.select(&listed), ["--".to_owned(), format!("^{}", "x".repeat(100))]);
        assert_eq!(cut_title("short..."), None);
    }
}
