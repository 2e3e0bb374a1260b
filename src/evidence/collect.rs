//! All evidence about the workloads of one side, one after the other: clock, noise, profile, what is executed.

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    Driven, EvidenceError, Prober, ProfileOptions, Profiled, Program, Question, StoredProfile, WorkloadEvidence, executed_keys,
    keep_profile, profile,
};
use crate::measure::calibrate::{PAIRS, calibrate};
use crate::measure::{HarnessError, LiveRunner, Side, WorkloadKind};
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
}

/// Asks what a side's workloads execute.
pub struct Asker<'a> {
    /// The items to ask about.
    pub items: Vec<&'a Item>,
    /// Asks which of the items are executed.
    pub prober: Prober<'a>,
}

impl Asker<'_> {
    /// The question that an asker's prober must ask.
    pub fn question(root: &Utf8Path, items: &[&Item]) -> Question {
        Question::about(root, items.iter().map(|item| Some(*item)))
    }
}

impl Collector<'_> {
    /// Runs the workload once to learn what it executes; everything else stays pending.
    pub fn look(&self, asker: &mut Asker<'_>, driven: &Driven, program: &Program) -> Result<WorkloadEvidence, EvidenceError> {
        stop_if_interrupted()?;
        if driven.workload.kind == WorkloadKind::Gungraun {
            let executed = Err("it runs under valgrind".into());
            return Ok(WorkloadEvidence { executed, ..WorkloadEvidence::of(driven) });
        }
        let limits = self.runner.limits(&driven.workload);
        let scratch = self.scratch()?;
        let executions = asker.prober.ask(driven, &program.side(self.root), &limits, utf8(scratch.path()))?;
        let executed = executions.map(|outcomes| executed_keys(asker.items.iter().copied(), &outcomes));
        Ok(WorkloadEvidence { executed, pending: true, ..WorkloadEvidence::of(driven) })
    }

    /// Measures and profiles a workload that was looked at. One that fails is a result, not an error.
    pub fn collect(
        &mut self,
        number: usize,
        looked_at: WorkloadEvidence,
        program: &Program,
        copies: &[Side; 2],
    ) -> Result<Collected, EvidenceError> {
        let mut collected = Collected { evidence: looked_at, files: Vec::new(), profile: None };
        self.calibrate(&mut collected.evidence, program, copies)?;
        if collected.evidence.problem.is_none() {
            self.sample(number, &mut collected, program)?;
        }
        Ok(collected)
    }

    /// Measures: clock, noise, cost, on two copies of the program's executable.
    pub fn calibrate(
        &mut self,
        evidence: &mut WorkloadEvidence,
        program: &Program,
        [one, other]: &[Side; 2],
    ) -> Result<(), EvidenceError> {
        stop_if_interrupted()?;
        evidence.pending = false;
        if evidence.workload.kind == WorkloadKind::Gungraun {
            let counted = self.runner.count(&evidence.workload, &program.side(self.root));
            evidence.instructions = its_own_fault(counted.map_err(Into::into), &mut evidence.problem)?;
            return Ok(());
        }
        let calibrated = calibrate(&mut self.runner, &evidence.workload, one, other, PAIRS);
        evidence.calibration = its_own_fault(calibrated.map_err(Into::into), &mut evidence.problem)?;
        Ok(())
    }

    /// Profiles, where anything can be sampled.
    pub fn sample(&mut self, number: usize, collected: &mut Collected, program: &Program) -> Result<(), EvidenceError> {
        stop_if_interrupted()?;
        let Some(options) = self.profiling.filter(|_| collected.evidence.workload.kind != WorkloadKind::Gungraun) else {
            return Ok(());
        };
        let driven = collected.evidence.driven();
        let sampled = self.sampled(number, &driven, &program.side(self.root), options, &mut collected.files);
        let sampled = match sampled {
            Err(error) if error.is_no_stacks() => {
                collected.evidence.problem = Some(error.to_string());
                return Ok(());
            }
            other => other,
        };
        if let Some((stored, profiled)) = its_own_fault(sampled, &mut collected.evidence.problem)? {
            collected.evidence.profile = Some(stored);
            collected.evidence.work = profiled.work;
            collected.profile = Some(profiled.profile);
        }
        Ok(())
    }

    fn sampled(
        &mut self,
        number: usize,
        driven: &Driven,
        side: &Side,
        mut options: ProfileOptions,
        files: &mut Vec<(Utf8PathBuf, Vec<u8>)>,
    ) -> Result<(StoredProfile, Profiled), EvidenceError> {
        options.limits.timeout = self.runner.limits(&driven.workload).timeout;
        let scratch = self.scratch()?;
        let profiled = profile(driven, side, &options, &self.sampler, utf8(scratch.path()))?;
        let kept = keep_profile(&driven.workload.id, number, &profiled.profile)?;
        files.extend(kept.files);
        Ok((kept.stored, profiled))
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

/// What came of a workload; its own failure becomes its problem.
fn its_own_fault<T>(result: Result<T, EvidenceError>, problem: &mut Option<String>) -> Result<Option<T>, EvidenceError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_its_own_fault(&error) => {
            *problem = Some(error.to_string());
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

pub(super) fn is_its_own_fault(error: &EvidenceError) -> bool {
    match error {
        EvidenceError::Harness(error) => HarnessError::is_workload_failure(error),
        _ => false,
    }
}
