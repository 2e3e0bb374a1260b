//! Workloads and how they are measured: rounds of fresh processes, clocks, harnesses.
//!
//! Does not judge (`stats`, `verdict`) and does not sample stacks (`sample`).

pub mod workload;

pub use workload::{Workload, WorkloadKind};
