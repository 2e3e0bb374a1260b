//! Which clock a workload is measured with, and the preloaded library that makes an unmodified harness use CPU time.
//!
//! Decides from one observed run; it neither schedules rounds nor reads a harness's results.

mod observe;
mod shim;

use serde::{Deserialize, Serialize};

pub use observe::{Observation, observe};
pub use shim::{ClockProof, ClockShim};

/// The clock behind a latency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClockKind {
    /// CPU time of the process: blind to waiting, and to whoever else uses the machine.
    Cpu,
    /// Elapsed time.
    Wall,
}

/// The clock that was chosen for a workload, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClockChoice {
    /// The clock.
    pub clock: ClockKind,
    /// Why, as a fragment for reports.
    pub reason: String,
    /// CPU time ÷ (elapsed time − time spent waiting for a processor), at most 1; `None` where the system does not tell.
    pub cpu_share: Option<f64>,
    /// Most threads seen at once; `None` when the run was too short to see any.
    pub threads: Option<usize>,
    /// Share of the CPU time that the busiest thread used; `None` when the run was too short to see.
    pub busiest_thread: Option<f64>,
    /// Voluntary context switches per second of elapsed time.
    pub voluntary_per_second: Option<f64>,
    /// How many times faster than CPU time the harness's clock runs, so that whole-second harnesses are satisfied sooner.
    pub scale: u32,
}

/// Below this share of CPU time in the time it could have run, a workload waits for something.
const CPU_BOUND_SHARE: f64 = 0.9;
/// Below this share of the busiest thread, the work is spread over threads or child processes, and CPU time is not what a user waits.
const ONE_THREAD_SHARE: f64 = 0.9;
/// Above this rate a workload hands over to something else all the time, even if each wait is short.
const BLOCKING_SWITCHES_PER_SECOND: f64 = 200.0;
/// Waits that any process start has (loader, pipes), not counted as blocking.
const START_SWITCHES: u64 = 10;

/// Why a workload that computes is on the wall clock although the harness's own clock can be answered.
pub(super) const FOREIGN: &str = "it computes, but the times that it reports do not follow the clock that its harness asks: they \
    come from another one (`iter_custom` with quanta, minstant or rdtsc)";

impl ClockChoice {
    /// True when the workload takes its times from a clock that nobody else can answer for.
    pub(super) fn is_foreign(&self) -> bool {
        self.reason == FOREIGN
    }

    /// Chooses from one observed run: CPU time where one thread computes, elapsed time where the workload waits or runs several.
    pub fn from_observation(seen: &Observation) -> Self {
        let (clock, reason) = match judge(seen) {
            Ok(reason) => (ClockKind::Cpu, reason),
            Err(reason) => (ClockKind::Wall, reason),
        };
        Self {
            clock,
            reason,
            cpu_share: seen.cpu_share(),
            threads: seen.threads,
            busiest_thread: seen.busiest_share(),
            voluntary_per_second: seen.voluntary_per_second(),
            scale: 1,
        }
    }

    /// The same workload on elapsed time, because CPU time cannot be had.
    #[must_use]
    pub fn fall_back_to_wall(mut self, reason: impl Into<String>) -> Self {
        self.clock = ClockKind::Wall;
        self.reason = reason.into();
        self.scale = 1;
        self
    }
}

fn judge(seen: &Observation) -> Result<String, String> {
    let Some(share) = seen.cpu_share() else {
        return Err("this system does not account CPU time per process".into());
    };
    let busiest = seen.busiest_share();
    let Some(busiest) = busiest.filter(|&busiest| seen.threads.is_some() || busiest < ONE_THREAD_SHARE) else {
        // Too short to watch: only the kernel's account of the whole run is there.
        let quiet = seen.voluntary_switches.is_some_and(|n| n <= START_SWITCHES);
        return if quiet && share >= 0.5 {
            Ok(format!("too short to watch, but it hardly waits ({:.0} % CPU)", 100.0 * share))
        } else {
            Err(format!("too short to watch, and it may wait ({:.0} % CPU)", 100.0 * share))
        };
    };
    if busiest < ONE_THREAD_SHARE {
        return Err(format!(
            "the work is spread over threads or child processes (the busiest thread has {:.0} % of the CPU time)",
            100.0 * busiest
        ));
    }
    if share < CPU_BOUND_SHARE {
        return Err(format!("it waits: {:.0} % of the time it could run is CPU time", 100.0 * share));
    }
    match seen.voluntary_per_second() {
        Some(rate) if rate > BLOCKING_SWITCHES_PER_SECOND => Err(format!("it waits often: {rate:.0} times per second")),
        _ => Ok(format!("one thread computes ({:.0} % CPU)", 100.0 * share)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn seen() -> Observation {
        Observation {
            wall: Duration::from_secs(1),
            cpu: Some(Duration::from_millis(500)),
            run_delay: Duration::from_millis(480),
            threads: Some(1),
            busiest: Some(Duration::from_millis(495)),
            voluntary_switches: Some(5),
        }
    }

    #[test]
    fn waiting_for_a_processor_is_not_waiting() {
        let choice = ClockChoice::from_observation(&seen());
        assert_eq!(choice.clock, ClockKind::Cpu, "{choice:?}");
    }

    #[test]
    fn a_sleeper_gets_the_wall_clock() {
        let choice = ClockChoice::from_observation(&Observation { run_delay: Duration::ZERO, ..seen() });
        assert_eq!(choice.clock, ClockKind::Wall);
        assert!(choice.reason.contains("50 %"), "{}", choice.reason);
    }

    #[test]
    fn a_parallel_workload_gets_the_wall_clock_even_when_all_of_it_computes() {
        let parallel = Observation { busiest: Some(Duration::from_millis(250)), threads: Some(2), ..seen() };
        assert_eq!(ClockChoice::from_observation(&parallel).clock, ClockKind::Wall);
    }

    #[test]
    fn work_in_one_thread_that_is_not_the_first_is_still_one_thread() {
        let elsewhere = Observation { threads: Some(2), ..seen() };
        assert_eq!(ClockChoice::from_observation(&elsewhere).clock, ClockKind::Cpu);
    }

    #[test]
    fn many_short_waits_are_waiting() {
        let chatty = Observation { voluntary_switches: Some(5_000), ..seen() };
        assert_eq!(ClockChoice::from_observation(&chatty).clock, ClockKind::Wall);
    }

    #[test]
    fn a_run_too_short_to_watch_is_judged_by_its_switches() {
        let short = Observation { threads: None, busiest: None, ..seen() };
        assert_eq!(ClockChoice::from_observation(&short).clock, ClockKind::Cpu);
        let waiting = Observation { voluntary_switches: Some(400), ..short };
        assert_eq!(ClockChoice::from_observation(&waiting).clock, ClockKind::Wall);
    }

    #[test]
    fn no_account_means_wall() {
        let unknown = Observation { cpu: None, ..seen() };
        assert_eq!(ClockChoice::from_observation(&unknown).clock, ClockKind::Wall);
    }
}
