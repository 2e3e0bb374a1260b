//! From a share to a class; cold is only said of what is proven to run.

use serde::{Deserialize, Serialize};

use crate::analysis::Heat;
use crate::profile::Share;

/// Whether a workload executes an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Executed {
    /// A breakpoint in it was hit.
    Yes,
    /// It has code, and none of it was reached; or it has no code in the executable at all.
    No,
    /// Nothing could be proven, and why.
    Unknown(String),
}

/// Where the classes begin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Hot: the lower end of the interval is at least this share.
    pub hot: f64,
    /// Warm: the lower end is at least this; cold: the upper end is below it.
    pub warm: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { hot: 0.05, warm: 0.01 }
    }
}

/// The class of an item with this share in a workload. A sample proves execution better than any probe.
pub fn classify(share: &Share, executed: &Executed, thresholds: Thresholds) -> Heat {
    if share.hits == 0 && *executed != Executed::Yes {
        return Heat::Unmeasured;
    }
    if share.low >= thresholds.hot {
        Heat::Hot
    } else if share.low >= thresholds.warm {
        Heat::Warm
    } else if share.high < thresholds.warm {
        Heat::Cold
    } else {
        Heat::Uncertain
    }
}

/// The largest possible speedup by removing all of a share: 1 / (1 − p) (Amdahl 1967). `None` for the whole.
pub fn bound(share: f64) -> Option<f64> {
    (share < 1.0).then(|| 1.0 / (1.0 - share))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(hits: u64, samples: u64, executed: &Executed) -> Heat {
        classify(&Share::new(hits, samples), executed, Thresholds::default())
    }

    #[test]
    fn shares_fall_into_the_classes_by_their_intervals() {
        let yes = Executed::Yes;
        assert_eq!(class(500, 1000, &yes), Heat::Hot);
        assert_eq!(class(30, 1000, &yes), Heat::Warm);
        assert_eq!(class(12, 1000, &yes), Heat::Uncertain);
        assert_eq!(class(0, 1000, &yes), Heat::Cold);
        assert_eq!(class(0, 100, &yes), Heat::Uncertain, "100 samples cannot show less than 1 %");
    }

    #[test]
    fn without_proof_of_execution_nothing_is_cold() {
        assert_eq!(class(0, 100_000, &Executed::No), Heat::Unmeasured);
        assert_eq!(class(0, 100_000, &Executed::Unknown("ptrace is refused".into())), Heat::Unmeasured);
        assert_eq!(class(1, 100_000, &Executed::No), Heat::Cold, "a sample proves execution");
    }

    #[test]
    fn half_of_the_time_is_worth_at_most_a_factor_of_two() {
        assert_eq!(bound(0.5), Some(2.0));
        assert_eq!(bound(1.0), None);
    }
}
