//! Live: a small program is compiled, and probed while it calls, threads, forks, executes, signals, panics and hangs.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use super::*;
use crate::error::Expected;
use crate::process::{self, Launch, ProcessError, Tool};

const SOURCE: &str = include_str!("tests/program.rs");

struct Fixture {
    _dir: tempfile::TempDir,
    source: PathBuf,
    executable: PathBuf,
    map: ProbeMap,
}

fn compiled(dir: &Path, name: &str, source: &str, flags: &[&str]) -> (PathBuf, PathBuf) {
    let (file, executable) = (dir.join(format!("{name}.rs")), dir.join(name));
    std::fs::write(&file, source).unwrap();
    let rustc = Tool::new("rustc").args(["-O", "-g", "--edition", "2024", "-o"]).arg(&executable).arg(&file).args(flags);
    rustc.run_checked().unwrap();
    (file, executable)
}

fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let (source, executable) = compiled(dir.path(), "program", SOURCE, &[]);
        let map = ProbeMap::load(&executable).unwrap();
        Fixture { _dir: dir, source, executable, map }
    })
}

/// Lines from the first one that begins with `start` to the next closing brace in the first column.
fn region(start: &str) -> Region {
    let lines: Vec<&str> = SOURCE.lines().collect();
    let first = lines.iter().position(|line| line.starts_with(start)).unwrap();
    let last = first + lines[first..].iter().position(|line| *line == "}").unwrap();
    Region::lines(&fixture().source, first as u32 + 1, last as u32 + 1)
}

fn limits(seconds: u64) -> Limits {
    let run = process::Limits { timeout: Duration::from_secs(seconds), ..process::Limits::default() };
    Limits { run, ..Limits::default() }
}

fn launch(mode: &str) -> Launch {
    Launch::new(&fixture().executable, "/").args([mode])
}

fn probed(mode: &str, regions: &[Region]) -> Probed {
    run(&launch(mode), &fixture().map.sites(regions), &limits(60)).unwrap()
}

fn outcomes(probed: &Probed) -> Vec<Outcome> {
    probed.executions.iter().map(|execution| execution.outcome).collect()
}

fn is_gone(pid: &str) -> bool {
    !Path::new("/proc").join(pid.trim()).exists()
}

#[test]
fn called_uncalled_inlined_and_commented_are_told_apart() {
    let mut comments = region("// a region");
    comments.last_line = comments.first_line + 2;
    let regions = [region("fn called"), region("fn uncalled"), region("fn always_inlined"), comments];
    let probed = probed("plain", &regions);
    assert_eq!(outcomes(&probed), [Outcome::Executed, Outcome::NotExecuted, Outcome::Executed, Outcome::NoCode]);
    assert_eq!(probed.finished.code, Some(3));
    assert!(probed.executions[1].sites > 0 && probed.executions[1].hit == 0);
}

#[test]
fn a_thread_a_spawned_child_and_a_fork_count() {
    let regions = [region("fn in_thread"), region("fn in_child"), region("fn in_fork"), region("fn called")];
    let [executed, not] = [Outcome::Executed, Outcome::NotExecuted];
    assert_eq!(outcomes(&probed("thread", &regions)), [executed, not, not, not]);
    let child = probed("child", &regions);
    assert_eq!((outcomes(&child), child.finished.code), (vec![not, executed, not, not], Some(5)));
    let fork = probed("fork", &regions);
    assert_eq!((outcomes(&fork), fork.finished.code), (vec![not, not, executed, executed], Some(7)));
}

#[test]
fn another_program_in_a_child_or_in_its_place_confuses_nothing() {
    let regions = [region("fn called"), region("fn in_child")];
    let child = probed("foreign", &regions);
    assert_eq!((outcomes(&child), child.finished.code), (vec![Outcome::NotExecuted; 2], Some(6)));
    let replaced = probed("become-foreign", &regions);
    assert_eq!((outcomes(&replaced), replaced.finished.code), (vec![Outcome::Executed, Outcome::NotExecuted], Some(8)));
}

#[test]
fn a_wrapper_may_start_the_executable() {
    let script = format!("echo before; '{}' plain", fixture().executable.display());
    let wrapper = Launch::new("/bin/sh", "/").args(["-c", &script]);
    let probed = run(&wrapper, &fixture().map.sites(&[region("fn called")]), &limits(60)).unwrap();
    assert_eq!((outcomes(&probed), probed.finished.code), (vec![Outcome::Executed], Some(3)));
    assert_eq!(probed.finished.stdout_text(), "before\n");
}

#[test]
fn a_workload_that_never_runs_the_executable_proves_nothing() {
    let other = Launch::new("/bin/sh", "/").args(["-c", "exit 0"]);
    let answer = run(&other, &fixture().map.sites(&[region("fn called")]), &limits(60));
    assert!(matches!(answer, Err(ProbeError::NeverRan { .. })));
}

#[test]
fn every_instantiation_of_a_generic_counts() {
    let every_site = Limits { every_site: true, ..limits(60) };
    let sites = fixture().map.sites(&[region("fn generic")]);
    let one = run(&launch("generic-u8"), &sites, &every_site).unwrap().executions[0];
    let both = run(&launch("plain"), &sites, &every_site).unwrap().executions[0];
    assert_eq!((one.outcome, both.outcome), (Outcome::Executed, Outcome::Executed));
    assert!(one.hit < both.hit && both.hit <= both.sites, "{one:?} {both:?}");
}

#[test]
fn a_closure_in_a_region_counts_where_it_runs() {
    let mut closure = region("fn with_closure");
    (closure.first_line, closure.last_line) = (closure.first_line + 2, closure.first_line + 2);
    assert_eq!(outcomes(&probed("closure", std::slice::from_ref(&closure))), [Outcome::Executed]);
    assert_eq!(outcomes(&probed("plain", &[closure])), [Outcome::NotExecuted]);
}

#[test]
fn functions_made_by_a_macro_are_found_by_name() {
    let nowhere = Region::lines(&fixture().source, 1, 1);
    let regions = [
        nowhere.clone().names(["program::made::made_called"]),
        nowhere.clone().names(["program::made::made_uncalled"]),
        nowhere.clone().names(["program::other::made_called"]),
        region("macro_rules! define"),
    ];
    let expected = [Outcome::Executed, Outcome::NotExecuted, Outcome::NoCode, Outcome::Executed];
    assert_eq!(outcomes(&probed("plain", &regions)), expected);
}

#[test]
fn a_panic_a_signal_and_an_own_exit_code_stay_what_they_are() {
    let regions = [region("fn called")];
    for (mode, code, signal) in
        [("panic", Some(101), None), ("signals", Some(9), None), ("killed", None, Some(9)), ("stop-and-continue", Some(12), None)]
    {
        let probed = probed(mode, &regions);
        assert_eq!((probed.finished.code, probed.finished.signal), (code, signal), "{mode}");
        let expected = if mode == "stop-and-continue" { Outcome::NotExecuted } else { Outcome::Executed };
        assert_eq!(outcomes(&probed), [expected], "{mode}");
    }
}

#[test]
fn a_breakpoint_of_the_program_itself_reaches_its_handler() {
    assert_eq!(probed("own-breakpoint", &[region("fn main")]).finished.code, Some(11));
}

#[test]
fn a_hanging_program_is_killed_with_all_its_relatives() {
    let sites = fixture().map.sites(&[region("fn called"), region("fn uncalled")]);
    let hanging = run(&launch("hang"), &sites, &limits(1)).unwrap();
    assert!(hanging.finished.timed_out && !hanging.ended_early);
    assert_eq!(outcomes(&hanging), [Outcome::Executed, Outcome::NotExecuted]);
    assert!(is_gone(&hanging.finished.pid.to_string()));

    let elsewhere = run(&launch("hang-elsewhere"), &sites, &limits(1)).unwrap();
    assert!(elsewhere.finished.timed_out && elsewhere.finished.survivors == 1);
    assert!(is_gone(&elsewhere.finished.stdout_text()), "{:?}", elsewhere.finished);
}

#[test]
fn what_a_program_leaves_behind_is_ended() {
    let left = probed("leave-behind", &[region("fn called")]);
    assert_eq!((left.finished.code, left.finished.survivors), (Some(2), 1));
    assert!(is_gone(&left.finished.stdout_text()) && is_gone(&left.finished.pid.to_string()));
}

#[test]
fn a_run_ends_early_when_nothing_is_left_to_learn() {
    let sites = fixture().map.sites(&[region("fn called")]);
    let early = run(&launch("hang"), &sites, &Limits { end_early: true, ..limits(60) }).unwrap();
    assert!(early.ended_early && !early.finished.timed_out && is_gone(&early.finished.pid.to_string()));
    assert_eq!(outcomes(&early), [Outcome::Executed]);
}

#[test]
fn four_threads_at_one_breakpoint_do_not_hang() {
    let sites = fixture().map.sites(&[region("fn together"), region("fn uncalled")]);
    for round in 0..50 {
        let every_site = Limits { every_site: round % 2 == 0, ..limits(60) };
        let probed = run(&launch("together"), &sites, &every_site).unwrap();
        assert_eq!((outcomes(&probed), probed.finished.code), (vec![Outcome::Executed, Outcome::NotExecuted], Some(4)));
    }
}

#[test]
fn thousands_of_breakpoints_change_nothing_for_the_program() {
    let std = ["std/src/rt.rs", "core/src/fmt/mod.rs", "core/src/fmt/num.rs", "core/src/str/mod.rs", "core/src/num/mod.rs"];
    let more = [
        "core/src/slice/mod.rs",
        "core/src/ptr/mod.rs",
        "alloc/src/vec/mod.rs",
        "alloc/src/raw_vec/mod.rs",
        "core/src/option.rs",
    ];
    let regions: Vec<Region> =
        std.iter().chain(&more).map(|file| Region::lines(format!("library/{file}"), 1, u32::MAX)).collect();
    let sites = fixture().map.sites(&regions);
    assert!(sites.len() > 2000, "{}", sites.len());
    for every_site in [false, true] {
        for (mode, code) in [("plain", 3), ("together", 4), ("fork", 7), ("child", 5)] {
            let probed = run(&launch(mode), &sites, &Limits { every_site, ..limits(60) }).unwrap();
            assert_eq!(probed.finished.code, Some(code));
            assert_eq!(probed.executions[0].outcome, Outcome::Executed);
            assert_eq!(probed.executions[0].sites, sites.of_region(0));
        }
    }
}

#[test]
fn a_path_is_no_tail_unless_whole_components_are() {
    assert!(fixture().map.sites(&[Region::lines("rs", 1, u32::MAX)]).is_empty());
    assert!(!fixture().map.sites(&[Region::lines("program.rs", 1, u32::MAX)]).is_empty());
}

#[test]
fn a_question_without_code_is_answered_without_a_full_run() {
    let nothing = fixture().map.sites(&[Region::lines("/no/such/file.rs", 1, 9)]);
    let answer = run(&launch("hang"), &nothing, &Limits { end_early: true, ..limits(60) }).unwrap();
    assert!(answer.ended_early && outcomes(&answer) == [Outcome::NoCode]);
}

#[test]
fn a_position_dependent_executable_is_probed_too() {
    let dir = tempfile::tempdir().unwrap();
    let flags = ["-C", "relocation-model=static"];
    let (source, executable) =
        compiled(dir.path(), "fixed", "#[inline(never)] fn run() {\n println!(\"x\");\n}\nfn main() {\n run()\n}\n", &flags);
    let map = ProbeMap::load(&executable).unwrap();
    let probed = run(&Launch::new(&executable, "/"), &map.sites(&[Region::lines(source, 1, 3)]), &limits(60)).unwrap();
    assert_eq!((outcomes(&probed), probed.finished.success()), (vec![Outcome::Executed], true));
}

#[test]
fn an_executable_without_debug_information_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let (_, executable) = compiled(dir.path(), "stripped", "fn main() {}", &["-C", "strip=symbols"]);
    let error = ProbeMap::load(&executable).unwrap_err();
    assert!(matches!(error, ProbeError::NoDebugInfo { .. }) && error.hint().unwrap().contains("debug = 1"));
}

#[test]
fn a_rebuilt_executable_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let body = |n: u32| format!("fn main() {{\n std::process::exit(std::env::args().count() as i32 * {n});\n}}\n");
    let (source, executable) = compiled(dir.path(), "old", &body(1), &[]);
    let sites = ProbeMap::load(&executable).unwrap().sites(&[Region::lines(source, 1, 3)]);
    let (_, other) = compiled(
        dir.path(),
        "new",
        &format!("#[used] static X: [u8; 99] = [1; 99];\nfn f() {{ println!() }}\n{}", body(7).replace("{\n", "{\n f();")),
        &[],
    );
    // Written over in place: the same file, other contents.
    std::fs::write(&executable, std::fs::read(other).unwrap()).unwrap();
    let answer = run(&Launch::new(&executable, "/"), &sites, &limits(60));
    assert!(matches!(answer, Err(ProbeError::Stale { .. })), "{answer:?}");
}

#[test]
fn a_program_that_cannot_be_started_is_a_spawn_error() {
    let sites = fixture().map.sites(&[region("fn called")]);
    for _ in 0..5 {
        let missing = run(&Launch::new("/no/such/program", "/"), &sites, &limits(60));
        assert!(matches!(missing, Err(ProbeError::Process(ProcessError::Spawn { .. }))));
    }
}

/// Set for the copy of this test executable that plays the part of the whole tool.
const IS_COPY: &str = "PERF_EXPERT_TEST_IS_A_COPY";

/// Runs one test again in a process of its own. True in that process.
fn in_a_copy(test: &str, variables: &[(&str, &str)]) -> bool {
    if std::env::var_os(IS_COPY).is_some() {
        return true;
    }
    let name = format!("sample::probe::tests::{test}");
    let copy = Tool::new(std::env::current_exe().unwrap()).args(["--exact", &name]).env(IS_COPY, "1");
    let output = variables.iter().fold(copy, |copy, (name, value)| copy.env(name, value)).run_checked().unwrap();
    assert!(output.text().contains("1 passed"), "{}", output.text());
    false
}

fn own_children() -> String {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    tasks.map(|task| std::fs::read_to_string(task.path().join("children")).unwrap_or_default()).collect()
}

#[test]
fn a_refused_ptrace_says_what_to_change_and_leaves_nothing_running() {
    let test = "a_refused_ptrace_says_what_to_change_and_leaves_nothing_running";
    if in_a_copy(test, &[("PERF_EXPERT_SIMULATE_REFUSAL", "PTRACE")]) {
        let answer = run(&launch("plain"), &fixture().map.sites(&[region("fn called")]), &limits(60));
        let Err(error @ ProbeError::Refused { .. }) = answer else { panic!("{answer:?}") };
        assert!(error.hint().is_some_and(|hint| !hint.is_empty()));
        assert_eq!(own_children(), "");
    }
}

#[test]
fn an_interrupt_ends_the_run_and_leaves_nothing_running() {
    if in_a_copy("an_interrupt_ends_the_run_and_leaves_nothing_running", &[]) {
        let sites = fixture().map.sites(&[region("fn called")]);
        process::install_interrupt_handler().unwrap();
        let me = rustix::process::getpid();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(300));
            rustix::process::kill_process(me, rustix::process::Signal::TERM)
        });
        let answer = run(&launch("hang-elsewhere"), &sites, &limits(600));
        assert!(matches!(answer, Err(ProbeError::Process(ProcessError::Interrupted))), "{answer:?}");
        assert_eq!(own_children(), "");
    }
}
