//! Takes stack samples of a workload: engine choice, recording, and how far the result can be trusted.
//!
//! The native engine opens `perf_event_open` software events from this process, unwinds and symbolizes itself; no `perf`
//! binary, no privileges up to `kernel.perf_event_paranoid` 2, no frame pointers. Where the kernel refuses, the pprof agent
//! samples from inside of the workload ([`Sampler`] chooses). Does not decide what is hot (`profile`) and does not measure time
//! (`measure`).

mod advice;
mod agent;
pub mod copies;
pub mod counter;
mod engine;
pub mod import;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod live;
mod maps;
pub mod offcpu;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod perf_event;
mod policy;
pub mod probe;
mod refusal;
#[cfg(test)]
mod tests;
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod unsupported;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod walk;

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
use perf_event as native;
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
use unsupported as native;

pub use advice::{Advice, advice, doubt};
pub use agent::{
    Agent, AgentBuild, AgentError, NoStacks, Outlook as AgentOutlook, cache_dir as agent_cache_dir, most_per_second,
};
pub use engine::{EngineWish, Sampler};
pub use policy::record_well;
pub use refusal::{Refusal, RefusalKind};

use crate::error::Expected;
use crate::exit::Exit;
use crate::process::{Finished, Launch, Limits, ProcessError};
use crate::profile::{Engine, Profile};

/// How to sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleOptions {
    /// Samples per second of CPU time of each thread. Lowered to what `kernel.perf_event_max_sample_rate` permits.
    pub frequency: u64,
    /// Bytes copied from each sampled thread's stack; rounded down to a multiple of 8, at most [`SampleOptions::MAX_STACK`].
    pub stack_bytes: u32,
}

impl SampleOptions {
    /// The kernel's limit: below 64 KiB and a multiple of 8 (`perf_event_open(2)`, `sample_stack_user`).
    pub const MAX_STACK: u32 = 65_528;
}

impl Default for SampleOptions {
    /// 999 Hz, so that sampling does not run in step with millisecond timers, and 16 KiB.
    fn default() -> Self {
        Self { frequency: 999, stack_bytes: 16 << 10 }
    }
}

/// A sampled run.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// The symbolized stacks.
    pub profile: Profile,
    /// How the process ended; a run that failed or timed out still has a profile of what it did.
    pub finished: Finished,
    /// What its threads waited for meanwhile; `None` where nobody could watch.
    pub observed: Option<offcpu::Observed>,
    /// Stacks of its page faults, weighted by how many each stands for; `None` where none were sampled.
    pub faults: Option<Profile>,
}

/// Why there is no recording.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// No engine may sample here.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The agent saw nothing of the program.
    #[error(transparent)]
    NoStacks(#[from] NoStacks),
    /// The workload could not be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

impl Expected for SampleError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Refused(refusal) => refusal.hint(),
            Self::NoStacks(none) => none.hint(),
            Self::Process(error) => error.hint(),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Refused(refusal) => refusal.exit(),
            Self::NoStacks(none) => none.exit(),
            Self::Process(error) => error.exit(),
        }
    }
}

/// The engine that would sample here, found by opening an event (settings alone do not tell: containers filter the call).
pub fn available() -> Result<Engine, Refusal> {
    native::probe()
}

/// Runs the workload once, sampled from its `exec` to its end, threads and child processes included.
pub fn record(launch: &Launch, limits: &Limits, options: &SampleOptions) -> Result<Recording, SampleError> {
    native::record(launch, limits, options)
}
