//! The second stage of measuring: what screening called slower or faster is repeated, over other links where that is possible.

use camino::Utf8Path;

use super::Wishes;
use super::measure::{Found, following};
use crate::analysis::ConfirmationResult;
use crate::commands::context::Context;
use crate::error::Result;
use crate::figures;
use crate::measure::{Candidate, Confirmed, Job, LiveRunner, Measured, Session, Settings, confirm};
use crate::shell::Shell;
use crate::sides::{Head, Relinked, Relinks, Scratch};
use crate::stats::Outcome;

/// What the stage needs.
pub(super) struct Stage<'a> {
    pub(super) context: &'a Context,
    pub(super) wishes: &'a Wishes<'a>,
    pub(super) head: &'a Head,
    pub(super) scratch: &'a Scratch,
    pub(super) jobs: &'a [Job],
}

impl Stage<'_> {
    /// Takes over the results of screening, and repeats those that could become claims.
    pub(super) fn run(
        &self,
        session: Session,
        runner: &mut LiveRunner<'_>,
        settings: &Settings,
        found: &mut Found<'_>,
        shell: &mut Shell,
    ) -> Result<()> {
        let left = settings.max_time.map(|limit| limit.saturating_sub(session.elapsed));
        let settings = Settings { max_time: left, seed: settings.seed.rotate_left(17), ..settings.clone() };
        let (mut candidates, mut notes) = (Vec::new(), Vec::new());
        let mut relinks = Relinks::new(self.context, &found.base, self.head, self.scratch, settings.seed, left);
        for (job, measured) in self.by_priority(session.measured) {
            if !is_claim(&measured) {
                found.measured.insert(measured.workload.clone(), Ok(measured));
                continue;
            }
            let Relinked { links, note } = match self.reason_against(&settings) {
                Some(why) => Relinked { links: Vec::new(), note: Some(why) },
                None => match executable(found, job) {
                    Some(built) => relinks.of(job, built, shell)?,
                    None => Relinked { links: Vec::new(), note: Some("head has no such executable".into()) },
                },
            };
            candidates.push(Candidate { job: job.clone(), screened: measured, links });
            notes.push(note);
        }
        let left = left.map(|left| left.saturating_sub(relinks.built_for()));
        let settings = Settings { max_time: left, ..settings };
        drop(relinks);
        let confirmed = repeat(&candidates, runner, &settings, shell)?;
        for ((candidate, note), confirmed) in candidates.iter().zip(notes).zip(confirmed) {
            let id = candidate.job.workload.id.clone();
            found.confirmations.insert(id.clone(), result(&candidate.screened, note, &confirmed));
            found.measured.insert(id, Ok(confirmed.measured));
        }
        Ok(())
    }

    /// The hottest first; the results are in the order of the jobs.
    fn by_priority(&self, measured: Vec<Measured>) -> Vec<(&Job, Measured)> {
        let mut pairs: Vec<(&Job, Measured)> = self.jobs.iter().zip(measured).collect();
        pairs.sort_by(|(a, _), (b, _)| b.priority.total_cmp(&a.priority));
        pairs
    }

    /// Why nothing need be linked.
    fn reason_against(&self, settings: &Settings) -> Option<String> {
        if self.wishes.args.no_layout {
            return Some("--no-layout".into());
        }
        settings.max_time.is_some_and(|left| left.is_zero()).then(|| "the time limit came first".into())
    }
}

/// Only what can fail the verdict is repeated: a control that moves speaks against the machine, and is not believed less for it.
fn is_claim(measured: &Measured) -> bool {
    measured.gating && matches!(measured.outcome, Some(Outcome::Slower | Outcome::Faster))
}

/// The head executable where cargo put it.
fn executable<'a>(found: &'a Found<'_>, job: &Job) -> Option<&'a Utf8Path> {
    found.survey.evidence.program_of(&job.workload).map(|program| program.executable.as_path())
}

fn repeat(
    candidates: &[Candidate],
    runner: &mut LiveRunner<'_>,
    settings: &Settings,
    shell: &mut Shell,
) -> Result<Vec<Confirmed>> {
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    shell.status("Confirming", figures::counted(candidates.len(), "workload"));
    let bar = shell.progress("Confirming", Some(candidates.len() as u64));
    let confirmed = confirm(candidates, runner, settings, following(&bar))?;
    bar.finish();
    Ok(confirmed)
}

fn result(screened: &Measured, note: Option<String>, confirmed: &Confirmed) -> ConfirmationResult {
    ConfirmationResult {
        screened: screened.primary().and_then(|metric| metric.ratio),
        links: confirmed.ratios.clone(),
        agreeing: confirmed.agreeing as u32,
        layout_sd: confirmed.layout_sd,
        note: match &confirmed.left_out {
            Some((count, how)) => Some(with_left_out(note, *count, how)),
            None => note,
        },
    }
}

/// What is said of the links, with those that fail: `2 further links left out: fails at base: …`.
fn with_left_out(note: Option<String>, count: usize, how: &str) -> String {
    let out = format!("{} left out: {how}", figures::counted(count, "further link"));
    note.map_or_else(|| out.clone(), |note| format!("{note}; {out}"))
}
