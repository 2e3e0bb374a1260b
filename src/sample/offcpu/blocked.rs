//! The stacks of threads that waited, as values: which stack, for what, how long.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::Wait;
use crate::profile::{Engine, Frame, FrameId, Profile, ProfileBuilder, Quality};
use crate::stats::effective;

/// Stacks that are kept of a run; the lightest beyond are summed up without frames.
const MOST_STACKS: usize = 2000;

/// What the threads of a workload waited for, by stack.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Blocked {
    /// Every distinct frame.
    pub frames: Vec<Frame>,
    /// Every distinct stack, most time first.
    pub stacks: Vec<BlockedStack>,
}

/// A stack that threads waited in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlockedStack {
    /// Frames, leaf first, inline frames expanded; empty where no stack could be taken.
    pub frames: Vec<FrameId>,
    /// For what.
    pub wait: Wait,
    /// Which one, most of the time: a path, the address of a peer; untrusted text.
    pub what: Option<String>,
    /// True when it was no work: nothing to do, or its turn had not come.
    pub idle: bool,
    /// Where in an asynchronous program it stood.
    #[serde(default)]
    pub place: Place,
    /// True where the stack itself says what is waited for, not only the call.
    #[serde(default)]
    pub confirmed: bool,
    /// False where the stack did not reach a root.
    pub complete: bool,
    /// For how long, over all threads, nanoseconds.
    pub ns: u64,
    /// Looks that showed it.
    pub looks: u64,
}

/// Where in an asynchronous program a thread stood (`reference/evidence-rules.md` §2.5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// Nowhere: no runtime, or a thread of its own for what blocks (`spawn_blocking`, `block_in_place`).
    #[default]
    Outside,
    /// Inside of a task that a worker polls: meanwhile the worker polls no other.
    Worker,
    /// Inside of the future that the program gave to `block_on`.
    Root,
}

impl Blocked {
    /// The waits that `wanted` selects, weighed by nanoseconds; as many looks carry the weights as they are worth. Time without a
    /// stack is one stack without frames, so that shares are of all.
    pub fn select(&self, wanted: impl Fn(&BlockedStack) -> bool) -> Profile {
        let mut builder = ProfileBuilder::new();
        // In their order, so that each keeps its id.
        self.frames.iter().for_each(|frame| _ = builder.frame(frame.clone()));
        let (mut looks, mut cut) = (0, 0);
        for stack in self.stacks.iter().filter(|stack| wanted(stack)) {
            builder.stack(stack.frames.clone(), stack.ns);
            looks += stack.looks;
            cut += if stack.complete { 0 } else { stack.looks };
        }
        let wanted = self.stacks.iter().filter(|stack| wanted(stack));
        builder.weighted(effective(wanted.map(|stack| (stack.ns as f64, stack.looks as f64))).round() as u64);
        let quality =
            Quality { engine: Engine::None, samples: looks, frequency: 0, lost: 0, truncated: cut, cpu_ns: None, wall_ns: 0 };
        builder.finish(quality)
    }

    /// The waits that are work, one profile per kind.
    pub fn by_kind(&self) -> Vec<(Wait, Profile)> {
        let kinds: BTreeSet<Wait> = self.stacks.iter().filter(|stack| !stack.idle).map(|stack| stack.wait).collect();
        kinds.into_iter().map(|kind| (kind, self.select(|stack| !stack.idle && stack.wait == kind))).collect()
    }

    /// The frames of a stack, leaf first.
    pub fn frames_of<'a>(&'a self, stack: &'a BlockedStack) -> impl DoubleEndedIterator<Item = &'a Frame> {
        stack.frames.iter().filter_map(|&id| self.frames.get(id as usize))
    }

    /// Adds another run of the same workload.
    pub fn add(&mut self, other: Self) {
        let mut ids: HashMap<Frame, FrameId> = self.frames.iter().cloned().zip(0..).collect();
        let moved: Vec<FrameId> = other
            .frames
            .into_iter()
            .map(|frame| {
                *ids.entry(frame.clone()).or_insert_with(|| {
                    self.frames.push(frame);
                    self.frames.len() as FrameId - 1
                })
            })
            .collect();
        let stacks = other.stacks.into_iter().map(|mut stack| {
            stack.frames = stack.frames.iter().filter_map(|&id| moved.get(id as usize).copied()).collect();
            stack
        });
        self.stacks = merged(std::mem::take(&mut self.stacks).into_iter().chain(stacks));
    }

    /// Equal stacks are one, most time first.
    pub(super) fn of(frames: Vec<Frame>, stacks: Vec<BlockedStack>) -> Self {
        let mut stacks = merged(stacks.into_iter());
        if let Some(rest) = stacks.get_mut(MOST_STACKS..) {
            for stack in rest {
                stack.frames.clear();
            }
            stacks = merged(stacks.into_iter());
        }
        Self { frames, stacks }
    }
}

/// What makes two stacks the same.
type Key = (Vec<FrameId>, Wait, bool, Place);

fn merged(stacks: impl Iterator<Item = BlockedStack>) -> Vec<BlockedStack> {
    let mut sums: HashMap<Key, (BlockedStack, u64)> = HashMap::new();
    for stack in stacks {
        let key = (stack.frames.clone(), stack.wait, stack.idle, stack.place);
        let (sum, most) = sums.entry(key).or_insert_with(|| (BlockedStack { ns: 0, looks: 0, ..stack.clone() }, stack.ns));
        (sum.ns, sum.looks) = (sum.ns + stack.ns, sum.looks + stack.looks);
        (sum.complete, sum.confirmed) = (sum.complete && stack.complete, sum.confirmed && stack.confirmed);
        if stack.ns > *most || (stack.ns == *most && stack.what < sum.what) {
            (sum.what, *most) = (stack.what, stack.ns);
        }
    }
    let mut stacks: Vec<BlockedStack> = sums.into_values().map(|(sum, _)| sum).collect();
    stacks.sort_by(|a, b| {
        let key = |one: &BlockedStack| (one.wait, one.idle, one.place);
        b.ns.cmp(&a.ns).then_with(|| a.frames.cmp(&b.frames)).then_with(|| key(a).cmp(&key(b)))
    });
    stacks
}
