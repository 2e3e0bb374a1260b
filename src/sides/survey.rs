//! What head's workloads execute and where they spend their time, for those that the change can reach.

mod trouble;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use camino::Utf8Path;

pub(crate) use trouble::troubles;

use super::{Base, Scratch};
use crate::commands::context::{Context, TIMEOUT};
use crate::diagnose::Work;
use crate::error::Result;
use crate::evidence::{Driven, Evidence, Prober, Question, WorkloadEvidence, enumerate, profile};
use crate::heat::Executed;
use crate::join::{SideData, cover};
use crate::measure::{LiveRunner, Workload, WorkloadKind};
use crate::profile::Profile;
use crate::sample::Sampler;
use crate::sample::probe::Outcome;
use crate::shell::Shell;
use crate::source::{Change, ChangeKind};

/// What was found out about head before anything is measured.
#[derive(Default)]
pub(crate) struct Survey {
    /// Its workloads; calibrated ones are base's business.
    pub(crate) evidence: Evidence,
    /// Whether each workload executes each change.
    pub(crate) executed: BTreeMap<String, Vec<Executed>>,
    /// Profiles of the workloads that execute any, or that an ambient change reaches.
    pub(crate) profiles: BTreeMap<String, Profile>,
    /// What else was seen of the same runs.
    works: BTreeMap<String, Work>,
    /// The workloads that the change may reach, as far as either side's answers and ambient changes tell.
    pub(crate) reached: BTreeSet<String>,
    /// A few of them that together execute every changed item that any executes.
    pub(crate) first: Vec<String>,
    /// Those that the time limit left without a profile.
    pub(crate) put_off: Vec<String>,
    /// Workloads that could not be sampled at head, and why.
    pub(crate) unsampled: Vec<String>,
    /// Workloads that failed when probed or profiled at head, and how.
    pub(crate) problems: BTreeMap<String, String>,
}

/// What the survey is about.
pub(crate) struct Subject<'a> {
    pub(crate) changes: &'a [Change],
    pub(crate) programs: &'a [crate::evidence::Program],
    pub(crate) root: &'a Utf8Path,
    /// Workloads that need no look: their machine code is the same.
    pub(crate) same: &'a dyn Fn(&str, &str) -> bool,
    /// True when an ambient change may affect all code: everything is profiled.
    pub(crate) everything: bool,
    /// Base's answers.
    pub(crate) base: &'a SideAnswers,
    /// When the time is up for asking workloads what they execute that base's answers do not speak of.
    pub(crate) ask_until: Option<Instant>,
    /// When the time for profiles is up.
    pub(crate) until: Option<Instant>,
}

/// Whether each workload executes each change, on one side.
pub(crate) type SideAnswers = BTreeMap<String, Vec<Executed>>;

/// Base's answers, from its stored evidence.
pub(crate) fn base_answers(base: &Base, changes: &[Change]) -> SideAnswers {
    let of = |evidence: &WorkloadEvidence| {
        let answer = |change: &Change| match (&change.base, &evidence.executed) {
            (Some(_), Err(reason)) => Executed::Unknown(reason.clone()),
            (Some(item), Ok(keys)) if keys.contains(&item.key) => Executed::Yes,
            _ => Executed::No,
        };
        (evidence.workload.id.clone(), changes.iter().map(answer).collect())
    };
    base.evidence.workloads.iter().map(of).collect()
}

/// Surveys head.
pub(crate) fn survey(context: &Context, subject: &Subject<'_>, scratch: &Scratch, shell: &mut Shell) -> Result<Survey> {
    let listing = scratch.path().join("list-head");
    fs_err::create_dir_all(&listing)?;
    let found = enumerate(subject.programs, subject.root, &context.filter, &listing)?;
    let mut survey = Survey::default();
    survey.evidence.programs = subject.programs.to_vec();
    survey.evidence.built_in = subject.root.to_owned();
    survey.evidence.skipped = found.skipped;
    let sampler = super::sampler(context, shell);
    survey.evidence.sampled_by(&sampler);
    let question = Question::about(subject.root, subject.changes.iter().map(|change| asked(change)));
    let mut prober = Prober::new(&question);
    let runner = LiveRunner::new(None, scratch.path().as_std_path(), TIMEOUT);
    let progress = shell.progress("Profiling", Some(found.workloads.len() as u64));
    for driven in found.workloads.iter().filter(|driven| is_looked_at(subject, &driven.workload)) {
        progress.set_message(&driven.workload.id);
        ask(subject, driven, &mut prober, &runner, &mut survey)?;
        progress.inc();
    }
    survey.first = first(subject, &survey);
    for driven in in_order(&found.workloads, &survey) {
        progress.set_message(&driven.workload.id);
        sample(context, subject, driven, &sampler, &runner, &mut survey)?;
    }
    progress.finish();
    for driven in &found.workloads {
        let id = &driven.workload.id;
        survey.evidence.workloads.push(WorkloadEvidence {
            executed: Err("head is asked about changes only".into()),
            problem: survey.problems.get(id).cloned(),
            work: survey.works.remove(id),
            ..WorkloadEvidence::of(driven)
        });
    }
    Ok(survey)
}

fn is_looked_at(subject: &Subject<'_>, workload: &Workload) -> bool {
    workload.kind != WorkloadKind::Gungraun && !(subject.same)(&workload.package, &workload.target)
}

/// The workloads that together execute every changed item, by either side's answers.
fn first(subject: &Subject<'_>, survey: &Survey) -> Vec<String> {
    let reached: Vec<&str> = survey.reached.iter().map(String::as_str).collect();
    let says = |answers: &SideAnswers, workload: &str, change: usize| {
        answers.get(workload).and_then(|all| all.get(change)) == Some(&Executed::Yes)
    };
    cover(&reached, subject.changes.len(), |workload, change| {
        says(&survey.executed, workload, change) || says(subject.base, workload, change)
    })
}

/// The reached workloads, [`Survey::first`] before the others.
fn in_order<'d>(found: &'d [Driven], survey: &Survey) -> Vec<&'d Driven> {
    let mut reached: Vec<&Driven> = found.iter().filter(|driven| survey.reached.contains(&driven.workload.id)).collect();
    reached.sort_by_key(|driven| survey.first.iter().position(|id| *id == driven.workload.id).unwrap_or(usize::MAX));
    reached
}

/// Only code can be executed; what moved behaves as before.
fn asked(change: &Change) -> Option<&crate::source::Item> {
    let behaves = !matches!(change.kind, ChangeKind::Moved | ChangeKind::Ambient);
    change.head.as_ref().filter(|item| behaves && item.kind.is_code())
}

fn is_over(until: Option<Instant>) -> bool {
    until.is_some_and(|until| Instant::now() >= until)
}

/// Asks what the workload executes, and decides whether the change may reach it.
fn ask(
    subject: &Subject<'_>,
    driven: &Driven,
    prober: &mut Prober<'_>,
    runner: &LiveRunner<'_>,
    survey: &mut Survey,
) -> Result<()> {
    let id = &driven.workload.id;
    let Some(program) = survey.evidence.program_of(&driven.workload).cloned() else { return Ok(()) };
    let reached = |answers: &[Executed]| answers.iter().any(|answer| *answer != Executed::No);
    let at_base = subject.base.get(id).is_some_and(|answers| reached(answers));
    let answers: Vec<Executed> = if prober.is_idle() {
        vec![Executed::No; subject.changes.len()]
    } else if !at_base && is_over(subject.ask_until) {
        vec![Executed::Unknown("the time limit came before it was asked".into()); subject.changes.len()]
    } else {
        let scratch = runner.fresh_scratch()?;
        let dir = Utf8Path::from_path(scratch.path()).unwrap_or(subject.root);
        match prober.ask(driven, &program.side(subject.root), &runner.limits(&driven.workload), dir)? {
            Ok(outcomes) => outcomes.into_iter().map(executed).collect(),
            Err(reason) => vec![Executed::Unknown(reason); subject.changes.len()],
        }
    };
    if subject.everything || at_base || reached(&answers) || has_ambient(subject.changes) {
        survey.reached.insert(id.clone());
    }
    survey.executed.insert(id.clone(), answers);
    Ok(())
}

/// Profiles a reached workload, where there is time and a sampler.
fn sample(
    context: &Context,
    subject: &Subject<'_>,
    driven: &Driven,
    sampler: &Sampler,
    runner: &LiveRunner<'_>,
    survey: &mut Survey,
) -> Result<()> {
    let id = &driven.workload.id;
    let Some(program) = survey.evidence.program_of(&driven.workload).cloned() else { return Ok(()) };
    if survey.evidence.refusal.is_some() {
        return Ok(());
    }
    if is_over(subject.until) {
        survey.put_off.push(id.clone());
        return Ok(());
    }
    let mut options = context.profiling();
    options.limits = runner.limits(&driven.workload);
    let scratch = runner.fresh_scratch()?;
    let dir = Utf8Path::from_path(scratch.path()).unwrap_or(subject.root);
    match profile(driven, &program.side(subject.root), &options, sampler, dir) {
        Ok(profiled) => {
            survey.profiles.insert(id.clone(), profiled.profile);
            survey.works.extend(profiled.work.map(|work| (id.clone(), work)));
        }
        Err(error) if crate::process::interrupted() => return Err(error.into()),
        Err(error) if error.is_no_stacks() => survey.unsampled.push(format!("`{id}` has no profile at head: {error}")),
        Err(error) => {
            survey.problems.insert(id.clone(), error.to_string());
        }
    }
    Ok(())
}

fn has_ambient(changes: &[Change]) -> bool {
    changes.iter().any(|change| change.kind == ChangeKind::Ambient)
}

fn executed(outcome: Outcome) -> Executed {
    match outcome {
        Outcome::Executed => Executed::Yes,
        Outcome::NotExecuted | Outcome::NoCode => Executed::No,
    }
}

/// Adds profiles and answers to a side's data.
pub(crate) fn fill(data: &mut SideData, profiles: &BTreeMap<String, Profile>, answers: &SideAnswers) {
    for (workload, profile) in profiles {
        data.add_profile(workload, profile.clone());
    }
    for (workload, executed) in answers {
        data.add_executed(workload, executed.clone());
    }
}
