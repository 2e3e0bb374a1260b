//! `verify`: rebuild, re-measure base and head side by side, join with the diff, judge.

mod announce;
mod base;
mod comparable;
mod compared;
mod confirm;
mod count;
pub(super) mod judge;
mod measure;
mod stopwatch;
mod watch;
mod witness;

use compared::Kept;

use super::context::{Context, Request};
use super::report::show;
use crate::analysis::Analysis;
use crate::cli::{OnInconclusive, VerifyArgs};
use crate::config::{Config, Program, WorkloadConfig};
use crate::error::{Expected, Result};
use crate::evidence::Evidence;
use crate::exit::Exit;
use crate::git::{Choice, base::Base as Chosen};
use crate::measure::{Workload, WorkloadKind};
use crate::shell::Shell;
use crate::sides::{Head, Scratch, read_diff};
use crate::store::Store;
use crate::verdict::{FailOn, Policy};

/// What `verify` does beyond measuring.
pub(crate) struct Wishes<'a> {
    /// The command line.
    pub(crate) args: &'a VerifyArgs,
    /// What fails.
    pub(crate) policy: Policy,
}

/// Verifies the working tree, or each commit that a push proposes; the worst result decides.
pub(crate) fn verify(args: &VerifyArgs, shell: &mut Shell) -> Result<Exit> {
    let context = load(args)?;
    let fail_on = context.config.fail_on.clone().unwrap_or_default();
    let policy = Policy::new(&fail_on, context.config.on_inconclusive.unwrap_or_default());
    let wishes = Wishes { args, policy };
    let store = Store::open(&context.state)?;
    let mut worst = Exit::Pass;
    for choice in base::choices(&context, &store, args)? {
        let exit = match choice {
            Choice::Nothing { reason } => {
                shell.status("Skipping", reason);
                Exit::Pass
            }
            Choice::Base(chosen) => one(&context, &store, &wishes, &chosen, shell)?,
        };
        if severity(exit) > severity(worst) {
            worst = exit;
        }
    }
    Ok(worst)
}

fn severity(exit: Exit) -> u8 {
    match exit {
        Exit::Pass => 0,
        Exit::Inconclusive => 1,
        Exit::Failed => 2,
        _ => 3,
    }
}

fn load(args: &VerifyArgs) -> Result<Context> {
    let mut fail_on = Vec::new();
    for word in &args.fail_on {
        fail_on.push(word.parse::<FailOn>()?);
    }
    let margin = args.margin.map(|percent| percent / 100.0);
    if margin.is_some_and(|margin| !(0.001..=0.5).contains(&margin)) {
        return Err(super::context::ContextError::Range {
            flag: "--margin",
            value: args.margin.unwrap_or_default().to_string(),
            why: "choose 0.1 to 50 per cent",
        }
        .into());
    }
    let flags = Config {
        margin,
        fail_on: (!fail_on.is_empty()).then_some(fail_on),
        on_inconclusive: args.on_inconclusive.map(|what| match what {
            OnInconclusive::Pass => crate::verdict::OnInconclusive::Pass,
            OnInconclusive::Fail => crate::verdict::OnInconclusive::Fail,
        }),
        ..Config::default()
    };
    Context::load(Request {
        selection: &args.selection,
        store: &args.store,
        measurement: &args.measurement,
        args: &args.args,
        flags,
        remembered: remembered(args)?,
    })
}

/// The binaries that the baseline was made with: `baseline --bin importer -- ARGS` need not be repeated.
fn remembered(args: &VerifyArgs) -> Result<Vec<(String, WorkloadConfig)>> {
    let target_dir = args.selection.compilation.target_dir.as_deref();
    let (_, _, state) = super::context::locate(&args.selection.manifest, &args.store, target_dir)?;
    let name = args.baseline.as_deref().unwrap_or("default");
    // Whether the baseline is there and whole is for later steps to say.
    let Ok(baseline) = Store::read(&state).load_baseline::<Evidence>(name) else { return Ok(Vec::new()) };
    let binaries =
        baseline.record.workloads.workloads.into_iter().map(|one| one.workload).filter(|w| w.kind == WorkloadKind::Binary);
    let table = |workload: Workload| WorkloadConfig {
        name: workload.id,
        program: Program::Bin(workload.target),
        args: workload.args,
        datasets: workload.datasets,
        timeout: workload.timeout_ms.map(std::time::Duration::from_millis),
        throughput: None,
        slo: Vec::new(),
    };
    Ok(binaries.map(|workload| (workload.package.clone(), table(workload))).collect())
}

/// The whole workflow for one pair of base and head.
fn one(context: &Context, store: &Store, wishes: &Wishes<'_>, chosen: &Chosen, shell: &mut Shell) -> Result<Exit> {
    let base_tree = base::tree_of(store, wishes.args, chosen)?;
    let head = Head::prepare(context, chosen.head.as_deref(), shell)?;
    let diff = read_diff(&context.git, &base_tree, &head.as_git(), &context.crate_roots(), &context.package_dirs())?;
    shell.status("Comparing", base::comparing(chosen, &head.named(context)?, &diff));
    let (analysis, kept) = if diff.is_nothing() && !wishes.args.remeasure {
        (judge::nothing_changed(context, chosen, &head, &diff)?, Kept::default())
    } else {
        context.must_have_targets()?;
        let scratch = Scratch::new(&context.state)?;
        measure::compare(context, store, wishes, chosen, &base_tree, &head, &diff, &scratch, shell)?
    };
    finish(&analysis, &kept, store, wishes, shell)
}

fn finish(analysis: &Analysis, kept: &Kept, store: &Store, wishes: &Wishes<'_>, shell: &mut Shell) -> Result<Exit> {
    let path = store.save_analysis(&serde_json::to_value(analysis).map_err(Unwritable)?)?;
    kept.save(store, &path)?;
    show(analysis, wishes.args.format.message_format, shell)?;
    Ok(match analysis.exit_code {
        0 => Exit::Pass,
        103 => Exit::Inconclusive,
        _ => Exit::Failed,
    })
}

/// An analysis that JSON cannot carry.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the analysis: {0}")]
pub(crate) struct Unwritable(pub(crate) serde_json::Error);

impl Expected for Unwritable {}
