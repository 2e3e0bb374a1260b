//! From registers and stack memory to named frames: what is mapped where, unwinding by its tables, and symbols.
//!
//! Serves every engine that has raw addresses. Takes no samples and reads no memory of other processes.

pub(super) mod auxv;
mod binary;
mod calls;
mod roots;
mod space;
mod stacks;
pub(super) mod symbolize;
mod symbols;
mod weighed;

pub(super) use binary::{Binaries, BinaryId, FileKey};
pub(super) use roots::is_rooted;
pub(super) use space::{Cache, CodeAddress, Position, Space, word};
pub(super) use stacks::Stacks;
pub(super) use weighed::Weighed;
