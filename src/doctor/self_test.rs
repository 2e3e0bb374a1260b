//! What a self-test found: how often this machine cries wolf, and which slowdown it finds.
//!
//! Counts and intervals only; `commands::doctor` measures.

use serde::{Deserialize, Serialize};

use crate::analysis::ClockResult;
use crate::measure::{Ending, Measured};
use crate::stats::{Outcome, median, wilson};

/// The result of a self-test on one workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SelfTest {
    /// The workload that it was made with.
    pub workload: String,
    /// Its package.
    pub package: String,
    /// Its cargo target.
    pub target: String,
    /// The clock of its measurements and why.
    pub clock: ClockResult,
    /// Practical margin δ, a fraction.
    pub margin: f64,
    /// The same code against itself.
    pub same: Verdicts,
    /// How often the same code was called slower or faster.
    pub false_alarms: Rate,
    /// The same code against itself with an injected slowdown.
    pub slowed: Slowed,
    /// Median over all verdicts of the smallest change that one finds in 95 of 100 runs, a fraction; `None` when no verdict tells.
    pub smallest_detectable: Option<f64>,
    /// Elapsed seconds, builds not counted.
    pub seconds: f64,
    /// Verdicts that the time limit cut short; they are in no count.
    pub cut_short: usize,
}

/// Verdicts of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdicts {
    /// All of them.
    pub n: usize,
    /// Called slower.
    pub slower: usize,
    /// Called faster.
    pub faster: usize,
    /// Called the same.
    pub same: usize,
    /// Not decided.
    pub inconclusive: usize,
    /// Median change that was measured, a fraction; `None` without verdicts.
    pub change: Option<f64>,
    /// Median of the rounds of a verdict.
    pub rounds: Option<f64>,
    /// Median of the elapsed seconds of a verdict.
    pub seconds: Option<f64>,
}

/// A share that was counted, with Wilson's 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// How often.
    pub hits: usize,
    /// Of how many.
    pub n: usize,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// An injected slowdown and what was made of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slowed {
    /// Its size, a fraction.
    pub size: f64,
    /// How it was injected.
    pub injection: Injection,
    /// The verdicts.
    pub verdicts: Verdicts,
    /// How often it was called slower.
    pub found: Rate,
}

/// How a slowdown gets into an unmodified program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Injection {
    /// The preloaded clock of head's processes runs fast.
    Clock,
    /// Head's times are multiplied after they were read.
    Readings,
}

impl Injection {
    /// In words, for reports: exactly what was done.
    pub fn described(self, size: f64) -> String {
        let size = crate::figures::share(size);
        match self {
            Self::Clock => {
                format!("the preloaded CPU clock of head's processes ran {size} fast; the program and its work were the same")
            }
            Self::Readings => {
                format!(
                    "every time of head was multiplied by {size} more after it was read; the program and its work were the same"
                )
            }
        }
    }
}

/// One verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct One {
    /// What was called; `None` when the time limit cut it short.
    pub outcome: Option<Outcome>,
    /// Median ratio head / base.
    pub ratio: Option<f64>,
    /// The smallest change that it could have found.
    pub detectable: Option<f64>,
    /// Complete rounds.
    pub rounds: usize,
    /// Elapsed seconds.
    pub seconds: f64,
}

impl One {
    /// From a measured session of one workload.
    pub fn new(measured: &Measured, seconds: f64) -> Self {
        let whole = !matches!(measured.ending, Ending::CutShort | Ending::Skipped);
        Self {
            outcome: measured.outcome.filter(|_| whole),
            ratio: measured.primary().and_then(|metric| metric.ratio),
            detectable: measured.detectable,
            rounds: measured.rounds,
            seconds,
        }
    }
}

impl Rate {
    /// From counts.
    pub fn new(hits: usize, n: usize) -> Self {
        let (low, high) = wilson::interval(hits as u64, n as u64);
        Self { hits, n, low, high }
    }
}

impl Verdicts {
    /// Counts the verdicts that came to their end.
    pub fn of(trials: &[One]) -> Self {
        let whole: Vec<&One> = trials.iter().filter(|one| one.outcome.is_some()).collect();
        let count = |outcome| whole.iter().filter(|one| one.outcome == Some(outcome)).count();
        let middle = |value: &dyn Fn(&One) -> Option<f64>| median(&whole.iter().filter_map(|one| value(one)).collect::<Vec<_>>());
        Self {
            n: whole.len(),
            slower: count(Outcome::Slower),
            faster: count(Outcome::Faster),
            same: count(Outcome::Same),
            inconclusive: count(Outcome::Inconclusive),
            change: middle(&|one| one.ratio.map(|ratio| ratio - 1.0)),
            rounds: middle(&|one| Some(one.rounds as f64)),
            seconds: middle(&|one| Some(one.seconds)),
        }
    }

    /// How often the same code was called slower or faster.
    pub fn false_alarms(&self) -> Rate {
        Rate::new(self.slower + self.faster, self.n)
    }

    /// How often a slowdown was called slower.
    pub fn found(&self) -> Rate {
        Rate::new(self.slower, self.n)
    }
}

/// The median of what single verdicts could have found.
pub fn smallest_detectable<'a>(trials: impl Iterator<Item = &'a One>) -> Option<f64> {
    median(&trials.filter(|one| one.outcome.is_some()).filter_map(|one| one.detectable).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(outcome: Option<Outcome>) -> One {
        One { outcome, ratio: Some(1.01), detectable: Some(0.03), rounds: 12, seconds: 2.0 }
    }

    #[test]
    fn claims_about_the_same_code_are_false_alarms_in_both_directions() {
        let outcomes = [Outcome::Same, Outcome::Slower, Outcome::Faster, Outcome::Inconclusive];
        let trials: Vec<One> = outcomes.map(|outcome| one(Some(outcome))).into();
        let verdicts = Verdicts::of(&trials);
        let alarms = verdicts.false_alarms();
        assert_eq!((alarms.hits, alarms.n, verdicts.found().hits), (2, 4, 1));
        assert!(alarms.high > 0.5 && alarms.high < 1.0);
    }

    #[test]
    fn no_alarm_in_few_verdicts_is_no_proof_of_none() {
        let rate = Verdicts::of(&vec![one(Some(Outcome::Same)); 10]).false_alarms();
        assert!(rate.hits == 0 && rate.high > 0.2, "{rate:?}");
        let nothing = Verdicts::of(&[]);
        assert_eq!((nothing.false_alarms().high, nothing.change, nothing.seconds), (1.0, None, None));
    }

    #[test]
    fn a_verdict_that_was_cut_short_is_in_no_count() {
        let trials = [one(Some(Outcome::Same)), one(None)];
        assert_eq!(Verdicts::of(&trials).n, 1);
        let wide = One { detectable: Some(0.5), ..one(None) };
        assert_eq!(smallest_detectable([one(Some(Outcome::Same)), wide].iter()), Some(0.03));
    }
}
