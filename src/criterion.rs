//! A profiler for criterion benches: with `cargo bench -- --profile-time 5`, each benchmark gets a profile and a flame graph.
//!
//! Needs the feature `criterion` (criterion 0.8, Unix). Samples from inside of the bench with pprof-rs, so it works where the kernel
//! refuses `perf_event_open`. `cargo perf-expert` itself needs nothing of this: it samples unmodified benches.
//!
//! ```no_run
//! use criterion::{Criterion, criterion_group, criterion_main};
//!
//! fn parse(c: &mut Criterion) {
//!     c.bench_function("parse", |b| b.iter(|| "42".parse::<u32>()));
//! }
//!
//! criterion_group! {
//!     name = benches;
//!     config = Criterion::default().with_profiler(perf_expert::criterion::Profiler::new(999));
//!     targets = parse
//! }
//! criterion_main!(benches);
//! ```

mod convert;

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use pprof::{ProfilerGuard, ProfilerGuardBuilder};

use crate::profile::{Engine, Quality, flamegraph, pprof as proto};
use crate::sample::most_per_second;

/// Name of the profile in the benchmark's directory: pprof's `profile.proto`, gzip, for `go tool pprof` and speedscope.
pub const PROFILE: &str = "profile.pb.gz";

/// Name of the flame graph in the benchmark's directory.
pub const FLAMEGRAPH: &str = "flamegraph.svg";

/// Set in programs that the agent of `cargo perf-expert` samples: there is one profiling timer per process, and it is in use.
const AGENT: &str = "PERF_EXPERT_AGENT_EXE";

/// Samples each benchmark with pprof-rs and writes [`PROFILE`] and [`FLAMEGRAPH`] into the directory that criterion gives
/// (`target/criterion/ID/profile`). What cannot be written is said on standard error and fails nothing.
pub struct Profiler {
    frequency: u64,
    running: Option<Running>,
}

struct Running {
    guard: ProfilerGuard<'static>,
    cpu: Duration,
    wall: Instant,
}

impl Profiler {
    /// A profiler that takes up to `frequency` samples per second of CPU time. The kernel's tick is the limit: 250 with
    /// `CONFIG_HZ=250`.
    pub fn new(frequency: u32) -> Self {
        Self { frequency: u64::from(frequency).clamp(1, most_per_second()), running: None }
    }

    fn start(&mut self) -> Result<(), pprof::Error> {
        let frequency = i32::try_from(self.frequency).unwrap_or(i32::MAX);
        // Inside of the unwinder and the allocator, the unwinder must not run again.
        let builder = ProfilerGuardBuilder::default().frequency(frequency).blocklist(&["libc", "libgcc", "pthread", "vdso"]);
        let (cpu, wall) = (cpu_time(), Instant::now());
        self.running = Some(Running { guard: builder.build()?, cpu, wall });
        Ok(())
    }

    fn stop(&mut self, id: &str, dir: &Path) -> Result<(), Failure> {
        let Some(running) = self.running.take() else { return Ok(()) };
        let cpu = cpu_time().saturating_sub(running.cpu);
        let wall_ns = running.wall.elapsed().as_nanos() as u64;
        let report = running.guard.report().build()?;
        let quality = Quality {
            engine: Engine::PprofAgent,
            samples: 0,
            frequency: self.frequency,
            lost: 0,
            truncated: 0,
            cpu_ns: Some(cpu.as_nanos() as u64),
            wall_ns,
        };
        let profile = convert::profile(&report, quality);
        fs_err::create_dir_all(dir)?;
        fs_err::write(dir.join(PROFILE), proto::encode(&profile)?)?;
        fs_err::write(dir.join(FLAMEGRAPH), flamegraph::svg(&profile, id)?)?;
        Ok(())
    }
}

impl Default for Profiler {
    /// As many samples as the kernel's tick allows, and no more than 999 per second.
    fn default() -> Self {
        Self::new(999)
    }
}

impl ::criterion::profiler::Profiler for Profiler {
    fn start_profiling(&mut self, id: &str, _dir: &Path) {
        if std::env::var_os(AGENT).is_some() {
            return;
        }
        if let Err(error) = self.start() {
            say(id, &error);
        }
    }

    fn stop_profiling(&mut self, id: &str, dir: &Path) {
        if let Err(error) = self.stop(id, dir) {
            say(id, &error);
        }
    }
}

/// Why a benchmark has no profile.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Sample(#[from] pprof::Error),
    #[error(transparent)]
    Encode(#[from] proto::PprofError),
    #[error(transparent)]
    Draw(#[from] flamegraph::FlamegraphError),
    #[error(transparent)]
    Write(#[from] std::io::Error),
}

/// criterion's interface cannot fail, and a bench shall not.
fn say(id: &str, error: &dyn std::error::Error) {
    let message = format!("warning: no complete profile of `{id}`: {error}\n").replace(|c: char| c.is_control() && c != '\n', "");
    let _nobody_listens = std::io::stderr().write_all(message.as_bytes());
}

/// CPU time of this process.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use ::criterion::profiler::Profiler as _;

    use super::*;

    #[inline(never)]
    fn burn(limit: Duration) -> u64 {
        let end = cpu_time() + limit;
        let mut x = 1u64;
        while cpu_time() < end {
            for _ in 0..10_000 {
                x = std::hint::black_box(x.wrapping_mul(3));
            }
        }
        x
    }

    #[test]
    fn a_benchmark_gets_a_profile_and_a_flame_graph_that_show_where_it_spent_its_time() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("profile");
        let mut profiler = Profiler::new(100_000);
        profiler.start_profiling("burn", &home);
        std::hint::black_box(burn(Duration::from_secs(1)));
        profiler.stop_profiling("burn", &home);
        let profile = proto::decode(&std::fs::read(home.join(PROFILE)).unwrap()).unwrap();
        assert!(profile.quality.frequency <= most_per_second(), "no rate beyond the tick is claimed");
        assert!(profile.samples() > 20, "{:?}", profile.quality);
        let burning = |stack: &&crate::profile::Stack| profile.frames_of(stack).any(|frame| frame.function.ends_with("::burn"));
        let hits: u64 = profile.stacks.iter().filter(burning).map(|stack| stack.count).sum();
        assert!(hits * 2 > profile.samples(), "{hits} of {:?}", profile.quality);
        assert!(!profile.frames.iter().any(|frame| frame.function.contains("perf_signal_handler")));
        assert!(std::fs::read_to_string(home.join(FLAMEGRAPH)).unwrap().contains("burn"));
    }
}
