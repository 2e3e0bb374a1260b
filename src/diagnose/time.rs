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

/// Nanoseconds per part. Waiting for a processor is in none: it says something about the machine.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Time {
    parts: BTreeMap<Part, f64>,
}

impl Time {
    /// The vector of a workload.
    pub fn of(work: &Work) -> Self {
        let mut time = Self::default();
        time.add(Part::User, work.user());
        time.add(Part::Kernel, work.system());
        for waiting in &work.observed.waits {
            if let Some(part) = Part::of(waiting) {
                time.add(part, waiting.ns as f64);
            }
        }
        let doubtful = work.observed.run_delay_ns as f64 * DOUBTFUL;
        time.add(Part::Other, work.observed.unnamed_ns as f64 - doubtful);
        time
    }

    /// Adds to a part.
    pub fn add(&mut self, part: Part, ns: f64) {
        *self.parts.entry(part).or_default() += ns.max(0.0);
    }

    /// Work time, nanoseconds.
    pub fn total(&self) -> f64 {
        self.parts.values().sum()
    }

    /// Share of the work time; 0 where there is none.
    pub fn share(&self, part: Part) -> f64 {
        let total = self.total();
        if total > 0.0 { self.parts.get(&part).copied().unwrap_or(0.0) / total } else { 0.0 }
    }

    /// Part of the work time that was spent on a processor (`U`); 1 where there is none.
    pub fn on_cpu(&self) -> f64 {
        if self.total() > 0.0 { self.share(Part::User) + self.share(Part::Kernel) } else { 1.0 }
    }

    /// Part of the work time that CPU samples of this engine stand for: native ones are of user code only.
    pub fn sampled(&self, engine: Engine) -> f64 {
        let kernel = if sees_kernel(engine) { self.share(Part::Kernel) } else { 0.0 };
        self.share(Part::User) + kernel
    }

    /// The kernel's part of the work time that no sample of this engine shows.
    pub fn unsampled_kernel(&self, engine: Engine) -> f64 {
        if sees_kernel(engine) { 0.0 } else { self.share(Part::Kernel) }
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
fn sees_kernel(engine: Engine) -> bool {
    engine != Engine::PerfEvent
}
