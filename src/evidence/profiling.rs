//! One workload under the sampler, long enough to say something about one per cent.

use std::time::{Duration, Instant};

use camino::Utf8Path;

use super::working::{Working, empty_run};
use super::{Driven, EvidenceError};
use crate::diagnose::Work;
use crate::measure::WorkloadKind;
use crate::measure::harness::Side;
use crate::process::{Limits, interrupted};
use crate::profile::model::ProfileBuilder;
use crate::profile::{Engine, Profile, Quality};
use crate::sample::offcpu::Observed;
use crate::sample::{SampleOptions, Sampler};

/// How long and how densely to sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProfileOptions {
    /// CPU time to cover.
    pub time: Duration,
    /// Samples per second of CPU time.
    pub frequency: u64,
    /// Bounds of each run.
    pub limits: Limits,
}

/// A short program is run again until its CPU time is covered, but not for longer than this many times the CPU time.
const PATIENCE: u32 = 12;
/// Share of the CPU time that is enough: criterion counts elapsed seconds, and a loaded machine gives less.
const ENOUGH: f64 = 0.7;

/// Samples to aim at where the engine is slow: with 381 or more, a function that none of them shows has an upper bound below 1 %
/// (Wilson's interval: z² ÷ (n + z²) with z = 1.96), and 70 % of the time may suffice.
const FEWEST: f64 = 600.0;

/// What the period of a later run is shortened by, at most: 999 Hz become 3330 Hz.
const SHORTENED: f64 = 0.7;
/// Multiples of it fill the unit interval evenly, however many there are (Weyl; the golden ratio without its one).
const GOLDEN: f64 = 0.618_033_988_749_895;

/// The rate of the `run`-th run, from 0. The kernel's period begins with the program: at one rate, each run of a program that ends
/// after some milliseconds would be sampled at the same few points, and what lies between them would look cold.
fn rate_of(run: u32, frequency: u64) -> u64 {
    let shortened = SHORTENED * (f64::from(run) * GOLDEN).fract();
    (frequency as f64 / (1.0 - shortened)).round() as u64
}

/// A profile, and what else was seen of the same runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Profiled {
    /// The stacks.
    pub profile: Profile,
    /// Counters and waits; `None` where nobody could watch.
    pub work: Option<Work>,
}

/// Profiles one workload. `scratch` is an empty directory.
pub fn profile(
    driven: &Driven,
    side: &Side,
    options: &ProfileOptions,
    sampler: &Sampler,
    scratch: &Utf8Path,
) -> Result<Profiled, EvidenceError> {
    let time = options.time.max(Duration::from_secs_f64(FEWEST / sampler.rate(options.frequency).max(1) as f64));
    let seconds = time.as_secs_f64().ceil().max(1.0) as u32;
    let launch = driven.harness.profile_launch(&driven.workload, side, seconds, scratch.as_std_path());
    let mut profiles = Vec::new();
    let mut covered = Duration::ZERO;
    let mut working = Working::begin(sampler.engine());
    let begun = Instant::now();
    loop {
        let frequency = rate_of(u32::try_from(profiles.len()).unwrap_or(u32::MAX), options.frequency);
        let sampling = SampleOptions { frequency, ..SampleOptions::default() };
        let recording = sampler.record(&launch, &options.limits, &sampling)?;
        driven.harness.check(&driven.workload, &recording.finished)?;
        covered += recording.profile.quality.cpu_ns.map_or(recording.finished.wall, Duration::from_nanos);
        working.add(&recording.finished, recording.observed, recording.faults);
        profiles.push(recording.profile);
        if covered >= time.mul_f64(ENOUGH) || begun.elapsed() >= time * PATIENCE || interrupted() {
            let profile = merge(profiles);
            if let Some(rate) = working.suspects_growth().filter(|_| driven.workload.kind == WorkloadKind::Criterion) {
                working.weigh(longer(driven, side, options, sampler, scratch, rate));
            }
            let work = working.end(&profile, || empty_run(driven, side, &options.limits, scratch));
            return Ok(Profiled { profile, work });
        }
    }
}

/// Seconds of a run that is to show whether memory grows.
const GROWING: u32 = 4;
/// Nobody's memory is to be filled for that.
const MOST_GROWN: f64 = (2u64 << 30) as f64;

/// Watches a workload that seems to grow by `rate` bytes per second for long enough to say so; `None` where that would take too
/// much memory, or failed.
fn longer(
    driven: &Driven,
    side: &Side,
    options: &ProfileOptions,
    sampler: &Sampler,
    scratch: &Utf8Path,
    rate: f64,
) -> Option<Observed> {
    if rate * f64::from(GROWING) > MOST_GROWN || interrupted() {
        return None;
    }
    let launch = driven.harness.profile_launch(&driven.workload, side, GROWING, scratch.as_std_path());
    let recording = sampler.record(&launch, &options.limits, &SampleOptions::default()).ok()?;
    recording.finished.success().then_some(recording.observed)?
}

/// What no run has shown.
const NOTHING: Quality =
    Quality { engine: Engine::None, samples: 0, frequency: 0, lost: 0, truncated: 0, cpu_ns: None, wall_ns: 0 };

/// One profile out of several runs of the same workload.
pub fn merge(mut profiles: Vec<Profile>) -> Profile {
    if profiles.len() == 1 {
        return profiles.remove(0);
    }
    let mut builder = ProfileBuilder::new();
    let mut quality: Option<Quality> = None;
    let records: Vec<u64> = profiles.iter().filter_map(|profile| profile.records).collect();
    if !records.is_empty() {
        builder.weighted(records.iter().sum());
    }
    for profile in profiles {
        let ids: Vec<u32> = profile.frames.iter().map(|frame| builder.frame(frame.clone())).collect();
        for stack in &profile.stacks {
            let frames = stack.frames.iter().filter_map(|&id| ids.get(id as usize).copied()).collect();
            builder.stack(frames, stack.count);
        }
        for alias in profile.aliases {
            builder.alias(alias);
        }
        quality = Some(match quality {
            None => profile.quality,
            Some(so_far) => add(&so_far, &profile.quality),
        });
    }
    builder.finish(quality.unwrap_or(NOTHING))
}

fn add(a: &Quality, b: &Quality) -> Quality {
    // Runs at different rates: the sum of samples ÷ rates must stay the sampled time.
    let time = |q: &Quality| if q.frequency == 0 { 0.0 } else { q.samples as f64 / q.frequency as f64 };
    let samples = a.samples + b.samples;
    let sampled = time(a) + time(b);
    let frequency =
        if a.frequency == b.frequency || sampled <= 0.0 { a.frequency } else { (samples as f64 / sampled).round() as u64 };
    Quality {
        engine: a.engine,
        samples,
        frequency,
        lost: a.lost + b.lost,
        truncated: a.truncated + b.truncated,
        cpu_ns: a.cpu_ns.zip(b.cpu_ns).map(|(a, b)| a + b),
        wall_ns: a.wall_ns + b.wall_ns,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Frame;

    fn one(function: &str, count: u64) -> Profile {
        let mut builder = ProfileBuilder::new();
        let frame =
            builder.frame(Frame { function: function.into(), file: None, line: None, module: "exe".into(), inlined: false });
        builder.stack(vec![frame], count);
        builder.finish(Quality {
            engine: Engine::PerfEvent,
            samples: count,
            frequency: 1000,
            lost: 1,
            truncated: 0,
            cpu_ns: Some(1_000_000 * count),
            wall_ns: 5,
        })
    }

    #[test]
    fn runs_are_not_sampled_at_the_same_points() {
        assert_eq!(rate_of(0, 999), 999);
        for runs in [5u32, 50, 500] {
            // Where in the longest period each run's first sample lies.
            let mut first: Vec<f64> = (0..runs).map(|run| 999.0 / rate_of(run, 999) as f64).collect();
            first.sort_by(f64::total_cmp);
            let widest = first.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max);
            assert!(widest < 2.0 / f64::from(runs) && first[0] > 0.29, "{runs}: {widest}");
        }
    }

    #[test]
    fn merging_adds_the_samples_of_equal_stacks() {
        let merged = merge(vec![one("a", 3), one("b", 4), one("a", 5)]);
        assert_eq!((merged.samples(), merged.stacks.len(), merged.quality.lost), (12, 2, 3));
        assert!((merged.quality.coverage().unwrap() - 1.0).abs() < 1e-9);
    }
}
