//! Runs everything that a side has, once, for its evidence.

use std::collections::BTreeMap;
use std::ffi::OsString;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Scratch, SideError, sampler};
use crate::commands::context::{Context, TIMEOUT};
use crate::error::Result;
use crate::evidence::{Collector, Evidence, Prober, Program, enumerate};
use crate::figures::counted;
use crate::measure::{ClockShim, LiveRunner, Side};
use crate::profile::Profile;
use crate::shell::Shell;
use crate::source::Item;

/// The evidence of a side, and what is to be stored with it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gathered {
    /// The evidence.
    pub(crate) evidence: Evidence,
    /// Paths inside a baseline and their contents.
    pub(crate) files: Vec<(Utf8PathBuf, Vec<u8>)>,
    /// Profiles per workload.
    pub(crate) profiles: BTreeMap<String, Profile>,
    /// What limits the conclusions.
    pub(crate) warnings: Vec<String>,
}

/// The CPU clock for unmodified harnesses; without it, workloads are timed on the wall clock.
pub(crate) fn clock_shim(context: &Context, warnings: &mut Vec<String>) -> Option<ClockShim> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    match ClockShim::prepare(context.state.join("clock").as_std_path(), &rustc) {
        Ok(shim) => Some(shim),
        Err(error) => {
            warnings.push(format!("no CPU clock for harnesses, so they are timed on the wall clock: {error}"));
            None
        }
    }
}

/// Gathers. `root` is the top of the side's tree, `items` are all of its items.
pub(crate) fn gather(
    context: &Context,
    programs: &[Program],
    root: &Utf8Path,
    items: &[Item],
    scratch: &Scratch,
    shell: &mut Shell,
) -> Result<Gathered> {
    let mut gathered = Gathered::default();
    let shim = clock_shim(context, &mut gathered.warnings);
    let sampler = sampler(context, shell);
    gathered.evidence.sampled_by(&sampler);
    let listing = scratch.path().join("list");
    fs_err::create_dir_all(&listing)?;
    let found = enumerate(programs, root, &context.filter, &listing)?;
    gathered.evidence.built_in = root.to_owned();
    gathered.evidence.programs = programs.to_vec();
    gathered.evidence.skipped = found.skipped;

    let code: Vec<&Item> = items.iter().filter(|item| item.kind.is_code() && !item.test_only).collect();
    let question = Collector::question(root, &code);
    let mut collector = Collector {
        runner: LiveRunner::new(shim.as_ref(), scratch.path().as_std_path(), TIMEOUT),
        root,
        profiling: gathered.evidence.refusal.is_none().then(|| context.profiling()),
        sampler,
        items: code,
        prober: Prober::new(&question),
    };
    shell.status("Profiling", counted(found.workloads.len(), "workload"));
    let progress = shell.progress("Profiling", Some(found.workloads.len() as u64));
    for (number, driven) in found.workloads.iter().enumerate() {
        progress.set_message(&driven.workload.id);
        let Some(program) = gathered.evidence.program_of(&driven.workload).cloned() else { continue };
        let copy = copy_of(&program, root, scratch)?;
        let collected = collector.collect(number, driven, &program, &copy)?;
        gathered.evidence.workloads.push(collected.evidence);
        gathered.files.extend(collected.files);
        if let Some(profile) = collected.profile {
            gathered.profiles.insert(driven.workload.id.clone(), profile);
        }
        progress.inc();
    }
    progress.finish();
    nothing_ran(&gathered)?;
    Ok(gathered)
}

fn copy_of(program: &Program, root: &Utf8Path, scratch: &Scratch) -> Result<Side> {
    let sub = format!("copy/{}", program.package);
    let at = scratch.path().join(&sub).join(program.executable.file_name().unwrap_or("program"));
    let executable = if at.exists() { at } else { scratch.copy(&program.executable, &sub)? };
    Ok(Program { executable, ..program.clone() }.side(root))
}

fn nothing_ran(gathered: &Gathered) -> Result<()> {
    let workloads = &gathered.evidence.workloads;
    if workloads.iter().any(|evidence| evidence.calibration.is_some()) {
        return Ok(());
    }
    let problems = workloads.iter().filter_map(|evidence| evidence.problem.clone());
    let skipped = gathered.evidence.skipped.iter().map(|one| format!("{}: {}", one.name, one.reason));
    Err(SideError::NothingRan { problems: problems.chain(skipped).collect() }.into())
}
