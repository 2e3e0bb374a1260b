use super::*;
use crate::config::Slo;
use crate::measure::WorkloadKind;
use crate::measure::clock::ClockKind;
use crate::measure::harness::Latency;
use crate::measure::order::Role;
use crate::measure::round::Reading;
use crate::process::Usage;
use crate::stats::estimate::median_interval;

/// A machine that makes noise to order.
pub(super) struct Simulated {
    random: SplitMix64,
    sd: f64,
    /// Head's slowdown per workload id, a fraction.
    effect: fn(&str) -> f64,
    pub(super) control_bias: f64,
    pub(super) fails: fn(Role, usize) -> bool,
    runs: usize,
    pub(super) delay: Duration,
}

impl Simulated {
    pub(super) fn new(sd: f64, effect: fn(&str) -> f64) -> Self {
        let random = SplitMix64::new(42);
        Self { random, sd, effect, control_bias: 0.0, fails: |_, _| false, runs: 0, delay: Duration::ZERO }
    }
}

impl Runner for Simulated {
    fn run_side(&mut self, job: &Job, role: Role) -> Result<Reading, HarnessError> {
        self.runs += 1;
        std::thread::sleep(self.delay);
        if (self.fails)(role, self.runs) {
            return Err(HarnessError::Failed {
                workload: job.workload.id.clone(),
                outcome: "exit code 3".into(),
                tail: "boom".into(),
            });
        }
        let effect = match role {
            Role::Base => 0.0,
            Role::Head => (self.effect)(&job.workload.id),
            Role::Control => self.control_bias,
        };
        let value = 50_000.0 * (1.0 + effect) * (self.sd / std::f64::consts::SQRT_2 * self.random.normal()).exp();
        Ok(Reading {
            latency: Latency { median: value, min: 0.9 * value },
            throughput: None,
            wall: 2.0 * value,
            usage: Some(Usage { peak_rss: Some(8 << 20), minor_faults: 100, ..Usage::default() }),
            singles: if job.workload.kind.has_fixed_work() { vec![value] } else { Vec::new() },
        })
    }
}

pub(super) use crate::measure::round::sample as job;

fn session(jobs: &[Job], machine: &mut Simulated) -> Session {
    measure(jobs, machine, &Settings::default(), |_| {}).unwrap()
}

#[test]
fn unchanged_code_is_the_same_and_a_slower_one_is_slower() {
    let jobs = [job("a", 0.1, true), job("slow", 0.5, true)];
    let mut machine = Simulated::new(0.02, |id| if id == "slow" { 0.05 } else { 0.0 });
    let measured = session(&jobs, &mut machine).measured;
    assert_eq!((measured[0].outcome, measured[1].outcome), (Some(Outcome::Same), Some(Outcome::Slower)));
    assert!(measured[1].reason.starts_with('+') && measured[1].rounds <= 48, "{}", measured[1].reason);
    let primary = measured[1].primary().unwrap();
    assert_eq!((primary.name.as_str(), primary.clock, primary.rounds), ("latency.p50", Some(ClockKind::Cpu), measured[1].rounds));
    assert!(primary.low.unwrap() > 1.02 && primary.low < primary.ratio && primary.ratio < primary.high);
    assert_eq!(measured[1].metric("memory.peak_rss").unwrap().outcome, Some(Outcome::Same));
}

#[test]
fn metrics_that_are_zero_or_depend_on_the_harness_are_not_judged() {
    let mut machine = Simulated::new(0.01, |_| 0.0);
    let measured = session(&[job("a", 1.0, true)], &mut machine).measured.remove(0);
    let metric = |name: &str| measured.metric(name).unwrap();
    assert_eq!((metric("page_faults.major").base, metric("page_faults.major").ratio), (Some(0.0), None));
    assert!(metric("wall").ratio.is_some() && metric("wall").outcome.is_none());
    assert_eq!(metric("cpu.user").low, None);
}

#[test]
fn unchanged_workloads_in_a_crowd_raise_no_alarm() {
    let jobs: Vec<Job> = (0..40).map(|i| job(&format!("w{i}"), f64::from(i), true)).collect();
    for sd in [0.02, 0.1, 0.35] {
        let measured = session(&jobs, &mut Simulated::new(sd, |_| 0.0)).measured;
        let alarms = measured.iter().filter(|m| matches!(m.outcome, Some(Outcome::Slower | Outcome::Faster))).count();
        assert_eq!(alarms, 0, "sd {sd}");
    }
}

#[test]
fn a_five_percent_slowdown_in_a_crowd_is_found() {
    let jobs: Vec<Job> = (0..40).map(|i| job(&format!("w{i}"), f64::from(i), true)).collect();
    let measured = session(&jobs, &mut Simulated::new(0.02, |id| if id == "w7" { 0.05 } else { 0.0 })).measured;
    assert_eq!(measured[7].outcome, Some(Outcome::Slower), "{}", measured[7].reason);
}

#[test]
fn a_control_that_moves_makes_it_noise() {
    let mut machine = Simulated::new(0.01, |_| 0.05);
    machine.control_bias = 0.04;
    let measured = session(&[job("a", 1.0, true)], &mut machine).measured.remove(0);
    assert!(measured.is_noise() && measured.ending == Ending::Exhausted, "{measured:?}");
    assert!(measured.reason.contains("copy of the base") && measured.reason.contains("could have seen"), "{}", measured.reason);
}

#[test]
fn hopeless_noise_says_what_it_could_have_seen() {
    let measured = session(&[job("a", 1.0, true)], &mut Simulated::new(0.5, |_| 0.0)).measured.remove(0);
    assert!(measured.is_noise() && measured.detectable.unwrap() > 0.05, "{}", measured.reason);
}

#[test]
fn a_head_that_fails_where_base_does_not_is_a_failure_and_no_number() {
    let mut machine = Simulated::new(0.01, |_| 0.0);
    machine.fails = |role, _| role == Role::Head;
    let measured = session(&[job("a", 1.0, true)], &mut machine).measured.remove(0);
    assert_eq!((measured.ending, measured.outcome, measured.rounds), (Ending::HeadFails, None, 0));
    assert!(measured.metrics.is_empty() && measured.reason.contains("boom"), "{}", measured.reason);
    assert_eq!(machine.runs, 6);
}

#[test]
fn a_workload_that_fails_on_both_sides_is_not_the_change_s_fault() {
    let mut machine = Simulated::new(0.01, |_| 0.0);
    machine.fails = |_, _| true;
    let measured = session(&[job("a", 1.0, true)], &mut machine).measured.remove(0);
    assert_eq!((measured.ending, measured.failures.head_only()), (Ending::Fails, false));
    assert!(measured.reason.contains("both sides"), "{}", measured.reason);
}

/// A machine whose failures depend on how often head has run.
struct Now<'a>(&'a mut Simulated, &'a mut usize, fn(usize, Role) -> bool);
impl Runner for Now<'_> {
    fn run_side(&mut self, job: &Job, role: Role) -> Result<Reading, HarnessError> {
        *self.1 += usize::from(role == Role::Head);
        let fails = self.2;
        if fails(*self.1, role) {
            return Err(HarnessError::Failed { workload: "a".into(), outcome: "exit code 3".into(), tail: "boom".into() });
        }
        self.0.run_side(job, role)
    }
}

#[test]
fn failures_of_head_alone_that_chance_explains_get_more_rounds() {
    let mut machine = Simulated::new(0.01, |_| 0.0);
    // The second and third of head's runs: were it flaky on both sides, that would often be so.
    let mut heads = 0;
    let twice = Now(&mut machine, &mut heads, |head, role| role == Role::Head && (head == 2 || head == 3));
    let jobs = [job("a", 1.0, true)];
    let measured = measure(&jobs, &mut { twice }, &Settings::default(), |_| {}).unwrap().measured.remove(0);
    assert_eq!((measured.ending, measured.outcome, measured.rounds), (Ending::Decided, Some(Outcome::Same), 192));
    assert_eq!(measured.metric("error_rate").unwrap().head, Some(2.0 / 194.0));
    let mut heads = 0;
    let often = Now(&mut machine, &mut heads, |head, role| role == Role::Head && head % 4 == 0);
    let measured = measure(&jobs, &mut { often }, &Settings::default(), |_| {}).unwrap().measured.remove(0);
    assert_eq!((measured.ending, measured.failures.head), (Ending::HeadFails, 5));
}

fn asking(metric: &str, bound: f64, effect: fn(&str) -> f64) -> Measured {
    asking_of(&mut Simulated::new(0.01, effect), metric, bound)
}

fn asking_of(machine: &mut Simulated, metric: &str, bound: f64) -> Measured {
    let objective = Slo { metric: metric.into(), bound, unit: "ns", written: bound.to_string() };
    let workload = crate::measure::workload::sample("program", WorkloadKind::Binary);
    let job = Job { workload, objectives: vec![objective], ..job("program", 1.0, true) };
    session(&[job], machine).measured.remove(0)
}

#[test]
fn a_rate_is_answered_of_a_program_that_fails_too_often_to_be_compared() {
    let flaky = |metric, bound, fails| {
        let mut machine = Simulated::new(0.01, |_| 0.0);
        machine.fails = fails;
        let measured = asking_of(&mut machine, metric, bound);
        assert_eq!((measured.ending, measured.outcome, measured.metrics.len()), (Ending::Fails, None, 0));
        measured
    };
    let now_and_then = |_, run: usize| run.is_multiple_of(10);
    let kept = flaky("error_rate", 0.3, now_and_then);
    let rate = kept.absolutes.iter().find(|one| one.metric == "error_rate").unwrap();
    assert!(rate.base.unwrap().high < 0.3 && rate.head.unwrap().high < 0.3, "{rate:?}");
    assert!([12, 24, 48, 96].contains(&kept.failures.attempted), "{:?}", kept.failures);
    assert_eq!(flaky("error_rate", 0.1, now_and_then).failures.attempted, 192, "as often as that: never told");
    assert_eq!(flaky("latency.p95", 60_000.0, now_and_then).failures.base, 2, "no rate is asked for");
    assert!(flaky("error_rate", 0.3, |_, _| true).failures.attempted <= 3, "base violates it for sure");
}

#[test]
fn rounds_go_on_for_an_objective_that_they_can_answer() {
    let p95 = asking("latency.p95", 60_000.0, |_| 0.0);
    assert_eq!((p95.outcome, p95.rounds), (Some(Outcome::Same), 96));
    assert!(p95.metric("latency.p95").is_some_and(|metric| metric.base.is_some() && metric.outcome.is_none()));
    assert_eq!(asking("error_rate", 0.05, |_| 0.0).rounds, 192);
    for (metric, bound) in [("latency.p99", 60_000.0), ("error_rate", 0.001), ("latency.p50", 60_000.0)] {
        assert_eq!(asking(metric, bound, |_| 0.0).rounds, 12, "{metric} has its answer, or would not get one");
    }
    assert_eq!(asking("latency.p95", 60_000.0, |_| 0.3).rounds, 12, "a claim is measured again");
}

#[test]
fn one_stray_failure_costs_a_round_and_is_remembered() {
    let mut machine = Simulated::new(0.01, |_| 0.0);
    machine.fails = |_, run| run == 5;
    let measured = session(&[job("a", 1.0, true)], &mut machine).measured.remove(0);
    assert_eq!((measured.outcome, measured.rounds), (Some(Outcome::Same), 12));
    assert_eq!(measured.failures.base + measured.failures.head, 1);
}

#[test]
fn without_any_time_everything_is_skipped_and_listed() {
    let jobs = [job("cold", 0.0, true), job("hot", 0.9, true)];
    let mut machine = Simulated::new(0.005, |_| 0.0);
    let settings = Settings { max_time: Some(Duration::ZERO), ..Settings::default() };
    let session = measure(&jobs, &mut machine, &settings, |_| {}).unwrap();
    assert_eq!((machine.runs, session.out_of_time().count()), (0, 2));
    assert!(session.measured[0].reason.contains("time limit") && session.measured[0].outcome.is_none());
}

#[test]
fn a_dear_workload_that_does_not_fit_makes_room_for_a_cheap_one() {
    let dear = Job { round_cost: Some(Duration::from_secs(60)), ..job("dear", 1.0, true) };
    let settings = Settings { max_time: Some(Duration::from_secs(20)), ..Settings::default() };
    let jobs = [dear, job("cheap", 0.5, true)];
    let session = measure(&jobs, &mut Simulated::new(0.005, |_| 0.0), &settings, |_| {}).unwrap();
    assert_eq!((session.measured[0].ending, session.measured[1].ending), (Ending::Skipped, Ending::Decided));
}

#[test]
fn a_benchmark_that_head_does_not_know_is_not_a_crash() {
    struct Renamed;
    impl Runner for Renamed {
        fn run_side(&mut self, job: &Job, role: Role) -> Result<Reading, HarnessError> {
            match role {
                Role::Head => Err(HarnessError::NotRun { id: job.workload.harness_id.clone() }),
                _ => Simulated::new(0.01, |_| 0.0).run_side(job, role),
            }
        }
    }
    let measured = measure(&[job("a", 1.0, true)], &mut Renamed, &Settings::default(), |_| {}).unwrap().measured.remove(0);
    assert_eq!((measured.ending, measured.failures.head_only()), (Ending::Fails, false));
    assert!(measured.reason.contains("at head"), "{}", measured.reason);
}

#[test]
fn a_session_cut_short_judges_what_it_has_and_says_so() {
    let mut machine = Simulated::new(0.005, |_| 0.0);
    machine.delay = Duration::from_millis(5);
    let settings = Settings { looks: vec![1000], max_time: Some(Duration::from_millis(200)), ..Settings::default() };
    let session = measure(&[job("a", 1.0, true)], &mut machine, &settings, |_| {}).unwrap();
    let measured = &session.measured[0];
    assert_eq!(measured.ending, Ending::CutShort);
    assert!(measured.rounds < 15 && measured.reason.contains("cut short"), "{}", measured.reason);
}

#[test]
fn progress_is_told_after_every_round() {
    let mut calls = Vec::new();
    let jobs = [job("a", 1.0, true), job("b", 2.0, false)];
    measure(&jobs, &mut Simulated::new(0.005, |_| 0.0), &Settings::default(), |p| {
        calls.push((p.workload.to_owned(), p.rounds, p.done));
    })
    .unwrap();
    assert_eq!(calls.first(), Some(&("b".to_owned(), 1, 0)));
    assert_eq!(calls.last(), Some(&("a".to_owned(), 12, 1)));
    assert_eq!(calls.len(), 24);
}

#[test]
fn the_seed_decides_the_order_and_nothing_else_is_random() {
    let jobs = [job("a", 1.0, true)];
    let values = |seed| {
        let settings = Settings { seed, ..Settings::default() };
        measure(&jobs, &mut Simulated::new(0.02, |_| 0.0), &settings, |_| {}).unwrap().measured[0].values.clone()
    };
    assert_eq!(values(1), values(1));
    assert_ne!(values(1), values(2));
}

#[test]
fn the_interval_of_the_primary_metric_is_that_of_its_rounds() {
    let measured = session(&[job("a", 1.0, true)], &mut Simulated::new(0.02, |_| 0.05)).measured.remove(0);
    let ratios: Vec<f64> = measured.values.iter().map(|round| (round.head / round.base).ln()).collect();
    let interval = median_interval(&ratios, 0.01).unwrap().exp();
    assert_eq!(measured.primary().unwrap().low, Some(interval.low));
    assert!(serde_json::to_string(&measured).unwrap().contains("\"outcome\":\"slower\""));
}
