//! The work-time vector: what the threads of a workload did, or waited for, while they had something to do.

use std::collections::BTreeMap;

use super::Work;
use crate::profile::Engine;
use crate::sample::offcpu::{Wait, Waiting};

/// A part of the work time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// On a processor in user code.
    User,
    /// On a processor in the kernel.
    Kernel,
    /// Waiting for a peer that is no database as far as its address tells.
    Network,
    /// Waiting for a database.
    Database,
    /// Waiting for a file.
    Disk,
    /// Waiting for data to be safe on the disk.
    Durability,
    /// Waiting for another program at the end of a pipe.
    Pipe,
    /// Waiting for a device.
    Device,
    /// Waiting for a lock.
    Lock,
    /// Waiting for the clock.
    Sleep,
    /// Waiting for a page.
    Memory,
    /// Waiting for something that has no name here, or that no look has shown.
    Other,
}

impl Part {
    /// Its name in the JSON contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "on_cpu_user",
            Self::Kernel => "on_cpu_kernel",
            Self::Network => "network",
            Self::Database => "database",
            Self::Disk => "disk",
            Self::Durability => "durability",
            Self::Pipe => "pipe",
            Self::Device => "device",
            Self::Lock => "lock",
            Self::Sleep => "sleep",
            Self::Memory => "memory",
            Self::Other => "other",
        }
    }

    /// True for a wait for something outside of the program.
    pub fn is_io(self) -> bool {
        matches!(self, Self::Network | Self::Database | Self::Disk | Self::Durability | Self::Pipe | Self::Device)
    }

    /// The part that a wait belongs to; `None` when it is no work.
    pub fn of(waiting: &Waiting) -> Option<Self> {
        (!waiting.idle).then(|| Self::of_wait(waiting.wait, waiting.what.as_deref()))
    }

    /// The part that a wait for this thing belongs to when it is work.
    pub(super) fn of_wait(wait: Wait, what: Option<&str>) -> Self {
        match wait {
            Wait::Socket if what.is_some_and(is_database) => Self::Database,
            Wait::Socket => Self::Network,
            Wait::File => Self::Disk,
            Wait::Durability => Self::Durability,
            Wait::Pipe => Self::Pipe,
            Wait::Device => Self::Device,
            Wait::Lock => Self::Lock,
            Wait::Sleep => Self::Sleep,
            Wait::Memory => Self::Memory,
            // Idle as a rule; work is lost where a worker of an asynchronous program does it.
            Wait::Other | Wait::HandOff | Wait::Parked | Wait::Join | Wait::Child | Wait::Event => Self::Other,
        }
    }
}

/// `PostgreSQL`, `MySQL`, Redis, `MongoDB` (IANA's service names).
const DATABASE_PORTS: [&str; 4] = ["5432", "3306", "6379", "27017"];

/// Parts of the paths of their sockets.
const DATABASE_SOCKETS: [&str; 4] = [".s.PGSQL.", "mysql", "redis", "mongodb"];

fn is_database(peer: &str) -> bool {
    let port = peer.rsplit_once(':').map(|(_, port)| port);
    port.is_some_and(|port| DATABASE_PORTS.contains(&port)) || DATABASE_SOCKETS.iter().any(|part| peer.contains(part))
}

/// What the time without a name may be wrong by, as a part of the time ready to run: the kernel accounts that time when it ends. On
/// a machine of which others took nine tenths, programs that never wait had up to 4.3 % of it as time without a name.
const DOUBTFUL: f64 = 0.05;

/// Time of a part, nanoseconds, and what is known of it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Amount {
    pub(super) ns: f64,
    /// What of it no look has shown.
    pub(super) unseen: f64,
    /// Sum of the squares of what each look stands for.
    squares: f64,
}

impl Amount {
    /// Looks of equal weight that would say as much ([`crate::stats::effective`]).
    pub(super) fn looks(self) -> f64 {
        let seen = self.ns - self.unseen;
        if self.squares > 0.0 { seen * seen / self.squares } else { 0.0 }
    }

    fn plus(self, other: Self) -> Self {
        Self { ns: self.ns + other.ns, unseen: self.unseen + other.unseen, squares: self.squares + other.squares }
    }
}

/// Time per part. Waiting for a processor is in none: it says something about the machine.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Time {
    parts: BTreeMap<Part, Amount>,
    /// What the time without a name may be wrong by.
    doubt: f64,
    /// Samples that the whole CPU time would have; `None` where it was not split by samples.
    samples: Option<f64>,
}

impl Time {
    /// The vector of a workload.
    pub fn of(work: &Work) -> Self {
        let doubt = work.observed.run_delay_ns as f64 * DOUBTFUL;
        let sampled = work.on_cpu.sampled_ns.filter(|&ns| ns > 0);
        let samples = sampled.map(|ns| work.cpu_seconds() * 1e9 / ns as f64 * work.on_cpu.samples as f64);
        let mut time = Self { parts: BTreeMap::new(), doubt, samples };
        let exact = |ns| Amount { ns, ..Amount::default() };
        time.add(Part::User, exact(work.user()));
        time.add(Part::Kernel, exact(work.system()));
        for waiting in &work.observed.waits {
            if let Some(part) = Part::of(waiting) {
                let ns = waiting.ns as f64;
                time.add(part, Amount { ns, unseen: 0.0, squares: ns * ns / waiting.samples.max(1) as f64 });
            }
        }
        let unseen = (work.observed.unnamed_ns as f64 - doubt).max(0.0);
        time.add(Part::Other, Amount { ns: unseen, unseen, squares: 0.0 });
        time
    }

    fn add(&mut self, part: Part, amount: Amount) {
        let sum = self.parts.entry(part).or_default();
        *sum = sum.plus(amount);
    }

    pub(super) fn amount(&self, part: Part) -> Amount {
        self.parts.get(&part).copied().unwrap_or_default()
    }

    /// All that was waited.
    pub(super) fn waits(&self) -> Amount {
        let waits = self.parts.iter().filter(|(part, _)| !matches!(part, Part::User | Part::Kernel));
        waits.fold(Amount::default(), |sum, (_, amount)| sum.plus(*amount))
    }

    pub(super) fn doubt(&self) -> f64 {
        self.doubt
    }

    pub(super) fn samples(&self) -> Option<f64> {
        self.samples
    }

    /// Work time, nanoseconds.
    pub fn total(&self) -> f64 {
        self.parts.values().map(|amount| amount.ns).sum()
    }

    /// Share of the work time; 0 where there is none.
    pub fn share(&self, part: Part) -> f64 {
        let total = self.total();
        if total > 0.0 { self.amount(part).ns / total } else { 0.0 }
    }

    /// Part of the work time that was spent on a processor (`U`); 1 where there is none.
    pub fn on_cpu(&self) -> f64 {
        if self.total() > 0.0 { self.share(Part::User) + self.share(Part::Kernel) } else { 1.0 }
    }

    /// Every part that there is, largest first.
    pub fn shares(&self) -> Vec<(Part, f64)> {
        let mut shares: Vec<_> =
            self.parts.keys().map(|&part| (part, self.share(part))).filter(|(_, share)| *share > 0.0).collect();
        shares.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        shares
    }

    /// Share of the waits for something outside of the program.
    pub fn io(&self) -> f64 {
        self.parts.keys().filter(|part| part.is_io()).map(|&part| self.share(part)).sum()
    }
}

/// The agent's timer strikes in the kernel as well, and counts for the caller.
pub(super) fn sees_kernel(engine: Engine) -> bool {
    engine != Engine::PerfEvent
}
