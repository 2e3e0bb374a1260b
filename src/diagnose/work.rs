//! What was counted and seen of a workload's profile run: the classifier's only input.

use serde::{Deserialize, Serialize};

use super::OnCpu;
use crate::measure::Contention;
use crate::profile::Profile;
use crate::sample::offcpu::Observed;

/// What a run costs in which the harness does nothing, to be taken away from each run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Null {
    /// CPU time in user mode, nanoseconds.
    pub user_ns: u64,
    /// CPU time in the kernel, nanoseconds.
    pub system_ns: u64,
    /// Page faults served without I/O.
    pub minor_faults: u64,
    /// Page faults that needed I/O.
    pub major_faults: u64,
}

/// Page faults without I/O per CPU second: at a microsecond each, half a per cent of the time.
const OFTEN: f64 = 5_000.0;

/// Counters and waits of a workload, over one or several runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// Runs.
    pub runs: u64,
    /// Logical processors of the machine.
    pub cpus: u64,
    /// CPU time in user mode, nanoseconds, children included, as the kernel's ticks split it ([`Self::user`] knows better).
    pub user_ns: u64,
    /// CPU time in the kernel, nanoseconds, likewise.
    pub system_ns: u64,
    /// Page faults served without I/O; `None` where the sampler itself made some.
    pub minor_faults: Option<u64>,
    /// Page faults that needed I/O; `None` where the sampler itself made some.
    pub major_faults: Option<u64>,
    /// Times that a thread gave up the CPU to wait, over all threads.
    pub voluntary_switches: u64,
    /// Times that the scheduler took it away.
    pub involuntary_switches: u64,
    /// Largest resident set of a run, bytes; `None` where the sampler enlarges it.
    pub peak_rss: Option<u64>,
    /// What was taken away for each run; `None` where there is no run that does nothing (whole programs).
    pub null: Option<Null>,
    /// How much of the machine others took meanwhile.
    pub contention: Option<Contention>,
    /// What the CPU samples say.
    pub on_cpu: OnCpu,
    /// What the threads waited for.
    pub observed: Observed,
    /// Stacks of its page faults in user mode, each weighted by how many it stands for; `None` where none were sampled.
    #[serde(default)]
    pub faults: Option<Profile>,
}

/// One thread's share of the CPU time from which the work is serial (`reference/evidence-rules.md` §3.2, C9).
const SERIAL: f64 = 0.80;

/// Standard deviations of a number of samples that are still chance.
const CHANCE: f64 = 3.0;

/// Part of an account by ticks that is not told from another clock's.
const COARSE: f64 = 0.1;

impl Work {
    /// True when one thread does nearly all of what is computed.
    pub fn is_serial(&self) -> bool {
        let observed = &self.observed;
        observed.on_cpu_ns > 0 && observed.busiest_ns as f64 >= SERIAL * observed.on_cpu_ns as f64
    }

    /// CPU time without the harness's own, nanoseconds: exact, whatever it was spent in (`sum_exec_runtime`, kernel/sched/cputime.c).
    fn cpu(&self) -> f64 {
        let accounted = self.user_ns + self.system_ns;
        self.without(accounted.max(self.observed.on_cpu_ns), |null| null.user_ns + null.system_ns)
    }

    /// CPU time in user mode without the harness's own, nanoseconds. The kernel splits the time by what its ticks strike, and misses
    /// what runs in shorter bursts: where the samples stand for more, they say it.
    pub fn user(&self) -> f64 {
        let seen = self.user_ns.max(self.on_cpu.sampled_ns.unwrap_or(0));
        self.without(seen, |null| null.user_ns).min(self.cpu())
    }

    /// CPU time in the kernel without the harness's own, nanoseconds: the rest.
    pub fn system(&self) -> f64 {
        self.cpu() - self.user()
    }

    /// Nanoseconds in user code by the kernel's ticks and by the samples, where the samples show more than chance allows.
    pub fn user_by_samples(&self) -> Option<(u64, u64)> {
        let sampled = self.on_cpu.sampled_ns?;
        let more = sampled.saturating_sub(self.user_ns) as f64;
        // One sample's time, and the spread of their number.
        let chance = CHANCE * sampled as f64 / (self.on_cpu.samples.max(1) as f64).sqrt();
        (more > chance + COARSE * self.user_ns as f64).then_some((self.user_ns, sampled))
    }

    /// Both, seconds.
    pub fn cpu_seconds(&self) -> f64 {
        self.cpu() / 1e9
    }

    /// Page faults without I/O, less those of empty runs; `None` when not known.
    pub fn faults(&self) -> Option<f64> {
        Some(self.without(self.minor_faults?, |null| null.minor_faults))
    }

    /// Page faults without I/O per CPU second; `None` when not known.
    pub fn fault_rate(&self) -> Option<f64> {
        self.faults().map(|faults| self.per_cpu_second(faults))
    }

    /// True where who makes the page faults is worth a word.
    pub fn faults_often(&self) -> bool {
        self.fault_rate().is_some_and(|rate| rate >= OFTEN)
    }

    /// Page faults with I/O per second of the run; `None` when not known.
    pub fn major_fault_rate(&self) -> Option<f64> {
        let seconds = self.observed.watched_ns as f64 / 1e9;
        let faults = self.without(self.major_faults?, |null| null.major_faults);
        Some(if seconds > 0.0 { faults / seconds } else { 0.0 })
    }

    /// Voluntary switches per CPU second.
    pub fn switch_rate(&self) -> f64 {
        self.per_cpu_second(self.voluntary_switches as f64)
    }

    /// Reads and writes per CPU second and bytes per call; `None` when not known. Rates of the time that was watched.
    pub fn call_rate(&self) -> Option<(f64, f64)> {
        let transfers = self.observed.transfers?;
        let calls = (transfers.reads + transfers.writes) as f64;
        let each = if calls > 0.0 { transfers.bytes as f64 / calls } else { 0.0 };
        Some((self.per_cpu_second(calls), each))
    }

    fn without(&self, count: u64, null: impl Fn(&Null) -> u64) -> f64 {
        let own = self.null.as_ref().map_or(0, null).saturating_mul(self.runs);
        count.saturating_sub(own) as f64
    }

    fn per_cpu_second(&self, count: f64) -> f64 {
        let seconds = self.cpu_seconds();
        if seconds > 0.0 { count / seconds } else { 0.0 }
    }
}
