//! Who waits: the blocked stacks of a workload by the function that they belong to.
//!
//! Without a tree, whose function it is is told by where its file lies; `heat::join` over `Blocked::select` knows better.

use std::collections::HashMap;

use super::{Time, Work};
use crate::heat::{Share, may_be_workspace};
use crate::profile::Frame;
use crate::sample::offcpu::{Blocked, BlockedStack, Place, Wait};
use crate::stats::effective;

/// Frames of a stack that are kept.
const FRAMES: usize = 12;

/// Waits that belong together: one function, one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiter {
    /// For what.
    pub wait: Wait,
    /// Which one, most of the time; untrusted text.
    pub what: Option<String>,
    /// Where in an asynchronous program it stood.
    pub place: Place,
    /// The program's innermost function; `None` where the stack has none, or there is no stack.
    pub owner: Option<Frame>,
    /// The closure or async function around it, by its name; `None` where it is the owner itself, or there is none.
    pub under: Option<String>,
    /// Nanoseconds, over all threads.
    pub ns: u64,
    /// Looks that showed it.
    pub looks: u64,
    /// Of the work time; the interval rests on the looks.
    pub share: Share,
    /// Its heaviest stack, leaf first, as far as the frames around the owner.
    pub stack: Vec<Frame>,
}

/// Everything that waited while there was work, most time first; empty where no stacks were taken.
pub fn waiters(work: &Work) -> Vec<Waiter> {
    let Some(blocked) = &work.observed.blocked else { return Vec::new() };
    let time = Time::of(work);
    let mut groups: HashMap<(Option<&str>, Wait, Place), Vec<&BlockedStack>> = HashMap::new();
    for stack in blocked.stacks.iter().filter(|stack| !stack.idle) {
        let owner = owner(blocked, stack).map(|(_, frame)| frame.function.as_str());
        groups.entry((owner, stack.wait, stack.place)).or_default().push(stack);
    }
    let mut waiters: Vec<Waiter> = groups.into_values().filter_map(|stacks| waiter(blocked, &stacks, &time)).collect();
    waiters.sort_by(|a, b| b.ns.cmp(&a.ns).then_with(|| a.name().cmp(&b.name())).then_with(|| a.wait.cmp(&b.wait)));
    waiters
}

/// Share of the work time in which workers of an asynchronous runtime stood still inside of a task.
pub fn blocked_workers(work: &Work) -> Share {
    let stacks = work.observed.blocked.iter().flat_map(|blocked| &blocked.stacks);
    let still: Vec<&BlockedStack> = stacks.filter(|stack| stack.place == Place::Worker && !stack.idle).collect();
    waited(&still, &Time::of(work))
}

/// What these stacks hold of the work time.
fn waited(stacks: &[&BlockedStack], time: &Time) -> Share {
    let ns: u64 = stacks.iter().map(|stack| stack.ns).sum();
    time.waited(ns as f64, effective(stacks.iter().map(|stack| (stack.ns as f64, stack.looks as f64))))
}

/// Share of the time that was waited for locks of which the stack itself says so.
pub(super) fn confirmed_locks(work: &Work) -> f64 {
    let locks = work.observed.blocked.iter().flat_map(|blocked| &blocked.stacks).filter(|stack| stack.wait == Wait::Lock);
    let (mut all, mut confirmed) = (0, 0);
    for stack in locks.filter(|stack| !stack.idle) {
        all += stack.ns;
        confirmed += if stack.confirmed { stack.ns } else { 0 };
    }
    if all == 0 { 0.0 } else { confirmed as f64 / all as f64 }
}

fn waiter(blocked: &Blocked, stacks: &[&BlockedStack], time: &Time) -> Option<Waiter> {
    let heaviest = stacks.iter().max_by_key(|stack| stack.ns)?;
    let sum = |part: fn(&BlockedStack) -> u64| stacks.iter().map(|stack| part(stack)).sum::<u64>();
    let (ns, looks) = (sum(|stack| stack.ns), sum(|stack| stack.looks));
    let found = owner(blocked, heaviest);
    let at = found.map_or(0, |(at, _)| at);
    let owner = found.map(|(_, frame)| frame.clone());
    let outer = blocked.frames_of(heaviest).skip(at + 1).filter(|frame| may_be_workspace(frame));
    let is_closure = |name: &str| name.ends_with("{{closure}}");
    let under = match &owner {
        Some(owner) if !is_closure(&owner.function) => outer.map(|frame| &frame.function).find(|name| is_closure(name)).cloned(),
        _ => None,
    };
    Some(Waiter {
        wait: heaviest.wait,
        what: heaviest.what.clone(),
        place: heaviest.place,
        owner,
        under,
        ns,
        looks,
        share: waited(stacks, time),
        stack: blocked.frames_of(heaviest).take(FRAMES.max(at + 3)).cloned().collect(),
    })
}

/// The innermost frame of the program; where no file tells, of anything that is no library of the system or of Rust.
fn owner<'a>(blocked: &'a Blocked, stack: &'a BlockedStack) -> Option<(usize, &'a Frame)> {
    let mut frames = blocked.frames_of(stack).enumerate();
    frames.find(|(_, frame)| may_be_workspace(frame))
}

impl Waiter {
    fn name(&self) -> Option<&str> {
        self.owner.as_ref().map(|owner| owner.function.as_str())
    }

    /// "`api::save_audit` waits for data to be safe on the disk (/a/log) under `get_user::{{closure}}`, inside of a task of the runtime".
    pub fn sentence(&self) -> String {
        let who = self.name().map_or_else(|| "something without a name".to_owned(), |name| format!("`{name}`"));
        let what = self.what.as_ref().map(|what| format!(" ({what})")).unwrap_or_default();
        let under = self.under.as_ref().map(|under| format!(" under `{under}`")).unwrap_or_default();
        let place = match self.place {
            Place::Worker => ", inside of a task: its worker polls no other meanwhile",
            Place::Root => ", inside of the future given to `block_on`",
            Place::Outside => "",
        };
        format!("{who} {}{what}{under}{place}", does(self.wait))
    }
}

fn does(wait: Wait) -> &'static str {
    match wait {
        Wait::Socket => "waits for a socket",
        Wait::File => "waits for a file",
        Wait::Durability => "waits for fsync",
        Wait::Pipe => "waits at a pipe",
        Wait::Device => "waits for a device",
        Wait::Lock => "waits for a lock",
        Wait::Sleep => "sleeps",
        Wait::Memory => "waits for pages",
        Wait::HandOff => "waits for another thread",
        Wait::Parked => "waits to be woken",
        Wait::Join => "waits for a thread to end",
        Wait::Child => "waits for a child process",
        Wait::Event => "waits for events",
        Wait::Other => "waits in the kernel",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::offcpu::Observed;

    const SECOND: u64 = 1_000_000_000;

    fn frame(function: &str, file: &str) -> Frame {
        Frame { function: function.into(), file: Some(file.into()), line: Some(7), module: "app".into(), inlined: false }
    }

    fn stack(frames: &[u32], wait: Wait, place: Place, seconds: u64) -> BlockedStack {
        let (ns, looks) = (seconds * SECOND, seconds * 200);
        let what = (wait == Wait::Durability).then(|| "/a/log".into());
        BlockedStack {
            frames: frames.into(),
            wait,
            what,
            idle: wait.is_idle() && place == Place::Outside,
            place,
            confirmed: false,
            complete: true,
            ns,
            looks,
        }
    }

    fn work(stacks: Vec<BlockedStack>) -> Work {
        let frames = vec![
            frame("std::sys::fs::unix::File::fsync", "/rustc/abc/library/std/src/sys/fs/unix.rs"),
            frame("api::save_audit", "/home/u/api/src/audit.rs"),
            frame("api::get_user::{{closure}}", "/home/u/api/src/main.rs"),
            frame("tokio::runtime::task::core::Core::poll", "/home/u/.cargo/registry/src/i-1/tokio-1.50.0/src/core.rs"),
        ];
        let waits = stacks
            .iter()
            .map(|one| crate::sample::offcpu::Waiting {
                wait: one.wait,
                what: None,
                idle: one.idle,
                ns: one.ns,
                samples: one.looks,
            })
            .collect();
        let observed = Observed { waits, blocked: Some(Blocked { frames, stacks }), ..Observed::default() };
        Work { user_ns: SECOND, observed, ..Work::default() }
    }

    #[test]
    fn a_wait_is_told_by_the_programs_own_function_and_what_it_serves() {
        let work = work(vec![
            stack(&[0, 1, 2, 3], Wait::Durability, Place::Worker, 2),
            stack(&[0, 2, 3], Wait::HandOff, Place::Worker, 1),
            stack(&[3], Wait::Parked, Place::Outside, 50),
        ]);
        let found = waiters(&work);
        let sentences: Vec<String> = found.iter().map(Waiter::sentence).collect();
        assert_eq!(
            sentences,
            [
                "`api::save_audit` waits for fsync (/a/log) under `api::get_user::{{closure}}`, inside of a task: its worker polls no other meanwhile",
                "`api::get_user::{{closure}}` waits for another thread, inside of a task: its worker polls no other meanwhile",
            ]
        );
        let share = found[0].share;
        assert!((share.share - 0.5).abs() < 1e-9 && share.samples == 800 && share.low > 0.46 && share.high < 0.54, "{share:?}");
        assert!((blocked_workers(&work).share - 0.75).abs() < 1e-9);
    }

    #[test]
    fn without_stacks_there_is_nobody_to_name() {
        assert!(waiters(&Work::default()).is_empty());
        let nameless = waiters(&work(vec![stack(&[], Wait::Socket, Place::Outside, 1)]));
        assert_eq!(nameless[0].sentence(), "something without a name waits for a socket");
    }
}
