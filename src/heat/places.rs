//! The stacks of a profile by place: which item of the workspace answers for them, what it called elsewhere, and the changed item
//! that they go through. Every sample is in one place, so that places add up to the whole.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::join::Joined;
use crate::profile::Stack;
use crate::source::{ItemId, ItemKind};

/// Where a sample was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Key of the workspace's innermost item; `None` where no frame is the workspace's.
    pub owner: Option<String>,
    /// The function elsewhere that the owner called, whatever that called in turn; `None` in the owner's own code. Without an owner,
    /// the innermost function.
    pub callee: Option<String>,
}

/// What of the change a stack shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Through {
    /// The changed item that is nearest to the leaf, by its number.
    Change(usize),
    /// No changed item.
    Nothing,
}

/// The samples of one side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// Samples of the workload.
    pub samples: u64,
    /// Of those, by place and by what of the change they show.
    pub counts: BTreeMap<Place, BTreeMap<Through, u64>>,
}

impl Places {
    /// Adds samples.
    pub fn add(&mut self, place: Place, through: Through, count: u64) {
        self.samples += count;
        *self.counts.entry(place).or_default().entry(through).or_insert(0) += count;
    }
}

/// What turns the names of one side into those of both.
pub struct Naming<'n> {
    /// The key that an item has on both sides, for those that have another one there.
    pub keys: &'n HashMap<String, String>,
    /// The name that stands for a function that shares its code with others.
    pub functions: &'n HashMap<String, String>,
}

impl Joined<'_> {
    /// Every sample in its place. `changed`: the number of the change of each changed item; `ambient`: the number of the change that
    /// reaches a frame although it is no item's, if one does.
    pub fn places(
        &self,
        naming: &Naming<'_>,
        changed: &HashMap<ItemId, usize>,
        ambient: impl Fn(usize) -> Option<usize>,
    ) -> Places {
        let of_frame: Vec<(Option<ItemId>, Option<usize>, Option<usize>)> = (0..self.profile.frames.len())
            .map(|frame| (self.item_of(frame), self.change_of(frame, changed), ambient(frame)))
            .collect();
        let mut places = Places::default();
        for stack in &self.profile.stacks {
            let frames = || stack.frames.iter().filter_map(|&frame| of_frame.get(frame as usize));
            let owner_at = frames().position(|(item, ..)| item.is_some());
            let owner = frames().find_map(|(item, ..)| *item).and_then(|id| self.tree.get(id));
            let of_item = frames().find_map(|(_, change, _)| *change);
            let through = of_item.or_else(|| frames().find_map(|(.., ambient)| *ambient));
            let place = Place {
                owner: owner.map(|item| naming.keys.get(&item.key).unwrap_or(&item.key).clone()),
                callee: self
                    .callee(stack, owner_at)
                    .map(|name| naming.functions.get(name).map_or(name, String::as_str).to_owned()),
            };
            places.add(place, through.map_or(Through::Nothing, Through::Change), stack.count);
        }
        places
    }

    /// The function that the owner called; the innermost one without an owner.
    fn callee(&self, stack: &Stack, owner_at: Option<usize>) -> Option<&str> {
        let at = match owner_at {
            Some(at) => at.checked_sub(1)?,
            None => 0,
        };
        let frame = *stack.frames.get(at)?;
        self.profile.frames.get(frame as usize).map(|frame| frame.function.as_str())
    }

    /// The item of a frame; the function that a macro's code became part of, where the frame is in both.
    pub(super) fn item_of(&self, frame: usize) -> Option<ItemId> {
        let groups = self.groups.get(frame)?;
        let items = || groups.iter().filter(|&group| self.tree.get(group).is_some());
        let is_macro = |id: &ItemId| self.tree.get(*id).is_some_and(|item| item.kind == ItemKind::MacroRules);
        items().find(|id| !is_macro(id)).or_else(|| items().next())
    }

    fn change_of(&self, frame: usize, changed: &HashMap<ItemId, usize>) -> Option<usize> {
        self.groups.get(frame)?.iter().find_map(|group| changed.get(&group).copied())
    }

    /// True where some stack holds both items, given by their keys.
    pub fn share_a_stack(&self, one: &str, other: &str) -> bool {
        let Some((one, other)) = self.tree.id(one).zip(self.tree.id(other)) else { return false };
        self.profile.stacks.iter().any(|stack| {
            let holds = |item: ItemId| stack.frames.iter().any(|&frame| self.item_of(frame as usize) == Some(item));
            holds(one) && holds(other)
        })
    }

    /// True when an effect of this reach could show in a frame.
    pub fn reaches_frame(&self, reach: &crate::source::Reach, frame: usize) -> bool {
        let pair = self.profile.frames.get(frame).zip(self.origins.get(frame));
        pair.is_some_and(|(frame, origin)| self.is_reached(reach, frame, origin))
    }

    /// The names of all functions on the stacks.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        self.profile.frames.iter().map(|frame| frame.function.as_str())
    }

    /// Share of the samples that show any of these functions.
    pub fn share_of_functions(&self, names: &BTreeSet<&str>) -> f64 {
        let of: Vec<bool> = self.functions().map(|name| names.contains(name)).collect();
        let shows = |stack: &&Stack| stack.frames.iter().any(|&frame| of.get(frame as usize) == Some(&true));
        self.share_of_count(self.profile.stacks.iter().filter(shows).map(|stack| stack.count).sum()).share
    }

    /// True when a function of this name is on any stack.
    pub fn shows_function(&self, name: &str) -> bool {
        self.profile.frames.iter().any(|frame| frame.function == name)
    }

    /// The names that one stands for, where functions share their code: the first of them all.
    pub fn shared_names(&self) -> HashMap<String, String> {
        let mut names = HashMap::new();
        for alias in &self.profile.aliases {
            let all = || alias.others.iter().chain(std::iter::once(&alias.function));
            if let Some(first) = all().min() {
                names.extend(all().map(|name| (name.clone(), first.clone())));
            }
        }
        names
    }
}
