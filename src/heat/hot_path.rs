//! Where a workload spends its time: items of the workspace, and functions of everything else by name.

use std::collections::{HashMap, HashSet};

use super::{Joined, Origin, PathMapper, Tree};
use crate::profile::{Frame, Profile, Share};

/// One line of a hot path.
#[derive(Debug, Clone, PartialEq)]
pub struct HotFunction {
    /// Item path, or normalized function name outside of the workspace.
    pub name: String,
    /// `workspace`, `dependency`, `std` or `system`.
    pub origin: &'static str,
    /// Repository-relative file of a workspace item; the dependency's name for its functions.
    pub file: Option<String>,
    /// First line of a workspace item.
    pub line: Option<u32>,
    /// Share at the leaf.
    pub self_share: Share,
    /// Share anywhere on the stack.
    pub total: Share,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Who {
    Item(usize),
    Function(String),
}

/// The `most` functions with the largest self share, at least one per cent each.
pub fn hot_path(profile: &Profile, joined: &Joined, tree: &Tree, mapper: &PathMapper, most: usize) -> Vec<HotFunction> {
    let who: Vec<Who> = (0..profile.frames.len() as u32).map(|id| who(profile, joined, id)).collect();
    let mut selfs: HashMap<&Who, u64> = HashMap::new();
    let mut totals: HashMap<&Who, u64> = HashMap::new();
    let mut example: HashMap<&Who, &Frame> = HashMap::new();
    for stack in &profile.stacks {
        let mut seen = HashSet::new();
        for (depth, &id) in stack.frames.iter().enumerate() {
            let (Some(who), Some(frame)) = (who.get(id as usize), profile.frames.get(id as usize)) else { continue };
            if depth == 0 {
                *selfs.entry(who).or_default() += stack.count;
            }
            if seen.insert(who) {
                *totals.entry(who).or_default() += stack.count;
            }
            example.entry(who).or_insert(frame);
        }
    }
    let samples = profile.samples();
    let line = |who: &&Who, hits: u64| {
        let total = totals.get(who).copied().unwrap_or(0);
        describe(who, example.get(who).copied(), tree, mapper, Share::new(hits, samples), Share::new(total, samples))
    };
    let mut lines: Vec<HotFunction> = selfs.iter().filter(|(_, hits)| **hits * 100 >= samples).map(|(who, hits)| line(who, *hits)).collect();
    lines.sort_by(|a, b| b.self_share.hits.cmp(&a.self_share.hits).then_with(|| a.name.cmp(&b.name)));
    lines.truncate(most);
    lines
}

fn who(profile: &Profile, joined: &Joined, id: u32) -> Who {
    // Of a macro and the function around it, the function is what people look for.
    match joined.items_of_frame(id).last() {
        Some(item) => Who::Item(item),
        None => Who::Function(profile.frames.get(id as usize).map_or_else(String::new, |frame| frame.function.clone())),
    }
}

fn describe(who: &Who, frame: Option<&Frame>, tree: &Tree, mapper: &PathMapper, own: Share, total: Share) -> HotFunction {
    if let Who::Item(index) = who
        && let Some(item) = tree.get(*index)
    {
        return HotFunction {
            name: item.path.clone(),
            origin: "workspace",
            file: Some(item.file.to_string()),
            line: Some(item.body_lines.0),
            self_share: own,
            total,
        };
    }
    let name = match who {
        Who::Function(name) => name.clone(),
        Who::Item(_) => "[unknown]".into(),
    };
    let (origin, file) = match frame.and_then(|frame| frame.file.as_deref()).map(|file| mapper.origin(file)) {
        Some(Origin::Workspace(file)) => ("workspace", Some(file.to_string())),
        Some(Origin::Dependency(package)) => ("dependency", Some(package)),
        Some(Origin::Std) => ("std", None),
        Some(Origin::System) | None => ("system", None),
    };
    HotFunction { name, origin, file, line: None, self_share: own, total }
}

/// The heaviest stacks that show an item, leaf first, cut to `depth` frames around it: function names and their samples.
pub fn stacks_through(profile: &Profile, joined: &Joined, item: usize, most: usize, depth: usize) -> Vec<(Vec<String>, u64)> {
    let mut found = Vec::new();
    for stack in &profile.stacks {
        let Some(at) = stack.frames.iter().position(|&id| joined.items_of_frame(id).any(|found| found == item)) else { continue };
        let first = (at + 1).saturating_sub(depth / 2);
        let names = stack.frames.iter().skip(first).take(depth).filter_map(|&id| profile.frames.get(id as usize));
        found.push((names.map(|frame| frame.function.clone()).collect(), stack.count));
        if found.len() == most {
            break;
        }
    }
    found
}
