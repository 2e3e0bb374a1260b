//! Builds, surveys, plans and measures; the results go to `judge`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use super::compared::Kept;
use super::stopwatch::Stopwatch;
use super::{Wishes, announce, comparable, confirm, count, judge, watch, witness};
use crate::analysis::{Analysis, ConfirmationResult};
use crate::commands::context::{Context, TIMEOUT};
use crate::conclude::{Both, SAME_CODE, Testimony};
use crate::error::Result;
use crate::evidence::{Watched, WorkloadEvidence};
use crate::figures;
use crate::git::base::Base as Chosen;
use crate::join::{Ambient, CONTROLS, Plan, Reach, Reached, SideData, SideView, ambient_of, plan, reach_of};
use crate::measure::aside::{ALLOCATIONS, aside};
use crate::measure::host::{Contention, Watch};
use crate::measure::peak::PEAK_RSS;
use crate::measure::{Job, LiveRunner, Measured, Progress, Settings, Workload, WorkloadKind, measure};
use crate::shell::Shell;
use crate::sides::{
    Base, BaseRequest, Completion, Diff, Head, OwnSources, Scratch, Subject, Survey, Texts, all_items, allocation_counter,
    base_answers, clock_shim, fill, find_base, jobs, keep, same_code, survey,
};
use crate::source::{Change, ChangeKind};
use crate::stats::Margins;
use crate::store::Store;

/// Everything that was found out, for `judge`.
pub(super) struct Found<'a> {
    pub(super) base: Base,
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
    /// Instructions that were counted, or why they were not.
    pub(super) witnesses: BTreeMap<String, std::result::Result<Testimony, String>>,
    /// Pairs of watched runs, or why there are none, where what is waited for may have moved.
    pub(super) watched: BTreeMap<String, std::result::Result<Vec<[Watched; 2]>, String>>,
    /// Per workload that counts instead of timing: instructions at base and at head.
    pub(super) counted: BTreeMap<String, (f64, f64)>,
    pub(super) warnings: Vec<String>,
    /// How much of the machine others took while measuring.
    pub(super) contention: Option<Contention>,
}

impl Found<'_> {
    /// Both sides, for what differs.
    pub(super) fn both<'f>(&'f self, changes: &'f [Change]) -> Both<'f> {
        Both {
            changes,
            base: self.base_view,
            head: self.head_view,
            base_evidence: &self.base.evidence,
            head_evidence: &self.survey.evidence,
        }
    }
}

/// `--max-time`, from the first look at what the change reaches on.
struct Budget {
    limit: Option<Duration>,
    begun: Instant,
}

/// Shares of the limit after which questions about what is executed, head's profiles, base's profiles and base's calibration must
/// be done: the rounds, which alone can tell, keep two fifths of it.
const FOR_QUESTIONS: f64 = 0.15;
const FOR_HEAD: f64 = 0.3;
const FOR_BASE: f64 = 0.45;
const FOR_CLOCKS: f64 = 0.6;

/// Shares are at most 1: what is due first comes before the hottest.
const ABOVE_ALL: f64 = 1.0;

impl Budget {
    fn until(&self, share: f64) -> Option<Instant> {
        self.limit.map(|limit| self.begun + limit.mul_f64(share))
    }

    fn left(&self) -> Option<Duration> {
        self.limit.map(|limit| limit.saturating_sub(self.begun.elapsed()))
    }
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
) -> Result<(Analysis, Kept)> {
    // Head first: a compile error of the change should not cost a build of the base.
    let mut watch = Stopwatch::start();
    let built = head.build(context, shell)?;
    let request = BaseRequest { commit: &chosen.commit, named: wishes.args.baseline.as_deref(), has_data: diff.has_data() };
    let mut base = find_base(context, store, &request, scratch, shell)?;
    watch.lap("building");
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
    let budget = Budget { limit: context.config.max_time, begun: Instant::now() };
    let subject = Subject {
        changes: &diff.changes,
        programs: &built.programs,
        root: head.root(),
        same: &is_same,
        everything: ambient.everything(),
        base: &answers,
        ask_until: budget.until(FOR_QUESTIONS),
        until: budget.until(FOR_HEAD),
    };
    shell.status("Profiling", "what the change reaches");
    let survey = survey(context, &subject, scratch, shell)?;

    let mut head_data = SideData::new(head.root(), head.items(context)?);
    fill(&mut head_data, &survey.profiles, &survey.executed);
    head_data.add_put_off(survey.put_off.iter().cloned());
    let head_view = head_data.view();

    let completion = |share| Completion { context, scratch, until: budget.until(share) };
    let wanted = wanted(&survey, &is_same, wishes.args.all, |id| at_head(id, diff, &ambient, &head_view));
    let first: &[String] = if budget.limit.is_some() { &survey.first } else { &[] };
    // One workload per changed item is ready to be measured before anything else of the base is looked at.
    completion(FOR_CLOCKS).calibrate(&mut base, first, shell)?;
    let mut put_off = completion(FOR_BASE).profile(&mut base, first, shell)?;
    put_off.extend(completion(FOR_BASE).profile(&mut base, &wanted, shell)?);

    watch.lap("profiling");
    let base_items = all_items(&Texts::Tree(&context.git, base_tree.to_owned()), &context.crate_roots())?;
    let mut base_data = SideData::new(&base.evidence.built_in, base_items);
    fill(&mut base_data, &base.profiles, &answers);
    base_data.add_put_off(put_off);
    let base_view = base_data.view();

    let own = OwnSources::read(context, head, base_tree, &base.evidence, &built.programs)?;
    let doubted = |one: &Workload| doubts.get(one.package.as_str()).map(|file| (one.id.clone(), (*file).to_owned()));
    let mut found = Found {
        doubtful: survey.evidence.workloads.iter().filter_map(|one| doubted(&one.workload)).collect(),
        warnings: base.warnings.iter().cloned().chain(diff.warnings()).collect(),
        base,
        survey: &survey,
        base_view: &base_view,
        head_view: &head_view,
        ambient: &ambient,
        reaches: BTreeMap::new(),
        measured: BTreeMap::new(),
        confirmations: BTreeMap::new(),
        witnesses: BTreeMap::new(),
        watched: BTreeMap::new(),
        contention: None,
        counted: BTreeMap::new(),
    };
    let candidates = candidates(&mut found, diff, &own, &is_same);
    let plan = plan(&candidates, wishes.args.all).first(first);
    count::count(&mut found, head, &is_same, scratch, shell)?;
    let planned: Vec<String> = plan.gating.iter().chain(&plan.controls).cloned().collect();
    completion(FOR_CLOCKS).calibrate(&mut found.base, &planned, shell)?;
    keep(store, &mut found.base)?;
    let left = budget.left();
    run(context, wishes, &plan, left, head, diff, scratch, &mut found, shell)?;
    watch.lap("measuring");
    let analysis = judge::conclude(context, wishes, chosen, head, diff, &found, shell)?;
    watch.lap("testing");
    shell.status("Finished", watch.words());
    let kept = Kept::of(&analysis, &found.both(&diff.changes))?;
    Ok((analysis, kept))
}

/// The workloads whose base evidence is needed, hottest at head first: those that the change may reach, some controls, and all of
/// a target whose code differs although none of its workloads seems reached ([`doubt_unreached`]).
fn wanted(survey: &Survey, is_same: &dyn Fn(&str, &str) -> bool, all: bool, heat: impl Fn(&str) -> f64) -> Vec<String> {
    let timed = |one: &&WorkloadEvidence| one.workload.kind != WorkloadKind::Gungraun;
    let workloads = || survey.evidence.workloads.iter().filter(timed).map(|one| &one.workload);
    let differing = || workloads().filter(|workload| !is_same(&workload.package, &workload.target));
    let target = |workload: &Workload| (workload.package.clone(), workload.target.clone());
    let is_reached = |workload: &&Workload| survey.reached.contains(&workload.id);
    let reached: HashSet<_> = workloads().filter(is_reached).map(target).collect();
    let in_doubt = differing().filter(|workload| all || !reached.contains(&target(workload)));
    let controls = differing().filter(|workload| !is_reached(workload)).take(CONTROLS);
    let mut hottest: Vec<(&Workload, f64)> =
        workloads().filter(is_reached).map(|workload| (workload, heat(&workload.id))).collect();
    hottest.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut known = HashSet::new();
    let ids = hottest.into_iter().map(|(workload, _)| workload).chain(controls).chain(in_doubt).map(|workload| &workload.id);
    ids.filter(|id| known.insert(*id)).cloned().collect()
}

/// Share of head's samples of a workload that show a changed item.
fn at_head(id: &str, diff: &Diff, ambient: &Ambient, head: &SideView<'_>) -> f64 {
    let keys: Vec<&str> = diff.changes.iter().filter_map(|change| Some(change.head.as_ref()?.key.as_str())).collect();
    head.joined(id).map_or(0.0, |joined| joined.union(&keys, &ambient.reaches).share)
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
        if workload.kind == WorkloadKind::Gungraun {
            continue;
        }
        if at_base.calibration.is_none() && !at_base.pending {
            let why = at_base.problem.clone().unwrap_or_else(|| "it did not run at base".into());
            leave(&format!("it did not run at base: {why}"));
            continue;
        }
        let mut reach = reach_of(&workload.id, &diff.changes, found.ambient, found.base_view, found.head_view);
        // Cold at head alone: what got faster may have been hot at base.
        if reach.reached == Reached::Cold && at_base.pending && at_base.profile.is_none() {
            leave("not measured: the time limit came first");
            continue;
        }
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
    max_time: Option<Duration>,
    head: &Head,
    diff: &Diff,
    scratch: &Scratch,
    found: &mut Found<'_>,
    shell: &mut Shell,
) -> Result<()> {
    let reaches: HashMap<String, Reach> = found.reaches.clone().into_iter().collect();
    let mut made = jobs(plan, &reaches, &found.base, &found.survey.evidence, head.root(), scratch, &context.filter)?;
    for (id, why) in plan.left_out.iter().chain(&made.left_out) {
        found.measured.insert(id.clone(), Err(why.clone()));
    }
    if made.jobs.is_empty() {
        return Ok(());
    }
    if max_time.is_some() {
        let is_first = |job: &&mut Job| found.survey.first.contains(&job.workload.id);
        made.jobs.iter_mut().filter(is_first).for_each(|job| job.priority += ABOVE_ALL);
    }
    let shim = clock_shim(context, &mut found.warnings);
    let mut runner = LiveRunner::new(shim.as_ref(), scratch.path().as_std_path(), TIMEOUT);
    let settings = Settings { margins: Margins::with_delta(context.margin()), max_time, seed: seed(), ..Settings::default() };
    shell.status("Measuring", announce::jobs(&made.jobs, shell.is_verbose(), max_time));
    let bar = shell.progress("Measuring", Some(made.jobs.len() as u64));
    let (begun, watch) = (Instant::now(), Watch::begin());
    let session = measure(&made.jobs, &mut runner, &settings, following(&bar))?;
    bar.finish();
    let stage = confirm::Stage { context, wishes, head, scratch, jobs: &made.jobs };
    stage.run(session, &mut runner, &settings, found, shell)?;
    let contention = watch.end(runner.waited());
    found.warnings.extend(contention.words());
    found.contention = Some(contention);
    let until = max_time.map(|limit| begun + limit);
    beside(context, &made.jobs, found, &mut runner, until, shell)?;
    watch::watch_sides(context, &made.jobs, &mut runner, found, until, shell)?;
    if wishes.args.no_witness {
        Ok(())
    } else {
        witness::ask(context, &made.jobs, &diff.changes, &mut runner, found, until, shell)
    }
}

/// Adds what is measured beside the rounds to the workloads that the change reaches.
fn beside(
    context: &Context,
    jobs: &[Job],
    found: &mut Found<'_>,
    runner: &mut LiveRunner<'_>,
    until: Option<Instant>,
    shell: &mut Shell,
) -> Result<()> {
    let counter = allocation_counter(context);
    let bar = shell.progress("Counting", Some(jobs.len() as u64));
    for job in jobs.iter().filter(|job| job.gating) {
        bar.set_message(&job.workload.id);
        bar.inc();
        let Some(Ok(one)) = found.measured.get_mut(&job.workload.id) else { continue };
        if one.outcome.is_none() {
            continue;
        }
        if until.is_none_or(|until| Instant::now() < until) {
            let delta = one.lacks(PEAK_RSS).then(|| context.margin());
            one.add(aside(runner, job, counter.as_ref().map_err(String::as_str), delta)?);
        } else {
            one.unmeasured.insert(ALLOCATIONS.into(), "the time limit came first".into());
        }
    }
    bar.finish();
    Ok(())
}

/// Shows on a bar how far the rounds are.
pub(super) fn following(bar: &crate::shell::Progress) -> impl FnMut(&Progress<'_>) {
    let mut done = 0;
    move |progress| {
        bar.set_message(told(progress));
        while done < progress.done {
            bar.inc();
            done += 1;
        }
    }
}

/// "parse/large: 17 of 24 rounds, +3.1 % so far".
fn told(progress: &Progress<'_>) -> String {
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
