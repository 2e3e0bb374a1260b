//! Stacks counted per cause and owner: each stack once, for the cause that fits it best.

use std::collections::HashMap;

use super::catalogue::Catalogue;
use super::entry::{Entry, Level, On};
use super::marks::{Mark, Set, marks};
use crate::heat::{Joined, Owner};
use crate::profile::{FrameId, Profile, Stack};
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
    /// Where the cause says only where something is done: what it is that is done, by its place in the catalogue.
    pub(super) inner: HashMap<usize, u64>,
    /// The parts of stacks from what fitted to the owner's caller, equal names merged.
    windows: HashMap<Vec<&'a str>, Window>,
}

#[derive(Debug, Default)]
struct Window {
    count: u64,
    heaviest: u64,
    frames: Vec<FrameId>,
}

impl<'a> Tally<'a> {
    fn add(&mut self, profile: &'a Profile, fit: Fit, stack: &Stack) {
        self.count += stack.count;
        if let Some(frame) = stack.frames.get(fit.at).and_then(|&id| profile.frames.get(id as usize)) {
            *self.functions.entry(&frame.function).or_default() += stack.count;
        }
        let shown = window(fit, stack);
        let names = shown.iter().filter_map(|&id| profile.frames.get(id as usize)).map(|frame| frame.function.as_str());
        let window = self.windows.entry(names.collect()).or_default();
        window.count += stack.count;
        if stack.count > window.heaviest {
            (window.heaviest, window.frames) = (stack.count, shown.to_vec());
        }
    }

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

/// Everything that was counted of a profile.
#[derive(Debug, Default)]
pub(super) struct Tallies<'a> {
    pub(super) by_cause: HashMap<Key, Tally<'a>>,
    /// Stacks of no cause that end in a call of the kernel.
    other_calls: u64,
}

impl Tallies<'_> {
    /// Samples at calls of the kernel: those of causes that claim its time, and those of no cause.
    pub(super) fn calls(&self, claiming: Set) -> u64 {
        let claimed = self.by_cause.iter().filter(|((entry, _), _)| claiming >> entry & 1 == 1);
        claimed.map(|(_, tally)| tally.count).sum::<u64>() + self.other_calls
    }
}

/// Counts the stacks of a profile. `wait` is what its stacks wait for where they are of waiting threads; `open` are the entries whose
/// counters hold.
pub(super) fn tally<'a>(joined: &Joined<'a>, wait: Option<Wait>, open: Set, catalogue: &Catalogue) -> Tallies<'a> {
    let profile = joined.profile();
    let marks = marks(profile, catalogue);
    let kind = if wait.is_some() { On::Blocked } else { On::Cpu };
    let mut tallies = Tallies::default();
    for stack in &profile.stacks {
        let of_stack: Vec<Mark> = stack.frames.iter().map(|&id| marks.get(id as usize).copied().unwrap_or_default()).collect();
        let fits = |entry: &Entry| {
            let on = entry.on == On::Both || entry.on == kind;
            on && entry.needs.is_none() && (entry.waits.is_empty() || wait.is_none_or(|wait| entry.waits.contains(&wait)))
        };
        let Some(fit) = best(joined, stack, &of_stack, open, catalogue, &fits) else {
            let leaf = stack.frames.first().and_then(|&id| profile.frames.get(id as usize));
            let calls = leaf.is_some_and(|leaf| catalogue.calls.iter().any(|call| call.fits(&leaf.function)));
            tallies.other_calls += if calls { stack.count } else { 0 };
            continue;
        };
        let tally = tallies.by_cause.entry((fit.entry, fit.owner.item)).or_default();
        tally.add(profile, fit, stack);
        if is_place(catalogue, fit.entry) {
            let says_what = |entry: &Entry| entry.level != Level::Place && fits(entry);
            if let Some(inner) = best(joined, stack, &of_stack, open, catalogue, &says_what) {
                *tally.inner.entry(inner.entry).or_default() += stack.count;
            }
        }
    }
    tallies
}

/// Counts the stacks of page faults for the cause that they are the doing of, whatever they show.
pub(super) fn tally_faults<'a>(joined: &Joined<'a>, catalogue: &Catalogue) -> Tallies<'a> {
    let mut tallies = Tallies::default();
    let Some(entry) = catalogue.entries.iter().position(|entry| entry.faults) else { return tallies };
    for stack in &joined.profile().stacks {
        let Some(owner) = joined.owner(stack) else { continue };
        let tally = tallies.by_cause.entry((entry, owner.item)).or_default();
        tally.add(joined.profile(), Fit { entry, owner, at: 0 }, stack);
    }
    tallies
}

fn is_place(catalogue: &Catalogue, entry: usize) -> bool {
    catalogue.entries.get(entry).is_some_and(|entry| entry.level == Level::Place)
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
    fits: &dyn Fn(&Entry) -> bool,
) -> Option<Fit> {
    let owner = joined.owner(stack)?;
    let asker = joined.asker(stack)?;
    let within = |owner: Owner| marks.get(..owner.at).unwrap_or_default();
    let mut candidates: Set = within(asker).iter().fold(0, |set, mark| set | mark.frames) & open;
    candidates &= !within(asker).iter().fold(0, |set, mark| set | mark.unless);
    candidates &= !marks.iter().fold(0, |set, mark| set | mark.nowhere);
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
        let is_physical = |from: usize| {
            let frame = stack.frames.get(from).and_then(|&id| joined.profile().frames.get(id as usize));
            !entry.physical || frame.is_some_and(|frame| !frame.inlined)
        };
        let fits_at = |(from, mark): (usize, &Mark)| (mark.frames & bit != 0 && is_physical(from)).then_some(from);
        let leaf_most = within(owner).iter().enumerate().find_map(fits_at).filter(|&frame| is_under(frame));
        let Some(frame) = leaf_most else { continue };
        let better = |(best, fit): &(&Entry, Fit)| entry.level > best.level || (entry.level == best.level && frame < fit.at);
        if found.as_ref().is_none_or(better) {
            found = Some((entry, Fit { entry: at, owner, at: frame }));
        }
    }
    found.map(|(_, fit)| fit)
}
