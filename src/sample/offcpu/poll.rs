//! The thread that looks: which processes and threads there are, and what each waits for.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::account::{Reason, Seen, Thread};
use super::call::{Call, classify};
use super::ends::Ends;
use super::procfs::{Schedule, State, anonymous, minor_faults, swapped, transfers};
use super::resident::Series;
use super::takes::Takes;
use super::{Observed, Resident, Transfers, Wait, named};
use crate::sample::live::Memory;

/// 200 looks a second (`reference/sampling.md` §1: nothing measurable for the target at this rate).
const INTERVAL: Duration = Duration::from_millis(5);

/// A look may cost this part of the time until the next: with many threads there are fewer looks, never a busier machine.
const LEISURE: u32 = 50;

/// Looks between two searches for new child processes, and between two readings of a process's counters.
const SEARCH: u64 = 4;

/// Between two readings of how much memory there is, however long the looks take: growth is seen in an even series only.
const WEIGH: Duration = Duration::from_millis(20);

/// Watches a workload from another thread.
pub(in crate::sample) struct Watcher {
    stop: Sender<()>,
    thread: Option<JoinHandle<Observed>>,
}

impl Watcher {
    /// Begins to watch a process that is about to execute its program.
    pub(in crate::sample) fn begin(pid: u32) -> Self {
        let (stop, stopped) = channel();
        let work = move || {
            let mut poller = Poller::new(pid);
            let mut due = Instant::now() + INTERVAL;
            let pause = |due: Instant| due.saturating_duration_since(Instant::now()).min(WEIGH);
            while matches!(stopped.recv_timeout(pause(due)), Err(RecvTimeoutError::Timeout)) {
                poller.weigh();
                if Instant::now() < due {
                    continue;
                }
                let (before, once) = (own_cpu(), poller.once());
                let looked = poller.look();
                let cost = own_cpu().saturating_sub(before);
                if looked {
                    poller.own += cost;
                }
                // Else the first look, which reads the executable, would be the only one for a second.
                let once = poller.once().saturating_sub(once);
                due = Instant::now() + INTERVAL.max(cost.saturating_sub(once) * LEISURE);
            }
            poller.finish()
        };
        let thread = std::thread::Builder::new().name("off-cpu".into()).spawn(work).ok();
        Self { stop, thread }
    }

    /// What was seen; `None` where it could not watch, or the run was over before the first look.
    pub(in crate::sample) fn end(self) -> Option<Observed> {
        let _gone_already = self.stop.send(());
        self.thread?.join().ok().filter(|observed| observed.looks > 0)
    }
}

/// CPU time of this thread.
pub(in crate::sample) fn own_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

struct Poller {
    root: u32,
    started: Option<Instant>,
    processes: Vec<u32>,
    threads: HashMap<(u32, u32), Thread>,
    ended: Vec<Thread>,
    transfers: HashMap<u32, Transfers>,
    /// Of each child, the process that will reap it.
    parents: HashMap<u32, u32>,
    swapped: Option<u64>,
    resident: Series,
    weigh_at: Duration,
    ends: Ends,
    takes: Takes,
    looks: u64,
    raced: u64,
    most_threads: u64,
    last: u64,
    own: Duration,
    buffer: Vec<u8>,
}

impl Poller {
    fn new(root: u32) -> Self {
        Self {
            root,
            started: None,
            processes: vec![root],
            threads: HashMap::new(),
            ended: Vec::new(),
            transfers: HashMap::new(),
            parents: HashMap::new(),
            swapped: None,
            resident: Series::new(),
            weigh_at: Duration::ZERO,
            ends: Ends::new(),
            takes: Takes::default(),
            looks: 0,
            raced: 0,
            most_threads: 0,
            last: 0,
            own: Duration::ZERO,
            buffer: vec![0; 4096],
        }
    }

    /// What asking for names and reading executables took: the first is bounded by itself, the second comes once for each.
    fn once(&self) -> Duration {
        self.ends.spent() + self.takes.loading()
    }

    /// One look at everything; false before the program is there.
    fn look(&mut self) -> bool {
        let Some(started) = self.started else {
            if self.is_at_the_gate() {
                return false;
            }
            self.started = Some(Instant::now());
            return self.look();
        };
        let at = started.elapsed().as_nanos() as u64;
        if self.looks.is_multiple_of(SEARCH) {
            self.search();
            self.count();
        }
        let mut alive = 0;
        for pid in self.processes.clone() {
            let tids = numbers(&format!("/proc/{pid}/task"));
            alive += tids.len() as u64;
            for &tid in &tids {
                self.look_at(pid, tid, at, &tids);
            }
            self.retire(pid, &tids);
        }
        if alive == 0 {
            return true;
        }
        self.most_threads = self.most_threads.max(alive);
        self.looks += 1;
        self.last = at;
        true
    }

    /// True as long as the child is this program, started as this process was, or already gone.
    fn is_at_the_gate(&self) -> bool {
        let image =
            |pid: &str| Some((fs::read_link(format!("/proc/{pid}/exe")).ok()?, fs::read(format!("/proc/{pid}/cmdline")).ok()?));
        let child = image(&self.root.to_string());
        child.is_none() || child == image("self")
    }

    /// Looks for children of the processes that are known, and theirs.
    fn search(&mut self) {
        let mut next = 0;
        while let Some(&pid) = self.processes.get(next) {
            next += 1;
            for tid in numbers(&format!("/proc/{pid}/task")) {
                let text = fs::read_to_string(format!("/proc/{pid}/task/{tid}/children")).unwrap_or_default();
                for child in text.split_whitespace().filter_map(|word| word.parse().ok()) {
                    if !self.processes.contains(&child) {
                        self.parents.insert(child, pid);
                        self.processes.push(child);
                    }
                }
            }
        }
        let gone = |pid: &u32| !std::path::Path::new(&format!("/proc/{pid}")).exists();
        let ended: Vec<u32> = self.processes.iter().filter(|pid| gone(pid)).copied().collect();
        self.processes.retain(|pid| !ended.contains(pid));
        for pid in ended {
            self.takes.forget(pid);
            // The kernel adds what a child did to who reaps it (`proc_pid_io(5)`).
            if self.parents.get(&pid).is_some_and(|parent| self.processes.contains(parent)) {
                self.transfers.remove(&pid);
            }
        }
    }

    fn count(&mut self) {
        for pid in self.processes.clone() {
            let io = fs::read_to_string(format!("/proc/{pid}/io")).ok().and_then(|text| transfers(&text));
            self.transfers.extend(io.map(|io| (pid, io)));
        }
    }

    /// Reads how much memory all processes hold, and how often they asked for a page, when it is time.
    fn weigh(&mut self) {
        let Some(at) = self.started.map(|started| started.elapsed()).filter(|at| *at >= self.weigh_at) else { return };
        let before = own_cpu();
        let (mut resident, mut faults) = (None, None);
        for pid in &self.processes {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).ok();
            self.swapped = self.swapped.max(status.as_deref().and_then(swapped));
            if let Some(bytes) = status.as_deref().and_then(anonymous) {
                resident = Some(resident.unwrap_or(0) + bytes);
            }
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok();
            if let Some(more) = stat.as_deref().and_then(minor_faults) {
                faults = Some(faults.unwrap_or(0) + more);
            }
        }
        if let Some(bytes) = resident {
            self.resident.add(Resident { at_ns: at.as_nanos() as u64, bytes, faults });
        }
        let cost = own_cpu().saturating_sub(before);
        self.own += cost;
        self.weigh_at = at + WEIGH.max(cost * LEISURE);
    }

    fn look_at(&mut self, pid: u32, tid: u32, at: u64, tids: &[u32]) {
        let path = format!("/proc/{pid}/task/{tid}/schedstat");
        let Some(schedule) = self.read(&path).and_then(|text| Schedule::parse(&text)) else { return };
        // Nobody knows since when a new thread lives: what it did before this look counts as run, not as waited.
        let born = || if self.looks == 0 { Thread::new(at, schedule) } else { Thread::new(at, Schedule::default()) };
        let known = self.threads.entry((pid, tid)).or_insert_with(born);
        if known.stands(schedule) {
            known.still(at);
            return;
        }
        let Some(seen) = self.see(pid, tid, tids) else { return };
        if seen == Seen::Raced {
            self.raced += 1;
        }
        if let Some(thread) = self.threads.get_mut(&(pid, tid)) {
            thread.look(at, schedule, seen);
        }
    }

    fn see(&mut self, pid: u32, tid: u32, tids: &[u32]) -> Option<Seen> {
        let path = format!("/proc/{pid}/task/{tid}/syscall");
        let before = self.read(&path)?;
        let (reason, place) = match State::parse(&before)? {
            State::Running => return Some(Seen::Running),
            State::Faulting { place } => (Some(Reason { wait: Wait::Memory, what: None, word: None }), place),
            State::Blocked { number, arguments, place } => (self.reason(pid, number, &arguments, tids), place),
        };
        let copied = self.takes.copy(pid, place);
        // Only what is still so is true of the same wait.
        match (self.read(&path)? == before, reason) {
            (true, Some(reason)) => {
                let stack = if copied { self.takes.stack(pid, place) } else { None };
                Some(Seen::Blocked(reason, stack))
            }
            _ => Some(Seen::Raced),
        }
    }

    fn reason(&mut self, pid: u32, number: i64, arguments: &[u64; 6], tids: &[u32]) -> Option<Reason> {
        let plain = |wait| Some(Reason { wait, what: None, word: None });
        match classify(number, arguments, |id| tids.iter().any(|&tid| u64::from(tid) == id)) {
            Call::Wait(wait) => plain(wait),
            Call::Join => plain(Wait::Join),
            Call::MaybeLock(word) => Some(Reason { wait: Wait::Parked, what: None, word: Some(word) }),
            Call::Durability(None) => plain(Wait::Durability),
            Call::Durability(Some(fd)) => {
                let what = self.ends.name(pid, fd, &self.processes)?.1;
                Some(Reason { wait: Wait::Durability, what, word: None })
            }
            Call::Descriptor(fd) => self.descriptor(pid, fd),
            Call::PollOne(address) => match read_word(pid, address) {
                Some(fd) => self.descriptor(pid, fd.into()),
                None => plain(Wait::Event),
            },
        }
    }

    fn descriptor(&mut self, pid: u32, fd: u64) -> Option<Reason> {
        let (wait, what) = self.ends.name(pid, fd, &self.processes)?;
        Some(Reason { wait, what, word: None })
    }

    fn retire(&mut self, pid: u32, tids: &[u32]) {
        let gone: Vec<(u32, u32)> = self.threads.keys().filter(|key| key.0 == pid && !tids.contains(&key.1)).copied().collect();
        self.ended.extend(gone.iter().filter_map(|key| self.threads.remove(key)));
    }

    /// What a file of the kernel says, in one piece.
    fn read(&mut self, path: &str) -> Option<String> {
        let read = fs::File::open(path).ok()?.read(&mut self.buffer).ok()?;
        Some(String::from_utf8_lossy(self.buffer.get(..read)?).into_owned())
    }

    fn finish(mut self) -> Observed {
        self.ended.extend(self.threads.drain().map(|(_, thread)| thread));
        let running: u64 = self.ended.iter().map(Thread::running).sum();
        Observed {
            looks: self.looks,
            raced: self.raced,
            own_ns: self.own.as_nanos() as u64,
            most_threads: self.most_threads,
            runnable: if self.looks == 0 { 0.0 } else { running as f64 / self.looks as f64 },
            transfers: self.transfers.values().copied().reduce(Transfers::plus),
            swapped: self.swapped,
            resident: self.resident.points(),
            ..named::observed(&self.ended, self.last, &self.takes)
        }
    }
}

/// The numbers among the names in a directory.
fn numbers(dir: &str) -> Vec<u32> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The descriptor in a `struct pollfd` of another process (`poll(2)`): its first four bytes.
fn read_word(pid: u32, address: u64) -> Option<u32> {
    let mut word = [0; 4];
    (Memory::open(pid)?.read(address, &mut word) == word.len()).then(|| u32::from_ne_bytes(word))
}
