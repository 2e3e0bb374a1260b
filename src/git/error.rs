//! What can go wrong between this tool and a repository.

use camino::Utf8Path;

use crate::error::Expected;
use crate::exit::Exit;
use crate::process::{ToolError, ToolOutput};

/// A failure at the door to git.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no repository here or above.
    #[error("`{dir}` is not in a git repository")]
    NotARepository {
        /// Where the search began.
        dir: String,
    },
    /// A repository without a work tree.
    #[error("`{dir}` is a bare repository: it has no work tree to build")]
    Bare {
        /// Where the search began.
        dir: String,
    },
    /// git refuses a repository that another user owns.
    #[error("git does not trust `{dir}`: another user owns it")]
    DubiousOwnership {
        /// Where the search began.
        dir: String,
    },
    /// A path that cargo could not build either.
    #[error("the path `{path}` is not valid UTF-8")]
    NotUtf8 {
        /// The path, with replacement characters.
        path: String,
    },
    /// The name of a revision that is not there.
    #[error("`{rev}` is not a commit of this repository")]
    UnknownRevision {
        /// As the user wrote it.
        rev: String,
        /// True when the history was cut off, so the commit may exist elsewhere.
        shallow: bool,
    },
    /// git answered in a way that this tool does not understand.
    #[error("cannot read the answer of `git {command}`")]
    Answer {
        /// The subcommand.
        command: &'static str,
    },
    /// A file operation beside git failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// git could not run or failed.
    #[error(transparent)]
    Tool(#[from] ToolError),
}

/// The way out of a shallow clone, for people and for continuous integration.
pub(crate) const SHALLOW_HINT: &str =
    "fetch the history with `git fetch --unshallow` (GitHub Actions: `fetch-depth: 0` below `uses: actions/checkout`)";

impl GitError {
    pub(super) fn of_discovery(dir: &Utf8Path, output: &ToolOutput) -> Self {
        let dir = dir.to_string();
        if output.stderr.contains("not a git repository") {
            Self::NotARepository { dir }
        } else if output.stderr.contains("must be run in a work tree") {
            Self::Bare { dir }
        } else if output.stderr.contains("dubious ownership") {
            Self::DubiousOwnership { dir }
        } else {
            Self::Tool(ToolError::Failed {
                command: "git rev-parse".into(),
                status: output.code.map_or_else(|| "a signal".into(), |code| format!("exit code {code}")),
                stderr: output.stderr.clone(),
            })
        }
    }
}

impl Expected for GitError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NotARepository { .. } => {
                Some("perf-expert compares with a commit: run `git init` and commit first, or go to a repository".into())
            }
            Self::Bare { .. } => Some("run it in a work tree, for example one made by `git worktree add`".into()),
            Self::DubiousOwnership { dir } => Some(format!("if you trust it: `git config --global --add safe.directory {dir}`")),
            Self::NotUtf8 { .. } => Some("move the repository to a path that is valid UTF-8; cargo asks for the same".into()),
            Self::UnknownRevision { shallow: true, .. } => Some(SHALLOW_HINT.into()),
            Self::UnknownRevision { .. } => Some("name a branch, a tag or a commit that `git log` knows".into()),
            Self::Answer { .. } => Some("check `git --version`: 2.31 or newer is needed".into()),
            Self::Io(error) => error.hint(),
            Self::Tool(error) => error.hint(),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::UnknownRevision { .. } => Exit::Usage,
            Self::Tool(error) => error.exit(),
            _ => Exit::Incomplete,
        }
    }
}
