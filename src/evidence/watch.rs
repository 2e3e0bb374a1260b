//! One watched run of a side: what its threads wait for and how much of its CPU time the kernel takes, for comparing sides in pairs.
//!
//! Runs and adds up; what the numbers mean is for `conclude`.

use std::time::{Duration, Instant};

use camino::Utf8Path;

use super::{Driven, EvidenceError};
use crate::measure::harness::{Harness, Side};
use crate::process::{Finished, Limits, interrupted};
use crate::profile::{Engine, Quality};
use crate::sample::offcpu::Observed;
use crate::sample::{SampleOptions, Sampler, record};

/// Seconds of a run whose harness can be told; the smallest that criterion accepts.
const SECONDS: u32 = 1;

/// A program that ends sooner is run again.
const LONG_ENOUGH: Duration = Duration::from_millis(400);

/// The most runs of a short program.
const MOST_RUNS: u64 = 40;

/// Only the waiting threads' stacks are of use here, and those are not copied by the kernel.
const STACK: u32 = 1 << 10;

/// What a watched run has shown; a short program's runs together.
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    /// What its threads waited for.
    pub observed: Observed,
    /// CPU time, nanoseconds, exactly.
    pub cpu_ns: u64,
    /// Of that in user code, by samples; `None` where the engine samples the kernel as well.
    pub user_ns: Option<f64>,
    /// Runs.
    pub runs: u64,
}

impl Watched {
    fn of(finished: &Finished, observed: Option<Observed>, quality: &Quality) -> Self {
        let observed = observed.map_or_else(|| unseen(finished), |observed| with_gaps(observed, finished));
        let cpu_ns = finished.usage.map_or(observed.on_cpu_ns, |usage| usage.cpu().as_nanos() as u64);
        let samples = (quality.samples + quality.lost) as f64;
        let tells = quality.engine == Engine::PerfEvent && quality.frequency > 0;
        let user_ns = tells.then(|| (samples * 1e9 / quality.frequency as f64).min(cpu_ns as f64));
        Self { observed, cpu_ns, user_ns, runs: 1 }
    }

    fn add(&mut self, other: Self) {
        self.observed.add(other.observed);
        self.cpu_ns += other.cpu_ns;
        self.user_ns = self.user_ns.zip(other.user_ns).map(|(one, another)| one + another);
        self.runs += other.runs;
    }
}

/// A run that was over before the first look: what it did not compute it may have waited for something.
fn unseen(finished: &Finished) -> Observed {
    let cpu = finished.usage.map_or(Duration::ZERO, |usage| usage.cpu());
    let delay = finished.usage.and_then(|usage| usage.run_delay).unwrap_or_default();
    Observed {
        watched_ns: finished.wall.as_nanos() as u64,
        on_cpu_ns: cpu.as_nanos() as u64,
        run_delay_ns: delay.as_nanos() as u64,
        unnamed_ns: finished.wall.saturating_sub(cpu + delay).as_nanos() as u64,
        ..Observed::default()
    }
}

/// What was over before the first look or after the last one may have been waited for something as well.
fn with_gaps(mut observed: Observed, finished: &Finished) -> Observed {
    observed.unnamed_ns += (finished.wall.as_nanos() as u64).saturating_sub(observed.watched_ns);
    observed
}

/// Watches a side once. `scratch` is an empty directory.
///
/// # Errors
/// The workload's own failures, and those of the system.
pub fn watch(
    driven: &Driven,
    side: &Side,
    sampler: &Sampler,
    limits: &Limits,
    scratch: &Utf8Path,
) -> Result<Watched, EvidenceError> {
    let launch = driven.harness.profile_launch(&driven.workload, side, SECONDS, scratch.as_std_path());
    let options = SampleOptions { stack_bytes: STACK, ..SampleOptions::default() };
    let begun = Instant::now();
    let one = || -> Result<Watched, EvidenceError> {
        let recording = match sampler.engine() {
            Engine::PerfEvent => record(&launch, limits, &options)?,
            _ => sampler.record(&launch, limits, &options)?,
        };
        driven.harness.check(&driven.workload, &recording.finished)?;
        Ok(Watched::of(&recording.finished, recording.observed, &recording.profile.quality))
    };
    let mut sum = one()?;
    let is_short = |sum: &Watched| begun.elapsed() < LONG_ENOUGH && sum.runs < MOST_RUNS;
    while driven.harness == Harness::Process && is_short(&sum) && !interrupted() {
        sum.add(one()?);
    }
    Ok(sum)
}
