//! Why the store could not be read or written.

use camino::Utf8Path;

use crate::error::Expected;
use crate::exit::Exit;

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Two runs at once.
    #[error("another run{} is using {dir}", by(*pid))]
    Busy {
        /// The place.
        dir: String,
        /// The other process, if it said who it is.
        pid: Option<u32>,
    },
    /// The file was made by a newer version of this tool.
    #[error("{file} was made by a newer version (schema {found}, this version knows {known})")]
    Newer {
        /// The file.
        file: String,
        /// Its schema version.
        found: u64,
        /// Ours.
        known: u64,
    },
    /// Truncated, edited or otherwise not what was written.
    #[error("{file} is damaged: {problem}")]
    Damaged {
        /// The file.
        file: String,
        /// What does not fit.
        problem: String,
        /// What to type.
        remedy: String,
    },
    /// The place cannot be written to.
    #[error("cannot write to {dir}")]
    NotWritable {
        /// The place.
        dir: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The disk is full; what was there before is untouched.
    #[error("no space left for {file}")]
    Full {
        /// The file that did not fit.
        file: String,
    },
    /// There is no baseline of that name.
    #[error("there is no baseline `{name}`")]
    Missing {
        /// As it was asked for.
        name: String,
        /// The stored name that is nearest.
        nearest: Option<String>,
    },
    /// A name that could mean another place on disk.
    #[error("`{name}` cannot name a baseline")]
    BadName {
        /// As it was given.
        name: String,
    },
    /// The store was opened for reading.
    #[error("the store was opened for reading only")]
    ReadOnly,
    /// Any other failure; the message names the file.
    #[error(transparent)]
    Io(std::io::Error),
}

fn by(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

impl StoreError {
    pub(super) fn not_writable(dir: &Utf8Path, source: std::io::Error) -> Self {
        if source.kind() == std::io::ErrorKind::StorageFull {
            return Self::Full { file: dir.to_string() };
        }
        Self::NotWritable { dir: dir.to_string(), source }
    }

    /// What writing `file` met.
    pub(super) fn writing(file: &Utf8Path, source: std::io::Error) -> Self {
        use std::io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        match source.kind() {
            StorageFull | QuotaExceeded => Self::Full { file: file.to_string() },
            PermissionDenied | ReadOnlyFilesystem => Self::NotWritable { dir: file.parent().unwrap_or(file).to_string(), source },
            _ => Self::Io(source),
        }
    }
}

impl Expected for StoreError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Busy { .. } => "wait until it ends, or give this run its own place with `--baseline-dir DIR`".into(),
            Self::Newer { .. } => {
                "update with `cargo install cargo-perf-expert`, or use another place with `--baseline-dir DIR`".into()
            }
            Self::Damaged { remedy, .. } => remedy.clone(),
            Self::NotWritable { .. } => "choose a writable place with `--baseline-dir DIR`".into(),
            Self::Full { .. } => "free some disk space; the last complete baseline is intact".into(),
            Self::Missing { nearest: Some(name), .. } => format!("did you mean `{name}`?"),
            Self::Missing { name, .. } if name == "default" => "make one with `cargo perf-expert baseline`".into(),
            Self::Missing { name, .. } => format!("make it with `cargo perf-expert baseline --save {name}`"),
            Self::BadName { .. } => "use letters, digits, `-`, `_` and `.`, beginning with a letter or digit".into(),
            Self::ReadOnly => return None,
            Self::Io(error) => return error.hint(),
        })
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Missing { .. } => Exit::NoBaseline,
            Self::BadName { .. } => Exit::Usage,
            _ => Exit::Incomplete,
        }
    }
}
