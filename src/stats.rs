//! The statistics of paired rounds: estimates with exact intervals, decisions with a margin, looks, families of workloads.
//!
//! Takes slices of numbers and returns values; it does not know what a workload is and runs nothing.

pub mod binomial;
pub mod decide;
pub mod difference;
pub mod effective;
pub mod estimate;
pub mod layouts;
pub mod multiple;
pub mod normal;
pub mod random;
pub mod sequential;
pub mod student;
pub mod trend;
pub mod wilson;

pub use binomial::{quantile_interval, rate_interval, values_needed};
pub use decide::{Decision, Margins, Outcome, Reason, decide, decide_beyond};
pub use difference::{Counted, difference};
pub use effective::effective;
pub use estimate::{Interval, median, median_interval, quantile};
pub use layouts::{AcrossLayouts, LayoutRound, across_layouts};
pub use multiple::{benjamini_hochberg, holm};
pub use random::SplitMix64;
pub use sequential::{Plan, Step};
pub use trend::{Trend, trend};
