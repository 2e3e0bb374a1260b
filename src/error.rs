//! Expected failures: typed per room, with a hint and an exit code.
//!
//! Each room has its own `thiserror` enum that implements [`Expected`]; `?` turns it into [`Error`].
//! Messages are lowercase fragments that fit "failed to …: MESSAGE".

use std::fmt;

use crate::exit::Exit;

/// A failure that the tool foresaw: it can say what to do next and how to exit.
pub trait Expected: std::error::Error + std::any::Any + Send + Sync {
    /// The way out, as one imperative sentence or a command to type.
    fn hint(&self) -> Option<String> {
        None
    }

    /// The exit code that this failure ends the run with.
    fn exit(&self) -> Exit {
        Exit::Incomplete
    }
}

/// Any expected failure, as commands pass it up to [`crate::run`], with what was being done when it happened.
#[derive(Debug)]
pub struct Error {
    inner: Box<dyn Expected>,
    context: Vec<String>,
}

/// The result type of every room that can fail in an expected way.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Adds what was being attempted: a fragment that follows "failed to ".
    #[must_use]
    pub fn while_trying(mut self, attempt: impl Into<String>) -> Self {
        self.context.push(attempt.into());
        self
    }

    /// The way out.
    pub fn hint(&self) -> Option<String> {
        self.inner.hint()
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        self.inner.exit()
    }

    /// The typed failure inside, when a caller must react to one kind of it.
    pub fn downcast_ref<E: Expected>(&self) -> Option<&E> {
        let inner: &dyn std::any::Any = &*self.inner;
        inner.downcast_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for attempt in self.context.iter().rev() {
            write!(f, "failed to {attempt}: ")?;
        }
        write!(f, "{}", self.inner)?;
        let mut source = std::error::Error::source(&*self.inner);
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

impl<E: Expected> From<E> for Error {
    fn from(inner: E) -> Self {
        Self { inner: Box::new(inner), context: Vec::new() }
    }
}

/// Adds context to a failed result: `read(path).trying("read the store")?`.
pub trait Trying<T> {
    /// Names what was attempted, as a fragment that follows "failed to ".
    fn trying(self, attempt: impl Into<String>) -> Result<T>;
}

impl<T, E: Into<Error>> Trying<T> for std::result::Result<T, E> {
    fn trying(self, attempt: impl Into<String>) -> Result<T> {
        self.map_err(|error| error.into().while_trying(attempt))
    }
}

/// An I/O failure whose message already names the file (`fs_err`).
impl Expected for std::io::Error {
    fn hint(&self) -> Option<String> {
        match self.kind() {
            std::io::ErrorKind::StorageFull => Some("free some disk space; the last complete baseline is intact".into()),
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                Some("choose a writable place with `--baseline-dir DIR`".into())
            }
            _ => None,
        }
    }
}
