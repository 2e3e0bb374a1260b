//! Whole programs: binaries with arguments and `harness = false` benches that are not criterion's.

use super::{HarnessError, Side};
use crate::measure::{Workload, WorkloadKind};
use crate::process::Launch;

/// Arguments in front of the configured ones, as `cargo bench` gives them to each kind of target.
fn prefix(workload: &Workload) -> Vec<String> {
    match workload.kind {
        WorkloadKind::Binary => Vec::new(),
        WorkloadKind::Divan | WorkloadKind::Libtest => vec!["--bench".into(), "--exact".into(), workload.harness_id.clone()],
        WorkloadKind::Bench | WorkloadKind::Criterion => vec!["--bench".into()],
    }
}

pub(super) fn round_launch(workload: &Workload, side: &Side) -> Result<Launch, HarnessError> {
    match HarnessError::unsupported(workload.kind) {
        Some(error) => Err(error),
        None => Ok(side.launch(workload).args(prefix(workload)).args(&workload.args)),
    }
}

/// Divan and libtest run a benchmark once without `--bench`; other programs know no such mode and run as they are.
pub(super) fn test_launch(workload: &Workload, side: &Side) -> Launch {
    let launch = side.launch(workload);
    let launch = match workload.kind {
        WorkloadKind::Divan | WorkloadKind::Libtest => launch.args(["--test", "--exact", workload.harness_id.as_str()]),
        _ => launch.args(prefix(workload)),
    };
    launch.args(&workload.args)
}

/// Only divan can be told how long to run; the others take as long as they take.
pub(super) fn profile_launch(workload: &Workload, side: &Side, seconds: u32) -> Launch {
    let launch = side.launch(workload).args(prefix(workload));
    let launch = match workload.kind {
        WorkloadKind::Divan => launch.args(["--min-time".to_owned(), seconds.max(1).to_string()]),
        _ => launch,
    };
    launch.args(&workload.args)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::workload::sample;

    fn words(launch: &Launch) -> Vec<String> {
        launch.args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_binary_gets_its_arguments_and_a_bench_what_cargo_bench_passes() {
        let side = Side::new("/t/exe", "/repo");
        let mut workload = sample("import", WorkloadKind::Binary);
        workload.args = vec!["--input".into(), "a b.csv".into()];
        assert_eq!(words(&round_launch(&workload, &side).unwrap()), ["--input", "a b.csv"]);
        workload.kind = WorkloadKind::Bench;
        assert_eq!(words(&round_launch(&workload, &side).unwrap()), ["--bench", "--input", "a b.csv"]);
    }

    #[test]
    fn it_starts_in_the_package_root_without_cargo() {
        let launch = round_launch(&sample("x", WorkloadKind::Binary), &Side::new("/t/exe", "/repo")).unwrap();
        assert_eq!(launch.cwd, std::path::Path::new("/repo/crates/x"));
        assert!(launch.env.contains(&("CARGO".into(), None)));
        assert!(launch.env.contains(&("CARGO_MANIFEST_DIR".into(), Some("/repo/crates/x".into()))));
    }

    #[test]
    fn an_adaptive_harness_is_refused_instead_of_measured_wrongly() {
        let side = Side::new("/t/exe", "/repo");
        for kind in [WorkloadKind::Divan, WorkloadKind::Libtest] {
            assert!(matches!(round_launch(&sample("x", kind), &side), Err(HarnessError::Unsupported { .. })));
        }
        assert_eq!(words(&test_launch(&sample("x", WorkloadKind::Libtest), &side)), ["--test", "--exact", "x"]);
    }
}
