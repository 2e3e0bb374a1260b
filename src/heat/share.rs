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
