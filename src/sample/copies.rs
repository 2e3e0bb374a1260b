//! Unwinds copies of stacks that something else took inside of a process, and names them.
//!
//! Does not take them (`measure::allocations` does).

use std::path::Path;

use super::{maps, native};
use crate::profile::Profile;

/// A thread's stack as it was at one point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackCopy<const N: usize> {
    /// Instruction pointer.
    pub pc: u64,
    /// Stack pointer: where the copy begins.
    pub sp: u64,
    /// Frame pointer.
    pub fp: u64,
    /// Link register, where the processor has one.
    pub lr: u64,
    /// The memory from `sp` on.
    pub stack: Vec<u8>,
    /// What it stands for, once per profile; 0 leaves it out.
    pub weights: [u64; N],
}

/// Copies from one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedProcess<const N: usize> {
    /// Its `/proc/PID/maps`.
    pub maps: Vec<u8>,
    /// Its stacks.
    pub copies: Vec<StackCopy<N>>,
}

/// One weighted profile per place in the weights, `None` where all of them are 0. Frames inside of `taker`, the library that took the
/// copies, are left out.
pub fn unwind_copies<const N: usize>(processes: Vec<CopiedProcess<N>>, taker: &Path) -> [Option<Profile>; N] {
    let mapped = |process: CopiedProcess<N>| (maps::code(&process.maps).collect(), process.copies);
    native::copied(processes.into_iter().map(mapped).collect(), taker)
}
