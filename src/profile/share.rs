//! A share of samples with the interval that its sample count allows.
//!
//! Does not say what counts as hot; `heat` does.

use serde::{Deserialize, Serialize};

/// Quantile of the normal distribution for a two-sided 95 % interval.
const Z: f64 = 1.959_964;

/// How many of the samples showed something, and between which bounds the true share lies (95 %).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// Samples that showed it.
    pub hits: u64,
    /// Samples taken.
    pub samples: u64,
    /// `hits / samples`; 0 without samples.
    pub share: f64,
    /// Lower bound of the interval.
    pub low: f64,
    /// Upper bound of the interval; 1 without samples.
    pub high: f64,
}

impl Share {
    /// The share with Wilson's score interval (E. B. Wilson, "Probable inference, the law of succession, and statistical
    /// inference", JASA 22, 1927, 209–212), which stays inside 0..1 and is usable for 0 hits.
    ///
    /// `hits` above `samples` count as `samples`.
    pub fn new(hits: u64, samples: u64) -> Self {
        let hits = hits.min(samples);
        if samples == 0 {
            return Self { hits, samples, share: 0.0, low: 0.0, high: 1.0 };
        }
        let n = samples as f64;
        let p = hits as f64 / n;
        let z2 = Z * Z;
        let denominator = 1.0 + z2 / n;
        let center = (p + z2 / (2.0 * n)) / denominator;
        let half = Z / denominator * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
        // At the ends the formula gives 0 and 1 up to rounding; the clamps make them exact.
        let low = if hits == 0 { 0.0 } else { (center - half).clamp(0.0, p) };
        let high = if hits == samples { 1.0 } else { (center + half).clamp(p, 1.0) };
        Self { hits, samples, share: p, low, high }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_interval_matches_a_published_example() {
        // Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3: 81 of 263.
        let share = Share::new(81, 263);
        assert!((share.low - 0.2553).abs() < 1e-4 && (share.high - 0.3662).abs() < 1e-4, "{share:?}");
    }

    #[test]
    fn zero_hits_bound_the_share_below_one_percent_from_381_samples_on() {
        assert!(Share::new(0, 381).high < 0.01);
        assert!(Share::new(0, 380).high >= 0.01);
    }

    #[test]
    fn without_samples_nothing_is_known() {
        let share = Share::new(0, 0);
        assert_eq!((share.low, share.high), (0.0, 1.0));
    }

    proptest! {
        #[test]
        fn bounds_enclose_the_share(hits in 0u64..5000, more in 0u64..5000) {
            let share = Share::new(hits, hits + more);
            prop_assert!(0.0 <= share.low && share.low <= share.share && share.share <= share.high && share.high <= 1.0);
        }

        #[test]
        fn more_samples_never_widen_the_interval(hits in 0u64..500, more in 1u64..500, times in 2u64..20) {
            let few = Share::new(hits, hits + more);
            let many = Share::new(hits * times, (hits + more) * times);
            prop_assert!(many.high - many.low <= few.high - few.low + 1e-12);
        }
    }
}
