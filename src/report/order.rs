//! Which of many workloads are shown, and what class the others are of.

use super::cause;
use super::view::{rank, shown_workloads};
use crate::analysis::{Analysis, WorkloadResult};

/// Every workload: those that a reader wants to see one by one, then the others; where only `most` of them are shown, those first
/// in which most is known to be held up.
pub(super) fn ordered(analysis: &Analysis, most: usize) -> Vec<&WorkloadResult> {
    let shown = shown_workloads(analysis);
    let mut rest: Vec<&WorkloadResult> = analysis.workloads.iter().filter(|workload| rank(workload).is_none()).collect();
    if analysis.workloads.len() > most {
        rest.sort_by(|a, b| held(b).total_cmp(&held(a)));
    }
    shown.into_iter().chain(rest).collect()
}

/// What its worst cause (its first owner, where none is known) holds of the work time, by the confidence of its class.
fn held(workload: &WorkloadResult) -> f64 {
    let causes = workload.causes.iter().map(|cause| cause.share).reduce(f64::max);
    let share = causes.or_else(|| workload.owners.first().map(|owner| owner.share)).unwrap_or(0.0);
    share * workload.bottleneck.as_ref().map_or(0.0, |found| found.confidence)
}

/// `of all 60 workloads: 41 cpu-bound, 12 memory-bound, 7 not known`; `None` where none has a class.
pub(super) fn classes(analysis: &Analysis) -> Option<String> {
    let mut counts: Vec<(usize, &str)> = Vec::new();
    for workload in &analysis.workloads {
        let class = workload.bottleneck.as_ref().map_or("not measured", cause::class);
        match counts.iter_mut().find(|(_, known)| *known == class) {
            Some((count, _)) => *count += 1,
            None => counts.push((1, class)),
        }
    }
    counts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let told: Vec<String> = counts.iter().map(|(count, class)| format!("{count} {class}")).collect();
    let any = analysis.workloads.iter().any(|workload| workload.bottleneck.is_some());
    any.then(|| format!("of all {} workloads: {}", analysis.workloads.len(), told.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Bottleneck, Command};
    use crate::report::samples::{analysis, owner, workload};

    #[test]
    fn of_many_workloads_those_come_first_that_are_held_up_most() {
        let of = |id: &str, share, confidence| {
            let bottleneck = Bottleneck { class: "cpu-bound".into(), confidence, ..Bottleneck::default() };
            let owners = vec![crate::analysis::OwnerResult { share, ..owner("a::x") }];
            WorkloadResult { bottleneck: Some(bottleneck), owners, ..workload(id) }
        };
        let workloads = vec![of("unsure", 0.9, 0.1), of("small", 0.2, 0.9), workload("unknown"), of("large", 0.7, 0.9)];
        let analysis = Analysis { workloads, ..analysis(Command::Baseline) };
        let ids = |most| ordered(&analysis, most).iter().map(|workload| workload.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(2), ["large", "small", "unsure", "unknown"]);
        assert_eq!(ids(4), ["unsure", "small", "unknown", "large"], "where all are shown, they stay as they are");
        let told = classes(&analysis).unwrap();
        assert_eq!(told, "of all 4 workloads: 2 cpu-bound, 1 not known, 1 not measured");
    }
}
