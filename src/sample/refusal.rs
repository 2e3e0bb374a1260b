//! Why the kernel lets nobody sample, and which setting changes that.

use crate::error::Expected;

/// Highest `kernel.perf_event_paranoid` at which a process may sample its own children's user mode.
#[cfg(target_os = "linux")]
const SUFFICIENT_LEVEL: i64 = 2;

/// What stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// `kernel.perf_event_paranoid` is above 2 (a level that only patched kernels know: Debian 3, Ubuntu 4).
    Paranoid {
        /// Its value.
        level: i64,
    },
    /// A system-call filter or security module: the usual case in containers.
    Policy {
        /// `kernel.perf_event_paranoid`, where it can be read.
        level: Option<i64>,
        /// True when this process runs under a seccomp filter.
        seccomp: bool,
    },
    /// The kernel or the emulated environment has no `perf_event_open`, or not with what the engine needs.
    NotImplemented,
    /// The limit of open files is too low: one is needed per CPU.
    TooManyFiles,
    /// The limit of locked memory leaves no room for sample buffers.
    LockedMemory,
    /// There is no engine for this operating system or processor.
    NoEngine,
    /// Anything else.
    Other,
}

/// The kernel (or the operating system) refuses to sample.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
pub struct Refusal {
    /// What stands in the way.
    pub kind: RefusalKind,
    /// The error number that the system call ended with.
    pub errno: Option<i32>,
}

impl Refusal {
    /// There is no sampler here.
    #[cfg_attr(
        all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")),
        expect(dead_code, reason = "only systems without an engine say this")
    )]
    pub(super) fn no_engine() -> Self {
        Self { kind: RefusalKind::NoEngine, errno: None }
    }

    /// What a failed system call of the sampler means on this machine.
    #[cfg(target_os = "linux")]
    pub(super) fn from_io(error: &std::io::Error, buffers: bool) -> Self {
        let errno = error.raw_os_error();
        Self { kind: kind_of(errno, buffers, paranoid_level(), seccomp_filtered()), errno }
    }

    fn message(&self) -> String {
        let errno = self.errno.map_or_else(String::new, |errno| format!(" ({})", name_of(errno)));
        match self.kind {
            RefusalKind::Paranoid { level } => {
                format!("the kernel refuses to sample{errno}: kernel.perf_event_paranoid is {level}, and at most 2 is needed")
            }
            RefusalKind::Policy { level, seccomp } => {
                let filter = if seccomp { "a seccomp filter of this container or sandbox" } else { "a security policy" };
                let level = level.map_or_else(
                    || "kernel.perf_event_paranoid cannot be read".to_owned(),
                    |level| format!("kernel.perf_event_paranoid is {level}, which would suffice"),
                );
                format!("{filter} refuses perf_event_open{errno}; {level}")
            }
            RefusalKind::NotImplemented => format!("this kernel does not offer the sampling that is needed{errno}"),
            RefusalKind::TooManyFiles => format!("too many open files for one sampling event per CPU{errno}"),
            RefusalKind::LockedMemory => {
                format!("no locked memory is left for sample buffers{errno} (kernel.perf_event_mlock_kb and `ulimit -l`)")
            }
            RefusalKind::NoEngine => {
                format!("there is no sampler on this operating system ({}-{})", std::env::consts::OS, std::env::consts::ARCH)
            }
            RefusalKind::Other => format!("perf_event_open failed{errno}"),
        }
    }
}

impl Expected for Refusal {
    fn hint(&self) -> Option<String> {
        let hint = match self.kind {
            RefusalKind::Paranoid { .. } => {
                "run `sudo sysctl kernel.perf_event_paranoid=2` (for good: a file in /etc/sysctl.d), or grant CAP_PERFMON"
            }
            RefusalKind::Policy { level: None, .. } => {
                "run `sudo sysctl kernel.perf_event_paranoid=2`; in a container add `--cap-add PERFMON`, or a seccomp profile \
                 that allows perf_event_open"
            }
            RefusalKind::Policy { .. } => {
                "in a container add `--cap-add PERFMON`, or `--security-opt seccomp=PROFILE` with a profile that allows \
                 perf_event_open; elsewhere let SELinux or AppArmor allow perf_event"
            }
            RefusalKind::NotImplemented => {
                "run on a Linux kernel of version 4.1 or newer with CONFIG_PERF_EVENTS, not under an emulator such as gVisor"
            }
            RefusalKind::TooManyFiles => "raise the limit with `ulimit -n 4096`",
            RefusalKind::LockedMemory => {
                "stop other profilers, raise `ulimit -l`, or run `sudo sysctl kernel.perf_event_mlock_kb=2048`"
            }
            RefusalKind::NoEngine => "measure without a profile here, and take the profile on Linux",
            RefusalKind::Other => return None,
        };
        Some(hint.to_owned())
    }
}

#[cfg(target_os = "linux")]
fn kind_of(errno: Option<i32>, buffers: bool, level: Option<i64>, seccomp: bool) -> RefusalKind {
    match errno {
        Some(libc::EPERM | libc::ENOMEM | libc::EAGAIN) if buffers => RefusalKind::LockedMemory,
        Some(libc::EACCES | libc::EPERM) => match level {
            Some(level) if level > SUFFICIENT_LEVEL => RefusalKind::Paranoid { level },
            level => RefusalKind::Policy { level, seccomp },
        },
        Some(libc::ENOSYS | libc::ENOENT | libc::EOPNOTSUPP | libc::E2BIG | libc::EINVAL) => RefusalKind::NotImplemented,
        Some(libc::EMFILE | libc::ENFILE) => RefusalKind::TooManyFiles,
        _ => RefusalKind::Other,
    }
}

#[cfg(unix)]
fn name_of(errno: i32) -> String {
    let known = [
        (libc::EACCES, "EACCES"),
        (libc::EPERM, "EPERM"),
        (libc::ENOSYS, "ENOSYS"),
        (libc::ENOENT, "ENOENT"),
        (libc::EINVAL, "EINVAL"),
        (libc::EMFILE, "EMFILE"),
        (libc::ENFILE, "ENFILE"),
        (libc::ENOMEM, "ENOMEM"),
    ];
    known
        .iter()
        .find(|(number, _)| *number == errno)
        .map_or_else(|| std::io::Error::from_raw_os_error(errno).to_string(), |(_, name)| (*name).to_owned())
}

#[cfg(not(unix))]
fn name_of(errno: i32) -> String {
    errno.to_string()
}

#[cfg(target_os = "linux")]
fn paranoid_level() -> Option<i64> {
    std::fs::read_to_string("/proc/sys/kernel/perf_event_paranoid").ok()?.trim().parse().ok()
}

#[cfg(target_os = "linux")]
fn seccomp_filtered() -> bool {
    // proc_pid_status(5): 2 is SECCOMP_MODE_FILTER.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("Seccomp:")).is_some_and(|mode| mode.trim() == "2")
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn refusal(errno: i32, buffers: bool, level: Option<i64>, seccomp: bool) -> Refusal {
        Refusal { kind: kind_of(Some(errno), buffers, level, seccomp), errno: Some(errno) }
    }

    #[test]
    fn a_paranoid_kernel_is_named_with_its_value_and_the_command() {
        let refusal = refusal(libc::EACCES, false, Some(4), false);
        assert!(refusal.to_string().contains("kernel.perf_event_paranoid is 4"));
        assert!(refusal.hint().unwrap().contains("sudo sysctl kernel.perf_event_paranoid=2"));
    }

    #[test]
    fn a_container_filter_is_told_apart_from_the_sysctl() {
        let refusal = refusal(libc::EPERM, false, Some(2), true);
        assert!(refusal.to_string().contains("seccomp filter"));
        let hint = refusal.hint().unwrap();
        assert!(hint.contains("--cap-add PERFMON") && !hint.contains("sysctl"));
    }

    #[test]
    fn an_unreadable_level_offers_both_ways_out() {
        let hint = refusal(libc::EACCES, false, None, false).hint().unwrap();
        assert!(hint.contains("sysctl") && hint.contains("--cap-add PERFMON"));
    }

    #[test]
    fn a_full_buffer_quota_is_not_mistaken_for_a_missing_permission() {
        assert_eq!(refusal(libc::EPERM, true, Some(2), false).kind, RefusalKind::LockedMemory);
        assert_eq!(refusal(libc::EMFILE, false, Some(2), false).kind, RefusalKind::TooManyFiles);
        assert_eq!(refusal(libc::ENOSYS, false, Some(2), false).kind, RefusalKind::NotImplemented);
    }
}
