//! Evidence about one side: its workloads, their clocks and noise, their profiles, and what of the change they execute.
//!
//! Runs workloads through `measure` and `sample`; does not compare sides and does not judge.

mod collect;
mod count;
mod enumerate;
mod error;
mod execution;
mod keep;
mod objectives;
mod profiling;
mod watch;
mod witness;
mod working;

use std::collections::BTreeSet;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

pub use collect::{Asker, Collected, Collector};
pub use enumerate::{Enumerated, Filter, enumerate};
pub use error::EvidenceError;
pub use execution::{Executions, Prober, Question, executed_keys};
pub use keep::{Kept, keep_profile, read_profile};
pub use profiling::{ProfileOptions, Profiled, merge, profile};
pub use watch::{Watched, watch};
pub use witness::{Asked, Counted, SideCounts, Witness, WitnessError};

use crate::diagnose::Work;
use crate::measure::allocations::Sampled;
use crate::measure::clock::ClockChoice;
use crate::measure::harness::Harness;
use crate::measure::noise::NoiseModel;
use crate::measure::{Calibration, Side, Workload, WorkloadKind};
use crate::profile::{Engine, Quality};
use crate::sample::Sampler;
use crate::stats::Plan;

/// An executable of one side, and how its workloads are driven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Package name.
    pub package: String,
    /// Package root relative to the repository root.
    pub package_dir: Utf8PathBuf,
    /// Target name.
    pub target: String,
    /// How its workloads are driven.
    pub kind: WorkloadKind,
    /// The built executable.
    pub executable: Utf8PathBuf,
    /// Root file of the target relative to the repository root: a workload whose own source changed cannot be compared.
    pub source: Utf8PathBuf,
    /// What cargo would set when it starts it.
    pub env: Vec<(String, String)>,
}

impl Program {
    /// The program as a side of a measurement; `root` is the root of its tree.
    pub fn side(&self, root: &camino::Utf8Path) -> Side {
        let mut side = Side::new(self.executable.as_std_path(), root.as_std_path());
        side.env = self.env.iter().map(|(name, value)| (name.into(), value.into())).collect();
        side
    }
}

/// A workload and the harness that drives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Driven {
    /// The workload.
    pub workload: Workload,
    /// What its executable understands.
    pub harness: Harness,
}

/// What is stored of one workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkloadEvidence {
    /// The workload.
    pub workload: Workload,
    /// What its executable understands.
    pub harness: Harness,
    /// Clock, noise and cost; `None` when it did not run.
    pub calibration: Option<Calibration>,
    /// Its profile; `None` when nothing could be sampled.
    pub profile: Option<StoredProfile>,
    /// Keys of the items that it executes, or why that is not known.
    pub executed: Result<BTreeSet<String>, String>,
    /// Why it could not be run or sampled, in words.
    pub problem: Option<String>,
    /// True while only what it executes is known; the rest is collected when a change reaches it.
    #[serde(default)]
    pub pending: bool,
    /// Instructions of one run, for readers; only where they are counted instead of timed.
    #[serde(default)]
    pub instructions: Option<f64>,
    /// What it asks of the allocator, for readers, or why that is not known; `None` when nobody counted.
    #[serde(default)]
    pub allocations: Option<Result<Allocations, String>>,
    /// What was counted and seen of its profile run; `None` where there was none.
    #[serde(default)]
    pub work: Option<Work>,
    /// Who asks the allocator for memory; `None` where that was not sampled.
    #[serde(default)]
    pub sampled: Option<Sampled>,
}

/// What one iteration (one process of a whole program) asks of the C library's allocator, counted once.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Allocations {
    /// Allocations.
    pub calls: f64,
    /// Bytes asked for.
    pub bytes: f64,
    /// Bytes of the largest live heap within the run, harness and set-up included.
    pub peak: f64,
}

impl WorkloadEvidence {
    /// True when it ran.
    pub fn has_run(&self) -> bool {
        self.calibration.is_some() || self.instructions.is_some()
    }

    /// Nothing is known yet.
    pub fn of(driven: &Driven) -> Self {
        Self {
            workload: driven.workload.clone(),
            harness: driven.harness,
            calibration: None,
            profile: None,
            executed: Err("it was not run".into()),
            problem: None,
            pending: false,
            instructions: None,
            allocations: None,
            work: None,
            sampled: None,
        }
    }

    /// How it is driven.
    pub fn driven(&self) -> Driven {
        Driven { workload: self.workload.clone(), harness: self.harness }
    }

    /// The clock that was chosen for it.
    pub fn clock(&self) -> Option<&ClockChoice> {
        self.calibration.as_ref().map(|calibration| &calibration.clock)
    }

    /// Its noise on this machine.
    pub fn noise(&self) -> Option<&NoiseModel> {
        self.calibration.as_ref().and_then(|calibration| calibration.noise.as_ref())
    }

    /// The smallest change that all rounds could show on this machine, as a fraction; `None` where its noise is not known.
    pub fn detectable(&self) -> Option<f64> {
        let plan = Plan::default();
        let last = plan.looks.last().copied()?;
        self.noise().map(|noise| noise.detectable(last, &plan))
    }
}

/// A profile in the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredProfile {
    /// pprof `profile.proto`, gzip, path inside the baseline.
    pub file: Utf8PathBuf,
    /// Flame graph, SVG, path inside the baseline.
    pub flamegraph: Option<Utf8PathBuf>,
    /// How far to trust it.
    pub quality: Quality,
}

/// The evidence of a side, as a baseline stores it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Root of the tree that the executables were built in: paths in debug info and in `env!("CARGO_MANIFEST_DIR")` start with it.
    pub built_in: Utf8PathBuf,
    /// The tree-ish that holds the sources when the working tree was dirty (`git stash create`).
    pub dirty_tree: Option<String>,
    /// The executables; `executable` is relative to the baseline when stored.
    pub programs: Vec<Program>,
    /// Every workload that was found.
    pub workloads: Vec<WorkloadEvidence>,
    /// The `--workload` patterns that narrowed it; empty when it holds everything.
    #[serde(default)]
    pub selected: Vec<String>,
    /// Targets that were not run, and why.
    pub skipped: Vec<crate::analysis::Skipped>,
    /// Why nothing was sampled, with what to change; `None` when sampling works.
    pub refusal: Option<String>,
    /// The engine that sampled instead of the native one, and why; `None` for the native one or where nothing sampled.
    #[serde(default)]
    pub substitute: Option<Substitute>,
}

/// An engine in place of the native one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Substitute {
    /// Which.
    pub engine: Engine,
    /// Why, and what it cannot do.
    pub why: String,
}

impl Evidence {
    /// Notes what samples, and why it is not the native engine.
    pub fn sampled_by(&mut self, sampler: &Sampler) {
        let note = sampler.note().map(str::to_owned);
        match sampler.engine() {
            Engine::None => self.refusal = note,
            engine => self.substitute = note.map(|why| Substitute { engine, why }),
        }
    }

    /// The engine that sampled.
    pub fn engine(&self) -> Engine {
        match (&self.refusal, &self.substitute) {
            (Some(_), _) => Engine::None,
            (None, Some(substitute)) => substitute.engine,
            (None, None) => Engine::PerfEvent,
        }
    }

    /// The program of a workload.
    pub fn program_of(&self, workload: &Workload) -> Option<&Program> {
        let binary = workload.kind == WorkloadKind::Binary;
        self.programs.iter().find(|program| {
            program.package == workload.package
                && program.target == workload.target
                && (program.kind == WorkloadKind::Binary) == binary
        })
    }

    /// The evidence of a workload, by its name.
    pub fn of(&self, id: &str) -> Option<&WorkloadEvidence> {
        self.workloads.iter().find(|evidence| evidence.workload.id == id)
    }
}
