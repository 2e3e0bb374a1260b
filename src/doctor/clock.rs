//! The preloaded CPU clock: does it compile, and does a program built here use it?

use std::ffi::OsString;

use super::check::{Check, Status};
use super::trial::Trial;
use crate::measure::ClockShim;
use crate::process::run;

const ID: &str = "cpu-clock";
const TITLE: &str = "CPU clock";
const MEANS: &str = "; benchmarks are timed on the wall clock, which sees every neighbour";

pub(super) fn check(trial: Option<&Trial>) -> Check {
    let Some(trial) = trial else { return Check::missing(ID, TITLE, "not checked: there is no program to preload it into") };
    let rustc = std::env::var_os("RUSTC").filter(|name| !name.is_empty()).unwrap_or_else(|| OsString::from("rustc"));
    let shim = match ClockShim::prepare(&trial.dir().join("clock"), &rustc) {
        Ok(shim) => shim,
        Err(error) => return Check::refused(ID, TITLE, Status::Limited, &error, MEANS),
    };
    let mut launch = trial.launch(1);
    let proof = match shim.apply(&mut launch, 1, trial.dir()) {
        Ok(proof) => proof,
        Err(error) => return Check::refused(ID, TITLE, Status::Limited, &error, MEANS),
    };
    match run(&launch, &Trial::limits()) {
        Ok(finished) if finished.success() && proof.used() => {
            Check::ok(ID, TITLE, "compiled, preloaded and used by a program built here")
        }
        Ok(finished) if finished.success() => {
            Check::limited(ID, TITLE, format!("a program built here does not use it (linked statically?){MEANS}"))
                .remedy("build benchmarks for a target that links the C library dynamically (not musl, no `+crt-static`)")
        }
        Ok(finished) => Check::limited(ID, TITLE, format!("a program ends with {} under it{MEANS}", finished.outcome()))
            .remedy("look at LD_PRELOAD and at security settings that forbid preloading"),
        Err(error) => Check::refused(ID, TITLE, Status::Limited, &error, MEANS),
    }
}
