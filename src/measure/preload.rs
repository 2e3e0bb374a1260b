//! Libraries that are put in front of a workload's own: compiled once per toolchain, kept in a cache, named in `LD_PRELOAD`.
//!
//! Does not know what they do there: `clock` and `allocations` do.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::Expected;
use crate::exit::Exit;
use crate::process::{Launch, Tool, ToolError};

/// What every preloaded library begins with: in which executable it acts, system calls, the environment.
const GUARD: &str = include_str!("preload/guard.rs.txt");

/// Why nothing can be preloaded. Never fatal: the numbers that need it are not measured.
#[derive(Debug, thiserror::Error)]
pub enum PreloadError {
    /// This system cannot preload a library.
    #[error("libraries are preloaded on Linux (x86-64, aarch64) only")]
    Unsupported,
    /// rustc could not be run, or did not compile it.
    #[error("cannot compile the library that is preloaded")]
    Compile(#[source] ToolError),
    /// The cache could not be written.
    #[error("cannot store the library that is preloaded")]
    Store(#[from] std::io::Error),
    /// `LD_PRELOAD` separates its entries by spaces and colons and knows no quoting.
    #[error("no directory for the library that is preloaded whose path has neither space nor colon")]
    Path,
}

impl Expected for PreloadError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unsupported => None,
            Self::Compile(source) => source.hint().or_else(|| Some("check that `rustc` and a linker (`cc`) work".into())),
            Self::Store(source) => source.hint(),
            Self::Path => Some("set TMPDIR to a directory without spaces and colons".into()),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Compile(source) => source.exit(),
            _ => Exit::Incomplete,
        }
    }
}

/// A compiled library, ready to be preloaded.
#[derive(Debug)]
pub struct Preload {
    library: PathBuf,
    /// Keeps a link alive when the cache's own path cannot stand in `LD_PRELOAD`.
    _link: Option<tempfile::TempDir>,
}

impl Preload {
    /// Compiles `source` (behind the guard) into `cache` unless it is there already; the key is the source and the exact compiler.
    pub(super) fn prepare(cache: &Path, rustc: &OsStr, name: &str, source: &str) -> Result<Self, PreloadError> {
        if !cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))) {
            return Err(PreloadError::Unsupported);
        }
        let version = Tool::new(rustc).arg("-vV").run_checked().map_err(PreloadError::Compile)?;
        let source = format!("{GUARD}{source}");
        let mut hash = Sha256::new();
        hash.update(source.as_bytes());
        hash.update(&version.stdout);
        let digest = hash.finalize();
        let key = digest.iter().take(8).fold(0u64, |key, byte| key << 8 | u64::from(*byte));
        fs_err::create_dir_all(cache)?;
        let library = std::path::absolute(cache)?.join(format!("{name}-{key:016x}.so"));
        if !library.exists() {
            compile(rustc, cache, name, &source, &library)?;
        }
        Self::linked(library)
    }

    fn linked(library: PathBuf) -> Result<Self, PreloadError> {
        if is_preloadable(&library) {
            return Ok(Self { library, _link: None });
        }
        let dir = tempfile::Builder::new().prefix("perf-expert-preload-").tempdir()?;
        let link = dir.path().join("preloaded.so");
        fs_err::copy(&library, &link)?;
        if is_preloadable(&link) { Ok(Self { library: link, _link: Some(dir) }) } else { Err(PreloadError::Path) }
    }

    /// Puts the library into a launch; it acts in `launch.program` only.
    pub(super) fn apply(&self, launch: &mut Launch) -> Result<(), PreloadError> {
        let executable = fs_err::canonicalize(&launch.program)?;
        launch.env.push(("LD_PRELOAD".into(), Some(self.in_front(launch))));
        launch.env.push(("PERF_EXPERT_PRELOAD_EXE".into(), Some(executable.into_os_string())));
        Ok(())
    }

    /// Ours first, then what the launch or the user already preloads.
    fn in_front(&self, launch: &Launch) -> OsString {
        let in_launch = launch.env.iter().rev().find(|(name, _)| name == "LD_PRELOAD").map(|(_, value)| value.clone());
        let before = in_launch.unwrap_or_else(|| std::env::var_os("LD_PRELOAD")).filter(|value| !value.is_empty());
        let mut preload = self.library.clone().into_os_string();
        if let Some(before) = before {
            preload.push(":");
            preload.push(before);
        }
        preload
    }
}

fn is_preloadable(path: &Path) -> bool {
    !path.as_os_str().as_encoded_bytes().iter().any(|byte| byte.is_ascii_whitespace() || *byte == b':')
}

fn compile(rustc: &OsStr, cache: &Path, name: &str, source: &str, library: &Path) -> Result<(), PreloadError> {
    let workshop = tempfile::Builder::new().prefix(".preload-").tempdir_in(cache)?;
    let (text, built) = (workshop.path().join("preloaded.rs"), workshop.path().join("preloaded.so"));
    fs_err::write(&text, source)?;
    Tool::new(rustc)
        .args(["--crate-type", "cdylib", "--edition", "2021", "--cap-lints", "allow", "--crate-name"])
        .arg(format!("perf_expert_{name}"))
        .args(["-C", "panic=abort", "-C", "opt-level=2", "-C", "strip=symbols", "-o"])
        .arg(&built)
        .arg(&text)
        .run_checked()
        .map_err(PreloadError::Compile)?;
    // Two runs at once build the same file; the later rename wins and changes nothing.
    fs_err::rename(&built, library)?;
    Ok(())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    const NOTHING: &str = "\n#[no_mangle]\npub extern \"C\" fn perf_expert_nothing() {}\n";

    #[test]
    fn it_is_compiled_once_and_found_again_in_a_directory_with_spaces() {
        let dir = tempfile::tempdir().unwrap();
        let cache = dir.path().join("ein Ordner: mit Umlauten äöü");
        let first = Preload::prepare(&cache, OsStr::new("rustc"), "nothing", NOTHING).unwrap();
        assert!(is_preloadable(&first.library));
        Preload::prepare(&cache, OsStr::new("rustc"), "nothing", NOTHING).unwrap();
        assert_eq!(fs_err::read_dir(&cache).unwrap().count(), 1);
    }

    #[test]
    fn what_the_user_preloads_stays_preloaded() {
        let ours = Preload { library: "/cache/clock.so".into(), _link: None };
        let launch = Launch::new("/bin/true", "/").env("LD_PRELOAD", "libfaketime.so");
        assert_eq!(ours.in_front(&launch), "/cache/clock.so:libfaketime.so");
    }

    #[test]
    fn a_missing_compiler_is_a_typed_error_with_a_way_out() {
        let dir = tempfile::tempdir().unwrap();
        let error = Preload::prepare(dir.path(), OsStr::new("no-such-rustc"), "nothing", NOTHING).unwrap_err();
        assert!(matches!(error, PreloadError::Compile(_)) && error.hint().is_some());
    }

    #[test]
    fn a_compiler_that_fails_leaves_nothing_in_the_cache() {
        let dir = tempfile::tempdir().unwrap();
        let cache = dir.path().join("cache");
        // `true` answers -vV with nothing and compiles nothing.
        assert!(Preload::prepare(&cache, OsStr::new("true"), "nothing", NOTHING).is_err());
        assert_eq!(fs_err::read_dir(&cache).unwrap().count(), 0);
    }
}
