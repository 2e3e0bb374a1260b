//! Counts of events by the processor's own counters, where the machine has them and the kernel lets them be read.
//!
//! Counts whole processes; what a count means is for others. Virtual machines often hide the counters.

use super::native;
use crate::process::{Finished, Launch, Limits, ProcessError};

/// What can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Instructions in user mode (`instructions:u`).
    Instructions,
    /// Page faults in user mode: counted by the kernel, so that every machine has a counter to test with.
    #[cfg(test)]
    PageFaults,
}

/// Why nothing was counted; a fragment.
#[derive(Debug, thiserror::Error)]
pub enum CountError {
    /// The kernel opens no such counter.
    #[error("{}", refused(.0))]
    Refused(std::io::Error),
    /// Others counted at the same time, or some processors of this machine have no such counter.
    #[error("the counter was not on all the time, because it was shared")]
    Shared,
    /// It could not be read.
    #[error("the counter cannot be read")]
    Unread(#[source] std::io::Error),
    /// The workload could not be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

#[cfg(unix)]
fn refused(error: &std::io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::ENOENT | libc::EOPNOTSUPP | libc::ENODEV) => {
            "this machine shows no counter of instructions, as most virtual machines".into()
        }
        Some(libc::EACCES | libc::EPERM) => {
            "the kernel lets nobody count (kernel.perf_event_paranoid, or the policy of a container)".into()
        }
        _ => format!("the kernel opens no counter: {error}"),
    }
}

#[cfg(not(unix))]
fn refused(error: &std::io::Error) -> String {
    format!("there is no counter: {error}")
}

/// Whether the event can be counted here, found by opening a counter.
pub fn countable(event: Event) -> Result<(), CountError> {
    native::counter::probe(event)
}

/// Runs a workload to its end and counts from its `exec` on, threads and child processes included.
pub fn run_counted(launch: &Launch, limits: &Limits, event: Event) -> Result<(Finished, u64), CountError> {
    native::counter::run_counted(launch, limits, event)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[expect(clippy::print_stderr, reason = "a test that checks nothing here says so")]
    fn skip(why: &CountError) {
        eprintln!("skipped: {why}");
    }

    fn script(text: &str) -> Launch {
        Launch::new("/bin/sh", "/").args(["-c", text])
    }

    #[test]
    fn a_process_is_counted_with_its_children() {
        if let Err(why) = countable(Event::PageFaults) {
            return skip(&why);
        }
        let count = |text: &str| run_counted(&script(text), &Limits::default(), Event::PageFaults).unwrap();
        let (_, none) = count("exit 0");
        let (finished, child) = count("dd if=/dev/zero of=/dev/null bs=8M count=1 2>/dev/null; exit 3");
        // 8 MiB are 2048 pages, or 4 large ones; starting `dd` alone faults in a hundred.
        assert!(none > 10 && child > none + 50, "{none} {child}");
        assert_eq!(finished.code, Some(3));
    }

    #[test]
    fn instructions_are_counted_or_it_is_said_why_not() {
        match run_counted(&script("exit 0"), &Limits::default(), Event::Instructions) {
            Ok((_, count)) => assert!(count > 10_000, "{count}"),
            Err(CountError::Refused(_) | CountError::Shared) => {
                let why = countable(Event::Instructions).map_or_else(|why| why.to_string(), |()| "shared".into());
                assert!(why.contains("count") || why == "shared", "{why}");
            }
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_refusal_says_what_it_comes_from() {
        let said = |errno| CountError::Refused(std::io::Error::from_raw_os_error(errno)).to_string();
        assert!(said(libc::ENOENT).contains("virtual machines"));
        assert!(said(libc::EACCES).contains("perf_event_paranoid"));
        assert!(said(libc::ENOSYS).contains("opens no counter"));
    }
}
