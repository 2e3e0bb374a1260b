//! The second witness: instructions of what could become a claim, and of what the change reaches without moving the clock.

use std::time::{Duration, Instant};

use super::measure::Found;
use crate::analysis::{Outcome, WitnessResult};
use crate::conclude::{no_witness, witnessed};
use crate::error::Result;
use crate::evidence::{Asked, SideCounts, Witness, WitnessError};
use crate::figures;
use crate::heat::PathMapper;
use crate::join::{Reached, SideView};
use crate::measure::{Job, LiveRunner, Side};
use crate::process::{Limits, interrupted};
use crate::shell::Shell;
use crate::source::{Change, ChangeKind, Item};
use crate::stats;

/// Time for all workloads together: a criterion benchmark takes about a second per run.
const PATIENCE: Duration = Duration::from_secs(45);
/// Time for one run.
const LIMIT: Duration = Duration::from_secs(30);

/// Counts. Whatever fails is said of the workload and fails nothing.
pub(super) fn ask(
    jobs: &[Job],
    changes: &[Change],
    runner: &mut LiveRunner<'_>,
    found: &mut Found<'_>,
    shell: &mut Shell,
) -> Result<()> {
    let asked = worth_asking(jobs, found);
    if asked.is_empty() {
        return Ok(());
    }
    let witness = match Witness::find() {
        Ok(witness) => witness,
        Err(why) => {
            for job in asked.iter().filter(|job| found.confirmations.contains_key(&job.workload.id)) {
                found.witnesses.insert(job.workload.id.clone(), no_witness(&why));
            }
            return Ok(());
        }
    };
    shell.status("Counting", format!("instructions of {}", figures::counted(asked.len(), "workload")));
    let bar = shell.progress("Counting", Some(asked.len() as u64));
    let start = Instant::now();
    for job in asked {
        let id = &job.workload.id;
        bar.set_message(id);
        let left = PATIENCE.saturating_sub(start.elapsed());
        let result = if left.is_zero() {
            no_witness("other workloads took all the time for it")
        } else {
            let limits = Limits { timeout: left.min(LIMIT), ..runner.limits(&job.workload) };
            count(witness, job, changes, runner, found, limits).unwrap_or_else(no_witness)
        };
        if interrupted() {
            return Err(crate::process::ProcessError::Interrupted.into());
        }
        found.witnesses.insert(id.clone(), result);
        bar.inc();
    }
    bar.finish();
    Ok(())
}

/// What was repeated first, then what a changed item reaches and the clock calls the same, the hottest first.
fn worth_asking<'a>(jobs: &'a [Job], found: &Found<'_>) -> Vec<&'a Job> {
    let repeated = |job: &&Job| found.confirmations.contains_key(&job.workload.id);
    let reached = |id: &str| found.reaches.get(id).is_some_and(|reach| reach.reached == Reached::Yes);
    let same = |job: &&Job| job.gating && reached(&job.workload.id) && outcome(found, job) == Outcome::Same;
    let (mut first, mut then): (Vec<&Job>, Vec<&Job>) =
        (jobs.iter().filter(repeated).collect(), jobs.iter().filter(same).collect());
    then.retain(|job| !repeated(job));
    then.sort_by(|a, b| b.priority.total_cmp(&a.priority));
    first.append(&mut then);
    first
}

fn outcome(found: &Found<'_>, job: &Job) -> Outcome {
    match found.measured.get(&job.workload.id).and_then(|measured| measured.as_ref().ok()).and_then(|measured| measured.outcome) {
        Some(stats::Outcome::Faster) => Outcome::Faster,
        Some(stats::Outcome::Slower) => Outcome::Slower,
        Some(stats::Outcome::Same) => Outcome::Same,
        Some(stats::Outcome::Inconclusive) => Outcome::Inconclusive,
        None => Outcome::NotMeasured,
    }
}

/// One side's part of the question.
struct Question<'a> {
    view: &'a SideView<'a>,
    paths: PathMapper,
    side: &'a Side,
    items: Vec<Option<&'a str>>,
}

impl<'a> Question<'a> {
    fn new(view: &'a SideView<'a>, side: &'a Side, items: Vec<Option<&'a Item>>) -> Self {
        let items = items.into_iter().map(|item| item.map(|item| item.key.as_str())).collect();
        Self { view, paths: view.paths(), side, items }
    }

    fn count(
        &self,
        witness: Witness,
        job: &Job,
        runner: &mut LiveRunner<'_>,
        limits: Limits,
    ) -> std::result::Result<SideCounts, WitnessError> {
        let harness = runner.harness(&job.workload, self.side)?;
        let scratch = runner.fresh_scratch()?;
        let asked = Asked { tree: self.view.tree(), mapper: &self.paths, items: self.items.clone() };
        witness.count(&harness, &job.workload, self.side, &asked, limits, scratch.path())
    }
}

fn count(
    witness: Witness,
    job: &Job,
    changes: &[Change],
    runner: &mut LiveRunner<'_>,
    found: &Found<'_>,
    limits: Limits,
) -> std::result::Result<WitnessResult, WitnessError> {
    let behaves = |change: &&Change| !matches!(change.kind, ChangeKind::Moved | ChangeKind::Ambient);
    let code = |change: &&Change| change.item().is_some_and(|item| item.kind.is_code() && !item.test_only);
    let asked: Vec<&Change> = changes.iter().filter(behaves).filter(code).collect();
    let names: Vec<String> = asked.iter().filter_map(|change| change.item()).map(|item| item.path.clone()).collect();
    let base = Question::new(found.base_view, &job.base, asked.iter().map(|change| change.base.as_ref()).collect());
    let head = Question::new(found.head_view, &job.head, asked.iter().map(|change| change.head.as_ref()).collect());
    let (old, new) = (base.count(witness, job, runner, limits)?, head.count(witness, job, runner, limits)?);
    let again = base.count(witness, job, runner, limits)?;
    Ok(witnessed(&names, &old, &new, &again, outcome(found, job)))
}
