//! Sampled stacks as values: interned frames and stacks, names normalized, shares with intervals, exports.
//!
//! Does not take samples (`sample`) and does not know about changes (`source`).

pub mod model;

pub use model::{Engine, Frame, FrameId, Profile, Quality, Stack};
