//! From a share to a word: hot, warm, cold, uncertain, unmeasured.

use serde::{Deserialize, Serialize};

use super::share::{ItemShare, Share};

/// How hot an item is, in rising order of what it takes to ignore it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeatClass {
    /// Holds at least the hot threshold, by the interval's lower end.
    Hot,
    /// Holds at least the warm threshold, by the interval's lower end.
    Warm,
    /// Ran, and holds less than the cold threshold, by the interval's upper end.
    Cold,
    /// Ran, but the samples do not say how much.
    Uncertain,
    /// No workload is known to run it: no claim is possible.
    Unmeasured,
}

/// Where the classes begin, as fractions of a workload's samples (`reference/evidence-rules.md` §1.2).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// Hot from here on.
    pub hot: f64,
    /// Warm from here on.
    pub warm: f64,
    /// Cold below.
    pub cold: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { hot: 0.05, warm: 0.01, cold: 0.01 }
    }
}

/// Whether a workload runs an item, as far as something other than samples tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Executed {
    /// Proven to run.
    Yes,
    /// Proven not to run.
    No,
    /// Not known, and why.
    Unknown(String),
}

/// The class of an item in one workload; a sample proves that it ran.
pub fn classify(total: &Share, executed: &Executed, thresholds: &Thresholds) -> HeatClass {
    let ran = total.hits > 0 || *executed == Executed::Yes;
    if !ran {
        HeatClass::Unmeasured
    } else if total.low >= thresholds.hot {
        HeatClass::Hot
    } else if total.low >= thresholds.warm {
        HeatClass::Warm
    } else if total.high < thresholds.cold {
        HeatClass::Cold
    } else {
        HeatClass::Uncertain
    }
}

/// An item in one workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkloadHeat {
    /// The workload's id.
    pub workload: String,
    /// What the item holds of it.
    pub share: ItemShare,
    /// Whether it runs there.
    pub executed: Executed,
    /// Its class there.
    pub class: HeatClass,
}

impl WorkloadHeat {
    /// Classifies an item in a workload.
    pub fn new(workload: impl Into<String>, share: ItemShare, executed: Executed, thresholds: &Thresholds) -> Self {
        let class = classify(&share.total, &executed, thresholds);
        Self { workload: workload.into(), share, executed, class }
    }

    /// True when nobody knows whether it runs here, and the samples leave room for more than cold.
    fn may_hide_heat(&self, thresholds: &Thresholds) -> bool {
        let unknown = matches!(self.executed, Executed::Unknown(_)) && self.share.total.hits == 0;
        unknown && self.share.total.high >= thresholds.cold
    }
}

/// An item over all workloads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overall {
    /// The class over all workloads.
    pub class: HeatClass,
    /// The workload that decides it, the one where the item holds most; `None` where no workload was measured.
    pub hottest: Option<WorkloadHeat>,
}

/// The hottest workload decides. Cold only when it is cold in every workload that runs it, and none that may run it leaves room
/// for more.
pub fn overall(workloads: &[WorkloadHeat], thresholds: &Thresholds) -> Overall {
    let by_rank = |a: &&WorkloadHeat, b: &&WorkloadHeat| {
        rank(a.class).cmp(&rank(b.class)).then(a.share.total.share.total_cmp(&b.share.total.share))
    };
    // `max_by` returns the last of equals; reversed, the first workload wins.
    let Some(hottest) = workloads.iter().rev().max_by(by_rank) else {
        return Overall { class: HeatClass::Unmeasured, hottest: None };
    };
    let hidden = hottest.class == HeatClass::Cold && workloads.iter().any(|workload| workload.may_hide_heat(thresholds));
    let class = if hidden { HeatClass::Uncertain } else { hottest.class };
    Overall { class, hottest: Some(hottest.clone()) }
}

fn rank(class: HeatClass) -> u8 {
    match class {
        HeatClass::Unmeasured => 0,
        HeatClass::Cold => 1,
        HeatClass::Uncertain => 2,
        HeatClass::Warm => 3,
        HeatClass::Hot => 4,
    }
}

/// The most that a workload can speed up when all of a share is removed: 1 ÷ (1 − p) (Amdahl 1967); `None` when nothing would remain.
pub fn bound(share: f64) -> Option<f64> {
    let rest = 1.0 - share.clamp(0.0, 1.0);
    (rest > 0.0).then(|| 1.0 / rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn class(hits: u64, samples: u64, executed: &Executed) -> HeatClass {
        classify(&Share::new(hits, samples), executed, &Thresholds::default())
    }

    fn unknown() -> Executed {
        Executed::Unknown("no probe".into())
    }

    fn heat(workload: &str, hits: u64, samples: u64, executed: Executed) -> WorkloadHeat {
        let share = Share::new(hits, samples);
        WorkloadHeat::new(workload, ItemShare { self_share: share, owned: share, total: share }, executed, &Thresholds::default())
    }

    #[test]
    fn the_interval_and_not_the_share_decides() {
        assert_eq!(class(100, 1000, &unknown()), HeatClass::Hot);
        assert_eq!(class(6, 100, &unknown()), HeatClass::Warm);
        assert_eq!(class(30, 1000, &unknown()), HeatClass::Warm);
        assert_eq!(class(1, 100, &unknown()), HeatClass::Uncertain);
        assert_eq!(class(1, 10_000, &unknown()), HeatClass::Cold);
    }

    #[test]
    fn nothing_is_cold_without_proof_that_it_ran() {
        assert_eq!(class(0, 10_000, &Executed::Yes), HeatClass::Cold);
        assert_eq!(class(0, 380, &Executed::Yes), HeatClass::Uncertain);
        assert_eq!(class(0, 381, &Executed::Yes), HeatClass::Cold);
        for executed in [Executed::No, unknown()] {
            assert_eq!(class(0, 10_000, &executed), HeatClass::Unmeasured);
        }
        assert_eq!(class(0, 0, &Executed::Yes), HeatClass::Uncertain);
        assert_eq!(class(0, 0, &Executed::No), HeatClass::Unmeasured);
    }

    #[test]
    fn a_sample_proves_execution_against_the_probe() {
        assert_eq!(class(1, 10_000, &Executed::No), HeatClass::Cold);
    }

    #[test]
    fn the_hottest_workload_decides() {
        let all = [heat("a", 0, 10_000, Executed::Yes), heat("b", 500, 1000, unknown()), heat("c", 30, 1000, Executed::Yes)];
        let overall = overall(&all, &Thresholds::default());
        assert_eq!((overall.class, overall.hottest.unwrap().workload.as_str()), (HeatClass::Hot, "b"));
    }

    #[test]
    fn cold_overall_needs_cold_everywhere_it_may_run() {
        let overall_of = |all: &[WorkloadHeat]| overall(all, &Thresholds::default()).class;
        let cold = heat("a", 1, 10_000, Executed::Yes);
        assert_eq!(overall_of(&[cold.clone(), heat("b", 0, 10, Executed::No)]), HeatClass::Cold);
        assert_eq!(overall_of(&[cold.clone(), heat("b", 0, 10_000, unknown())]), HeatClass::Cold);
        assert_eq!(overall_of(&[cold.clone(), heat("b", 0, 10, unknown())]), HeatClass::Uncertain);
        assert_eq!(overall_of(&[cold, heat("b", 0, 10, Executed::Yes)]), HeatClass::Uncertain);
        assert_eq!(overall_of(&[heat("b", 0, 10_000, unknown())]), HeatClass::Unmeasured);
        assert_eq!(overall_of(&[]), HeatClass::Unmeasured);
    }

    #[test]
    fn the_bound_is_amdahls() {
        assert_eq!(bound(0.5), Some(2.0));
        assert_eq!(bound(0.0), Some(1.0));
        assert_eq!(bound(1.0), None);
    }

    proptest! {
        #[test]
        fn cold_and_hot_are_never_claimed_without_their_bound(hits in 0u64..2000, misses in 0u64..200_000, which in 0usize..3) {
            let executed = [Executed::Yes, Executed::No, unknown()].into_iter().nth(which).unwrap();
            let share = Share::new(hits, hits + misses);
            match classify(&share, &executed, &Thresholds::default()) {
                HeatClass::Hot => prop_assert!(share.low >= 0.05),
                HeatClass::Warm => prop_assert!(share.low >= 0.01 && share.low < 0.05),
                HeatClass::Cold => prop_assert!(share.high < 0.01 && (hits > 0 || executed == Executed::Yes)),
                HeatClass::Uncertain => prop_assert!(share.high >= 0.01 && share.low < 0.01),
                HeatClass::Unmeasured => prop_assert!(hits == 0 && executed != Executed::Yes),
            }
        }
    }
}
