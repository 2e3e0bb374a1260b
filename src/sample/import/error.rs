//! Why a file is no profile.

use crate::error::Expected;
use crate::exit::Exit;
use crate::profile::folded::FoldedError;
use crate::profile::pprof::PprofError;

/// Each names the file.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It cannot be opened.
    #[error("cannot read the profile `{file}`")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// No profile is so large.
    #[error("the profile `{file}` has {} MiB, which is more than is read", bytes >> 20)]
    TooLarge {
        /// The file.
        file: String,
        /// Its size.
        bytes: u64,
    },
    /// It says nothing.
    #[error("the profile `{file}` holds no samples")]
    Empty {
        /// The file.
        file: String,
    },
    /// Binary, and no pprof message.
    #[error("`{file}` cannot be read as pprof")]
    Pprof {
        /// The file.
        file: String,
        /// Why.
        source: PprofError,
    },
    /// Text, and no folded stacks.
    #[error("`{file}` cannot be read as folded stacks")]
    Folded {
        /// The file.
        file: String,
        /// Which line, and why.
        source: FoldedError,
    },
    /// JSON of some viewer.
    #[error("`{file}` is JSON, which is no format of profiles that is read here")]
    Json {
        /// The file.
        file: String,
    },
    /// Samples of something else than CPU time.
    #[error("`{file}` holds samples of `{event}`, which say nothing of CPU time")]
    NotCpu {
        /// The file.
        file: String,
        /// What was sampled.
        event: String,
    },
    /// perf's own file.
    #[error("the perf.data `{file}` is not readable here: {problem}")]
    PerfData {
        /// The file.
        file: String,
        /// Why not.
        problem: String,
    },
    /// It looks like `perf script`, and is not.
    #[error("`{file}` cannot be read as the output of perf script: {problem}")]
    PerfScript {
        /// The file.
        file: String,
        /// What the parser said.
        problem: String,
    },
}

impl Expected for ImportError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable { .. } => "name a file: pprof, folded stacks, or the output of `perf script`".into(),
            Self::TooLarge { .. } => "take a shorter profile, or of one process".into(),
            Self::Empty { .. } => "take the profile while the program works".into(),
            Self::Pprof { source, .. } => return source.hint(),
            Self::Folded { source, .. } => return source.hint(),
            Self::NotCpu { .. } => "record CPU time: `perf record -e cycles` or `-e cpu-clock`; heat is a share of it".into(),
            Self::Json { .. } => "export it as pprof or as folded stacks".into(),
            Self::PerfData { .. } => {
                "on the machine that recorded it, `perf script --no-demangle > profile.txt`; give profile.txt to `--profile`"
                    .into()
            }
            Self::PerfScript { .. } => "write it with `perf script --no-demangle > profile.txt`, without `-F`".into(),
        })
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}
