//! Libraries that are put in front of a workload's own: compiled once per toolchain, kept in a cache, named in `LD_PRELOAD`.
//!
//! Does not know what they do there: `clock` and `allocations` do.

use std::ffi::OsStr;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::Expected;
use crate::exit::Exit;
use crate::process::{self, Launch, Tool, ToolError};

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
    /// It could not be put where a program can load it from.
    #[error("cannot preload the library")]
    Place(#[from] process::PreloadError),
}

impl Expected for PreloadError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unsupported => None,
            Self::Compile(source) => source.hint().or_else(|| Some("check that `rustc` and a linker (`cc`) work".into())),
            Self::Place(process::PreloadError::Path) => Some("set TMPDIR to a directory without spaces and colons".into()),
            Self::Store(source) | Self::Place(process::PreloadError::Copy(source)) => source.hint(),
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
pub struct Preload(process::Preload);

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
        Ok(Self(process::Preload::new(library)?))
    }

    /// The path that is preloaded.
    pub(super) fn library(&self) -> &Path {
        self.0.library()
    }

    /// Puts the library into a launch; it acts in `launch.program` only.
    pub(super) fn apply(&self, launch: &mut Launch) -> Result<(), PreloadError> {
        let executable = fs_err::canonicalize(&launch.program)?;
        self.0.apply(launch);
        launch.env.push(("PERF_EXPERT_PRELOAD_EXE".into(), Some(executable.into_os_string())));
        Ok(())
    }
}

fn compile(rustc: &OsStr, cache: &Path, name: &str, source: &str, library: &Path) -> Result<(), PreloadError> {
    let workshop = tempfile::Builder::new().prefix(".preload-").tempdir_in(cache)?;
    let (text, built) = (workshop.path().join("preloaded.rs"), workshop.path().join("preloaded.so"));
    fs_err::write(&text, source)?;
    Tool::new(rustc)
        .args(["--crate-type", "cdylib", "--edition", "2021", "--cap-lints", "allow", "--crate-name"])
        .arg(format!("perf_expert_{name}"))
        .args(["-C", "panic=abort", "-C", "opt-level=2", "-C", "strip=symbols", "-C", "force-unwind-tables=yes", "-o"])
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
        Preload::prepare(&cache, OsStr::new("rustc"), "nothing", NOTHING).unwrap();
        Preload::prepare(&cache, OsStr::new("rustc"), "nothing", NOTHING).unwrap();
        assert_eq!(fs_err::read_dir(&cache).unwrap().count(), 1);
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
