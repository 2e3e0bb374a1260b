//! All evidence about the workloads of one side, one after the other: clock, noise, profile, what is executed.

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    Driven, EvidenceError, Prober, ProfileOptions, Program, Question, StoredProfile, WorkloadEvidence, executed_keys,
    keep_profile, profile,
};
use crate::measure::calibrate::{PAIRS, calibrate};
use crate::measure::{Calibration, HarnessError, LiveRunner, Side};
use crate::process::{ProcessError, interrupted};
use crate::profile::Profile;
use crate::sample::Sampler;
use crate::source::Item;

/// What came of one workload: what to store, and the files that belong to it.
#[derive(Debug, Clone)]
pub struct Collected {
    /// What to store.
    pub evidence: WorkloadEvidence,
    /// Paths inside the baseline and their contents.
    pub files: Vec<(Utf8PathBuf, Vec<u8>)>,
    /// The profile itself.
    pub profile: Option<Profile>,
}

/// Collects the evidence of one side.
pub struct Collector<'a> {
    /// Runs the workloads.
    pub runner: LiveRunner<'a>,
    /// Root of the side's tree.
    pub root: &'a Utf8Path,
    /// How to profile; `None` where nothing can be sampled.
    pub profiling: Option<ProfileOptions>,
    /// What samples.
    pub sampler: Sampler,
    /// The items to ask about.
    pub items: Vec<&'a Item>,
    /// Asks which of the items are executed.
    pub prober: Prober<'a>,
}

impl Collector<'_> {
    /// The question that a collector's prober must ask.
    pub fn question(root: &Utf8Path, items: &[&Item]) -> Question {
        Question::about(root, items.iter().map(|item| Some(*item)))
    }

    /// Collects about one workload. A workload that fails is a result, not an error.
    pub fn collect(
        &mut self,
        number: usize,
        driven: &Driven,
        program: &Program,
        copy: &Side,
    ) -> Result<Collected, EvidenceError> {
        let side = program.side(self.root);
        let mut collected = Collected {
            evidence: WorkloadEvidence {
                workload: driven.workload.clone(),
                harness: driven.harness,
                calibration: None,
                profile: None,
                executed: Err("it was not run".into()),
                problem: None,
            },
            files: Vec::new(),
            profile: None,
        };
        match self.steps(number, driven, &side, copy, &mut collected) {
            Ok(()) => Ok(collected),
            Err(error) if is_its_own_fault(&error) => {
                collected.evidence.problem = Some(error.to_string());
                Ok(collected)
            }
            Err(error) => Err(error),
        }
    }

    fn steps(
        &mut self,
        number: usize,
        driven: &Driven,
        side: &Side,
        copy: &Side,
        collected: &mut Collected,
    ) -> Result<(), EvidenceError> {
        let calibration: Calibration = calibrate(&mut self.runner, &driven.workload, side, copy, PAIRS)?;
        collected.evidence.calibration = Some(calibration);
        stop_if_interrupted()?;
        if let Some(options) = self.profiling {
            match self.sampled(number, driven, side, options, &mut collected.files) {
                Ok((stored, profile)) => {
                    collected.evidence.profile = Some(stored);
                    collected.profile = Some(profile);
                }
                Err(error) if error.is_no_stacks() => collected.evidence.problem = Some(error.to_string()),
                Err(error) => return Err(error),
            }
        }
        stop_if_interrupted()?;
        let limits = self.runner.limits(&driven.workload);
        let scratch = self.scratch()?;
        let executions = self.prober.ask(driven, side, &limits, utf8(scratch.path()))?;
        collected.evidence.executed = executions.map(|outcomes| executed_keys(self.items.iter().copied(), &outcomes));
        Ok(())
    }

    fn sampled(
        &mut self,
        number: usize,
        driven: &Driven,
        side: &Side,
        mut options: ProfileOptions,
        files: &mut Vec<(Utf8PathBuf, Vec<u8>)>,
    ) -> Result<(StoredProfile, Profile), EvidenceError> {
        options.limits.timeout = self.runner.limits(&driven.workload).timeout;
        let scratch = self.scratch()?;
        let profile = profile(driven, side, &options, &self.sampler, utf8(scratch.path()))?;
        let kept = keep_profile(&driven.workload.id, number, &profile)?;
        files.extend(kept.files);
        Ok((kept.stored, profile))
    }

    fn scratch(&self) -> Result<tempfile::TempDir, EvidenceError> {
        Ok(self.runner.fresh_scratch()?)
    }
}

fn stop_if_interrupted() -> Result<(), EvidenceError> {
    if interrupted() { Err(ProcessError::Interrupted.into()) } else { Ok(()) }
}

/// Scratch directories are ours and have plain names; one that is not UTF-8 cannot be had from `tempfile` in a UTF-8 directory.
fn utf8(path: &std::path::Path) -> &Utf8Path {
    Utf8Path::from_path(path).unwrap_or(Utf8Path::new("."))
}

fn is_its_own_fault(error: &EvidenceError) -> bool {
    match error {
        EvidenceError::Harness(error) => HarnessError::is_workload_failure(error),
        _ => false,
    }
}
