//! Simulations of a machine whose neighbours disturb some processes: what the looks claim then, and what they still find.

use super::*;
use crate::stats::SplitMix64;

/// A neighbour that disturbs each process with a probability, and makes it slower by a fraction between two ends.
#[derive(Clone, Copy)]
struct Neighbour {
    probability: f64,
    least: f64,
    most: f64,
}

impl Neighbour {
    fn disturb(self, random: &mut SplitMix64) -> f64 {
        if random.unit() < self.probability { (self.least + (self.most - self.least) * random.unit()).ln_1p() } else { 0.0 }
    }
}

struct Rates {
    changed: f64,
    rounds: f64,
}

/// Base, head and control share the base's noise and its disturbances, as they do in rounds.
fn rates(effect: f64, sd: f64, neighbour: Neighbour, trials: usize) -> Rates {
    let (mut random, plan) = (SplitMix64::new(20_260_202), Plan::default());
    let side = sd / std::f64::consts::SQRT_2;
    let (mut changed, mut rounds) = (0, 0);
    for _ in 0..trials {
        let (mut head, mut control) = (Vec::new(), Vec::new());
        let decision = loop {
            let look = plan.next_look(head.len()).unwrap();
            while head.len() < look {
                let mut process = || side * random.normal() + neighbour.disturb(&mut random);
                let (one, two, three) = (process(), process(), process());
                head.push(effect.ln_1p() + two - one);
                control.push(three - one);
            }
            if let Step::Stop(decision) = plan.look(&head, &control) {
                break decision;
            }
        };
        changed += usize::from(matches!(decision.outcome, Outcome::Slower | Outcome::Faster));
        rounds += head.len();
    }
    Rates { changed: changed as f64 / trials as f64, rounds: rounds as f64 / trials as f64 }
}

/// Each process disturbed with some probability, by +10 to +60 %: heavy tails on one side.
fn heavy(probability: f64) -> Neighbour {
    Neighbour { probability, least: 0.10, most: 0.60 }
}

#[test]
fn heavy_tails_make_no_false_claims() {
    for sd in [0.005, 0.02, 0.07, 0.15] {
        for probability in [0.1, 0.2, 0.3] {
            let rates = rates(0.0, sd, heavy(probability), 1000);
            assert!(rates.changed <= 0.01, "sd {sd}, {probability} disturbed: {}", rates.changed);
        }
    }
}

#[test]
fn heavy_tails_do_not_hide_five_percent() {
    for probability in [0.1, 0.2] {
        let rates = rates(0.05, 0.02, heavy(probability), 600);
        assert!(rates.changed >= 0.95 && rates.rounds < 60.0, "{probability}: {} after {}", rates.changed, rates.rounds);
    }
}

#[test]
fn two_of_twelve_rounds_disturbed_by_thirty_percent_are_no_claim_and_no_obstacle() {
    let neighbour = Neighbour { probability: 2.0 / 12.0, least: 0.30, most: 0.30 };
    let unchanged = rates(0.0, 0.02, neighbour, 2000);
    assert!(unchanged.changed <= 0.01, "{}", unchanged.changed);
    let slower = rates(0.05, 0.02, neighbour, 600);
    assert!(slower.changed >= 0.95, "{}", slower.changed);
}

/// Twelve rounds around +16 % whose interval reaches from +8 to +27 %: what two disturbed rounds once made of two equal copies.
const DOUBTFUL: [f64; 12] = [0.02, 0.08, 0.10, 0.12, 0.14, 0.155, 0.165, 0.18, 0.20, 0.22, 0.27, 0.45];

#[test]
fn the_first_look_stops_only_for_what_is_clear() {
    let plan = Plan::default();
    let doubtful = plan.look(&DOUBTFUL, &[]);
    let Step::Continue(decision) = &doubtful else { panic!("{doubtful:?}") };
    assert_eq!(decision.outcome, Outcome::Slower, "without the guard it would have been claimed");
    // The same spread around twice as much is clear; and so is the doubtful effect once twice as many rounds say it.
    let clear: Vec<f64> = DOUBTFUL.iter().map(|value| value + 0.35).collect();
    assert!(matches!(plan.look(&clear, &[]), Step::Stop(_)));
    let twice = [DOUBTFUL, DOUBTFUL].concat();
    assert!(matches!(plan.look(&twice, &[]), Step::Stop(_)));
}

#[test]
fn without_an_interval_nothing_is_clear() {
    let none = Plan::default().judge(&[0.5; 3], &[]);
    assert!(none.effect.is_none() && !is_clear(&none));
}
