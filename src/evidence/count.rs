//! What a workload asks of the allocator, counted once for the readers of a baseline.
//!
//! Nothing is ever compared with it: `verify` counts both sides anew. Where memory may matter, one more run says who asks for it.

use super::collect::is_its_own_fault;
use super::{Allocations, Collector, EvidenceError, Program, WorkloadEvidence};
use crate::diagnose::{Work, growth};
use crate::measure::allocations::{AllocationCounter, Effort, count, sample};
use crate::process::Limits;
use crate::stats::median;

/// Seconds of a harness that fills a time.
const SECONDS: u32 = 2;
/// Share of the CPU samples in the allocator from which it is worth a run who asks it (half of that is all that could be gained).
const ALLOCATOR: f64 = 0.03;

impl Collector<'_> {
    /// Counts, where the workload ran; that it cannot be counted is no problem of the workload.
    pub fn count(
        &mut self,
        evidence: &mut WorkloadEvidence,
        program: &Program,
        counter: Result<&AllocationCounter, &str>,
    ) -> Result<(), EvidenceError> {
        if evidence.calibration.is_none() {
            return Ok(());
        }
        evidence.allocations = Some(match counter {
            Err(why) => Err(why.to_owned()),
            Ok(counter) => {
                let side = program.side(self.root);
                let counts = count(&mut self.runner, counter, &evidence.workload, &side, Effort::ONCE)?;
                counts.and_then(|counts| {
                    let figures = median(&counts.calls).zip(median(&counts.bytes)).zip(median(&counts.peak));
                    let ((calls, bytes), peak) = figures.ok_or("nothing was counted")?;
                    Ok(Allocations { calls, bytes, peak })
                })
            }
        });
        if let Some(counter) = counter.ok().filter(|_| evidence.work.as_ref().is_some_and(is_worth_a_run)) {
            self.sample_allocations(evidence, program, counter)?;
        }
        Ok(())
    }

    fn sample_allocations(
        &mut self,
        evidence: &mut WorkloadEvidence,
        program: &Program,
        counter: &AllocationCounter,
    ) -> Result<(), EvidenceError> {
        let scratch = self.runner.fresh_scratch()?;
        let (driven, side) = (evidence.driven(), program.side(self.root));
        let launch = driven.harness.profile_launch(&driven.workload, &side, SECONDS, scratch.path());
        let limits = self.runner.limits(&driven.workload);
        let limits = Limits { timeout: limits.timeout.min(Effort::THOROUGH.longest), ..limits };
        match sample(counter, launch, &limits, scratch.path()).map_err(EvidenceError::from) {
            Ok(sampled) => evidence.sampled = sampled,
            // Nobody asked for it: that it fails is no problem of the workload.
            Err(error) if is_its_own_fault(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

fn is_worth_a_run(work: &Work) -> bool {
    work.on_cpu.allocator >= ALLOCATOR || work.faults_often() || growth(&work.observed.resident).is_some()
}
