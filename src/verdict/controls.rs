//! Negative controls: when workloads that no changed item reaches move, the machine moved.

use crate::analysis::{MetricResult, Outcome, WorkloadResult};
use crate::figures;

/// A regression stands when it is beyond twice what the controls moved: then the machine does not account for it.
const SAFETY: f64 = 2.0;

/// Takes back the outcomes that the movement of the negative controls can account for: they become inconclusive, with the
/// reason. `delta` is the margin of the run (0.02).
pub fn settle(workloads: &mut [WorkloadResult], delta: f64) {
    let Some((control, moved)) = worst_control(workloads, delta) else { return };
    let reason = format!("controls moved: `{control}`, which no change reaches, by {}", figures::change(1.0 + moved));
    for workload in workloads.iter_mut().filter(|workload| !workload.negative_control) {
        if matches!(workload.outcome, Outcome::Slower | Outcome::Faster) && !exceeds(workload, moved.abs() * SAFETY) {
            workload.outcome = Outcome::Inconclusive;
            workload.explained = None;
            workload.reason = Some(reason.clone());
        }
    }
}

/// The control that confidently moved the most, beyond the margin, and by how much at the far end of its interval.
fn worst_control(workloads: &[WorkloadResult], delta: f64) -> Option<(String, f64)> {
    let controls = workloads.iter().filter(|w| w.negative_control && matches!(w.outcome, Outcome::Slower | Outcome::Faster));
    let moved = controls.filter_map(|workload| {
        let (_, low, high) = workload.primary().and_then(MetricResult::interval)?;
        let far = if high - 1.0 > 1.0 - low { high - 1.0 } else { low - 1.0 };
        let near = if far > 0.0 { low - 1.0 } else { 1.0 - high };
        (near > delta).then(|| (workload.id.clone(), far))
    });
    moved.max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))
}

/// True when the near end of the interval lies beyond `margin`.
fn exceeds(workload: &WorkloadResult, margin: f64) -> bool {
    let interval = workload.primary().and_then(MetricResult::interval);
    interval.is_some_and(|(_, low, high)| low - 1.0 > margin || 1.0 - high > margin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn control(outcome: Outcome, interval: (f64, f64, f64)) -> WorkloadResult {
        WorkloadResult { negative_control: true, ..samples::measured("other", outcome, 1e6, interval) }
    }

    fn settled(control: WorkloadResult, regression: (f64, f64, f64)) -> WorkloadResult {
        let mut workloads = [samples::reached("hot", Outcome::Slower, 1e6, regression, &["a::f"]), control];
        settle(&mut workloads, 0.02);
        workloads.into_iter().next().unwrap()
    }

    #[test]
    fn a_moving_control_takes_back_a_regression_of_its_size() {
        let hot = settled(control(Outcome::Slower, (1.04, 1.03, 1.05)), (1.08, 1.06, 1.1));
        assert_eq!((hot.outcome, hot.explained), (Outcome::Inconclusive, None));
        assert_eq!(hot.reason.as_deref(), Some("controls moved: `other`, which no change reaches, by +5.0 %"));
    }

    #[test]
    fn a_control_that_got_faster_says_as_much_about_the_machine() {
        assert_eq!(settled(control(Outcome::Faster, (0.96, 0.95, 0.97)), (1.08, 1.06, 1.1)).outcome, Outcome::Inconclusive);
    }

    #[test]
    fn a_regression_far_beyond_the_controls_stands() {
        assert_eq!(settled(control(Outcome::Slower, (1.03, 1.025, 1.035)), (1.8, 1.75, 1.85)).outcome, Outcome::Slower);
    }

    #[test]
    fn a_control_within_the_margin_changes_nothing() {
        assert_eq!(settled(control(Outcome::Same, (1.01, 0.99, 1.03)), (1.08, 1.06, 1.1)).outcome, Outcome::Slower);
        assert_eq!(settled(control(Outcome::Slower, (1.02, 1.01, 1.03)), (1.08, 1.06, 1.1)).outcome, Outcome::Slower);
    }
}
