//! cargo and the compiler: do they build, and does what they build run?

use super::check::{Check, Status};
use super::trial::{Trial, TrialError};
use crate::process::run;
use crate::workspace::Cargo;

const ID: &str = "toolchain";
const TITLE: &str = "cargo and rustc";

pub(super) fn check(cargo: &Cargo, trial: &Result<Trial, TrialError>) -> Check {
    let versions = cargo.version().and_then(|cargo_version| Ok((cargo_version, cargo.rustc()?)));
    let (cargo_version, rustc) = match versions {
        Ok(versions) => versions,
        Err(error) => return Check::refused(ID, TITLE, Status::Missing, &error, "").essential(),
    };
    let known = |check: Check| {
        check
            .value("cargo", cargo_version.clone())
            .value("rustc", rustc.short().to_owned())
            .value("host", rustc.host().map(str::to_owned))
            .essential()
    };
    let trial = match trial {
        Ok(trial) => trial,
        Err(error) => return known(Check::refused(ID, TITLE, Status::Missing, error, "")),
    };
    match run(&trial.launch(0), &Trial::limits()) {
        Ok(finished) if finished.success() => known(Check::ok(ID, TITLE, format!("{cargo_version}, {}", rustc.short()))),
        Ok(finished) => known(
            Check::missing(ID, TITLE, format!("what they build ends with {}", finished.outcome()))
                .remedy("without `--target`, build for this machine; with it, a runner is not supported"),
        ),
        Err(error) => known(
            Check::refused(ID, TITLE, Status::Missing, &error, "")
                .remedy("let the target directory lie on a file system that is not mounted `noexec`, or build for this machine"),
        ),
    }
}
