//! What is waited longer, or computed longer in the kernel, at head than at base.

use serde::{Deserialize, Serialize};

/// Where [`super::WorkloadResult::unmeasured`] says why nothing is known of what is waited longer.
pub const WAITING: &str = "waiting";

/// What pairs of watched runs of both sides have shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WaitingGrowth {
    /// What the times are of: `run` or `iteration`.
    pub per: String,
    /// The metric that the times are scaled by (`latency.p50`, `cpu.per_iteration`); `None` where they are of a run.
    pub metric: Option<String>,
    /// Pairs of runs.
    pub pairs: u32,
    /// Differences that were looked at; the intervals allow for their number.
    pub compared: u64,
    /// All waits together, of all threads that were not idle, whether they moved or not.
    pub all: MovedTime,
    /// Whether all waits together moved by more than chance.
    pub moved: bool,
    /// CPU time in the kernel; `None` where it did not move by more than chance, or nobody could tell.
    pub kernel: Option<MovedTime>,
    /// Who waits for another time, largest difference first.
    pub places: Vec<WaitingPlace>,
    /// What a reader must know of it.
    pub note: Option<String>,
}

/// A time on both sides, nanoseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MovedTime {
    /// At base.
    pub base: f64,
    /// At head.
    pub head: f64,
    /// Head's minus base's.
    pub difference: f64,
    /// Lower end of its interval.
    pub low: f64,
    /// Upper end of its interval.
    pub high: f64,
}

/// Who waits for another time at head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WaitingPlace {
    /// For what: `durability`, `lock`, `sleep`, …
    pub wait: String,
    /// The function elsewhere that the owner called most of the time; `None` where none is known.
    pub function: Option<String>,
    /// The workspace's innermost item on these stacks; `None` where there is none.
    pub owner: Option<String>,
    /// The owner's file, repository-relative.
    pub file: Option<String>,
    /// Line of the owner.
    pub line: Option<u32>,
    /// `both`, or the one side that has the owner: `base` or `head`.
    pub side: String,
    /// How long.
    pub time: MovedTime,
    /// The changed item that most of the difference goes through, by path; `None` where no changed item is on most of it.
    pub through: Option<String>,
    /// What happened to that item: `modified`, `added`, …
    pub through_kind: Option<crate::source::ChangeKind>,
}
