//! Workloads and how they are measured: rounds of fresh processes, clocks, harnesses.
//!
//! `calibrate` is what `baseline` runs; `session::measure` is what `verify` runs, over a [`Runner`] ([`LiveRunner`] in life,
//! a simulated machine in tests). Does not judge (`stats`, `verdict`) and does not sample stacks (`sample`).

pub mod absolute;
pub mod allocations;
pub mod aside;
pub mod calibrate;
pub mod callgrind;
pub mod clock;
mod fresh;
pub mod harness;
pub mod host;
pub mod instructions;
pub mod live;
pub mod metric;
pub mod noise;
pub mod order;
pub mod peak;
pub mod preload;
pub mod round;
pub mod session;
pub mod workload;

pub use absolute::Absolute;
pub use calibrate::{Calibration, calibrate};
pub use clock::{ClockChoice, ClockKind, ClockShim};
pub use harness::{Harness, HarnessError, Side};
pub use host::Contention;
pub use live::LiveRunner;
pub use metric::MetricResult;
pub use noise::{NoiseModel, Statistic};
pub use order::Role;
pub use round::{FAILS_AT_HEAD, Job, Reading, Runner};
pub use session::{Candidate, Confirmed, Ending, Link, Measured, Progress, Session, Settings, confirm, measure};
pub use workload::{Workload, WorkloadKind};
