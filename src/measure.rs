//! Workloads and how they are measured: rounds of fresh processes, clocks, harnesses.
//!
//! Does not judge (`stats`, `verdict`) and does not sample stacks (`sample`).

pub mod clock;
pub mod workload;

pub use clock::{ClockChoice, ClockKind};
pub use workload::{Workload, WorkloadKind};
