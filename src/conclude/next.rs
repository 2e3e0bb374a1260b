//! What to do next, most valuable first.

use crate::analysis::{Analysis, ChangeResult, Command, Heat, Outcome, TestStatus, WorkloadResult};
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

/// True for a reason that the time limit gave (`join`, `measure`, `stats::Reason`).
fn of_time(reason: &str) -> bool {
    reason.contains("time limit")
}

/// What to do about what the time limit left open: workloads that the change reaches, and changed items.
fn more_time(analysis: &Analysis, items: usize) -> Option<String> {
    let is_open = |w: &&WorkloadResult| {
        matches!(w.outcome, Outcome::Inconclusive | Outcome::NotMeasured)
            && !w.negative_control
            && w.reason.as_deref().is_some_and(of_time)
    };
    let open: Vec<&WorkloadResult> = analysis.workloads.iter().filter(is_open).collect();
    let of_workloads = (!open.is_empty()).then(|| figures::counted(open.len(), "workload"));
    let of_items = (items > 0).then(|| figures::counted(items, "changed item"));
    let left: Vec<String> = of_workloads.into_iter().chain(of_items).collect();
    let example = open.iter().find(|workload| !workload.explained_by.is_empty()).or(open.first());
    let example = example.map_or("ID", |workload| workload.id.as_str());
    let how = format!("raise `--max-time`, or look only at what matters with `--workload {}`", figures::word(example));
    (!left.is_empty() && analysis.command == Command::Verify)
        .then(|| format!("the time limit left {} open: {how}", left.join(" and ")))
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
    let unmeasured = |by_time: bool| -> Vec<&str> {
        let is_one = |change: &&ChangeResult| {
            change.heat == Some(Heat::Unmeasured)
                && !change.test_only
                && !change.approximate
                && change.heat_reason.as_deref().is_some_and(of_time) == by_time
        };
        analysis.changes.iter().filter(is_one).map(|change| change.item.as_str()).collect()
    };
    if analysis.environment.engine == "none" {
        steps.push("gather a profile: let the kernel sample (see the warning), then run `cargo perf-expert verify` again".into());
    } else if analysis.workloads.iter().any(WorkloadResult::is_counted) && !is_timed(analysis) {
        steps.push("nothing was timed: for a verdict about speed, add a benchmark that measures time (criterion, divan)".into());
    } else if let Some((first, others)) = unmeasured(false).split_first() {
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
    steps.extend(more_time(analysis, unmeasured(true).len()));
    let by_time = |w: &WorkloadResult| w.reason.as_deref().is_some_and(of_time);
    if open().any(|workload| !by_layout(workload) && !by_time(workload)) {
        steps.push("for the inconclusive ones: run again on a quieter machine, or look only at them with `--workload ID`".into());
    }
    let hot = |heat: Option<Heat>| matches!(heat, Some(Heat::Hot | Heat::Warm));
    if analysis.command == Command::Check && analysis.changes.iter().any(|change| hot(change.heat)) {
        steps.push("hot code changed and nothing was measured: `cargo perf-expert verify`".into());
    }
    steps.dedup();
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn what_the_time_limit_left_open_asks_for_time_and_not_for_a_quieter_machine() {
        let mut analysis = samples::analysis(Command::Verify);
        let cut = samples::reached("fold 2", Outcome::Inconclusive, 1e6, (1.01, 0.98, 1.04), &["a::f"]);
        analysis.workloads =
            vec![WorkloadResult { reason: Some("… after 12 rounds, cut short by the time limit".into()), ..cut }];
        let change = samples::change("a::g");
        let why = "`fold 2` executes it, and the time limit left no time to sample that";
        analysis.changes = vec![ChangeResult { heat_reason: Some(why.into()), ..change }];
        let steps = next_steps(&analysis);
        assert_eq!(
            steps,
            ["the time limit left 1 workload and 1 changed item open: raise `--max-time`, or look only at what matters with \
              `--workload 'fold 2'`"]
        );
        analysis.workloads[0].reason = Some("the interval is too wide".into());
        analysis.changes[0].heat_reason = Some("no workload executes it".into());
        let steps = next_steps(&analysis).join("\n");
        assert!(
            steps.contains("quieter machine") && steps.contains("add a benchmark") && !steps.contains("--max-time"),
            "{steps}"
        );
    }
}
