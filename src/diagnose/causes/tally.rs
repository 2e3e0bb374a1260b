//! Stacks counted per cause and owner: each stack once, for the cause that fits it best.

use std::collections::HashMap;

use super::catalogue::Catalogue;
use super::entry::{Entry, On};
use super::marks::{Mark, Set, marks};
use crate::heat::{Joined, Owner};
use crate::profile::{FrameId, Stack};
use crate::sample::offcpu::Wait;
use crate::source::ItemId;

/// Frames of a shown stack.
const SHOWN: usize = 8;

/// Which cause, by its place in the catalogue, and whose.
pub(super) type Key = (usize, ItemId);

/// What was counted for a cause of one owner.
#[derive(Debug, Default)]
pub(super) struct Tally<'a> {
    /// Samples, or nanoseconds where stacks are weighed.
    pub(super) count: u64,
    /// The functions that fitted, each with its count.
    pub(super) functions: HashMap<&'a str, u64>,
    /// The parts of stacks from what fitted to the owner's caller, equal names merged.
    windows: HashMap<Vec<&'a str>, Window>,
}

#[derive(Debug, Default)]
struct Window {
    count: u64,
    heaviest: u64,
    frames: Vec<FrameId>,
}

impl Tally<'_> {
    /// The frames of the part of a stack that was seen most, leaf first.
    pub(super) fn stack(&self) -> &[FrameId] {
        let most = self.windows.iter().max_by(|a, b| a.1.count.cmp(&b.1.count).then_with(|| b.0.cmp(a.0)));
        most.map_or(&[], |(_, window)| &window.frames)
    }
}

/// What fits a stack best.
#[derive(Debug, Clone, Copy)]
struct Fit {
    entry: usize,
    owner: Owner,
    /// The frame that fitted, counted from the leaf.
    at: usize,
}

/// Counts the stacks of a profile. `waits` says what each of them waits for where they are blocked ones; `open` are the entries
/// whose counters hold.
pub(super) fn tally<'a>(
    joined: &Joined<'a>,
    waits: Option<&[Wait]>,
    open: Set,
    catalogue: &Catalogue,
) -> HashMap<Key, Tally<'a>> {
    let profile = joined.profile();
    let marks = marks(profile, catalogue);
    let kind = if waits.is_some() { On::Blocked } else { On::Cpu };
    let mut tallies: HashMap<Key, Tally<'a>> = HashMap::new();
    for (at, stack) in profile.stacks.iter().enumerate() {
        let wait = waits.and_then(|waits| waits.get(at)).copied();
        let of_stack: Vec<Mark> = stack.frames.iter().map(|&id| marks.get(id as usize).copied().unwrap_or_default()).collect();
        let fits = |entry: &Entry| {
            let on = entry.on == On::Both || entry.on == kind;
            on && entry.needs.is_none() && (entry.waits.is_empty() || wait.is_none_or(|wait| entry.waits.contains(&wait)))
        };
        let Some(fit) = best(joined, stack, &of_stack, open, catalogue, fits) else { continue };
        let tally = tallies.entry((fit.entry, fit.owner.item)).or_default();
        tally.count += stack.count;
        if let Some(frame) = stack.frames.get(fit.at).and_then(|&id| profile.frames.get(id as usize)) {
            *tally.functions.entry(&frame.function).or_default() += stack.count;
        }
        let shown = window(fit, stack);
        let names = shown.iter().filter_map(|&id| profile.frames.get(id as usize)).map(|frame| frame.function.as_str());
        let window = tally.windows.entry(names.collect()).or_default();
        window.count += stack.count;
        if stack.count > window.heaviest {
            (window.heaviest, window.frames) = (stack.count, shown.to_vec());
        }
    }
    tallies
}

/// The frames that end with the owner's caller, from the one that fitted as far as there is room.
fn window(fit: Fit, stack: &Stack) -> &[FrameId] {
    let end = (fit.owner.at + 2).min(stack.frames.len());
    let start = end.saturating_sub(SHOWN).max(fit.at);
    stack.frames.get(start..end).unwrap_or_default()
}

/// Of the entries that fit, the one of the highest level, then the one whose frame is nearest to the leaf, then the first.
fn best(
    joined: &Joined<'_>,
    stack: &Stack,
    marks: &[Mark],
    open: Set,
    catalogue: &Catalogue,
    fits: impl Fn(&Entry) -> bool,
) -> Option<Fit> {
    let owner = joined.owner(stack)?;
    let asker = joined.asker(stack)?;
    let within = |owner: Owner| marks.get(..owner.at).unwrap_or_default();
    let mut candidates: Set = within(asker).iter().fold(0, |set, mark| set | mark.frames) & open;
    candidates &= !marks.iter().fold(0, |set, mark| set | mark.unless);
    let mut found: Option<(&Entry, Fit)> = None;
    while candidates != 0 {
        let at = candidates.trailing_zeros() as usize;
        candidates &= candidates - 1;
        let Some(entry) = catalogue.entries.get(at).filter(|entry| fits(entry)) else { continue };
        let owner = if entry.callbacks { asker } else { owner };
        let bit: Set = 1 << at;
        let is_under = |from: usize| {
            entry.under.is_empty() || marks.get(from + 1..).unwrap_or_default().iter().any(|mark| mark.under & bit != 0)
        };
        let leaf_most = within(owner).iter().position(|mark| mark.frames & bit != 0).filter(|&frame| is_under(frame));
        let Some(frame) = leaf_most else { continue };
        let better = |(best, fit): &(&Entry, Fit)| entry.level > best.level || (entry.level == best.level && frame < fit.at);
        if found.as_ref().is_none_or(better) {
            found = Some((entry, Fit { entry: at, owner, at: frame }));
        }
    }
    found.map(|(_, fit)| fit)
}
