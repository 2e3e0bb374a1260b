//! The join of profile and source: which share of a workload's samples runs through which item.
//!
//! Takes a profile, one side's tree and the roots of its paths; returns shares, classes and stacks. Does not sample, does not
//! know about changes, and never says cold without proof that the code ran.

mod classify;
mod foreign;
mod growth;
mod hot_path;
mod join;
mod matching;
mod origin;
mod owner;
mod owners;
mod path;
mod places;
mod share;
mod stacks;
mod waiting;

pub use classify::{Executed, HeatClass, Overall, Thresholds, WorkloadHeat, bound, classify, overall};
pub use foreign::Foreign;
pub use growth::{ENOUGH, Grown, Growth, Times, growth};
pub use hot_path::HotSpot;
pub use join::{Joined, join};
pub use matching::{Basis, Matching};
pub use origin::{Origin, may_be_workspace};
pub use owner::Owner;
pub use owners::HotOwner;
pub use path::{Location, PathMapper};
pub use places::{Naming, Place, Places, Through};
pub use share::{ItemShare, Share};
pub use stacks::{ExcerptFrame, StackExcerpt};
pub use waiting::{FEWEST_PAIRS, Moved, Pair, Scale, Turn, WaitGrown, WaitPlace, Waiting, waiting};

#[cfg(test)]
mod tests;
