//! Who a workload's time belongs to, and which of it grew between base and head.

use super::StackFrame;
use serde::{Deserialize, Serialize};

/// Where [`super::WorkloadResult::unmeasured`] says why nothing is known of what grew.
pub const GROWTH: &str = "growth";

/// An item of the workspace that carries much of a workload, as the innermost of the workspace on its stacks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OwnerResult {
    /// Item path.
    pub item: String,
    /// Its file, repository-relative.
    pub file: String,
    /// Line of the item.
    pub line: u32,
    /// `running` or `blocked`.
    pub state: String,
    /// For what it waits, where it is blocked: `durability`, `lock`, `socket`, …; `None` where it runs.
    #[serde(default)]
    pub wait: Option<String>,
    /// What the share is of: `work time`, or `CPU samples` where nobody counted the rest.
    pub of: String,
    /// Its share.
    pub share: f64,
    /// Lower end of the share's interval.
    pub low: f64,
    /// Upper end of the share's interval.
    pub high: f64,
    /// Samples (looks, where it is blocked) that show it.
    pub samples: u64,
    /// The heaviest of its stacks, leaf first.
    pub stack: Vec<StackFrame>,
    /// Share of the samples that show this stack.
    pub stack_share: Option<f64>,
    /// The cause that matched; `None` where none did.
    pub signature: Option<String>,
}

/// What takes another time at head than at base.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// The metric whose time is split: `latency.p50`, `cpu.per_iteration`, `cpu.total`.
    pub metric: String,
    /// Sampled time of an iteration at base, nanoseconds.
    pub base: f64,
    /// The same at head.
    pub head: f64,
    /// Base's samples.
    pub base_samples: u64,
    /// Head's samples.
    pub head_samples: u64,
    /// Places that were compared; the intervals allow for their number.
    pub compared: u64,
    /// What differs by more than chance, largest difference first.
    pub places: Vec<GrownPlace>,
    /// What a reader must know of it.
    pub note: Option<String>,
}

/// A place that takes another time at head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GrownPlace {
    /// The function: what the owner called elsewhere, or the owner itself.
    pub function: String,
    /// The workspace's innermost item on these stacks; `None` where there is none.
    pub owner: Option<String>,
    /// The owner's file, repository-relative.
    pub file: Option<String>,
    /// Line of the owner.
    pub line: Option<u32>,
    /// `both`, or the one side that has the function: `base` or `head`.
    pub side: String,
    /// Head's time minus base's per iteration, nanoseconds.
    pub difference: f64,
    /// Lower end of its interval.
    pub low: f64,
    /// Upper end of its interval.
    pub high: f64,
    /// Its share of base's samples.
    pub base_share: f64,
    /// Its share of head's samples.
    pub head_share: f64,
    /// Where no changed item is on most of it: the place on the same stacks that changed by as much the other way, as where the compiler
    /// inlines differently; `None` where there is none.
    #[serde(default)]
    pub moved: Option<String>,
    /// The changed item that most of the difference goes through, by path; `None` where no changed item is on most of it.
    pub through: Option<String>,
    /// What happened to that item: `modified`, `added`, …
    pub through_kind: Option<crate::source::ChangeKind>,
}
