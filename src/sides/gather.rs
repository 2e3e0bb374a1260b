//! Runs everything that a side has, once, for its evidence.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Scratch, SideError, sampler};
use crate::commands::context::{Context, TIMEOUT};
use crate::error::Result;
use crate::evidence::{Asker, Collector, Evidence, Prober, Program, enumerate};
use crate::figures::counted;
use crate::measure::allocations::AllocationCounter;
use crate::measure::host::{Contention, Watch};
use crate::measure::{ClockShim, LiveRunner, Side};
use crate::profile::{Engine, Profile};
use crate::sample::Sampler;
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
    /// How much of the machine others took meanwhile.
    pub(crate) contention: Option<Contention>,
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

/// How much to find out about each workload.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Depth {
    /// What it executes: tenths of a second each. The rest is collected when a change turns out to reach it ([`super::complete`]).
    Surface,
    /// Everything, until the time is up.
    Whole {
        /// When it is.
        until: Option<Instant>,
    },
}

impl Depth {
    fn collects(self) -> bool {
        match self {
            Self::Surface => false,
            Self::Whole { until } => until.is_none_or(|until| Instant::now() < until),
        }
    }
}

/// The library that counts allocations, or why there is none.
pub(crate) fn allocation_counter(context: &Context) -> std::result::Result<AllocationCounter, String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    AllocationCounter::prepare(context.state.join("clock").as_std_path(), &rustc).map_err(|error| error.to_string())
}

/// Gathers. `root` is the top of the side's tree, `items` are all of its items.
pub(crate) fn gather(
    context: &Context,
    programs: &[Program],
    root: &Utf8Path,
    items: &[Item],
    depth: Depth,
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
    gathered.evidence.selected.clone_from(&context.filter.ids);

    let code: Vec<&Item> = items.iter().filter(|item| item.kind.is_code() && !item.test_only).collect();
    let question = Asker::question(root, &code);
    let mut asker = Asker { items: code, prober: Prober::new(&question) };
    let mut collector = collector(context, shim.as_ref(), root, sampler, scratch);
    let counter = if matches!(depth, Depth::Surface) { Err(String::new()) } else { allocation_counter(context) };
    let watch = Watch::begin();
    let verb = if matches!(depth, Depth::Surface) { "Looking at" } else { "Profiling" };
    shell.status(verb, counted(found.workloads.len(), "workload"));
    let progress = shell.progress(verb, Some(found.workloads.len() as u64));
    for (number, driven) in found.workloads.iter().enumerate() {
        progress.set_message(&driven.workload.id);
        let Some(program) = gathered.evidence.program_of(&driven.workload).cloned() else { continue };
        let looked_at = collector.look(&mut asker, driven, &program)?;
        if depth.collects() {
            let copy = copy_of(&program, root, scratch)?;
            let mut collected = collector.collect(number, looked_at, &program, &copy)?;
            collector.count(&mut collected.evidence, &program, counter.as_ref().map_err(String::as_str))?;
            gathered.evidence.workloads.push(collected.evidence);
            gathered.files.extend(collected.files);
            if let Some(profile) = collected.profile {
                gathered.profiles.insert(driven.workload.id.clone(), profile);
            }
        } else {
            gathered.evidence.workloads.push(looked_at);
        }
        progress.inc();
    }
    progress.finish();
    gathered.contention = Some(watch.end(collector.runner.waited()));
    nothing_ran(&gathered.evidence)?;
    Ok(gathered)
}

/// A collector for a side.
pub(super) fn collector<'a>(
    context: &Context,
    shim: Option<&'a ClockShim>,
    root: &'a Utf8Path,
    sampler: Sampler,
    scratch: &Scratch,
) -> Collector<'a> {
    Collector {
        runner: LiveRunner::new(shim, scratch.path().as_std_path(), TIMEOUT),
        root,
        profiling: (sampler.engine() != Engine::None).then(|| context.profiling()),
        sampler,
    }
}

pub(super) fn copy_of(program: &Program, root: &Utf8Path, scratch: &Scratch) -> Result<Side> {
    let sub = format!("copy/{}", program.package);
    let at = scratch.path().join(&sub).join(program.executable.file_name().unwrap_or("program"));
    let executable = if at.exists() { at } else { scratch.copy(&program.executable, &sub)? };
    Ok(Program { executable, ..program.clone() }.side(root))
}

/// Nothing can be said when every workload failed.
pub(super) fn nothing_ran(evidence: &Evidence) -> Result<()> {
    let workloads = &evidence.workloads;
    if workloads.iter().any(|evidence| evidence.has_run() || evidence.pending) {
        return Ok(());
    }
    let problems = workloads.iter().filter_map(|evidence| evidence.problem.clone());
    let skipped = evidence.skipped.iter().map(|one| format!("{}: {}", one.name, one.reason));
    Err(SideError::NothingRan { problems: problems.chain(skipped).collect() }.into())
}
