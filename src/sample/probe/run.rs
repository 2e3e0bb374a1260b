//! One probing run: from sites to answers.

use super::breakpoints::Breakpoints;
use super::error::ProbeError;
use super::region::{Limits, Probed};
use super::sites::Sites;
use crate::process::traced::{self, Flow, Stopped, TraceError, Tracer, Trap};
use crate::process::{Launch, Limits as RunLimits};

/// Each breakpoint costs a trap of some 10 µs when it is hit, and its page a copy: ten seconds at the very worst.
const MOST_SITES: usize = 1_000_000;

/// Runs the workload once with breakpoints at `sites`, in every process that executes the probed executable.
///
/// The launch may be a wrapper around it. The caller judges [`Probed::finished`]: a run that failed or was killed by its timeout
/// proves what was executed, but not what was not.
pub fn run(launch: &Launch, sites: &Sites, limits: &Limits) -> Result<Probed, ProbeError> {
    if sites.len() > MOST_SITES {
        return Err(ProbeError::TooManySites { sites: sites.len(), most: MOST_SITES });
    }
    let mut breakpoints = Breakpoints::new(sites, limits);
    let traced = traced::run_traced(launch, &limits.run, &mut breakpoints).map_err(failed)?;
    if breakpoints.strange > 0 {
        return Err(ProbeError::Stale { executable: sites.executable.clone() });
    }
    if breakpoints.executed == 0 {
        return Err(ProbeError::NeverRan { executable: sites.executable.clone() });
    }
    Ok(Probed { executions: breakpoints.executions(), finished: traced.finished, ended_early: traced.ended_early })
}

/// Finds out whether a child may be traced, by tracing one until it executes its program.
pub fn available(launch: &Launch) -> Result<(), ProbeError> {
    traced::run_traced(launch, &RunLimits::default(), &mut FirstImage).map(drop).map_err(failed)
}

struct FirstImage;

impl Tracer for FirstImage {
    fn executed(&mut self, _stopped: &Stopped) -> std::io::Result<Flow> {
        Ok(Flow::End)
    }

    fn trapped(&mut self, _stopped: &Stopped) -> std::io::Result<Trap> {
        Ok(Trap::Foreign)
    }

    fn ended(&mut self, _process: i32) {}
}

fn failed(error: TraceError) -> ProbeError {
    match error {
        TraceError::Refused(source) => {
            let read = |path| std::fs::read_to_string(path).unwrap_or_default();
            let (reason, way_out) = refusal(&read("/proc/sys/kernel/yama/ptrace_scope"), &read("/proc/self/status"), &source);
            ProbeError::Refused { reason, way_out }
        }
        TraceError::Failed(source) => ProbeError::Failed(source),
        TraceError::Process(error) => ProbeError::Process(error),
    }
}

/// Who refused, and what to change: Yama's scope (Documentation/admin-guide/LSM/Yama.rst), another tracer, a seccomp filter.
fn refusal(yama: &str, status: &str, source: &std::io::Error) -> (String, String) {
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.map(str::trim).filter(|value| *value != "0")
    };
    match (yama.trim(), field("TracerPid"), field("Seccomp")) {
        ("2", _, _) => (
            "ptrace is reserved for the administrator (kernel.yama.ptrace_scope = 2)".into(),
            "run `sudo sysctl kernel.yama.ptrace_scope=1`, or run as root".into(),
        ),
        ("3", _, _) => (
            "ptrace is switched off (kernel.yama.ptrace_scope = 3)".into(),
            "set kernel.yama.ptrace_scope to 1 in /etc/sysctl.d and reboot: this value cannot be lowered while running".into(),
        ),
        (_, Some(tracer), _) => (
            format!("this process is being traced itself, by process {tracer}, and so are its children"),
            "run it without strace or a debugger".into(),
        ),
        (_, _, Some(_)) => (
            format!("a seccomp filter refuses ptrace ({source})"),
            "start the container with `--cap-add=SYS_PTRACE` or `--security-opt seccomp=unconfined`".into(),
        ),
        _ => (
            format!("ptrace is refused ({source})"),
            "allow this user to ptrace its own children (security module or sandbox settings)".into(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_who_refuses_and_the_way_out() {
        let denied = std::io::Error::from_raw_os_error(libc::EPERM);
        let status = |text: &str| format!("Name:\tx\n{text}\n");
        assert!(refusal("2\n", &status("Seccomp:\t2"), &denied).1.contains("ptrace_scope=1"));
        assert!(refusal("3\n", "", &denied).1.contains("reboot"));
        assert!(refusal("1\n", &status("TracerPid:\t77\nSeccomp:\t0"), &denied).0.contains("77"));
        assert!(refusal("", &status("TracerPid:\t0\nSeccomp:\t2"), &denied).1.contains("seccomp"));
        assert!(refusal("", &status("TracerPid:\t0\nSeccomp:\t0"), &denied).0.contains("ptrace is refused"));
    }
}
