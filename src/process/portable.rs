//! The half of `workload.rs` for systems without `wait4` and process groups: runs and times, accounts nothing.

use std::process::{Command, Stdio};
use std::time::Instant;

use super::LOCAL_GIT_VARIABLES;
use super::workload::{Finished, Gated, Launch, Limits, ProcessError};

pub(super) fn run(launch: &Launch, limits: &Limits) -> Result<Finished, ProcessError> {
    let failed = |source| ProcessError::Spawn { command: launch.display(), source };
    let mut command = Command::new(&launch.program);
    command.args(&launch.args).current_dir(&launch.cwd).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    for name in LOCAL_GIT_VARIABLES {
        command.env_remove(name);
    }
    for (name, value) in &launch.env {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let start = Instant::now();
    let mut child = command.spawn().map_err(failed)?;
    let pid = child.id();
    let pipe = child.stdout.take();
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _cut_short = std::io::Read::read_to_end(&mut pipe, &mut bytes);
        }
        bytes
    });
    let mut timed_out = false;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            break status;
        }
        if !timed_out && start.elapsed() > limits.timeout {
            timed_out = true;
            child.kill().map_err(failed)?;
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    };
    let wall = start.elapsed();
    let mut stdout = reader.join().unwrap_or_default();
    stdout.truncate(limits.stdout);
    Ok(Finished {
        code: status.code(),
        signal: None,
        timed_out,
        pid,
        wall,
        usage: None,
        first_thread: None,
        stdout,
        stderr: Vec::new(),
        survivors: 0,
    })
}

pub(super) fn run_gated(
    launch: &Launch,
    limits: &Limits,
    before: impl FnOnce(&Gated),
    mut tick: impl FnMut(bool),
) -> Result<Finished, ProcessError> {
    before(&Gated { pid: 0 });
    let finished = run(launch, limits)?;
    tick(true);
    Ok(finished)
}
