use super::super::measure;
use super::super::tests::{Simulated, job};
use super::*;
use crate::config::Slo;
use crate::measure::WorkloadKind;
use crate::measure::order::Role;
use crate::measure::round::Reading;

/// A machine on which some links are slow: by the number in their paths and by their role.
struct Linked {
    machine: Simulated,
    slow: fn(pair: usize, role: Role) -> f64,
    fails: fn(pair: usize, role: Role) -> bool,
}

impl Linked {
    fn new(effect: fn(&str) -> f64) -> Self {
        Self { machine: steady(effect), slow: |_, _| 0.0, fails: |_, _| false }
    }
}

impl Runner for Linked {
    fn run_side(&mut self, job: &Job, role: Role) -> Result<Reading, HarnessError> {
        let pair = job.base.executable.to_string_lossy().rsplit('/').next().and_then(|name| name.parse().ok()).unwrap_or(0);
        if (self.fails)(pair, role) {
            let (outcome, tail) = ("signal 11".into(), "boom".into());
            return Err(HarnessError::Failed { workload: job.workload.id.clone(), outcome, tail });
        }
        let mut reading = self.machine.run_side(job, role)?;
        reading.latency.median *= 1.0 + (self.slow)(pair, role);
        Ok(reading)
    }
}

fn links(pairs: usize) -> Vec<Link> {
    let side = |number: usize| Side::new(format!("/t/{number}"), "/repo");
    (1..=pairs).map(|number| Link { base: side(number), head: side(number), control: side(number) }).collect()
}

/// Screens on one machine and repeats on another.
fn confirmed(screened: f64, pairs: usize, machine: &mut impl Runner, settings: &Settings) -> Confirmed {
    let jobs = [job("a", 1.0, true)];
    let mut first = steady(|_| 1.0);
    let measured = measure(&jobs, &mut first, &Settings::default(), |_| {}).unwrap().measured.remove(0);
    assert_eq!(measured.outcome, Some(Outcome::Slower));
    let mut measured = Measured { outcome: Some(if screened > 1.0 { Outcome::Slower } else { Outcome::Faster }), ..measured };
    measured.metrics[0].ratio = Some(screened);
    let candidate = Candidate { job: job("a", 1.0, true), screened: measured, links: links(pairs) };
    confirm(&[candidate], machine, settings, |_| {}).unwrap().remove(0)
}

fn steady(effect: fn(&str) -> f64) -> Simulated {
    Simulated::new(0.01, effect)
}

#[test]
fn a_true_slowdown_is_confirmed_in_every_pair_of_links() {
    let done = confirmed(1.06, 5, &mut steady(|_| 0.06), &Settings::default());
    assert_eq!((done.measured.outcome, done.agreeing, done.ratios.len()), (Some(Outcome::Slower), 6, 6));
    assert_eq!(done.measured.rounds % 6, 0);
    assert!(done.layout_sd.unwrap() < 0.005 && done.measured.reason.starts_with('+'), "{done:?}");
}

#[test]
fn what_fresh_processes_do_not_show_is_inconclusive_with_both_numbers() {
    let done = confirmed(1.06, 0, &mut steady(|_| 0.0), &Settings::default());
    assert_eq!((done.measured.outcome, done.layout_sd), (Some(Outcome::Inconclusive), None));
    assert!(done.measured.reason.starts_with("not confirmed: +6.0 % at first, "), "{}", done.measured.reason);
    assert_eq!(done.measured.primary().unwrap().outcome, Some(Outcome::Inconclusive));
}

#[test]
fn a_slowdown_is_no_confirmation_of_a_speedup() {
    let done = confirmed(0.94, 5, &mut steady(|_| 0.06), &Settings::default());
    assert_eq!(done.measured.outcome, Some(Outcome::Inconclusive));
    assert!(done.measured.reason.contains("not confirmed"), "{}", done.measured.reason);
}

#[test]
fn an_effect_of_some_links_is_layout_and_says_of_how_many() {
    let slow = |pair: usize, role: Role| if pair < 3 && role == Role::Head { 0.125 } else { 0.0 };
    let mut machine = Linked { slow, ..Linked::new(|_| 0.0) };
    let done = confirmed(1.125, 5, &mut machine, &Settings::default());
    assert_eq!((done.measured.outcome, done.agreeing), (Some(Outcome::Inconclusive), 3));
    let reason = &done.measured.reason;
    assert!(reason.starts_with("layout-sensitive: +1") && reason.contains(" in 3 of 6 links; not attributable"), "{reason}");
    assert!(!reason.contains("could have seen"), "{reason}");
}

#[test]
fn links_of_the_base_that_differ_hide_what_is_smaller_than_they_are() {
    let slow = |pair: usize, role: Role| {
        let link = if pair.is_multiple_of(2) { 0.05 } else { 0.0 };
        link + if role == Role::Head { 0.06 } else { 0.0 }
    };
    let mut machine = Linked { slow, ..Linked::new(|_| 0.0) };
    let done = confirmed(1.06, 5, &mut machine, &Settings::default());
    assert_eq!(done.measured.outcome, Some(Outcome::Inconclusive));
    assert!(done.measured.reason.contains("links of the base alone differ by"), "{}", done.measured.reason);
    assert!((0.02..0.04).contains(&done.layout_sd.unwrap()), "{:?}", done.layout_sd);
}

#[test]
fn one_more_pair_confirms_or_tells_layout() {
    let done = confirmed(1.06, 1, &mut steady(|_| 0.06), &Settings::default());
    assert_eq!((done.measured.outcome, done.agreeing, done.ratios.len()), (Some(Outcome::Slower), 2, 2));
    let slow = |pair: usize, role: Role| if pair == 0 && role == Role::Head { 0.125 } else { 0.0 };
    let mut machine = Linked { slow, ..Linked::new(|_| 0.0) };
    let done = confirmed(1.125, 1, &mut machine, &Settings::default());
    assert_eq!((done.measured.outcome, done.agreeing), (Some(Outcome::Inconclusive), 1));
    assert!(done.measured.reason.contains(" in 1 of 2 links; not attributable"), "{}", done.measured.reason);
}

/// The repetition of programs that are slower, each with an objective (`None`: without), over so many further pairs of links.
fn asking(asked: &[Option<(&str, f64)>], pairs: usize, machine: &mut Simulated, settings: &Settings) -> Vec<Confirmed> {
    let program = |(index, asked): (usize, &Option<(&str, f64)>)| {
        let objective =
            |(metric, bound): (&str, f64)| Slo { metric: metric.into(), bound, unit: "ns", written: bound.to_string() };
        let workload = crate::measure::workload::sample(&format!("program-{index}"), WorkloadKind::Binary);
        Job { workload, objectives: asked.map(objective).into_iter().collect(), ..job("program", 1.0, true) }
    };
    let jobs: Vec<Job> = asked.iter().enumerate().map(program).collect();
    let screened = measure(&jobs, &mut steady(|_| 0.3), &Settings::default(), |_| {}).unwrap().measured;
    let candidates: Vec<Candidate> =
        jobs.into_iter().zip(screened).map(|(job, screened)| Candidate { job, screened, links: links(pairs) }).collect();
    confirm(&candidates, machine, settings, |_| {}).unwrap()
}

#[test]
fn the_repetition_goes_on_for_an_objective_that_it_can_answer() {
    let rounds = |metric, bound, pairs| {
        let done = asking(&[Some((metric, bound))], pairs, &mut steady(|_| 0.3), &Settings::default()).remove(0).measured;
        assert_eq!((done.outcome, done.ending), (Some(Outcome::Slower), Ending::Decided), "{}", done.reason);
        let absolute = done.absolutes.iter().find(|one| one.metric == metric).unwrap();
        (done.rounds, absolute.base.is_some() && absolute.head.is_some())
    };
    assert_eq!(rounds("latency.p95", 60_000.0, 0), (96, true));
    assert_eq!(rounds("latency.p95", 60_000.0, 5), (96, true));
    assert_eq!(rounds("error_rate", 0.05, 0), (192, true));
    assert_eq!(rounds("error_rate", 0.05, 5), (192, true));
    assert_eq!(rounds("latency.p50", 60_000.0, 0), (12, true));
    assert_eq!(rounds("latency.p99", 60_000.0, 0), (12, false), "no session has the runs for it");
}

#[test]
fn an_objective_takes_no_time_from_another_claim() {
    let mut machine = steady(|_| 0.3);
    machine.delay = Duration::from_millis(5);
    let settings = Settings { max_time: Some(Duration::from_millis(900)), ..Settings::default() };
    let done = asking(&[Some(("error_rate", 0.05)), None], 0, &mut machine, &settings);
    let both = [&done[0].measured, &done[1].measured].map(|one| (one.outcome, one.ending));
    assert_eq!(both, [(Some(Outcome::Slower), Ending::Decided); 2]);
    assert!((13..100).contains(&done[0].measured.rounds) && done[1].measured.rounds == 12, "{}", done[0].measured.rounds);
}

#[test]
fn a_repetition_that_fails_now_and_then_answers_a_rate_and_is_no_comparison() {
    let flaky = |asked| {
        let mut machine = steady(|_| 0.3);
        machine.fails = |_, run| run % 10 == 0;
        asking(&[asked], 0, &mut machine, &Settings::default()).remove(0).measured
    };
    let asked = flaky(Some(("error_rate", 0.3)));
    assert_eq!((asked.ending, asked.outcome), (Ending::Fails, None));
    let rate = asked.absolutes.iter().find(|one| one.metric == "error_rate").unwrap();
    assert!(rate.base.unwrap().high < 0.3 && rate.head.unwrap().high < 0.3, "{rate:?}");
    assert_eq!((asked.failures.base > 2, flaky(None).failures.base), (true, 2), "without the question it ends there");
}

#[test]
fn without_time_there_is_no_claim() {
    let settings = Settings { max_time: Some(Duration::ZERO), ..Settings::default() };
    let done = confirmed(1.06, 5, &mut steady(|_| 0.06), &settings);
    assert_eq!((done.measured.outcome, done.ratios.len()), (Some(Outcome::Inconclusive), 0));
    assert!(done.measured.reason.contains("time limit"), "{}", done.measured.reason);
}

#[test]
fn a_head_that_fails_in_the_repetition_is_a_failure() {
    let mut machine = steady(|_| 0.0);
    machine.fails = |role, _| role == Role::Head;
    let done = confirmed(1.06, 0, &mut machine, &Settings::default());
    assert_eq!((done.measured.ending, done.measured.outcome), (Ending::HeadFails, None));
}

#[test]
fn links_that_fail_drop_out_and_accuse_nobody() {
    // Each head that was linked anew fails, as of a program that relies on the order of its functions.
    let mut machine = Linked { fails: |pair, role| pair > 0 && role == Role::Head, ..Linked::new(|_| 0.06) };
    let done = confirmed(1.06, 5, &mut machine, &Settings::default());
    assert_eq!((done.measured.outcome, done.ratios.len(), done.measured.failures.head), (Some(Outcome::Slower), 1, 0));
    let (count, how) = done.left_out.unwrap();
    assert!(count == 5 && how.starts_with("fails at head"), "{how}");
    // Links of the base or of both sides that fail are no reason to stop, and those that are left are compared.
    let mut machine = Linked { fails: |pair, _| pair == 2 || pair == 5, ..Linked::new(|_| 0.06) };
    let done = confirmed(1.06, 5, &mut machine, &Settings::default());
    assert_eq!((done.measured.outcome, done.ratios.len(), done.agreeing), (Some(Outcome::Slower), 4, 4));
    assert_eq!((done.left_out.map(|(count, _)| count), done.measured.rounds % 4), (Some(2), 0));
    let rate = |name: &str| done.measured.absolutes.iter().find(|one| one.metric == name).unwrap().head.unwrap();
    assert!(rate("error_rate").low < f64::EPSILON);
}

#[test]
fn failures_here_and_there_among_the_links_are_no_failure_of_head() {
    /// The first run of every head that was linked anew fails: five failures of head, none of base.
    struct Once(Simulated, std::collections::HashSet<std::ffi::OsString>);
    impl Runner for Once {
        fn run_side(&mut self, job: &Job, role: Role) -> Result<Reading, HarnessError> {
            let link = job.head.executable.as_os_str();
            if role == Role::Head && link.len() == 4 && self.1.insert(link.to_owned()) {
                let (outcome, tail) = ("signal 11".into(), "boom".into());
                return Err(HarnessError::Failed { workload: job.workload.id.clone(), outcome, tail });
            }
            self.0.run_side(job, role)
        }
    }
    let mut machine = Once(steady(|_| 0.06), std::collections::HashSet::new());
    let done = confirmed(1.06, 5, &mut machine, &Settings::default());
    assert_eq!(machine.1.len(), 5);
    assert_eq!((done.measured.outcome, done.ratios.len(), done.left_out), (Some(Outcome::Slower), 6, None));
}

#[test]
fn the_number_of_candidates_is_corrected_for() {
    let claim = |p_value: f64| {
        let mut done = confirmed(1.06, 0, &mut steady(|_| 0.06), &Settings::default());
        done.measured.p_value = Some(p_value);
        done
    };
    let mut family = [claim(0.03), claim(0.03), claim(0.001)];
    correct(&mut family, 0.05);
    let outcomes = family.map(|one| one.measured.outcome);
    assert_eq!(outcomes, [Some(Outcome::Inconclusive), Some(Outcome::Inconclusive), Some(Outcome::Slower)]);
}
