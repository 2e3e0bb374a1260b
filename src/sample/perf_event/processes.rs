//! Applies the records, in the order of time, to the processes they speak of.

mod deep;

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use framehop::{CacheNative, MayAllocateDuringUnwind};
use linux_perf_event_reader::{
    EventRecord, ForkOrExitRecord, Mmap2FileId, Mmap2Record, RawData, RawEventRecord, RecordParseInfo, RecordType, SampleRecord,
};

use self::deep::Cut;
pub(super) use self::deep::Deep;
use super::beyond::{Beyond, end_of_copy};
use super::outer::Steady;
use super::ring::Record;
use super::{arch, attr};
use crate::sample::offcpu::Born;
use crate::sample::walk::{Binaries, CodeAddress, FileKey, Space, Stacks, Weighed};

/// The sampled processes and what their samples showed.
pub(super) struct Processes {
    alive: HashMap<i32, Process>,
    /// Files that any of them mapped.
    pub(super) binaries: Binaries,
    /// All stacks so far.
    pub(super) stacks: Stacks,
    /// Where the program touched pages that were not there.
    pub(super) faults: Weighed,
    /// What the kernel calls the events that count page faults.
    pub(super) fault_ids: HashSet<u64>,
    /// Faults that each of their samples stands for.
    pub(super) fault_period: u64,
    /// Records that the kernel dropped.
    pub(super) lost: u64,
    /// Threads and processes that began.
    pub(super) born: Born,
    /// What the copies of stacks leave out.
    pub(super) beyond: Beyond,
    cache: CacheNative<MayAllocateDuringUnwind>,
    parse_info: RecordParseInfo,
    walked: Vec<CodeAddress>,
}

struct Process {
    space: Space,
    threads: usize,
}

impl Process {
    fn new(space: Space) -> Self {
        Self { space, threads: 1 }
    }
}

impl Processes {
    /// Starts with the workload's own process, which has not executed its program yet.
    pub(super) fn new(pid: i32) -> Self {
        Self {
            alive: HashMap::from([(pid, Process::new(Space::new()))]),
            binaries: Binaries::default(),
            stacks: Stacks::default(),
            faults: Weighed::default(),
            fault_ids: HashSet::new(),
            fault_period: 1,
            lost: 0,
            born: Born::default(),
            beyond: Beyond::new(),
            cache: CacheNative::default(),
            parse_info: attr::parse_info(),
            walked: Vec::new(),
        }
    }

    /// Applies one record; kinds that tell nothing about stacks are skipped.
    pub(super) fn handle(&mut self, record: &Record) {
        let raw = RawEventRecord::new(RecordType(record.kind), record.misc, RawData::Single(&record.body), self.parse_info);
        match raw.parse() {
            Ok(EventRecord::Sample(sample)) => self.sample(&sample, record.steady.as_ref()),
            Ok(EventRecord::Mmap2(mapped)) => self.map(&mapped),
            Ok(EventRecord::Comm(comm)) if comm.is_execve => {
                self.settle(comm.pid, None);
                self.alive.insert(comm.pid, Process::new(Space::new()));
            }
            Ok(EventRecord::Fork(fork)) => self.fork(&fork),
            Ok(EventRecord::Exit(exit)) => self.exit(&exit),
            Ok(EventRecord::Lost(lost)) => self.lost += lost.count,
            _ => {}
        }
    }

    fn process(&mut self, pid: i32) -> &mut Process {
        self.alive.entry(pid).or_insert_with(|| Process::new(Space::new()))
    }

    fn map(&mut self, record: &Mmap2Record<'_>) {
        let binary = self.binaries.id(file_key(record));
        let range = record.address..record.address.saturating_add(record.length);
        let process = self.alive.entry(record.pid).or_insert_with(|| Process::new(Space::new()));
        process.space.map(range, record.page_offset, binary, &self.binaries);
    }

    fn fork(&mut self, fork: &ForkOrExitRecord) {
        if fork.pid == fork.ppid {
            self.process(fork.pid).threads += 1;
            self.born.threads += 1;
        } else {
            let space = self.process(fork.ppid).space.clone();
            self.alive.insert(fork.pid, Process::new(space));
            self.born.processes += 1;
        }
    }

    fn exit(&mut self, exit: &ForkOrExitRecord) {
        self.settle(exit.pid, Some(exit.tid));
        if let Some(process) = self.alive.get_mut(&exit.pid) {
            process.threads = process.threads.saturating_sub(1);
            if process.threads == 0 {
                self.settle(exit.pid, None);
                self.alive.remove(&exit.pid);
            }
        }
    }

    fn sample(&mut self, sample: &SampleRecord<'_>, steady: Option<&Steady>) {
        self.walked.clear();
        let is_fault = sample.id.is_some_and(|id| self.fault_ids.contains(&id));
        let position = sample.user_regs.as_ref().and_then(arch::position);
        let (Some(pid), Some(position)) = (sample.pid, position) else {
            // A thread that is just ending has no user registers any more.
            if !is_fault {
                self.stacks.add(&[CodeAddress::UNKNOWN], false);
            }
            return;
        };
        let (copy, used) = sample.user_stack.map_or((RawData::empty(), 0), |stack| stack);
        let copy = copy.as_slice();
        let used = usize::try_from(used).unwrap_or(usize::MAX).min(copy.len());
        let copy = copy.get(..used).unwrap_or_default();
        let process = self.alive.entry(pid).or_insert_with(|| Process::new(Space::new()));
        let complete = process.space.unwind(position, copy, &mut self.cache, &mut self.walked);
        if !complete
            && end_of_copy(sample).is_some()
            && let Some(tid) = sample.tid
            && self.go_on(&Cut { pid, tid, position, copy, steady })
        {
            return;
        }
        if is_fault {
            self.faults.add(&self.walked, complete, self.fault_period);
        } else {
            self.stacks.add(&self.walked, complete);
        }
    }
}

fn file_key(record: &Mmap2Record<'_>) -> FileKey {
    let path = record.path.as_slice();
    let path = PathBuf::from(OsStr::from_bytes(path.strip_suffix(b" (deleted)").unwrap_or(&path)));
    let file = match &record.file_id {
        Mmap2FileId::InodeAndVersion(id) => [id.major.into(), id.minor.into(), id.inode, id.inode_generation],
        Mmap2FileId::BuildId(_) => [0; 4],
    };
    (path, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `sample_id`: pid, tid, time, cpu, reserved, identifier.
    fn record(kind: RecordType, misc: u16, words: &[u32]) -> Record {
        let body = words.iter().chain(&[0; 8]).flat_map(|word| word.to_ne_bytes()).collect();
        Record { time: 0, kind: kind.0, misc, body, steady: None }
    }

    fn processes_with(pid: i32) -> Processes {
        Processes::new(pid)
    }

    #[test]
    fn a_process_lives_until_its_last_thread_ends() {
        let mut processes = processes_with(7);
        let task = |kind, pid: u32, ppid: u32, tid: u32| record(kind, 0, &[pid, ppid, tid, ppid, 0, 0]);
        processes.handle(&task(RecordType::FORK, 7, 7, 8));
        processes.handle(&task(RecordType::FORK, 9, 7, 9));
        assert_eq!(processes.born, Born { threads: 1, processes: 1 });
        processes.handle(&task(RecordType::EXIT, 7, 7, 7));
        assert!(processes.alive.contains_key(&7) && processes.alive.contains_key(&9));
        processes.handle(&task(RecordType::EXIT, 7, 7, 8));
        assert!(!processes.alive.contains_key(&7) && processes.alive.contains_key(&9));
    }

    #[test]
    fn losses_add_up() {
        let mut processes = processes_with(7);
        processes.handle(&record(RecordType::LOST, 0, &[1, 0, 40, 0]));
        processes.handle(&record(RecordType::LOST, 0, &[1, 0, 2, 0]));
        assert_eq!(processes.lost, 42);
    }

    #[test]
    fn a_record_that_is_cut_short_is_skipped() {
        let mut processes = processes_with(7);
        for kind in 0..20 {
            for len in 0..40 {
                processes.handle(&Record { time: 0, kind, misc: 0, body: vec![0; len], steady: None });
            }
        }
        assert_eq!(processes.stacks.samples(), 0);
    }
}
