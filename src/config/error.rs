//! Configuration that makes no sense, said so that the reader finds the place.

use crate::error::Expected;
use crate::exit::Exit;

/// A key or value that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at `{key}`{}", place(.file))]
pub struct ConfigError {
    /// What is wrong, as a fragment.
    pub message: String,
    /// Path of the key, such as `package.metadata.perf-expert.workload[0].timeout`, or the name of a variable.
    pub key: String,
    /// The manifest; empty for environment variables.
    pub file: String,
    /// The way out.
    pub hint: Option<String>,
}

fn place(file: &str) -> String {
    if file.is_empty() { String::new() } else { format!(" in {file}") }
}

impl Expected for ConfigError {
    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}
