//! What to do next, most valuable first.

use crate::analysis::{Analysis, Command, Heat, Outcome, TestStatus, WorkloadResult};
use crate::figures;
use crate::verdict::is_slo_violation;

/// The items that explain regressions, each with the workloads that it slowed down.
fn regressions(analysis: &Analysis) -> Vec<(&str, Vec<&str>)> {
    let mut by_item: Vec<(&str, Vec<&str>)> = Vec::new();
    for workload in analysis.workloads.iter().filter(|w| w.outcome == Outcome::Slower && w.explained == Some(true)) {
        let item = workload.explained_by.first().map_or("the change", String::as_str);
        match by_item.iter_mut().find(|(known, _)| *known == item) {
            Some((_, workloads)) => workloads.push(&workload.id),
            None => by_item.push((item, vec![&workload.id])),
        }
    }
    by_item
}

fn is_timed(analysis: &Analysis) -> bool {
    analysis.workloads.iter().any(|workload| workload.outcome != Outcome::NotMeasured)
}

/// The next steps of a comparison.
pub(crate) fn next_steps(analysis: &Analysis) -> Vec<String> {
    let mut steps = Vec::new();
    steps.extend(regressions(analysis).into_iter().map(|(item, workloads)| {
        let others = workloads.len() - 1;
        let more = if others > 0 { format!(" and {}", figures::counted(others, "more workload")) } else { String::new() };
        let which = workloads.first().copied().unwrap_or_default();
        format!("make `{item}` as fast as before, or say in the commit why `{which}`{more} may be slower")
    }));
    for workload in &analysis.workloads {
        for slo in workload.slo.iter().filter(|slo| is_slo_violation(slo, workload, &analysis.changes)) {
            let bound = if slo.at_least { "at least" } else { "at most" };
            steps.push(format!("bring `{}` of `{}` back to {bound} {}", slo.metric, workload.id, slo.written));
        }
    }
    if analysis.tests.status == TestStatus::Failed {
        steps.push("mend the failing tests: a faster wrong answer is no gain".into());
    }
    let unmeasured: Vec<&str> = analysis
        .changes
        .iter()
        .filter(|change| change.heat == Some(Heat::Unmeasured) && !change.test_only && !change.approximate)
        .map(|change| change.item.as_str())
        .collect();
    if analysis.environment.engine == "none" {
        steps.push("gather a profile: let the kernel sample (see the warning), then run `cargo perf-expert verify` again".into());
    } else if analysis.workloads.iter().any(WorkloadResult::is_counted) && !is_timed(analysis) {
        steps.push("nothing was timed: for a verdict about speed, add a benchmark that measures time (criterion, divan)".into());
    } else if let Some((first, others)) = unmeasured.split_first() {
        let more = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
        steps.push(format!("no claim is possible about `{first}`{more}: add a benchmark that runs it if its speed matters"));
    }
    let open = || analysis.workloads.iter().filter(|w| w.outcome == Outcome::Inconclusive && !w.negative_control);
    // Words of `stats::Reason`: what the order of functions makes, no quieter machine takes away.
    let by_layout = |w: &WorkloadResult| w.reason.as_ref().is_some_and(|reason| reason.starts_with("layout"));
    if let Some(first) = open().find(|workload| by_layout(workload)) {
        steps.push(format!(
            "`{}` depends on where the linker puts its code, not on the change: there is nothing to mend",
            first.id
        ));
    }
    if open().any(|workload| !by_layout(workload)) {
        steps.push("for the inconclusive ones: run again on a quieter machine, or look only at them with `--workload ID`".into());
    }
    let hot = |heat: Option<Heat>| matches!(heat, Some(Heat::Hot | Heat::Warm));
    if analysis.command == Command::Check && analysis.changes.iter().any(|change| hot(change.heat)) {
        steps.push("hot code changed and nothing was measured: `cargo perf-expert verify`".into());
    }
    steps.dedup();
    steps
}
