//! Exact intervals from the binomial distribution: of a rate that was counted, and of a quantile.
//!
//! Neither needs a distribution of the values or many of them: where too few were seen, there is no interval.

use super::estimate::Interval;

/// `P(X ≤ k)` for `X ~ Binomial(n, p)`, summed in logarithms so that no `n` underflows.
pub fn binomial_cdf(n: usize, p: f64, k: usize) -> f64 {
    if k >= n || p <= 0.0 {
        return 1.0;
    }
    if p >= 1.0 {
        return 0.0;
    }
    let odds = (p / (1.0 - p)).ln();
    let mut log_term = n as f64 * (1.0 - p).ln();
    let mut sum = log_term.exp();
    for i in 0..k {
        log_term += ((n - i) as f64 / (i + 1) as f64).ln() + odds;
        sum += log_term.exp();
    }
    sum.min(1.0)
}

/// Steps of the bisection: 2⁻⁶⁰ is finer than a float near 1.
const STEPS: usize = 60;

/// The rate behind `hits` of `n`, with its exact interval of confidence at least `1 − alpha` (C. J. Clopper and E. S. Pearson,
/// "The use of confidence or fiducial limits illustrated in the case of the binomial", Biometrika 26 (1934) 404–413).
/// `None` when nothing was counted. Excess hits count as `n`.
pub fn rate_interval(hits: usize, n: usize, alpha: f64) -> Option<Interval> {
    if n == 0 {
        return None;
    }
    let hits = hits.min(n);
    // The rate at which as many hits as these, or more, are still as likely as α/2; and the same for as few.
    let low = hits.checked_sub(1).map_or(0.0, |fewer| crossing(|p| 1.0 - binomial_cdf(n, p, fewer) >= alpha / 2.0));
    let high = if hits == n { 1.0 } else { crossing(|p| binomial_cdf(n, p, hits) < alpha / 2.0) };
    Some(Interval { low, median: hits as f64 / n as f64, high })
}

/// Where a condition that holds for large rates begins to hold.
fn crossing(holds: impl Fn(f64) -> bool) -> f64 {
    let (mut below, mut above) = (0.0, 1.0);
    for _ in 0..STEPS {
        let middle = f64::midpoint(below, above);
        if holds(middle) {
            above = middle;
        } else {
            below = middle;
        }
    }
    above
}

/// How many values the interval of [`quantile_interval`] needs: `q^n` and `(1 − q)^n` must not exceed `alpha / 2`
/// (72 for p95 and 368 for p99 at 5 %).
pub fn values_needed(q: f64, alpha: f64) -> usize {
    let rarer = q.max(1.0 - q);
    ((alpha / 2.0).ln() / rarer.ln()).ceil() as usize
}

/// The quantile `q` in `(0, 1)` with its exact, distribution-free interval of confidence at least `1 − alpha`: the order
/// statistics outside of which a binomial count of values below the quantile would be too unlikely (Conover, Practical
/// Nonparametric Statistics, §3.2; H. A. David and H. N. Nagaraja, Order Statistics, §7.1). The point is the smallest value that
/// at least `q` of all do not exceed. `None` with too few values ([`values_needed`]), or with values that are not finite.
pub fn quantile_interval(values: &[f64], q: f64, alpha: f64) -> Option<Interval> {
    let n = values.len();
    let inside = 0.0 < q && q < 1.0;
    if !inside || n < values_needed(q, alpha) || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    // Ranks from 0. At most `rank` values lie at or below the quantile: then it lies below the value of that rank.
    let low = (0..n).take_while(|&rank| binomial_cdf(n, q, rank) <= alpha / 2.0).last()?;
    let high = (0..n).find(|&rank| 1.0 - binomial_cdf(n, q, rank) <= alpha / 2.0)?;
    let point = ((q * n as f64).ceil() as usize).checked_sub(1)?;
    Some(Interval { low: *sorted.get(low)?, median: *sorted.get(point)?, high: *sorted.get(high)? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::SplitMix64;
    use crate::stats::estimate::{binomial_half_cdf, median_interval};

    #[test]
    fn rates_have_the_published_interval() {
        // Newcombe 1998, Table I, method 5 (Clopper-Pearson): 81/263, 15/148, 0/20, 1/29.
        for (hits, n, low, high) in
            [(81, 263, 0.2527, 0.3676), (15, 148, 0.0578, 0.1617), (0, 20, 0.0, 0.1684), (1, 29, 0.0009, 0.1776)]
        {
            let found = rate_interval(hits, n, 0.05).unwrap();
            assert!((found.low - low).abs() < 1e-4 && (found.high - high).abs() < 1e-4, "{hits}/{n}: {found:?}");
        }
        assert_eq!(rate_interval(0, 0, 0.05), None);
        assert_eq!(rate_interval(7, 7, 0.05).map(|all| all.high.to_bits()), Some(1f64.to_bits()));
    }

    #[test]
    fn a_quantile_needs_its_number_of_values() {
        assert_eq!((values_needed(0.95, 0.05), values_needed(0.99, 0.05), values_needed(0.5, 0.05)), (72, 368, 6));
        let values: Vec<f64> = (1..=72).map(f64::from).collect();
        assert_eq!(quantile_interval(&values[..71], 0.95, 0.05), None);
        let found = quantile_interval(&values, 0.95, 0.05).unwrap();
        assert_eq!((found.median, found.high), (69.0, 72.0));
        assert!(found.low < 69.0 && quantile_interval(&[f64::NAN; 80], 0.95, 0.05).is_none());
    }

    #[test]
    fn it_covers_the_quantile_as_often_as_it_says() {
        let mut random = SplitMix64::new(3);
        let missed = (0..2000).filter(|_| {
            let values: Vec<f64> = (0..96).map(|_| random.unit()).collect();
            !quantile_interval(&values, 0.95, 0.05).unwrap().contains(0.95)
        });
        let missed = missed.count();
        assert!((20..=120).contains(&missed), "missed {missed} of 2000");
    }

    proptest! {
        #[test]
        fn at_one_half_it_is_the_interval_of_the_median(values in prop::collection::vec(-10.0..10.0f64, 8..60)) {
            let (found, median) = (quantile_interval(&values, 0.5, 0.01).unwrap(), median_interval(&values, 0.01).unwrap());
            prop_assert_eq!((found.low, found.high), (median.low, median.high));
        }

        #[test]
        fn the_tail_is_that_of_a_fair_coin(n in 1usize..300, k in 0usize..300) {
            prop_assert!((binomial_cdf(n, 0.5, k) - binomial_half_cdf(n, k)).abs() < 1e-12);
        }

        #[test]
        fn rates_mirror_and_hold_their_share(hits in 0usize..200, misses in 0usize..200) {
            prop_assume!(hits + misses > 0);
            let found = rate_interval(hits, hits + misses, 0.01).unwrap();
            let mirrored = rate_interval(misses, hits + misses, 0.01).unwrap();
            prop_assert!(0.0 <= found.low && found.contains(found.median) && found.high <= 1.0);
            prop_assert!((found.low - (1.0 - mirrored.high)).abs() < 1e-9);
        }
    }
}
