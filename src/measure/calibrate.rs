//! What `baseline` learns about a workload: which clock, which statistic, how noisy, how expensive.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Workload;
use super::clock::{ClockChoice, ClockKind, observe};
use super::harness::{Harness, HarnessError, Side};
use super::live::LiveRunner;
use super::noise::NoiseModel;
use super::round::Reading;
use crate::workspace::Linkage;

/// The stored knowledge about one workload on this machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The clock and why.
    pub clock: ClockChoice,
    /// The spread between processes; `None` when too few runs succeeded.
    pub noise: Option<NoiseModel>,
    /// Median time per iteration over the calibration runs, nanoseconds: for readers, never for a verdict.
    pub latency_ns: Option<f64>,
}

/// Pairs of runs that the noise model rests on.
pub const PAIRS: usize = 8;

/// Seconds of the run that is watched for threads and waits; the smallest that criterion's profile mode accepts.
const WATCHED_SECONDS: u32 = 1;

/// Looks that a workload which seems to wait gets.
const LOOKS: usize = 3;
/// Below this share of CPU time no neighbour is the cause.
const HOPELESS: f64 = 0.5;

/// A measured run should not take more CPU time than this; benches that hard-code their times take seconds.
const DEAR: Duration = Duration::from_millis(400);
/// What a run should take instead.
const CHEAP: Duration = Duration::from_millis(100);
/// The clock runs at most this many times faster: its steps stay far below a batch.
const FASTEST: u32 = 200;

/// Watches one run, chooses the clock, then runs `pairs` pairs of `side` and `copy` (another copy of the same executable).
pub fn calibrate(
    runner: &mut LiveRunner<'_>,
    workload: &Workload,
    side: &Side,
    copy: &Side,
    pairs: usize,
) -> Result<Calibration, HarnessError> {
    let clock = choose_clock(runner, workload, side)?;
    let (mut latencies, mut walls) = (Vec::new(), Vec::new());
    for pair in 0..pairs {
        // Alternating order: a machine that drifts must not look like a difference.
        let (first, second) = if pair % 2 == 0 { (side, copy) } else { (copy, side) };
        let (one, two) = (runner.run_once(workload, first, &clock)?, runner.run_once(workload, second, &clock)?);
        walls.extend([&one, &two].map(|reading: &Reading| Duration::from_nanos(reading.wall as u64)));
        let (base, control) = if pair % 2 == 0 { (one, two) } else { (two, one) };
        latencies.push((base.latency, control.latency));
    }
    let all: Vec<f64> = latencies.iter().flat_map(|(base, control)| [base.median, control.median]).collect();
    Ok(Calibration { clock, noise: NoiseModel::from_pairs(&latencies, &walls), latency_ns: crate::stats::median(&all) })
}

/// Watches a run without the harness's own analysis (which runs on several threads) and decides.
pub fn choose_clock(runner: &mut LiveRunner<'_>, workload: &Workload, side: &Side) -> Result<ClockChoice, HarnessError> {
    let harness = runner.harness(workload, side)?;
    let scratch = runner.fresh_scratch()?;
    let launch = match harness {
        Harness::Process => harness.round_launch(workload, side, scratch.path())?,
        _ => harness.profile_launch(workload, side, WATCHED_SECONDS, scratch.path()),
    };
    let mut choice = None;
    // A neighbour that takes the processor looks like waiting. What really waits, waits every time: the best look counts.
    for _ in 0..LOOKS {
        let (finished, seen) = observe(&launch, &runner.limits(workload))?;
        harness.check(workload, &finished)?;
        let look = ClockChoice::from_observation(&seen);
        let settled =
            look.clock == ClockKind::Cpu || seen.cpu_share().is_some_and(|share| share < HOPELESS) || seen.is_parallel();
        choice = Some(look);
        if settled {
            break;
        }
    }
    let Some(choice) = choice else { return Err(HarnessError::NotRun { id: workload.harness_id.clone() }) };
    if harness.has_own_clock() && choice.clock == ClockKind::Cpu {
        return try_shim(runner, workload, side, ClockChoice { scale: harness.scale(), ..choice });
    }
    Ok(choice)
}

/// Makes sure that the preloaded clock really answers, and makes a dear run cheaper by letting the clock run faster.
fn try_shim(
    runner: &mut LiveRunner<'_>,
    workload: &Workload,
    side: &Side,
    choice: ClockChoice,
) -> Result<ClockChoice, HarnessError> {
    if runner.shim().is_none() {
        return Ok(choice.fall_back_to_wall("it computes, but the CPU clock could not be built on this machine"));
    }
    let linkage = Linkage::read(&side.executable);
    if let Some(reason) = linkage.as_ref().and_then(beyond_reach) {
        return Ok(choice.fall_back_to_wall(reason));
    }
    let (choice, first) = with_enough_digits(runner, workload, side, choice);
    let reading = match first {
        Ok(reading) => reading,
        Err(HarnessError::ClockNotUsed { .. }) => {
            let counter = linkage.and_then(|linkage| linkage.cycle_counter);
            let reason = match counter {
                Some(name) => format!("it computes, but {name} counts the processor's cycles, which follow elapsed time"),
                None => "it computes, but the executable does not ask the C library for the time".into(),
            };
            return Ok(choice.fall_back_to_wall(reason));
        }
        Err(error) => return Err(error),
    };
    // Only criterion lets a benchmark report times of its own.
    if matches!(runner.harness(workload, side)?, Harness::Criterion(_)) && !follows(runner, workload, side, &choice, &reading) {
        return Ok(choice.fall_back_to_wall(FOREIGN));
    }
    let cost = cpu_of(&reading);
    if cost <= DEAR {
        return Ok(choice);
    }
    let wanted = f64::from(choice.scale) * cost.as_secs_f64() / CHEAP.as_secs_f64();
    let faster = ClockChoice { scale: (wanted.round() as u32).clamp(1, FASTEST), ..choice.clone() };
    // A long single iteration stays long however fast the clock runs.
    let helps = runner.run_once(workload, side, &faster).is_ok_and(|reading| cpu_of(&reading) < cost.mul_f64(0.6));
    Ok(if helps { faster } else { choice })
}

/// Why a workload that computes is on the wall clock although the harness's own clock can be answered.
const FOREIGN: &str = "it computes, but the times that it reports do not follow the clock that its harness asks: they seem to come from \
    another one (`iter_custom` with quanta, minstant or rdtsc, or a custom measurement)";

/// How many times faster the clock runs once, to see whether the reported times follow.
const HURRY: u32 = 64;
/// Of the time that a following clock shows, another one shows 1/64: below 1/8 it is another one, whatever the machine's noise.
/// A following one would have to run eight times faster than it just did.
const FOLLOWS: f64 = 0.125;
/// A contended machine may stretch one look at another clock eightfold; the smallest of these does not lie.
const GLANCES: usize = 3;
/// From here on the clock follows without doubt.
const CLEARLY: f64 = 0.5;

/// True when the times that the workload reports scale with the clock that it is given: of a benchmark that takes them from another
/// clock they stay as they are. A run that fails tells nothing, and nothing is claimed then.
fn follows(runner: &mut LiveRunner<'_>, workload: &Workload, side: &Side, choice: &ClockChoice, plain: &Reading) -> bool {
    let hurried = ClockChoice { scale: choice.scale.saturating_mul(HURRY), ..choice.clone() };
    let mut least = f64::INFINITY;
    for _ in 0..GLANCES {
        let Ok(fast) = runner.run_once(workload, side, &hurried) else { return true };
        // Both are divided by the speed of the clock that was given.
        least = least.min(fast.latency.min / plain.latency.min);
        if !(FOLLOWS..CLEARLY).contains(&least) {
            break;
        }
    }
    least >= FOLLOWS
}

/// A harness that prints whole nanoseconds prints more digits of a clock that runs faster.
fn with_enough_digits(
    runner: &mut LiveRunner<'_>,
    workload: &Workload,
    side: &Side,
    choice: ClockChoice,
) -> (ClockChoice, Result<Reading, HarnessError>) {
    let first = runner.run_once(workload, side, &choice);
    if !matches!(first, Err(HarnessError::TooCoarse { .. })) || choice.scale >= FASTEST {
        return (choice, first);
    }
    let faster = ClockChoice { scale: FASTEST, ..choice };
    let second = runner.run_once(workload, side, &faster);
    (faster, second)
}

/// What the file itself says: no clock of ours can answer there, or the harness does not take its answer for the measurement.
fn beyond_reach(linkage: &Linkage) -> Option<&'static str> {
    if linkage.is_static() {
        return Some("it computes, but it is statically linked, and no preloaded clock can reach it");
    }
    (linkage.cycle_counter == Some("criterion-cycles-per-byte"))
        .then_some("it computes, but it measures in cycles (criterion-cycles-per-byte), which follow elapsed time")
}

fn cpu_of(reading: &Reading) -> Duration {
    reading.usage.map_or_else(|| Duration::from_nanos(reading.wall as u64), |usage| usage.cpu())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::ffi::OsStr;
    use std::path::Path;

    use super::*;
    use crate::measure::clock::ClockShim;
    use crate::measure::workload::sample;
    use crate::measure::{Statistic, WorkloadKind};
    use crate::process::Tool;

    /// Understands criterion's flags, insists on a second of "measurement" whatever it is told, and reports what an iteration took.
    const STUBBORN: &str = r###"
        use std::time::{Duration, Instant};
        fn work() { let mut x = 1u64; for _ in 0..20_000 { x = std::hint::black_box(x.wrapping_mul(3)); } }
        fn main() {
            let args: Vec<String> = std::env::args().collect();
            if args.iter().any(|a| a == "--list") { println!("work: benchmark"); return; }
            let (start, mut iterations) = (Instant::now(), 0u64);
            while start.elapsed() < Duration::from_secs(1) { work(); iterations += 1; }
            let nanos = start.elapsed().as_nanos();
            println!("Benchmarking work: Complete (Analysis Disabled)");
            if args.iter().any(|a| a == "--profile-time") { return; }
            let dir = std::path::Path::new(&std::env::var("CRITERION_HOME").unwrap()).join("work/new");
            std::fs::create_dir_all(&dir).unwrap();
            std::fs::write(dir.join("benchmark.json"), r##"{"full_id":"work"}"##).unwrap();
            std::fs::write(dir.join("sample.json"), format!("{{\"iters\":[{iterations}],\"times\":[{nanos}]}}")).unwrap();
        }
    "###;

    fn stubborn(dir: &Path) -> Side {
        built(dir, STUBBORN, &[]).unwrap()
    }

    fn built(dir: &Path, text: &str, flags: &[&str]) -> Option<Side> {
        let (source, built) = (dir.join("main.rs"), dir.join("program"));
        std::fs::write(&source, text).unwrap();
        Tool::new("rustc").args(["-O", "-o"]).arg(&built).arg(&source).args(flags).run_checked().ok()?;
        std::fs::create_dir_all(dir.join("crates/x")).unwrap();
        Some(Side::new(built, dir))
    }

    fn chosen(dir: &Path, side: &Side) -> ClockChoice {
        let shim = ClockShim::prepare(&dir.join("cache"), OsStr::new("rustc")).unwrap();
        let mut runner = LiveRunner::new(Some(&shim), dir, Duration::from_secs(60));
        choose_clock(&mut runner, &sample("work", WorkloadKind::Criterion), side).unwrap()
    }

    #[test]
    fn a_static_executable_is_recognised_before_a_clock_is_tried() {
        let dir = tempfile::tempdir().unwrap();
        // Without static libraries there is nothing to test.
        let Some(side) = built(dir.path(), STUBBORN, &["-C", "target-feature=+crt-static"]) else { return };
        let choice = chosen(dir.path(), &side);
        assert_eq!(choice.clock, ClockKind::Wall);
        assert!(choice.reason.contains("statically linked"), "{}", choice.reason);
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn a_timer_that_counts_cycles_is_named() {
        const CYCLES: &str = r"
            mod quanta {
                #[derive(Clone, Copy)]
                pub struct Instant(u64);
                impl Instant {
                    #[inline(never)]
                    pub fn now() -> Self { Self(unsafe { core::arch::x86_64::_rdtsc() }) }
                    pub fn elapsed(&self) -> std::time::Duration { std::time::Duration::from_nanos(Self::now().0 - self.0) }
                }
            }
            use std::time::Duration; use quanta::Instant;
        ";
        let dir = tempfile::tempdir().unwrap();
        let side = built(dir.path(), &STUBBORN.replace("use std::time::{Duration, Instant};", CYCLES), &[]).unwrap();
        let choice = chosen(dir.path(), &side);
        assert_eq!(choice.clock, ClockKind::Wall);
        assert!(choice.reason.contains("quanta"), "{}", choice.reason);
    }

    /// What `iter_custom` with a clock of its own does: the harness asks the C library, the reported times are another clock's.
    #[cfg(target_arch = "x86_64")]
    #[test]
    fn times_that_do_not_follow_the_harness_s_clock_are_measured_on_the_wall_clock() {
        let own = STUBBORN
            .replace(
                "let (start, mut iterations)",
                "let began = unsafe { core::arch::x86_64::_rdtsc() }; let (start, mut iterations)",
            )
            .replace("start.elapsed().as_nanos()", "unsafe { core::arch::x86_64::_rdtsc() } - began");
        let dir = tempfile::tempdir().unwrap();
        let side = built(dir.path(), &own, &[]).unwrap();
        let choice = chosen(dir.path(), &side);
        assert_eq!((choice.clock, choice.scale), (ClockKind::Wall, 1), "{choice:?}");
        assert!(choice.reason.contains("do not follow"), "{}", choice.reason);
    }

    #[test]
    fn a_bench_that_hard_codes_its_seconds_gets_a_faster_clock_and_the_same_result() {
        let dir = tempfile::tempdir().unwrap();
        let side = stubborn(dir.path());
        let shim = ClockShim::prepare(&dir.path().join("cache"), OsStr::new("rustc")).unwrap();
        let workload = sample("work", WorkloadKind::Criterion);
        let mut runner = LiveRunner::new(Some(&shim), dir.path(), Duration::from_secs(60));
        let choice = choose_clock(&mut runner, &workload, &side).unwrap();
        assert_eq!(choice.clock, ClockKind::Cpu, "{choice:?}");
        assert!(choice.scale > 1, "{choice:?}");

        let slow = runner.run_once(&workload, &side, &ClockChoice { scale: 1, ..choice.clone() }).unwrap();
        let quick = runner.run_once(&workload, &side, &choice).unwrap();
        assert!(cpu_of(&quick) < cpu_of(&slow) / 2);
        let ratio = quick.latency.median / slow.latency.median;
        assert!((0.5..2.0).contains(&ratio), "{ratio}");
    }

    /// Times like bencher, in whole nanoseconds, what takes about ten of them.
    const COARSE: &str = r#"
        use std::time::Instant;
        fn main() {
            let start = Instant::now();
            let mut x = 1u64;
            for _ in 0..5_000_000u64 { for _ in 0..8 { x = std::hint::black_box(x).wrapping_mul(3) ^ 1; } }
            println!("test work ... bench: {} ns/iter (+/- 0)", start.elapsed().as_nanos() / 5_000_000);
        }
    "#;

    #[test]
    fn a_clock_that_runs_faster_brings_the_digits_that_a_harness_does_not_print() {
        let dir = tempfile::tempdir().unwrap();
        let side = built(dir.path(), COARSE, &[]).unwrap();
        let shim = ClockShim::prepare(&dir.path().join("cache"), OsStr::new("rustc")).unwrap();
        let workload = sample("work", WorkloadKind::Bencher);
        let mut runner = LiveRunner::new(Some(&shim), dir.path(), Duration::from_secs(60));
        let choice = choose_clock(&mut runner, &workload, &side).unwrap();
        assert_eq!((choice.clock, choice.scale), (ClockKind::Cpu, FASTEST), "{choice:?}");
        let reading = runner.run_once(&workload, &side, &choice).unwrap();
        assert!(reading.latency.median.fract() > 0.0 && reading.latency.median < 200.0, "{reading:?}");
    }

    #[test]
    fn without_the_preloaded_clock_a_harness_falls_back_to_wall_and_says_why() {
        let dir = tempfile::tempdir().unwrap();
        let side = stubborn(dir.path());
        let mut runner = LiveRunner::new(None, dir.path(), Duration::from_secs(60));
        let choice = choose_clock(&mut runner, &sample("work", WorkloadKind::Criterion), &side).unwrap();
        assert_eq!(choice.clock, ClockKind::Wall);
        assert!(choice.reason.contains("could not be built"), "{}", choice.reason);
    }

    #[test]
    fn a_sleeping_program_is_calibrated_on_the_wall_clock() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("crates/x")).unwrap();
        let side = Side::new("/bin/sleep", dir.path());
        let mut workload = sample("sleep", WorkloadKind::Binary);
        workload.args = vec!["0.15".into()];
        let mut runner = LiveRunner::new(None, dir.path(), Duration::from_secs(60));
        let calibration = calibrate(&mut runner, &workload, &side, &side, 3).unwrap();
        assert_eq!(calibration.clock.clock, ClockKind::Wall);
        let noise = calibration.noise.unwrap();
        assert!(noise.process_ms > 100.0 && noise.statistic == Statistic::Median && calibration.latency_ns.unwrap() > 100e6);
    }
}
