//! The preloaded clock: puts it into a launch, and proves afterwards that it answered.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::measure::preload::{Preload, PreloadError};
use crate::process::Launch;

const SOURCE: &str = include_str!("shim.rs.txt");

/// The compiled clock, ready to be preloaded.
#[derive(Debug)]
pub struct ClockShim(Preload);

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
    /// Compiles the clock into `cache` unless it is there already.
    pub fn prepare(cache: &Path, rustc: &OsStr) -> Result<Self, PreloadError> {
        Preload::prepare(cache, rustc, "clock", SOURCE).map(Self)
    }

    /// Adds the clock to a launch of `launch.program`, running `scale` times faster than CPU time. The proof is a file in `scratch`,
    /// which must be empty of earlier proofs: use a fresh directory per run.
    pub fn apply(&self, launch: &mut Launch, scale: u32, scratch: &Path) -> Result<ClockProof, PreloadError> {
        let proof = ClockProof { file: std::path::absolute(scratch)?.join("clock.proof") };
        self.0.apply(launch)?;
        launch.env.push(("PERF_EXPERT_CLOCK_PROOF".into(), Some(proof.file.clone().into_os_string())));
        launch.env.push(("PERF_EXPERT_CLOCK_SCALE".into(), Some(scale.max(1).to_string().into())));
        Ok(proof)
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::process::{Limits, Tool, run};

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

    /// How much the program does until the clock has run for 60 ms.
    fn spins(shim: &ClockShim, dir: &Path, per_mille: Option<&str>) -> f64 {
        let scratch = tempfile::tempdir_in(dir).unwrap();
        let mut launch = Launch::new(dir.join("program"), dir);
        launch.env.extend(per_mille.map(|speed| ("PERF_EXPERT_CLOCK_PER_MILLE".into(), Some(speed.into()))));
        assert!(!shim.apply(&mut launch, 1, scratch.path()).unwrap().used());
        let finished = run(&launch, &Limits::default()).unwrap();
        finished.stdout_text().split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    #[test]
    fn a_clock_that_runs_three_times_as_fast_leaves_a_third_of_the_time() {
        let dir = tempfile::tempdir().unwrap();
        let shim = ClockShim::prepare(&dir.path().join("cache"), OsStr::new("rustc")).unwrap();
        std::fs::rename(program(dir.path()), dir.path().join("program")).unwrap();
        let (plain, fast) = (spins(&shim, dir.path(), None), spins(&shim, dir.path(), Some("3000")));
        assert!((0.2..0.6).contains(&(fast / plain)), "{fast} of {plain}");
        let nonsense = spins(&shim, dir.path(), Some("fast"));
        assert!((0.5..2.0).contains(&(nonsense / plain)), "what is no number changes nothing: {nonsense} of {plain}");
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
}
