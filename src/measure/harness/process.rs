//! Whole programs: binaries with arguments and `harness = false` benches that are not criterion's.

use super::Side;
use crate::measure::{Workload, WorkloadKind};
use crate::process::Launch;

/// The program as it is, however it is looked at: with the arguments that are configured, behind what `cargo bench` gives to a
/// bench target.
pub(super) fn launch(workload: &Workload, side: &Side) -> Launch {
    let prefix: &[&str] = if workload.kind == WorkloadKind::Bench { &["--bench"] } else { &[] };
    side.launch(workload).args(prefix.iter().copied()).args(&workload.args)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::harness::testing::words;
    use crate::measure::workload::sample;

    #[test]
    fn a_binary_gets_its_arguments_and_a_bench_what_cargo_bench_passes() {
        let side = Side::new("/t/exe", "/repo");
        let mut workload = sample("import", WorkloadKind::Binary);
        workload.args = vec!["--input".into(), "a b.csv".into()];
        assert_eq!(words(&launch(&workload, &side)), ["--input", "a b.csv"]);
        workload.kind = WorkloadKind::Bench;
        assert_eq!(words(&launch(&workload, &side)), ["--bench", "--input", "a b.csv"]);
    }

    #[test]
    fn it_starts_in_the_package_root_without_cargo() {
        let launch = launch(&sample("x", WorkloadKind::Binary), &Side::new("/t/exe", "/repo"));
        assert_eq!(launch.cwd, std::path::Path::new("/repo/crates/x"));
        assert!(launch.env.contains(&("CARGO".into(), None)));
        assert!(launch.env.contains(&("CARGO_MANIFEST_DIR".into(), Some("/repo/crates/x".into()))));
    }
}
