//! The flags of `doctor`.

use clap::Args;

use super::{Format, Selection, StoreArgs};

/// `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Measure a workload against itself: this machine's false alarms and smallest detectable change
    #[arg(long, help_heading = "Measurement Options")]
    pub self_test: bool,
    /// Verdicts of each kind (default: as many as fit into the time, at most 50)
    #[arg(long, value_name = "N", requires = "self_test", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=10_000), help_heading = "Measurement Options")]
    pub runs: Option<usize>,
    /// Slowdown to inject, in per cent (default: 5)
    #[arg(long, value_name = "PERCENT", requires = "self_test", help_heading = "Measurement Options")]
    pub slowdown: Option<f64>,
    /// Stop the self-test after this time (default: 2m, unless --runs is given)
    #[arg(long, value_name = "DURATION", requires = "self_test", help_heading = "Measurement Options")]
    pub max_time: Option<String>,
    /// Wall time after which one run of a workload is killed (30s, 5m)
    #[arg(long, value_name = "DURATION", requires = "self_test", help_heading = "Measurement Options")]
    pub timeout: Option<String>,
    /// What to look at; the self-test takes the first workload.
    #[command(flatten)]
    pub selection: Selection,
    /// Where evidence is kept.
    #[command(flatten, next_help_heading = "Baseline Options")]
    pub store: StoreArgs,
    /// How to print.
    #[command(flatten)]
    pub format: Format,
    /// Arguments of the binary named with `--bin`
    #[arg(last = true, value_name = "ARGS", requires = "self_test")]
    pub args: Vec<String>,
}
