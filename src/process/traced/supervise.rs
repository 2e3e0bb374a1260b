//! The loop over all stops of all threads, until nothing of the workload is left.

use std::collections::HashMap;
use std::io::Result;
use std::process::ExitStatus;
use std::time::Instant;

use super::ptrace::{self, Change};
use super::{Flow, Stopped, Tracer, Trap};
use crate::process::Usage;

/// The end of the first process, after which all others were ended.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) usage: Usage,
    pub(super) at: Instant,
    /// The tracer had seen enough.
    pub(super) early: bool,
    /// Processes that were still there and were killed.
    pub(super) survivors: usize,
}

struct Supervision<'t> {
    tracer: &'t mut dyn Tracer,
    root: i32,
    /// Process of each thread that was ever seen and has not ended.
    threads: HashMap<i32, i32>,
    /// Nothing runs on from here: whatever stops is killed.
    ending: bool,
    early: bool,
    failure: Option<std::io::Error>,
    ended: Option<Ended>,
    survivors: Vec<i32>,
}

/// Follows `root`, which the calling thread has seized, to the end of all its relatives.
pub(super) fn supervise(root: i32, tracer: &mut dyn Tracer) -> Result<Ended> {
    let threads = HashMap::from([(root, root)]);
    let mut this =
        Supervision { tracer, root, threads, ending: false, early: false, failure: None, ended: None, survivors: Vec::new() };
    while let Some((thread, change, usage)) = ptrace::wait()? {
        this.change(thread, change, usage);
    }
    for &process in &this.survivors {
        ptrace::reap(process);
    }
    if let Some(failure) = this.failure {
        return Err(failure);
    }
    let ended = this.ended.ok_or_else(|| std::io::Error::other("the traced process vanished"))?;
    Ok(Ended { early: this.early, survivors: this.survivors.len(), ..ended })
}

impl Supervision<'_> {
    fn change(&mut self, thread: i32, change: Change, usage: Usage) {
        if let Change::Ended(status) = change {
            self.thread_ended(thread, status, usage);
        } else if self.ending {
            self.survive_no_longer(thread);
            if change == Change::Exiting {
                // It dies already: no signal wakes it from its last stop.
                let _gone_already = ptrace::resume(thread, 0);
            }
        } else if let Err(error) = self.stopped(thread, change) {
            // A thread that was killed while it stood still is gone for every request; its end is reported next.
            if error.raw_os_error() != Some(libc::ESRCH) {
                self.failure = Some(error);
                self.end();
            }
        }
    }

    fn thread_ended(&mut self, thread: i32, status: ExitStatus, usage: Usage) {
        let process = self.threads.remove(&thread);
        if process == Some(thread) {
            self.tracer.ended(thread);
        }
        if thread == self.root {
            self.ended = Some(Ended { status, usage, at: Instant::now(), early: false, survivors: 0 });
            self.end();
        }
    }

    /// Kills everything. Processes that are not known yet stop when they are born, and are killed then.
    fn end(&mut self) {
        self.ending = true;
        let threads: Vec<i32> = self.threads.keys().copied().collect();
        for thread in threads {
            self.survive_no_longer(thread);
        }
    }

    fn survive_no_longer(&mut self, thread: i32) {
        let process = self.process_of(thread);
        super::kill(process.unwrap_or(thread));
        if let Some(process) = process
            && process != self.root
            && !self.survivors.contains(&process)
        {
            self.survivors.push(process);
        }
    }

    fn stopped(&mut self, thread: i32, change: Change) -> Result<()> {
        match change {
            Change::Executed => {
                // The kernel ended all other threads, and gave the one that called exec the process's id.
                self.threads.retain(|_, process| *process != thread);
                self.threads.insert(thread, thread);
                let flow = self.tracer.executed(&Stopped::new(thread, thread))?;
                self.go_on(thread, flow)
            }
            Change::Signal(libc::SIGTRAP) => self.trapped(thread),
            Change::Signal(signal) => ptrace::resume(thread, signal),
            Change::GroupStop => ptrace::listen(thread),
            Change::Exiting => {
                if let Some(process) = self.process_of(thread) {
                    self.tracer.exiting(&Stopped::new(process, thread));
                }
                ptrace::resume(thread, 0)
            }
            Change::Passing | Change::Ended(_) => {
                self.process_of(thread);
                ptrace::resume(thread, 0)
            }
        }
    }

    fn trapped(&mut self, thread: i32) -> Result<()> {
        let process = self.process_of(thread).ok_or_else(|| std::io::Error::other("a stopped thread is not in /proc"))?;
        let trap = if ptrace::trap_is_an_instruction(thread)? {
            self.tracer.trapped(&Stopped::new(process, thread))?
        } else {
            Trap::Foreign
        };
        match trap {
            Trap::Ours(flow) => self.go_on(thread, flow),
            Trap::Foreign => ptrace::resume(thread, libc::SIGTRAP),
        }
    }

    fn go_on(&mut self, thread: i32, flow: Flow) -> Result<()> {
        match flow {
            Flow::Continue => ptrace::resume(thread, 0),
            Flow::End => {
                self.early = true;
                self.end();
                Ok(())
            }
        }
    }

    /// The process of a thread; `None` when it is gone.
    fn process_of(&mut self, thread: i32) -> Option<i32> {
        if let Some(&process) = self.threads.get(&thread) {
            return Some(process);
        }
        let status = std::fs::read_to_string(format!("/proc/{thread}/status")).ok()?;
        let process = status.lines().find_map(|line| line.strip_prefix("Tgid:"))?.trim().parse().ok()?;
        self.threads.insert(thread, process);
        Some(process)
    }
}
