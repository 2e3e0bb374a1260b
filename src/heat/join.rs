//! Which samples show which item.

use std::collections::{HashMap, HashSet};

use super::{Origin, PathMapper, Tree};
use crate::profile::{Profile, Share};

/// A profile joined with the tree of its own side.
#[derive(Debug, Clone)]
pub struct Joined {
    /// Items of each frame: by line, and by name where the line belongs to a macro.
    frames: Vec<[Option<usize>; 2]>,
    selfs: HashMap<usize, u64>,
    totals: HashMap<usize, u64>,
    samples: u64,
}

impl Joined {
    /// Joins; linear in distinct frames plus the lengths of distinct stacks.
    pub fn new(profile: &Profile, tree: &Tree, mapper: &PathMapper) -> Self {
        let frames: Vec<[Option<usize>; 2]> = profile.frames.iter().map(|frame| items_of(frame, tree, mapper)).collect();
        let mut joined = Self { frames, selfs: HashMap::new(), totals: HashMap::new(), samples: profile.samples() };
        let mut seen = HashSet::new();
        for stack in &profile.stacks {
            seen.clear();
            for (depth, &frame) in stack.frames.iter().enumerate() {
                for item in joined.frames.get(frame as usize).into_iter().flatten().flatten() {
                    if depth == 0 {
                        *joined.selfs.entry(*item).or_default() += stack.count;
                    }
                    if seen.insert(*item) {
                        *joined.totals.entry(*item).or_default() += stack.count;
                    }
                }
            }
        }
        joined
    }

    /// Samples of the profile.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// Share of samples with the item anywhere on the stack, counted once per stack.
    pub fn total(&self, item: usize) -> Share {
        Share::new(self.totals.get(&item).copied().unwrap_or(0), self.samples)
    }

    /// Share of samples with the item at the leaf.
    pub fn self_share(&self, item: usize) -> Share {
        Share::new(self.selfs.get(&item).copied().unwrap_or(0), self.samples)
    }

    /// Share of samples with any of the items, or a frame that `also` accepts, on the stack.
    pub fn union(&self, profile: &Profile, items: &HashSet<usize>, also: impl Fn(usize) -> bool) -> Share {
        let wanted: Vec<bool> = self
            .frames
            .iter()
            .enumerate()
            .map(|(index, found)| found.iter().flatten().any(|item| items.contains(item)) || also(index))
            .collect();
        let shows = |frames: &[u32]| frames.iter().any(|&frame| wanted.get(frame as usize).copied().unwrap_or(false));
        let hits = profile.stacks.iter().filter(|stack| shows(&stack.frames)).map(|stack| stack.count).sum();
        Share::new(hits, self.samples)
    }

    /// The items of a frame.
    pub fn items_of_frame(&self, frame: u32) -> impl Iterator<Item = usize> + '_ {
        self.frames.get(frame as usize).into_iter().flatten().flatten().copied()
    }

    /// Every item that some sample shows.
    pub fn items(&self) -> impl Iterator<Item = usize> + '_ {
        self.totals.keys().copied()
    }
}

fn items_of(frame: &crate::profile::Frame, tree: &Tree, mapper: &PathMapper) -> [Option<usize>; 2] {
    let origin = frame.file.as_deref().map(|file| mapper.origin(file));
    let by_line = match (&origin, frame.line) {
        (Some(Origin::Workspace(file)), Some(line)) => tree.innermost(file, line),
        _ => None,
    };
    // Code of a dependency or of std may be named like ours (`new`, `fmt`), but it is not ours.
    let foreign = matches!(origin, Some(Origin::Dependency(_) | Origin::Std));
    let in_macro = by_line.and_then(|index| tree.get(index)).is_some_and(|item| is_macro(item.kind));
    if by_line.is_some() && !in_macro || foreign {
        return [by_line, None];
    }
    let by_name = tree.by_name(&frame.function).filter(|index| Some(*index) != by_line);
    [by_line, by_name]
}

fn is_macro(kind: crate::source::ItemKind) -> bool {
    use crate::source::ItemKind;
    matches!(kind, ItemKind::MacroRules | ItemKind::MacroCall)
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;
    use proptest::prelude::*;

    use super::super::tree::tests::item;
    use super::*;
    use crate::profile::model::ProfileBuilder;
    use crate::profile::{Engine, Frame, Quality};
    use crate::source::ItemKind;

    fn frame(function: &str, line: Option<u32>) -> Frame {
        Frame {
            function: function.into(),
            file: Some("/r/src/lib.rs".into()),
            line,
            module: "exe".into(),
            inlined: false,
        }
    }

    fn quality(samples: u64) -> Quality {
        Quality { engine: Engine::PerfEvent, samples, frequency: 999, lost: 0, truncated: 0, cpu_ns: None, wall_ns: 0 }
    }

    fn profile(stacks: &[(&[(&str, Option<u32>)], u64)]) -> Profile {
        let mut builder = ProfileBuilder::new();
        let mut samples = 0;
        for (frames, count) in stacks {
            let ids = frames.iter().map(|(name, line)| builder.frame(frame(name, *line))).collect();
            builder.stack(ids, *count);
            samples += count;
        }
        builder.finish(quality(samples))
    }

    fn tree() -> Tree {
        Tree::new([
            item("c::hot", "src/lib.rs", (1, 10), ItemKind::Function),
            item("c::caller", "src/lib.rs", (12, 20), ItemKind::Function),
            item("c::step", "src/lib.rs", (22, 25), ItemKind::MacroRules),
        ])
    }

    fn join(profile: &Profile) -> Joined {
        Joined::new(profile, &tree(), &PathMapper::new(Utf8Path::new("/r"), []))
    }

    #[test]
    fn recursion_counts_once_per_stack() {
        let profile = profile(&[(&[("c::hot", Some(3)), ("c::hot", Some(4)), ("c::caller", Some(13))], 10), (&[("main", Some(99))], 30)]);
        let joined = join(&profile);
        assert_eq!((joined.total(0).hits, joined.self_share(0).hits, joined.total(1).hits, joined.self_share(1).hits), (10, 10, 10, 0));
        assert_eq!(joined.samples(), 40);
    }

    #[test]
    fn line_zero_falls_back_to_the_name() {
        let joined = join(&profile(&[(&[("c::hot", None)], 5)]));
        assert_eq!(joined.total(0).hits, 5);
    }

    #[test]
    fn a_line_in_a_macro_counts_for_the_macro_and_for_its_function() {
        let joined = join(&profile(&[(&[("c::hot", Some(23))], 5)]));
        assert_eq!((joined.total(2).hits, joined.total(0).hits), (5, 5));
    }

    #[test]
    fn a_union_counts_a_stack_once() {
        let profile = profile(&[(&[("c::hot", Some(3)), ("c::caller", Some(13))], 7), (&[("c::caller", Some(14))], 2), (&[("x", Some(90))], 1)]);
        let union = join(&profile).union(&profile, &HashSet::from([0, 1]), |_| false);
        assert_eq!((union.hits, union.samples), (9, 10));
    }

    proptest! {
        #[test]
        fn self_is_at_most_total_and_total_at_most_all(counts in proptest::collection::vec((0u32..30, 0u32..30, 1u64..50), 1..20)) {
            let stacks: Vec<Vec<(&str, Option<u32>)>> = counts.iter().map(|(a, b, _)| vec![("f", Some(*a)), ("g", Some(*b))]).collect();
            let with: Vec<(&[(&str, Option<u32>)], u64)> = stacks.iter().zip(&counts).map(|(s, c)| (s.as_slice(), c.2)).collect();
            let joined = join(&profile(&with));
            for item in 0..3 {
                let (own, total) = (joined.self_share(item), joined.total(item));
                prop_assert!(own.hits <= total.hits && total.hits <= joined.samples());
                prop_assert!(total.low <= total.share && total.share <= total.high);
            }
        }
    }
}
