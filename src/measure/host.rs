//! How much of the machine others took while we measured: pressure, run queues, the hypervisor, the cgroup's quota.
//!
//! Parses what the kernel says and takes differences; it neither reads files (`read` does) nor refuses anything because of load.

mod read;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use read::Watch;

use crate::process::Usage;

/// The kernel's counters at one moment. `None`: this system does not tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Time in which some task waited for a processor (`/proc/pressure/cpu`).
    pub cpu_stalled: Option<Duration>,
    /// The same for disks (`/proc/pressure/io`).
    pub io_stalled: Option<Duration>,
    /// The same for memory (`/proc/pressure/memory`).
    pub memory_stalled: Option<Duration>,
    /// Of all processors (`/proc/stat`).
    pub processors: Option<Processors>,
    /// Of our own cgroup (`cpu.stat`).
    pub throttled: Option<Throttled>,
}

/// Clock ticks over all processors (proc(5), `/proc/stat`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Processors {
    /// Ticks in which the hypervisor ran someone else.
    pub stolen: u64,
    /// All ticks.
    pub total: u64,
}

/// What the cgroup's CPU quota held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttled {
    /// Periods in which it did.
    pub periods: u64,
    /// For how long, over all processors.
    pub time: Duration,
}

/// What the measured processes got and what they waited for, over all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waited {
    /// CPU time.
    pub cpu: Duration,
    /// Time that their first threads were ready to run without a processor.
    pub run_delay: Duration,
}

/// How much of the machine others took. Shares are fractions; `None` is not known, never 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Contention {
    /// Time that this was watched for, nanoseconds.
    pub watched_ns: u64,
    /// Of the time that the measured processes could have run, the share that they waited for a processor.
    pub run_queue_delay: Option<f64>,
    /// Share of the time in which some task of the machine waited for a processor.
    pub cpu_pressure: Option<f64>,
    /// The same for disks.
    pub io_pressure: Option<f64>,
    /// The same for memory.
    pub memory_pressure: Option<f64>,
    /// Share of the processors' time that the hypervisor gave to others.
    pub steal: Option<f64>,
    /// Time that the quota of our cgroup held us back, over all processors, nanoseconds.
    pub throttled_ns: Option<u64>,
    /// Periods in which it did.
    pub throttled_periods: Option<u64>,
}

/// From here a reader should know. A quiet laptop stays below each of these; they decide about words only.
const NOTABLE_DELAY: f64 = 0.10;
const NOTABLE_PRESSURE: f64 = 0.50;
const NOTABLE_STEAL: f64 = 0.02;
const NOTABLE_THROTTLING: f64 = 0.01;
const NOTABLE_IO: f64 = 0.20;
const NOTABLE_MEMORY: f64 = 0.05;

impl Waited {
    /// Adds a process, if its waiting is known.
    pub fn add(&mut self, usage: &Usage) {
        if let Some(run_delay) = usage.run_delay {
            self.cpu += usage.cpu();
            self.run_delay += run_delay;
        }
    }
}

impl Contention {
    /// What happened between two moments, and to the processes that were measured between them.
    pub fn between(before: &Snapshot, after: &Snapshot, elapsed: Duration, waited: Waited) -> Self {
        let share = |before: Option<Duration>, after: Option<Duration>| {
            let stalled = after?.saturating_sub(before?).as_secs_f64();
            (elapsed > Duration::ZERO).then(|| (stalled / elapsed.as_secs_f64()).min(1.0))
        };
        let throttled = before.throttled.zip(after.throttled);
        let could_run = (waited.cpu + waited.run_delay).as_secs_f64();
        Self {
            watched_ns: elapsed.as_nanos() as u64,
            run_queue_delay: (could_run > 0.0).then(|| waited.run_delay.as_secs_f64() / could_run),
            cpu_pressure: share(before.cpu_stalled, after.cpu_stalled),
            io_pressure: share(before.io_stalled, after.io_stalled),
            memory_pressure: share(before.memory_stalled, after.memory_stalled),
            steal: before.processors.zip(after.processors).and_then(|(before, after)| stolen(before, after)),
            throttled_ns: throttled.map(|(before, after)| after.time.saturating_sub(before.time).as_nanos() as u64),
            throttled_periods: throttled.map(|(before, after)| after.periods.saturating_sub(before.periods)),
        }
    }

    /// What is worth a warning, in one line; `None` on a quiet machine.
    pub fn words(&self) -> Option<String> {
        let percent = |share: f64| format!("{:.0} %", 100.0 * share);
        let above = |share: Option<f64>, least: f64| share.filter(|&share| share >= least).map(percent);
        let delayed = above(self.run_queue_delay, NOTABLE_DELAY)
            .map(|share| format!("other processes took the CPU {share} of the time that the measured ones were ready to run"));
        let throttled = Duration::from_nanos(self.throttled_ns.unwrap_or(0));
        let throttled = (throttled.as_secs_f64() > NOTABLE_THROTTLING * Duration::from_nanos(self.watched_ns).as_secs_f64())
            .then(|| format!("the CPU quota of this container held everything back for {:.1} s", throttled.as_secs_f64()));
        // Pressure is everybody's, ours included: only where nothing better is known does it speak.
        let pressed = above(self.cpu_pressure.filter(|_| self.run_queue_delay.is_none()), NOTABLE_PRESSURE)
            .map(|share| format!("some process waited for the CPU {share} of the time"));
        let parts = [
            delayed,
            pressed,
            above(self.steal, NOTABLE_STEAL)
                .map(|share| format!("the hypervisor gave {share} of the CPU time to other machines")),
            throttled,
            above(self.io_pressure, NOTABLE_IO).map(|share| format!("something waited for a disk {share} of the time")),
            above(self.memory_pressure, NOTABLE_MEMORY).map(|share| format!("memory was short {share} of the time")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        let consequence = "wall times are wider for it, CPU times hardly";
        (!parts.is_empty()).then(|| format!("the machine was shared: {}; {consequence}", parts.join("; ")))
    }
}

fn stolen(before: Processors, after: Processors) -> Option<f64> {
    let total = after.total.saturating_sub(before.total);
    (total > 0).then(|| after.stolen.saturating_sub(before.stolen) as f64 / total as f64)
}

/// The stalled time of a pressure file: `total`, microseconds, of its `some` line (Documentation/accounting/psi.rst).
fn pressure(text: &str) -> Option<Duration> {
    let some = text.lines().find_map(|line| line.strip_prefix("some "))?;
    let total = some.split_whitespace().find_map(|word| word.strip_prefix("total="))?;
    Some(Duration::from_micros(total.parse().ok()?))
}

/// The first line of `/proc/stat`: user nice system idle iowait irq softirq steal. Guests are in user and nice.
fn processors(text: &str) -> Option<Processors> {
    let ticks = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<u64> = ticks.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    Some(Processors { stolen: *ticks.get(7)?, total: ticks.iter().take(8).sum() })
}

/// `cpu.stat` of cgroup v2 (`throttled_usec`) or v1 (`throttled_time`, nanoseconds); `None` where no quota is accounted.
fn throttled(text: &str) -> Option<Throttled> {
    let number = |name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        value.trim().parse::<u64>().ok()
    };
    let time = number("throttled_usec").map(Duration::from_micros);
    let time = time.or_else(|| number("throttled_time").map(Duration::from_nanos))?;
    Some(Throttled { periods: number("nr_throttled")?, time })
}

/// Where our cgroup's `cpu.stat` may lie, most likely first, below the mount point: from `/proc/self/cgroup` (cgroups(7)).
/// In a container the path is the host's, and the container's own root is mounted instead: hence the short forms.
fn cpu_stat_files(cgroup: &str) -> Vec<String> {
    let mut files = Vec::new();
    for line in cgroup.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let path = path.trim_end_matches('/');
        if controllers.is_empty() {
            files.extend([format!("{path}/cpu.stat"), format!("/unified{path}/cpu.stat"), "/cpu.stat".into()]);
        } else if controllers.split(',').any(|name| name == "cpu") {
            let mounts = [controllers, "cpu", "cpu,cpuacct"];
            files.extend(mounts.iter().flat_map(|mount| [format!("/{mount}{path}/cpu.stat"), format!("/{mount}/cpu.stat")]));
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRESSURE: &str =
        "some avg10=42.75 avg60=34.10 avg300=15.54 total=79116861\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n";
    const STAT: &str = "cpu  40968 13508 15078 53238 437 0 53 67 100 0\ncpu0 1 2 3 4 5 6 7 8 9 10\nintr 5\n";

    fn second(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn the_kernel_s_files_are_read() {
        assert_eq!(pressure(PRESSURE), Some(Duration::from_micros(79_116_861)));
        let total = 40_968 + 13_508 + 15_078 + 53_238 + 437 + 53 + 67;
        assert_eq!(processors(STAT), Some(Processors { stolen: 67, total }));
        let v2 = "usage_usec 5\nnr_periods 10\nnr_throttled 3\nthrottled_usec 1500\n";
        assert_eq!(throttled(v2), Some(Throttled { periods: 3, time: Duration::from_micros(1500) }));
        let v1 = "nr_periods 10\nnr_throttled 3\nthrottled_time 1500\n";
        assert_eq!(throttled(v1), Some(Throttled { periods: 3, time: Duration::from_nanos(1500) }));
    }

    #[test]
    fn what_a_system_does_not_tell_is_unknown_and_not_zero() {
        for text in ["", "some\n", "cpu \n", "cpu  1 2\n", "usage_usec 5\n", "nr_throttled x\nthrottled_usec\n"] {
            assert_eq!((pressure(text), processors(text), throttled(text)), (None, None, None), "{text:?}");
        }
        let nothing = Snapshot::default();
        let unknown = Contention::between(&nothing, &nothing, second(1.0), Waited::default());
        assert_eq!(unknown, Contention { watched_ns: 1_000_000_000, ..Contention::default() });
        assert_eq!(unknown.words(), None);
    }

    #[test]
    fn a_cgroup_is_looked_for_in_both_versions() {
        let v2 = cpu_stat_files("0::/user.slice/x.scope\n");
        assert_eq!(v2.first().map(String::as_str), Some("/user.slice/x.scope/cpu.stat"));
        let v1 = cpu_stat_files("4:memory:/a\n2:cpu,cpuacct:/docker/b\n0::/\n");
        assert_eq!(v1.first().map(String::as_str), Some("/cpu,cpuacct/docker/b/cpu.stat"));
        assert!(v1.contains(&"/cpu/cpu.stat".into()));
        assert!(cpu_stat_files("nonsense\n").is_empty());
    }

    #[test]
    fn contention_is_what_happened_in_between() {
        let before = Snapshot {
            cpu_stalled: Some(second(10.0)),
            processors: Some(Processors { stolen: 5, total: 100 }),
            throttled: Some(Throttled { periods: 1, time: second(1.0) }),
            ..Snapshot::default()
        };
        let after = Snapshot {
            cpu_stalled: Some(second(11.0)),
            processors: Some(Processors { stolen: 15, total: 300 }),
            throttled: Some(Throttled { periods: 4, time: second(1.5) }),
            ..before
        };
        let waited = Waited { cpu: second(3.1), run_delay: second(1.9) };
        let seen = Contention::between(&before, &after, second(4.0), waited);
        assert_eq!((seen.cpu_pressure, seen.steal), (Some(0.25), Some(0.05)));
        assert_eq!((seen.throttled_ns, seen.throttled_periods), (Some(500_000_000), Some(3)));
        assert!((seen.run_queue_delay.unwrap() - 0.38).abs() < 1e-9);
        let words = seen.words().unwrap();
        assert!(words.contains("other processes took the CPU 38 % of the time"), "{words}");
        assert!(words.contains("5 %") && words.contains("0.5 s"), "{words}");
    }

    #[test]
    fn a_quiet_machine_is_no_warning() {
        let quiet = Contention {
            watched_ns: 10_000_000_000,
            run_queue_delay: Some(0.02),
            cpu_pressure: Some(0.9),
            io_pressure: Some(0.01),
            memory_pressure: Some(0.0),
            steal: Some(0.001),
            throttled_ns: Some(0),
            throttled_periods: Some(0),
        };
        assert_eq!(quiet.words(), None);
    }
}
