//! One run of a workload: own process group, optional gate before `exec`, timeout, `wait4` usage, no survivors.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

#[cfg(not(unix))]
use super::portable as imp;
#[cfg(unix)]
use super::unix as imp;
use crate::error::Expected;
use crate::exit::Exit;

/// The program to run as a workload, and the world it sees. `GIT_*` is scrubbed; standard input is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The executable.
    pub program: PathBuf,
    /// Its arguments, without the program name.
    pub args: Vec<OsString>,
    /// Variables to set (`Some`) or to remove (`None`), applied in order to the inherited environment.
    pub env: Vec<(OsString, Option<OsString>)>,
    /// Where it starts; cargo's convention is the package root.
    pub cwd: PathBuf,
}

impl Launch {
    /// A launch of `program` in `cwd` with an inherited environment.
    pub fn new(program: impl Into<PathBuf>, cwd: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), args: Vec::new(), env: Vec::new(), cwd: cwd.into() }
    }

    /// Appends arguments.
    #[must_use]
    pub fn args<I: IntoIterator<Item = S>, S: Into<OsString>>(mut self, args: I) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), Some(value.into())));
        self
    }

    /// The command line for messages.
    pub fn display(&self) -> String {
        let mut words = vec![self.program.file_name().unwrap_or(self.program.as_os_str()).to_string_lossy().into_owned()];
        words.extend(self.args.iter().map(|arg| arg.to_string_lossy().into_owned()));
        words.join(" ")
    }
}

/// How long a workload may run and how much of its output is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Wall time after which the whole process group is killed.
    pub timeout: Duration,
    /// Bytes of standard output kept (the first ones).
    pub stdout: usize,
    /// Bytes of standard error kept (the last ones).
    pub stderr: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(60), stdout: 16 << 20, stderr: 16 << 10 }
    }
}

/// What the kernel accounted to the process and the children it waited for (`wait4`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU time in user mode.
    pub user: Duration,
    /// CPU time in the kernel.
    pub system: Duration,
    /// Largest resident set, bytes. `None` up to what this process held when it started the program: what the kernel tells then may
    /// be of the fork before `exec` (`exec_mmap` in `fs/exec.c` keeps its mark).
    pub peak_rss: Option<u64>,
    /// Page faults served without I/O.
    pub minor_faults: u64,
    /// Page faults that needed I/O.
    pub major_faults: u64,
    /// Bytes fetched from storage (not from the page cache); `None` where the system does not tell.
    pub disk_read: Option<u64>,
    /// Bytes on their way to storage; `None` where the system does not tell.
    pub disk_written: Option<u64>,
    /// Times it gave up the CPU to wait.
    pub voluntary_switches: u64,
    /// Times the scheduler took the CPU away.
    pub involuntary_switches: u64,
    /// Time that its first thread was ready to run without a processor; `None` where the system does not tell.
    pub run_delay: Option<Duration>,
}

impl Usage {
    /// User plus system time.
    pub fn cpu(&self) -> Duration {
        self.user + self.system
    }
}

/// What the scheduler accounted to one thread.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ThreadTime {
    /// Time on a processor.
    pub cpu: Duration,
    /// Time runnable without a processor.
    pub run_delay: Duration,
}

impl ThreadTime {
    /// From `/proc/PID/task/TID/schedstat` (Documentation/scheduler/sched-stats.rst): nanoseconds running, nanoseconds waiting, slices.
    pub fn parse(schedstat: &str) -> Option<Self> {
        let mut numbers = schedstat.split_whitespace().map(|number| number.parse().ok().map(Duration::from_nanos));
        Some(Self { cpu: numbers.next()??, run_delay: numbers.next()?? })
    }
}

/// A line of `/proc/PID/status` that counts memory (`VmRSS`, `VmSwap`), bytes.
pub(crate) fn memory_of_status(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// How a workload ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// True when the timeout ended it.
    pub timed_out: bool,
    /// Process id it had.
    pub pid: u32,
    /// From release to reaping.
    pub wall: Duration,
    /// The kernel's account; `None` on systems that keep none per child.
    pub usage: Option<Usage>,
    /// The scheduler's account of its first thread alone, exact at its end; `None` where the system does not tell.
    pub first_thread: Option<ThreadTime>,
    /// The first bytes of standard output.
    pub stdout: Vec<u8>,
    /// The last bytes of standard error.
    pub stderr: Vec<u8>,
    /// Processes of it that outlived it and were killed.
    pub survivors: usize,
}

impl Finished {
    /// True for exit code 0 within the timeout.
    pub fn success(&self) -> bool {
        self.code == Some(0) && !self.timed_out
    }

    /// "exit code 3", "signal 11", "timeout": a fragment for messages.
    pub fn outcome(&self) -> String {
        match (self.timed_out, self.code, self.signal) {
            (true, _, _) => "a timeout".into(),
            (_, Some(code), _) => format!("exit code {code}"),
            (_, None, Some(signal)) => format!("signal {signal}"),
            _ => "an unknown status".into(),
        }
    }

    /// Standard output as text.
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// The last lines of standard error, control characters removed.
    pub fn stderr_tail(&self, lines: usize) -> String {
        let text = String::from_utf8_lossy(&self.stderr);
        let all: Vec<&str> = text.lines().collect();
        let kept = all.iter().skip(all.len().saturating_sub(lines));
        kept.map(|line| line.replace(|c: char| c.is_control() && c != '\t', "")).collect::<Vec<_>>().join("\n")
    }
}

/// Why a workload could not be run.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The program could not be started.
    #[error("cannot start `{command}`")]
    Spawn {
        /// The command line, for reading only.
        command: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The user pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

impl Expected for ProcessError {
    fn exit(&self) -> Exit {
        match self {
            Self::Interrupted => Exit::Interrupted,
            Self::Spawn { .. } => Exit::Incomplete,
        }
    }
}

/// A workload whose process exists but has not executed its program yet: the moment to attach a sampler.
#[derive(Debug)]
pub struct Gated {
    /// The process id; after the gate opens the same process executes the program.
    pub pid: u32,
}

/// Runs a workload to its end.
pub fn run(launch: &Launch, limits: &Limits) -> Result<Finished, ProcessError> {
    imp::run(launch, limits)
}

/// Runs a workload; `before` sees the process before it executes its program, `tick` is called every few milliseconds while
/// it runs and once after its end. Both run on the calling thread.
pub fn run_gated(
    launch: &Launch,
    limits: &Limits,
    before: impl FnOnce(&Gated),
    tick: impl FnMut(bool),
) -> Result<Finished, ProcessError> {
    imp::run_gated(launch, limits, before, tick)
}
