//! Builds, surveys, plans and measures; the results go to `judge`.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Wishes, comparable, confirm, judge, witness};
use crate::analysis::{Analysis, ConfirmationResult, WitnessResult};
use crate::commands::context::{Context, TIMEOUT};
use crate::conclude::SAME_CODE;
use crate::error::Result;
use crate::figures;
use crate::git::base::Base as Chosen;
use crate::join::{Ambient, CONTROLS, NOT_REACHED, Plan, Reach, Reached, SideData, SideView, ambient_of, plan, reach_of};
use crate::measure::{LiveRunner, Measured, Progress, Settings, Workload, measure};
use crate::shell::Shell;
use crate::sides::{
    Base, BaseRequest, Diff, Head, OwnSources, Scratch, Subject, Survey, Texts, all_items, base_answers, clock_shim, complete,
    fill, find_base, jobs, same_code, survey,
};
use crate::source::ChangeKind;
use crate::stats::Margins;
use crate::store::Store;

/// Everything that was found out, for `judge`.
pub(super) struct Found<'a> {
    pub(super) base: &'a Base,
    pub(super) survey: &'a Survey,
    pub(super) base_view: &'a SideView<'a>,
    pub(super) head_view: &'a SideView<'a>,
    pub(super) ambient: &'a Ambient,
    pub(super) reaches: BTreeMap<String, Reach>,
    /// Workloads that may read a changed file that no source names, with the file.
    pub(super) doubtful: BTreeMap<String, String>,
    /// Per workload: its rounds, or why there are none.
    pub(super) measured: BTreeMap<String, std::result::Result<Measured, String>>,
    /// What was repeated: `measured` has the repetition's result.
    pub(super) confirmations: BTreeMap<String, ConfirmationResult>,
    /// Instructions that were counted.
    pub(super) witnesses: BTreeMap<String, WitnessResult>,
    pub(super) warnings: Vec<String>,
}

#[expect(clippy::too_many_arguments, reason = "the two sides, the change, and the tools of a run")]
pub(super) fn compare(
    context: &Context,
    store: &Store,
    wishes: &Wishes<'_>,
    chosen: &Chosen,
    base_tree: &str,
    head: &Head,
    diff: &Diff,
    scratch: &Scratch,
    shell: &mut Shell,
) -> Result<Analysis> {
    // Head first: a compile error of the change should not cost a build of the base.
    let built = head.build(context, shell)?;
    let request = BaseRequest { commit: &chosen.commit, named: wishes.args.baseline.as_deref(), has_data: diff.has_data() };
    let mut base = find_base(context, store, &request, scratch, shell)?;
    let ambient = ambient_of(&diff.changes);
    let same = if diff.has_compiled_data() {
        HashSet::new()
    } else {
        same_code(&base.evidence.programs, &built.programs, &diff.changes)
    };
    let remeasure = wishes.args.remeasure;
    // Equal code proves nothing where the data that it reads may differ.
    let doubts: HashMap<&str, &str> =
        built.programs.iter().filter_map(|one| Some((one.package.as_str(), comparable::in_doubt(one, diff)?))).collect();
    let is_same = |package: &str, target: &str| {
        !remeasure && !doubts.contains_key(package) && same.contains(&(package.to_owned(), target.to_owned()))
    };
    let answers = base_answers(&base, &diff.changes);
    let subject = Subject {
        changes: &diff.changes,
        programs: &built.programs,
        root: head.root(),
        same: &is_same,
        everything: ambient.everything(),
        base: &answers,
    };
    shell.status("Profiling", "what the change reaches");
    let survey = survey(context, &subject, scratch, shell)?;

    let wanted = wanted(&survey, &is_same, wishes.args.all);
    complete(context, store, &mut base, |id| wanted.contains(id), scratch, shell)?;

    let base_items = all_items(&Texts::Tree(&context.git, base_tree.to_owned()), &context.crate_roots())?;
    let mut base_data = SideData::new(&base.evidence.built_in, base_items);
    fill(&mut base_data, &base.profiles, &answers);
    let mut head_data = SideData::new(head.root(), head.items(context)?);
    fill(&mut head_data, &survey.profiles, &survey.executed);
    let (base_view, head_view) = (base_data.view(), head_data.view());

    let own = OwnSources::read(context, head, base_tree, &base.evidence, &built.programs)?;
    let doubted = |one: &Workload| doubts.get(one.package.as_str()).map(|file| (one.id.clone(), (*file).to_owned()));
    let mut found = Found {
        doubtful: survey.evidence.workloads.iter().filter_map(|one| doubted(&one.workload)).collect(),
        base: &base,
        survey: &survey,
        base_view: &base_view,
        head_view: &head_view,
        ambient: &ambient,
        reaches: BTreeMap::new(),
        measured: BTreeMap::new(),
        confirmations: BTreeMap::new(),
        witnesses: BTreeMap::new(),
        warnings: base.warnings.clone(),
    };
    let candidates = candidates(&mut found, diff, &own, &is_same);
    let plan = plan(&candidates, wishes.args.all);
    run(context, wishes, &plan, head, diff, scratch, &mut found, shell)?;
    judge::conclude(context, wishes, chosen, head, diff, &found, shell)
}

/// The workloads whose base evidence is needed: those that the change may reach, some controls, and all of a target whose code
/// differs although none of its workloads seems reached ([`doubt_unreached`]).
fn wanted(survey: &Survey, is_same: &dyn Fn(&str, &str) -> bool, all: bool) -> HashSet<String> {
    let workloads = || survey.evidence.workloads.iter().map(|one| &one.workload);
    let differing = || workloads().filter(|workload| !is_same(&workload.package, &workload.target));
    let target = |workload: &Workload| (workload.package.clone(), workload.target.clone());
    let reached: HashSet<_> = workloads().filter(|workload| survey.reached.contains(&workload.id)).map(target).collect();
    let in_doubt = differing().filter(|workload| all || !reached.contains(&target(workload)));
    let controls = differing().filter(|workload| !survey.reached.contains(&workload.id)).take(CONTROLS);
    survey.reached.iter().cloned().chain(in_doubt.chain(controls).map(|workload| workload.id.clone())).collect()
}

/// The workloads that both sides have and that can be compared, with the reach of the change; the others get their reason.
fn candidates(
    found: &mut Found<'_>,
    diff: &Diff,
    own: &OwnSources,
    is_same: &dyn Fn(&str, &str) -> bool,
) -> Vec<(String, Reach)> {
    let mut candidates = Vec::new();
    for at_head in &found.survey.evidence.workloads {
        let workload = &at_head.workload;
        let mut leave = |why: &str| {
            found.measured.insert(workload.id.clone(), Err(why.to_owned()));
        };
        let Some(at_base) = found.base.evidence.of(&workload.id) else {
            leave("not comparable: the base has no such workload");
            continue;
        };
        // Other input is other work, whatever the code.
        if let Some(why) = comparable::other_data(workload, diff, own) {
            leave(&why);
            continue;
        }
        if is_same(&workload.package, &workload.target) {
            leave(SAME_CODE);
            continue;
        }
        if comparable::own_source_changed(workload, diff, own) {
            leave("not comparable: the source of the bench itself changed");
            continue;
        }
        if at_base.pending {
            leave(NOT_REACHED);
            continue;
        }
        if at_base.calibration.is_none() {
            let why = at_base.problem.clone().unwrap_or_else(|| "it did not run at base".into());
            leave(&format!("it did not run at base: {why}"));
            continue;
        }
        let mut reach = reach_of(&workload.id, &diff.changes, found.ambient, found.base_view, found.head_view);
        if let (Reached::No, Some(file)) = (&reach.reached, found.doubtful.get(&workload.id)) {
            reach.reached = Reached::Unknown(format!("`{file}` was changed, and it may read that"));
        }
        candidates.push((workload.id.clone(), reach));
    }
    if diff.changes.iter().any(|change| change.kind != ChangeKind::Moved) {
        doubt_unreached(&mut candidates, found);
    }
    found.reaches = candidates.iter().cloned().collect();
    candidates
}

/// Where a target's code differs although none of its workloads executes a changed item, the change got in another way: through a
/// `const fn`, a procedural macro, a build script's module. Then nobody can say that it does not reach them.
fn doubt_unreached(candidates: &mut [(String, Reach)], found: &Found<'_>) {
    let target = |id: &str| found.survey.evidence.of(id).map(|one| (one.workload.package.clone(), one.workload.target.clone()));
    let reached: HashSet<(String, String)> =
        candidates.iter().filter(|(_, reach)| reach.reached != Reached::No).filter_map(|(id, _)| target(id)).collect();
    for (id, reach) in candidates.iter_mut() {
        if reach.reached == Reached::No && target(id).is_some_and(|target| !reached.contains(&target)) {
            reach.reached = Reached::Unknown("its machine code differs, though it executes no changed item".into());
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "the two sides, the plan, and the tools of a run")]
fn run(
    context: &Context,
    wishes: &Wishes<'_>,
    plan: &Plan,
    head: &Head,
    diff: &Diff,
    scratch: &Scratch,
    found: &mut Found<'_>,
    shell: &mut Shell,
) -> Result<()> {
    let reaches: HashMap<String, Reach> = found.reaches.clone().into_iter().collect();
    let made = jobs(plan, &reaches, found.base, &found.survey.evidence, head.root(), scratch)?;
    for (id, why) in plan.left_out.iter().chain(&made.left_out) {
        found.measured.insert(id.clone(), Err(why.clone()));
    }
    if made.jobs.is_empty() {
        return Ok(());
    }
    let shim = clock_shim(context, &mut found.warnings);
    let mut runner = LiveRunner::new(shim.as_ref(), scratch.path().as_std_path(), TIMEOUT);
    let settings = Settings {
        margins: Margins::with_delta(context.margin()),
        max_time: context.config.max_time,
        seed: seed(),
        ..Settings::default()
    };
    let controls = made.jobs.iter().filter(|job| !job.gating).count();
    let with = if controls == 0 { String::new() } else { format!(", of which {controls} as negative controls") };
    shell.status("Measuring", format!("{}{with}", figures::counted(made.jobs.len(), "workload")));
    let bar = shell.progress("Measuring", Some(made.jobs.len() as u64));
    let mut done = 0;
    let session = measure(&made.jobs, &mut runner, &settings, |progress| {
        bar.set_message(told(progress));
        while done < progress.done {
            bar.inc();
            done += 1;
        }
    })?;
    bar.finish();
    let stage = confirm::Stage { context, wishes, head, scratch, jobs: &made.jobs };
    stage.run(session, &mut runner, &settings, found, shell)?;
    if wishes.args.no_witness { Ok(()) } else { witness::ask(&made.jobs, &diff.changes, &mut runner, found, shell) }
}

/// "parse/large: 17 of 24 rounds, +3.1 % so far".
pub(super) fn told(progress: &Progress<'_>) -> String {
    let so_far = progress.so_far.and_then(|decision| decision.effect.as_ref()).map(|effect| {
        let ratio = effect.median.exp();
        format!(", {} so far", figures::change(ratio))
    });
    format!("{}: {} of {} rounds{}", progress.workload, progress.rounds, progress.next_look, so_far.unwrap_or_default())
}

/// A new order each time; it decides nothing but the order.
fn seed() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(1, |since| since.as_nanos() as u64)
}
