//! The few items of the workspace that carry most of a workload, each with the heaviest stack that it answers for.

use super::join::Joined;
use super::share::Share;
use super::stacks::StackExcerpt;
use crate::source::ItemId;

/// Owners together carry this much, or as much as there is.
const MOST: f64 = 0.8;
/// More of them are no answer.
const FEW: usize = 5;
/// What holds less is not worth a look, whatever the others hold.
const LEAST: f64 = 0.01;
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
    /// The owners that carry most of the samples, largest first: as many as hold 80 % together, at most five, none of less than 1 %
    /// by its interval.
    pub fn owners(&self) -> Vec<HotOwner> {
        let mut all: Vec<(ItemId, Share)> =
            self.items().map(|(id, share)| (id, share.owned)).filter(|(_, owned)| owned.low >= LEAST).collect();
        all.sort_by(|a, b| b.1.share.total_cmp(&a.1.share).then(a.0.cmp(&b.0)));
        let mut carried = 0.0;
        let few = all.into_iter().take(FEW).take_while(|(_, owned)| {
            let wanted = carried < MOST;
            carried += owned.share;
            wanted
        });
        few.map(|(item, share)| HotOwner { item, share, stack: self.stacks_owned(item, FRAMES, 1).into_iter().next() }).collect()
    }
}
