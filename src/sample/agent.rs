//! The second engine: pprof-rs in a library that the workload loads, for where the kernel refuses `perf_event_open`.
//!
//! The user's cargo builds the library once from embedded source (`source/`), cached by compiler and source. It samples the
//! expected executable only and leaves raw addresses behind; naming them is the native engine's symbolizer's work. The kernel's
//! tick bounds the rate (250 samples per CPU second with `CONFIG_HZ=250`), the deepest stack has 128 frames, libraries loaded
//! after the start are not unwound, and a program that ends other than by `exit` leaves no stacks. It enlarges the program by
//! some 40 MB, so no run of it says anything about memory.

mod build;
mod error;
mod stacks;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use build::{AgentBuild, Outlook, cache_dir};
pub use error::{AgentError, NoStacks};

pub(super) use self::stacks::RawStack;

use self::stacks::Written;
use super::offcpu::Watcher;
use super::{Recording, SampleError, SampleOptions, native};
use crate::process::{Finished, Launch, Limits, Preload, run_gated};
use crate::profile::{Engine, Quality};

/// The built library, ready to be loaded into workloads.
#[derive(Debug, Clone)]
pub struct Agent {
    preload: Arc<Preload>,
}

/// `SIGPROF`: what a program dies of that executes another one in its own place, as the timer survives and the handler does not.
const SIGPROF: i32 = 27;

impl Agent {
    /// The library at this path.
    fn at(library: PathBuf) -> Result<Self, AgentError> {
        Ok(Self { preload: Arc::new(Preload::new(library)?) })
    }

    /// Runs the workload once, sampled from the start of `main` to `exit`: all threads of the processes that run the workload's
    /// own executable.
    pub fn record(&self, launch: &Launch, limits: &Limits, options: &SampleOptions) -> Result<Recording, SampleError> {
        self.record_only(&launch.program, launch, limits, options)
    }

    /// The same, where `launch` starts something else first that runs `executable` in the end.
    pub fn record_only(
        &self,
        executable: &Path,
        launch: &Launch,
        limits: &Limits,
        options: &SampleOptions,
    ) -> Result<Recording, SampleError> {
        let dir = tempfile::Builder::new().prefix("perf-expert-agent-").tempdir().map_err(NoStacks::Directory)?;
        let executable = std::fs::canonicalize(executable).map_err(NoStacks::Executable)?;
        let frequency = options.frequency.clamp(1, most_per_second());
        let mut launch = launch.clone();
        self.preload.apply(&mut launch);
        launch = launch
            .env("PERF_EXPERT_AGENT_EXE", executable)
            .env("PERF_EXPERT_AGENT_DIR", dir.path())
            .env("PERF_EXPERT_AGENT_HZ", frequency.to_string());
        let mut watcher = None;
        let finished = run_gated(&launch, limits, |gated| watcher = Some(Watcher::begin(gated.pid)), |_| {});
        let observed = watcher.and_then(Watcher::end);
        let finished = finished?;
        let written = Written::read(dir.path(), self.preload.library()).map_err(|none| why(none, &finished))?;
        let quality = quality(&written, &finished, frequency);
        let profile = native::recorded(written.processes.into_iter().map(|process| (process.maps, process.stacks)), quality);
        Ok(Recording { profile, finished, observed })
    }
}

/// The run's own circumstances say more than the files do.
fn why(none: NoStacks, finished: &Finished) -> NoStacks {
    match none {
        NoStacks::Unwritten { .. } if finished.signal == Some(SIGPROF) => NoStacks::Replaced,
        NoStacks::Unwritten { .. } => NoStacks::Unwritten { outcome: finished.outcome() },
        other => other,
    }
}

/// The timer counts the kernel's time for the program, too, so both modes are what the samples stand for.
fn quality(written: &Written, finished: &Finished, frequency: u64) -> Quality {
    let samples = written.samples();
    let own = |cpu: std::time::Duration| (cpu.as_nanos() as u64).saturating_sub(written.agent_cpu_ns());
    Quality {
        engine: Engine::PprofAgent,
        samples,
        frequency,
        lost: written.signals().saturating_sub(samples),
        truncated: 0,
        cpu_ns: finished.usage.map(|usage| own(usage.cpu())),
        wall_ns: finished.wall.as_nanos() as u64,
    }
}

/// The highest rate of a profiling timer, per second of CPU time: one signal per tick of the kernel (`setitimer(2)`,
/// `CONFIG_HZ`). The resolution of the coarse clock is one tick (`clock_getres(2)`).
pub fn most_per_second() -> u64 {
    #[cfg(target_os = "linux")]
    {
        let tick = rustix::time::clock_getres(rustix::time::ClockId::MonotonicCoarse);
        let nanos = tick.tv_sec.saturating_mul(1_000_000_000).saturating_add(tick.tv_nsec);
        u64::try_from(nanos).ok().and_then(|nanos| 1_000_000_000u64.checked_div(nanos)).filter(|&rate| rate > 0).unwrap_or(100)
    }
    #[cfg(not(target_os = "linux"))]
    100
}
