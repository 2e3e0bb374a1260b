//! One thing that can be measured.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

/// How a workload is driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkloadKind {
    /// One criterion benchmark id.
    Criterion,
    /// One divan benchmark.
    Divan,
    /// One libtest `#[bench]`.
    Libtest,
    /// One benchmark of the bencher crate.
    Bencher,
    /// One benchmark of gungraun or iai-callgrind: instructions are counted, time is not measured.
    Gungraun,
    /// A whole `harness = false` bench program of another kind.
    Bench,
    /// A binary with arguments.
    Binary,
}

impl WorkloadKind {
    /// True when every run does the same work, so that CPU time, page faults and the like of whole processes compare.
    /// Benchmark harnesses fill a given time with as many iterations as fit.
    pub fn has_fixed_work(self) -> bool {
        matches!(self, Self::Bench | Self::Binary)
    }
}

/// A workload, the same on both sides; each side has its own executable for `target`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Workload {
    /// Name in reports, unique in the workspace: the criterion id, or `target`, or the configured name; prefixed with
    /// `package/target::` only where two would be equal.
    pub id: String,
    /// The id that the harness knows (criterion's full id); equals the target's name for whole programs.
    pub harness_id: String,
    /// Package name.
    pub package: String,
    /// Package root relative to the repository root (the working directory of the run).
    pub package_dir: Utf8PathBuf,
    /// Target name.
    pub target: String,
    /// How it is driven.
    pub kind: WorkloadKind,
    /// Arguments after the program name (configured workloads and `-- ARGS`); harness flags are not in here.
    pub args: Vec<String>,
    /// Files whose contents belong to the workload, relative to the package root.
    pub datasets: Vec<Utf8PathBuf>,
    /// Wall time after which one run is killed, milliseconds; `None`: the tool's default.
    pub timeout_ms: Option<u64>,
}

/// A workload for tests of this room.
#[cfg(test)]
pub(crate) fn sample(id: &str, kind: WorkloadKind) -> Workload {
    Workload {
        id: id.into(),
        harness_id: id.into(),
        package: "x".into(),
        package_dir: "crates/x".into(),
        target: "bench".into(),
        kind,
        args: Vec::new(),
        datasets: Vec::new(),
        timeout_ms: None,
    }
}
