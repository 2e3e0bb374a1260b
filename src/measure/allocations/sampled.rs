//! Who asks for memory: stacks of every so many bytes, taken by the preloaded library and unwound here after the run.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::count::out_of_reach;
use super::counter::{AllocationCounter, Totals};
use crate::measure::harness::HarnessError;
use crate::measure::preload::PreloadError;
use crate::process::{Launch, Limits, run};
use crate::profile::Profile;
use crate::sample::copies::{CopiedProcess, StackCopy, unwind_copies};

/// Allocations of one run by stack. Totals are counted, shares are sampled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sampled {
    /// Allocations of the run.
    pub calls: u64,
    /// Bytes that it asked for.
    pub bytes: u64,
    /// Stacks weighted by the bytes that they stand for.
    pub by_bytes: Profile,
    /// Stacks weighted by the allocations that they stand for.
    pub by_calls: Profile,
    /// Stacks weighted by what was asked for in the second half of the run and not given back within it; `None` without any.
    pub kept: Option<Profile>,
}

/// Stacks that are kept of each profile.
const KEPT: usize = 120;

/// The file's layout: `Samples` in `stacks.rs.txt`.
const SLOTS: usize = 4096;
const COPY: usize = 16 << 10;
const BLOCKS: usize = SLOTS * 4;
const SPACES: usize = 32;
const MAPS: usize = 128 << 10;
const HEAD: usize = 64;
const SPACE: usize = 16;
const SLOT: usize = 80;
const SLOTS_AT: usize = HEAD + SPACES * SPACE;
const MAPS_AT: usize = SLOTS_AT + SLOTS * SLOT + BLOCKS * 12;
const COPIES_AT: usize = MAPS_AT + SPACES * MAPS;
const SIZE: usize = COPIES_AT + SLOTS * COPY;

/// Runs a workload once, with stacks. `None` where its allocator is not the C library's, where the library never acted, where the run was cut short, and where it asked so often
/// that the last of it has no stacks.
pub fn sample(
    counter: &AllocationCounter,
    mut launch: Launch,
    limits: &Limits,
    scratch: &Path,
) -> Result<Option<Sampled>, HarnessError> {
    if out_of_reach(&launch.program).is_some() {
        return Ok(None);
    }
    let sheet = counter.apply(&mut launch, 0, scratch)?;
    let file = StackFile::beside(&mut launch, scratch)?;
    if !run(&launch, limits)?.success() {
        return Ok(None);
    }
    let taken = file.read().ok().flatten();
    Ok(sheet.totals().zip(taken).and_then(|(totals, processes)| sampled(totals, processes, counter.library())))
}

fn sampled(totals: Totals, processes: Vec<CopiedProcess<3>>, library: &Path) -> Option<Sampled> {
    let [by_bytes, by_calls, kept] =
        unwind_copies(processes, library).map(|profile| profile.map(|profile| profile.heaviest(KEPT)));
    Some(Sampled { calls: totals.calls, bytes: totals.bytes, by_bytes: by_bytes?, by_calls: by_calls?, kept })
}

/// Where the library leaves its stacks.
struct StackFile(PathBuf);

impl StackFile {
    fn beside(launch: &mut Launch, scratch: &Path) -> Result<Self, PreloadError> {
        let path = std::path::absolute(scratch)?.join("allocation-stacks");
        // Sparse: what nobody writes takes no room.
        File::create(&path)?.set_len(SIZE as u64)?;
        launch.env.push(("PERF_EXPERT_ALLOCATION_STACKS".into(), Some(path.clone().into_os_string())));
        Ok(Self(path))
    }

    fn read(&self) -> std::io::Result<Option<Vec<CopiedProcess<3>>>> {
        let file = File::open(&self.0)?;
        let head = at(&file, 0, SLOTS_AT + SLOTS * SLOT)?;
        let Some(slots) = slots(&head) else { return Ok(None) };
        let Some(half) = Half::of(&slots) else { return Ok(None) };
        let mut processes: Vec<CopiedProcess<3>> = Vec::new();
        for space in 0..SPACES {
            let length = (word(&head, HEAD + space * SPACE) as usize).min(MAPS);
            let maps = at(&file, MAPS_AT + space * MAPS, length)?;
            processes.push(CopiedProcess { maps, copies: Vec::new() });
        }
        for slot in slots {
            let stack = at(&file, COPIES_AT + slot.number * COPY, slot.copied.min(COPY))?;
            let [pc, sp, fp, lr] = slot.registers;
            let calls = (slot.weight as f64 / slot.size.max(1) as f64).round().max(1.0) as u64;
            let kept = if half.keeps(&slot) { slot.weight } else { 0 };
            let copy = StackCopy { pc, sp, fp, lr, stack, weights: [slot.weight, calls, kept] };
            if let Some(process) = processes.get_mut(slot.space) {
                process.copies.push(copy);
            }
        }
        processes.retain(|process| !process.copies.is_empty());
        Ok(Some(processes))
    }
}

#[cfg(unix)]
fn at(file: &File, offset: usize, length: usize) -> std::io::Result<Vec<u8>> {
    use std::os::unix::fs::FileExt;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, offset as u64)?;
    Ok(bytes)
}

#[cfg(not(unix))]
fn at(_file: &File, _offset: usize, _length: usize) -> std::io::Result<Vec<u8>> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// What stands beside a copy.
#[derive(Debug, Clone, Copy)]
struct Slot {
    number: usize,
    space: usize,
    registers: [u64; 4],
    weight: u64,
    size: u64,
    at: u64,
    back: u64,
    copied: usize,
}

fn word(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()).map_or(0, |word| u64::from_ne_bytes(*word))
}

fn half_word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()).map_or(0, |word| u32::from_ne_bytes(*word))
}

/// The slots that are whole; `None` where there were too few for all samples.
fn slots(head: &[u8]) -> Option<Vec<Slot>> {
    let asked = half_word(head, 0) as usize;
    if asked > SLOTS {
        return None;
    }
    let slot = |number: usize| {
        let begin = SLOTS_AT + number * SLOT;
        let word = |place: usize| word(head, begin + place * 8);
        (half_word(head, begin) == 1).then(|| Slot {
            number,
            space: half_word(head, begin + 4) as usize,
            registers: [word(1), word(2), word(3), word(4)],
            weight: word(5),
            size: word(6),
            at: word(7),
            back: word(8),
            copied: word(9) as usize,
        })
    };
    Some((0..asked).filter_map(slot).collect())
}

/// From the middle of the run to just before its end: what is given back at the end says nothing.
struct Half {
    begin: u64,
    end: u64,
}

impl Half {
    fn of(slots: &[Slot]) -> Option<Self> {
        let first = slots.iter().map(|slot| slot.at).min()?;
        let length = slots.iter().map(|slot| slot.at).max()?.saturating_sub(first);
        Some(Self { begin: first + length / 2, end: first + length / 20 * 19 })
    }

    fn keeps(&self, slot: &Slot) -> bool {
        slot.at > self.begin && slot.at <= self.end && (slot.back == 0 || slot.back > self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(asked: u32, slots: &[[u64; 5]]) -> Vec<u8> {
        let mut head = vec![0; SLOTS_AT + SLOTS * SLOT];
        head[..4].copy_from_slice(&asked.to_ne_bytes());
        for (number, [weight, size, at, back, whole]) in slots.iter().enumerate() {
            let begin = SLOTS_AT + number * SLOT;
            for (place, value) in [(0, whole), (5, weight), (6, size), (7, at), (8, back)] {
                head[begin + place * 8..][..8].copy_from_slice(&value.to_ne_bytes());
            }
        }
        head
    }

    #[test]
    fn slots_that_are_not_whole_are_left_out_and_too_many_say_nothing() {
        let found = slots(&head(3, &[[1024, 8, 5, 0, 1], [1024, 8, 6, 0, 0], [2048, 64, 7, 9, 1]])).unwrap();
        assert_eq!(
            found.iter().map(|slot| (slot.number, slot.weight, slot.back)).collect::<Vec<_>>(),
            [(0, 1024, 0), (2, 2048, 9)]
        );
        assert!(slots(&head(SLOTS as u32 + 1, &[])).is_none());
        assert!(slots(&head(9, &[])).unwrap().is_empty());
    }

    #[test]
    fn only_what_the_second_half_asked_for_and_kept_is_kept() {
        let all = slots(&head(
            6,
            &[[1, 1, 0, 0, 1], [1, 1, 60, 0, 1], [1, 1, 61, 70, 1], [1, 1, 62, 99, 1], [1, 1, 97, 0, 1], [1, 1, 100, 0, 1]],
        ));
        let all = all.unwrap();
        let half = Half::of(&all).unwrap();
        let kept: Vec<u64> = all.iter().filter(|slot| half.keeps(slot)).map(|slot| slot.at).collect();
        assert_eq!(kept, [60, 62]);
    }
}
