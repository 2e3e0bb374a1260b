//! Whether more rounds could answer an objective that the rounds so far leave open.
//!
//! Only for what needs more rounds than a comparison does: the quantiles of programs, and rates. It says nothing about which way
//! the answer goes.

use crate::config::Slo;
use crate::measure::absolute::{Absolute, absolutes};
use crate::measure::metric::{ALPHA, QUANTILES, is_rate};
use crate::measure::round::{Failures, Job, Round};
use crate::stats::{Interval, Plan, rate_interval, values_needed};

/// True while an objective is unanswered that the planned rounds can answer.
pub(super) fn is_open(job: &Job, rounds: &[Round], failures: &Failures, plan: &Plan) -> bool {
    let last = plan.looks.last().copied().unwrap_or_default();
    let asked: Vec<&Slo> = job.objectives.iter().filter(|slo| is_answerable(job, slo, last, plan.look_alpha())).collect();
    if asked.is_empty() {
        return false;
    }
    let known = absolutes(job, rounds, failures, plan.look_alpha());
    asked.into_iter().any(|slo| !is_answered(slo, known.iter().find(|one| one.metric == slo.metric)))
}

/// True when the last look has enough processes for an interval, and, for a rate, when a side without any failure would be shown
/// to keep it.
fn is_answerable(job: &Job, slo: &Slo, last: usize, alpha: f64) -> bool {
    let of_programs = || job.workload.kind.has_fixed_work();
    match QUANTILES.iter().find(|(name, _)| *name == slo.metric) {
        Some((_, q)) => of_programs() && values_needed(*q, ALPHA) <= last,
        None => is_rate(&slo.metric) && rate_interval(0, last, alpha).is_some_and(|none| slo.is_met_by(none.high)),
    }
}

fn is_answered(slo: &Slo, known: Option<&Absolute>) -> bool {
    let answer = |side: Option<Interval>| {
        let side = side?;
        let (low, high) = (slo.is_met_by(side.low), slo.is_met_by(side.high));
        (low == high).then_some(low)
    };
    match known.map(|known| (answer(known.base), answer(known.head))) {
        // Where base violates it, head cannot be the first to.
        Some((Some(false), _) | (Some(_), Some(_))) => true,
        Some(_) | None => false,
    }
}
