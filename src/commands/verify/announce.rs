//! What is said before a long stage: how many workloads, in which order, and how long at least.

use std::time::Duration;

use super::stopwatch::spoken;
use crate::figures;
use crate::measure::Job;
use crate::stats::Plan;

/// Workloads that are named before the rest is counted.
const NAMED: usize = 3;
/// A wait that is worth a word about `--max-time`.
const LONG: Duration = Duration::from_secs(120);

/// The jobs in words: `7 workloads, of which 2 as negative controls; hottest first: a, b, c, …`. All are named with `every`.
pub(super) fn jobs(jobs: &[Job], every: bool, max_time: Option<Duration>) -> String {
    let controls = jobs.iter().filter(|job| !job.gating).count();
    let with = if controls == 0 { String::new() } else { format!(", of which {controls} as negative controls") };
    let shown = if every { jobs.len() } else { NAMED };
    let named: Vec<&str> = jobs.iter().take(shown).map(|job| job.workload.id.as_str()).collect();
    let more = if jobs.len() > shown { ", …" } else { "" };
    let least = least(jobs).filter(|least| max_time.is_none() && *least >= LONG);
    let wait = least.map(|least| format!("; at least {}, `--max-time` bounds it", spoken(least))).unwrap_or_default();
    let first = if max_time.is_some() { "one per changed item first" } else { "hottest first" };
    format!("{}{with}; {first}: {}{more}{wait}", figures::counted(jobs.len(), "workload"), named.join(", "))
}

/// Time until the first look at every job, by what a round took at `baseline`; `None` when that is not known of one of them.
fn least(jobs: &[Job]) -> Option<Duration> {
    let rounds = Plan::default().looks.first().copied().and_then(|rounds| u32::try_from(rounds).ok())?;
    jobs.iter().map(|job| job.round_cost.map(|cost| cost * rounds)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::round::sample;

    fn many(count: usize, cost: Option<Duration>) -> Vec<Job> {
        (0..count).map(|number| Job { round_cost: cost, ..sample(&format!("id/{number}"), 0.0, true) }).collect()
    }

    #[test]
    fn a_long_wait_is_announced_unless_it_is_bounded_or_unknown() {
        let second = Some(Duration::from_secs(1));
        let hundred = many(100, second);
        assert_eq!(
            jobs(&hundred, false, None),
            "100 workloads; hottest first: id/0, id/1, id/2, …; at least 20 min 0 s, `--max-time` bounds it"
        );
        assert_eq!(jobs(&hundred, false, second), "100 workloads; one per changed item first: id/0, id/1, id/2, …");
        assert_eq!(jobs(&many(2, second), false, None), "2 workloads; hottest first: id/0, id/1");
        assert_eq!(jobs(&many(4, None), false, None), "4 workloads; hottest first: id/0, id/1, id/2, …");
        assert!(jobs(&hundred, true, None).contains("id/99;"));
    }
}
