//! The only door through which this tool starts other programs.
//!
//! Tools (git, cargo, rustc) run through [`Tool`] (duct); workloads run through [`Launch`], which gives each one its own
//! process group, a timeout, its resource usage by `wait4`, and an end: nothing that it forked survives it. A workload can also
//! run under the eyes of a tracer (`traced`: ptrace, `x86_64` Linux).
//! It does not know what it runs, nor what the output means.

mod interrupt;
#[cfg(not(unix))]
mod portable;
mod preload;
mod tool;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub mod traced;
#[cfg(unix)]
mod unix;
mod workload;

pub use interrupt::{install as install_interrupt_handler, interrupted};
pub use preload::{Preload, PreloadError};
pub use tool::{Tool, ToolError, ToolOutput};
pub(crate) use workload::memory_of_status;
pub use workload::{Finished, Gated, Launch, Limits, ProcessError, ThreadTime, Usage, run, run_gated};

/// What git lists as `git rev-parse --local-env-vars`, plus what its hooks set: in a linked worktree a hook's `GIT_DIR`
/// would make git answer for another repository.
pub const LOCAL_GIT_VARIABLES: [&str; 18] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "GIT_OBJECT_DIRECTORY",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_REPLACE_REF_BASE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_COMMON_DIR",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_EXTERNAL_DIFF",
];
