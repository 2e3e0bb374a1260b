//! Who may look at a running program: samplers, and the tracer that tells executed from not executed.

use super::check::{Check, Status};
use super::trial::Trial;
use crate::error::Expected;
use crate::sample::{self, SampleOptions, probe};

const SAMPLING: &str = "sampling";
const TRACING: &str = "executed-or-not";

/// Milliseconds that are sampled: enough for a hundred samples.
const SAMPLED: u32 = 120;

/// The native engine, which is tried first.
pub(super) fn sampling(trial: Option<&Trial>) -> Check {
    let title = "sampling (perf_event)";
    let means = "; without it no function has a measured heat";
    // Opened, not read from settings: containers filter the call whatever the settings say.
    let check = match (sample::available(), trial) {
        (Err(refusal), _) => Check::refused(SAMPLING, title, Status::Missing, &refusal, means),
        (Ok(_engine), None) => Check::ok(SAMPLING, title, "an event can be opened"),
        (Ok(_engine), Some(trial)) => recorded(title, trial),
    };
    check.value("engine", "perf_event").value("perf_event_paranoid", paranoid())
}

fn recorded(title: &str, trial: &Trial) -> Check {
    let recording = match sample::record(&trial.launch(SAMPLED), &Trial::limits(), &SampleOptions::default()) {
        Ok(recording) => recording,
        Err(error) => {
            return Check::refused(SAMPLING, title, Status::Missing, &error, "; without it no function has a measured heat");
        }
    };
    let quality = &recording.profile.quality;
    let level = paranoid().map_or_else(String::new, |level| format!(" (kernel.perf_event_paranoid is {level})"));
    let check = if quality.samples == 0 {
        Check::limited(SAMPLING, title, format!("events open, but a program that computed was never sampled{level}"))
            .remedy("run on a kernel that delivers software clock events to unprivileged processes")
    } else {
        let samples = crate::figures::counted(quality.samples as usize, "sample");
        Check::ok(SAMPLING, title, format!("{samples} of a program that ran {SAMPLED} ms, without privileges{level}"))
    };
    check.value("samples", quality.samples).value("coverage", quality.coverage())
}

/// For information only: what decides is whether an event opens.
fn paranoid() -> Option<i64> {
    std::fs::read_to_string("/proc/sys/kernel/perf_event_paranoid").ok()?.trim().parse().ok()
}

/// Whether a child may be traced.
pub(super) fn tracing(trial: Option<&Trial>) -> Check {
    let title = "executed or not (ptrace)";
    let Some(trial) = trial else {
        return Check::missing(TRACING, title, "not checked: there is no program to trace");
    };
    match probe::available(&trial.launch(0)) {
        Ok(()) => Check::ok(TRACING, title, "a child can be traced, so code that never runs is told from cold code"),
        Err(error) => {
            let way_out = error.hint();
            let means = "; without it, code that no sample shows is unmeasured and never called cold";
            let mut check = Check::refused(TRACING, title, Status::Missing, &error, means);
            check.remedy = way_out;
            check
        }
    }
}
