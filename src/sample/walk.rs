//! From registers and stack memory to named frames: what is mapped where, unwinding by its tables, and symbols.
//!
//! Serves every engine that has raw addresses. Takes no samples and reads no memory of other processes.

pub(super) mod auxv;
mod binary;
mod roots;
mod space;
mod stacks;
pub(super) mod symbolize;
mod symbols;

pub(super) use binary::{Binaries, FileKey};
pub(super) use roots::is_rooted;
pub(super) use space::{Cache, CodeAddress, Position, Space};
pub(super) use stacks::Stacks;
