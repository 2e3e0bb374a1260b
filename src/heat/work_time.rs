//! Shares of the work time: what is computed and what is waited for, together (`reference/evidence-rules.md` §1.1).

use serde::{Deserialize, Serialize};

use super::share::{ItemShare, Share};

/// What something holds of the work time: `p = U·p_cpu + (1−U)·p_off`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WorkShare {
    /// `p`.
    pub share: f64,
    /// Lower end: that of both parts together, which is at least as far out as the 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// `p_cpu`, of the samples on a processor.
    pub on_cpu: Share,
    /// `p_off`, of the waits by time.
    pub off_cpu: Share,
}

impl WorkShare {
    /// `part_on_cpu` is `U`, the part of the work time that was spent on a processor. Where nobody saw the waits, give a share of no
    /// samples: its interval is everything, and so `p` is open upwards by what was waited.
    pub fn new(part_on_cpu: f64, on_cpu: Share, off_cpu: Share) -> Self {
        let u = part_on_cpu.clamp(0.0, 1.0);
        let both = |on: f64, off: f64| u * on + (1.0 - u) * off;
        Self {
            share: both(on_cpu.share, off_cpu.share),
            low: both(on_cpu.low, off_cpu.low),
            high: both(on_cpu.high, off_cpu.high),
            on_cpu,
            off_cpu,
        }
    }

    /// Of an item's total shares.
    pub fn total(part_on_cpu: f64, on_cpu: &ItemShare, off_cpu: &ItemShare) -> Self {
        Self::new(part_on_cpu, on_cpu.total, off_cpu.total)
    }

    /// Of what an item owns.
    pub fn owned(part_on_cpu: f64, on_cpu: &ItemShare, off_cpu: &ItemShare) -> Self {
        Self::new(part_on_cpu, on_cpu.owned, off_cpu.owned)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_function_that_waits_half_of_the_time_and_computes_nothing() {
        let p = WorkShare::new(0.25, Share::new(0, 1000), Share::weighed(600, 900, 300));
        assert!((p.share - 0.5).abs() < 1e-9 && p.low > 0.45 && p.high < 0.55, "{p:?}");
        let unseen = WorkShare::new(0.25, Share::new(500, 1000), Share::new(0, 0));
        assert!(unseen.share < 0.126 && unseen.high > 0.87, "{unseen:?}");
    }

    proptest! {
        #[test]
        fn shares_lie_in_their_intervals_and_between_their_parts(u in 0.0..=1.0_f64, on in 0..1000_u64, off in 0..1000_u64) {
            let (on, off) = (Share::new(on, 1000), Share::weighed(off, 1000, 200));
            let p = WorkShare::new(u, on, off);
            prop_assert!(p.low <= p.share + 1e-12 && p.share <= p.high + 1e-12 && p.low >= 0.0 && p.high <= 1.0);
            prop_assert!(p.share >= on.share.min(off.share) - 1e-12 && p.share <= on.share.max(off.share) + 1e-12);
        }
    }
}
