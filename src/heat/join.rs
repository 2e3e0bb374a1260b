//! Every frame to its item, every stack once.

use std::collections::HashMap;

use super::foreign::Match;
use super::origin::{self, Origin};
use super::path::{Location, PathMapper, Resolver};
use super::share::{ItemShare, Share};
use crate::profile::{Frame, Profile, Stack};
use crate::source::{ItemId, ItemKind, Reach, Tree};

/// Something that samples are counted for: an item of the tree (ids below the number of items), or a function without one.
pub(super) type GroupId = u32;

/// No group.
const NONE: GroupId = GroupId::MAX;

/// What a frame belongs to. A frame inside a `macro_rules!` body belongs to the macro and to the function (or call) that it is part of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Groups([GroupId; 2]);

impl Groups {
    pub(super) fn iter(self) -> impl Iterator<Item = GroupId> {
        self.0.into_iter().filter(|&group| group != NONE)
    }

    pub(super) fn contains(self, group: GroupId) -> bool {
        self.0.contains(&group)
    }
}

/// A profile joined with the tree of the side that it was taken from.
#[derive(Debug)]
pub struct Joined<'a> {
    pub(super) profile: &'a Profile,
    pub(super) tree: &'a Tree,
    pub(super) locations: HashMap<&'a str, Location>,
    /// For every frame.
    pub(super) groups: Vec<Groups>,
    /// For every frame.
    pub(super) origins: Vec<Origin>,
    /// For every frame of a program that was built elsewhere, how it found its items; empty otherwise.
    pub(super) matches: Vec<Match>,
    /// A frame of every group beyond the items, for its name.
    pub(super) functions: Vec<&'a Frame>,
    pub(super) function_origins: Vec<Origin>,
    pub(super) counts: Counts,
    samples: u64,
}

/// Samples for every group.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// The leaf frame is in it.
    pub(super) leaf: Vec<u64>,
    /// It is the leaf-most item.
    pub(super) owned: Vec<u64>,
    /// Any frame is in it.
    pub(super) total: Vec<u64>,
}

/// Joins a profile with its side's tree: each frame by file and line with the innermost item, else by its qualified name.
/// Takes time in the order of distinct frames plus the summed length of distinct stacks.
pub fn join<'a>(profile: &'a Profile, tree: &'a Tree, mapper: &PathMapper) -> Joined<'a> {
    let resolver = mapper.resolver(tree);
    let mut joined = Joined {
        profile,
        tree,
        locations: HashMap::new(),
        groups: Vec::with_capacity(profile.frames.len()),
        origins: Vec::with_capacity(profile.frames.len()),
        matches: Vec::new(),
        functions: Vec::new(),
        function_origins: Vec::new(),
        counts: Counts::default(),
        samples: profile.samples(),
    };
    let mut names: HashMap<&str, GroupId> = HashMap::new();
    if let Some(foreign) = mapper.elsewhere() {
        joined.locations = foreign.locations(profile.frames.iter().filter_map(|frame| frame.file.as_deref()));
    }
    for frame in &profile.frames {
        joined.add_frame(frame, &resolver, &mut names);
    }
    joined.counts = joined.count();
    joined
}

impl<'a> Joined<'a> {
    fn add_frame(&mut self, frame: &'a Frame, resolver: &Resolver<'_>, names: &mut HashMap<&'a str, GroupId>) {
        let tree = self.tree;
        let location = frame.file.as_deref().map(|file| &*self.locations.entry(file).or_insert_with(|| resolver.locate(file)));
        let items = match resolver.elsewhere() {
            Some(foreign) => {
                let (items, how) = foreign.items_of(frame, location, tree);
                self.matches.push(how);
                items
            }
            None => items_of(frame, location, tree),
        };
        let origin = if items == [None, None] { origin::of(frame, location, tree) } else { Origin::Workspace };
        let groups = match items {
            [None, None] => {
                let next = (tree.items().len() + self.functions.len()) as GroupId;
                let group = *names.entry(&frame.function).or_insert(next);
                if group == next {
                    self.functions.push(frame);
                    self.function_origins.push(origin.clone());
                }
                [group, NONE]
            }
            [first, second] => [first.unwrap_or(NONE), second.unwrap_or(NONE)],
        };
        self.groups.push(Groups(groups));
        self.origins.push(origin);
    }

    fn count(&self) -> Counts {
        let items = self.tree.items().len();
        let groups = items + self.functions.len();
        let mut counts = Counts { leaf: vec![0; groups], owned: vec![0; groups], total: vec![0; groups] };
        let mut seen_in = vec![usize::MAX; groups];
        for (at, stack) in self.profile.stacks.iter().enumerate() {
            let mut owned = false;
            for (depth, frame) in stack.frames.iter().enumerate() {
                let Some(groups) = self.groups.get(*frame as usize) else { continue };
                let mut is_item = false;
                for group in groups.iter().map(|group| group as usize) {
                    is_item |= group < items;
                    let Some(seen) = seen_in.get_mut(group) else { continue };
                    if *seen != at {
                        *seen = at;
                        add(&mut counts.total, group, stack.count);
                    }
                    if depth == 0 {
                        add(&mut counts.leaf, group, stack.count);
                    }
                    if is_item && !owned {
                        add(&mut counts.owned, group, stack.count);
                    }
                }
                owned |= is_item;
            }
        }
        counts
    }

    /// Samples of the workload.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// What an item holds, by its key in this side's tree; nothing (of all samples) for one that no frame belongs to.
    pub fn share(&self, key: &str) -> ItemShare {
        self.tree.id(key).map_or_else(|| self.group_share(NONE), |id| self.group_share(id))
    }

    /// Every item that any sample shows, by index.
    pub fn items(&self) -> impl Iterator<Item = (ItemId, ItemShare)> {
        let items = self.counts.total.iter().take(self.tree.items().len()).enumerate();
        items.filter(|(_, hits)| **hits > 0).map(|(id, _)| (id as ItemId, self.group_share(id as ItemId)))
    }

    /// The share of samples that an effect of this reach could show in. [`Reach::Item`] is not answered here: use [`Joined::share`].
    pub fn reached_by(&self, reach: &Reach) -> Share {
        self.union(&[], std::slice::from_ref(reach))
    }

    /// The share of samples that show any of these items (by key), or in which an effect of one of these reaches could show.
    /// Each sample counts once.
    pub fn union(&self, keys: &[&str], reaches: &[Reach]) -> Share {
        let items: Vec<ItemId> = keys.iter().filter_map(|key| self.tree.id(key)).collect();
        let fits = |at: usize, frame: &Frame, origin: &Origin| {
            let groups = self.groups.get(at);
            groups.is_some_and(|groups| items.iter().any(|&item| groups.contains(item)))
                || reaches.iter().any(|reach| self.is_reached(reach, frame, origin))
        };
        let frames = self.profile.frames.iter().zip(&self.origins).enumerate();
        let marked: Vec<bool> = frames.map(|(at, (frame, origin))| fits(at, frame, origin)).collect();
        let through = |stack: &&Stack| stack.frames.iter().any(|&frame| marked.get(frame as usize) == Some(&true));
        self.share_of_count(self.profile.stacks.iter().filter(through).map(|stack| stack.count).sum())
    }

    pub(super) fn is_reached(&self, reach: &Reach, frame: &Frame, origin: &Origin) -> bool {
        match reach {
            Reach::Item => false,
            Reach::Everything => true,
            Reach::File(file) => match frame.file.as_deref().and_then(|f| self.locations.get(f)) {
                Some(Location::Repository(path) | Location::Probably(path)) => path == file,
                _ => false,
            },
            Reach::Crates(crates) => {
                let by_file = matches!(origin, Origin::Dependency(name) if crates.contains(&name.replace('-', "_")));
                by_file || origin::crate_of(&frame.function).is_some_and(|name| crates.iter().any(|c| c == name))
            }
        }
    }

    /// The share that this part of all counts is.
    pub(super) fn share_of_count(&self, count: u64) -> Share {
        let share = match self.profile.records {
            Some(records) => Share::weighed(count, self.samples, records),
            None => Share::new(count, self.samples),
        };
        share.with_unseen(self.profile.quality.unseen())
    }

    pub(super) fn group_share(&self, group: GroupId) -> ItemShare {
        let share = |counts: &[u64]| self.share_of_count(counts.get(group as usize).copied().unwrap_or(0));
        ItemShare { self_share: share(&self.counts.leaf), owned: share(&self.counts.owned), total: share(&self.counts.total) }
    }
}

fn add(counts: &mut [u64], group: usize, count: u64) {
    if let Some(slot) = counts.get_mut(group) {
        *slot += count;
    }
}

/// The items that a frame belongs to.
fn items_of(frame: &Frame, location: Option<&Location>, tree: &Tree) -> [Option<ItemId>; 2] {
    let is_ours = || origin::crate_of(&frame.function).is_some_and(|name| tree.has_crate(name));
    let file = match location {
        Some(Location::Repository(path)) => Some(path),
        Some(Location::Probably(path)) if is_ours() => Some(path),
        _ => None,
    };
    let by_line = file.zip(frame.line).and_then(|(file, line)| tree.innermost_id(file, line));
    let is_macro = |id: ItemId| tree.get(id).is_some_and(|item| item.kind == ItemKind::MacroRules);
    match by_line {
        // The compiler gives code from a macro the macro's lines; the name still says which function it became part of.
        Some(id) if is_macro(id) => [Some(id), tree.by_name_id(&frame.function).filter(|&named| named != id)],
        Some(id) => [Some(id), None],
        None => [tree.by_name_id(&frame.function), None],
    }
}
