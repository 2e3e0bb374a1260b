//! Who touches new pages, who allocates, and whether memory grows.

use serde::{Deserialize, Serialize};

/// What is known of a workload's memory beyond its size. A part that was not measured, or has nothing to tell, is `None`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MemoryResult {
    /// Page faults by stack, where there are many.
    pub faults: Option<FaultsResult>,
    /// Allocations by stack, where they were sampled.
    pub allocated: Option<AllocatedResult>,
    /// Growth, where it is beyond doubt.
    pub growth: Option<GrowthResult>,
}

/// Page faults by stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaultsResult {
    /// How many there were, by the kernel's account of the profiled runs, without those of empty runs.
    pub count: f64,
    /// Per CPU second.
    pub per_cpu_second: f64,
    /// Samples that the shares rest on, as many as equal ones would be.
    pub samples: u64,
    /// Functions of the workspace that hold them, most first.
    pub owners: Vec<MemoryOwner>,
}

/// Allocations by stack, of a run of their own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AllocatedResult {
    /// Bytes that the run asked for, counted.
    pub bytes: u64,
    /// Allocations of the run, counted.
    pub calls: u64,
    /// Samples that the shares rest on, as many as equal ones would be.
    pub samples: u64,
    /// Functions of the workspace that ask for the bytes, most first; shares are estimates.
    pub owners: Vec<MemoryOwner>,
    /// Functions of the workspace that make the calls, most first; shares are estimates.
    pub callers: Vec<MemoryOwner>,
}

/// Memory that grows as long as the workload runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GrowthResult {
    /// Bytes per second.
    pub rate: f64,
    /// Lower end of its interval.
    pub low: f64,
    /// Upper end of its interval.
    pub high: f64,
    /// How long it was watched, without the warm-up, seconds.
    pub seconds: f64,
    /// Held at the end, bytes.
    pub held: u64,
    /// True for a workload that does the same again and again: what it does not give back is lost. False for a program that runs once.
    pub steady: bool,
    /// Whether it grew at base, too; `None` where there is no other side, or it was not watched for long enough.
    #[serde(default)]
    pub at_base: Option<bool>,
    /// Bytes per iteration, an estimate from the time of one; `None` where there are no iterations.
    pub per_iteration: Option<f64>,
    /// Functions whose allocations were not given back, most bytes first; empty where allocations were not sampled.
    pub owners: Vec<MemoryOwner>,
}

/// A function of the workspace that holds a part of something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemoryOwner {
    /// Its path.
    pub item: String,
    /// Its file.
    pub file: Option<String>,
    /// Its line.
    pub line: Option<u32>,
    /// Its part, with what it calls elsewhere.
    pub share: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end of the 95 % interval.
    pub high: f64,
    /// The heaviest stack through it, innermost function first.
    pub stack: Vec<String>,
}
