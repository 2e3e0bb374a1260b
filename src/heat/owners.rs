//! The few items of the workspace that carry most of a workload, each with the heaviest stack that it answers for.

use super::join::Joined;
use super::share::Share;
use super::stacks::StackExcerpt;
use crate::source::ItemId;

/// Frames of a stack.
const FRAMES: usize = 8;

/// One owner.
#[derive(Debug, Clone, PartialEq)]
pub struct HotOwner {
    /// The item.
    pub item: ItemId,
    /// Samples in which it is the workspace's innermost item.
    pub share: Share,
    /// The heaviest stack of those.
    pub stack: Option<StackExcerpt>,
}

impl Joined<'_> {
    /// The `most` items that own the most samples, largest first.
    pub fn owners(&self, most: usize) -> Vec<HotOwner> {
        let mut all: Vec<(ItemId, Share)> =
            self.items().map(|(id, share)| (id, share.owned)).filter(|(_, owned)| owned.hits > 0).collect();
        all.sort_by(|a, b| b.1.share.total_cmp(&a.1.share).then(a.0.cmp(&b.0)));
        all.truncate(most);
        let owner = |(item, share)| HotOwner { item, share, stack: self.stacks_owned(item, FRAMES, 1).into_iter().next() };
        all.into_iter().map(owner).collect()
    }
}
