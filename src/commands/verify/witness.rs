//! The second witness: instructions of what could become a claim, and of what the change reaches without moving the clock.

use std::time::{Duration, Instant};

use super::measure::Found;
use crate::analysis::{ChangeResult, WorkloadResult};
use crate::commands::context::Context;
use crate::conclude::{Counts, Testimony, no_witness, witnessed};
use crate::error::Result;
use crate::evidence::{Asked, SideCounts, Witness, WitnessError};
use crate::figures;
use crate::heat::PathMapper;
use crate::join::{Reached, SideView};
use crate::measure::allocations::AllocationCounter;
use crate::measure::instructions::instruction_pairs;
use crate::measure::{Job, LiveRunner, Side};
use crate::process::{Limits, interrupted};
use crate::sample::counter::{Event, countable};
use crate::shell::Shell;
use crate::sides::allocation_counter;
use crate::source::{Change, ChangeKind, Item};
use crate::stats;

/// Time for all workloads together: a criterion benchmark takes about a second per run.
const PATIENCE: Duration = Duration::from_secs(45);
/// Time for one run.
const LIMIT: Duration = Duration::from_secs(30);

/// Counts. Whatever fails is said of the workload and fails nothing.
pub(super) fn ask(
    context: &Context,
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
    let sources = Sources::find(context);
    if let (None, Err(why)) = (&sources.hardware, &sources.callgrind) {
        for job in asked.iter().filter(|job| found.confirmations.contains_key(&job.workload.id)) {
            found.witnesses.insert(job.workload.id.clone(), Err(why.to_string()));
        }
        return Ok(());
    }
    shell.status("Counting", format!("instructions of {}", figures::counted(asked.len(), "workload")));
    let bar = shell.progress("Counting", Some(asked.len() as u64));
    let start = Instant::now();
    for job in asked {
        let id = &job.workload.id;
        bar.set_message(id);
        let left = PATIENCE.saturating_sub(start.elapsed());
        let result = if left.is_zero() {
            Err("other workloads took all the time for it".to_owned())
        } else {
            let limits = Limits { timeout: left.min(LIMIT), ..runner.limits(&job.workload) };
            sources.ask(job, changes, runner, found, limits)
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

/// Who counts here.
struct Sources {
    /// The processor's counter, with the library whose clock makes iterations known; `None` where it does not count.
    hardware: Option<std::result::Result<AllocationCounter, String>>,
    callgrind: std::result::Result<Witness, WitnessError>,
}

impl Sources {
    fn find(context: &Context) -> Self {
        let counts = countable(Event::Instructions).is_ok();
        Self { hardware: counts.then(|| allocation_counter(context)), callgrind: Witness::find() }
    }

    /// The processor first; callgrind where a workload's harness leaves it nothing to count.
    fn ask(
        &self,
        job: &Job,
        changes: &[Change],
        runner: &mut LiveRunner<'_>,
        found: &Found<'_>,
        limits: Limits,
    ) -> std::result::Result<Testimony, String> {
        let mut refused = String::new();
        if let Some(counter) = &self.hardware {
            let (counter, sides) = (counter.as_ref().map_err(String::as_str), (&job.base, &job.head));
            match instruction_pairs(runner, counter, &job.workload, sides, limits, Event::Instructions) {
                Ok(pairs) => return Ok(Testimony::Whole(pairs)),
                Err(why) => refused = format!("{why}; "),
            }
        }
        let counts = match &self.callgrind {
            Ok(witness) => count(*witness, job, changes, runner, found, limits).map_err(|why| why.to_string()),
            Err(why) => Err(why.to_string()),
        };
        counts.map(Testimony::Items).map_err(|why| format!("{refused}{why}"))
    }
}

/// What was repeated first, then what a changed item reaches and the clock calls the same, the hottest first.
fn worth_asking<'a>(jobs: &'a [Job], found: &Found<'_>) -> Vec<&'a Job> {
    let repeated = |job: &&Job| found.confirmations.contains_key(&job.workload.id);
    let reached = |id: &str| found.reaches.get(id).is_some_and(|reach| reach.reached == Reached::Yes);
    let same = |job: &&Job| job.gating && reached(&job.workload.id) && outcome(found, job) == Some(stats::Outcome::Same);
    let (mut first, mut then): (Vec<&Job>, Vec<&Job>) =
        (jobs.iter().filter(repeated).collect(), jobs.iter().filter(same).collect());
    then.retain(|job| !repeated(job));
    then.sort_by(|a, b| b.priority.total_cmp(&a.priority));
    first.append(&mut then);
    first
}

fn outcome(found: &Found<'_>, job: &Job) -> Option<stats::Outcome> {
    found.measured.get(&job.workload.id)?.as_ref().ok()?.outcome
}

/// Draws the conclusions, once the outcomes are settled. `changes` are those whose shares are believed to be small where they are
/// small: none when only a part was profiled, or coarsely.
pub(super) fn conclude(found: &Found<'_>, changes: &[ChangeResult], workloads: &mut [WorkloadResult]) {
    let counted = || found.witnesses.values().filter_map(|one| one.as_ref().ok());
    let held = held(changes).map(|held| counted().map(Testimony::largest_share).fold(held, f64::max));
    for workload in workloads {
        workload.witness = found.witnesses.get(&workload.id).map(|counts| match counts {
            Ok(counts) => witnessed(counts, workload.outcome, held),
            Err(why) => no_witness(why),
        });
    }
}

/// The largest share of samples that a changed item may have of any workload. `None` where that is unknown of one, or where what
/// changed has no share.
fn held(changes: &[ChangeResult]) -> Option<f64> {
    let behaves = |change: &&ChangeResult| change.kind != ChangeKind::Moved && !change.test_only;
    let mut shares = changes.iter().filter(behaves).map(|change| change.high).peekable();
    shares.peek()?;
    shares.try_fold(0.0, |largest: f64, share| share.map(|share| largest.max(share)))
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
) -> std::result::Result<Counts, WitnessError> {
    let behaves = |change: &&Change| !matches!(change.kind, ChangeKind::Moved | ChangeKind::Ambient);
    let code = |change: &&Change| change.item().is_some_and(|item| item.kind.is_code() && !item.test_only);
    let asked: Vec<&Change> = changes.iter().filter(behaves).filter(code).collect();
    let names: Vec<String> = asked.iter().filter_map(|change| change.item()).map(|item| item.path.clone()).collect();
    let base = Question::new(found.base_view, &job.base, asked.iter().map(|change| change.base.as_ref()).collect());
    let head = Question::new(found.head_view, &job.head, asked.iter().map(|change| change.head.as_ref()).collect());
    let mut of = |question: &Question<'_>| question.count(witness, job, runner, limits);
    Ok(Counts { items: names, base: of(&base)?, head: of(&head)?, again: of(&base)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Heat;
    use crate::report::samples::{ambient, heated};

    #[test]
    fn what_is_held_is_known_only_when_it_is_known_of_every_item() {
        let cold = |high| heated("a::f", Heat::Cold, (high / 2.0, 0.0, high), "w");
        assert_eq!(held(&[cold(0.002), cold(0.004)]), Some(0.004));
        assert_eq!(held(&[]), None);
        assert_eq!(held(&[cold(0.002), ambient("Cargo.lock", ChangeKind::Ambient, None)]), None);
        let moved = ChangeResult { kind: ChangeKind::Moved, high: None, ..cold(0.1) };
        assert_eq!(held(&[cold(0.002), moved]), Some(0.002));
    }
}
