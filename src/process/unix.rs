//! The Unix half of `workload.rs`: fork, gate, `wait4`, process group, orphans.

use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::LOCAL_GIT_VARIABLES;
use super::interrupt::{self, GroupGuard};
use super::workload::{Finished, Gated, Launch, Limits, ProcessError, ThreadTime, Usage, memory_of_status};

/// How often the watcher looks up from waiting: short enough that a 32-record sample ring does not overflow at 5 kHz.
const TICK: Duration = Duration::from_millis(3);

/// Marks every process of one run, so that one which left its process group is still recognised.
const RUN_MARKER: &str = "PERF_EXPERT_RUN";

static RUNS: AtomicU64 = AtomicU64::new(0);

pub(super) struct Gate {
    child_says_pid: OwnedFd,
    parent_reads_pid: OwnedFd,
    child_waits: OwnedFd,
    parent_opens: OwnedFd,
}

struct Ended {
    status: ExitStatus,
    usage: Usage,
    first_thread: Option<ThreadTime>,
    wall_end: Instant,
}

enum Event {
    Started(u32, Instant),
    Ended(Result<Ended, std::io::Error>),
}

pub(super) fn run(launch: &Launch, limits: &Limits) -> Result<Finished, ProcessError> {
    supervise(launch, limits, None, |_| {}, |_| {})
}

pub(super) fn run_gated(
    launch: &Launch,
    limits: &Limits,
    before: impl FnOnce(&Gated),
    tick: impl FnMut(bool),
) -> Result<Finished, ProcessError> {
    let gate = Gate::new().map_err(|source| spawn_error(launch, source))?;
    supervise(launch, limits, Some(&gate), before, tick)
}

impl Gate {
    pub(super) fn new() -> std::io::Result<Self> {
        let flags = rustix::pipe::PipeFlags::CLOEXEC;
        let (parent_reads_pid, child_says_pid) = rustix::pipe::pipe_with(flags)?;
        let (child_waits, parent_opens) = rustix::pipe::pipe_with(flags)?;
        Ok(Self { child_says_pid, parent_reads_pid, child_waits, parent_opens })
    }

    /// The descriptors that the child uses: where it says its pid, where it waits, and the end that it must close.
    pub(super) fn raw(&self) -> (i32, i32, i32) {
        (self.child_says_pid.as_raw_fd(), self.child_waits.as_raw_fd(), self.parent_opens.as_raw_fd())
    }

    /// Lets the child execute its program.
    pub(super) fn open(&self) {
        let _child_died_at_the_gate = rustix::io::write(&self.parent_opens, b"x");
    }
}

/// A marker that no other run of this process has.
pub(super) fn new_marker() -> String {
    format!("{}-{}", std::process::id(), RUNS.fetch_add(1, Ordering::Relaxed))
}

pub(super) fn spawn_error(launch: &Launch, source: std::io::Error) -> ProcessError {
    ProcessError::Spawn { command: launch.display(), source }
}

pub(super) fn command_of(launch: &Launch, marker: &str) -> Command {
    let mut command = Command::new(&launch.program);
    command.args(&launch.args).current_dir(&launch.cwd).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in LOCAL_GIT_VARIABLES {
        command.env_remove(name);
    }
    for (name, value) in &launch.env {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env(RUN_MARKER, marker);
    command
}

/// Adds what must happen between `fork` and `exec`: die with the parent, and wait at the gate if there is one.
pub(super) fn prepare_child(command: &mut Command, gate: Option<(i32, i32, i32)>) {
    let hook = move || {
        #[cfg(target_os = "linux")]
        die_with_parent()?;
        if let Some((says_pid, waits, opens)) = gate {
            wait_at_gate(says_pid, waits, opens)?;
        }
        Ok(())
    };
    #[expect(unsafe_code, reason = "the kernel offers no other place between fork and exec")]
    // SAFETY: the hook makes only async-signal-safe system calls (prctl, getpid, write, close, read) and allocates nothing.
    unsafe {
        command.pre_exec(hook);
    }
}

#[cfg(target_os = "linux")]
fn die_with_parent() -> std::io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    Ok(())
}

fn wait_at_gate(says_pid: i32, waits: i32, opens: i32) -> std::io::Result<()> {
    let pid = rustix::process::getpid().as_raw_nonzero().get().to_ne_bytes();
    let mut byte = [0u8; 1];
    #[expect(unsafe_code, reason = "raw descriptors are all that a forked child has")]
    // SAFETY: the three descriptors are open in the child (inherited over fork), and the buffers outlive the calls.
    let passed = unsafe {
        // The child's copy of the writing end must go, or the parent's death would never be seen as end of file.
        libc::close(opens);
        libc::write(says_pid, pid.as_ptr().cast(), pid.len()) == pid.len() as isize
            && libc::read(waits, byte.as_mut_ptr().cast(), 1) == 1
    };
    if passed { Ok(()) } else { Err(std::io::Error::from_raw_os_error(libc::ECANCELED)) }
}

fn supervise(
    launch: &Launch,
    limits: &Limits,
    gate: Option<&Gate>,
    before: impl FnOnce(&Gated),
    mut tick: impl FnMut(bool),
) -> Result<Finished, ProcessError> {
    if interrupt::interrupted() {
        return Err(ProcessError::Interrupted);
    }
    adopt_orphans();
    let marker = new_marker();
    let mut command = command_of(launch, &marker);
    prepare_child(&mut command, gate.map(Gate::raw));

    let (events, inbox) = sync_channel(2);
    let (outputs, collected) = sync_channel(2);
    std::thread::scope(|scope| {
        let stdout_cap = limits.stdout;
        let stderr_cap = limits.stderr;
        // One thread forks and reaps: the kernel ties the parent-death signal to the thread that forked.
        scope.spawn(move || own_child(command, &events, &outputs, stdout_cap, stderr_cap));
        let mut start = Instant::now();
        if let Some(gate) = gate {
            let fork_failed = || match inbox.try_recv() {
                Ok(Event::Ended(Err(source))) => Some(source),
                _ => None,
            };
            let pid = read_pid(gate, fork_failed).map_err(|source| spawn_error(launch, source))?;
            before(&Gated { pid });
            start = Instant::now();
            gate.open();
        }
        let mut guard = None;
        let mut pid = 0;
        let mut timed_out = false;
        let ended = loop {
            match inbox.recv_timeout(TICK) {
                Ok(Event::Started(started, at)) => {
                    pid = started;
                    if gate.is_none() {
                        start = at;
                    }
                    guard = Some(GroupGuard::new(started as i32));
                }
                Ok(Event::Ended(ended)) => break ended.map_err(|source| spawn_error(launch, source))?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(spawn_error(launch, std::io::Error::other("the supervising thread ended early")));
                }
            }
            tick(false);
            if !timed_out && pid != 0 && start.elapsed() > limits.timeout {
                timed_out = true;
                interrupt::kill_group(pid as i32);
            }
        };
        let mut survivors = end_survivors(pid, &marker);
        tick(true);
        drop(guard);
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let mut missing = 2;
        while missing > 0 {
            match collected.recv_timeout(TICK) {
                Ok((1, bytes)) => (stdout, missing) = (bytes, missing - 1),
                Ok((_, bytes)) => (stderr, missing) = (bytes, missing - 1),
                // Somebody still holds a pipe: one that was not to be seen before is seen now.
                Err(RecvTimeoutError::Timeout) => survivors += end_survivors(pid, &marker),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if interrupt::interrupted() {
            return Err(ProcessError::Interrupted);
        }
        Ok(Finished {
            code: ended.status.code(),
            signal: ended.status.signal(),
            timed_out,
            pid,
            wall: ended.wall_end.saturating_duration_since(start),
            usage: Some(ended.usage),
            first_thread: ended.first_thread,
            stdout,
            stderr,
            survivors,
        })
    })
}

/// Waits until the child stands at the gate; `fork_failed` answers why there will never be one.
pub(super) fn read_pid(gate: &Gate, fork_failed: impl Fn() -> Option<std::io::Error>) -> std::io::Result<u32> {
    let mut bytes = [0u8; 4];
    // A failed fork leaves the pipe silent: its error arrives another way.
    loop {
        let mut polled = [rustix::event::PollFd::new(&gate.parent_reads_pid, rustix::event::PollFlags::IN)];
        let timeout = rustix::event::Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
        match rustix::event::poll(&mut polled, Some(&timeout)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {
                if let Some(source) = fork_failed() {
                    return Err(source);
                }
            }
            Ok(_) => {
                rustix::io::read(&gate.parent_reads_pid, &mut bytes)?;
                return Ok(u32::from_ne_bytes(bytes));
            }
            Err(errno) => return Err(errno.into()),
        }
    }
}

fn own_child(
    mut command: Command,
    events: &SyncSender<Event>,
    outputs: &SyncSender<(u8, Vec<u8>)>,
    stdout_cap: usize,
    stderr_cap: usize,
) {
    let own = own_rss();
    // Read here: the thread that waits may get a processor only after a short child has ended.
    let spawning = Instant::now();
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(source) => {
            let _nobody_waits = events.send(Event::Ended(Err(source)));
            return;
        }
    };
    let _nobody_waits = events.send(Event::Started(child.id(), spawning));
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        scope.spawn(|| outputs.send((1, stdout.map(|pipe| first_bytes(pipe, stdout_cap)).unwrap_or_default())));
        scope.spawn(|| outputs.send((2, stderr.map(|pipe| last_bytes(pipe, stderr_cap)).unwrap_or_default())));
        let ended = wait4(child.id() as i32, own);
        let _nobody_waits = events.send(Event::Ended(ended));
    });
}

fn wait4(pid: i32, own: Option<u64>) -> std::io::Result<Ended> {
    let first_thread = last_look(pid);
    let wall_end = Instant::now();
    let mut status = 0i32;
    loop {
        #[expect(unsafe_code, reason = "std does not offer wait4, the only call that gives one child's resource usage")]
        // SAFETY: rusage is plain data for which all zeroes is a valid value; both pointers are valid for the call.
        let (reaped, usage) = unsafe {
            let mut usage: libc::rusage = std::mem::zeroed();
            (libc::wait4(pid, &raw mut status, 0, &raw mut usage), usage)
        };
        if reaped == pid {
            let usage = Usage { run_delay: first_thread.map(|thread| thread.run_delay), ..usage_of(&usage, own) };
            return Ok(Ended { status: ExitStatus::from_raw(status), usage, first_thread, wall_end });
        }
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Waits until the child has ended and, before it is reaped, reads the account of its first thread: a look while it runs misses
/// the last milliseconds, which are most of a short run. Errors are left to the reaping.
#[cfg(target_os = "linux")]
fn last_look(pid: i32) -> Option<ThreadTime> {
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    let child = Pid::from_raw(pid)?;
    while matches!(waitid(WaitId::Pid(child), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT), Err(rustix::io::Errno::INTR)) {}
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/schedstat")).ok()?;
    ThreadTime::parse(&text)
}

#[cfg(not(target_os = "linux"))]
fn last_look(_pid: i32) -> Option<ThreadTime> {
    None
}

/// Linux counts `ru_inblock` and `ru_oublock` in these (`task_io_get_inblock`, `include/linux/task_io_accounting_ops.h`); other
/// systems count operations of any size.
const BLOCK: u64 = 512;

/// What this process holds in memory now, in kilobytes; `None` where the system has no such file.
fn own_rss() -> Option<u64> {
    let status = fs_err::read_to_string("/proc/self/status").ok()?;
    memory_of_status(&status, "VmRSS").map(|bytes| bytes / 1024)
}

/// What other threads may add between the look and the fork, in kilobytes.
const SLACK: u64 = 1024;

/// Bytes, where the mark is above that of the fork before `exec`, which is no larger than this process was.
fn peak_of(mark: u64, own: Option<u64>) -> Option<u64> {
    own.filter(|own| mark > own + SLACK).map(|_| mark * 1024)
}

/// `own`: [`own_rss`] before the fork.
pub(super) fn usage_of(raw: &libc::rusage, own: Option<u64>) -> Usage {
    let time = |t: libc::timeval| Duration::new(t.tv_sec as u64, t.tv_usec as u32 * 1000);
    let blocks = |n: libc::c_long| cfg!(target_os = "linux").then_some(n as u64 * BLOCK);
    Usage {
        user: time(raw.ru_utime),
        system: time(raw.ru_stime),
        peak_rss: peak_of(raw.ru_maxrss as u64, own),
        minor_faults: raw.ru_minflt as u64,
        major_faults: raw.ru_majflt as u64,
        disk_read: blocks(raw.ru_inblock),
        disk_written: blocks(raw.ru_oublock),
        voluntary_switches: raw.ru_nvcsw as u64,
        involuntary_switches: raw.ru_nivcsw as u64,
        run_delay: None,
    }
}

pub(super) fn first_bytes(mut pipe: impl Read, cap: usize) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut buffer = [0u8; 16 << 10];
    while let Ok(n @ 1..) = pipe.read(&mut buffer) {
        let room = cap.saturating_sub(kept.len()).min(n);
        kept.extend_from_slice(&buffer[..room]);
    }
    kept
}

pub(super) fn last_bytes(mut pipe: impl Read, cap: usize) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut buffer = [0u8; 16 << 10];
    while let Ok(n @ 1..) = pipe.read(&mut buffer) {
        kept.extend_from_slice(&buffer[..n]);
        if kept.len() > 2 * cap {
            kept.drain(..kept.len() - cap);
        }
    }
    let excess = kept.len().saturating_sub(cap);
    kept.split_off(excess)
}

#[cfg(target_os = "linux")]
pub(super) fn adopt_orphans() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        // Any non-zero value means "yes"; without it, orphans of a workload go to init and can only be killed by group.
        let _kernel_too_old = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    });
}

#[cfg(not(target_os = "linux"))]
pub(super) fn adopt_orphans() {}

/// Kills what is left of a run: its process group, then every adopted process that carries the run's marker.
pub(super) fn end_survivors(group: u32, marker: &str) -> usize {
    interrupt::kill_group(group as i32);
    let mut ended = 0;
    // An orphan may fork while it is being killed: look again until nothing is left.
    for _ in 0..8 {
        let orphans = adopted(group, marker);
        if orphans.is_empty() {
            break;
        }
        for pid in orphans {
            ended += 1;
            let _gone_already = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            let _reaped = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty());
        }
    }
    ended
}

#[cfg(target_os = "linux")]
fn adopted(group: u32, marker: &str) -> Vec<rustix::process::Pid> {
    let entry = format!("{RUN_MARKER}={marker}");
    let ours = |pid: i32| {
        let in_group = rustix::process::Pid::from_raw(pid)
            .and_then(|pid| rustix::process::getpgid(Some(pid)).ok())
            .is_some_and(|pgid| pgid.as_raw_nonzero().get() == group as i32);
        in_group || is_marked(pid, &entry)
    };
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return Vec::new() };
    let lists = tasks.flatten().filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let pids: Vec<i32> =
        lists.flat_map(|list| list.split_whitespace().filter_map(|p| p.parse().ok()).collect::<Vec<_>>()).collect();
    pids.into_iter().filter(|&pid| ours(pid)).filter_map(rustix::process::Pid::from_raw).collect()
}

/// True when a process carries the marker. In the middle of an `exec` it shows no environment for a moment.
#[cfg(target_os = "linux")]
fn is_marked(pid: i32, entry: &str) -> bool {
    for _ in 0..10 {
        match std::fs::read(format!("/proc/{pid}/environ")) {
            Ok(environ) if environ.is_empty() => std::thread::sleep(Duration::from_micros(300)),
            Ok(environ) => return environ.split(|&b| b == 0).any(|variable| variable == entry.as_bytes()),
            Err(_gone) => return false,
        }
    }
    false
}

#[cfg(not(target_os = "linux"))]
fn adopted(_group: u32, _marker: &str) -> Vec<rustix::process::Pid> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Launch {
        Launch::new("/bin/sh", "/").args(["-c", script])
    }

    fn limits(millis: u64) -> Limits {
        Limits { timeout: Duration::from_millis(millis), ..Limits::default() }
    }

    #[test]
    fn exit_code_output_and_usage_come_back() {
        let finished = run(&shell("echo out; echo err >&2; exit 3"), &limits(10_000)).unwrap();
        assert_eq!((finished.code, finished.stdout_text().as_str()), (Some(3), "out\n"));
        assert_eq!(finished.stderr_tail(5), "err");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_peak_is_the_program_s_or_is_not_told() {
        let small = run(&shell("exit 0"), &limits(10_000)).unwrap();
        assert_eq!(small.usage.unwrap().peak_rss, None, "the shell is smaller than this process");
        let large = run(&shell("head -c 400000000 /dev/zero | tail -c 400000000 >/dev/null"), &limits(60_000)).unwrap();
        // Beside other tests this process may be larger still.
        assert!(large.usage.unwrap().peak_rss.is_none_or(|peak| peak > 350 << 20), "{large:?}");
        assert_eq!((peak_of(9000, Some(5000)), peak_of(5500, Some(5000)), peak_of(9000, None)), (Some(9000 << 10), None, None));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn two_that_share_a_processor_wait_for_it() {
        // Both on the first CPU: whatever else the machine does, each waits while the other runs.
        let spin = "taskset -c 0 sh -c 'i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done'";
        if !run(&shell("taskset -c 0 true"), &limits(10_000)).unwrap().success() {
            return;
        }
        let other = std::thread::spawn(move || run(&shell(&format!("exec {spin}")), &limits(60_000)).unwrap());
        let usage = run(&shell(&format!("exec {spin}")), &limits(60_000)).unwrap().usage.unwrap();
        let other = other.join().unwrap().usage.unwrap();
        let waited = usage.run_delay.unwrap() + other.run_delay.unwrap();
        assert!(waited > Duration::from_millis(20), "{usage:?} {other:?}");
    }

    #[test]
    fn a_hanging_program_is_killed_at_its_timeout() {
        let finished = run(&shell("sleep 60"), &limits(200)).unwrap();
        assert!(finished.timed_out && finished.wall < Duration::from_secs(20));
    }

    #[test]
    fn a_child_that_left_the_process_group_does_not_survive() {
        let dir = tempfile::tempdir().unwrap();
        let script = format!("setsid sh -c 'echo $$ > {}/pid; exec sleep 60' & sleep 0.3", dir.path().display());
        let finished = run(&shell(&script), &limits(10_000)).unwrap();
        let pid = std::fs::read_to_string(dir.path().join("pid")).unwrap();
        assert_eq!(finished.survivors, 1);
        assert!(!std::path::Path::new(&format!("/proc/{}", pid.trim())).exists());
    }

    #[test]
    fn a_megabyte_of_stderr_keeps_its_last_bytes() {
        let finished = run(&shell("head -c 1000000 /dev/zero | tr '\\0' x >&2; echo end >&2"), &limits(20_000)).unwrap();
        assert!(finished.stderr.len() <= 16 << 10 && finished.stderr.ends_with(b"end\n"));
    }

    #[test]
    fn the_gate_shows_the_process_before_it_executes() {
        let mut seen = 0;
        let finished = run_gated(&shell("exit 0"), &limits(10_000), |gated| seen = gated.pid, |_| {}).unwrap();
        assert_eq!(seen, finished.pid);
    }

    #[test]
    fn a_missing_program_is_a_spawn_error_even_behind_the_gate() {
        let missing = Launch::new("/no/such/program", "/");
        assert!(matches!(run_gated(&missing, &limits(1000), |_| {}, |_| {}), Err(ProcessError::Spawn { .. })));
        assert!(matches!(run(&missing, &limits(1000)), Err(ProcessError::Spawn { .. })));
    }
}
