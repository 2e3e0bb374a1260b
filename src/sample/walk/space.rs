//! One process's address space: which file's code lies where, and the unwinder that knows the same.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::Range;

use framehop::{CacheNative, MayAllocateDuringUnwind, Module, UnwindRegsNative, Unwinder, UnwinderNative};

use super::binary::{Binaries, BinaryId, Bytes};

/// What the unwinder remembers of code that it has met; one serves any number of spaces.
pub(in crate::sample) type Cache = CacheNative<MayAllocateDuringUnwind>;

/// Deeper stacks than the largest copy can hold are unwinding that goes in circles.
const MOST_FRAMES: usize = 8192;

/// Where a thread was.
#[derive(Clone, Copy)]
pub(in crate::sample) struct Position {
    /// Instruction pointer.
    pub(in crate::sample) pc: u64,
    /// Stack pointer.
    pub(in crate::sample) sp: u64,
    /// What the unwinder starts with.
    pub(in crate::sample) registers: UnwindRegsNative,
}

impl Position {
    /// Of a thread whose registers are known; x86-64 has no link register.
    pub(in crate::sample) fn at(pc: u64, sp: u64, fp: u64, lr: u64) -> Self {
        #[cfg(target_arch = "x86_64")]
        let (registers, _) = (UnwindRegsNative::new(pc, sp, fp), lr);
        #[cfg(target_arch = "aarch64")]
        let registers = UnwindRegsNative::new(lr, sp, fp);
        Self { pc, sp, registers }
    }

    /// Where a thread is that sleeps, if its frame pointer is `fp`: the kernel tells none.
    #[cfg(target_arch = "x86_64")]
    #[expect(clippy::unnecessary_wraps, reason = "not every processor leaves enough behind")]
    pub(in crate::sample) fn asleep(pc: u64, sp: u64, fp: u64) -> Option<Self> {
        Some(Self { pc, sp, registers: UnwindRegsNative::new(pc, sp, fp) })
    }

    /// The function that sleeps has its return address in a register here, and the kernel does not tell that either.
    #[cfg(target_arch = "aarch64")]
    pub(in crate::sample) fn asleep(_pc: u64, _sp: u64, _fp: u64) -> Option<Self> {
        None
    }
}

/// Executable mappings, by start address.
#[derive(Clone)]
pub(in crate::sample) struct Space {
    mapped: BTreeMap<u64, Mapping>,
    unwinder: UnwinderNative<Bytes, MayAllocateDuringUnwind>,
}

#[derive(Debug, Clone, Copy)]
struct Mapping {
    end: u64,
    binary: BinaryId,
    bias: u64,
}

/// A position in a file's own addresses; `None` where no known file is mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::sample) struct CodeAddress {
    pub(in crate::sample) binary: Option<BinaryId>,
    pub(in crate::sample) address: u64,
}

impl CodeAddress {
    /// Code of unknown origin (generated at run time, or mapped before we looked).
    pub(in crate::sample) const UNKNOWN: Self = Self { binary: None, address: 0 };
}

impl Space {
    pub(in crate::sample) fn new() -> Self {
        Self { mapped: BTreeMap::new(), unwinder: UnwinderNative::new() }
    }

    /// Notes that `range` now shows a file from `page_offset` on (or, without a file, something else).
    pub(in crate::sample) fn map(&mut self, range: Range<u64>, page_offset: u64, binary: Option<BinaryId>, binaries: &Binaries) {
        self.clear(&range, binaries);
        let image = binary.and_then(|id| binaries.get(id)).and_then(|binary| binary.image.as_ref());
        let bias = image.and_then(|image| image.bias(range.start, page_offset));
        if let (Some(binary), Some(bias)) = (binary, bias) {
            self.insert(range, binary, bias, binaries);
        }
    }

    fn insert(&mut self, range: Range<u64>, binary: BinaryId, bias: u64, binaries: &Binaries) {
        self.mapped.insert(range.start, Mapping { end: range.end, binary, bias });
        let Some(image) = binaries.get(binary).and_then(|binary| binary.image.as_ref()) else { return };
        let base = bias.wrapping_add(image.base());
        self.unwinder.add_module(Module::new(String::new(), range, base, image.unwind_sections()));
    }

    /// Removes what was mapped in `range`; parts outside of it stay.
    fn clear(&mut self, range: &Range<u64>, binaries: &Binaries) {
        let hit = |(&start, mapping): (&u64, &Mapping)| (mapping.end > range.start).then_some((start, *mapping));
        let overlapping: Vec<_> = self.mapped.range(..range.end).filter_map(hit).collect();
        for (start, mapping) in overlapping {
            self.mapped.remove(&start);
            self.unwinder.remove_module(start);
            for rest in [start..range.start, range.end..mapping.end] {
                if rest.start < rest.end {
                    self.insert(rest, mapping.binary, mapping.bias, binaries);
                }
            }
        }
    }

    /// Which file's code lies at an address.
    pub(in crate::sample) fn locate(&self, address: u64) -> CodeAddress {
        match self.mapped.range(..=address).next_back() {
            Some((_, mapping)) if address < mapping.end => {
                CodeAddress { binary: Some(mapping.binary), address: address.wrapping_sub(mapping.bias) }
            }
            _ => CodeAddress::UNKNOWN,
        }
    }

    /// True for an address of known code.
    pub(in crate::sample) fn has_code(&self, address: u64) -> bool {
        self.mapped.range(..=address).next_back().is_some_and(|(_, mapping)| address < mapping.end)
    }

    /// True where the instruction in front of `returns_to` says itself that it calls the function that `inside` lies in, of the same
    /// file.
    pub(in crate::sample) fn calls(&self, returns_to: u64, inside: u64, binaries: &Binaries) -> bool {
        let (from, to) = (self.locate(returns_to), self.locate(inside));
        let image = from.binary.filter(|_| from.binary == to.binary).and_then(|id| binaries.get(id)?.image.as_ref());
        image.is_some_and(|image| image.calls(from.address, to.address))
    }

    /// Walks a stack copy from the leaf outwards, appending to `out`. True when the walk ended where stacks end, false
    /// when it needed memory that was not copied or lost its way.
    pub(in crate::sample) fn unwind(
        &self,
        position: Position,
        stack: &[u8],
        cache: &mut Cache,
        out: &mut Vec<CodeAddress>,
    ) -> bool {
        self.walk(position, |address| word(stack, position.sp, address), cache, out)
    }

    /// The same with memory that is read as it is needed; `None` for what cannot be had.
    pub(in crate::sample) fn walk(
        &self,
        position: Position,
        mut read: impl FnMut(u64) -> Option<u64>,
        cache: &mut Cache,
        out: &mut Vec<CodeAddress>,
    ) -> bool {
        self.walk_from(position, |address, _| read(address), cache, out)
    }

    /// The same; `read` is told the code that the walk has come to, too.
    pub(in crate::sample) fn walk_from(
        &self,
        position: Position,
        mut read: impl FnMut(u64, u64) -> Option<u64>,
        cache: &mut Cache,
        out: &mut Vec<CodeAddress>,
    ) -> bool {
        let code = Cell::new(position.pc);
        let mut read = |address: u64| read(address, code.get()).ok_or(());
        let mut frames = self.unwinder.iter_frames(position.pc, position.registers, cache, &mut read);
        while out.len() < MOST_FRAMES {
            match frames.next() {
                Ok(Some(frame)) => {
                    code.set(frame.address_for_lookup());
                    out.push(self.locate(code.get()));
                }
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
        false
    }
}

/// The word at an address of a stack whose copy begins at `sp`; `None` where it was not copied.
pub(in crate::sample) fn word(copy: &[u8], sp: u64, address: u64) -> Option<u64> {
    let offset = usize::try_from(address.checked_sub(sp)?).ok()?;
    Some(u64::from_ne_bytes(*copy.get(offset..)?.first_chunk::<8>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binaries() -> (Binaries, BinaryId) {
        let mut binaries = Binaries::default();
        let id = binaries.id((std::env::current_exe().unwrap(), [0; 4])).unwrap();
        (binaries, id)
    }

    #[test]
    fn a_new_mapping_replaces_only_what_it_covers() {
        let (binaries, id) = binaries();
        let mut space = Space::new();
        space.insert(0x1000..0x9000, id, 0, &binaries);
        space.map(0x3000..0x5000, 0, None, &binaries);
        let known: Vec<bool> =
            [0xfff, 0x1000, 0x2fff, 0x3000, 0x4fff, 0x5000, 0x8fff, 0x9000].map(|a| space.locate(a).binary.is_some()).to_vec();
        assert_eq!(known, [false, true, true, false, false, true, true, false]);
    }

    #[test]
    fn addresses_are_told_in_the_files_own_terms() {
        let (binaries, id) = binaries();
        let mut space = Space::new();
        space.insert(0x7f00_0000..0x7f10_0000, id, 0x7e00_0000, &binaries);
        assert_eq!(space.locate(0x7f00_1234), CodeAddress { binary: Some(id), address: 0x0100_1234 });
    }

    #[test]
    fn a_walk_that_needs_more_stack_than_was_copied_is_incomplete() {
        let space = Space::new();
        #[cfg(target_arch = "x86_64")]
        let registers = UnwindRegsNative::new(0x1000, 0x8000, 0x8800);
        #[cfg(target_arch = "aarch64")]
        let registers = UnwindRegsNative::new(0x1000, 0x8000, 0x8800);
        let mut out = Vec::new();
        let position = Position { pc: 0x1000, sp: 0x8000, registers };
        assert!(!space.unwind(position, &[0; 64], &mut CacheNative::default(), &mut out));
        assert_eq!(out, [CodeAddress::UNKNOWN]);
    }
}
