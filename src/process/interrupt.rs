//! Ctrl-C, TERM and HUP: kill every process group that is alive, then let the commands unwind.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static GROUPS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// True once the user asked to stop. Long loops ask before each step.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// Starts the signal thread. The first signal ends the children and lets guards clean up; the second ends the process.
#[cfg(unix)]
pub fn install() -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        for _signal in signals.forever() {
            let again = INTERRUPTED.swap(true, Ordering::SeqCst);
            kill_all_groups();
            if again {
                signal_hook::low_level::exit(i32::from(crate::exit::Exit::Interrupted.code()));
            }
        }
    })?;
    Ok(())
}

/// Nothing to install where there are no Unix signals.
#[cfg(not(unix))]
pub fn install() -> std::io::Result<()> {
    Ok(())
}

fn groups() -> MutexGuard<'static, BTreeSet<i32>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn kill_all_groups() {
    for &group in groups().iter() {
        kill_group(group);
    }
}

/// Sends SIGKILL to a whole process group; one that is gone already is no error.
#[cfg(unix)]
pub(super) fn kill_group(group: i32) {
    if let Some(pid) = rustix::process::Pid::from_raw(group) {
        let _gone_already = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
}

#[cfg(not(unix))]
pub(super) fn kill_group(_group: i32) {}

/// Registers a process group for as long as the guard lives.
pub(super) struct GroupGuard(i32);

impl GroupGuard {
    pub(super) fn new(group: i32) -> Self {
        groups().insert(group);
        // A signal that came between the spawn and this line must not be lost on this child.
        if interrupted() {
            kill_group(group);
        }
        Self(group)
    }
}

impl Drop for GroupGuard {
    fn drop(&mut self) {
        groups().remove(&self.0);
    }
}
