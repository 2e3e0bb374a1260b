//! The largest memory of a run, exactly: what the kernel's account of a child forgets, its own status still says as it exits.
//!
//! `wait4` reports the larger of a process and of the tool that it was forked from, so a small program has no peak there.

use super::{Flow, Stopped, TraceError, Tracer, Trap, run_traced};
use crate::process::{Finished, Launch, Limits, memory_of_status};

/// The largest peak of any process of a run.
#[derive(Debug, Default)]
struct PeakMemory {
    bytes: Option<u64>,
}

impl Tracer for PeakMemory {
    fn watches_exits(&self) -> bool {
        true
    }

    fn executed(&mut self, _stopped: &Stopped) -> std::io::Result<Flow> {
        Ok(Flow::Continue)
    }

    fn trapped(&mut self, _stopped: &Stopped) -> std::io::Result<Trap> {
        Ok(Trap::Foreign)
    }

    fn exiting(&mut self, stopped: &Stopped) {
        // A process that was killed may be gone already; its peak is then that of its last thread that was seen.
        let status = std::fs::read_to_string(format!("/proc/{}/status", stopped.process())).ok();
        self.bytes = self.bytes.max(status.and_then(|status| memory_of_status(&status, "VmHWM")));
    }

    fn ended(&mut self, _process: i32) {}
}

/// Runs a workload and tells the largest resident memory that one of its processes had, bytes; `None` where none was seen to exit.
pub fn run_for_peak(launch: &Launch, limits: &Limits) -> Result<(Finished, Option<u64>), TraceError> {
    let mut peak = PeakMemory::default();
    let traced = run_traced(launch, limits, &mut peak)?;
    Ok((traced.finished, peak.bytes))
}
