//! How the samples of a program from elsewhere found their items, and how many of them may hide one.

use std::collections::HashMap;

use super::foreign::Match;
use super::join::Joined;
use super::share::Share;
use crate::profile::Frame;
use crate::profile::model::UNKNOWN;

/// Outermost frames among which a whole stack shows where its thread begins; some tools put the program's name around it.
const OUTERMOST: usize = 4;

/// Where threads begin, by name.
const ROOTS: [&str; 12] = [
    "_start",
    "main",
    "__libc_start_main",
    "__libc_start_call_main",
    "__libc_start_main_impl",
    "clone",
    "__clone",
    "clone3",
    "__clone3",
    "start_thread",
    "ret_from_fork",
    "entry_SYSCALL_64_after_hwframe",
];

/// Libraries of the system: an unnamed function of theirs is none of the workspace's.
const SYSTEM: [&str; 10] =
    ["libc.", "libc-", "ld-", "libpthread", "libm.", "libm-", "libgcc_s", "libstdc++", "[vdso]", "[kernel"];

/// Samples by what became of them; one sample may count in several.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Matching {
    /// Show an item by file and line.
    pub by_line: Share,
    /// Show an item by name only.
    pub by_name: Share,
    /// Show a frame whose path fits several files.
    pub ambiguous: Share,
    /// Show a frame that lies in an item of another name.
    pub disagreeing: Share,
    /// Show a function that nothing names.
    pub unnamed: Share,
    /// Do not reach the begin of a thread.
    pub cut_short: Share,
    /// Show a frame with a file.
    pub with_files: Share,
    /// Summed counts of those that may hide an item: cut short, or with a frame that is unnamed or refused.
    hiding: u64,
}

/// What is to be known of a frame, as bits.
mod bit {
    pub(super) const LINE: u8 = 1;
    pub(super) const NAME: u8 = 2;
    pub(super) const AMBIGUOUS: u8 = 4;
    pub(super) const DISAGREES: u8 = 8;
    pub(super) const UNNAMED: u8 = 16;
    pub(super) const FILE: u8 = 32;
    pub(super) const ROOT: u8 = 64;
    /// Of a stack: no root is among its outermost frames.
    pub(super) const CUT: u8 = 128;
    pub(super) const HIDING: u8 = AMBIGUOUS | DISAGREES | UNNAMED | CUT;
}

/// On what the share of an item rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// File and line of every frame.
    Line,
    /// The function's name, for some of them.
    Both,
    /// The function's name only.
    Name,
}

impl Joined<'_> {
    /// What became of the samples.
    pub fn matching(&self) -> Matching {
        let of_frames: Vec<u8> = self.profile.frames.iter().enumerate().map(|(at, frame)| self.bits(at, frame)).collect();
        let of_frame = |frame: &u32| of_frames.get(*frame as usize).copied().unwrap_or(0);
        let mut counts: HashMap<u8, u64> = HashMap::new();
        for stack in &self.profile.stacks {
            let all = stack.frames.iter().map(of_frame).fold(0, |all, bits| all | bits);
            let whole = stack.frames.iter().rev().take(OUTERMOST).any(|frame| of_frame(frame) & bit::ROOT != 0);
            *counts.entry(if whole { all } else { all | bit::CUT }).or_insert(0) += stack.count;
        }
        let sum = |wanted: u8| counts.iter().filter(|(bits, _)| **bits & wanted != 0).map(|(_, count)| count).sum();
        let share = |wanted: u8| self.share_of_count(sum(wanted));
        Matching {
            by_line: share(bit::LINE),
            by_name: share(bit::NAME),
            ambiguous: share(bit::AMBIGUOUS),
            disagreeing: share(bit::DISAGREES),
            unnamed: share(bit::UNNAMED),
            cut_short: share(bit::CUT),
            with_files: share(bit::FILE),
            hiding: sum(bit::HIDING),
        }
    }

    fn bits(&self, at: usize, frame: &Frame) -> u8 {
        let how = match self.matches.get(at) {
            Some(Match::Line) => bit::LINE,
            Some(Match::Name) => bit::NAME,
            Some(Match::Ambiguous) => bit::AMBIGUOUS,
            Some(Match::Disagrees) => bit::DISAGREES,
            Some(Match::None) | None => 0,
        };
        let is = |yes: bool, bit: u8| if yes { bit } else { 0 };
        how | is(is_unnamed(frame), bit::UNNAMED) | is(frame.file.is_some(), bit::FILE) | is(is_root(frame), bit::ROOT)
    }

    /// On what the share of an item rests; `None` when no sample shows it, or the program was built here.
    pub fn basis(&self, key: &str) -> Option<Basis> {
        let item = self.tree.id(key)?;
        let of_item = |wanted: Match| {
            let frames = self.matches.iter().zip(&self.groups);
            frames.filter(|(how, groups)| **how == wanted && groups.contains(item)).count() > 0
        };
        match (of_item(Match::Line), of_item(Match::Name)) {
            (false, false) => None,
            (true, false) => Some(Basis::Line),
            (true, true) => Some(Basis::Both),
            (false, true) => Some(Basis::Name),
        }
    }

    /// The most that an item may hold: as if every sample that may hide one hid this one.
    pub fn at_most(&self, key: &str, matching: &Matching) -> Share {
        let shown = self.tree.id(key).and_then(|item| self.counts.total.get(item as usize)).copied().unwrap_or(0);
        self.share_of_count(shown.saturating_add(matching.hiding))
    }
}

fn is_unnamed(frame: &Frame) -> bool {
    frame.function == UNKNOWN && !SYSTEM.iter().any(|prefix| frame.module.starts_with(prefix))
}

fn is_root(frame: &Frame) -> bool {
    let name = frame.function.as_str();
    let of_std = name.starts_with("std::rt::lang_start") || (name.starts_with("std::sys") && name.contains("thread_start"));
    of_std || ROOTS.contains(&name) || name.ends_with("::main")
}
