//! Why a probe gave no answer.

use std::path::PathBuf;

use crate::error::Expected;
use crate::exit::Exit;
use crate::process::ProcessError;

/// Why nothing can be said about what a workload executed.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// This system or this kind of executable is not covered.
    #[error("cannot probe what was executed: {reason}")]
    Unsupported {
        /// What is not covered.
        reason: String,
    },
    /// The executable cannot be read.
    #[error("cannot read `{}`", .executable.display())]
    Unreadable {
        /// Its path.
        executable: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The executable is not what it should be.
    #[error("`{}` cannot be probed: {reason}", .executable.display())]
    Malformed {
        /// Its path.
        executable: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The executable has no DWARF.
    #[error("`{}` has no debug information", .executable.display())]
    NoDebugInfo {
        /// Its path.
        executable: PathBuf,
    },
    /// The system does not let us trace a child of our own.
    #[error("cannot probe what was executed: {reason}")]
    Refused {
        /// What refuses.
        reason: String,
        /// What to change.
        way_out: String,
    },
    /// The workload ran without ever executing the probed executable.
    #[error("`{}` was never executed by the workload", .executable.display())]
    NeverRan {
        /// Its path.
        executable: PathBuf,
    },
    /// The executable changed since it was loaded.
    #[error("the code of `{}` in memory is not that of the file that was read", .executable.display())]
    Stale {
        /// Its path.
        executable: PathBuf,
    },
    /// More breakpoints than one run can bear.
    #[error("{sites} breakpoints are more than one run bears ({most})")]
    TooManySites {
        /// How many were asked for.
        sites: usize,
        /// How many are possible.
        most: usize,
    },
    /// Tracing began and failed.
    #[error("the traced run failed")]
    Failed(#[source] std::io::Error),
    /// The workload could not be started, or the user interrupted.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

impl Expected for ProbeError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoDebugInfo { .. } => Some("build with `debug = 1` in the profile, and do not strip".into()),
            Self::Refused { way_out, .. } => Some(way_out.clone()),
            Self::NeverRan { .. } => Some("launch the executable itself, or a wrapper that executes it".into()),
            Self::Stale { .. } => Some("do not rebuild while the workload is being probed".into()),
            Self::TooManySites { .. } => Some("probe fewer regions at a time".into()),
            Self::Process(error) => error.hint(),
            _ => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Process(error) => error.exit(),
            _ => Exit::Incomplete,
        }
    }
}
