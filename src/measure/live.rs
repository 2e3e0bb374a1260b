//! Runs sides as real processes: harness, clock, scratch directory, usage.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Workload;
use super::clock::{ClockChoice, ClockKind, ClockShim};
use super::fresh::renew;
use super::harness::{Harness, HarnessError, Latency, Side, gungraun};
use super::host::Waited;
use super::order::Role;
use super::round::{Job, Reading, Runner};
use crate::process::{Finished, Limits, run};

/// Runs workloads in fresh processes, each with a scratch directory of its own that is removed afterwards.
#[derive(Debug)]
pub struct LiveRunner<'a> {
    shim: Option<&'a ClockShim>,
    scratch: PathBuf,
    timeout: Duration,
    /// What each executable understands, asked once.
    harnesses: HashMap<PathBuf, Harness>,
    /// Instructions per executable and benchmark.
    counts: HashMap<PathBuf, gungraun::Counts>,
    /// What all runs together got and waited for.
    waited: Waited,
}

impl<'a> LiveRunner<'a> {
    /// `shim` is needed for harness workloads on the CPU clock; `scratch` is an existing directory; `timeout` is for workloads
    /// that set none.
    pub fn new(shim: Option<&'a ClockShim>, scratch: impl Into<PathBuf>, timeout: Duration) -> Self {
        Self {
            shim,
            scratch: scratch.into(),
            timeout,
            harnesses: HashMap::new(),
            counts: HashMap::new(),
            waited: Waited::default(),
        }
    }

    /// The preloaded clock, if there is one.
    pub fn shim(&self) -> Option<&'a ClockShim> {
        self.shim
    }

    /// The limits of one run of a workload.
    pub fn limits(&self, workload: &Workload) -> Limits {
        Limits { timeout: workload.timeout_ms.map_or(self.timeout, Duration::from_millis), ..Limits::default() }
    }

    /// A fresh directory for one run.
    pub fn fresh_scratch(&self) -> Result<tempfile::TempDir, HarnessError> {
        Ok(tempfile::Builder::new().prefix("run-").tempdir_in(&self.scratch)?)
    }

    /// What the side's executable understands.
    pub fn harness(&mut self, workload: &Workload, side: &Side) -> Result<Harness, HarnessError> {
        if let Some(known) = self.harnesses.get(&side.executable) {
            return Ok(*known);
        }
        let scratch = self.fresh_scratch()?;
        let harness = Harness::probe(workload.kind, side, workload.package_dir.as_std_path(), scratch.path())?;
        self.harnesses.insert(side.executable.clone(), harness);
        Ok(harness)
    }

    /// Runs one side of a workload on the given clock: once, and again where the harness happened to choose samples too short for it.
    pub fn run_once(&mut self, workload: &Workload, side: &Side, clock: &ClockChoice) -> Result<Reading, HarnessError> {
        for _ in 1..CHOICES {
            match self.run_fresh(workload, side, clock) {
                Err(HarnessError::Diluted { .. }) => {}
                other => return other,
            }
        }
        self.run_fresh(workload, side, clock)
    }

    fn run_fresh(&mut self, workload: &Workload, side: &Side, clock: &ClockChoice) -> Result<Reading, HarnessError> {
        let harness = self.harness(workload, side)?;
        // What lies there is a copy that was made for measuring.
        if side.executable.starts_with(&self.scratch) {
            renew(&side.executable)?;
        }
        let scratch = self.fresh_scratch()?;
        let mut launch = harness.round_launch(workload, side, scratch.path())?;
        // A program that is timed from outside needs no clock of ours: the kernel accounts its CPU time.
        let shim = self.shim.filter(|_| clock.clock == ClockKind::Cpu && harness.has_own_clock());
        if shim.is_some() {
            launch = harness.on_clock(launch, clock.scale.max(1));
        }
        let proof = match shim {
            Some(shim) => Some(shim.apply(&mut launch, clock.scale, scratch.path())?),
            None => None,
        };
        let finished = run(&launch, &self.limits(workload))?;
        if let Some(usage) = &finished.usage {
            self.waited.add(usage);
        }
        let reported = harness.read(workload, &finished, scratch.path())?;
        let latency = match (reported.latency, &proof) {
            (Some(_), Some(proof)) if !proof.used() => {
                return Err(HarnessError::ClockNotUsed { workload: workload.id.clone() });
            }
            (Some(_), None) if clock.clock == ClockKind::Cpu => {
                return Err(HarnessError::ClockNotUsed { workload: workload.id.clone() });
            }
            (Some(latency), _) => latency,
            (None, _) => whole_process(workload, &finished, clock.clock)?,
        };
        // A program is one iteration.
        let singles = if reported.latency.is_none() { vec![latency.median] } else { reported.singles };
        fine_enough(workload, &latency, reported.digit)?;
        // From the scaled clock back to CPU time.
        let scale = if proof.is_some() { f64::from(clock.scale.max(1)) } else { 1.0 };
        Ok(Reading {
            latency: Latency { median: latency.median / scale, min: latency.min / scale },
            throughput: reported.throughput,
            wall: finished.wall.as_nanos() as f64,
            usage: finished.usage,
            singles: singles.iter().map(|single| single / scale).collect(),
        })
    }

    /// Of a criterion benchmark, the sum of the times that one run on its own clock reports ÷ the run's elapsed time; `None` for
    /// other harnesses.
    pub(super) fn reported_share(&mut self, workload: &Workload, side: &Side) -> Result<Option<f64>, HarnessError> {
        let harness = self.harness(workload, side)?;
        let scratch = self.fresh_scratch()?;
        let finished = run(&harness.round_launch(workload, side, scratch.path())?, &self.limits(workload))?;
        let reported = harness.reported(workload, &finished, scratch.path())?;
        Ok(reported.map(|nanos| nanos / finished.wall.as_nanos() as f64))
    }

    /// Instructions of a benchmark that counts them; a run that counted others beside it is not repeated for those.
    pub fn count(&mut self, workload: &Workload, side: &Side) -> Result<f64, HarnessError> {
        let id = &workload.harness_id;
        let known = self.counts.get(&side.executable).and_then(|counts| counts.get(id));
        if let Some(known) = known {
            return Ok(*known);
        }
        let counts = gungraun::count(workload, side, &self.limits(workload), self.fresh_scratch()?.path())?;
        let count = counts.get(id).copied().ok_or_else(|| HarnessError::NotRun { id: id.clone() });
        self.counts.entry(side.executable.clone()).or_default().extend(counts);
        count
    }

    /// What all measured runs together got and waited for.
    pub fn waited(&self) -> Waited {
        self.waited
    }

    /// The directory for the scratch directories of runs.
    pub fn scratch(&self) -> &Path {
        &self.scratch
    }
}

/// Divan chooses its samples anew in each process; one that was misled by a slow first iteration is not misled three times.
const CHOICES: usize = 3;

/// A printed digit may be worth this much of an iteration: a quarter of the default margin. With coarser digits, a change far
/// below the margin could move a value by more than it.
pub(super) const COARSE: f64 = 0.005;

fn fine_enough(workload: &Workload, latency: &Latency, digit: Option<f64>) -> Result<(), HarnessError> {
    match digit.filter(|digit| *digit > COARSE * latency.median) {
        Some(digit) => Err(HarnessError::TooCoarse { id: workload.id.clone(), digit, ns: Some(latency.median) }),
        None => Ok(()),
    }
}

fn whole_process(workload: &Workload, finished: &Finished, clock: ClockKind) -> Result<Latency, HarnessError> {
    let time = match (clock, finished.usage) {
        (ClockKind::Wall, _) => finished.wall,
        (ClockKind::Cpu, Some(usage)) => usage.cpu(),
        (ClockKind::Cpu, None) => return Err(HarnessError::ClockNotUsed { workload: workload.id.clone() }),
    };
    let nanos = time.as_nanos() as f64;
    Ok(Latency { median: nanos, min: nanos })
}

impl Runner for LiveRunner<'_> {
    fn run_side(&mut self, job: &Job, role: Role) -> Result<Reading, HarnessError> {
        let reading = self.run_once(&job.workload, job.side(role), &job.clock)?;
        Ok(Reading { throughput: reading.throughput.or_else(|| job.work.clone()), ..reading })
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::measure::WorkloadKind;
    use crate::measure::workload::sample;

    fn script(dir: &Path, text: &str) -> Side {
        let path = dir.join("program");
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::create_dir_all(dir.join("crates/x")).unwrap();
        Side::new(path, dir)
    }

    fn clock(clock: ClockKind) -> ClockChoice {
        ClockChoice {
            clock,
            reason: String::new(),
            cpu_share: None,
            threads: None,
            busiest_thread: None,
            voluntary_per_second: None,
            scale: 1,
        }
    }

    fn run_script(kind: WorkloadKind, text: &str, on: ClockKind) -> Result<Reading, HarnessError> {
        let dir = tempfile::tempdir().unwrap();
        let side = script(dir.path(), text);
        let mut workload = sample("x", kind);
        workload.timeout_ms = Some(2_000);
        LiveRunner::new(None, dir.path(), Duration::from_secs(30)).run_once(&workload, &side, &clock(on))
    }

    #[test]
    fn a_sleeping_program_takes_wall_time_and_no_cpu_time() {
        let wall = run_script(WorkloadKind::Binary, "sleep 0.3", ClockKind::Wall).unwrap();
        let cpu = run_script(WorkloadKind::Binary, "sleep 0.3", ClockKind::Cpu).unwrap();
        assert!(wall.latency.median > 300e6 && cpu.latency.median < 150e6, "{wall:?} {cpu:?}");
        assert_ne!(cpu.usage.unwrap().peak_rss, Some(0));
    }

    #[test]
    fn a_program_that_fails_hangs_or_dies_is_a_workload_failure_with_its_last_words() {
        let failed = run_script(WorkloadKind::Binary, "echo 'why it failed' >&2; exit 3", ClockKind::Wall).unwrap_err();
        assert!(failed.is_workload_failure() && failed.to_string().contains("exit code 3"), "{failed}");
        assert!(failed.to_string().contains("why it failed"));
        let hung = run_script(WorkloadKind::Binary, "echo waiting >&2; sleep 60", ClockKind::Wall).unwrap_err();
        assert!(matches!(&hung, HarnessError::TimedOut { .. }) && hung.to_string().contains("waiting"), "{hung}");
        let died = run_script(WorkloadKind::Bench, "kill -SEGV $$", ClockKind::Wall).unwrap_err();
        assert!(died.to_string().contains("signal 11"), "{died}");
    }

    #[test]
    fn a_criterion_run_that_writes_no_result_has_not_run() {
        let text = r#"case "$*" in *--list*) echo "x: benchmark";; esac"#;
        let error = run_script(WorkloadKind::Criterion, text, ClockKind::Wall).unwrap_err();
        assert!(matches!(error, HarnessError::NotRun { .. }), "{error}");
    }

    const RESULT: &str = r#"case "$*" in *--list*) echo "x: benchmark";; *) mkdir -p $CRITERION_HOME/x/new
        echo '{"full_id":"x"}' > $CRITERION_HOME/x/new/benchmark.json
        echo '{"iters":[2],"times":[10]}' > $CRITERION_HOME/x/new/sample.json;; esac"#;

    #[test]
    fn a_criterion_result_is_read_from_a_home_of_its_own() {
        let reading = run_script(WorkloadKind::Criterion, RESULT, ClockKind::Wall).unwrap();
        assert!((reading.latency.median - 5.0).abs() < 1e-9);
    }

    #[test]
    fn numbers_of_another_clock_are_refused() {
        let error = run_script(WorkloadKind::Criterion, RESULT, ClockKind::Cpu).unwrap_err();
        assert!(matches!(error, HarnessError::ClockNotUsed { .. }), "{error}");
    }

    #[test]
    fn a_harness_that_prints_too_few_digits_gives_no_number() {
        let text = |line: &str| format!("echo 'test x ... bench: {line}'");
        let fine = run_script(WorkloadKind::Bencher, &text("200 ns/iter (+/- 1)"), ClockKind::Wall).unwrap();
        assert!((fine.latency.median - 200.0).abs() < 1e-9);
        let coarse = run_script(WorkloadKind::Bencher, &text("199 ns/iter (+/- 1)"), ClockKind::Wall).unwrap_err();
        assert!(coarse.to_string().contains("steps of 1 ns"), "{coarse}");
        let nothing = run_script(WorkloadKind::Bencher, &text("0 ns/iter (+/- 0)"), ClockKind::Wall).unwrap_err();
        assert!(matches!(nothing, HarnessError::TooCoarse { ns: None, .. }) && nothing.is_workload_failure(), "{nothing}");
    }

    #[test]
    fn a_copy_that_was_made_for_measuring_is_made_anew_and_nothing_else_is_touched() {
        use std::os::unix::fs::MetadataExt;
        let dir = tempfile::tempdir().unwrap();
        let (inside, outside) = (dir.path().join("scratch"), dir.path().join("built"));
        for place in [&inside, &outside] {
            std::fs::create_dir(place).unwrap();
        }
        let mut runner = LiveRunner::new(None, &inside, Duration::from_secs(30));
        let mut renewed = |place: &Path| {
            let side = script(place, "exit 0");
            let old = std::fs::File::open(&side.executable).unwrap();
            runner.run_once(&sample("x", WorkloadKind::Binary), &side, &clock(ClockKind::Wall)).unwrap();
            old.metadata().unwrap().ino() != std::fs::metadata(&side.executable).unwrap().ino()
        };
        assert_eq!((renewed(&inside), renewed(&outside)), (true, false));
    }

    #[test]
    fn a_harness_that_was_misled_once_is_asked_again_and_not_for_ever() {
        let row = "echo 'Timer precision: 20 ns' >&2; echo 'd  fastest │ slowest │ median │ mean │ samples │ iters'
            echo \"╰─ x  10 ns  │ 10 ns │ 10 ns │ 10 ns │ 1 │ $size\"";
        let once = format!("size=1; [ -e $0.ran ] && size=100; touch $0.ran; {row}");
        let mut workload = sample("d::x", WorkloadKind::Divan);
        let mut run = |text: &str| {
            let dir = tempfile::tempdir().unwrap();
            workload.timeout_ms = Some(2_000);
            let side = script(dir.path(), text);
            LiveRunner::new(None, dir.path(), Duration::from_secs(30)).run_once(&workload, &side, &clock(ClockKind::Wall))
        };
        assert!((run(&once).unwrap().latency.median - 10.0).abs() < 1e-9);
        assert!(matches!(run(&format!("size=1; {row}")), Err(HarnessError::Diluted { .. })));
    }

    #[test]
    fn nothing_is_left_in_the_scratch_directory() {
        let dir = tempfile::tempdir().unwrap();
        let side = script(dir.path(), "exit 0");
        let scratch = dir.path().join("scratch");
        std::fs::create_dir(&scratch).unwrap();
        let mut runner = LiveRunner::new(None, &scratch, Duration::from_secs(30));
        runner.run_once(&sample("x", WorkloadKind::Binary), &side, &clock(ClockKind::Wall)).unwrap();
        assert_eq!(std::fs::read_dir(&scratch).unwrap().count(), 0);
    }
}
