//! `baseline`: discover, build, measure, profile, store.

use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};

use super::context::{Context, Request};
use super::report::show;
use super::verify::Unwritable;
use crate::analysis::{Analysis, Command, Environment, HeadSide, SCHEMA_VERSION, TestStatus, Tests, Verdict, WorkloadResult};
use crate::cli::BaselineArgs;
use crate::conclude::{
    Profiled, add_bottlenecks, add_memory, add_root_causes, baseline_result, baseline_slos, environment, hyperfine, now,
    profile_warnings, qualities, tool,
};
use crate::config::Config;
use crate::error::{Error, Expected, Result};
use crate::evidence::WorkloadEvidence;
use crate::exit::Exit;
use crate::join::SideData;
use crate::measure::Contention;
use crate::shell::Shell;
use crate::sides::{Depth, Gathered, Scratch, Texts, all_items, build_programs, fingerprint, gather, gather_commit, save};
use crate::store::Store;
use crate::workspace::{Fingerprint, WorkspaceError};

/// Why no baseline is made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BaselineError {
    /// Numbers of a tree that nobody can check out again.
    #[error("the working tree has uncommitted changes")]
    Dirty,
}

impl Expected for BaselineError {
    fn hint(&self) -> Option<String> {
        Some("commit or stash them, measure a commit with `--rev HEAD`, or record them with `--allow-dirty`".into())
    }
}

struct Side {
    gathered: Gathered,
    fingerprint: Fingerprint,
    commit: Option<String>,
    dirty: bool,
    data: SideData,
    programs: Vec<crate::evidence::Program>,
}

/// Makes a baseline and reports what is in it.
pub(crate) fn baseline(args: &BaselineArgs, shell: &mut Shell) -> Result<Exit> {
    let context = Context::load(Request {
        selection: &args.selection,
        store: &args.store,
        measurement: &args.measurement,
        args: &args.args,
        flags: Config::default(),
        remembered: Vec::new(),
    })?;
    context.must_have_targets()?;
    let dirty = context.is_dirty()?;
    if dirty && !args.allow_dirty && args.rev.is_none() {
        return Err(BaselineError::Dirty.into());
    }
    let imported = args.import.as_deref().map_or_else(|| Ok(Vec::new()), import)?;
    let store = Store::open(&context.state)?;
    store.may_replace(&args.save)?;
    let scratch = Scratch::new(&context.state)?;
    let side = match &args.rev {
        Some(rev) => of_commit(&context, rev, &scratch, shell)?,
        None => of_working_tree(&context, dirty, &scratch, shell)?,
    };
    let mut analysis = analysis(&context, &side);
    analysis.workloads.extend(imported);
    let value = serde_json::to_value(&analysis).map_err(Unwritable)?;
    let mut gathered = side.gathered.clone();
    gathered.files.push(("analysis.json".into(), value.to_string().into_bytes()));
    save(&context, &store, &args.save, side.commit.as_deref(), gathered, &side.programs, &side.fingerprint)?;
    store.save_analysis(&value)?;
    shell.status("Stored", format!("baseline `{}` in {}", args.save, context.state));
    show(&analysis, args.format.message_format, shell)?;
    Ok(Exit::Pass)
}

/// Everything, within `--max-time`.
fn whole(context: &Context) -> Depth {
    Depth::Whole { until: context.config.max_time.map(|limit| Instant::now() + limit) }
}

fn import(file: &Utf8Path) -> Result<Vec<WorkloadResult>> {
    Ok(hyperfine(file.as_str(), &fs_err::read(file)?)?)
}

fn of_working_tree(context: &Context, dirty: bool, scratch: &Scratch, shell: &mut Shell) -> Result<Side> {
    let root: Utf8PathBuf = context.git.root().to_owned();
    let built = build_programs(context, &context.workspace, &root, "base", &context.targets(), shell).map_err(of_this_tree)?;
    let items = all_items(&Texts::Disk(&context.git, root.clone()), &context.crate_roots())?;
    let mut gathered = gather(context, &built.programs, &root, &items, whole(context), scratch, shell)?;
    if dirty {
        gathered.evidence.dirty_tree = context.git.snapshot()?.or(context.git.head()?);
    }
    let data = with_profiles(SideData::new(&root, items), &gathered);
    let fingerprint = fingerprint(context, &context.workspace)?;
    Ok(Side { gathered, fingerprint, commit: context.git.head()?, dirty, data, programs: built.programs })
}

fn of_commit(context: &Context, rev: &str, scratch: &Scratch, shell: &mut Shell) -> Result<Side> {
    let commit = context.git.resolve(rev)?;
    let (gathered, programs, (checkout, fingerprint)) = gather_commit(context, &commit, whole(context), scratch, shell)?;
    let items = all_items(&Texts::Tree(&context.git, commit.clone()), &context.crate_roots())?;
    let data = with_profiles(SideData::new(checkout.root(), items), &gathered);
    Ok(Side { gathered, fingerprint, commit: Some(commit), dirty: false, data, programs })
}

/// What becomes a base is the reader's own working tree.
fn of_this_tree(error: Error) -> Error {
    match error.downcast_ref() {
        Some(WorkspaceError::DoesNotBuild { .. }) => WorkspaceError::DoesNotBuild { side: "the working tree".into() }.into(),
        _ => error,
    }
}

fn with_profiles(mut data: SideData, gathered: &Gathered) -> SideData {
    for (workload, profile) in &gathered.profiles {
        data.add_profile(workload, profile.clone());
    }
    data
}

fn analysis(context: &Context, side: &Side) -> Analysis {
    let stored = &side.gathered.evidence;
    let view = side.data.view();
    let mut skipped = context.skipped();
    skipped.extend(stored.skipped.clone());
    let mut warnings = side.gathered.warnings.clone();
    warnings.extend(side.gathered.contention.as_ref().and_then(Contention::words));
    warnings.extend(profile_warnings(qualities(stored)));
    warnings.extend(context.aimless_objectives(stored));
    let of_workload = |evidence: &WorkloadEvidence| WorkloadResult {
        slo: baseline_slos(&context.filter.objectives(&evidence.workload), evidence),
        ..baseline_result(evidence, &view)
    };
    let mut workloads: Vec<WorkloadResult> = stored.workloads.iter().map(of_workload).collect();
    let profiled = Profiled { evidence: stored, view: &view };
    add_bottlenecks(&mut workloads, None, profiled);
    add_memory(&mut workloads, None, profiled);
    add_root_causes(&mut workloads, None, profiled);
    Analysis {
        schema_version: SCHEMA_VERSION,
        tool: tool(),
        command: Command::Baseline,
        created: now(),
        verdict: Verdict::Pass,
        reasons: Vec::new(),
        exit_code: 0,
        base: None,
        head: HeadSide { commit: side.commit.clone(), dirty: side.dirty },
        environment: Environment { contention: side.gathered.contention, ..environment(&side.fingerprint, stored, warnings) },
        workloads,
        changes: Vec::new(),
        findings: Vec::new(),
        tests: Tests {
            status: TestStatus::NotChecked,
            packages: Vec::new(),
            summary: "a baseline runs no tests".into(),
            newly_failing: Vec::new(),
        },
        skipped,
        next_steps: vec!["change the code, then `cargo perf-expert verify`".into()],
    }
}
