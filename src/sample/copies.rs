//! Unwinds copies of stacks that something else took inside of a process, and names them.
//!
//! Does not take them (`measure::allocations` does).

use std::path::Path;

use super::maps::{Map, line};
use super::native;
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
    let mapped = |process: CopiedProcess<N>| (code(&process.maps), process.copies);
    native::copied(processes.into_iter().map(mapped).collect(), taker)
}

/// What holds code; a line that was cut is skipped.
fn code(maps: &[u8]) -> Vec<Map> {
    let lines = maps.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    lines.filter_map(line).filter_map(|(executable, map)| executable.then_some(map)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_counts_and_what_is_cut_is_skipped() {
        let maps = b"1000-3000 r-xp 00001000 fe:01 77 /home/x/bench\n3000-4000 rw-p 00003000 fe:01 77 /home/x/bench\n5000-60";
        let code = code(maps);
        assert_eq!((code.len(), code[0].range.clone(), code[0].path.to_str()), (1, 0x1000..0x3000, Some("/home/x/bench")));
    }
}
