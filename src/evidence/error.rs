//! Why a side gave no evidence.

use crate::error::Expected;
use crate::exit::Exit;
use crate::measure::harness::HarnessError;
use crate::process::ProcessError;
use crate::sample::SampleError;

/// Failures that end the collection of evidence (a single workload that fails does not).
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// A workload or its harness could not be used.
    #[error(transparent)]
    Harness(#[from] HarnessError),
    /// A process could not be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// Nothing could be sampled.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// A profile could not be written or read.
    #[error(transparent)]
    Profile(#[from] crate::profile::pprof::PprofError),
    /// A scratch directory could not be used.
    #[error("cannot prepare a run")]
    Scratch(#[from] std::io::Error),
    /// No workload has this name.
    #[error("no workload is called `{name}`")]
    UnknownWorkload {
        /// As it was typed.
        name: String,
        /// The most similar one.
        nearest: Option<String>,
    },
}

impl EvidenceError {
    /// True when the workload ran and nothing but its profile is missing.
    pub fn is_no_stacks(&self) -> bool {
        matches!(self, Self::Sample(SampleError::NoStacks(_)))
    }
}

impl Expected for EvidenceError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Harness(source) => source.hint(),
            Self::Process(source) => source.hint(),
            Self::Sample(source) => source.hint(),
            Self::Profile(source) => source.hint(),
            Self::Scratch(_) => None,
            Self::UnknownWorkload { nearest, .. } => Some(match nearest {
                Some(nearest) => format!("did you mean `{nearest}`? `cargo perf-expert list` shows all targets"),
                None => "`cargo perf-expert list` shows all targets".into(),
            }),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Harness(source) => source.exit(),
            Self::Process(source) => source.exit(),
            Self::Sample(source) => source.exit(),
            Self::Profile(source) => source.exit(),
            Self::Scratch(_) => Exit::Incomplete,
            Self::UnknownWorkload { .. } => Exit::Usage,
        }
    }
}
