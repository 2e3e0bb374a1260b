//! From what was found to the analysis: rules, verdict, tests, next steps.

use std::collections::BTreeMap;

use super::measure::Found;
use super::{Wishes, witness};
use crate::analysis::{
    Analysis, BaseSide, ChangeResult, Command, Environment, Finding, SCHEMA_VERSION, Tests, Verdict, WorkloadResult,
};
use crate::commands::context::Context;
use crate::conclude::{
    Comparison, Profiled, add_bottlenecks, add_growth, add_memory, add_root_causes, add_waiting, change_results, compared,
    counted, environment, next_steps, now, point_elsewhere, profile_warnings, qualities, slo_results, tool,
};
use crate::error::Result;
use crate::evidence::Evidence;
use crate::git::base::Base as Chosen;
use crate::join::Reached;
use crate::rules::{self, Allow, BaseEvidence, ChangedItem, Commit, Facts};
use crate::shell::Shell;
use crate::sides::{Diff, Head, fingerprint, not_checked, run_tests, troubles};
use crate::source::Change;
use crate::verdict;
use crate::workspace;

/// The analysis of a change of comments and documents.
pub(super) fn nothing_changed(context: &Context, chosen: &Chosen, head: &Head, diff: &Diff) -> Result<Analysis> {
    let reason = if diff.files.is_empty() { "nothing changed" } else { "only comments and documents changed" };
    let print = fingerprint(context, &context.workspace)?;
    Ok(Analysis {
        schema_version: SCHEMA_VERSION,
        tool: tool(),
        command: Command::Verify,
        created: now(),
        verdict: Verdict::Pass,
        reasons: vec![reason.into()],
        exit_code: 0,
        base: Some(base_side(chosen, "not needed")),
        head: head.named(context)?,
        environment: environment(&print, &Evidence::default(), diff.warnings()),
        workloads: Vec::new(),
        changes: Vec::new(),
        findings: Vec::new(),
        tests: not_checked(reason),
        skipped: Vec::new(),
        next_steps: Vec::new(),
    })
}

fn base_side(chosen: &Chosen, evidence: &str) -> BaseSide {
    BaseSide { commit: chosen.commit.clone(), chosen_by: chosen.chosen_by.clone(), evidence: evidence.into() }
}

/// Draws the conclusions.
pub(super) fn conclude(
    context: &Context,
    wishes: &Wishes<'_>,
    chosen: &Chosen,
    head: &Head,
    diff: &Diff,
    found: &Found<'_>,
    shell: &mut Shell,
) -> Result<Analysis> {
    let mut workloads = workload_results(context, diff, found);
    verdict::settle(&mut workloads, context.margin());
    objectives(context, found, &mut workloads);
    let at_base = Profiled { evidence: &found.base.evidence, view: found.base_view };
    let at_head = Profiled { evidence: &found.survey.evidence, view: found.head_view };
    add_bottlenecks(&mut workloads, Some(at_base), at_head);
    add_memory(&mut workloads, Some(at_base), at_head);
    add_root_causes(&mut workloads, Some(at_base), at_head);
    add_growth(&mut workloads, &found.both(&diff.changes));
    add_waiting(&mut workloads, &found.both(&diff.changes), |id| found.watched.get(id));
    let changes = change_results(&diff.changes, found.base_view, found.head_view);
    let weakness = weakness(context.is_narrowed(), &found.survey.evidence);
    witness::conclude(found, if weakness.is_none() { &changes } else { &[] }, &mut workloads);
    let tests = tests(context, wishes, head, diff, found, shell)?;
    let commits = commits(context, chosen, head)?;
    let mut findings = rules_of(
        &context.config,
        diff,
        &changes,
        &workloads,
        weakness,
        &commits,
        &BaseEvidence::Valid,
        Command::Verify,
        context.margin(),
    );
    let evidence = verdict::Evidence {
        command: Command::Verify,
        workloads: &workloads,
        changes: &changes,
        findings: &findings,
        tests: &tests,
    };
    let judged = verdict::judge(&evidence, &wishes.policy);
    point_elsewhere(&mut findings, &workloads);
    let mut warnings = found.warnings.clone();
    warnings.extend(found.base.stale.iter().map(|why| format!("a stored baseline was not used: {why}")));
    let reached = |id: &str| found.reaches.get(id).is_some_and(|reach| reach.reached != Reached::No);
    let at_head = found.survey.profiles.iter().map(|(id, profile)| (id.as_str(), &profile.quality));
    warnings.extend(profile_warnings(qualities(&found.base.evidence).chain(at_head).filter(|(id, _)| reached(id))));
    warnings.extend(context.aimless_objectives(&found.survey.evidence));
    warnings.extend(found.survey.unsampled.iter().cloned());
    let broken = |id: &str| workloads.iter().any(|one| one.id == id && one.broken.is_some());
    warnings.extend(troubles(&found.survey.problems, broken));
    let mut skipped = context.skipped();
    skipped.extend(found.survey.evidence.skipped.clone());
    let print = fingerprint(context, &head.workspace)?;
    let mut analysis = Analysis {
        schema_version: SCHEMA_VERSION,
        tool: tool(),
        command: Command::Verify,
        created: now(),
        verdict: judged.verdict,
        reasons: judged.reasons,
        exit_code: judged.exit.code(),
        base: Some(base_side(chosen, &found.base.described)),
        head: head.named(context)?,
        environment: Environment { contention: found.contention, ..environment(&print, &found.survey.evidence, warnings) },
        workloads,
        changes,
        findings,
        tests,
        skipped,
        next_steps: Vec::new(),
    };
    analysis.next_steps = next_steps(&analysis);
    Ok(analysis)
}

fn workload_results(context: &Context, diff: &Diff, found: &Found<'_>) -> Vec<WorkloadResult> {
    let with = Comparison {
        changes: &diff.changes,
        base: found.base_view,
        head: found.head_view,
        reaches: &found.reaches,
        everything: found.ambient.everything(),
        doubtful: &found.doubtful,
    };
    let mut results = Vec::new();
    for at_head in &found.survey.evidence.workloads {
        if let Some(&counts) = found.counted.get(&at_head.workload.id) {
            results.push(counted(&at_head.workload, counts));
            continue;
        }
        let measured = match found.measured.get(&at_head.workload.id) {
            Some(Ok(measured)) => Ok(measured),
            Some(Err(reason)) => Err(reason.clone()),
            None => Err("not measured".to_owned()),
        };
        let mut result = compared(&at_head.workload, measured, &with);
        result.confirmation = found.confirmations.get(&result.id).cloned();
        results.push(result);
    }
    // With `--workload`, what head does not show was not asked for.
    let all_shown = context.filter.ids.is_empty();
    for at_base in found.base.evidence.workloads.iter().filter(|_| all_shown) {
        if found.survey.evidence.of(&at_base.workload.id).is_none() && at_base.has_run() {
            results.push(compared(&at_base.workload, Err("not comparable: head has no such workload".into()), &with));
        }
    }
    results
}

/// After the outcomes are settled: an objective is not held against a workload that the machine moved.
fn objectives(context: &Context, found: &Found<'_>, workloads: &mut [WorkloadResult]) {
    for result in workloads {
        let Some(evidence) = found.survey.evidence.of(&result.id) else { continue };
        let absolutes = match found.measured.get(&result.id) {
            Some(Ok(measured)) => measured.absolutes.as_slice(),
            _ => &[],
        };
        result.slo = slo_results(&context.filter.objectives(&evidence.workload), result, absolutes);
    }
}

fn tests(
    context: &Context,
    wishes: &Wishes<'_>,
    head: &Head,
    diff: &Diff,
    found: &Found<'_>,
    shell: &mut Shell,
) -> Result<Tests> {
    if wishes.args.no_tests {
        return Ok(not_checked("--no-tests"));
    }
    let files = diff.changes.iter().filter_map(Change::item).map(|item| item.file.as_path());
    let packages = context.packages_of(files);
    let mut checkout = None;
    run_tests(context, &head.workspace, &packages, shell, || {
        let side = match &found.base.checkout {
            Some(side) => side,
            None => checkout.insert(workspace::prepare(&context.git, &context.workspace, &found.base.commit)?),
        };
        Ok(side.discover(&context.workspace)?)
    })
}

fn commits(context: &Context, chosen: &Chosen, head: &Head) -> Result<Vec<Commit>> {
    let tip = match &head.commit {
        Some(commit) => commit.clone(),
        None => match context.git.head()? {
            Some(commit) => commit,
            None => return Ok(Vec::new()),
        },
    };
    Ok(context.git.commits(&chosen.commit, &tip)?.into_iter().map(Commit::from).collect())
}

/// Item path, file, lines at base, lines at head.
type Place<'a> = (&'a str, &'a str, Option<(u32, u32)>, Option<(u32, u32)>);

/// Why profiles cannot prove that code is cold.
pub(in crate::commands) fn weakness(narrowed: bool, evidence: &Evidence) -> Option<&'static str> {
    // Runs of some milliseconds got shares that were off by tens of points from the kernel's coarse timer.
    let coarse = evidence.substitute.is_some();
    match (narrowed, coarse) {
        (true, _) => Some("only the selected workloads were looked at"),
        (false, true) => Some("the pprof agent samples at the kernel's timer ticks, which short runs hardly see"),
        (false, false) => None,
    }
}

/// Asks the rules, with the settings of a configuration.
#[expect(clippy::too_many_arguments, reason = "everything that a rule may know")]
pub(in crate::commands) fn rules_of(
    config: &crate::config::Config,
    diff: &Diff,
    changes: &[ChangeResult],
    workloads: &[WorkloadResult],
    weakness: Option<&'static str>,
    commits: &[Commit],
    base_evidence: &BaseEvidence,
    command: Command,
    noise_floor: f64,
) -> Vec<Finding> {
    let allow: Vec<Allow> = config.allow.iter().map(allow).collect();
    // Results are sorted by heat, changes by file: pair them by what they speak of.
    let by_place: BTreeMap<Place<'_>, &ChangeResult> =
        changes.iter().map(|one| ((one.item.as_str(), one.file.as_str(), one.base_lines, one.head_lines), one)).collect();
    let changed = |change: &'_ Change| {
        let item = change.item()?;
        let [base, head] = change.lines();
        let place = (item.path.as_str(), item.file.as_str(), base, head);
        by_place.get(&place).copied()
    };
    let facts = Facts {
        command,
        changes: diff
            .changes
            .iter()
            .filter_map(|change| {
                Some(ChangedItem {
                    change,
                    result: changed(change)?,
                    base_file: change.base.as_ref().and_then(|item| diff.base_texts.get(&item.file)).map(String::as_str),
                    head_file: change.head.as_ref().and_then(|item| diff.head_texts.get(&item.file)).map(String::as_str),
                })
            })
            .collect(),
        weakness,
        workloads,
        commits,
        base_evidence,
        allow: &allow,
        today: jiff::Zoned::now().date(),
        noise_floor,
    };
    rules::judge(&facts)
}

fn allow(entry: &crate::config::Allow) -> Allow {
    Allow {
        rule: rules::suppress::RulePattern::new(&entry.rule),
        path: entry.path.clone(),
        function: entry.item.clone(),
        until: entry.until,
        reason: entry.reason.clone(),
    }
}
