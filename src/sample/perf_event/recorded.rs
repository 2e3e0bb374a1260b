//! Names addresses that another engine recorded, with this engine's address spaces and symbolizer.

use crate::profile::{Profile, Quality};
use crate::sample::agent::RawStack;
use crate::sample::maps::Map;
use crate::sample::walk::{Binaries, CodeAddress, Space, Stacks, symbolize};

/// The profile of raw stacks, each process with its own memory map.
pub(in crate::sample) fn recorded(processes: impl IntoIterator<Item = (Vec<Map>, Vec<RawStack>)>, quality: Quality) -> Profile {
    let (mut binaries, mut stacks) = (Binaries::default(), Stacks::default());
    for (maps, raw) in processes {
        let mut space = Space::new();
        for map in maps {
            let [major, minor, inode] = map.file;
            let binary = binaries.id((map.path, [major, minor, inode, 0]));
            space.map(map.range, map.offset, binary, &binaries);
        }
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
