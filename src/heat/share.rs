//! Counted samples as a share with its interval.

use serde::{Deserialize, Serialize};

use crate::stats::wilson;

/// Samples that show something, out of all samples of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// Samples that show it.
    pub hits: u64,
    /// Samples of the workload.
    pub samples: u64,
    /// `hits ÷ samples`, 0 without samples.
    pub share: f64,
    /// Lower end of the 95 % interval (Wilson).
    pub low: f64,
    /// Upper end of the 95 % interval (Wilson); 1 without samples.
    pub high: f64,
}

impl Share {
    /// The share of `hits` in `samples`.
    pub fn new(hits: u64, samples: u64) -> Self {
        let hits = hits.min(samples);
        let (low, high) = wilson::interval(hits, samples);
        let share = if samples == 0 { 0.0 } else { hits as f64 / samples as f64 };
        Self { hits, samples, share, low, high }
    }

    /// The same samples where they stand for the CPU time but for a part `unseen`, which may hold all or nothing of it.
    #[must_use]
    pub fn with_unseen(self, unseen: f64) -> Self {
        let seen = 1.0 - unseen.clamp(0.0, 1.0);
        Self { low: self.low * seen, high: self.high * seen + (1.0 - seen), ..self }
    }

    /// The share of `weight` in `total`, where `records` carry the weights: the interval is that of so many samples.
    pub fn weighed(weight: u64, total: u64, records: u64) -> Self {
        if total == 0 {
            return Self::new(0, 0);
        }
        let share = weight.min(total) as f64 / total as f64;
        let hits = (share * records as f64).round() as u64;
        // What was seen at all is not nothing, however light it is.
        let of_records = Self::new(hits.max(u64::from(weight > 0)), records);
        Self { share, low: of_records.low.min(share), high: of_records.high.max(share), ..of_records }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_that_no_sample_stands_for_may_be_anyone_s() {
        let (nothing, all) = (Share::new(0, 1000).with_unseen(0.6), Share::new(1000, 1000).with_unseen(0.6));
        assert!(nothing.share == 0.0 && nothing.low == 0.0 && nothing.high > 0.6, "{nothing:?}");
        assert!(all.low < 0.4 && all.low > 0.39 && (all.high - 1.0).abs() < 1e-9, "{all:?}");
        let seen = Share::new(50, 1000);
        assert_eq!(seen.with_unseen(0.0), seen);
    }

    #[test]
    fn a_weight_is_never_taken_for_that_many_samples() {
        let share = Share::weighed(500_000_000, 1_000_000_000, 40);
        assert_eq!((share.hits, share.samples, share.share), (20, 40, 0.5));
        let twenty_of_forty = Share::new(20, 40);
        assert_eq!((share.low, share.high), (twenty_of_forty.low, twenty_of_forty.high));
        let light = Share::weighed(1, 1_000_000_000, 40);
        assert!(light.hits == 1 && light.low <= light.share && light.share < 1e-8);
        assert_eq!(Share::weighed(0, 0, 9), Share::new(0, 0));
    }
}

/// What one item holds of a workload. Each counts a sample at most once: `self_share` ≤ `owned` ≤ `total`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ItemShare {
    /// The innermost (inlined) frame belongs to the item.
    pub self_share: Share,
    /// The item is the innermost of the workspace's items in the stack: std and dependencies it called count as its own work.
    pub owned: Share,
    /// Any frame belongs to the item.
    pub total: Share,
}
