//! Stand-ins for harness executables and what they leave behind, for the tests of this room.

use super::Side;
use crate::process::{Finished, Launch};

/// A run that ended well after printing this.
pub(crate) fn finished(stdout: &str) -> Finished {
    Finished {
        code: Some(0),
        signal: None,
        timed_out: false,
        pid: 1,
        wall: std::time::Duration::ZERO,
        usage: None,
        first_thread: None,
        stdout: stdout.into(),
        stderr: Vec::new(),
        survivors: 0,
    }
}

/// The arguments of a launch.
pub(crate) fn words(launch: &Launch) -> Vec<String> {
    launch.args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect()
}

/// The value that a launch gives to a variable.
pub(crate) fn variable(launch: &Launch, name: &str) -> Option<String> {
    let (_, value) = launch.env.iter().rev().find(|(known, _)| known == name)?;
    value.as_ref().map(|value| value.to_string_lossy().into_owned())
}

/// An executable that is a shell script.
#[cfg(unix)]
pub(crate) fn stand_in(dir: &std::path::Path, script: &str) -> Side {
    use std::os::unix::fs::PermissionsExt;
    let path = dir.join("stand-in");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    Side::new(path, dir)
}
