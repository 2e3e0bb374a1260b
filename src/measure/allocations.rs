//! Allocations of a workload, counted by a preloaded library in short runs of their own: never in the rounds that are timed.
//!
//! Counts what goes through the C library's `malloc` and its relatives; another allocator is recognised and not guessed at.

mod count;
mod counter;
mod sampled;

pub use count::{Counts, Effort, PEAK, bytes_note, compare, compare_peaks, count, count_note};
pub(super) use count::{Stop, by_difference, counted_once};
pub use counter::{AllocationCounter, Totals};
pub use sampled::{Sampled, sample};

#[cfg(test)]
#[cfg(target_os = "linux")]
pub(super) mod tests;
