//! The exit codes: what each one promises to a hook, a CI job or an agent.
//!
//! Does not decide which one applies; `verdict.rs` and `error.rs` do.

use std::process::{ExitCode, Termination};

/// How the process ends. The numbers are part of the public contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: nothing that fails the verdict.
    Pass,
    /// 2: the command line or the configuration makes no sense.
    Usage,
    /// 100: the verdict failed; a changed item and measured evidence are in the report.
    Failed,
    /// 101: could not complete (build error, no repository, store not writable, …).
    Incomplete,
    /// 102: there is no usable baseline and none could be made.
    NoBaseline,
    /// 103: inconclusive; only with `--on-inconclusive fail`.
    Inconclusive,
    /// 130: interrupted.
    Interrupted,
}

impl Exit {
    /// The number the shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Usage => 2,
            Self::Failed => 100,
            Self::Incomplete => 101,
            Self::NoBaseline => 102,
            Self::Inconclusive => 103,
            Self::Interrupted => 130,
        }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}
