//! The system calls: each one wrapped once, with its errors, so that the rest of the room is safe code.

use std::io::{Error, Result};
use std::mem::offset_of;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use crate::process::Usage;
use crate::process::unix::usage_of;

/// Names kernel facilities (comma-separated) that shall behave as if refused: how the refusal paths are tried out.
const SIMULATED_REFUSAL: &str = "PERF_EXPERT_SIMULATE_REFUSAL";

/// `PTRACE_EVENT_STOP` of `linux/ptrace.h`, which libc lacks for glibc and musl.
const EVENT_STOP: i32 = 128;

/// The C libraries disagree about the type of a request.
#[cfg(target_env = "musl")]
type Request = libc::c_int;
#[cfg(not(target_env = "musl"))]
type Request = libc::c_uint;

/// Why a thread stands still, or that it is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It ended with this status.
    Ended(ExitStatus),
    /// It executed a program.
    Executed,
    /// A signal is about to be delivered to it.
    Signal(i32),
    /// It stopped with its whole process, as job control does.
    GroupStop,
    /// It exits, and everything of it is still there.
    Exiting,
    /// It was born, it gave birth, or its process was continued: nothing to do but to let it run.
    Passing,
}

fn simulated(value: Option<&str>) -> bool {
    value.is_some_and(|names| names.split(',').any(|name| name.trim().eq_ignore_ascii_case("ptrace")))
}

fn request(request: Request, thread: i32, address: usize, data: usize) -> Result<i64> {
    #[expect(unsafe_code, reason = "ptrace is reachable only through libc")]
    // SAFETY: none of the requests made through here lets the kernel write to our memory; errno is this thread's own, and is
    // cleared because a peeked -1 is a value.
    let (value, errno) = unsafe {
        *libc::__errno_location() = 0;
        let value = libc::ptrace(request, thread, address, data);
        (value, *libc::__errno_location())
    };
    if value == -1 && errno != 0 { Err(Error::from_raw_os_error(errno)) } else { Ok(value) }
}

/// Makes the calling thread the tracer of `pid` and of everything that it will start, of their exits too if `exits`. The process is
/// not stopped by this.
pub(super) fn seize(pid: i32, exits: bool) -> Result<()> {
    if simulated(std::env::var(SIMULATED_REFUSAL).ok().as_deref()) {
        return Err(Error::from_raw_os_error(libc::EPERM));
    }
    let options = libc::PTRACE_O_EXITKILL
        | libc::PTRACE_O_TRACECLONE
        | libc::PTRACE_O_TRACEFORK
        | libc::PTRACE_O_TRACEVFORK
        | libc::PTRACE_O_TRACEEXEC
        | if exits { libc::PTRACE_O_TRACEEXIT } else { 0 };
    request(libc::PTRACE_SEIZE, pid, 0, options as usize).map(drop)
}

/// Lets a stopped thread run, with a signal or with none (0).
pub(super) fn resume(thread: i32, signal: i32) -> Result<()> {
    request(libc::PTRACE_CONT, thread, 0, signal as usize).map(drop)
}

/// Leaves a thread in its group stop until SIGCONT.
pub(super) fn listen(thread: i32) -> Result<()> {
    request(libc::PTRACE_LISTEN, thread, 0, 0).map(drop)
}

/// `struct user` of `sys/user.h` begins with the general registers.
const INSTRUCTION_POINTER: usize = offset_of!(libc::user_regs_struct, rip);

/// The instruction pointer of a stopped thread.
pub(super) fn instruction_pointer(thread: i32) -> Result<u64> {
    request(libc::PTRACE_PEEKUSER, thread, INSTRUCTION_POINTER, 0).map(i64::cast_unsigned)
}

/// Sets the instruction pointer of a stopped thread.
pub(super) fn set_instruction_pointer(thread: i32, address: u64) -> Result<()> {
    request(libc::PTRACE_POKEUSER, thread, INSTRUCTION_POINTER, address as usize).map(drop)
}

/// Eight bytes of a stopped thread's memory.
pub(super) fn peek(thread: i32, address: u64) -> Result<[u8; 8]> {
    request(libc::PTRACE_PEEKTEXT, thread, address as usize, 0).map(i64::to_ne_bytes)
}

/// Replaces eight bytes of a stopped thread's memory, also where it may not write itself.
pub(super) fn poke(thread: i32, address: u64, bytes: [u8; 8]) -> Result<()> {
    request(libc::PTRACE_POKETEXT, thread, address as usize, usize::from_ne_bytes(bytes)).map(drop)
}

/// True when the SIGTRAP that a thread stopped for came from an instruction, not from `kill`.
pub(super) fn trap_is_an_instruction(thread: i32) -> Result<bool> {
    #[expect(unsafe_code, reason = "ptrace is reachable only through libc")]
    // SAFETY: siginfo_t is plain data for which all zeroes is a valid value, and the kernel writes at most its size.
    let (answer, info) = unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        (libc::ptrace(libc::PTRACE_GETSIGINFO, thread, 0usize, &raw mut info), info)
    };
    if answer == -1 {
        return Err(Error::last_os_error());
    }
    // arch/x86/kernel/traps.c, do_int3_user: force_sig without siginfo, hence SI_KERNEL.
    Ok(matches!(info.si_code, libc::SI_KERNEL | libc::TRAP_BRKPT))
}

/// Waits for the next change of any thread that the calling thread traces. `None`: there is none left.
pub(super) fn wait() -> Result<Option<(i32, Change, Usage)>> {
    let mut status = 0i32;
    loop {
        #[expect(unsafe_code, reason = "std waits for one child; tracing waits for all tracees of this thread")]
        // SAFETY: rusage is plain data for which all zeroes is a valid value; both pointers are valid for the call.
        let (thread, usage) = unsafe {
            let mut usage: libc::rusage = std::mem::zeroed();
            // __WNOTHREAD: the children of other threads (other runs) are not ours to reap.
            (libc::wait4(-1, &raw mut status, libc::__WALL | libc::__WNOTHREAD, &raw mut usage), usage)
        };
        if thread > 0 {
            return Ok(Some((thread, decode(status), usage_of(&usage, None))));
        }
        let error = Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::EINTR) => {}
            Some(libc::ECHILD) => return Ok(None),
            _ => return Err(error),
        }
    }
}

/// Reaps a process that became ours when its parent died, if it is a zombie.
pub(super) fn reap(pid: i32) {
    if let Some(pid) = rustix::process::Pid::from_raw(pid) {
        let _not_ours = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::NOHANG);
    }
}

/// The stop kinds of ptrace(2), "Stopped states".
fn decode(status: i32) -> Change {
    if !libc::WIFSTOPPED(status) {
        return Change::Ended(ExitStatus::from_raw(status));
    }
    let signal = libc::WSTOPSIG(status);
    match status >> 16 {
        0 => Change::Signal(signal),
        libc::PTRACE_EVENT_EXEC => Change::Executed,
        libc::PTRACE_EVENT_EXIT => Change::Exiting,
        EVENT_STOP if signal != libc::SIGTRAP => Change::GroupStop,
        _ => Change::Passing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_are_told_apart_as_the_manual_says() {
        let stop = |signal: i32, event: i32| decode((event << 16) | (signal << 8) | 0x7f);
        assert_eq!(stop(libc::SIGTRAP, 0), Change::Signal(libc::SIGTRAP));
        assert_eq!(stop(libc::SIGTRAP, libc::PTRACE_EVENT_EXEC), Change::Executed);
        assert_eq!(stop(libc::SIGTRAP, libc::PTRACE_EVENT_CLONE), Change::Passing);
        assert_eq!(stop(libc::SIGTRAP, libc::PTRACE_EVENT_EXIT), Change::Exiting);
        assert_eq!(stop(libc::SIGTRAP, EVENT_STOP), Change::Passing);
        assert_eq!(stop(libc::SIGTSTP, EVENT_STOP), Change::GroupStop);
        assert!(matches!(decode(3 << 8), Change::Ended(status) if status.code() == Some(3)));
    }

    #[test]
    fn a_refusal_is_simulated_only_by_its_name() {
        assert!(simulated(Some("PERF_EVENT_OPEN, PTRACE")));
        assert!(!simulated(Some("PERF_EVENT_OPEN")) && !simulated(None));
    }

    #[test]
    fn a_process_that_is_gone_cannot_be_seized() {
        assert!(seize(i32::MAX, false).is_err());
    }
}
