//! Sampled stacks as values: interned frames and stacks, names normalized, shares with intervals, exports.
//!
//! Does not take samples (`sample`) and does not know about changes (`source`).

pub mod diff;
pub mod flamegraph;
pub mod folded;
pub mod model;
pub mod normalize;
pub mod pprof;

pub use model::{Alias, Engine, Frame, FrameId, Profile, ProfileBuilder, Quality, Stack};
