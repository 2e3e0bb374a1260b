//! Names what another engine recorded, addresses or copies of stacks, with this engine's address spaces and symbolizer.

use std::path::Path;

use crate::profile::{Profile, Quality};
use crate::sample::agent::RawStack;
use crate::sample::copies::StackCopy;
use crate::sample::maps::Map;
use crate::sample::walk::{Binaries, BinaryId, Cache, CodeAddress, Position, Space, Stacks, Weighed, symbolize};

/// The profile of raw stacks, each process with its own memory map.
pub(in crate::sample) fn recorded(processes: impl IntoIterator<Item = (Vec<Map>, Vec<RawStack>)>, quality: Quality) -> Profile {
    let (mut binaries, mut stacks) = (Binaries::default(), Stacks::default());
    for (maps, raw) in processes {
        let space = space_of(maps, &mut binaries);
        for (addresses, count) in raw {
            let code: Vec<CodeAddress> = addresses
                .iter()
                .enumerate()
                .map(|(index, &address)| {
                    // The call itself, not where it returns to: that may be another line or even another function.
                    space.locate(if index == 0 { address } else { address.saturating_sub(1) })
                })
                .collect();
            stacks.add_times(&code, true, count);
        }
    }
    symbolize::profile(&binaries, &stacks, quality)
}

/// Where everything lies that a process has mapped.
fn space_of(maps: Vec<Map>, binaries: &mut Binaries) -> Space {
    let mut space = Space::new();
    for map in maps {
        let [major, minor, inode] = map.file;
        let binary = binaries.id((map.path, [major, minor, inode, 0]));
        space.map(map.range, map.offset, binary, binaries);
    }
    space
}

/// Profiles of copied stacks, one per weight. What lies in the file `taker` is left out at the leaf.
pub(in crate::sample) fn copied<const N: usize>(
    processes: Vec<(Vec<Map>, Vec<StackCopy<N>>)>,
    taker: &Path,
) -> [Option<Profile>; N] {
    let mut binaries = Binaries::default();
    let mut weighed: [Weighed; N] = std::array::from_fn(|_| Weighed::default());
    let mut cache = Cache::default();
    let taker = std::fs::canonicalize(taker).unwrap_or_else(|_| taker.to_owned());
    for (maps, copies) in processes {
        let space = space_of(maps, &mut binaries);
        let is_taker = |id: BinaryId| binaries.get(id).is_some_and(|binary| binary.path.as_ref() == Some(&taker));
        for copy in copies {
            let mut walked = Vec::new();
            let position = Position::at(copy.pc, copy.sp, copy.fp, copy.lr);
            let complete = space.unwind(position, &copy.stack, &mut cache, &mut walked);
            let own = walked.iter().take_while(|code| code.binary.is_some_and(is_taker)).count();
            let stack = walked.get(own..).unwrap_or_default();
            for (weighed, weight) in weighed.iter_mut().zip(copy.weights).filter(|(_, weight)| *weight > 0) {
                weighed.add(stack, complete, weight);
            }
        }
    }
    weighed.map(|weighed| weighed.profile(&binaries, 0, 0))
}
