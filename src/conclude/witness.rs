//! What counted instructions say together with the clock: the table of `reference/measurement.md` §5.9, in words.
//!
//! Pure and advisory: no outcome changes by it.

use crate::analysis::{CountResult, Outcome, WitnessResult};
use crate::evidence::{Counted, SideCounts};
use crate::figures;
use crate::measure::instructions::InstructionPairs;
use crate::stats::median;

/// Counts that differ less are the same; function counts of equal work were equal to the instruction in 8 of 8 runs.
const SAME: f64 = 0.001;
/// Counts that differ more are a change.
const CHANGED: f64 = 0.005;
/// The processor's own counter, in reports.
const HARDWARE: &str = "hardware counter";
/// Changed items that hold less of everything are no place to look for a gain.
const COLD: f64 = 0.01;

/// What a witness counted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Testimony {
    /// Callgrind: per changed item.
    Items(Counts),
    /// The processor's counter: the work as a whole.
    Whole(InstructionPairs),
}

impl Testimony {
    /// The largest share that one changed item has of a run, on either side; of a whole nothing is known.
    pub(crate) fn largest_share(&self) -> f64 {
        match self {
            Self::Items(counts) => counts.largest_share(),
            Self::Whole(_) => 0.0,
        }
    }
}

/// One run of each side, and a second one of the base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Paths of the changed items, in the order of the counts.
    pub(crate) items: Vec<String>,
    /// The base.
    pub(crate) base: SideCounts,
    /// The head.
    pub(crate) head: SideCounts,
    /// The base once more.
    pub(crate) again: SideCounts,
}

impl Counts {
    fn largest_share(&self) -> f64 {
        let of_side = |side: &SideCounts| {
            let whole = side.iteration.unwrap_or(side.process).max(1) as f64;
            side.items.iter().flatten().map(|&counted| instructions(counted) as f64 / whole).fold(0.0, f64::max)
        };
        of_side(&self.base).max(of_side(&self.head))
    }
}

/// A workload of which nothing was counted, and why.
pub(crate) fn no_witness(why: impl std::fmt::Display) -> WitnessResult {
    WitnessResult { counter: None, conclusion: format!("instructions not counted: {why}"), whole: None, items: Vec::new() }
}

/// Draws the conclusion, with the settled outcome. `held` is the largest share that a changed item has of any workload, counted or
/// sampled, at the upper end; `None` when that is unknown of one of them.
pub(crate) fn witnessed(testimony: &Testimony, outcome: Outcome, held: Option<f64>) -> WitnessResult {
    let held = held.filter(|held| *held < COLD && outcome == Outcome::Faster);
    match testimony {
        Testimony::Items(counts) => of_items(counts, outcome, held),
        Testimony::Whole(pairs) => of_whole(pairs, outcome, held),
    }
}

/// `held` is there when the changed items hold too little for a gain.
fn of_whole(pairs: &InstructionPairs, outcome: Outcome, held: Option<f64>) -> WitnessResult {
    let middle = |values: &[f64]| median(values).map(|value| value.round() as u64);
    let ratios: Vec<f64> = pairs.base.iter().zip(&pairs.head).map(|(base, head)| head / base).collect();
    let whole = CountResult { ratio: median(&ratios), ..count(pairs.what, middle(&pairs.base), middle(&pairs.head)) };
    let end = |pick: fn(f64, f64) -> f64| pairs.base.iter().copied().reduce(pick);
    let noise = end(f64::max).zip(end(f64::min)).map_or(0.0, |(high, low)| high / low - 1.0);
    let lead = Lead { name: pairs.what.into(), size: 0, change: whole.ratio.map(|ratio| ratio - 1.0), noise };
    let conclusion = held.map_or_else(|| lead.conclusion(outcome), speculative);
    WitnessResult { counter: Some(HARDWARE.into()), conclusion, whole: Some(whole), items: Vec::new() }
}

fn of_items(counts: &Counts, outcome: Outcome, held: Option<f64>) -> WitnessResult {
    let Counts { items, base, head, again } = counts;
    let mut results: Vec<CountResult> = Vec::new();
    let mut lead: Option<Lead> = None;
    let mut executed = items.is_empty();
    for (at, path) in items.iter().enumerate() {
        let of = |side: &SideCounts| side.items.get(at).copied().flatten();
        let result = count_of(path, of(base), of(head));
        let size = result.base.max(result.head).unwrap_or(0);
        if size == 0 {
            continue;
        }
        executed = true;
        if result.ratio.is_some() && lead.as_ref().is_none_or(|lead| size > lead.size) {
            lead = Some(Lead::new(path.clone(), size, &result, of(again).map(instructions)));
        }
        results.push(result);
    }
    let (name, whole, repeated) = match (base.iteration, head.iteration) {
        (Some(old), Some(new)) => ("one iteration", (old, new), again.iteration),
        _ => ("the whole process", (base.process, head.process), Some(again.process)),
    };
    let whole = count(name, Some(whole.0), Some(whole.1));
    let lead = lead.unwrap_or_else(|| Lead::new(name.into(), 0, &whole, repeated));
    let conclusion = match (executed, held) {
        (false, _) => "it executes no instruction of a changed item: no claim is possible".to_owned(),
        (true, Some(held)) => speculative(held),
        (true, None) => lead.conclusion(outcome),
    };
    WitnessResult { counter: Some("callgrind".into()), conclusion, whole: Some(whole), items: results }
}

fn speculative(held: f64) -> String {
    let held = figures::share(held);
    format!(
        "speculative micro-optimization: no changed item holds more than {held} of any profiled workload, and more than that it cannot save"
    )
}

fn instructions(counted: Counted) -> u64 {
    match counted {
        Counted::Function(instructions) | Counted::Lines(instructions) => instructions,
        Counted::Nothing => 0,
    }
}

/// A function with everything that it calls does not compare with lines that were inlined elsewhere.
fn count_of(item: &str, base: Option<Counted>, head: Option<Counted>) -> CountResult {
    let result = count(item, base.map(instructions), head.map(instructions));
    match (base, head) {
        (Some(Counted::Function(_)), Some(Counted::Lines(_))) | (Some(Counted::Lines(_)), Some(Counted::Function(_))) => {
            CountResult { ratio: None, ..result }
        }
        _ => result,
    }
}

fn count(item: &str, base: Option<u64>, head: Option<u64>) -> CountResult {
    let ratio = base.zip(head).filter(|(base, _)| *base > 0).map(|(base, head)| head as f64 / base as f64);
    CountResult { item: item.to_owned(), base, head, ratio }
}

/// What the conclusion rests on: the changed item with the most instructions, or the run as a whole.
struct Lead {
    name: String,
    size: u64,
    /// Head / base − 1.
    change: Option<f64>,
    /// How far two runs of the base differ.
    noise: f64,
}

impl Lead {
    fn new(name: String, size: u64, result: &CountResult, again: Option<u64>) -> Self {
        let base = result.base.filter(|base| *base > 0);
        let noise = base.zip(again).map_or(0.0, |(base, again)| (again as f64 / base as f64 - 1.0).abs());
        Self { name, size, change: result.ratio.map(|ratio| ratio - 1.0), noise }
    }

    fn conclusion(&self, outcome: Outcome) -> String {
        let Some(change) = self.change else { return "instructions counted on one side only".into() };
        let counted = format!("{} instructions in `{}`", figures::change(1.0 + change), self.name);
        // Hash maps with random seeds count differently from run to run.
        if change.abs() <= SAME.max(3.0 * self.noise) {
            return match outcome {
                Outcome::Same => "instructions unchanged".into(),
                Outcome::NotMeasured | Outcome::NotJudged => format!("instructions unchanged in `{}`", self.name),
                _ => format!("instructions unchanged in `{}`: layout, memory or the machine", self.name),
            };
        }
        if change.abs() < CHANGED {
            return format!("about as many instructions in `{}` ({})", self.name, figures::change(1.0 + change));
        }
        match (change > 0.0, outcome) {
            (true, Outcome::Slower) | (false, Outcome::Faster) => format!("confirmed: {counted}"),
            (true, Outcome::Faster) | (false, Outcome::Slower) => {
                format!("{counted}, against the clock: memory, branches or layout weigh more than their number")
            }
            (false, Outcome::Same) => format!("work removed ({counted}), nobody can notice: cold or not the bottleneck"),
            (true, Outcome::Same) => format!("work added ({counted}), nobody can notice"),
            (_, Outcome::Inconclusive | Outcome::NotMeasured | Outcome::NotJudged) => {
                format!("{counted}; the clock could not tell")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(item: u64, iteration: u64) -> SideCounts {
        SideCounts { iteration: Some(iteration), process: 900_000, items: vec![Some(Counted::Function(item))] }
    }

    fn counts(base: &SideCounts, head: &SideCounts, again: &SideCounts) -> Testimony {
        let (base, head, again) = (base.clone(), head.clone(), again.clone());
        Testimony::Items(Counts { items: vec!["a::f".into()], base, head, again })
    }

    fn said(base: u64, head: u64, outcome: Outcome) -> String {
        let counts = counts(&side(base, 2 * base), &side(head, base + head), &side(base, 2 * base));
        witnessed(&counts, outcome, Some(0.5)).conclusion
    }

    #[test]
    fn counts_and_clock_together_give_the_table_s_conclusions() {
        let table = [
            (1000, Outcome::Same, "instructions unchanged"),
            (1000, Outcome::Slower, "instructions unchanged in `a::f`: layout, memory or the machine"),
            (1000, Outcome::Inconclusive, "instructions unchanged in `a::f`: layout, memory or the machine"),
            (1120, Outcome::Slower, "confirmed: +12.0 % instructions in `a::f`"),
            (900, Outcome::Faster, "confirmed: -10.0 % instructions in `a::f`"),
            (900, Outcome::Same, "work removed (-10.0 % instructions in `a::f`), nobody can notice: cold or not the bottleneck"),
            (1003, Outcome::Slower, "about as many instructions in `a::f` (+0.3 %)"),
            (1120, Outcome::Inconclusive, "+12.0 % instructions in `a::f`; the clock could not tell"),
            (1120, Outcome::Same, "work added (+12.0 % instructions in `a::f`), nobody can notice"),
            (1000, Outcome::Faster, "instructions unchanged in `a::f`: layout, memory or the machine"),
        ];
        for (head, outcome, expected) in table {
            assert_eq!(said(1000, head, outcome), expected);
        }
        assert!(said(1000, 900, Outcome::Slower).contains("against the clock"));
    }

    #[test]
    fn what_executes_nothing_allows_no_claim() {
        assert!(said(0, 0, Outcome::Faster).contains("no claim is possible"));
    }

    #[test]
    fn a_gain_beyond_everything_that_the_change_holds_is_speculative() {
        let (base, head) = (side(40, 10_000), side(20, 9_980));
        let counts = counts(&base, &head, &base);
        assert!((counts.largest_share() - 0.004).abs() < 1e-9);
        let said = |outcome, held| witnessed(&counts, outcome, held).conclusion;
        assert_eq!(
            said(Outcome::Faster, Some(0.004)),
            "speculative micro-optimization: no changed item holds more than 0.40 % of any profiled workload, and more than that it cannot save"
        );
        // A loss is no optimization, a hot item no speculation, and an unknown share allows no word on either.
        for (outcome, held) in [(Outcome::Slower, Some(0.004)), (Outcome::Faster, Some(0.3)), (Outcome::Faster, None)] {
            assert!(!said(outcome, held).contains("speculative"), "{outcome:?} {held:?}");
        }
    }

    #[test]
    fn the_processor_s_counter_speaks_of_the_whole_by_the_median_of_pairs() {
        let whole = |head: [f64; 5], outcome| {
            let base = vec![1000.0, 1000.2, 1000.0, 999.9, 1000.0];
            let pairs = InstructionPairs { what: "one iteration", base, head: head.to_vec() };
            witnessed(&Testimony::Whole(pairs), outcome, None)
        };
        // One pair in five is disturbed.
        let slower = whole([1100.0, 1100.0, 5000.0, 1100.0, 1100.1], Outcome::Slower);
        assert_eq!(slower.conclusion, "confirmed: +10.0 % instructions in `one iteration`");
        assert_eq!(slower.counter.as_deref(), Some("hardware counter"));
        assert_eq!(slower.whole.map(|whole| (whole.base, whole.head)), Some((Some(1000), Some(1100))));
        let same = whole([1000.4, 1000.0, 1000.1, 1000.0, 1000.0], Outcome::Slower);
        assert_eq!(same.conclusion, "instructions unchanged in `one iteration`: layout, memory or the machine");
    }

    #[test]
    fn a_difference_that_two_runs_of_the_base_have_too_is_none() {
        let (base, again) = (side(10_000, 20_000), side(10_100, 20_100));
        let witness = witnessed(&counts(&base, &side(10_200, 20_200), &again), Outcome::Slower, None);
        assert!(witness.conclusion.starts_with("instructions unchanged"), "{}", witness.conclusion);
    }

    #[test]
    fn a_function_and_inlined_lines_do_not_compare() {
        let lines = SideCounts { items: vec![Some(Counted::Lines(10))], ..side(10, 2000) };
        let witness = witnessed(&counts(&side(1000, 2000), &lines, &side(1000, 2000)), Outcome::Faster, None);
        assert_eq!((witness.items[0].base, witness.items[0].head, witness.items[0].ratio), (Some(1000), Some(10), None));
        assert!(witness.conclusion.contains("unchanged in `one iteration`"), "{}", witness.conclusion);
    }

    #[test]
    fn without_a_comparable_item_the_iteration_speaks() {
        let none = SideCounts { items: vec![None], ..side(0, 1000) };
        let head = SideCounts { iteration: Some(1500), ..side(700, 1500) };
        let witness = witnessed(&counts(&none, &head, &none), Outcome::Slower, None);
        assert_eq!(witness.conclusion, "confirmed: +50.0 % instructions in `one iteration`");
        assert_eq!((witness.items[0].base, witness.items[0].ratio), (None, None));
    }
}
