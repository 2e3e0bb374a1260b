//! Takes the stack of a thread that sleeps: its memory is read while nobody is stopped.
//!
//! The kernel tells stack pointer and program counter of a sleeping thread (`/proc/PID/task/TID/syscall`) and no frame pointer, which
//! std's own code needs. It is searched for: a slot of the stack that is followed by an address in code may be a frame record, and
//! the first walk that ends where stacks end is the right one (`reference/sampling.md` G6: frame for frame what ptrace sees). Whether
//! the thread slept on meanwhile is for the caller to say.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::account::StackId;
use super::poll::own_cpu;
use super::procfs::Place;
use crate::sample::live::Memory;
use crate::sample::maps;
use crate::sample::walk::{Binaries, Cache, CodeAddress, Position, Space, is_rooted, word};

/// Bytes that are read at once: the stacks of most threads that wait are shorter.
const COPY: usize = 16 << 10;

/// Bytes that are read where the walk needs more.
const LARGE_COPY: usize = 256 << 10;

/// Slots above the stack pointer that may hold the frame record in use (`reference/evidence-rules.md` §0.1).
const SLOTS: usize = 48;

/// A program that generates code, or opens libraries, has its map read again after this time at the earliest.
const MAP_AGE: Duration = Duration::from_millis(100);

/// Distinct stacks that are kept; a program with more has the rest without.
const MOST_STACKS: usize = 20_000;

/// Walks that are remembered per process.
const MOST_WALKS: usize = 4096;

/// Every distinct stack, and the address spaces to walk in.
#[derive(Default)]
pub(super) struct Takes {
    spaces: HashMap<u32, Process>,
    pub(super) binaries: Binaries,
    cache: Cache,
    ids: HashMap<Taken, StackId>,
    pub(super) taken: Vec<Taken>,
    copied: Vec<u8>,
    /// What stacks are walked in was read anew and no walk was made there yet.
    unread: bool,
    loading: Duration,
}

/// A stack, leaf first, and whether it reached a root.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Taken {
    pub(super) code: Box<[CodeAddress]>,
    pub(super) complete: bool,
}

struct Process {
    memory: Memory,
    space: Space,
    read: Instant,
    walks: HashMap<Place, Vec<Walk>>,
    remembered: usize,
}

/// What a walk rested on: as long as these words are the same, so is the stack.
struct Walk {
    words: Box<[(u64, u64)]>,
    stack: StackId,
}

impl Takes {
    /// Copies the stack of a thread that sleeps at `place`; false where its memory cannot be read. Takes a few microseconds, so that
    /// few threads wake up meanwhile; what was copied is walked later.
    pub(super) fn copy(&mut self, pid: u32, place: Place) -> bool {
        if self.read(pid, place.sp, COPY) {
            return true;
        }
        // It executed another program, or is new.
        self.spaces.remove(&pid);
        let (files, before) = (self.binaries.len(), own_cpu());
        let opened = Process::open(pid, &mut self.binaries);
        if self.binaries.len() > files {
            self.unread = true;
            self.loading += own_cpu().saturating_sub(before);
        }
        opened.is_some_and(|process| {
            self.spaces.insert(pid, process);
            self.read(pid, place.sp, COPY)
        })
    }

    /// What reading executables and libraries took, once each.
    pub(super) fn loading(&self) -> Duration {
        self.loading
    }

    /// The stack that was copied last; `None` where stacks cannot be walked.
    pub(super) fn stack(&mut self, pid: u32, place: Place) -> Option<StackId> {
        if !std::mem::take(&mut self.unread) {
            return self.walked(pid, place);
        }
        // The first walk reads where stacks end.
        let before = own_cpu();
        let stack = self.walked(pid, place);
        self.loading += own_cpu().saturating_sub(before);
        stack
    }

    fn walked(&mut self, pid: u32, place: Place) -> Option<StackId> {
        if let Some(known) = self.spaces.get(&pid)?.known(place, &self.copied) {
            return Some(known);
        }
        let mut walked = self.walk(pid, place)?;
        if !walked.complete && self.copied.len() == COPY && self.read_more(pid, place) {
            walked = self.walk(pid, place)?;
        }
        let process = self.spaces.get_mut(&pid)?;
        if !walked.complete && process.read.elapsed() > MAP_AGE {
            process.map(pid, &mut self.binaries);
            walked = self.walk(pid, place)?;
        }
        let stack = self.id(Taken { code: walked.code.into(), complete: walked.complete })?;
        self.spaces.get_mut(&pid)?.remember(place, Walk { words: walked.words.into(), stack });
        Some(stack)
    }

    /// Forgets a process that ended.
    pub(super) fn forget(&mut self, pid: u32) {
        self.spaces.remove(&pid);
    }

    /// Reads at most `length` bytes from the stack pointer upwards; false when there is nothing.
    fn read(&mut self, pid: u32, sp: u64, length: usize) -> bool {
        self.copied.resize(length, 0);
        let read = self.spaces.get(&pid).map_or(0, |process| process.memory.read(sp, &mut self.copied));
        self.copied.truncate(read);
        read >= size_of::<u64>()
    }

    /// Reads a larger part of the same stack: as long as its inner end is the same, the thread is where it was.
    fn read_more(&mut self, pid: u32, place: Place) -> bool {
        let before = std::mem::take(&mut self.copied);
        let same = self.read(pid, place.sp, LARGE_COPY) && self.copied.starts_with(&before);
        if !same {
            self.copied = before;
        }
        same
    }

    fn id(&mut self, taken: Taken) -> Option<StackId> {
        if let Some(&id) = self.ids.get(&taken) {
            return Some(id);
        }
        if self.taken.len() >= MOST_STACKS {
            return None;
        }
        let id = self.taken.len() as StackId;
        self.taken.push(taken.clone());
        self.ids.insert(taken, id);
        Some(id)
    }

    /// The first walk that ends where stacks end, else the longest.
    fn walk(&mut self, pid: u32, place: Place) -> Option<Walked> {
        let process = self.spaces.get(&pid)?;
        let (copy, binaries, cache) = (&self.copied, &self.binaries, &mut self.cache);
        let word = |address: u64| word(copy, place.sp, address);
        let mut attempt = |fp: u64| {
            let mut walked = Walked::default();
            let read = |address| {
                let value = word(address)?;
                walked.words.push((address, value));
                Some(value)
            };
            let position = Position::asleep(place.pc, place.sp, fp)?;
            let ended = process.space.walk(position, read, cache, &mut walked.code);
            walked.complete = ended && is_rooted(&walked.code, binaries);
            Some(walked)
        };
        let mut longest = attempt(0)?;
        let slots = (0..SLOTS as u64).map(|slot| place.sp + 8 * slot);
        for slot in slots.filter(|slot| word(slot + 8).is_some_and(|address| process.space.has_code(address))) {
            if longest.complete {
                break;
            }
            let walked = attempt(slot)?;
            if walked.complete || walked.code.len() > longest.code.len() {
                longest = walked;
            }
        }
        Some(longest)
    }
}

#[derive(Default)]
struct Walked {
    code: Vec<CodeAddress>,
    words: Vec<(u64, u64)>,
    complete: bool,
}

impl Process {
    fn open(pid: u32, binaries: &mut Binaries) -> Option<Self> {
        let memory = Memory::open(pid)?;
        let mut process = Self { memory, space: Space::new(), read: Instant::now(), walks: HashMap::new(), remembered: 0 };
        process.map(pid, binaries);
        Some(process)
    }

    fn map(&mut self, pid: u32, binaries: &mut Binaries) {
        (self.space, self.read) = (Space::new(), Instant::now());
        self.walks.clear();
        self.remembered = 0;
        let text = std::fs::read(format!("/proc/{pid}/maps")).unwrap_or_default();
        for map in maps::code(&text) {
            let [major, minor, inode] = map.file;
            let binary = binaries.id((map.path, [major, minor, inode, 0]));
            self.space.map(map.range, map.offset, binary, binaries);
        }
    }

    /// The stack of an earlier look at which every word that the walk rested on was the same.
    fn known(&self, place: Place, copy: &[u8]) -> Option<StackId> {
        let same = |walk: &&Walk| walk.words.iter().all(|&(address, value)| word(copy, place.sp, address) == Some(value));
        self.walks.get(&place)?.iter().find(same).map(|walk| walk.stack)
    }

    fn remember(&mut self, place: Place, walk: Walk) {
        if self.remembered >= MOST_WALKS {
            self.walks.clear();
            self.remembered = 0;
        }
        self.remembered += 1;
        self.walks.entry(place).or_default().push(walk);
    }
}
