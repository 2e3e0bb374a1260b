//! The interval of a difference of two shares of times of which only the ratio is known: how much longer a part takes.

use super::estimate::Interval;
use super::wilson;

/// Hits of one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Samples that show the part.
    pub hits: u64,
    /// Samples.
    pub samples: u64,
}

impl Counted {
    /// The share, 0 without samples.
    pub fn share(&self) -> f64 {
        if self.samples == 0 { 0.0 } else { self.hits.min(self.samples) as f64 / self.samples as f64 }
    }
}

/// `q·R − p` with its interval at `z` standard deviations: the share `q` of head's time minus the share `p` of base's, in units of
/// base's time, where `ratio` is head's time ÷ base's with its interval (taken as one of 95 %).
///
/// The intervals of `p` and `q` are Wilson's at `z`, that of the ratio is widened to `z`. They are put together by the method of
/// variance estimates recovery (G. Y. Zou and A. Donner, "Construction of confidence limits about effect measures: a general
/// approach", Statistics in Medicine 27 (2008) 1693–1702; for a difference of proportions it is Newcombe's hybrid score interval):
///
/// ```text
/// low  = qR − p − √( (R(q − q_low))² + (q(R − R_low))² + (p_high − p)² )
/// high = qR − p + √( (R(q_high − q))² + (q(R_high − R))² + (p − p_low)² )
/// ```
pub fn difference(base: Counted, head: Counted, ratio: &Interval, z: f64) -> Interval {
    let (p, q, r) = (base.share(), head.share(), ratio.median);
    let (p_low, p_high) = wilson::interval_at(base.hits, base.samples, z);
    let (q_low, q_high) = wilson::interval_at(head.hits, head.samples, z);
    let wider = z / wilson::Z_95;
    let (r_below, r_above) = (wider * (r - ratio.low), wider * (ratio.high - r));
    let middle = q * r - p;
    let spread = |q_off: f64, r_off: f64, p_off: f64| (r * q_off).hypot(q * r_off).hypot(p_off);
    Interval {
        low: middle - spread(q - q_low, r_below, p_high - p),
        median: middle,
        high: middle + spread(q_high - q, r_above, p - p_low),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONE: Interval = Interval { low: 1.0, median: 1.0, high: 1.0 };

    fn of(hits: u64, samples: u64) -> Counted {
        Counted { hits, samples }
    }

    #[test]
    fn for_equal_times_it_is_the_published_interval_of_a_difference_of_shares() {
        // Newcombe 1998 (Statistics in Medicine 17, 873-890), Table II, method 10: 56/70 − 48/80, 9/10 − 3/10, 10/10 − 0/20.
        for ([a, m, b, n], (low, high)) in
            [([56, 70, 48, 80], (0.0524, 0.3339)), ([9, 10, 3, 10], (0.1705, 0.8090)), ([10, 10, 0, 20], (0.6791, 1.0))]
        {
            let found = difference(of(b, n), of(a, m), &ONE, wilson::Z_95);
            assert!((found.low - low).abs() < 1e-4 && (found.high - high).abs() < 1e-4, "{found:?}");
        }
    }

    #[test]
    fn a_share_that_stays_while_the_whole_takes_longer_has_grown() {
        let ratio = Interval { low: 1.28, median: 1.3, high: 1.32 };
        let found = difference(of(5000, 10_000), of(5000, 10_000), &ratio, 2.0);
        assert!((found.median - 0.15).abs() < 1e-12 && found.low > 0.1 && found.high < 0.2, "{found:?}");
    }

    proptest! {
        #[test]
        fn it_holds_its_middle_and_widens_with_doubt(
            p in 0u64..1000, q in 0u64..1000, r in 0.3..3.0f64, off in 0.0..0.2f64, z in 1.0..5.0f64) {
            let ratio = Interval { low: r * (1.0 - off), median: r, high: r * (1.0 + off) };
            let exact = Interval { low: r, median: r, high: r };
            let wide = difference(of(p, 1000), of(q, 1000), &ratio, z);
            let narrow = difference(of(p, 1000), of(q, 1000), &exact, z);
            prop_assert!(wide.low <= narrow.low && narrow.low <= narrow.median && narrow.median <= narrow.high && narrow.high <= wide.high);
        }

        #[test]
        fn nothing_seen_is_not_nothing_there(samples in 1u64..10_000) {
            let found = difference(of(0, samples), of(0, samples), &ONE, 3.0);
            prop_assert!(found.low < 0.0 && found.high > 0.0);
        }
    }
}
