//! What a workload asks of the allocator, counted once for the readers of a baseline.
//!
//! Nothing is ever compared with it: `verify` counts both sides anew.

use super::{Allocations, Collector, EvidenceError, Program, WorkloadEvidence};
use crate::measure::allocations::{AllocationCounter, Effort, count};
use crate::stats::median;

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
        Ok(())
    }
}
