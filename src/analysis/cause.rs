//! Causes that a workload's time goes into, and what a fix could bring.

use serde::{Deserialize, Serialize};

/// What shares are of where several threads share the work: less of it is not yet less time.
pub const ALL_THREADS: &str = "work time of all threads";

/// A cause by name. Nothing of it enters the verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CauseResult {
    /// `S05`: `cargo perf-expert explain S05` tells more.
    pub id: String,
    /// `siphash-small-keys`.
    pub name: String,
    /// `alloc`, `memory`, `cpu`, `contention`, `io`, `network`, `database`, `async`.
    pub class: String,
    /// A few words.
    pub title: String,
    /// Why this costs more than it has to, one sentence.
    pub why: String,
    /// Its share, over all owners.
    pub share: f64,
    /// Lower end of the share's interval.
    pub low: f64,
    /// Upper end of the share's interval.
    pub high: f64,
    /// Samples that show it.
    pub samples: u64,
    /// Where the cause says only where something is done, what it is that is done most; `None` where no other cause fits.
    #[serde(default)]
    pub inner: Option<InnerCause>,
    /// What the shares are of: `work time`, [`ALL_THREADS`], or `CPU samples` where nobody counted the rest.
    pub of: String,
    /// What of the share was waited.
    pub waited: f64,
    /// What of the share is time in the kernel, which no sample shows: shared out by the samples of the calls. An estimate.
    pub kernel: f64,
    /// Share from which anything is said of this workload: the larger of 3 % and twice the smallest change that shows.
    pub threshold: f64,
    /// Who in the workspace it is spent for, most first.
    pub owners: Vec<CauseOwnerResult>,
    /// The functions that gave it away, most samples first.
    pub functions: Vec<String>,
    /// The stack that was seen most, leaf first, up to the first owner's caller.
    pub stack: Vec<StackFrame>,
    /// What to do, best ratio of impact to effort first.
    pub fixes: Vec<String>,
    /// `S`, `M` or `L`: less than an hour, a day, or more.
    pub effort: String,
    /// A few lines of code that name the first owner.
    pub sketch: String,
    /// Estimated speed-up of the workload, as a factor.
    pub expected: Estimate,
    /// What is gained if all of its share vanished, as a factor: 1 / (1 − high); `None` where nothing would be left. No bound: a fix
    /// may also take away work outside of the calls that gave the cause away.
    pub max_speedup: Option<f64>,
}

/// What is done where a cause says only where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InnerCause {
    /// `S22`.
    pub id: String,
    /// `durability-per-record`.
    pub name: String,
    /// A few words.
    pub title: String,
    /// Its share, a part of the whole cause's.
    pub share: f64,
    /// Lower end of the share's interval.
    pub low: f64,
    /// Upper end of the share's interval.
    pub high: f64,
    /// What to do about it first.
    pub fix: String,
}

/// Causes that hold enough for advice and less than what would show.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SilencedCauses {
    /// How many.
    pub count: u64,
    /// Share from which anything is said of the workload: twice the smallest change that shows.
    pub threshold: f64,
}

/// A workspace item that time is spent for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CauseOwnerResult {
    /// Its path.
    pub item: String,
    /// Its file, repository-relative.
    pub file: String,
    /// Line of the item.
    pub line: u32,
    /// Its part of the cause.
    pub share: f64,
    /// Lower end of its interval.
    pub low: f64,
    /// Upper end of its interval.
    pub high: f64,
}

/// One frame of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackFrame {
    /// Normalized function name.
    pub function: String,
    /// File, repository-relative for the workspace's own.
    pub file: Option<String>,
    /// Line.
    pub line: Option<u32>,
    /// Inlined into the next.
    pub inlined: bool,
}

/// An estimate: nobody measured it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Pessimistic.
    pub low: f64,
    /// Optimistic.
    pub high: f64,
}

impl CauseResult {
    /// What it is spent for most.
    pub fn owner(&self) -> Option<&CauseOwnerResult> {
        self.owners.first()
    }
}
