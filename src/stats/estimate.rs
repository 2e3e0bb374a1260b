//! Medians, their exact intervals, and sign tests: no normality, nothing to tune.

use serde::{Deserialize, Serialize};

/// A median with its interval, in the unit of the values (log ratios, nearly always).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// The median.
    pub median: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// True when `value` lies inside, ends included.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// The larger distance from the median to an end.
    pub fn half_width(&self) -> f64 {
        (self.high - self.median).max(self.median - self.low)
    }

    /// The largest magnitude inside.
    pub fn reach(&self) -> f64 {
        self.low.abs().max(self.high.abs())
    }

    /// From log ratios to ratios.
    #[must_use]
    pub fn exp(&self) -> Self {
        Self { low: self.low.exp(), median: self.median.exp(), high: self.high.exp() }
    }
}

fn sorted(values: &[f64]) -> Option<Vec<f64>> {
    if values.is_empty() || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Some(sorted)
}

/// The quantile `p` in `[0, 1]`, linear between order statistics (Hyndman and Fan 1996, type 7, the default of R and `NumPy`).
/// `None` for no values, values that are not finite, or a `p` outside.
pub fn quantile(values: &[f64], p: f64) -> Option<f64> {
    if !(0.0..=1.0).contains(&p) {
        return None;
    }
    let sorted = sorted(values)?;
    let position = p * (sorted.len() - 1) as f64;
    let below = *sorted.get(position.floor() as usize)?;
    let above = *sorted.get(position.ceil() as usize)?;
    Some(below + (above - below) * position.fract())
}

/// The median; `None` for no values or values that are not finite.
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// Standard deviation as a normal distribution with the same median absolute deviation would have it: outliers do not
/// move it. The factor 1.4826 is 1/Φ⁻¹(¾) (Rousseeuw and Croux 1993).
pub fn robust_sd(values: &[f64]) -> Option<f64> {
    let center = median(values)?;
    let deviations: Vec<f64> = values.iter().map(|value| (value - center).abs()).collect();
    Some(1.4826 * median(&deviations)?)
}

/// Standard error of the median of `n` values with standard deviation `sd`: √(π/2)·sd/√n, asymptotic under normality.
pub fn median_error(sd: f64, n: usize) -> f64 {
    (std::f64::consts::FRAC_PI_2 / n.max(1) as f64).sqrt() * sd
}

/// `P(X ≤ k)` for `X ~ Binomial(n, ½)`, summed in logarithms so that no `n` underflows.
pub fn binomial_half_cdf(n: usize, k: usize) -> f64 {
    if k >= n {
        return 1.0;
    }
    let mut log_term = -(n as f64) * std::f64::consts::LN_2;
    let mut sum = log_term.exp();
    for i in 0..k {
        log_term += ((n - i) as f64 / (i + 1) as f64).ln();
        sum += log_term.exp();
    }
    sum.min(1.0)
}

/// How many extreme order statistics may be cut from each end of `n` values so that the rest covers the median with
/// probability at least `1 − alpha`; `None` when even the whole range does not (n < 6 for 5 %, n < 8 for 1 %).
fn cut(n: usize, alpha: f64) -> Option<usize> {
    let (mut log_term, mut tail) = (-(n as f64) * std::f64::consts::LN_2, 0.0);
    let mut cut = None;
    for k in 0..n / 2 {
        tail += log_term.exp();
        if tail > alpha / 2.0 {
            break;
        }
        cut = Some(k);
        log_term += ((n - k) as f64 / (k + 1) as f64).ln();
    }
    cut
}

/// The median with its exact, distribution-free interval of confidence `1 − alpha`: the order statistics that a two-sided sign
/// test at `alpha` does not reject (Conover, Practical Nonparametric Statistics, §3.2; also what benchstat does).
/// `None` when there are too few values for `alpha`, or values that are not finite.
pub fn median_interval(values: &[f64], alpha: f64) -> Option<Interval> {
    let sorted = sorted(values)?;
    let cut = cut(sorted.len(), alpha)?;
    let low = *sorted.get(cut)?;
    let high = *sorted.get(sorted.len().checked_sub(1 + cut)?)?;
    Some(Interval { low, median: median(&sorted)?, high })
}

/// One-sided p-value of "the median is at most `margin`", by the exact sign test; values equal to the margin count as not above.
pub fn sign_test_above(values: &[f64], margin: f64) -> f64 {
    let above = values.iter().filter(|&&value| value > margin).count();
    // P(X ≥ above) = P(X ≤ n − above), by the symmetry of Binomial(n, ½).
    binomial_half_cdf(values.len(), values.len() - above)
}

/// One-sided p-value of "the median is at least `margin`", by the exact sign test.
pub fn sign_test_below(values: &[f64], margin: f64) -> f64 {
    let below = values.iter().filter(|&&value| value < margin).count();
    binomial_half_cdf(values.len(), values.len() - below)
}

/// Per-round log ratios `ln(head/base)`; pairs whose ratio does not exist are left out.
pub fn log_ratios(pairs: impl IntoIterator<Item = (f64, f64)>) -> Vec<f64> {
    pairs.into_iter().map(|(base, head)| (head / base).ln()).filter(|ratio| ratio.is_finite()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::SplitMix64;

    #[test]
    fn quantiles_are_those_of_r() {
        let values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(quantile(&values, 0.25), Some(1.75));
        assert_eq!(median(&values), Some(2.5));
        assert_eq!((median(&[]), median(&[f64::NAN]), quantile(&values, 1.1)), (None, None, None));
    }

    #[test]
    fn the_binomial_tail_is_exact() {
        assert!((binomial_half_cdf(12, 1) - 13.0 / 4096.0).abs() < 1e-15);
        assert!((binomial_half_cdf(5001, 2500) - 0.5).abs() < 1e-9);
        assert!((binomial_half_cdf(3, 3) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn too_few_values_have_no_interval() {
        let values: Vec<f64> = (0..8).map(f64::from).collect();
        assert_eq!(median_interval(&values[..5], 0.05), None);
        assert_eq!(median_interval(&values[..6], 0.05), Some(Interval { low: 0.0, median: 2.5, high: 5.0 }));
        assert_eq!(median_interval(&values[..7], 0.01), None);
        assert!(median_interval(&values, 0.01).is_some());
    }

    #[test]
    fn the_interval_of_twelve_values_at_one_percent_drops_one_at_each_end() {
        let values: Vec<f64> = (1..=12).map(f64::from).collect();
        assert_eq!(median_interval(&values, 0.01), Some(Interval { low: 2.0, median: 6.5, high: 11.0 }));
    }

    #[test]
    fn the_interval_covers_the_median_as_often_as_it_says() {
        let mut random = SplitMix64::new(11);
        let missed = (0..4000).filter(|_| {
            // A skewed distribution with median 0: the interval must not need symmetry.
            let values: Vec<f64> = (0..24).map(|_| random.normal().exp() - 1.0).collect();
            !median_interval(&values, 0.05).unwrap().contains(0.0)
        });
        let missed = missed.count();
        assert!((60..=200).contains(&missed), "missed {missed} of 4000");
    }

    #[test]
    fn a_robust_sd_ignores_a_wild_value() {
        let mut random = SplitMix64::new(5);
        let mut values: Vec<f64> = (0..500).map(|_| 2.0 * random.normal()).collect();
        values[0] = 1e9;
        assert!((robust_sd(&values).unwrap() - 2.0).abs() < 0.3);
    }

    proptest! {
        #[test]
        fn an_interval_beyond_a_margin_is_the_sign_test(values in prop::collection::vec(-10.0..10.0f64, 8..60), margin in -3.0..3.0f64) {
            let interval = median_interval(&values, 0.01).unwrap();
            prop_assert_eq!(interval.low > margin, sign_test_above(&values, margin) <= 0.005);
            prop_assert_eq!(interval.high < margin, sign_test_below(&values, margin) <= 0.005);
        }

        #[test]
        fn a_stricter_level_never_narrows_the_interval(values in prop::collection::vec(-10.0..10.0f64, 12..60)) {
            let (wide, narrow) = (median_interval(&values, 0.001), median_interval(&values, 0.05).unwrap());
            prop_assert!(wide.is_none_or(|wide| wide.low <= narrow.low && wide.high >= narrow.high));
            prop_assert!(narrow.contains(narrow.median));
        }

        #[test]
        fn swapping_the_sides_mirrors_the_interval(values in prop::collection::vec(-10.0..10.0f64, 8..40)) {
            let mirrored: Vec<f64> = values.iter().map(|v| -v).collect();
            let (a, b) = (median_interval(&values, 0.01).unwrap(), median_interval(&mirrored, 0.01).unwrap());
            prop_assert!((a.low + b.high).abs() < 1e-12 && (a.median + b.median).abs() < 1e-12);
        }
    }
}
