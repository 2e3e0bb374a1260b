//! Why there is no agent, or why a run with it left nothing. Neither fails anything: the numbers remain, without heat.

use crate::error::Expected;
use crate::process::{PreloadError, ToolError};

/// Why the agent cannot be used here.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// Another system, processor or C library.
    #[error("the pprof agent works on x86_64 Linux with glibc only")]
    Unsupported,
    /// Crates are missing and may not be fetched, or could not be.
    #[error("the pprof agent cannot be built: {}{}", missing(.crates), if *.offline { ", and `--offline` forbids to fetch them" } else { ", and fetching failed" })]
    Crates {
        /// Name and version of those that cargo's cache lacks.
        crates: Vec<String>,
        /// True when the user forbids the network.
        offline: bool,
        /// What cargo said.
        said: String,
    },
    /// cargo or the compiler failed.
    #[error("the pprof agent cannot be built: {said}")]
    Build {
        /// What cargo said.
        said: String,
    },
    /// cargo or rustc could not be run.
    #[error("the pprof agent cannot be built")]
    Tool(#[from] ToolError),
    /// The cache could not be written.
    #[error("cannot store the pprof agent")]
    Store(#[from] std::io::Error),
    /// It could not be put where a program can load it from.
    #[error("cannot preload the pprof agent")]
    Preload(#[from] PreloadError),
}

/// How many crates a message names.
const NAMED: usize = 3;

fn missing(crates: &[String]) -> String {
    let named: Vec<&str> = crates.iter().take(NAMED).map(String::as_str).collect();
    let more = crates.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let (crates, are) = if crates.len() == 1 { ("the crate", "is") } else { ("the crates", "are") };
    format!("{crates} {}{more} {are} not in cargo's cache", named.join(", "))
}

impl Expected for AgentError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unsupported => None,
            Self::Crates { offline: true, .. } => {
                Some("run once without `--offline`: the agent is built once and kept for later runs".into())
            }
            Self::Crates { offline: false, .. } => {
                Some("run once with a connection to the registry: the agent is built once and kept for later runs".into())
            }
            Self::Build { .. } => {
                Some("check that `cargo build` works here, with rustc 1.85 or newer and a linker (`cc`)".into())
            }
            Self::Tool(source) => source.hint(),
            Self::Store(source) | Self::Preload(PreloadError::Copy(source)) => source.hint(),
            Self::Preload(PreloadError::Path) => Some("set TMPDIR to a directory without spaces and colons".into()),
        }
    }
}

/// Why a run with the agent left no stacks.
#[derive(Debug, thiserror::Error)]
pub enum NoStacks {
    /// No engine was chosen.
    #[error("nothing samples in this run")]
    NoEngine,
    /// The library was not loaded into the expected executable.
    #[error("the pprof agent was not loaded: the program is linked statically, runs with other privileges, or is a script")]
    NotLoaded,
    /// It was loaded, and the program did not end by `exit`.
    #[error(
        "the pprof agent writes its stacks when a program returns from `main` or calls `exit`; this one ended otherwise ({outcome})"
    )]
    Unwritten {
        /// How the first process ended.
        outcome: String,
    },
    /// The program executed another one in its own place.
    #[error("the program executes another one in its own place, which the pprof agent's timer does not survive")]
    Replaced,
    /// The program uses the signal for itself.
    #[error("the program handles SIGPROF itself (a profiler of its own?), so the pprof agent saw nothing")]
    Taken,
    /// What was written cannot be read.
    #[error("the stacks of the pprof agent are damaged")]
    Damaged,
    /// The executable cannot be found.
    #[error("cannot find the program to sample")]
    Executable(#[source] std::io::Error),
    /// The directory for the stacks cannot be made or read.
    #[error("cannot use the directory for the pprof agent's stacks")]
    Directory(#[source] std::io::Error),
}

impl Expected for NoStacks {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_crates_are_named_with_the_way_out() {
        let crates = ["pprof 0.15.0", "spin 0.10.1", "nix 0.26.4", "log 0.4.35"].map(str::to_owned).to_vec();
        let error = AgentError::Crates { crates, offline: true, said: String::new() };
        let text = error.to_string();
        assert!(text.contains("pprof 0.15.0, spin 0.10.1, nix 0.26.4 and 1 more are not in cargo's cache"), "{text}");
        assert!(text.contains("--offline") && error.hint().unwrap().contains("without `--offline`"));
    }
}
