use super::*;
use crate::stats::SplitMix64;

/// A workload, its change, and what links do to it.
struct Machine {
    /// Spread of a pair of processes.
    noise: f64,
    /// ln(head/base) of the change itself.
    effect: f64,
    /// ln of what the link of a side adds, drawn once per link.
    layout: fn(&mut SplitMix64) -> f64,
    pairs: usize,
    sweeps: usize,
}

const STEADY: Machine = Machine { noise: 0.01, effect: 0.0, layout: |_| 0.0, pairs: 6, sweeps: 8 };

fn within_one_percent(random: &mut SplitMix64) -> f64 {
    0.02 * random.unit() - 0.01
}

fn bistable(random: &mut SplitMix64) -> f64 {
    if random.unit() < 0.5 { 0.12 } else { 0.0 }
}

impl Machine {
    fn rounds(&self, random: &mut SplitMix64) -> Vec<LayoutRound> {
        let links: Vec<(f64, f64)> = (0..self.pairs).map(|_| ((self.layout)(random), (self.layout)(random))).collect();
        let side = self.noise / std::f64::consts::SQRT_2;
        let mut rounds = Vec::new();
        for sweep in 0..self.sweeps {
            // The machine drifts from sweep to sweep: 5 % are nothing unusual.
            let drift = 0.05 * random.normal();
            for (layout, (base_link, head_link)) in links.iter().enumerate() {
                let mut noise = || side * random.normal();
                let base = drift + base_link + noise();
                let head = drift + head_link + self.effect + noise() - base;
                rounds.push(LayoutRound { layout, sweep, head, control: drift + base_link + noise() - base, base });
            }
        }
        rounds
    }

    fn judge(&self, random: &mut SplitMix64) -> AcrossLayouts {
        across_layouts(&self.rounds(random), Outcome::Slower, Margins::default(), 0.05 / 3.0)
    }

    /// Shares of slower or faster, of same, and of the layout-sensitive.
    fn shares(&self) -> (f64, f64, f64) {
        let mut random = SplitMix64::new(20_260_601);
        let trials = 300;
        let mut counts = (0, 0, 0);
        for _ in 0..trials {
            let judged = self.judge(&mut random);
            counts.0 += usize::from(matches!(judged.decision.outcome, Outcome::Slower | Outcome::Faster));
            counts.1 += usize::from(judged.decision.outcome == Outcome::Same);
            let reason = &judged.decision.reason;
            counts.2 += usize::from(matches!(reason, Reason::LayoutSensitive { .. } | Reason::LayoutMoves { .. }));
        }
        let share = |count: usize| f64::from(count as u32) / f64::from(trials);
        (share(counts.0), share(counts.1), share(counts.2))
    }
}

#[test]
fn copies_are_not_slower() {
    let (claims, same, _) = STEADY.shares();
    assert!(claims == 0.0 && same > 0.95, "{claims} {same}");
}

#[test]
fn copies_on_a_noisy_machine_are_not_slower() {
    let (claims, _, sensitive) = Machine { noise: 0.10, ..STEADY }.shares();
    assert!(claims <= 0.005 && sensitive <= 0.05, "{claims} {sensitive}");
}

#[test]
fn five_percent_are_found_through_one_percent_of_layout() {
    let (claims, ..) = Machine { effect: 0.05, layout: within_one_percent, ..STEADY }.shares();
    assert!(claims >= 0.95, "{claims}");
}

#[test]
fn a_workload_with_two_speeds_by_layout_is_layout_sensitive_and_never_slower() {
    let (claims, _, sensitive) = Machine { layout: bistable, ..STEADY }.shares();
    // In about a fifth of the draws no pair happens to be slower.
    assert!(claims == 0.0 && sensitive >= 0.75, "{claims} {sensitive}");
}

#[test]
fn two_speeds_of_head_alone_are_layout_too() {
    // Only some links of head are hit: the base says nothing of it, the pairs do.
    let mut rounds = STEADY.rounds(&mut SplitMix64::new(1));
    rounds.iter_mut().filter(|round| round.layout < 4).for_each(|round| round.head += 0.12);
    let judged = across_layouts(&rounds, Outcome::Slower, Margins::default(), 0.05 / 3.0);
    let Reason::LayoutSensitive { effect, links, of } = judged.decision.reason else { panic!("{judged:?}") };
    assert_eq!((links, of, judged.decision.outcome), (4, 6, Outcome::Inconclusive));
    assert!((effect - 0.127).abs() < 0.02, "{effect}");
    let said = judged.decision.reason.to_string();
    assert!(said.starts_with("layout-sensitive: +1") && said.contains(" in 4 of 6 links; not attributable"), "{said}");
}

#[test]
fn a_large_effect_stands_although_links_differ() {
    let (claims, ..) = Machine { effect: 0.60, layout: bistable, ..STEADY }.shares();
    assert!(claims >= 0.9, "{claims}");
}

#[test]
fn the_spread_of_the_base_is_that_of_its_links_not_of_the_machine() {
    let mut random = SplitMix64::new(3);
    let spread = |machine: &Machine, random: &mut SplitMix64| {
        let spreads: Vec<f64> = (0..100).filter_map(|_| machine.judge(random).base_spread).collect();
        median(&spreads).unwrap()
    };
    let none = spread(&Machine { noise: 0.05, ..STEADY }, &mut random);
    let three: fn(&mut SplitMix64) -> f64 = |random| 0.03 * random.normal();
    let some = spread(&Machine { layout: three, ..STEADY }, &mut random);
    assert!(none < 0.008 && (0.02..0.04).contains(&some), "{none} {some}");
}

#[test]
fn one_pair_is_judged_as_rounds_are() {
    let rounds = Machine { pairs: 1, sweeps: 24, effect: 0.05, ..STEADY }.rounds(&mut SplitMix64::new(5));
    let judged = across_layouts(&rounds, Outcome::Slower, Margins::default(), 0.01);
    let (head, control): (Vec<f64>, Vec<f64>) = rounds.iter().map(|round| (round.head, round.control)).unzip();
    assert_eq!(judged.decision, crate::stats::decide(&head, &control, Margins::default(), 0.01));
    assert_eq!((judged.decision.outcome, judged.base_spread), (Outcome::Slower, None));
}

#[test]
fn no_rounds_are_too_few() {
    let judged = across_layouts(&[], Outcome::Slower, Margins::default(), 0.01);
    assert_eq!((judged.decision.reason, judged.agreeing), (Reason::TooFewRounds { rounds: 0 }, 0));
}

proptest::proptest! {
    #[test]
    fn which_pair_is_called_first_changes_nothing(seed in 0_u64..1000, effect in -0.2_f64..0.2) {
        let machine = Machine { effect, layout: within_one_percent, ..STEADY };
        let rounds = machine.rounds(&mut SplitMix64::new(seed));
        let renamed: Vec<LayoutRound> = rounds.iter().map(|round| LayoutRound { layout: 5 - round.layout, ..*round }).collect();
        let judge = |rounds: &[LayoutRound]| across_layouts(rounds, Outcome::Slower, Margins::default(), 0.05 / 3.0);
        let (one, other) = (judge(&rounds), judge(&renamed));
        proptest::prop_assert_eq!(one.decision.outcome, other.decision.outcome);
        proptest::prop_assert_eq!(one.agreeing, other.agreeing);
    }

    #[test]
    fn a_claim_never_goes_against_a_pair_that_shows_nothing(seed in 0_u64..1000, effect in 0.0_f64..0.2) {
        let mut rounds = Machine { effect, noise: 0.004, ..STEADY }.rounds(&mut SplitMix64::new(seed));
        rounds.iter_mut().filter(|round| round.layout == 2).for_each(|round| round.head -= effect);
        let judged = across_layouts(&rounds, Outcome::Slower, Margins::default(), 0.05 / 3.0);
        proptest::prop_assert_ne!(judged.decision.outcome, Outcome::Slower);
    }
}

/// What was built, and an aligned pair.
const TWO: Machine = Machine { pairs: 2, sweeps: 12, ..STEADY };

#[test]
fn what_one_of_two_pairs_shows_is_layout_whichever_it_is() {
    for slow in [0, 1] {
        for seed in 0..50 {
            let mut rounds = TWO.rounds(&mut SplitMix64::new(seed));
            rounds.iter_mut().filter(|round| round.layout == slow).for_each(|round| round.head += 0.12);
            let judged = across_layouts(&rounds, Outcome::Slower, Margins::default(), 0.05 / 3.0);
            let Reason::LayoutSensitive { links, of, .. } = judged.decision.reason else { panic!("{seed}: {judged:?}") };
            assert_eq!((links, of, judged.decision.outcome), (1, 2, Outcome::Inconclusive));
        }
    }
}

#[test]
fn two_pairs_that_agree_confirm_and_two_copies_do_not() {
    let (claims, ..) = Machine { effect: 0.06, ..TWO }.shares();
    assert!(claims >= 0.95, "{claims}");
    let (claims, _, sensitive) = TWO.shares();
    assert!(claims == 0.0 && sensitive <= 0.01, "{claims} {sensitive}");
}
