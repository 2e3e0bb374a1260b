//! Live tests: a program whose waits are known, watched while it waits. Margins are wide, as the machine may be busy: time ready to
//! run without a processor is in no share.
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::testing::compile;
use super::{Observed, Wait, Watcher};
use crate::process::{Launch, Limits, run_gated};
use crate::sample::{SampleOptions, record};

/// The compiled program and a directory of its own.
struct Program(tempfile::TempDir);

impl Program {
    /// Tests that run at the same time share it.
    fn compiled() -> Arc<Self> {
        static SHARED: Mutex<Weak<Program>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(program) = shared.upgrade() {
            return program;
        }
        let program = Arc::new(Self::compile());
        *shared = Arc::downgrade(&program);
        program
    }

    fn compile() -> Self {
        let dir = tempfile::tempdir().unwrap();
        compile(dir.path());
        Self(dir)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn watched(&self, mode: &str, milliseconds: u64, argument: &str) -> Observed {
        let launch = Launch::new(self.file("target"), self.0.path()).args([mode, &milliseconds.to_string(), argument]);
        let mut watcher = None;
        let limits = Limits { timeout: Duration::from_secs(20), ..Limits::default() };
        let finished = run_gated(&launch, &limits, |gated| watcher = Some(Watcher::begin(gated.pid)), |_| {}).unwrap();
        assert!(finished.success(), "{}", finished.stderr_tail(5));
        watcher.and_then(Watcher::end).unwrap()
    }
}

/// Share of an active wait in the time on a processor and in all active waits.
fn share(observed: &Observed, wait: Wait) -> f64 {
    let active: u64 = observed.waits.iter().filter(|one| !one.idle).map(|one| one.ns).sum();
    let ns: u64 = observed.waits.iter().filter(|one| !one.idle && one.wait == wait).map(|one| one.ns).sum();
    ns as f64 / (active + observed.unnamed_ns + observed.on_cpu_ns).max(1) as f64
}

fn named(observed: &Observed, wait: Wait) -> Option<&str> {
    observed.waits.iter().find(|one| one.wait == wait)?.what.as_deref()
}

#[test]
fn computing_waits_for_nothing_and_sleeping_for_the_clock() {
    let program = Program::compiled();
    let spins = program.watched("spin", 500, "");
    let waited = spins.waits.iter().map(|one| one.ns).sum::<u64>();
    assert!(spins.on_cpu_ns > 0 && waited < spins.watched_ns / 4, "{spins:?}");
    assert!(spins.looks >= 3 && spins.threads == 1 && spins.own_ns > 0, "{spins:?}");
    let sleeps = program.watched("sleep", 500, "");
    assert!(share(&sleeps, Wait::Sleep) > 0.8, "{sleeps:?}");
}

#[test]
fn two_threads_that_fight_over_a_lock_wait_for_it() {
    let program = Program::compiled();
    for mode in ["fight", "fight-asleep"] {
        let fights = program.watched(mode, 1500, "");
        assert!(share(&fights, Wait::Lock) > 0.25, "{mode}: {fights:?}");
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn a_lock_in_which_every_thread_has_a_word_of_its_own_is_known_by_the_stack() {
    let fights = Program::compiled().watched("fight-parking", 1500, "");
    assert!(share(&fights, Wait::Lock) > 0.25, "{fights:?}");
}

#[test]
fn an_idle_pool_waits_for_no_lock_though_its_condition_looks_like_one() {
    let observed = Program::compiled().watched("pool", 600, "");
    assert!(observed.most_threads == 9, "{observed:?}");
    assert!(share(&observed, Wait::Lock) < 0.05, "{observed:?}");
    let idle: u64 = observed.waits.iter().filter(|one| one.idle).map(|one| one.ns).sum();
    // A thread counts from the look that found it first, which may come late.
    assert!(idle > observed.watched_ns, "{observed:?}");
}

#[test]
fn files_are_told_from_pipes_by_what_the_kernel_says() {
    let program = Program::compiled();
    let path = program.file("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let writer = std::thread::spawn({
        let path = path.clone();
        move || {
            let mut fifo = std::fs::File::options().write(true).open(path).unwrap();
            for _ in 0..40 {
                std::thread::sleep(Duration::from_millis(20));
                fifo.write_all(b"x").unwrap();
            }
        }
    });
    let reads = program.watched("read", 0, path.to_str().unwrap());
    writer.join().unwrap();
    assert!(share(&reads, Wait::Pipe) > 0.5, "{reads:?}");
    #[cfg(target_arch = "x86_64")]
    assert!(stands_in(&reads, "target::main").0 > 0.8, "{reads:#?}");
    assert_eq!(named(&reads, Wait::Pipe).map(str::to_owned), path.to_str().map(str::to_owned));
}

#[test]
fn a_socket_is_named_by_its_peer() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut byte = [0];
        for _ in 0..40 {
            client.read_exact(&mut byte).unwrap();
            std::thread::sleep(Duration::from_millis(20));
            client.write_all(&byte).unwrap();
        }
    });
    let asks = Program::compiled().watched("ask", 0, &address);
    server.join().unwrap();
    assert!(share(&asks, Wait::Socket) > 0.5, "{asks:?}");
    #[cfg(target_arch = "x86_64")]
    assert!(stands_in(&asks, "target::main").0 > 0.8, "{asks:#?}");
    assert_eq!(named(&asks, Wait::Socket), Some(&*address));
}

/// Share of the active waits, by time, whose stack shows this function; and the share whose stack reached a root.
#[cfg(target_arch = "x86_64")]
fn stands_in(observed: &Observed, function: &str) -> (f64, f64) {
    let blocked = observed.blocked.as_ref().unwrap();
    let active = || blocked.stacks.iter().filter(|stack| !stack.idle);
    let sum = |wanted: &dyn Fn(&super::BlockedStack) -> bool| {
        active().filter(|stack| wanted(stack)).map(|stack| stack.ns).sum::<u64>() as f64
    };
    let all = sum(&|_| true).max(1.0);
    let shows = |stack: &super::BlockedStack| blocked.frames_of(stack).any(|frame| frame.function.contains(function));
    (sum(&shows) / all, sum(&|stack| stack.complete) / all)
}

#[cfg(target_arch = "x86_64")]
#[test]
fn stacks_show_who_waits() {
    let program = Program::compiled();
    let path = program.file("synced");
    for (mode, function) in [("sleep", "target::main"), ("fight-asleep", "target::fight"), ("fsync", "target::fsync")] {
        let observed = program.watched(mode, 800, path.to_str().unwrap());
        let (there, complete) = stands_in(&observed, function);
        assert!(there > 0.8 && complete > 0.8, "{mode}: {there} in {function}, {complete} complete: {observed:#?}");
    }
}

#[test]
fn a_parent_that_waits_for_its_child_is_idle_and_the_child_is_watched() {
    let observed = Program::compiled().watched("child", 600, "");
    assert!(observed.threads >= 2 && observed.on_cpu_ns > 0, "{observed:?}");
    let active: u64 = observed.waits.iter().filter(|one| !one.idle).map(|one| one.ns).sum();
    assert!(active < observed.watched_ns / 3, "{observed:?}");
}

#[test]
fn threads_that_come_and_go_do_not_stop_it() {
    let observed = Program::compiled().watched("churn", 600, "");
    assert!(observed.looks >= 3 && observed.threads >= 4, "{observed:?}");
    // A look may cost 2 % of the time; five times that would be a mistake.
    assert!(observed.own_ns < observed.watched_ns / 10, "{observed:?}");
}

#[test]
fn a_run_that_nobody_could_look_at_is_not_measured() {
    let mut watcher = None;
    let launch = Launch::new("/no/such/program", "/");
    assert!(run_gated(&launch, &Limits::default(), |gated| watcher = Some(Watcher::begin(gated.pid)), |_| {}).is_err());
    assert_eq!(watcher.and_then(Watcher::end), None);
}

/// Prints what both samplers cost the watched: the median of ln(watched ÷ alone) of interleaved pairs, and the spread of the pairs.
#[test]
#[ignore = "measures for minutes and asserts nothing"]
fn overhead() {
    const PAIRS: usize = 10;
    let program = Program::compiled();
    for (mode, amount) in [("arithmetic", "600"), ("many-threads", "640"), ("calls", "1500")] {
        let launch = Launch::new(program.file("target"), program.0.path()).args([mode, amount]);
        let limits = Limits::default();
        let mut own = Vec::new();
        let mut once = |watched: bool| {
            let finished = if watched {
                let recording = record(&launch, &limits, &SampleOptions::default()).unwrap();
                own.extend(recording.observed.map(|seen| seen.own_ns as f64 / seen.watched_ns.max(1) as f64));
                recording.finished
            } else {
                run_gated(&launch, &limits, |_| {}, |_| {}).unwrap()
            };
            (finished.usage.unwrap().cpu().as_secs_f64(), finished.wall.as_secs_f64())
        };
        let pairs = (0..PAIRS).map(|pair| {
            // Order alternates, so that a drift of the machine goes both ways.
            let first = once(pair.is_multiple_of(2));
            let second = once(!pair.is_multiple_of(2));
            if pair.is_multiple_of(2) { (first, second) } else { (second, first) }
        });
        let (mut cpu, mut wall): (Vec<f64>, Vec<f64>) =
            pairs.map(|(with, alone)| ((with.0 / alone.0).ln(), (with.1 / alone.1).ln())).unzip();
        let told = |values: &mut Vec<f64>| {
            values.sort_by(f64::total_cmp);
            let at = |part: usize| 100.0 * values[(values.len() - 1) * part / 4];
            format!("{:+.2} % [{:+.2}, {:+.2}]", f64::midpoint(values[PAIRS / 2 - 1], values[PAIRS / 2]) * 100.0, at(1), at(3))
        };
        let (cpu, wall) = (told(&mut cpu), told(&mut wall));
        let own = 100.0 * own.iter().sum::<f64>() / own.len() as f64;
        let line = format!("{mode}: CPU {cpu}, wall {wall} (quartiles), the samplers themselves {own:.2} % of a CPU\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
}

#[test]
fn memory_that_is_kept_grows_and_a_full_cache_does_not() {
    let program = Program::compiled();
    let watched = |mode: &str| program.watched("leak", 3200, mode);
    let mut had_time = false;
    for _ in 0..3 {
        let [kept, cached, given_back] = std::thread::scope(|scope| {
            let runs = ["kept", "cached", "given-back"].map(|mode| scope.spawn(move || watched(mode)));
            runs.map(|run| run.join().unwrap())
        });
        let growth = |observed: &Observed| crate::diagnose::growth(&observed.resident);
        assert_eq!((growth(&cached), growth(&given_back)), (None, None));
        if let Some(kept) = growth(&kept) {
            // At most a megabyte each 10 ms.
            assert!(kept.rate > 1e6 && kept.rate < 1.1e8 && kept.low > 0.0, "{kept:?}");
            return;
        }
        // A program that stands still for a fifth of a second, because others run, does not grow then.
        had_time |= kept.run_delay_ns < kept.on_cpu_ns / 2;
    }
    assert!(!had_time, "it was not seen to grow");
    let busy = "SKIPPED a live test of growth: this machine gives a program no time\n";
    std::io::stderr().write_all(busy.as_bytes()).unwrap();
}

#[test]
fn what_a_child_reads_counts_once() {
    let dir = tempfile::tempdir().unwrap();
    // The shell reaps each, and the kernel then adds what it did to the shell's own.
    let script = "dd if=/dev/zero of=/dev/null bs=1 count=300000 2>/dev/null; sleep 0.3";
    let launch = Launch::new("/bin/sh", dir.path()).args(["-c", &[script; 3].join("; ")]);
    let mut watcher = None;
    let limits = Limits { timeout: Duration::from_secs(30), ..Limits::default() };
    let finished = run_gated(&launch, &limits, |gated| watcher = Some(Watcher::begin(gated.pid)), |_| {}).unwrap();
    assert!(finished.success(), "{}", finished.stderr_tail(5));
    let observed = watcher.and_then(Watcher::end).unwrap();
    let transfers = observed.transfers.unwrap();
    for (what, count) in [("reads", transfers.reads), ("bytes written", transfers.written.unwrap())] {
        assert!((850_000..1_050_000).contains(&count), "{what}: {count}");
    }
    let faults = observed.resident.iter().filter_map(|point| point.faults).max();
    assert!(faults.is_some_and(|faults| faults > 0), "{faults:?}");
}
