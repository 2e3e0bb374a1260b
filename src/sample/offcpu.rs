//! The off-CPU sampler: what the threads of a workload wait for while they do not run, and the kernel's counters of the same run.
//!
//! A thread of ours looks at `/proc/PID/task/*` of the workload and its child processes; nobody is stopped and no privileges are
//! needed for one's own children. What a descriptor is comes from the kernel, never from a symbol; what a futex is for, from the stack.
//! It does not judge what it sees (`diagnose`).

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod account;
mod blocked;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod call;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod ends;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod named;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod poll;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod procfs;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod resident;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod roles;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod takes;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use blocked::{Blocked, BlockedStack, Place};
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) use poll::{Watcher, own_cpu};

/// What a blocked thread waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wait {
    /// A socket that leads out of the workload.
    Socket,
    /// A file's contents or a directory.
    File,
    /// `fsync` and its relatives: data on its way to the disk.
    Durability,
    /// A pipe whose other end is not the workload's.
    Pipe,
    /// A terminal or another device.
    Device,
    /// A lock that another thread holds.
    Lock,
    /// The clock.
    Sleep,
    /// A page that is not there, or the address space's own lock.
    Memory,
    /// The other end of a pipe, socket or eventfd that the workload itself holds: what happens there is seen there.
    HandOff,
    /// Parked, or on a condition: nothing to do.
    Parked,
    /// The end of another thread.
    Join,
    /// The end of a child process, which is watched itself.
    Child,
    /// Work to come in: `epoll`, `poll`, `accept`.
    Event,
    /// Anything else.
    Other,
}

impl Wait {
    /// Its name in the JSON contract and in stores.
    pub fn name(self) -> &'static str {
        match self {
            Self::Socket => "socket",
            Self::File => "file",
            Self::Durability => "durability",
            Self::Pipe => "pipe",
            Self::Device => "device",
            Self::Lock => "lock",
            Self::Sleep => "sleep",
            Self::Memory => "memory",
            Self::HandOff => "hand-off",
            Self::Parked => "parked",
            Self::Join => "join",
            Self::Child => "child",
            Self::Event => "event",
            Self::Other => "other",
        }
    }

    /// True when there is nothing to do for this thread: its waiting is no work, and no bottleneck.
    pub fn is_idle(self) -> bool {
        matches!(self, Self::HandOff | Self::Parked | Self::Join | Self::Child | Self::Event)
    }
}

/// Time that threads waited for one thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    /// For what.
    pub wait: Wait,
    /// Which one: a path, the address of a peer; untrusted text. `None` where there is nothing to name.
    pub what: Option<String>,
    /// True when it was no work, whatever it waited for: a thread that stood there all the time while others worked.
    pub idle: bool,
    /// For how long, over all threads, nanoseconds.
    pub ns: u64,
    /// Looks that showed it.
    pub samples: u64,
}

/// Calls of the read and write family and their bytes (`/proc/PID/io`; sockets' own calls are not among them).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfers {
    /// Calls that read.
    pub reads: u64,
    /// Calls that write.
    pub writes: u64,
    /// Bytes that they moved, from the page cache or not.
    pub bytes: u64,
    /// What of them was written; `None` in older stores.
    #[serde(default)]
    pub written: Option<u64>,
    /// Bytes that came from or went to a disk.
    pub disk_bytes: u64,
}

/// What was seen of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// From the first look to the last, nanoseconds.
    pub watched_ns: u64,
    /// Looks.
    pub looks: u64,
    /// Samples that were dropped because the thread went on while it was looked at.
    pub raced: u64,
    /// What looking and, where this tool samples the CPU itself, sampling cost, CPU nanoseconds of our own.
    pub own_ns: u64,
    /// Threads that were seen, in all processes.
    pub threads: u64,
    /// Most threads at once.
    pub most_threads: u64,
    /// Threads and processes that began; `None` where nobody was told (looks miss those that live for less than one).
    #[serde(default)]
    pub born: Option<Born>,
    /// Threads that ran or were ready to run, on average.
    pub runnable: f64,
    /// Time on a processor, over all threads that were seen.
    pub on_cpu_ns: u64,
    /// The same, of the busiest thread.
    pub busiest_ns: u64,
    /// Time ready to run without a processor, over all threads that were seen.
    pub run_delay_ns: u64,
    /// What was waited for, most time first.
    pub waits: Vec<Waiting>,
    /// Time that was waited for something that no look showed.
    pub unnamed_ns: u64,
    /// The same by stack; `None` where nobody took stacks (an older store, a processor other than x86-64).
    #[serde(default)]
    pub blocked: Option<Blocked>,
    /// Reads and writes of all processes, as of the last look; `None` where the kernel does not tell.
    pub transfers: Option<Transfers>,
    /// Most memory on swap of any process, bytes; `None` where the kernel does not tell.
    pub swapped: Option<u64>,
    /// Memory of its own (not of files) that all processes held, over the longest run; empty where the kernel does not tell.
    #[serde(default)]
    pub resident: Vec<Resident>,
}

/// Threads and processes that began while a program ran, beside its first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Born {
    /// Threads.
    pub threads: u64,
    /// Processes.
    pub processes: u64,
}

/// Memory that a workload held at a time, and had touched until then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resident {
    /// Since the first look, nanoseconds.
    pub at_ns: u64,
    /// Anonymous resident memory of all processes, bytes.
    pub bytes: u64,
    /// Page faults without I/O of all processes so far; `None` where the kernel does not tell, and in older stores.
    #[serde(default)]
    pub faults: Option<u64>,
}

impl Observed {
    /// Adds another run of the same workload.
    pub fn add(&mut self, other: Self) {
        let looks = (self.looks + other.looks).max(1) as f64;
        self.runnable = (self.runnable * self.looks as f64 + other.runnable * other.looks as f64) / looks;
        self.watched_ns += other.watched_ns;
        self.looks += other.looks;
        self.raced += other.raced;
        self.own_ns += other.own_ns;
        self.threads += other.threads;
        self.most_threads = self.most_threads.max(other.most_threads);
        self.on_cpu_ns += other.on_cpu_ns;
        self.busiest_ns += other.busiest_ns;
        self.run_delay_ns += other.run_delay_ns;
        self.unnamed_ns += other.unnamed_ns;
        self.swapped = self.swapped.max(other.swapped);
        self.transfers = match (self.transfers, other.transfers) {
            (Some(a), Some(b)) => Some(a.plus(b)),
            (one, another) => one.or(another),
        };
        self.born =
            self.born.zip(other.born).map(|(a, b)| Born { threads: a.threads + b.threads, processes: a.processes + b.processes });
        let length = |series: &[Resident]| series.last().map_or(0, |point| point.at_ns);
        if length(&other.resident) > length(&self.resident) {
            self.resident = other.resident;
        }
        match (&mut self.blocked, other.blocked) {
            (Some(sum), Some(one)) => sum.add(one),
            (sum @ None, one) => *sum = one,
            (Some(_), None) => {}
        }
        for waiting in other.waits {
            self.waited(waiting);
        }
        self.waits.sort_by(|a, b| b.ns.cmp(&a.ns).then_with(|| a.what.cmp(&b.what)));
    }

    fn waited(&mut self, new: Waiting) {
        let same = |old: &&mut Waiting| (old.wait, &old.what, old.idle) == (new.wait, &new.what, new.idle);
        match self.waits.iter_mut().find(same) {
            Some(old) => {
                old.ns += new.ns;
                old.samples += new.samples;
            }
            None => self.waits.push(new),
        }
    }
}

impl Transfers {
    fn plus(self, other: Self) -> Self {
        Self {
            reads: self.reads + other.reads,
            writes: self.writes + other.writes,
            bytes: self.bytes + other.bytes,
            written: self.written.zip(other.written).map(|(a, b)| a + b),
            disk_bytes: self.disk_bytes + other.disk_bytes,
        }
    }
}

/// Where there is no `/proc`, nothing is seen.
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub(super) struct Watcher;

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
impl Watcher {
    pub(super) fn begin(_pid: u32) -> Self {
        Self
    }

    pub(super) fn end(self) -> Option<Observed> {
        None
    }
}
