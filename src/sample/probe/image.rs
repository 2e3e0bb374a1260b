//! The probed executable as it lies in one process's memory.

use std::io::{Error, Result};

use super::elf::Identity;
use super::sites::{BREAKPOINT, Sites};
use crate::process::traced::{Memory, Stopped};

/// Breakpoints of one page are written at once; the page is what the kernel copies on the first write.
const PAGE: u64 = 4096;

/// `AT_ENTRY` of `elf.h`: where the kernel's auxiliary vector says that the program begins.
const AT_ENTRY: u64 = 9;

/// What shall be in memory at a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patch {
    Breakpoint,
    Original,
}

/// The probed executable in the memory of one process.
#[derive(Debug)]
pub(super) struct Image {
    /// What the loader added to the file's addresses.
    bias: u64,
    memory: Memory,
}

impl Image {
    /// Looks at a process; `None` when it executes something else.
    pub(super) fn of(stopped: &Stopped, sites: &Sites) -> Result<Option<Self>> {
        let proc = format!("/proc/{}", stopped.process());
        // A file that was deleted meanwhile still answers; one that we may not see is not ours.
        if Identity::of(format!("{proc}/exe").as_ref()).ok() != Some(sites.identity) {
            return Ok(None);
        }
        let entry = entry_of(&std::fs::read(format!("{proc}/auxv"))?)
            .ok_or_else(|| Error::other("the auxiliary vector names no entry"))?;
        Ok(Some(Self { bias: entry.wrapping_sub(sites.entry), memory: stopped.memory() }))
    }

    /// An address in memory, as the file gives it.
    pub(super) fn in_file(&self, address: u64) -> u64 {
        address.wrapping_sub(self.bias)
    }

    /// Puts `patch` at `wanted` sites (ascending), wherever the opposite is there now. Returns how many sites hold neither.
    pub(super) fn patch(&self, stopped: &Stopped, sites: &Sites, wanted: &[usize], patch: Patch) -> Result<usize> {
        let page = |site: &usize| sites.address(*site).map(|address| address.wrapping_add(self.bias) / PAGE);
        let mut strange = 0;
        for group in wanted.chunk_by(|a, b| page(a) == page(b)) {
            strange += self.patch_page(stopped, sites, group, patch)?;
        }
        Ok(strange)
    }

    fn patch_page(&self, stopped: &Stopped, sites: &Sites, group: &[usize], patch: Patch) -> Result<usize> {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { return Ok(0) };
        let (Some(first), Some(last)) = (sites.address(*first), sites.address(*last)) else { return Ok(0) };
        let start = first.wrapping_add(self.bias);
        let mut bytes = vec![0; (last - first + 1) as usize];
        self.memory.read(stopped, start, &mut bytes)?;
        let (mut changed, mut strange) = (false, 0);
        for &site in group {
            let (Some(address), Some(original)) = (sites.address(site), sites.original(site)) else { continue };
            let Some(byte) = bytes.get_mut((address - first) as usize) else { continue };
            let (from, to) = match patch {
                Patch::Breakpoint => (original, BREAKPOINT),
                Patch::Original => (BREAKPOINT, original),
            };
            if *byte == from {
                *byte = to;
                changed = true;
            } else if *byte != to {
                strange += 1;
            }
        }
        if changed {
            self.memory.write(stopped, start, &bytes)?;
        }
        Ok(strange)
    }
}

/// The vector is pairs of type and value, as wide as pointers.
fn entry_of(vector: &[u8]) -> Option<u64> {
    let (words, _) = vector.as_chunks::<8>();
    let mut pairs = words.chunks_exact(2).filter_map(|pair| pair.first().zip(pair.last()));
    pairs.find(|(kind, _)| u64::from_le_bytes(**kind) == AT_ENTRY).map(|(_, value)| u64::from_le_bytes(*value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_is_read_from_the_auxiliary_vector() {
        let pairs: Vec<u8> = [3u64, 0x40, 9, 0x1234, 0, 0].iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(entry_of(&pairs), Some(0x1234));
        assert_eq!(entry_of(&pairs[..20]), None);
    }
}
