//! Names the stacks of a watched run, once it is over, and adds up what was waited in each.

use std::collections::{HashMap, HashSet};

use super::account::{StackId, Stood, Thread, add_up};
use super::roles::Role;
use super::takes::Takes;
use super::{Blocked, BlockedStack, Observed};
use crate::profile::{Engine, Frame, FrameId, ProfileBuilder, Quality};
use crate::sample::walk::{CodeAddress, symbolize};

/// What the threads did and waited for, the stacks with it.
pub(super) fn observed(threads: &[Thread], watched_ns: u64, takes: &Takes) -> Observed {
    let used: HashSet<StackId> = threads.iter().flat_map(Thread::stacks).collect();
    let (frames, stacks) = frames(used, takes);
    let roles: HashMap<StackId, Role> = stacks
        .iter()
        .map(|(&id, ids)| (id, Role::of(&ids.iter().filter_map(|&id| frames.get(id as usize)).collect::<Vec<_>>())))
        .collect();
    let (mut observed, stood) = add_up(threads, watched_ns, |id| roles.get(&id).copied().unwrap_or(Role::UNKNOWN));
    if cfg!(target_arch = "x86_64") {
        let blocked = stood.into_iter().map(|one| blocked(one, &stacks, takes)).collect();
        observed.blocked = Some(Blocked::of(frames, blocked));
    }
    observed
}

/// The frames of these stacks, and each as indices into them.
fn frames(used: HashSet<StackId>, takes: &Takes) -> (Vec<Frame>, HashMap<StackId, Vec<FrameId>>) {
    let mut used: Vec<StackId> = used.into_iter().collect();
    used.sort_unstable();
    let code = |id: &StackId| takes.taken.get(*id as usize).map_or(&[][..], |taken| &taken.code);
    let distinct: HashSet<CodeAddress> = used.iter().flat_map(code).copied().collect();
    let mut distinct: Vec<CodeAddress> = distinct.into_iter().collect();
    distinct.sort_unstable_by_key(|code| (code.binary, code.address));
    let mut builder = ProfileBuilder::new();
    let resolved = symbolize::frames_by_address(&takes.binaries, &distinct, &mut builder);
    let resolved: HashMap<CodeAddress, symbolize::Resolved> = distinct.into_iter().zip(resolved).collect();
    let named = |id: StackId| {
        let frames = code(&id).iter().filter_map(|code| resolved.get(code)).flat_map(|one| one.frames.iter().copied());
        (id, frames.collect())
    };
    let stacks = used.into_iter().map(named).collect();
    let none = Quality { engine: Engine::None, samples: 0, frequency: 0, lost: 0, truncated: 0, cpu_ns: None, wall_ns: 0 };
    (builder.finish(none).frames, stacks)
}

fn blocked(stood: Stood, stacks: &HashMap<StackId, Vec<FrameId>>, takes: &Takes) -> BlockedStack {
    let complete = stood.stack.and_then(|id| takes.taken.get(id as usize)).is_some_and(|taken| taken.complete);
    let waiting = stood.waiting;
    BlockedStack {
        frames: stood.stack.and_then(|id| stacks.get(&id)).cloned().unwrap_or_default(),
        wait: waiting.wait,
        what: waiting.what,
        idle: waiting.idle,
        place: stood.place,
        confirmed: stood.confirmed,
        complete,
        ns: waiting.ns,
        looks: waiting.samples,
    }
}
