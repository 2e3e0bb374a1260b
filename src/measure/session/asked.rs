//! Whether more rounds could answer an objective that the rounds so far leave open.
//!
//! Only for what needs more rounds than a comparison does: the quantiles of programs, and rates. It says nothing about which way
//! the answer goes.

use crate::config::Slo;
use crate::measure::absolute::{Absolute, absolutes};
use crate::measure::metric::{ALPHA, QUANTILES, absolute_rates, is_rate};
use crate::measure::round::{Failures, Job, Round};
use crate::stats::{Interval, Plan, rate_interval, values_needed};

/// The plan, with looks at twice, four times, … its last one up to `most` rounds where an objective may need them.
pub(super) fn with_room(plan: Plan, job: &Job, most: usize) -> Plan {
    let last = plan.looks.last().copied().unwrap_or_default();
    let further =
        std::iter::successors(Some(2 * last), |rounds| Some(2 * rounds)).take_while(|rounds| (1..=most).contains(rounds));
    let longer = Plan { looks: plan.looks.iter().copied().chain(further).collect(), ..plan.clone() };
    if answerable(job, &longer).next().is_some() { longer } else { plan }
}

/// True while an objective is unanswered that the planned rounds can answer.
pub(super) fn is_open(job: &Job, rounds: &[Round], failures: &Failures, plan: &Plan) -> bool {
    let mut asked = answerable(job, plan).peekable();
    if asked.peek().is_none() {
        return false;
    }
    let known = absolutes(job, rounds, failures, plan.look_alpha());
    asked.any(|slo| !is_answered(answers(slo, &known)))
}

/// True while a rate is asked for and unanswered of a workload that fails too often to be compared.
///
/// An answer that can fail a verdict is taken at the planned looks only; that base violates the bound needs no second look.
pub(super) fn is_rate_open(job: &Job, failures: &Failures, plan: &Plan) -> bool {
    let last = plan.looks.last().copied().unwrap_or_default();
    if !failures.is_flaky() || failures.attempted >= last {
        return false;
    }
    let known = absolute_rates(failures, plan.look_alpha());
    let at_look = plan.looks.contains(&failures.attempted);
    answerable(job, plan).filter(|slo| is_rate(&slo.metric)).any(|slo| match answers(slo, &known) {
        (Some(false), _) => false,
        both => !(at_look && is_answered(both)),
    })
}

/// The objectives that the planned rounds can answer.
fn answerable<'j>(job: &'j Job, plan: &Plan) -> impl Iterator<Item = &'j Slo> {
    let (last, alpha) = (plan.looks.last().copied().unwrap_or_default(), plan.look_alpha());
    job.objectives.iter().filter(move |slo| is_answerable(job, slo, last, alpha))
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

/// Whether base and head keep it, as far as their whole intervals tell.
fn answers(slo: &Slo, known: &[Absolute]) -> (Option<bool>, Option<bool>) {
    let answer = |side: Option<Interval>| {
        let side = side?;
        let (low, high) = (slo.is_met_by(side.low), slo.is_met_by(side.high));
        (low == high).then_some(low)
    };
    let known = known.iter().find(|one| one.metric == slo.metric);
    known.map_or((None, None), |known| (answer(known.base), answer(known.head)))
}

/// Where base violates it, head cannot be the first to.
fn is_answered(sides: (Option<bool>, Option<bool>)) -> bool {
    matches!(sides, (Some(false), _) | (Some(_), Some(_)))
}
