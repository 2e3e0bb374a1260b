//! Loads a library of ours into a workload ahead of its own (`LD_PRELOAD`).
//!
//! Does not know what the library does, and does not build it. A statically linked program ignores it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::Launch;

const VARIABLE: &str = "LD_PRELOAD";

/// Why a library cannot be preloaded.
#[derive(Debug, thiserror::Error)]
pub enum PreloadError {
    /// `LD_PRELOAD` separates its entries by spaces and colons and knows no quoting.
    #[error("no directory whose path has neither space nor colon")]
    Path,
    /// The copy at a plainer path could not be made.
    #[error(transparent)]
    Copy(#[from] std::io::Error),
}

/// A library at a path that can stand in `LD_PRELOAD`.
#[derive(Debug)]
pub struct Preload {
    library: PathBuf,
    /// Keeps a copy alive when the library's own path cannot stand in `LD_PRELOAD`.
    _copy: Option<tempfile::TempDir>,
}

impl Preload {
    /// Takes the library where it is, or a copy of it in the directory for temporary files.
    pub fn new(library: PathBuf) -> Result<Self, PreloadError> {
        if is_preloadable(&library) {
            return Ok(Self { library, _copy: None });
        }
        let dir = tempfile::Builder::new().prefix("perf-expert-preload-").tempdir()?;
        let copy = dir.path().join("library.so");
        fs_err::copy(&library, &copy)?;
        if is_preloadable(&copy) { Ok(Self { library: copy, _copy: Some(dir) }) } else { Err(PreloadError::Path) }
    }

    /// The path that is preloaded.
    pub fn library(&self) -> &Path {
        &self.library
    }

    /// Adds the library to a launch: first ours, then what the launch or the user already preloads.
    pub fn apply(&self, launch: &mut Launch) {
        let in_launch = launch.env.iter().rev().find(|(name, _)| name == VARIABLE).map(|(_, value)| value.clone());
        let before = in_launch.unwrap_or_else(|| std::env::var_os(VARIABLE)).filter(|value| !value.is_empty());
        let mut preload: OsString = self.library.clone().into_os_string();
        if let Some(before) = before {
            preload.push(":");
            preload.push(before);
        }
        launch.env.push((VARIABLE.into(), Some(preload)));
    }
}

fn is_preloadable(path: &Path) -> bool {
    !path.as_os_str().as_encoded_bytes().iter().any(|byte| byte.is_ascii_whitespace() || *byte == b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_user_preloads_stays_preloaded() {
        let mut launch = Launch::new("/bin/true", "/").env(VARIABLE, "libfaketime.so");
        Preload::new("/cache/ours.so".into()).unwrap().apply(&mut launch);
        assert_eq!(launch.env.last(), Some(&(VARIABLE.into(), Some("/cache/ours.so:libfaketime.so".into()))));
    }

    #[test]
    fn a_path_that_the_loader_would_split_is_copied_to_a_plainer_one() {
        let dir = tempfile::tempdir().unwrap();
        let library = dir.path().join("ein Ordner: mit Umlauten äöü.so");
        std::fs::write(&library, "code").unwrap();
        let preload = Preload::new(library).unwrap();
        assert!(is_preloadable(preload.library()));
        assert_eq!(std::fs::read_to_string(preload.library()).unwrap(), "code");
    }
}
