//! A run that timed nothing, in words: what was counted instead, or why there is nothing.

use crate::analysis::{Analysis, Command, Heat, Outcome, WorkloadResult};
use crate::figures;
use crate::report::text::clean;
use crate::source::ChangeKind;

/// Room for a reason in the verdict's line.
const WIDEST: usize = 100;

/// `+28.0 %`: head's instructions against base's, each counted once.
pub(super) fn change(workload: &WorkloadResult) -> Option<String> {
    let metric = workload.primary().filter(|_| workload.is_counted())?;
    metric.ratio.map(figures::change)
}

/// `` `parse`: 8165 → 10451 instructions (+28.0 %), not timed``.
pub(super) fn line(workload: &WorkloadResult) -> Option<String> {
    let (metric, change) = (workload.primary()?, change(workload)?);
    let side = |value: Option<f64>| value.map(|value| figures::quantity(value, &metric.unit));
    Some(format!("`{}`: {} → {} instructions ({change}), not timed", workload.id, side(metric.base)?, side(metric.head)?))
}

/// Why a comparison has no time at all: `counted, not timed: 3 benchmarks`, `nothing was measured: not comparable: …`; `None` where
/// something was timed or, for `check`, judged.
pub(super) fn why_nothing(analysis: &Analysis) -> Option<String> {
    if analysis.command == Command::Check {
        return unjudged(analysis).then(|| "nothing was judged: no profile shows the changed code".into());
    }
    let untimed = |workload: &WorkloadResult| workload.outcome == Outcome::NotMeasured;
    if analysis.command != Command::Verify || !analysis.workloads.iter().all(untimed) {
        return None;
    }
    let counted = analysis.workloads.iter().filter(|workload| workload.is_counted()).count();
    if counted > 0 {
        return Some(format!("counted, not timed: {}", figures::counted(counted, "benchmark")));
    }
    Some(match common_reason(&analysis.workloads) {
        Some(reason) => format!("nothing was measured: {reason}"),
        None => "nothing was measured".into(),
    })
}

/// True for a look at a change of code of which no profile shows anything, so that no rule could judge by heat.
fn unjudged(analysis: &Analysis) -> bool {
    let mut changed = analysis.changes.iter().filter(|change| change.kind != ChangeKind::Moved && !change.test_only).peekable();
    changed.peek().is_some() && changed.all(|change| matches!(change.heat, None | Some(Heat::Unmeasured)))
}

/// The reason that all workloads have, or what all of their reasons begin with.
fn common_reason(workloads: &[WorkloadResult]) -> Option<String> {
    const NOT_COMPARABLE: &str = "not comparable";
    if workloads.iter().any(|workload| workload.broken.is_some()) {
        return None;
    }
    let mut reasons: Vec<&str> = workloads.iter().map(|workload| workload.reason.as_deref().unwrap_or_default()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    match reasons.as_slice() {
        [""] | [] => None,
        // What a program said may be long: it stands beside the workload.
        [only] if only.chars().count() > WIDEST => None,
        [only] => Some(clean(only.strip_prefix("not measured: ").unwrap_or(only))),
        many => many.iter().all(|reason| reason.starts_with(NOT_COMPARABLE)).then(|| "no workload is comparable".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn run(workloads: Vec<WorkloadResult>) -> Option<String> {
        why_nothing(&Analysis { workloads, ..samples::analysis(Command::Verify) })
    }

    fn left(reason: &str) -> WorkloadResult {
        WorkloadResult { reason: Some(reason.into()), ..samples::workload("x") }
    }

    #[test]
    fn a_reason_that_all_share_is_named() {
        let source = "not comparable: the source of the bench itself changed";
        assert_eq!(run(vec![left(source), left(source)]), Some(format!("nothing was measured: {source}")));
        let other = left("not comparable: the base has no such workload");
        assert_eq!(run(vec![left(source), other]).as_deref(), Some("nothing was measured: no workload is comparable"));
        assert_eq!(run(vec![left(source), left("--max-time")]).as_deref(), Some("nothing was measured"));
        assert_eq!(run(vec![left(&"x".repeat(200))]).as_deref(), Some("nothing was measured"));
        assert_eq!(run(vec![left("a\u{1b}[31mb")]).as_deref(), Some("nothing was measured: a[31mb"));
        assert_eq!(run(Vec::new()).as_deref(), Some("nothing was measured"));
    }

    #[test]
    fn what_was_timed_or_counted_is_something() {
        let timed = samples::reached("y", Outcome::Same, 1e6, (1.0, 0.99, 1.01), &["a::f"]);
        assert_eq!(run(vec![left("--max-time"), timed]), None);
        assert_eq!(
            run(vec![samples::counted("x", (8165.0, 10_451.0)), left("x")]).as_deref(),
            Some("counted, not timed: 1 benchmark")
        );
        assert_eq!(change(&samples::counted("x", (8165.0, 10_451.0))).as_deref(), Some("+28.0 %"));
        assert_eq!(change(&left("x")), None);
    }

    #[test]
    fn a_look_that_could_judge_nothing_says_so() {
        let look = |changes| why_nothing(&Analysis { changes, ..samples::analysis(Command::Check) });
        let (cold, unmeasured) = (samples::heated("a::f", Heat::Cold, (0.0, 0.0, 0.004), "x"), samples::change("a::g"));
        assert_eq!(look(vec![unmeasured.clone()]).as_deref(), Some("nothing was judged: no profile shows the changed code"));
        assert_eq!(look(vec![unmeasured, cold]), None);
        assert_eq!(look(Vec::new()), None, "no code changed");
    }
}
