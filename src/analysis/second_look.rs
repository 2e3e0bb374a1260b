//! What stands behind a workload's outcome beside its interval: the repetition with other links, and counted instructions.

use serde::{Deserialize, Serialize};

/// The repetition of what screening called slower or faster. The workload's outcome and metrics are the repetition's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfirmationResult {
    /// Median ratio head / base while screening; enters no judgement.
    pub screened: Option<f64>,
    /// Median ratio head / base of each pair of links, the pair that was built first. Empty when there was no time.
    pub links: Vec<f64>,
    /// How many of them lie beyond the margin on the side that screening claimed.
    pub agreeing: u32,
    /// Standard deviation between links of the base alone, a fraction; `None` when layout was not varied.
    pub layout_sd: Option<f64>,
    /// What must be said of the links, or why layout was not varied.
    pub note: Option<String>,
}

/// Counted instructions: advisory, never a verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WitnessResult {
    /// What counted: `callgrind`, or `hardware counter` (the whole process alone); `None` when nothing did.
    pub counter: Option<String>,
    /// What the counts say together with the clock, or why there are none.
    pub conclusion: String,
    /// One run of the workload: the function that runs the benchmark once, or the whole process.
    pub whole: Option<CountResult>,
    /// The changed items that were counted.
    pub items: Vec<CountResult>,
}

/// Instructions of one thing on both sides, with everything that it calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CountResult {
    /// Item path, or what was counted.
    pub item: String,
    /// At base; `None` when it was not counted there.
    pub base: Option<u64>,
    /// At head.
    pub head: Option<u64>,
    /// Head / base; `None` when they do not compare.
    pub ratio: Option<f64>,
}
