//! Builds the preloaded clock once per toolchain, and puts it into a launch.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::Expected;
use crate::exit::Exit;
use crate::process::{Launch, Preload, PreloadError, Tool, ToolError};

const SOURCE: &str = include_str!("shim.rs.txt");

/// Why there is no CPU clock for unmodified harnesses. Never fatal: the wall clock remains.
#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    /// This system cannot preload a library.
    #[error("the CPU clock works on Linux only")]
    Unsupported,
    /// rustc could not be run, or did not compile it.
    #[error("cannot compile the CPU clock")]
    Compile(#[source] ToolError),
    /// The cache could not be written.
    #[error("cannot store the CPU clock")]
    Store(#[from] std::io::Error),
    /// It could not be put where a program can load it from.
    #[error("cannot preload the CPU clock")]
    Preload(#[from] PreloadError),
}

impl Expected for ClockError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unsupported => None,
            Self::Compile(source) => source.hint().or_else(|| Some("check that `rustc` and a linker (`cc`) work".into())),
            Self::Preload(PreloadError::Path) => Some("set TMPDIR to a directory without spaces and colons".into()),
            Self::Store(source) | Self::Preload(PreloadError::Copy(source)) => source.hint(),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Compile(source) => source.exit(),
            _ => Exit::Incomplete,
        }
    }
}

/// The compiled clock, ready to be preloaded.
#[derive(Debug)]
pub struct ClockShim {
    preload: Preload,
}

/// Tells after a run whether its clock was really ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockProof {
    file: PathBuf,
}

impl ClockProof {
    /// True when the executable asked the preloaded clock at least once. False for statically linked executables and for those
    /// that count cycles: their numbers are on another clock.
    pub fn used(&self) -> bool {
        self.file.exists()
    }
}

impl ClockShim {
    /// Compiles the clock into `cache` unless it is there already; the key is its source and the exact compiler.
    pub fn prepare(cache: &Path, rustc: &OsStr) -> Result<Self, ClockError> {
        if !cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))) {
            return Err(ClockError::Unsupported);
        }
        let version = Tool::new(rustc).arg("-vV").run_checked().map_err(ClockError::Compile)?;
        let mut hash = Sha256::new();
        hash.update(SOURCE.as_bytes());
        hash.update(&version.stdout);
        let digest = hash.finalize();
        let key = digest.iter().take(8).fold(0u64, |key, byte| key << 8 | u64::from(*byte));
        fs_err::create_dir_all(cache)?;
        let library = std::path::absolute(cache)?.join(format!("clock-{key:016x}.so"));
        if !library.exists() {
            compile(rustc, cache, &library)?;
        }
        Ok(Self { preload: Preload::new(library)? })
    }

    /// Adds the clock to a launch of `launch.program`, running `scale` times faster than CPU time. The proof is a file in `scratch`,
    /// which must be empty of earlier proofs: use a fresh directory per run.
    pub fn apply(&self, launch: &mut Launch, scale: u32, scratch: &Path) -> Result<ClockProof, ClockError> {
        let executable = fs_err::canonicalize(&launch.program)?;
        let proof = ClockProof { file: std::path::absolute(scratch)?.join("clock.proof") };
        self.preload.apply(launch);
        launch.env.push(("PERF_EXPERT_CLOCK_EXE".into(), Some(executable.into_os_string())));
        launch.env.push(("PERF_EXPERT_CLOCK_PROOF".into(), Some(proof.file.clone().into_os_string())));
        launch.env.push(("PERF_EXPERT_CLOCK_SCALE".into(), Some(scale.max(1).to_string().into())));
        Ok(proof)
    }
}

fn compile(rustc: &OsStr, cache: &Path, library: &Path) -> Result<(), ClockError> {
    let workshop = tempfile::Builder::new().prefix(".clock-").tempdir_in(cache)?;
    let (source, built) = (workshop.path().join("clock.rs"), workshop.path().join("clock.so"));
    fs_err::write(&source, SOURCE)?;
    Tool::new(rustc)
        .args(["--crate-type", "cdylib", "--crate-name", "perf_expert_clock", "--edition", "2021", "--cap-lints", "allow"])
        .args(["-C", "panic=abort", "-C", "opt-level=2", "-C", "strip=symbols", "-o"])
        .arg(&built)
        .arg(&source)
        .run_checked()
        .map_err(ClockError::Compile)?;
    // Two runs at once build the same file; the later rename wins and changes nothing.
    fs_err::rename(&built, library)?;
    Ok(())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::process::{Limits, run};

    const PROGRAM: &str = r#"
        use std::time::{Duration, Instant};
        fn main() {
            let start = Instant::now();
            std::thread::sleep(Duration::from_millis(300));
            let slept = start.elapsed();
            let mut x = 1u64;
            let mut spins = 0u64;
            while start.elapsed() < slept + Duration::from_millis(60) {
                for _ in 0..1000 { x = std::hint::black_box(x.wrapping_mul(3)); }
                spins += 1;
            }
            println!("{} {}", slept.as_millis(), spins);
            if let Some(child) = std::env::args().nth(1) {
                std::process::Command::new(child).status().unwrap();
            }
        }
    "#;

    fn program(dir: &Path) -> PathBuf {
        let (source, built) = (dir.join("main.rs"), dir.join("program"));
        fs_err::write(&source, PROGRAM).unwrap();
        Tool::new("rustc").args(["-O", "-o"]).arg(&built).arg(&source).run_checked().unwrap();
        built
    }

    fn slept_millis(output: &str) -> u64 {
        output.split_whitespace().next().unwrap().parse().unwrap()
    }

    #[test]
    fn sleeping_takes_no_time_on_the_cpu_clock_but_spinning_does() {
        let dir = tempfile::tempdir().unwrap();
        let shim = ClockShim::prepare(&dir.path().join("cache"), OsStr::new("rustc")).unwrap();
        let mut launch = Launch::new(program(dir.path()), dir.path());

        let plain = run(&launch, &Limits::default()).unwrap();
        assert!(slept_millis(&plain.stdout_text()) >= 300);

        let proof = shim.apply(&mut launch, 1, dir.path()).unwrap();
        assert!(!proof.used());
        let shimmed = run(&launch, &Limits::default()).unwrap();
        assert!(shimmed.success() && proof.used(), "{shimmed:?}");
        assert!(slept_millis(&shimmed.stdout_text()) < 100, "{}", shimmed.stdout_text());
        assert!(shimmed.usage.unwrap().cpu().as_millis() >= 60);
    }

    #[test]
    fn a_scaled_clock_needs_a_fraction_of_the_cpu_time() {
        let dir = tempfile::tempdir().unwrap();
        let shim = ClockShim::prepare(&dir.path().join("cache"), OsStr::new("rustc")).unwrap();
        let mut launch = Launch::new(program(dir.path()), dir.path());
        shim.apply(&mut launch, 1000, dir.path()).unwrap();
        let finished = run(&launch, &Limits::default()).unwrap();
        assert!(finished.usage.unwrap().cpu().as_millis() < 50, "{finished:?}");
    }

    #[test]
    fn another_executable_keeps_the_real_clock() {
        let dir = tempfile::tempdir().unwrap();
        let shim = ClockShim::prepare(&dir.path().join("cache"), OsStr::new("rustc")).unwrap();
        let program = program(dir.path());
        // The shell is the expected executable; the program runs as its child and inherits the preloaded library.
        let mut launch = Launch::new("/bin/sh", dir.path()).args(["-c".into(), format!("{}; :", program.display())]);
        let proof = shim.apply(&mut launch, 1, dir.path()).unwrap();
        let finished = run(&launch, &Limits::default()).unwrap();
        assert!(slept_millis(&finished.stdout_text()) >= 300, "{finished:?}");
        assert!(!proof.used());
    }

    #[test]
    fn it_is_compiled_once_and_found_again_in_a_directory_with_spaces() {
        let dir = tempfile::tempdir().unwrap();
        let cache = dir.path().join("ein Ordner: mit Umlauten äöü");
        ClockShim::prepare(&cache, OsStr::new("rustc")).unwrap();
        let again = ClockShim::prepare(&cache, OsStr::new("rustc")).unwrap();
        assert_eq!(fs_err::read_dir(&cache).unwrap().count(), 1);
        let mut launch = Launch::new(program(dir.path()), dir.path());
        let proof = again.apply(&mut launch, 1, dir.path()).unwrap();
        run(&launch, &Limits::default()).unwrap();
        assert!(proof.used());
    }

    #[test]
    fn a_missing_compiler_is_a_typed_error_with_a_way_out() {
        let dir = tempfile::tempdir().unwrap();
        let error = ClockShim::prepare(dir.path(), OsStr::new("no-such-rustc")).unwrap_err();
        assert!(matches!(error, ClockError::Compile(_)) && error.hint().is_some());
    }

    #[test]
    fn a_compiler_that_fails_leaves_nothing_in_the_cache() {
        let dir = tempfile::tempdir().unwrap();
        let cache = dir.path().join("cache");
        // `true` answers -vV with nothing and compiles nothing.
        assert!(ClockShim::prepare(&cache, OsStr::new("true")).is_err());
        assert_eq!(fs_err::read_dir(&cache).unwrap().count(), 0);
    }
}
