//! Stacks that go on beyond what the kernel copies: walked with words that were the same before and after, counted when the thread's
//! whole life shows how far such words can be believed.

use linux_perf_event_reader::{EventRecord, RawData, RawEventRecord, RecordType};

use super::super::outer::{Need, Steady, Value};
use super::super::ring::Record;
use super::{Process, Processes};
use crate::sample::walk::{Binaries, CodeAddress, Position, word};

/// A sample and its stack, as far as it was copied and as far as it was walked.
#[derive(Debug)]
pub(in super::super) struct Deep {
    pub(in super::super) whole: Vec<CodeAddress>,
    pub(in super::super) copied: Vec<CodeAddress>,
    pub(in super::super) needs: Vec<Need>,
    /// Which look at its thread came after it.
    pub(in super::super) look: usize,
}

/// A sample whose walk came to the end of its copy.
pub(super) struct Cut<'s> {
    pub(super) pid: i32,
    pub(super) tid: i32,
    pub(super) position: Position,
    pub(super) copy: &'s [u8],
    pub(super) steady: Option<&'s Steady>,
}

impl Processes {
    /// Looks at what lies beyond the stack of a sample as soon as it is there.
    pub(in super::super) fn look(&mut self, record: &Record) -> Option<Steady> {
        if record.kind != RecordType::SAMPLE.0 {
            return None;
        }
        let raw = RawEventRecord::new(RecordType(record.kind), record.misc, RawData::Single(&record.body), self.parse_info);
        let Ok(EventRecord::Sample(sample)) = raw.parse() else { return None };
        let is_fault = sample.id.is_some_and(|id| self.fault_ids.contains(&id));
        if is_fault { None } else { self.beyond.look(&sample, record.time) }
    }

    /// Walks on with words that stayed the same around the sample; where they do not suffice, it notes which would. False where the
    /// sample is to be counted as it is.
    pub(super) fn go_on(&mut self, cut: &Cut<'_>) -> bool {
        let Some(process) = self.alive.get(&cut.pid) else { return false };
        let end = cut.position.sp.saturating_add(cut.copy.len() as u64);
        let copied = |address: u64| word(cut.copy, cut.position.sp, address);
        let mut whole = Vec::new();
        if let Some(steady) = cut.steady {
            let mut needs = Vec::new();
            let read = |address: u64, code| {
                if address < end {
                    return copied(address);
                }
                let need = steady.need(address, code, |value| kind(process, &self.binaries, value, code))?;
                needs.push(need);
                Some(need.value)
            };
            if process.space.walk_from(cut.position, read, &mut self.cache, &mut whole) {
                let deep = Deep { whole, copied: std::mem::take(&mut self.walked), needs, look: steady.look() };
                return self.beyond.wait(cut.pid, cut.tid, deep).map(|again| self.walked = again.copied).is_none();
            }
            whole.clear();
        }
        let cache = &mut self.cache;
        self.beyond.learn(cut.pid, cut.tid, |live| {
            let read = |address| if address < end { copied(address) } else { live(address) };
            process.space.walk(cut.position, read, cache, &mut whole)
        });
        false
    }

    /// Counts the waiting samples of a thread that ended, or of all threads of a process.
    pub(super) fn settle(&mut self, pid: i32, tid: Option<i32>) {
        let process = self.alive.get(&pid);
        let value = |value, code| process.map_or(Value::Code, |process| kind(process, &self.binaries, value, code));
        for (deep, believed) in self.beyond.settle(pid, tid, value) {
            self.stacks.add(if believed { &deep.whole } else { &deep.copied }, believed);
        }
    }

    /// Counts all that wait.
    pub(in super::super) fn settle_all(&mut self) {
        for pid in self.beyond.processes() {
            self.settle(pid, None);
        }
    }
}

fn kind(process: &Process, binaries: &Binaries, value: u64, code: u64) -> Value {
    if !process.space.has_code(value) {
        return Value::Data;
    }
    if process.space.calls(value, code, binaries) { Value::Caller } else { Value::Code }
}
