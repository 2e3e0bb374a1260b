//! Gathers what the classifier needs from the runs that are profiled anyway. Does not classify.

use std::time::Duration;

use camino::Utf8Path;

use super::{Driven, merge};
use crate::diagnose::{Null, OnCpu, Work, is_watched, suspected};
use crate::measure::harness::Side;
use crate::measure::host::{Waited, Watch};
use crate::process::{Finished, Limits, Usage, run};
use crate::profile::{Engine, Profile};
use crate::sample::offcpu::Observed;

/// A benchmark that no program has: its harness starts, finds nothing to do, and ends.
const NOBODY: &str = "perf-expert/no such benchmark";

/// Longer than any harness needs to find that out; beyond it, there is no empty run.
const PATIENCE: Duration = Duration::from_secs(10);

/// Stacks of page faults that are kept: what lies beyond has no share that anybody would act on.
const KEPT: usize = 200;

/// The account of a workload's profile runs so far.
pub(super) struct Working {
    watch: Watch,
    engine: Engine,
    work: Work,
    observed: Option<Observed>,
    faults: Vec<Profile>,
    usages: bool,
}

impl Working {
    /// Begins, before the first run.
    pub(super) fn begin(engine: Engine) -> Self {
        Self { watch: Watch::begin(), engine, work: Work::default(), observed: None, faults: Vec::new(), usages: true }
    }

    /// Adds a run.
    pub(super) fn add(&mut self, finished: &Finished, observed: Option<Observed>, faults: Option<Profile>) {
        self.faults.extend(faults);
        match &finished.usage {
            Some(usage) => self.count(usage),
            None => self.usages = false,
        }
        match (&mut self.observed, observed) {
            (Some(sum), Some(one)) => sum.add(one),
            (sum @ None, one) => *sum = one,
            (Some(_), None) => {}
        }
    }

    /// What the memory of a run that was too short for more gives rise to suspect, bytes per second.
    pub(super) fn suspects_growth(&self) -> Option<f64> {
        let series = &self.observed.as_ref()?.resident;
        let rate = suspected(series).filter(|_| self.engine == Engine::PerfEvent && !is_watched(series));
        rate.filter(|rate| *rate > 0.0)
    }

    /// Takes the memory of a longer run, and nothing else of it.
    pub(super) fn weigh(&mut self, longer: Option<Observed>) {
        if let (Some(observed), Some(longer)) = (&mut self.observed, longer) {
            observed.resident = longer.resident;
        }
    }

    fn count(&mut self, usage: &Usage) {
        let work = &mut self.work;
        work.runs += 1;
        work.user_ns += usage.user.as_nanos() as u64;
        work.system_ns += usage.system.as_nanos() as u64;
        work.voluntary_switches += usage.voluntary_switches;
        work.involuntary_switches += usage.involuntary_switches;
        // The agent's own tables are tens of megabytes (`reference/sampling.md` §1).
        if self.engine == Engine::PerfEvent {
            work.minor_faults = Some(work.minor_faults.unwrap_or(0) + usage.minor_faults);
            work.major_faults = Some(work.major_faults.unwrap_or(0) + usage.major_faults);
            work.peak_rss = work.peak_rss.max(usage.peak_rss);
        }
    }

    /// What it adds up to; `None` where nobody could watch. `empty` makes the run that does nothing.
    pub(super) fn end(mut self, profile: &Profile, empty: impl FnOnce() -> Option<Null>) -> Option<Work> {
        let observed = self.observed.filter(|_| self.usages)?;
        let waited =
            Waited { cpu: Duration::from_nanos(observed.on_cpu_ns), run_delay: Duration::from_nanos(observed.run_delay_ns) };
        self.work.contention = Some(self.watch.end(waited));
        self.work.cpus = std::thread::available_parallelism().map_or(0, |cpus| cpus.get() as u64);
        self.work.on_cpu = OnCpu::of(profile);
        self.work.null = empty();
        self.work.faults = (!self.faults.is_empty()).then(|| merge(self.faults).heaviest(KEPT));
        self.work.observed = observed;
        if self.engine != Engine::PerfEvent {
            // The agent's own tables grow with the run.
            self.work.observed.resident.clear();
        }
        Some(self.work)
    }
}

/// Runs the harness with nothing to do; `None` for whole programs, which always do something, and where it did not work.
pub(super) fn empty_run(driven: &Driven, side: &Side, limits: &Limits, scratch: &Utf8Path) -> Option<Null> {
    if !driven.harness.has_own_clock() {
        return None;
    }
    let mut nobody = driven.workload.clone();
    nobody.harness_id = NOBODY.into();
    let launch = driven.harness.profile_launch(&nobody, side, 1, scratch.as_std_path());
    let finished = run(&launch, &Limits { timeout: PATIENCE.min(limits.timeout), ..*limits }).ok()?;
    let usage = finished.usage.filter(|_| finished.success())?;
    Some(Null {
        user_ns: usage.user.as_nanos() as u64,
        system_ns: usage.system.as_nanos() as u64,
        minor_faults: usage.minor_faults,
        major_faults: usage.major_faults,
    })
}
