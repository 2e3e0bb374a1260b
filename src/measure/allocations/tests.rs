//! Counting in real processes.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::measure::workload::sample;
use crate::measure::{LiveRunner, Side, WorkloadKind};
use crate::process::Tool;

/// Understands criterion's flags and fits its batches into the time that it is told, as criterion's flat sampling does. Each
/// iteration makes seven allocations of ten bytes; what surrounds the iterations makes many more.
pub(in crate::measure) const HARNESS: &str = r###"
    use std::time::{Duration, Instant};
    fn work() { for _ in 0..7 { std::hint::black_box(Vec::<u8>::with_capacity(10)); } LOOK }
    fn main() {
        let args: Vec<String> = std::env::args().collect();
        if args.iter().any(|a| a == "--list") { println!("work: benchmark"); return; }
        let after = |name: &str| args[args.iter().position(|a| a == name).unwrap() + 1].parse::<f64>().unwrap();
        let measured = Duration::from_secs_f64(after("--measurement-time"));
        let start = Instant::now();
        work();
        let each = start.elapsed();
        let batch = (measured.as_secs_f64() / 10.0 / each.as_secs_f64()).ceil() as u64;
        let (mut iters, mut times) = (Vec::new(), Vec::new());
        for _ in 0..10 {
            let start = Instant::now();
            for _ in 0..batch { work(); }
            iters.push(batch.to_string());
            times.push(start.elapsed().as_nanos().to_string());
        }
        let noise: Vec<String> = (0..500).map(|i| i.to_string()).collect();
        std::hint::black_box(noise);
        let dir = std::path::Path::new(&std::env::var("CRITERION_HOME").unwrap()).join("work/new");
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("benchmark.json"), r##"{"full_id":"work"}"##).unwrap();
        std::fs::write(dir.join("sample.json"), format!("{{\"iters\":[{}],\"times\":[{}]}}", iters.join(","), times.join(","))).unwrap();
    }
"###;

pub(in crate::measure) fn built(dir: &Path, source: &str, flags: &[&str]) -> Option<Side> {
    let (text, program) = (dir.join("main.rs"), dir.join("program"));
    std::fs::write(&text, source).unwrap();
    std::fs::create_dir_all(dir.join("crates/x")).unwrap();
    Tool::new("rustc").args(["-O", "-o"]).arg(&program).arg(&text).args(flags).run_checked().ok()?;
    Some(Side::new(program, dir))
}

fn counted(source: &str, flags: &[&str], kind: WorkloadKind) -> Option<Result<Counts, String>> {
    let dir = tempfile::tempdir().unwrap();
    let side = built(dir.path(), source, flags)?;
    let counter = AllocationCounter::prepare(&dir.path().join("cache"), OsStr::new("rustc")).unwrap();
    let mut runner = LiveRunner::new(None, dir.path(), Duration::from_secs(60));
    Some(count(&mut runner, &counter, &sample("work", kind), &side, Effort::THOROUGH).unwrap())
}

#[test]
fn the_allocations_of_one_iteration_are_told_from_those_around_it() {
    let counts = counted(&HARNESS.replace("LOOK", ""), &[], WorkloadKind::Criterion).unwrap().unwrap();
    assert_eq!((counts.calls, counts.bytes), (vec![7.0; 3], vec![70.0; 3]));
}

#[test]
fn a_workload_that_looks_at_the_clock_is_not_counted() {
    let looking = HARNESS.replace("LOOK", "for _ in 0..3 { std::hint::black_box(Instant::now()); }");
    let why = counted(&looking, &[], WorkloadKind::Criterion).unwrap().unwrap_err();
    assert!(why.contains("looks at the clock"), "{why}");
}

#[test]
fn a_bench_with_times_of_its_own_is_not_counted() {
    let fixed = HARNESS.replace("LOOK", "").replace("after(\"--measurement-time\")", "0.0 * after(\"--measurement-time\") + 5.0");
    let why = counted(&fixed, &[], WorkloadKind::Criterion).unwrap().unwrap_err();
    assert!(why.contains("sets its own times"), "{why}");
}

const PROGRAM: &str = "fn main() { for i in 0..NUMBER { std::hint::black_box(Vec::<u8>::with_capacity(i + 1)); } }";

#[test]
fn a_whole_program_is_counted_as_a_whole_and_in_all_its_threads() {
    let calls = |number: &str, source: &str| {
        let counts = counted(&source.replace("NUMBER", number), &[], WorkloadKind::Binary).unwrap().unwrap();
        counts.calls[0]
    };
    assert!((calls("1100", PROGRAM) - calls("100", PROGRAM) - 1000.0).abs() < 0.5);
    let threads =
        PROGRAM.replace("fn main() {", "fn main() { std::thread::scope(|s| for _ in 0..4 { s.spawn(|| work()); }) } fn work() {");
    let more = calls("1100", &threads) - calls("100", &threads);
    // A thread that reuses the stack of another allocates a little less.
    assert!((more - 4000.0).abs() < 40.0, "{more}");
}

#[test]
fn what_cannot_be_counted_says_why() {
    if let Some(fixed) = counted(&PROGRAM.replace("NUMBER", "9"), &["-C", "target-feature=+crt-static"], WorkloadKind::Binary) {
        assert!(fixed.unwrap_err().contains("statically linked"));
    }
    let counted_already = counted(&PROGRAM.replace("NUMBER", "9"), &[], WorkloadKind::Gungraun).unwrap().unwrap_err();
    assert!(counted_already.contains("does not tell how many iterations"), "{counted_already}");
}

/// Under rustc's own libtest: five allocations of ten bytes per iteration.
const LIBTEST: &str = "#![feature(test)] extern crate test; \
    #[bench] fn work(b: &mut test::Bencher) { b.iter(|| { for _ in 0..5 { test::black_box(Vec::<u8>::with_capacity(10)); } LOOK }) }";

#[test]
fn libtest_s_iterations_follow_from_its_loops() {
    // The switch by which a stable compiler knows `test`.
    let enabled = |source: &str| {
        let dir = tempfile::tempdir().unwrap();
        let (text, program) = (dir.path().join("main.rs"), dir.path().join("program"));
        std::fs::write(&text, source).unwrap();
        std::fs::create_dir_all(dir.path().join("crates/x")).unwrap();
        let rustc = Tool::new("rustc").env("RUSTC_BOOTSTRAP", "1").args(["--test", "-O", "-o"]).arg(&program).arg(&text);
        rustc.run_checked().unwrap();
        let side = Side::new(program, dir.path());
        let counter = AllocationCounter::prepare(&dir.path().join("cache"), OsStr::new("rustc")).unwrap();
        let mut runner = LiveRunner::new(None, dir.path(), Duration::from_secs(60));
        count(&mut runner, &counter, &sample("work", WorkloadKind::Libtest), &side, Effort::THOROUGH).unwrap()
    };
    let counts = enabled(&LIBTEST.replace("LOOK", "")).unwrap();
    assert_eq!((counts.calls, counts.bytes), (vec![5.0; 3], vec![50.0; 3]));
    let looking = enabled(&LIBTEST.replace("LOOK", "test::black_box(std::time::Instant::now());")).unwrap_err();
    assert!(looking.contains("clock") || looking.contains("as expected"), "{looking}");
}

/// Takes as many samples of as many iterations as it is told, as divan does, and keeps something per sample and per iteration of a
/// sample.
const DIVAN: &str = r#"
    fn main() {
        let told = |name: &str| std::env::var(name).unwrap().parse::<usize>().unwrap();
        let (count, size) = (told("DIVAN_SAMPLE_COUNT"), told("DIVAN_SAMPLE_SIZE"));
        let mut kept: Vec<Vec<u64>> = Vec::with_capacity(count);
        let _room = std::hint::black_box(Vec::<u64>::with_capacity(size));
        for _ in 0..count {
            for _ in 0..size { for _ in 0..3 { std::hint::black_box(Vec::<u8>::with_capacity(20)); } }
            kept.push(vec![1, 2]);
        }
        println!("dv fastest │ slowest │ median │ mean │ samples │ iters");
        println!("╰─ work  1 µs │ 1 µs │ 1 µs │ 1 µs │ {count} │ {}", count * size);
    }
"#;

#[test]
fn what_divan_keeps_of_a_sample_is_not_the_workload_s() {
    let dir = tempfile::tempdir().unwrap();
    let side = built(dir.path(), DIVAN, &[]).unwrap();
    let counter = AllocationCounter::prepare(&dir.path().join("cache"), OsStr::new("rustc")).unwrap();
    let mut runner = LiveRunner::new(None, dir.path(), Duration::from_secs(60));
    let workload = sample("dv::work", WorkloadKind::Divan);
    let counts = count(&mut runner, &counter, &workload, &side, Effort::ONCE).unwrap().unwrap();
    assert_eq!((counts.calls, counts.bytes), (vec![3.0], vec![60.0]));
}

#[test]
fn the_peak_is_what_was_live_at_one_time() {
    let peak = |source: &str| counted(source, &[], WorkloadKind::Binary).unwrap().unwrap().peak[0];
    let megabyte = f64::from(1 << 20);
    let one_by_one = "fn main() { for _ in 0..64 { std::hint::black_box(vec![1u8; 1 << 20]); } }";
    let grown = "fn main() { let mut v = vec![1u8; 1 << 20]; v.reserve_exact(7 << 20); std::hint::black_box(&v); drop(v); \
        std::hint::black_box(vec![1u8; 1 << 20]); }";
    let (one_by_one, grown) = (peak(one_by_one), peak(grown));
    assert!(one_by_one > megabyte && one_by_one < 1.5 * megabyte, "{one_by_one}");
    assert!(grown > 8.0 * megabyte && grown < 8.5 * megabyte, "{grown}");
}

/// Nine in ten bytes are asked for in `large`, seven in eight allocations are made in `small`; every other block of `large` is never
/// given back.
const TWO: &str = r"
    use std::hint::black_box;
    #[inline(never)]
    fn large(round: u64) {
        let block = black_box(vec![1u8; 9 * 700]);
        if round % 2 == 0 { std::mem::forget(block); }
    }
    #[inline(never)]
    fn small() { for _ in 0..7 { black_box(Vec::<u8>::with_capacity(black_box(100))); } }
    fn main() {
        for round in 0..16_000 {
            large(round);
            small();
            for i in 0..5_000u64 { black_box(i); }
        }
    }
";

#[test]
fn allocations_are_those_of_the_functions_that_ask_for_them() {
    let dir = tempfile::tempdir().unwrap();
    let side = built(dir.path(), TWO, &["-g"]).unwrap();
    let counter = AllocationCounter::prepare(&dir.path().join("cache"), OsStr::new("rustc")).unwrap();
    let launch = crate::process::Launch::new(side.executable.clone(), dir.path());
    let sampled = super::sample(&counter, launch, &crate::process::Limits::default(), dir.path()).unwrap().unwrap();
    let share = |profile: &crate::profile::Profile, name: &str| {
        let through = |stack: &&crate::profile::Stack| profile.frames_of(stack).any(|frame| frame.function.ends_with(name));
        profile.stacks.iter().filter(through).map(|stack| stack.count).sum::<u64>() as f64 / profile.samples() as f64
    };
    let records = sampled.by_bytes.records.unwrap();
    assert!(records > 60, "{records}");
    assert!((share(&sampled.by_bytes, "::large") - 0.9).abs() < 0.08, "{}", share(&sampled.by_bytes, "::large"));
    assert!((share(&sampled.by_calls, "::small") - 0.875).abs() < 0.1, "{}", share(&sampled.by_calls, "::small"));
    assert!(sampled.by_bytes.quality.truncated_share() < 0.02, "{:?}", sampled.by_bytes.quality);
    // What they stand for adds up to what was counted.
    let part = sampled.by_bytes.samples() as f64 / sampled.bytes as f64;
    assert!((part - 1.0).abs() < 0.35, "{part}");
    let kept = sampled.kept.unwrap();
    assert!(share(&kept, "::large") > 0.9, "{:?}", kept.frames);
    // Our own frames are nobody's.
    assert!(
        sampled.by_bytes.frames.iter().all(|frame| !frame.module.starts_with("allocations-")),
        "{:?}",
        sampled.by_bytes.frames
    );
}
