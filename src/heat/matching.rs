//! How the samples of a program from elsewhere found their items, and how many of them may hide one.

use super::foreign::Match;
use super::join::Joined;
use super::share::Share;
use crate::profile::model::UNKNOWN;
use crate::profile::{Frame, Stack};

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
        let any = |is: &dyn Fn(usize) -> bool| self.through(|stack| stack.frames.iter().any(|&frame| is(frame as usize)));
        let how = |wanted: Match| any(&|frame| self.matches.get(frame) == Some(&wanted));
        Matching {
            by_line: how(Match::Line),
            by_name: how(Match::Name),
            ambiguous: how(Match::Ambiguous),
            disagreeing: how(Match::Disagrees),
            unnamed: any(&|frame| self.profile.frames.get(frame).is_some_and(is_unnamed)),
            cut_short: self.through(|stack| !self.is_whole(stack)),
            with_files: any(&|frame| self.profile.frames.get(frame).is_some_and(|frame| frame.file.is_some())),
        }
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

    /// The most that an item may hold: with all samples that do not show it but might have, were they whole, named and placed.
    pub fn at_most(&self, key: &str) -> Share {
        let item = self.tree.id(key);
        let shows = |frame: usize| item.is_some_and(|item| self.groups.get(frame).is_some_and(|groups| groups.contains(item)));
        let hides = |frame: usize| {
            let refused = matches!(self.matches.get(frame), Some(Match::Ambiguous | Match::Disagrees));
            refused || self.profile.frames.get(frame).is_some_and(is_unnamed)
        };
        self.through(|stack| {
            let mut frames = stack.frames.iter().map(|&frame| frame as usize);
            frames.any(|frame| shows(frame) || hides(frame)) || !self.is_whole(stack)
        })
    }

    fn through(&self, wanted: impl Fn(&Stack) -> bool) -> Share {
        self.share_of_count(self.profile.stacks.iter().filter(|stack| wanted(stack)).map(|stack| stack.count).sum())
    }

    fn is_whole(&self, stack: &Stack) -> bool {
        let outermost = stack.frames.iter().rev().take(OUTERMOST);
        outermost.filter_map(|&frame| self.profile.frames.get(frame as usize)).any(is_root)
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
