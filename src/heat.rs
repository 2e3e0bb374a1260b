//! How hot each item is: the join of a profile with the items of its own side.
//!
//! Pure. Does not take samples and does not know which items changed.

mod class;
mod hot_path;
mod join;
mod paths;
mod tree;

pub use class::{Executed, Thresholds, bound, classify};
pub use hot_path::{HotFunction, hot_path, stacks_through};
pub use join::Joined;
pub use paths::{Origin, PathMapper};
pub use tree::Tree;
