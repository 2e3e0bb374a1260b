//! How each kind of workload is launched, and how its result is read.
//!
//! Builds launches and reads what they left behind; it does not decide how often or in which order they run.

mod counted;
pub mod criterion;
mod divan;
mod error;
pub mod gungraun;
mod libtest;
mod list;
mod process;
#[cfg(test)]
pub(crate) mod testing;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use counted::CountedRun;
pub use error::HarnessError;
use list::list_with;
pub use list::{Found, Listed, list};

use super::{Workload, WorkloadKind};
use crate::process::{Finished, Launch};

/// One side of a comparison: an executable and the tree it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// The built executable.
    pub executable: PathBuf,
    /// Root of the tree (repository or worktree) that `Workload::package_dir` is relative to.
    pub root: PathBuf,
    /// Variables that cargo would set for this side (`LD_LIBRARY_PATH` for `dylib` dependencies); usually empty.
    pub env: Vec<(OsString, OsString)>,
}

impl Side {
    /// A side without variables of its own.
    pub fn new(executable: impl Into<PathBuf>, root: impl Into<PathBuf>) -> Self {
        Self { executable: executable.into(), root: root.into(), env: Vec::new() }
    }

    /// A launch in the package's root, with the environment that cargo's convention promises. `CARGO` is removed: criterion
    /// would start `cargo metadata` with it.
    fn launch(&self, workload: &Workload) -> Launch {
        self.launch_at(workload.package_dir.as_std_path())
    }

    fn launch_at(&self, package_dir: &Path) -> Launch {
        let package = self.root.join(package_dir);
        let mut launch = Launch::new(&self.executable, &package).env("CARGO_MANIFEST_DIR", &package);
        launch.env.push(("CARGO".into(), None));
        launch.env.extend(self.env.iter().map(|(name, value)| (name.clone(), Some(value.clone()))));
        launch
    }
}

/// What stands in front of a side's workloads: what its executable understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Harness {
    /// A criterion executable.
    Criterion(criterion::Dialect),
    /// A divan executable.
    Divan,
    /// An executable of rustc's libtest.
    Libtest,
    /// An executable of the bencher crate.
    Bencher,
    /// An executable of gungraun or iai-callgrind: counted, never timed.
    Gungraun,
    /// Anything else: a program that is measured as a whole.
    Process,
}

/// Time of one iteration in one process, nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Median over the batches; the only value of a whole program.
    pub median: f64,
    /// Smallest over the batches.
    pub min: f64,
}

/// Work done per iteration, as the benchmark states it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Throughput {
    /// Units per iteration.
    pub amount: f64,
    /// `B`, `bit`, `elements`, `chars` or `cycles`.
    pub unit: String,
}

/// What a harness reported about one run.
#[derive(Debug, Clone, PartialEq)]
pub struct HarnessReading {
    /// Time per iteration on the harness's clock; `None` when the program reports none and is timed from outside.
    pub latency: Option<Latency>,
    /// Work per iteration.
    pub throughput: Option<Throughput>,
    /// The value of the last digit of what was printed, nanoseconds; `None` where nothing is rounded.
    pub digit: Option<f64>,
    /// Times of single iterations, nanoseconds; empty where the harness times batches only.
    pub singles: Vec<f64>,
}

impl Harness {
    /// True when the harness times its iterations itself: its clock can be replaced.
    pub fn has_own_clock(&self) -> bool {
        !matches!(self, Self::Process | Self::Gungraun)
    }

    /// How many times faster than real the harness's clock should run to make a run short.
    pub fn scale(&self) -> u32 {
        match self {
            Self::Criterion(dialect) => dialect.scale(),
            Self::Libtest | Self::Bencher => libtest::SCALE,
            Self::Divan | Self::Gungraun | Self::Process => 1,
        }
    }

    /// Finds out what the side's executable understands. Runs it once or twice for criterion, not at all otherwise.
    pub fn probe(kind: WorkloadKind, side: &Side, package_dir: &Path, scratch: &Path) -> Result<Self, HarnessError> {
        match kind {
            WorkloadKind::Criterion => Ok(Self::Criterion(criterion::list(side, package_dir, scratch)?.dialect)),
            WorkloadKind::Divan => Ok(Self::Divan),
            WorkloadKind::Libtest => Ok(Self::Libtest),
            WorkloadKind::Bencher => Ok(Self::Bencher),
            WorkloadKind::Gungraun => Ok(Self::Gungraun),
            WorkloadKind::Bench | WorkloadKind::Binary => Ok(Self::Process),
        }
    }

    /// One short measured run. `scratch` is a fresh directory that belongs to this run.
    pub fn round_launch(&self, workload: &Workload, side: &Side, scratch: &Path) -> Result<Launch, HarnessError> {
        match self {
            Self::Criterion(dialect) => Ok(dialect.round_launch(workload, side, scratch)),
            Self::Divan => Ok(divan::round_launch(workload, side)),
            Self::Libtest => Ok(libtest::round_launch(workload, side)),
            Self::Bencher => Ok(libtest::bencher_launch(workload, side)),
            Self::Gungraun => Ok(gungraun::launch(workload, side, scratch)),
            Self::Process => Ok(process::launch(workload, side)),
        }
    }

    /// True when [`Harness::test_launch`] does the same work each time; bencher fills its time with as many iterations as fit.
    pub fn has_single_run(&self) -> bool {
        !matches!(self, Self::Bencher)
    }

    /// The workload once, for its effects only: the run for probes of what is executed.
    pub fn test_launch(&self, workload: &Workload, side: &Side, scratch: &Path) -> Launch {
        match self {
            Self::Criterion(dialect) => dialect.test_launch(workload, side, scratch),
            Self::Divan => divan::test_launch(workload, side),
            Self::Libtest => libtest::test_launch(workload, side),
            Self::Bencher => libtest::bencher_launch(workload, side),
            Self::Gungraun => gungraun::launch(workload, side, scratch),
            Self::Process => process::launch(workload, side),
        }
    }

    /// A run for a sampler, of about `seconds` (at least 1) where the harness can be told, without the harness's own analysis.
    pub fn profile_launch(&self, workload: &Workload, side: &Side, seconds: u32, scratch: &Path) -> Launch {
        match self {
            Self::Criterion(dialect) => dialect.profile_launch(workload, side, seconds, scratch),
            Self::Divan => divan::profile_launch(workload, side, seconds),
            Self::Libtest => libtest::round_launch(workload, side),
            Self::Bencher => libtest::bencher_launch(workload, side),
            Self::Gungraun => gungraun::launch(workload, side, scratch),
            Self::Process => process::launch(workload, side),
        }
    }

    /// Checks that a test or profile run ended well and that the benchmark really ran: criterion exits 0 for an unknown id.
    pub fn check(&self, workload: &Workload, finished: &Finished) -> Result<(), HarnessError> {
        error::check_status(workload, finished)?;
        match self {
            Self::Criterion(_) => criterion::check_ran(workload, finished),
            Self::Divan => divan::check_ran(workload, finished),
            Self::Libtest | Self::Bencher => libtest::check_ran(workload, finished),
            Self::Gungraun | Self::Process => Ok(()),
        }
    }

    /// Reads the result of a run that `round_launch` described.
    pub fn read(&self, workload: &Workload, finished: &Finished, scratch: &Path) -> Result<HarnessReading, HarnessError> {
        error::check_status(workload, finished)?;
        match self {
            Self::Criterion(_) => criterion::read_result(&criterion::home(scratch), &workload.harness_id),
            Self::Divan => divan::read_result(workload, finished),
            Self::Libtest | Self::Bencher => libtest::read_result(workload, finished),
            Self::Gungraun | Self::Process => {
                Ok(HarnessReading { latency: None, throughput: None, digit: None, singles: Vec::new() })
            }
        }
    }
}
