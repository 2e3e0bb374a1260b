//! Live tests: a program whose truth is known, compiled and sampled here.
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

#[cfg(target_arch = "x86_64")]
mod agent;

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::*;
use crate::heat::Share;
use crate::process::Tool;
use crate::profile::Frame;

const TARGET: &str = include_str!("tests/target.rs");
const PLUGIN: &str = include_str!("tests/plugin.rs");

/// The compiled program; tests that run at the same time share it.
struct Program {
    dir: tempfile::TempDir,
}

impl Program {
    fn compiled() -> Arc<Self> {
        static SHARED: Mutex<Weak<Program>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(program) = shared.upgrade() {
            return program;
        }
        let dir = tempfile::Builder::new().prefix("naïve dir ").tempdir().unwrap();
        for (name, source, kind) in [("target", TARGET, "bin"), ("plugin", PLUGIN, "cdylib")] {
            let file = dir.path().join(format!("{name}.rs"));
            std::fs::write(&file, source).unwrap();
            let rustc = Tool::new("rustc").args(["--edition=2021", "-O", "-g", "--crate-type", kind]).arg(&file);
            rustc.cwd(dir.path()).run_checked().unwrap();
        }
        let program = Arc::new(Self { dir });
        *shared = Arc::downgrade(&program);
        program
    }

    fn launch(&self, mode: &str, cpu_ms: u64) -> Launch {
        Launch::new(self.dir.path().join("target"), self.dir.path()).args([mode.to_owned(), cpu_ms.to_string()])
    }

    fn source(&self) -> PathBuf {
        self.dir.path().join("target.rs")
    }
}

/// One live test at a time, so that they do not take the CPU from each other; `None` when the kernel refuses to sample.
fn live() -> Option<(Arc<Program>, MutexGuard<'static, ()>)> {
    if let Err(refusal) = available() {
        // Not through the test harness's capture: a skipped test must be seen.
        let message = format!("SKIPPED a live sampling test: {refusal}\n");
        std::io::stderr().write_all(message.as_bytes()).unwrap();
        return None;
    }
    Some((Program::compiled(), turn()))
}

fn turn() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

fn limits() -> Limits {
    Limits { timeout: Duration::from_secs(120), ..Limits::default() }
}

fn is(frame: &Frame, name: &str) -> bool {
    frame.function.rsplit("::").next() == Some(name)
}

fn total(profile: &Profile, hit: impl Fn(&Frame) -> bool) -> f64 {
    let hits = profile.stacks.iter().filter(|stack| profile.frames_of(stack).any(&hit)).map(|stack| stack.count).sum();
    Share::new(hits, profile.samples()).share
}

/// Threads and processes that began.
fn born(recording: &Recording) -> (u64, u64) {
    let born = recording.observed.as_ref().unwrap().born.unwrap();
    (born.threads, born.processes)
}

/// Compares each function's share of the work with what the program measured; 8 points are over five standard
/// deviations of 1000 samples.
fn assert_shares(profile: &Profile, truth: &HashMap<String, f64>) {
    assert_eq!(truth.len(), 4, "{truth:?}");
    for (name, expected) in truth {
        let measured = total(profile, |frame| is(frame, name));
        assert!((measured - expected).abs() < 0.08, "{name}: sampled {measured}, spent {expected}");
    }
}

fn truth(finished: &Finished) -> HashMap<String, f64> {
    let text = finished.stdout_text();
    text.lines().filter_map(|line| line.split_once(' ')).map(|(name, part)| (name.to_owned(), part.parse().unwrap())).collect()
}

/// First and last line of a function in the program's source.
fn lines_of(name: &str) -> (u32, u32) {
    let header = format!("fn {name}");
    let (start, line) = TARGET.lines().enumerate().find(|(_, line)| line.trim_start().starts_with(&header)).unwrap();
    let close = " ".repeat(line.len() - line.trim_start().len()) + "}";
    let end = TARGET.lines().skip(start).position(|line| line == close).unwrap() + start;
    (start as u32 + 1, end as u32 + 1)
}

#[test]
fn a_program_in_step_with_the_rate_is_seen_whole() {
    let Some((program, _turn)) = live() else { return };
    let recording = record(&program.launch("in-step", 1500), &limits(), &SampleOptions::default()).unwrap();
    let first = total(&recording.profile, |frame| is(frame, "share_a"));
    // At a fixed rate, a quarter of such runs showed less than 35 or more than 65 % on a busy machine.
    assert!((0.35..0.65).contains(&first), "{first} of {} samples", recording.profile.samples());
}

#[test]
fn shares_names_and_lines_are_those_of_the_program() {
    let Some((program, _turn)) = live() else { return };
    let recording = record(&program.launch("single", 1500), &limits(), &SampleOptions::default()).unwrap();
    let Recording { profile, finished, .. } = &recording;
    assert!(finished.success(), "{}", finished.stderr_tail(5));
    assert_shares(profile, &truth(finished));
    assert_eq!(profile.samples(), profile.quality.samples);
    let coverage = profile.quality.coverage().unwrap();
    assert!((0.7..1.3).contains(&coverage), "{:?}", profile.quality);
    assert!(profile.quality.truncated_share() < 0.05, "{:?}", profile.quality);
    let rooted = total(profile, |frame| is(frame, "main") && frame.function == "target::main");
    assert!(rooted > 0.95, "main is in {rooted} of the stacks");
    let source = program.source();
    for name in ["share_a", "share_b", "share_c", "share_d"] {
        let (start, end) = lines_of(name);
        let known: Vec<&Frame> = profile.frames.iter().filter(|frame| is(frame, name) && frame.line.is_some()).collect();
        assert!(!known.is_empty(), "{name} has no line");
        for frame in known {
            assert_eq!(frame.file.as_deref(), source.to_str(), "{frame:?}");
            assert!(frame.line.is_some_and(|line| (start..=end).contains(&line)), "{frame:?} not in {start}..={end}");
            assert_eq!(frame.module, "target");
        }
    }
    let names: Vec<&str> = profile.frames.iter().map(|frame| frame.function.as_str()).collect();
    for name in ["target::share_a", "target::share_c", "target::Work::share_d"] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    assert!(profile.frames.iter().any(|frame| is(frame, "share_b") && frame.inlined));
    assert!(names.iter().any(|name| name.ends_with("work::{{closure}}")), "{names:?}");
}

#[test]
fn an_inlined_call_is_followed_by_its_caller_at_the_line_of_the_call() {
    let Some((program, _turn)) = live() else { return };
    let Recording { profile, .. } = record(&program.launch("single", 600), &limits(), &SampleOptions::default()).unwrap();
    let (start, end) = lines_of("caller_of_b");
    let mut seen = 0;
    for stack in &profile.stacks {
        let frames: Vec<&Frame> = profile.frames_of(stack).collect();
        if let Some(at) = frames.iter().position(|frame| is(frame, "share_b")) {
            assert_eq!(frames[at + 1].function, "target::caller_of_b");
            assert!(frames[at + 1].line.is_some_and(|line| (start..=end).contains(&line)));
            seen += stack.count;
        }
    }
    assert!(seen > 0);
}

#[test]
fn four_threads_are_all_sampled() {
    let Some((program, _turn)) = live() else { return };
    let recording = record(&program.launch("threads", 500), &limits(), &SampleOptions::default()).unwrap();
    let Recording { profile, finished, .. } = &recording;
    assert_shares(profile, &truth(finished));
    assert_eq!(born(&recording), (4, 0));
    assert!(finished.usage.unwrap().user > Duration::from_millis(1600), "{:?}", finished.usage);
    // One thread of four missing would leave 75 %.
    assert!(profile.quality.coverage().unwrap() > 0.8, "{:?}", profile.quality);
    assert!(profile.quality.truncated_share() < 0.05, "{:?}", profile.quality);
}

#[test]
fn child_processes_are_sampled_with_their_own_names() {
    let Some((program, _turn)) = live() else { return };
    let recording = record(&program.launch("children", 500), &limits(), &SampleOptions::default()).unwrap();
    let Recording { profile, finished, .. } = &recording;
    assert!(finished.success());
    assert_eq!(born(&recording), (0, 2));
    assert!(profile.quality.coverage().unwrap() > 0.7, "{:?}", profile.quality);
    assert!((total(profile, |frame| is(frame, "share_a")) - 0.5).abs() < 0.15);
    assert!(profile.quality.truncated_share() < 0.05, "{:?}", profile.quality);
}

#[test]
fn a_library_that_is_loaded_later_is_named_too() {
    let Some((program, _turn)) = live() else { return };
    let library = program.dir.path().join("libplugin.so");
    let launch = program.launch("dlopen", 500).args([library]);
    let Recording { profile, .. } = record(&launch, &limits(), &SampleOptions::default()).unwrap();
    let plugin = |frame: &Frame| {
        frame.function == "plugin_work"
            && frame.module == "libplugin.so"
            && frame.file.as_deref().is_some_and(|file| file.ends_with("plugin.rs"))
    };
    assert!(total(&profile, plugin) > 0.8, "{:?}", profile.frames);
    assert!(profile.quality.truncated_share() < 0.05, "{:?}", profile.quality);
}

#[test]
fn stacks_that_were_cut_are_counted_and_a_rerun_copies_more() {
    let Some((program, _turn)) = live() else { return };
    let launch = program.launch("recursive", 600);
    let cut = record(&launch, &limits(), &SampleOptions::default()).unwrap().profile;
    assert!(cut.quality.truncated_share() > 0.5, "{:?}", cut.quality);
    // The leaf part is right all the same.
    assert!((total(&cut, |frame| is(frame, "share_a")) - 0.5).abs() < 0.15);
    let whole = record_well(&launch, &limits(), &SampleOptions::default()).unwrap().profile;
    assert!(whole.quality.truncated_share() < 0.02, "{:?}", whole.quality);
}

/// Copies as much as the kernel does.
const LARGEST: SampleOptions = SampleOptions { frequency: 499, stack_bytes: SampleOptions::MAX_STACK };

/// Samples with one function in their stack and another.
fn together(profile: &Profile, one: &str, other: &str) -> u64 {
    let has =
        |stack: &&crate::profile::Stack| [one, other].iter().all(|name| profile.frames_of(stack).any(|frame| is(frame, name)));
    profile.stacks.iter().filter(has).map(|stack| stack.count).sum()
}

#[test]
fn a_stack_that_no_copy_holds_is_walked_to_its_root() {
    let Some((program, _turn)) = live() else { return };
    let profile = record(&program.launch("deep", 1500), &limits(), &LARGEST).unwrap().profile;
    assert!(profile.quality.truncated_share() < 0.1, "{:?}", profile.quality);
    let outer = together(&profile, "main", "deep") as f64 / profile.samples() as f64;
    assert!(outer > 0.9, "{outer} of {:?}", profile.quality);
    assert!((total(&profile, |frame| is(frame, "share_a")) - 0.5).abs() < 0.15);
}

#[test]
fn the_callers_of_a_deep_stack_are_its_own() {
    let Some((program, _turn)) = live() else { return };
    // Seldom enough to be told apart, and faster than anybody looks.
    for (micros, cpu_ms) in [(250_000, 2000), (700, 1000)] {
        let launch = program.launch("alternate", cpu_ms).args([micros.to_string()]);
        let profile = record(&launch, &limits(), &LARGEST).unwrap().profile;
        let count = |caller, leaf| together(&profile, caller, leaf);
        let (a, b) = (count("outer_a", "share_a"), count("outer_b", "caller_of_b"));
        let mixed = count("outer_a", "caller_of_b") + count("outer_b", "share_a");
        assert!(mixed <= profile.samples() / 100, "{mixed} mixed, {a} and {b} of {:?}", profile.quality);
        // A busy machine looks too seldom to tell much.
        if a + b > 100 {
            let share = a as f64 / (a + b) as f64;
            assert!((share - 0.5).abs() < 0.15, "{share}: {a} and {b} of {:?}", profile.quality);
        }
    }
}

#[test]
fn a_deep_stack_under_a_loop_that_calls_others_too_is_walked_to_its_root() {
    let Some((program, _turn)) = live() else { return };
    let profile = record(&program.launch("event-loop", 1500), &limits(), &LARGEST).unwrap().profile;
    let (a, b) = (together(&profile, "turn", "share_a"), together(&profile, "rest", "caller_of_b"));
    let mixed = together(&profile, "turn", "caller_of_b") + together(&profile, "rest", "share_a");
    assert!(mixed == 0 && (a as f64 / (a + b) as f64 - 0.5).abs() < 0.15, "{mixed} mixed, {a} and {b}");
    let rooted = together(&profile, "event_loop", "main") as f64 / profile.samples() as f64;
    assert!(rooted > 0.9, "{rooted} of {:?}", profile.quality);
}

#[test]
fn thread_churn_is_seen_after_a_rerun_at_a_higher_rate() {
    let Some((program, _turn)) = live() else { return };
    let recording = record_well(&program.launch("churn", 700), &limits(), &SampleOptions::default()).unwrap();
    let quality = &recording.profile.quality;
    // A rerun is at most as good as the kernel's rate limit on this machine allows.
    assert!(quality.frequency > 999 && quality.coverage().unwrap() > 0.3, "{quality:?}");
    assert!(total(&recording.profile, |frame| is(frame, "share_a")) > 0.5);
}

#[test]
fn a_workload_that_fails_still_has_its_profile() {
    let Some((program, _turn)) = live() else { return };
    let launch = Launch::new("/bin/sh", "/").args(["-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; exit 3"]);
    let recording = record(&launch, &limits(), &SampleOptions::default()).unwrap();
    assert_eq!(recording.finished.code, Some(3));
    assert!(recording.profile.samples() > 0);
    let missing = Launch::new(program.dir.path().join("missing"), "/");
    assert!(matches!(record(&missing, &limits(), &SampleOptions::default()), Err(SampleError::Process(_))));
}

/// Runs only in a process of its own, as the variable is read from the environment.
#[test]
#[ignore = "started by the test below"]
fn refused_as_simulated() {
    let refusal = available().unwrap_err();
    assert!(refusal.to_string().contains(&std::env::var("EXPECTED_ERRNO").unwrap()), "{refusal}");
    assert!(refusal.hint().is_some());
    let launch = Launch::new("/bin/sh", "/").args(["-c", "sleep 30"]);
    let started = std::time::Instant::now();
    let error = record(&launch, &limits(), &SampleOptions::default()).unwrap_err();
    assert!(matches!(&error, SampleError::Refused(same) if *same == refusal), "{error}");
    assert!(started.elapsed() < Duration::from_secs(20), "the workload ran although nobody could sample it");
}

#[test]
fn a_refusal_says_which_errno_and_what_to_do_and_the_workload_does_not_run() {
    for errno in ["EACCES", "EPERM", "ENOSYS"] {
        let output = Tool::new(std::env::current_exe().unwrap())
            .args(["--exact", "sample::tests::refused_as_simulated", "--ignored"])
            .env("PERF_EXPERT_SIMULATE_REFUSAL", errno)
            .env("EXPECTED_ERRNO", errno)
            .run()
            .unwrap();
        let text = output.text();
        assert!(output.success() && text.contains("1 passed"), "{errno}: {text}");
    }
}

#[test]
fn page_faults_are_those_of_the_function_that_touches_the_pages() {
    let Some((program, _turn)) = live() else { return };
    let recording = record(&program.launch("faults", 1000), &limits(), &SampleOptions::default()).unwrap();
    let faults = recording.faults.unwrap();
    let share = total(&faults, |frame| is(frame, "fresh"));
    assert!((share - 0.9).abs() < 0.08, "{share}: {:?}", faults.frames);
    assert!(faults.records.unwrap() > 50, "{:?}", faults.records);
    // Each sample says how many faults it stands for; the kernel's own account counts those in system calls, too.
    let counted = recording.finished.usage.unwrap().minor_faults as f64;
    let part = faults.samples() as f64 / counted;
    assert!((0.6..1.1).contains(&part), "{} of {counted}", faults.samples());
    // The CPU's own samples are not mixed with them.
    let (own, records) = (recording.profile.samples(), faults.records.unwrap());
    assert!(own < records, "{own} samples beside {records} of faults");
}
