//! Who in the workspace a stack's time is spent for: the function that asked std or a dependency to do it.
//!
//! Does not know what the time is spent on.

use super::join::Joined;
use super::share::Share;
use crate::profile::{Profile, Stack};
use crate::source::{Item, ItemId, ItemKind};

/// A workspace item on a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The item.
    pub item: ItemId,
    /// Where its frame stands in the stack, counted from the leaf.
    pub at: usize,
}

/// Traits whose methods std and dependencies call back: who asked for a hash, a comparison or a copy is further out.
const CALLED_BACK: [&str; 7] = [
    " as core::hash::Hash::",
    " as core::clone::Clone::",
    " as core::cmp::",
    " as core::fmt::",
    " as core::ops::drop::Drop::",
    " as serde::",
    " as serde_core::",
];

impl<'a> Joined<'a> {
    /// The workspace's innermost item of a stack; `None` where no frame is the workspace's.
    pub fn owner(&self, stack: &Stack) -> Option<Owner> {
        (0..stack.frames.len()).find_map(|at| Some(Owner { item: self.item_at(stack, at)?, at }))
    }

    /// The item that asked for what a stack does, where std or a dependency called back into the workspace: the outermost frame of
    /// the item whose closure was called, or the caller of a comparison, hash, copy or the like. Equals [`Self::owner`] elsewhere.
    pub fn asker(&self, stack: &Stack) -> Option<Owner> {
        let mut asker = self.owner(stack)?;
        while let Some(next) = self.next_item(stack, asker.at) {
            let was_called_back = next.at > asker.at + 1 && self.is_called_back(stack, asker.at);
            if next.item != asker.item && !was_called_back {
                break;
            }
            asker = next;
        }
        Some(asker)
    }

    /// The item that an owner stands for.
    pub fn item(&self, owner: ItemId) -> Option<&'a Item> {
        self.tree.get(owner)
    }

    /// The profile that was joined.
    pub fn profile(&self) -> &'a Profile {
        self.profile
    }

    /// The share that this part of all samples is.
    pub fn portion(&self, count: u64) -> Share {
        self.share_of_count(count)
    }

    /// A frame's file as reports show it: relative to the repository root where it is in it.
    pub fn shown(&self, file: &str) -> String {
        self.shown_file(file)
    }

    fn next_item(&self, stack: &Stack, after: usize) -> Option<Owner> {
        (after + 1..stack.frames.len()).find_map(|at| Some(Owner { item: self.item_at(stack, at)?, at }))
    }

    fn is_called_back(&self, stack: &Stack, at: usize) -> bool {
        let frame = stack.frames.get(at).and_then(|&id| self.profile.frames.get(id as usize));
        frame.is_some_and(|frame| CALLED_BACK.iter().any(|name| frame.function.contains(name)))
    }

    /// The function rather than the macro that a frame belongs to.
    fn item_at(&self, stack: &Stack, at: usize) -> Option<ItemId> {
        let groups = self.groups.get(*stack.frames.get(at)? as usize)?;
        let items: Vec<ItemId> = groups.iter().filter(|&group| self.tree.get(group).is_some()).collect();
        let is_macro = |id: &ItemId| self.tree.get(*id).is_some_and(|item| item.kind == ItemKind::MacroRules);
        items.iter().copied().find(|id| !is_macro(id)).or(items.first().copied())
    }
}
