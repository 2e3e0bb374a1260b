//! Counts equal stacks while the workload runs, so that memory does not grow with its length.

use std::collections::HashMap;

use super::space::CodeAddress;

/// Index of a distinct address.
pub(in crate::sample) type AddressId = u32;

/// Every distinct address and stack that was sampled.
#[derive(Default)]
pub(in crate::sample) struct Stacks {
    ids: HashMap<CodeAddress, AddressId>,
    addresses: Vec<CodeAddress>,
    counts: HashMap<(Box<[AddressId]>, bool), u64>,
}

impl Stacks {
    /// Counts one stack, leaf first; `complete` when it reached a root.
    pub(in crate::sample) fn add(&mut self, stack: &[CodeAddress], complete: bool) {
        self.add_times(stack, complete, 1);
    }

    /// Counts a stack that was seen several times.
    pub(in crate::sample) fn add_times(&mut self, stack: &[CodeAddress], complete: bool, count: u64) {
        let ids = stack.iter().map(|&address| self.address_id(address)).collect();
        *self.counts.entry((ids, complete)).or_insert(0) += count;
    }

    fn address_id(&mut self, address: CodeAddress) -> AddressId {
        *self.ids.entry(address).or_insert_with(|| {
            self.addresses.push(address);
            self.addresses.len() as AddressId - 1
        })
    }

    /// Stacks counted.
    pub(in crate::sample) fn samples(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Every distinct address, by id.
    pub(in crate::sample) fn addresses(&self) -> &[CodeAddress] {
        &self.addresses
    }

    /// Every distinct stack with its completeness and count.
    pub(in crate::sample) fn iter(&self) -> impl Iterator<Item = (&[AddressId], bool, u64)> {
        self.counts.iter().map(|((stack, complete), count)| (&**stack, *complete, *count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_stacks_are_counted_together_and_incomplete_ones_apart() {
        let at = |address| CodeAddress { binary: Some(0), address };
        let mut stacks = Stacks::default();
        stacks.add(&[at(1), at(2)], true);
        stacks.add(&[at(1), at(2)], true);
        stacks.add(&[at(1), at(2)], false);
        let mut counts: Vec<_> = stacks.iter().map(|(_, complete, count)| (complete, count)).collect();
        counts.sort_unstable();
        assert_eq!(counts, [(false, 1), (true, 2)]);
        assert_eq!((stacks.addresses().len(), stacks.samples()), (2, 3));
    }
}
