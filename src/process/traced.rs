//! One run of a workload under ptrace: every thread and every process that it starts is followed, and none outlives it.
//!
//! It knows program images, traps, signals and ends. What a trap means is for the [`Tracer`] to say.

mod memory;
mod ptrace;
mod stopped;
mod supervise;

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::interrupt::{self, GroupGuard};
use super::unix::{self, Gate};
use super::workload::{Finished, Launch, Limits, ProcessError};
pub use memory::run_for_peak;
pub use stopped::{Memory, Stopped};
use supervise::Ended;

/// How often the watcher looks at the clock and at the interrupt flag; stops are handled at once by the tracing thread.
const TICK: Duration = Duration::from_millis(5);

/// What the traced workload does after a program image was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// It runs on.
    Continue,
    /// Nothing more is to be learned: it is killed.
    End,
}

/// Whose trap it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trap {
    /// The tracer's: the program never hears of it.
    Ours(Flow),
    /// The program's own: it gets its SIGTRAP.
    Foreign,
}

/// Sees a workload's program images and traps. All calls come from one thread, and the process that a call is about stands still
/// (only the thread that stopped does, once it runs several).
pub trait Tracer: Send {
    /// A process executed a program: its memory is new, and no instruction of it has run.
    fn executed(&mut self, stopped: &Stopped) -> std::io::Result<Flow>;

    /// A thread ran into a breakpoint instruction; the instruction pointer is behind it.
    fn trapped(&mut self, stopped: &Stopped) -> std::io::Result<Trap>;

    /// True when [`Tracer::exiting`] is to be called: each thread then stops once more.
    fn watches_exits(&self) -> bool {
        false
    }

    /// A thread exits; its memory is still there.
    fn exiting(&mut self, _stopped: &Stopped) {}

    /// A process is gone; its id may come again.
    fn ended(&mut self, process: i32);
}

/// How a traced workload ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traced {
    /// Its end. The usage contains what tracing costs, so it is no measurement.
    pub finished: Finished,
    /// True when the tracer had seen enough and it was killed for that.
    pub ended_early: bool,
}

/// Why a workload could not be traced.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The system does not let us trace a child of our own.
    #[error("ptrace is refused")]
    Refused(#[source] std::io::Error),
    /// Tracing began and failed; the workload was killed.
    #[error("tracing failed")]
    Failed(#[source] std::io::Error),
    /// It could not be started, or the user interrupted.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

enum Event {
    Started(i32),
    Ended(Result<Ended, TraceError>),
}

/// Runs a workload to its end under `tracer`, with the environment, process group, limits and end that [`super::run`] gives it.
pub fn run_traced(launch: &Launch, limits: &Limits, tracer: &mut dyn Tracer) -> Result<Traced, TraceError> {
    if interrupt::interrupted() {
        return Err(ProcessError::Interrupted.into());
    }
    unix::adopt_orphans();
    let marker = unix::new_marker();
    let gate = Gate::new().map_err(|source| unix::spawn_error(launch, source))?;
    let mut command = unix::command_of(launch, &marker);
    unix::prepare_child(&mut command, Some(gate.raw()));

    let (says_spawned, spawned) = sync_channel(1);
    let (release, held) = sync_channel(1);
    let (events, inbox) = sync_channel(2);
    std::thread::scope(|scope| {
        // The parent-death signal is tied to the thread that forked, which blocks until the child has passed the gate, and
        // ptrace to the thread that attached: they cannot be one.
        let forker = scope.spawn(move || own_child(command, &says_spawned, &held, limits));
        scope.spawn(move || {
            let ended = attach_and_trace(launch, gate, &spawned, &events, tracer);
            let _nobody_waits = events.send(Event::Ended(ended));
        });
        let watched = watch(&inbox, limits);
        let mut survivors = unix::end_survivors(watched.pid.cast_unsigned(), &marker);
        drop(release);
        while !forker.is_finished() {
            std::thread::sleep(TICK);
            survivors += unix::end_survivors(watched.pid.cast_unsigned(), &marker);
        }
        let (stdout, stderr) = forker.join().unwrap_or_default();
        if interrupt::interrupted() {
            return Err(ProcessError::Interrupted.into());
        }
        let ended = watched.ended?;
        let wall = ended.at.saturating_duration_since(watched.start);
        // It may have ended in time while its relatives took longer to end.
        let timed_out = watched.timed_out && wall >= limits.timeout;
        let finished = Finished {
            code: ended.status.code(),
            signal: ended.status.signal(),
            timed_out,
            pid: watched.pid.cast_unsigned(),
            wall,
            usage: Some(ended.usage),
            first_thread: None,
            stdout,
            stderr,
            survivors: ended.survivors + survivors,
        };
        Ok(Traced { finished, ended_early: ended.early && !timed_out })
    })
}

struct Watched {
    pid: i32,
    start: Instant,
    timed_out: bool,
    ended: Result<Ended, TraceError>,
}

/// Keeps the clock while the tracing thread sleeps in `wait4`: the death of the first process is what wakes it.
fn watch(inbox: &Receiver<Event>, limits: &Limits) -> Watched {
    let (mut pid, mut start, mut timed_out, mut guard) = (0, Instant::now(), false, None);
    let ended = loop {
        match inbox.recv_timeout(TICK) {
            Ok(Event::Started(started)) => {
                (pid, start) = (started, Instant::now());
                guard = Some(GroupGuard::new(pid));
            }
            Ok(Event::Ended(ended)) => break ended,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                break Err(TraceError::Failed(std::io::Error::other("the tracing thread ended early")));
            }
        }
        timed_out |= guard.is_some() && start.elapsed() > limits.timeout;
        if guard.is_some() && (timed_out || interrupt::interrupted()) {
            interrupt::kill_group(pid);
            // It may have moved to another group; the tracing thread ends its relatives once it is dead.
            kill(pid);
        }
    };
    drop(guard);
    Watched { pid, start, timed_out, ended }
}

/// Forks, keeps the forking thread alive until released, and collects the output.
fn own_child(
    mut command: Command,
    says_spawned: &SyncSender<std::io::Result<()>>,
    held: &Receiver<()>,
    limits: &Limits,
) -> (Vec<u8>, Vec<u8>) {
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(source) => {
            let _nobody_waits = says_spawned.send(Err(source));
            return (Vec::new(), Vec::new());
        }
    };
    let _nobody_waits = says_spawned.send(Ok(()));
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let outputs = std::thread::scope(|scope| {
        let errors = scope.spawn(|| collect(stderr, limits.stderr, unix::last_bytes));
        let output = collect(stdout, limits.stdout, unix::first_bytes);
        (output, errors.join().unwrap_or_default())
    });
    let _released = held.recv();
    outputs
}

fn collect<P: Read>(pipe: Option<P>, cap: usize, read: impl Fn(P, usize) -> Vec<u8>) -> Vec<u8> {
    pipe.map(|pipe| read(pipe, cap)).unwrap_or_default()
}

fn attach_and_trace(
    launch: &Launch,
    gate: Gate,
    spawned: &Receiver<std::io::Result<()>>,
    events: &SyncSender<Event>,
    tracer: &mut dyn Tracer,
) -> Result<Ended, TraceError> {
    let not_started = |source| TraceError::Process(unix::spawn_error(launch, source));
    let fork_failed = || spawned.try_recv().ok().and_then(Result::err);
    let pid = unix::read_pid(&gate, fork_failed).map_err(not_started)?.cast_signed();
    let _nobody_waits = events.send(Event::Started(pid));
    if let Err(refused) = ptrace::seize(pid, tracer.watches_exits()) {
        // The child reads end of file at the gate and gives up; the forking thread reaps it.
        drop(gate);
        let _given_up = spawned.recv();
        return Err(TraceError::Refused(refused));
    }
    gate.open();
    drop(gate);
    // No wait before this: after a failed exec the forking thread insists on reaping the child itself.
    match spawned.recv() {
        Ok(Ok(())) => supervise::supervise(pid, tracer).map_err(TraceError::Failed),
        Ok(Err(source)) => Err(not_started(source)),
        Err(gone) => Err(not_started(std::io::Error::other(gone))),
    }
}

/// Sends SIGKILL; a process that is gone already is no error.
fn kill(pid: i32) {
    if let Some(pid) = rustix::process::Pid::from_raw(pid) {
        let _gone_already = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}

#[cfg(test)]
mod tests;
