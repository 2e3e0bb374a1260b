//! Collects what is still pending about a base, once it is known which of its workloads the change reaches.

use camino::Utf8PathBuf;

use super::gather::{collector, copy_of, nothing_ran};
use super::{Base, Scratch, clock_shim};
use crate::commands::context::Context;
use crate::error::Result;
use crate::evidence::WorkloadEvidence;
use crate::figures::counted;
use crate::shell::Shell;
use crate::store::Store;

/// Measures and profiles the pending workloads that are `wanted`, and keeps what came of it with the stored baseline.
pub(crate) fn complete(
    context: &Context,
    store: &Store,
    base: &mut Base,
    wanted: impl Fn(&str) -> bool,
    scratch: &Scratch,
    shell: &mut Shell,
) -> Result<()> {
    let is_wanted = |one: &WorkloadEvidence| one.pending && wanted(&one.workload.id);
    let pending: Vec<usize> = (0..).zip(&base.evidence.workloads).filter(|(_, one)| is_wanted(one)).map(|(n, _)| n).collect();
    if pending.is_empty() {
        return Ok(());
    }
    let root = base.root.clone();
    let shim = clock_shim(context, &mut base.warnings);
    let mut collector = collector(context, shim.as_ref(), &root, &base.evidence, scratch);
    let mut files = Vec::new();
    shell.status("Profiling", format!("{} of the base", counted(pending.len(), "workload")));
    let progress = shell.progress("Profiling", Some(pending.len() as u64));
    for number in pending {
        let Some(looked_at) = base.evidence.workloads.get(number).cloned() else { continue };
        let id = looked_at.workload.id.clone();
        progress.set_message(&id);
        let Some(program) = base.evidence.program_of(&looked_at.workload).cloned() else { continue };
        let collected = collector.collect(number, looked_at, &program, &copy_of(&program, &root, scratch)?)?;
        if let Some(evidence) = base.evidence.workloads.get_mut(number) {
            *evidence = collected.evidence;
        }
        files.extend(collected.files);
        base.profiles.extend(collected.profile.map(|profile| (id, profile)));
        progress.inc();
    }
    progress.finish();
    nothing_ran(&base.evidence)?;
    keep(store, base, &files)
}

/// Stores the baseline again, with what is new.
fn keep(store: &Store, base: &mut Base, files: &[(Utf8PathBuf, Vec<u8>)]) -> Result<()> {
    let mut draft = store.draft()?;
    for path in base.baseline.record.files.keys() {
        draft.add_file(path, &base.baseline.path(path))?;
    }
    for (path, bytes) in files {
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
