//! Watches both sides of a workload in turn, where what it waits for may have moved.

use std::time::{Duration, Instant};

use camino::Utf8Path;

use super::measure::Found;
use crate::commands::context::Context;
use crate::diagnose::{Part, Time, Work};
use crate::error::Result;
use crate::evidence::{Driven, EvidenceError, Watched, watch};
use crate::figures;
use crate::heat::FEWEST_PAIRS;
use crate::measure::{Job, LiveRunner, Side};
use crate::process::{ProcessError, interrupted};
use crate::profile::Engine;
use crate::sample::Sampler;
use crate::shell::Shell;
use crate::sides::sampler;
use crate::stats::Outcome;

/// Pairs per workload.
const PAIRS: usize = 8;

/// Time for all workloads together.
const PATIENCE: Duration = Duration::from_secs(90);

/// From this part of the work time on, waits and the kernel may be where a difference is.
const MATTERS: f64 = 0.03;

/// From this difference of the waits' part between the profiles of both sides on, a workload is watched although its time, which may
/// be CPU time, stayed the same.
const MOVED: f64 = 0.1;

/// Watches. Whatever fails is said of the workload and fails nothing.
pub(super) fn watch_sides(
    context: &Context,
    jobs: &[Job],
    runner: &mut LiveRunner<'_>,
    found: &mut Found<'_>,
    until: Option<Instant>,
    shell: &mut Shell,
) -> Result<()> {
    let mut asked: Vec<&Job> = jobs.iter().filter(|job| may_wait(found, job)).collect();
    if asked.is_empty() {
        return Ok(());
    }
    let sampler = sampler(context, shell);
    if sampler.engine() == Engine::None {
        return Ok(());
    }
    asked.sort_by(|a, b| b.priority.total_cmp(&a.priority));
    shell.status("Watching", format!("what {} for", waits(asked.len())));
    let bar = shell.progress("Watching", Some(asked.len() as u64));
    let patience = Instant::now() + PATIENCE;
    let until = until.map_or(patience, |until| until.min(patience));
    for job in asked {
        bar.set_message(&job.workload.id);
        let result = pairs(job, runner, &sampler, until);
        if interrupted() {
            return Err(ProcessError::Interrupted.into());
        }
        found.watched.insert(job.workload.id.clone(), result);
        bar.inc();
    }
    bar.finish();
    Ok(())
}

fn waits(count: usize) -> String {
    let verb = if count == 1 { "waits" } else { "wait" };
    format!("{} {verb}", figures::counted(count, "workload"))
}

/// True where something moved, or the two profiles wait differently, and waits or the kernel may have a part in it.
fn may_wait(found: &Found<'_>, job: &Job) -> bool {
    let Some(Ok(measured)) = found.measured.get(&job.workload.id) else { return false };
    let moved = matches!(measured.outcome, Some(Outcome::Slower | Outcome::Faster));
    let work = |evidence: &crate::evidence::Evidence| evidence.of(&job.workload.id).and_then(|one| one.work.clone());
    let parts = [work(&found.base.evidence), work(&found.survey.evidence)].map(|work| work.as_ref().map(beside_user));
    let [Some((base_waits, base_kernel)), Some((head_waits, head_kernel))] = parts else { return false };
    let matters = [base_waits, base_kernel, head_waits, head_kernel].iter().any(|part| *part >= MATTERS);
    job.gating && measured.outcome.is_some() && ((moved && matters) || (head_waits - base_waits).abs() >= MOVED)
}

/// The parts of the work time that are waited and in the kernel.
fn beside_user(work: &Work) -> (f64, f64) {
    let time = Time::of(work);
    (1.0 - time.on_cpu(), time.share(Part::Kernel))
}

type Pair = [Watched; 2];

/// Base and head in turn, the order alternating.
fn pairs(job: &Job, runner: &mut LiveRunner<'_>, sampler: &Sampler, until: Instant) -> std::result::Result<Vec<Pair>, String> {
    let mut pairs = Vec::with_capacity(PAIRS);
    for number in 0..PAIRS {
        if Instant::now() >= until || interrupted() {
            break;
        }
        let mut one = |side: &Side| one(job, side, runner, sampler);
        pairs.push(if number % 2 == 0 {
            let base = one(&job.base)?;
            [base, one(&job.head)?]
        } else {
            let head = one(&job.head)?;
            [one(&job.base)?, head]
        });
    }
    if pairs.len() < FEWEST_PAIRS { Err("no time was left to watch both sides in turn".into()) } else { Ok(pairs) }
}

fn one(job: &Job, side: &Side, runner: &mut LiveRunner<'_>, sampler: &Sampler) -> std::result::Result<Watched, String> {
    let of = |runner: &mut LiveRunner<'_>| -> std::result::Result<Watched, EvidenceError> {
        let driven = Driven { workload: job.workload.clone(), harness: runner.harness(&job.workload, side)? };
        let scratch = runner.fresh_scratch()?;
        let dir = Utf8Path::from_path(scratch.path()).unwrap_or(Utf8Path::new("."));
        watch(&driven, side, sampler, &runner.limits(&job.workload), dir)
    };
    of(runner).map_err(|error| error.to_string())
}
