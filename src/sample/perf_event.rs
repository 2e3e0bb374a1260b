//! The native engine: one CPU-clock event per CPU on the gated child, own ring reader, own unwinder and symbolizer.
//!
//! Follows threads and child processes. Needs no privileges up to `kernel.perf_event_paranoid` 2 because it leaves the
//! kernel's own frames out. The attributes and traps are those of `reference/sampling.md` §2 and §3.

mod arch;
mod attr;
mod beyond;
pub(super) mod counter;
mod faults;
mod jitter;
mod merge;
mod outer;
mod processes;
mod recorded;
mod ring;

use std::cell::RefCell;
use std::collections::HashSet;
use std::time::Duration;

pub(super) use self::recorded::{copied, recorded};

use self::jitter::Jitter;
use self::merge::Merger;
use self::processes::Processes;
use self::ring::Ring;
use super::offcpu::{Watcher, own_cpu};
use super::walk::symbolize;
use super::{Recording, Refusal, SampleError, SampleOptions};
use crate::process::{Finished, Launch, Limits, run_gated};
use crate::profile::{Engine, Profile, Quality};

/// Data pages per ring, tried in this order: the large one avoids losses on a busy machine and needs more locked memory
/// than an ordinary user has; 128 is what `kernel.perf_event_mlock_kb` (516) grants everybody, 32 is for when another
/// profiler has taken most of it. All are powers of two, as `perf_event_open(2)` demands.
const RING_PAGES: [usize; 3] = [512, 128, 32];

/// Machines with more CPUs than this get no large rings: they would lock hundreds of megabytes.
const MOST_CPUS_WITH_LARGE_RINGS: usize = 16;

pub(super) fn probe() -> Result<Engine, Refusal> {
    let mut attributes = attr::attributes(&SampleOptions::default());
    match attr::open(&mut attributes, 0, -1) {
        Ok(_closed_at_once) => Ok(Engine::PerfEvent),
        Err(error) => Err(Refusal::from_io(&error, false)),
    }
}

pub(super) fn record(launch: &Launch, limits: &Limits, options: &SampleOptions) -> Result<Recording, SampleError> {
    let options = attr::permitted(options);
    let session: RefCell<Option<Result<Session, Refusal>>> = RefCell::new(None);
    let mut watcher = None;
    let finished = run_gated(
        launch,
        limits,
        |gated| {
            let attached = Session::attach(gated.pid, &options);
            watcher = Some(Watcher::begin(gated.pid));
            if attached.is_err() {
                // Without a sampler the run would be for nothing.
                end(gated.pid);
            }
            *session.borrow_mut() = Some(attached);
        },
        |last| {
            if let Some(Ok(session)) = session.borrow_mut().as_mut() {
                session.drain(last);
            }
        },
    );
    let mut observed = watcher.and_then(Watcher::end);
    let finished = finished?;
    if let (Some(Ok(session)), Some(observed)) = (&*session.borrow(), &mut observed) {
        observed.own_ns += session.own.as_nanos() as u64;
        observed.born = Some(session.processes.born);
    }
    match session.into_inner() {
        Some(Ok(session)) => {
            let (profile, faults) = session.profiles(&options, &finished);
            Ok(Recording { profile, finished, observed, faults })
        }
        Some(Err(refusal)) => Err(refusal.into()),
        None => Err(Refusal::from_io(&std::io::Error::from_raw_os_error(libc::ESRCH), false).into()),
    }
}

fn end(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) {
        let _gone_already = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}

/// Events that are attached to one process and what they have shown so far.
struct Session {
    rings: Vec<Ring>,
    merger: Merger,
    processes: Processes,
    jitter: Jitter,
    /// CPU time that reading and unwinding took.
    own: Duration,
}

impl Session {
    fn attach(pid: u32, options: &SampleOptions) -> Result<Self, Refusal> {
        let cpus = attr::online_cpus();
        let pid = i32::try_from(pid).unwrap_or(i32::MAX);
        let large = usize::from(cpus.len() > MOST_CPUS_WITH_LARGE_RINGS);
        let mut refusal = Refusal::from_io(&std::io::Error::from_raw_os_error(libc::ENODEV), false);
        for &pages in RING_PAGES.iter().skip(large) {
            match open_rings(pid, &cpus, options, pages) {
                Ok(mut rings) => {
                    let mut processes = Processes::new(pid);
                    processes.fault_ids = watch_faults(&mut rings, options, pid);
                    processes.fault_period = faults::period(options);
                    return Ok(Self {
                        rings: rings.into_iter().map(|(_, ring)| ring).collect(),
                        merger: Merger::default(),
                        processes,
                        own: Duration::ZERO,
                        jitter: Jitter::around(options.frequency),
                    });
                }
                Err((error, buffers)) => {
                    refusal = Refusal::from_io(&error, buffers);
                    if !buffers {
                        break;
                    }
                }
            }
        }
        Err(refusal)
    }

    /// Empties the rings first, so that the kernel has room again, and unwinds afterwards.
    fn drain(&mut self, last: bool) {
        let before = own_cpu();
        self.jitter.tick(self.rings.iter().map(Ring::event));
        for ring in &mut self.rings {
            ring.drain(|mut record| {
                record.steady = self.processes.look(&record);
                self.merger.push(record);
            });
        }
        self.merger.end_round();
        while let Some(record) = self.merger.pop(last) {
            self.processes.handle(&record);
        }
        self.own += own_cpu().saturating_sub(before);
    }

    /// The stacks of the CPU clock, and those of page faults where there were any.
    fn profiles(mut self, options: &SampleOptions, finished: &Finished) -> (Profile, Option<Profile>) {
        self.processes.settle_all();
        let Processes { binaries, stacks, faults, lost, .. } = self.processes;
        let quality = Quality {
            engine: Engine::PerfEvent,
            samples: stacks.samples(),
            frequency: options.frequency,
            lost,
            truncated: 0,
            cpu_ns: finished.usage.map(|usage| usage.user.as_nanos() as u64),
            wall_ns: finished.wall.as_nanos() as u64,
        };
        let faults = faults.profile(&binaries, lost, quality.wall_ns);
        (symbolize::profile(&binaries, &stacks, quality), faults)
    }
}

/// Lets page faults be sampled into the same rings; where the kernel refuses, there are none. Returns what tells their samples.
fn watch_faults(rings: &mut [(i32, Ring)], options: &SampleOptions, pid: i32) -> HashSet<u64> {
    let beside = |(cpu, ring): &mut (i32, Ring)| {
        let (event, id) = faults::beside(ring.event(), options, pid, *cpu).ok()?;
        ring.share_with(event);
        Some(id)
    };
    rings.iter_mut().filter_map(beside).collect()
}

/// The rings of all CPUs, each with its CPU, or why not: the flag tells a refused buffer from a refused event.
fn open_rings(pid: i32, cpus: &[i32], options: &SampleOptions, pages: usize) -> Result<Vec<(i32, Ring)>, (std::io::Error, bool)> {
    let mut rings = Vec::with_capacity(cpus.len());
    let mut offline = None;
    for &cpu in cpus {
        let event = match attr::open(&mut attr::attributes(options), pid, cpu) {
            Ok(event) => event,
            Err(error) if error.raw_os_error() == Some(libc::ENODEV) => {
                offline = Some(error);
                continue;
            }
            Err(error) => return Err((error, false)),
        };
        rings.push((cpu, Ring::new(event, pages).map_err(|error| (error, true))?));
    }
    match offline {
        Some(error) if rings.is_empty() => Err((error, false)),
        _ => Ok(rings),
    }
}
