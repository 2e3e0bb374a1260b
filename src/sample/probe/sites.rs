//! The addresses at which breakpoints go, and which regions each one speaks for.

use std::ops::Range;
use std::path::PathBuf;

use super::elf::{Identity, MachineCode};

/// The x86 breakpoint instruction, `int3`.
pub(super) const BREAKPOINT: u8 = 0xCC;

/// Where breakpoints go for a list of regions. Made by [`super::ProbeMap::sites`]; serves any number of runs.
#[derive(Debug, Clone)]
pub struct Sites {
    pub(super) executable: PathBuf,
    pub(super) identity: Identity,
    /// Address that the file gives as its entry.
    pub(super) entry: u64,
    /// Ascending, as the file gives them.
    addresses: Vec<u64>,
    /// The byte that a breakpoint replaces.
    originals: Vec<u8>,
    /// Regions per site.
    by_site: Groups,
    /// Sites per region.
    by_region: Groups,
}

impl Sites {
    /// `places` are pairs of address and region index.
    pub(super) fn new(
        mut places: Vec<(u64, usize)>,
        regions: usize,
        code: &MachineCode,
        executable: PathBuf,
        identity: Identity,
    ) -> Self {
        places.sort_unstable();
        places.dedup();
        let (mut addresses, mut originals, mut pairs) = (Vec::new(), Vec::new(), Vec::new());
        for (address, region) in places {
            // The program's own breakpoint instructions stay its own.
            let Some(original) = code.byte(address).filter(|&byte| byte != BREAKPOINT) else { continue };
            if addresses.last() != Some(&address) {
                addresses.push(address);
                originals.push(original);
            }
            pairs.push((addresses.len() - 1, region));
        }
        let by_site = Groups::new(addresses.len(), &pairs);
        let turned: Vec<(usize, usize)> = pairs.iter().map(|&(site, region)| (region, site)).collect();
        let by_region = Groups::new(regions, &turned);
        Self { executable, identity, entry: code.entry, addresses, originals, by_site, by_region }
    }

    /// How many breakpoints there are.
    pub fn len(&self) -> usize {
        self.addresses.len()
    }

    /// True when no region has code: a run would find nothing.
    pub fn is_empty(&self) -> bool {
        self.addresses.is_empty()
    }

    /// How many breakpoints speak for a region.
    pub fn of_region(&self, region: usize) -> usize {
        self.by_region.get(region).len()
    }

    pub(super) fn regions(&self) -> usize {
        self.by_region.len()
    }

    pub(super) fn at(&self, address: u64) -> Option<usize> {
        self.addresses.binary_search(&address).ok()
    }

    pub(super) fn address(&self, site: usize) -> Option<u64> {
        self.addresses.get(site).copied()
    }

    pub(super) fn original(&self, site: usize) -> Option<u8> {
        self.originals.get(site).copied()
    }

    pub(super) fn regions_of(&self, site: usize) -> &[usize] {
        self.by_site.get(site)
    }

    pub(super) fn sites_of(&self, region: usize) -> &[usize] {
        self.by_region.get(region)
    }
}

/// Lists of numbers, one behind the other.
#[derive(Debug, Clone)]
struct Groups {
    ranges: Vec<Range<usize>>,
    members: Vec<usize>,
}

impl Groups {
    fn new(count: usize, pairs: &[(usize, usize)]) -> Self {
        let mut sorted = pairs.to_vec();
        sorted.sort_unstable();
        let mut ranges = vec![0..0; count];
        for (position, &(group, _)) in sorted.iter().enumerate() {
            if let Some(range) = ranges.get_mut(group) {
                let start = if range.end == 0 { position } else { range.start };
                *range = start..position + 1;
            }
        }
        Self { ranges, members: sorted.into_iter().map(|(_, member)| member).collect() }
    }

    fn len(&self) -> usize {
        self.ranges.len()
    }

    fn get(&self, group: usize) -> &[usize] {
        self.ranges.get(group).and_then(|range| self.members.get(range.clone())).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_pair_is_found_in_its_group(pairs in proptest::collection::btree_set((0usize..8, 0usize..8), 0..30)) {
            let pairs: Vec<_> = pairs.into_iter().collect();
            let groups = Groups::new(8, &pairs);
            let back: Vec<_> = (0..8).flat_map(|group| groups.get(group).iter().map(move |&member| (group, member))).collect();
            prop_assert_eq!(back, pairs);
            prop_assert!(groups.get(8).is_empty());
        }
    }
}
