//! Why a workspace could not be read, chosen from, checked out or built.

use crate::error::Expected;
use crate::exit::Exit;
use crate::git::GitError;
use crate::process::ToolError;
use crate::store::StoreError;

/// A failure of the workspace room.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// There is no `Cargo.toml` here or above.
    #[error("there is no `Cargo.toml` in `{dir}` or any directory above it")]
    NoManifest {
        /// Where the search began.
        dir: String,
    },
    /// cargo refused to describe the workspace; its own words.
    #[error("cargo cannot read the workspace: {message}")]
    Metadata {
        /// What cargo said.
        message: String,
    },
    /// `-p` names nothing.
    #[error("the workspace has no package `{name}`")]
    UnknownPackage {
        /// As it was given.
        name: String,
        /// The nearest one.
        nearest: Option<String>,
        /// All of them.
        known: Vec<String>,
    },
    /// `--bench` or `--bin` names nothing.
    #[error("the selected packages have no {kind} `{name}`")]
    UnknownTarget {
        /// `bench` or `bin`.
        kind: &'static str,
        /// As it was given.
        name: String,
        /// The nearest one.
        nearest: Option<String>,
        /// All of them.
        known: Vec<String>,
    },
    /// As cargo says it.
    #[error("`--exclude` can only be used together with `--workspace`")]
    ExcludeWithoutWorkspace,
    /// The compiler (or cargo) already said why.
    #[error("{side} does not build, for the reason that cargo gives above: nothing was measured")]
    DoesNotBuild {
        /// `base`, `head`, or what else the reader calls it.
        side: String,
    },
    /// cargo succeeded without naming an executable.
    #[error("cargo built no executable for the {kind} `{target}` of `{package}`")]
    NoExecutable {
        /// Package name.
        package: String,
        /// Target name.
        target: String,
        /// `bench` or `bin`.
        kind: &'static str,
    },
    /// The commit has no such workspace.
    #[error("the commit {commit} has no `{manifest}`")]
    NotAtBase {
        /// Abbreviated hash.
        commit: String,
        /// The manifest, relative to the repository.
        manifest: String,
    },
    /// The workspace root is outside of the repository.
    #[error("the workspace root `{root}` is outside of the repository `{repository}`")]
    OutsideRepository {
        /// cargo's workspace root.
        root: String,
        /// The top of the work tree.
        repository: String,
    },
    /// A base with build settings of its own needs a place that the head's do not reach.
    #[error("`{file}` differs between base and head, so the base is checked out beside the repository, but {dir} cannot be made")]
    NotBeside {
        /// The place.
        dir: String,
        /// The first settings file that differs.
        file: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// An executable that is not in the expected format.
    #[error("cannot read the sections of `{file}`: {problem}")]
    NotAnExecutable {
        /// The file.
        file: String,
        /// What does not fit.
        problem: String,
    },
    /// Another run uses the same checkout.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// git failed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// cargo or rustc could not run.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// A file could not be read or written; the message names it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

fn known_ones(nearest: Option<&String>, known: &[String]) -> Option<String> {
    match nearest {
        Some(name) => Some(format!("did you mean `{name}`?")),
        None if known.is_empty() => None,
        None => Some(format!("known: {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))),
    }
}

impl Expected for WorkspaceError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoManifest { .. } => Some("go to a cargo package, or name one with `--manifest-path PATH`".into()),
            Self::UnknownPackage { nearest, known, .. } | Self::UnknownTarget { nearest, known, .. } => {
                known_ones(nearest.as_ref(), known).or_else(|| Some("`cargo perf-expert list` shows what there is".into()))
            }
            Self::NotAtBase { .. } => Some("name a later base with `--base REV`".into()),
            Self::NotBeside { .. } => {
                Some("make the directory above the repository writable, or compare with a base that has the same settings: `--base REV`".into())
            }
            Self::OutsideRepository { .. } => Some("put the workspace root under git".into()),
            Self::Store(error) => error.hint(),
            Self::Git(error) => error.hint(),
            Self::Tool(error) => error.hint(),
            Self::Io(error) => error.hint(),
            Self::ExcludeWithoutWorkspace => Some("add `--workspace`".into()),
            Self::DoesNotBuild { .. } => {
                Some("mend it until `cargo bench --no-run` succeeds, or leave the target out with `--bench`, `--bin` or `-p`".into())
            }
            Self::Metadata { .. } | Self::NoExecutable { .. } | Self::NotAnExecutable { .. } => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::UnknownPackage { .. } | Self::UnknownTarget { .. } | Self::ExcludeWithoutWorkspace => Exit::Usage,
            Self::Store(error) => error.exit(),
            Self::Git(error) => error.exit(),
            Self::Tool(error) => error.exit(),
            _ => Exit::Incomplete,
        }
    }
}
