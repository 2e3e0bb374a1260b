//! Why a workload gave no number.

use crate::error::Expected;
use crate::exit::Exit;
use crate::measure::{Workload, WorkloadKind};
use crate::process::{Finished, ProcessError};

/// A workload that could not be listed, run or read. `tail` is the end of its standard error, control characters removed.
#[derive(Debug, thiserror::Error)]
pub enum HarnessError {
    /// The program could not be run at all, or the user pressed Ctrl-C.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// It ended badly.
    #[error("`{workload}` ended with {outcome}{}", said(.tail))]
    Failed {
        /// Which workload.
        workload: String,
        /// "exit code 3", "signal 11".
        outcome: String,
        /// What it said last.
        tail: String,
    },
    /// It did not end.
    #[error("`{workload}` did not end within {seconds:.1} s{}", said(.tail))]
    TimedOut {
        /// Which workload.
        workload: String,
        /// The time it was given.
        seconds: f64,
        /// What it said last.
        tail: String,
    },
    /// The executable runs, but knows no such benchmark.
    #[error("the executable ran no benchmark `{id}`")]
    NotRun {
        /// The id it was asked for.
        id: String,
    },
    /// The result files make no sense.
    #[error("cannot read criterion's result for `{id}`: {problem}")]
    Result {
        /// The benchmark.
        id: String,
        /// What is wrong, with the file's name.
        problem: String,
    },
    /// The executable did not list benchmarks the way criterion does.
    #[error("`{executable}` did not list its benchmarks as criterion does ({outcome}){}", said(.tail))]
    NotCriterion {
        /// File name of the executable.
        executable: String,
        /// How it ended.
        outcome: String,
        /// What it said last.
        tail: String,
    },
    /// A harness that is recognised but cannot be measured yet.
    #[error("{kind} benchmarks choose their own iteration count, so the time of the whole program says nothing about one iteration")]
    Unsupported {
        /// "divan" or "libtest".
        kind: &'static str,
    },
    /// The side did not use the clock that the workload is measured with.
    #[error("`{workload}` did not use the CPU clock on this side, so the sides cannot be compared")]
    ClockNotUsed {
        /// Which workload.
        workload: String,
    },
    /// The scratch directory could not be used.
    #[error("cannot prepare a run")]
    Scratch(#[from] std::io::Error),
    /// The CPU clock could not be put into the launch.
    #[error("cannot use the CPU clock")]
    Clock(#[from] crate::measure::clock::ClockError),
}

fn said(tail: &str) -> String {
    if tail.is_empty() { String::new() } else { format!("; it said:\n{tail}") }
}

impl HarnessError {
    /// True when the workload itself failed on this side; false when our own machinery, the disk or the user is the cause.
    pub fn is_workload_failure(&self) -> bool {
        !matches!(self, Self::Process(_) | Self::Scratch(_) | Self::Clock(_))
    }

    pub(super) fn unsupported(kind: WorkloadKind) -> Option<Self> {
        match kind {
            WorkloadKind::Divan => Some(Self::Unsupported { kind: "divan" }),
            WorkloadKind::Libtest => Some(Self::Unsupported { kind: "libtest" }),
            _ => None,
        }
    }
}

impl Expected for HarnessError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Process(source) => source.hint(),
            Self::Scratch(source) => source.hint(),
            Self::Clock(source) => source.hint(),
            Self::Failed { .. } => Some("run it with `cargo bench` to see it fail on its own".into()),
            Self::TimedOut { .. } => Some("set `timeout` for this workload in [package.metadata.perf-expert]".into()),
            Self::NotRun { .. } => Some("`cargo perf-expert list` shows the benchmarks that exist".into()),
            Self::NotCriterion { .. } => Some("a `harness = false` bench of another kind is measured as a whole program".into()),
            Self::Unsupported { .. } => Some("measure it with criterion, or as a program with a fixed amount of work".into()),
            Self::Result { .. } | Self::ClockNotUsed { .. } => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Process(source) => source.exit(),
            _ => Exit::Incomplete,
        }
    }
}

/// How much of a failing workload's last words goes into a message.
const TAIL_LINES: usize = 12;

pub(super) fn tail(finished: &Finished) -> String {
    finished.stderr_tail(TAIL_LINES)
}

/// Anything but exit code 0 within the timeout is a failure.
pub(super) fn check_status(workload: &Workload, finished: &Finished) -> Result<(), HarnessError> {
    let name = || workload.id.clone();
    if finished.timed_out {
        return Err(HarnessError::TimedOut {
            workload: name(),
            seconds: finished.wall.as_secs_f64(),
            tail: tail(finished),
        });
    }
    if finished.success() {
        return Ok(());
    }
    Err(HarnessError::Failed { workload: name(), outcome: finished.outcome(), tail: tail(finished) })
}
