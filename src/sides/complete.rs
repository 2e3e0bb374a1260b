//! Collects what is still pending about a base, once it is known which of its workloads the change reaches.

use std::time::Instant;

use camino::Utf8PathBuf;

use super::gather::{collector, copies_of, nothing_ran};
use super::{Base, Scratch, clock_shim, sampler};
use crate::commands::context::Context;
use crate::error::Result;
use crate::evidence::{Collected, WorkloadEvidence};
use crate::figures::counted;
use crate::profile::Engine;
use crate::sample::Sampler;
use crate::shell::Shell;
use crate::store::Store;

/// What a completion works with.
pub(crate) struct Completion<'a> {
    pub(crate) context: &'a Context,
    pub(crate) scratch: &'a Scratch,
    /// When the time is up; what is pending then stays so.
    pub(crate) until: Option<Instant>,
}

impl Completion<'_> {
    /// Profiles those among these, in this order, that have no profile and no problem; returns those that the time did not suffice for.
    pub(crate) fn profile(&self, base: &mut Base, ids: &[String], shell: &mut Shell) -> Result<Vec<String>> {
        let lacks = |one: &WorkloadEvidence| one.profile.is_none() && one.problem.is_none();
        let pending = numbers(base, ids, lacks);
        let mut put_off = Vec::new();
        let sampler = if pending.is_empty() { return Ok(put_off) } else { sampler(self.context, shell) };
        if sampler.engine() == Engine::None {
            return Ok(put_off);
        }
        let root = base.root.clone();
        let mut collector = collector(self.context, None, &root, sampler, self.scratch);
        if self.has_time() {
            shell.status("Profiling", format!("{} of the base", counted(pending.len(), "workload")));
        }
        let progress = shell.progress("Profiling", Some(pending.len() as u64));
        for number in pending {
            let Some((evidence, program)) = pair(base, number) else { continue };
            if !self.has_time() {
                put_off.push(evidence.workload.id);
                continue;
            }
            progress.set_message(&evidence.workload.id);
            let mut collected = Collected { evidence, files: Vec::new(), profile: None };
            collector.sample(number, &mut collected, &program)?;
            let id = collected.evidence.workload.id.clone();
            base.profiles.extend(collected.profile.map(|profile| (id, profile)));
            base.unkept.extend(collected.files);
            put(base, number, collected.evidence);
            progress.inc();
        }
        progress.finish();
        Ok(put_off)
    }

    /// Measures the pending workloads among these, in this order.
    pub(crate) fn calibrate(&self, base: &mut Base, ids: &[String], shell: &mut Shell) -> Result<()> {
        let pending = numbers(base, ids, |one| one.pending);
        if pending.is_empty() || !self.has_time() {
            return Ok(());
        }
        let root = base.root.clone();
        let shim = clock_shim(self.context, &mut base.warnings);
        let mut collector = collector(self.context, shim.as_ref(), &root, Sampler::none(), self.scratch);
        shell.status("Calibrating", format!("{} of the base", counted(pending.len(), "workload")));
        let progress = shell.progress("Calibrating", Some(pending.len() as u64));
        for number in pending {
            let Some((mut evidence, program)) = pair(base, number).filter(|_| self.has_time()) else { continue };
            progress.set_message(&evidence.workload.id);
            collector.calibrate(&mut evidence, &program, &copies_of(&program, &root, self.scratch)?)?;
            put(base, number, evidence);
            progress.inc();
        }
        progress.finish();
        nothing_ran(&base.evidence)
    }

    fn has_time(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() < until)
    }
}

fn numbers(base: &Base, ids: &[String], lacks: impl Fn(&WorkloadEvidence) -> bool) -> Vec<usize> {
    let number = |id: &String| base.evidence.workloads.iter().position(|one| one.workload.id == *id && lacks(one));
    ids.iter().filter_map(number).collect()
}

fn pair(base: &Base, number: usize) -> Option<(WorkloadEvidence, crate::evidence::Program)> {
    let evidence = base.evidence.workloads.get(number)?.clone();
    let program = base.evidence.program_of(&evidence.workload)?.clone();
    Some((evidence, program))
}

fn put(base: &mut Base, number: usize, evidence: WorkloadEvidence) {
    if let Some(place) = base.evidence.workloads.get_mut(number) {
        *place = evidence;
    }
}

/// Stores the baseline again, when there is anything new about it.
pub(crate) fn keep(store: &Store, base: &mut Base) -> Result<()> {
    if base.baseline.record.workloads.workloads == base.evidence.workloads {
        return Ok(());
    }
    let files: Vec<(Utf8PathBuf, Vec<u8>)> = std::mem::take(&mut base.unkept);
    let mut draft = store.draft()?;
    for path in base.baseline.record.files.keys().filter(|path| !files.iter().any(|(new, _)| new == *path)) {
        draft.add_file(path, &base.baseline.path(path))?;
    }
    for (path, bytes) in &files {
        draft.add_bytes(path, bytes)?;
    }
    let mut record = base.baseline.record.clone();
    record.workloads.workloads.clone_from(&base.evidence.workloads);
    base.baseline = store.save_baseline(record, draft)?;
    for (program, stored) in base.evidence.programs.iter_mut().zip(&base.baseline.record.workloads.programs) {
        program.executable = base.baseline.path(&stored.executable);
    }
    Ok(())
}
