//! Watches one run: how many threads, which of them works, how long they waited for a processor.

use std::collections::HashMap;
use std::time::Duration;

use crate::process::{Finished, Launch, Limits, ProcessError, ThreadTime, run_gated};

/// What one run looked like from outside.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// From release to reaping.
    pub wall: Duration,
    /// CPU time of the process and the children it waited for; `None` where the system keeps no account.
    pub cpu: Option<Duration>,
    /// Time its threads were runnable without a processor, as last seen; may exceed `wall` with several threads.
    pub run_delay: Duration,
    /// Most threads seen at once; `None` when it ended before the first look.
    pub threads: Option<usize>,
    /// CPU time of the thread with the most, as last seen.
    pub busiest: Option<Duration>,
    /// Times it gave up the CPU to wait.
    pub voluntary_switches: Option<u64>,
}

impl Observation {
    /// CPU time ÷ (elapsed time − time without a processor), at most 1.
    pub fn cpu_share(&self) -> Option<f64> {
        let cpu = self.cpu?.as_secs_f64();
        let could_run = self.wall.saturating_sub(self.run_delay).as_secs_f64().max(cpu);
        (could_run > 0.0).then(|| cpu / could_run)
    }

    /// Share of the busiest thread in all CPU time, child processes included.
    pub fn busiest_share(&self) -> Option<f64> {
        let cpu = self.cpu?.as_secs_f64();
        let busiest = self.busiest?.as_secs_f64();
        (cpu > 0.0 && busiest > 0.0).then(|| (busiest / cpu).min(1.0))
    }

    /// True when the work is spread over threads or child processes.
    pub fn is_parallel(&self) -> bool {
        self.busiest_share().is_some_and(|share| share < 0.9)
    }

    /// Voluntary switches per second of elapsed time.
    pub fn voluntary_per_second(&self) -> Option<f64> {
        let seconds = self.wall.as_secs_f64();
        let switches = self.voluntary_switches? as f64;
        (seconds > 0.0).then(|| switches / seconds)
    }
}

#[derive(Debug, Default)]
struct Watch {
    accounts: HashMap<u32, ThreadTime>,
    most_threads: usize,
}

impl Watch {
    fn look(&mut self, pid: u32) {
        let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return };
        let mut alive = 0;
        for task in tasks.flatten() {
            alive += 1;
            let id = task.file_name().to_str().and_then(|name| name.parse().ok());
            let account = std::fs::read_to_string(task.path().join("schedstat")).ok().and_then(|text| ThreadTime::parse(&text));
            if let (Some(id), Some(account)) = (id, account) {
                self.accounts.insert(id, account);
            }
        }
        self.most_threads = self.most_threads.max(alive);
    }
}

/// Runs a workload once and watches it. The watching costs a few file reads every few milliseconds, on another processor.
pub fn observe(launch: &Launch, limits: &Limits) -> Result<(Finished, Observation), ProcessError> {
    let pid = std::cell::Cell::new(0);
    let mut watch = Watch::default();
    let finished = run_gated(
        launch,
        limits,
        |gated| pid.set(gated.pid),
        |ended| {
            if !ended {
                watch.look(pid.get());
            }
        },
    )?;
    if let Some(first) = finished.first_thread {
        watch.accounts.insert(pid.get(), first);
    }
    let usage = finished.usage;
    let observation = Observation {
        wall: finished.wall,
        cpu: usage.map(|usage| usage.cpu()),
        run_delay: watch.accounts.values().map(|account| account.run_delay).sum(),
        threads: (watch.most_threads > 0).then_some(watch.most_threads),
        busiest: watch.accounts.values().map(|account| account.cpu).max(),
        voluntary_switches: usage.map(|usage| usage.voluntary_switches),
    };
    Ok((finished, observation))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    fn shell(script: &str) -> Observation {
        let launch = Launch::new("/bin/sh", "/").args(["-c", script]);
        let (finished, seen) = observe(&launch, &Limits::default()).unwrap();
        assert!(finished.success(), "{finished:?}");
        seen
    }

    #[test]
    fn a_sleeping_program_has_a_small_share_and_a_spinning_one_a_large_one() {
        assert!(shell("sleep 0.3").cpu_share().unwrap() < 0.5);
        let spinning = shell("i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done");
        assert!(spinning.cpu_share().unwrap() > 0.5, "{spinning:?}");
        assert!(spinning.busiest_share().unwrap() > 0.5, "{spinning:?}");
        assert_eq!(spinning.threads, Some(1));
    }

    #[test]
    fn work_of_child_processes_is_not_the_thread_s_own() {
        let seen = shell("sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done'; :");
        assert!(seen.busiest_share().unwrap() < 0.5, "{seen:?}");
    }
}
