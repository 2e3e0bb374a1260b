//! The counting library in a launch, and what it has counted.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::measure::preload::{Preload, PreloadError};
use crate::process::Launch;

const SOURCE: &str = concat!(include_str!("counter.rs.txt"), include_str!("stacks.rs.txt"));

/// Layout of the shared file: `Counters` in `counter.rs.txt`. One line of the cache, then 32 lines of two counters.
const LINE: usize = 64;
const STRIPES: usize = 32;
const SIZE: usize = LINE * (1 + STRIPES);
/// Behind the questions and the bytes that are live.
const PEAK: usize = 16;

/// The compiled library.
#[derive(Debug)]
pub struct AllocationCounter(Preload);

/// What one process asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Calls of `malloc`, `calloc`, `realloc` and the aligned ones.
    pub calls: u64,
    /// Bytes that they asked for.
    pub bytes: u64,
    /// Times that it asked for the time, where the clock moves by steps.
    pub questions: u64,
    /// The most bytes that were handed out and not given back at one time, as the C library rounds them.
    pub peak: u64,
}

/// Where a process counts.
#[derive(Debug)]
pub(super) struct Sheet(PathBuf);

impl AllocationCounter {
    /// Compiles the library into `cache` unless it is there already.
    pub fn prepare(cache: &Path, rustc: &OsStr) -> Result<Self, PreloadError> {
        Preload::prepare(cache, rustc, "allocations", SOURCE).map(Self)
    }

    /// Where the library lies: its own frames are nobody's.
    pub(super) fn library(&self) -> &Path {
        self.0.library()
    }

    /// Counts in `launch.program`, into a new file in `scratch`. `step`: microseconds by which each question for the time moves
    /// the clock; 0 leaves the clock alone.
    pub(super) fn apply(&self, launch: &mut Launch, step: u32, scratch: &Path) -> Result<Sheet, PreloadError> {
        let sheet = Sheet(std::path::absolute(scratch)?.join("allocations"));
        fs_err::write(&sheet.0, [0; SIZE])?;
        self.0.apply(launch)?;
        launch.env.push(("PERF_EXPERT_ALLOCATIONS".into(), Some(sheet.0.clone().into_os_string())));
        launch.env.push(("PERF_EXPERT_CLOCK_STEP".into(), Some(step.to_string().into())));
        Ok(sheet)
    }
}

impl Sheet {
    /// What was counted; `None` when the library never acted.
    pub(super) fn totals(&self) -> Option<Totals> {
        totals(&std::fs::read(&self.0).ok()?).filter(|totals| totals.calls > 0)
    }
}

fn totals(bytes: &[u8]) -> Option<Totals> {
    let number = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    // Threads that give back what others have asked for may leave a peak below zero for a moment, never for good.
    let peak = u64::try_from(number(PEAK)? as i64).unwrap_or(0);
    let mut totals = Totals { questions: number(0)?, peak, ..Totals::default() };
    for stripe in 1..=STRIPES {
        totals.calls += number(stripe * LINE)?;
        totals.bytes += number(stripe * LINE + 8)?;
    }
    Some(totals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stripes_are_added_up() {
        let mut bytes = [0; SIZE];
        bytes[0] = 7;
        bytes[PEAK] = 9;
        for stripe in 1..=STRIPES {
            bytes[stripe * LINE] = 2;
            bytes[stripe * LINE + 8] = 5;
        }
        assert_eq!(totals(&bytes), Some(Totals { calls: 64, bytes: 160, questions: 7, peak: 9 }));
        assert_eq!(totals(&bytes[..100]), None);
    }
}
