//! Reads in the live memory of the sampled threads what the kernel's copies of their stacks leave out.
//!
//! The kernel copies at most 64 KiB of a stack, and an asynchronous program keeps more in large futures. Their callers stay where
//! they are for long: what a walk needs beyond a copy is compared at each look at the ring, and what did not change from one look
//! to the next is what a sample between them would have shown ([`Outer`]). Stops nobody.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use linux_perf_event_reader::SampleRecord;

use super::arch;
use super::outer::{Outer, Steady, Value};
use super::processes::Deep;
use crate::sample::SampleOptions;
use crate::sample::live::Memory;
use crate::sample::offcpu::own_cpu;

/// What is read at once, aligned: never more than a page.
const BLOCK: u64 = 4096;

/// One part in this many of the time may be spent here.
const LEISURE: u64 = 50;

/// May be spent at once, nanoseconds.
const AT_ONCE: u64 = 5_000_000;

/// Stacks that wait, of one thread; those beyond are counted as they were copied.
const MOST_WAITING: usize = 20_000;

/// The record that holds a copy takes its own fields off what is asked for (`perf_sample_ustack_size`, `kernel/events/core.c`).
const FIELDS: usize = 1024;

/// The outer parts of all threads, and the memories that they lie in.
pub(super) struct Beyond {
    threads: HashMap<(i32, i32), Thread>,
    memories: HashMap<i32, Memory>,
    budget: Budget,
}

struct Thread {
    outer: Outer,
    last: Option<Steady>,
    waiting: Vec<Deep>,
}

impl Thread {
    fn new() -> Self {
        Self { outer: Outer::new(now()), last: None, waiting: Vec::new() }
    }
}

impl Beyond {
    pub(super) fn new() -> Self {
        Self { threads: HashMap::new(), memories: HashMap::new(), budget: Budget { begun: now(), spent: 0 } }
    }

    /// Looks at what lies beyond the stack of a new sample; `None` where it was copied whole, and where looking would take too long.
    pub(super) fn look(&mut self, sample: &SampleRecord<'_>, time: u64) -> Option<Steady> {
        let (pid, tid) = (sample.pid?, sample.tid?);
        if let Some(thread) = self.threads.get_mut(&(pid, tid)) {
            thread.outer.sampled();
        }
        end_of_copy(sample)?;
        let before = own_cpu();
        if self.budget.is_spent() {
            return None;
        }
        let memory = match self.memories.entry(pid) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(vacant) => vacant.insert(Memory::open(pid.try_into().ok()?)?),
        };
        let mut blocks = Blocks::of(memory);
        let Thread { outer, last, .. } = self.threads.entry((pid, tid)).or_insert_with(Thread::new);
        // Several samples may have come since the look before.
        if !last.as_ref().is_some_and(|steady| steady.covers(time)) {
            *last = outer.look(now, |address| blocks.word(address));
        }
        self.budget.take(before);
        last.clone().filter(|steady| steady.covers(time))
    }

    /// Lets a stack be walked with what is in memory now, and remembers what the walk needed of it if it came to an end.
    pub(super) fn learn(&mut self, pid: i32, tid: i32, walk: impl FnOnce(&mut dyn FnMut(u64) -> Option<u64>) -> bool) {
        let before = own_cpu();
        if self.budget.is_spent() {
            return;
        }
        let Some(Thread { outer, .. }) = self.threads.get_mut(&(pid, tid)) else { return };
        let Some(memory) = self.memories.get(&pid) else { return };
        let (mut blocks, mut words) = (Blocks::of(memory), Vec::new());
        let mut read = |address| {
            let word = blocks.word(address)?;
            words.push((address, word));
            Some(word)
        };
        if walk(&mut read) {
            outer.learn(words, now());
        }
        self.budget.take(before);
    }

    /// Keeps a stack until more is known of the words that it rests on; hands it back where there are too many.
    pub(super) fn wait(&mut self, pid: i32, tid: i32, deep: Deep) -> Option<Deep> {
        match self.threads.get_mut(&(pid, tid)) {
            Some(thread) if thread.waiting.len() < MOST_WAITING => {
                thread.waiting.push(deep);
                None
            }
            _ => Some(deep),
        }
    }

    /// The stacks that wait for a thread that ended, or for all of a process, each with whether it can be believed. Forgets them all.
    pub(super) fn settle(&mut self, pid: i32, tid: Option<i32>, value: impl Fn(u64, u64) -> Value) -> Vec<(Deep, bool)> {
        let gone = self.threads.extract_if(|key, _| key.0 == pid && tid.is_none_or(|tid| key.1 == tid));
        let mut settled = Vec::new();
        for (_, Thread { outer, waiting, .. }) in gone {
            settled.extend(waiting.into_iter().map(|deep| {
                let believed = outer.vouches(&deep.needs, deep.look, &value);
                (deep, believed)
            }));
        }
        if tid.is_none() {
            // Of the program that it executed until now.
            self.memories.remove(&pid);
        }
        settled
    }

    /// Every process with threads that are known here.
    pub(super) fn processes(&self) -> HashSet<i32> {
        self.threads.keys().map(|key| key.0).collect()
    }
}

/// The processor time that may be spent here.
struct Budget {
    begun: u64,
    spent: u64,
}

impl Budget {
    fn is_spent(&self) -> bool {
        self.spent > now().saturating_sub(self.begun) / LEISURE + AT_ONCE
    }

    fn take(&mut self, since: Duration) {
        self.spent += own_cpu().saturating_sub(since).as_nanos() as u64;
    }
}

/// Where the copy of a sample ends, if it is as large as copies can be and the stack goes on.
pub(super) fn end_of_copy(sample: &SampleRecord<'_>) -> Option<u64> {
    let (copy, used) = sample.user_stack.as_ref()?;
    let length = copy.as_slice().len();
    let is_cut = length + FIELDS > SampleOptions::MAX_STACK as usize && *used >= length as u64;
    let sp = sample.user_regs.as_ref().and_then(arch::position)?.sp;
    is_cut.then(|| sp.saturating_add(length as u64))
}

/// `CLOCK_MONOTONIC`, as in the records, nanoseconds.
fn now() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Memory that is read in blocks, each at most once in a row.
struct Blocks<'m> {
    memory: &'m Memory,
    start: u64,
    bytes: [u8; BLOCK as usize],
    read: usize,
}

impl<'m> Blocks<'m> {
    fn of(memory: &'m Memory) -> Self {
        Self { memory, start: 0, bytes: [0; BLOCK as usize], read: 0 }
    }

    fn word(&mut self, address: u64) -> Option<u64> {
        let start = address & !(BLOCK - 1);
        if self.read == 0 || self.start != start {
            (self.start, self.read) = (start, self.memory.read(start, &mut self.bytes));
        }
        let offset = (address - start) as usize;
        let word = self.bytes.get(..self.read)?.get(offset..)?.first_chunk::<8>()?;
        Some(u64::from_ne_bytes(*word))
    }
}
