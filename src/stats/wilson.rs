//! The interval of a proportion that was counted.
//!
//! Wilson's score interval: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
//! JASA 22 (1927) 209–212. It never leaves 0..1 and says something useful for 0 hits (at most ≈ 3.84 ÷ n).

/// Two-sided 95 % quantile of the normal distribution.
pub const Z_95: f64 = 1.959_963_984_540_054;

/// The 95 % interval of the proportion behind `hits` of `n`; `(0, 1)` when nothing was counted. Excess hits count as `n`.
pub fn interval(hits: u64, n: u64) -> (f64, f64) {
    interval_at(hits, n, Z_95)
}

/// [`interval`] for another confidence, given as the two-sided quantile `z` of the normal distribution.
pub fn interval_at(hits: u64, n: u64, z: f64) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let hits = hits.min(n);
    let (count, p) = (n as f64, hits as f64 / n as f64);
    let z2 = z * z;
    let scale = 1.0 + z2 / count;
    let center = (p + z2 / (2.0 * count)) / scale;
    let half = z * (p * (1.0 - p) / count + z2 / (4.0 * count * count)).sqrt() / scale;
    // Rounding must not push a bound past the share itself.
    let low = if hits == 0 { 0.0 } else { (center - half).clamp(0.0, p) };
    let high = if hits == n { 1.0 } else { (center + half).clamp(p, 1.0) };
    (low, high)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn matches_published_values() {
        // Newcombe 1998, Table I, method 3: 81/263, 15/148, 1/29.
        for (hits, n, low, high) in [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (1, 29, 0.0061, 0.1718)] {
            let (l, h) = interval(hits, n);
            assert!((l - low).abs() < 1e-4 && (h - high).abs() < 1e-4, "{hits}/{n}: {l} {h}");
        }
    }

    #[test]
    fn no_hits_prove_less_than_one_percent_from_381_samples_on() {
        assert!(interval(0, 380).1 >= 0.01);
        assert!(interval(0, 381).1 < 0.01);
    }

    #[test]
    fn nothing_counted_means_nothing_known() {
        assert_eq!(interval(0, 0), (0.0, 1.0));
    }

    proptest! {
        #[test]
        fn bounds_enclose_the_share_and_mirror(hits in 0u64..10_000, misses in 0u64..10_000) {
            let n = hits + misses;
            prop_assume!(n > 0);
            let (low, high) = interval(hits, n);
            let share = hits as f64 / n as f64;
            prop_assert!(0.0 <= low && low <= share && share <= high && high <= 1.0);
            let (mirror_low, mirror_high) = interval(misses, n);
            prop_assert!((low - (1.0 - mirror_high)).abs() < 1e-9 && (high - (1.0 - mirror_low)).abs() < 1e-9);
        }

        #[test]
        fn more_samples_of_the_same_share_narrow_it(hits in 1u64..1000, misses in 1u64..1000, factor in 2u64..10) {
            let (low, high) = interval(hits, hits + misses);
            let (low_more, high_more) = interval(hits * factor, (hits + misses) * factor);
            prop_assert!(high_more - low_more < high - low);
        }
    }
}
