//! What a workload's time goes into: the class of its bottleneck, and who waits.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Where [`super::WorkloadResult::unmeasured`] says why a workload has no class of bottleneck.
pub const BOTTLENECK: &str = "bottleneck";

/// The class of a bottleneck.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Bottleneck {
    /// `cpu-bound`, `io-bound`, `memory-bound`, `contention-bound`, `idle`, `mixed`.
    pub class: String,
    /// 0 to 1.
    pub confidence: f64,
    /// Share of work time by kind.
    pub shares: BTreeMap<String, f64>,
    /// Lower and upper end of each share's 95 % interval.
    #[serde(default)]
    pub intervals: BTreeMap<String, [f64; 2]>,
    /// What of the class: `durability`, `locks`, `serial` …
    #[serde(default)]
    pub kind: Option<String>,
    /// One sentence.
    #[serde(default)]
    pub summary: Option<String>,
    /// What was counted, one clause each.
    #[serde(default)]
    pub evidence: Vec<String>,
    /// What others did to the run; `None` on a machine that was not shared.
    #[serde(default)]
    pub host: Option<String>,
    /// Looks and samples that it rests on.
    #[serde(default)]
    pub samples: Option<u64>,
    /// The class at base and at head, where both are sure and differ.
    #[serde(default)]
    pub changed: Option<String>,
    /// Who waited while there was work, most time first.
    #[serde(default)]
    pub waits: Vec<WaitResult>,
}

/// A function of the program that waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WaitResult {
    /// For what: `socket`, `file`, `durability`, `pipe`, `device`, `lock`, `sleep`, `memory`, `hand-off`, `parked` …
    pub wait: String,
    /// Which one: a path, the address of a peer; `None` where there is nothing to name.
    pub what: Option<String>,
    /// The program's innermost function on the stack; `None` where it has none, or there is no stack.
    pub function: Option<String>,
    /// The closure or async function around it.
    pub under: Option<String>,
    /// Its source file, as the debug information gives it.
    pub file: Option<String>,
    /// The line that it waits in.
    pub line: Option<u32>,
    /// True when it holds up a worker of an asynchronous runtime, inside of a task.
    pub blocks_worker: bool,
    /// Share of the work time.
    pub share: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Nanoseconds, over all threads.
    pub ns: u64,
    /// Looks that showed it.
    pub looks: u64,
    /// The heaviest stack, leaf first.
    pub stack: Vec<String>,
}
