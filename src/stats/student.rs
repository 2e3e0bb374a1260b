//! Means of a few values with intervals of any confidence: Student's distribution, where the spread itself is only estimated.

use super::estimate::Interval;

/// `P(|T| ≤ t)` of Student's distribution (M. Abramowitz and I. Stegun, Handbook of Mathematical Functions, 1964, 26.7.3 and
/// 26.7.4: closed forms for whole degrees of freedom).
fn within(t: f64, freedom: usize) -> f64 {
    let (sine, cosine) = (t / (freedom as f64).sqrt()).atan().sin_cos();
    let is_odd = freedom % 2 == 1;
    let (mut term, mut sum) = if is_odd { (cosine, 0.0) } else { (1.0, 0.0) };
    let mut k = if is_odd { 3 } else { 2 };
    while k <= freedom {
        sum += term;
        let k_f = k as f64;
        term *= (k_f - 1.0) / k_f * cosine * cosine;
        k += 2;
    }
    if is_odd { std::f64::consts::FRAC_2_PI * (sine.atan2(cosine) + sine * sum) } else { sine * sum }
}

/// How far from 0 a value of Student's distribution lies at most with probability `1 − alpha`; infinite without degrees of freedom
/// and for `alpha` ≤ 0.
pub fn two_sided(alpha: f64, freedom: usize) -> f64 {
    if freedom == 0 || alpha <= 0.0 {
        return f64::INFINITY;
    }
    let (mut low, mut high) = (0.0, 1.0);
    while 1.0 - within(high, freedom) > alpha && high < 1e12 {
        high *= 2.0;
    }
    // The mean of both ends is exact to the last bits after so many halvings.
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if 1.0 - within(middle, freedom) > alpha { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// The mean with its interval of confidence `1 − alpha`; `None` for fewer than two values or values that are not finite.
pub fn mean_interval(values: &[f64], alpha: f64) -> Option<Interval> {
    let n = values.len() as f64;
    if values.len() < 2 || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let half = two_sided(alpha, values.len() - 1) * (variance / n).sqrt();
    Some(Interval { low: mean - half, median: mean, high: mean + half })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quantiles_are_the_published_ones() {
        // Abramowitz and Stegun, table 26.10.
        for (alpha, freedom, t) in [
            (0.5, 1, 1.000),
            (0.05, 1, 12.706),
            (0.01, 2, 9.925),
            (0.05, 5, 2.571),
            (0.01, 7, 3.499),
            (0.001, 7, 5.408),
            (0.001, 10, 4.587),
            (0.05, 120, 1.980),
        ] {
            assert!((two_sided(alpha, freedom) - t).abs() < 6e-4, "{alpha} {freedom}: {}", two_sided(alpha, freedom));
        }
        assert!(two_sided(0.05, 0).is_infinite() && two_sided(0.0, 5).is_infinite());
    }

    #[test]
    fn it_comes_near_the_normal_distribution() {
        let z = super::super::wilson::Z_95;
        assert!((two_sided(0.05, 100_000) - z).abs() < 1e-3 && two_sided(0.05, 10) > z);
    }

    proptest! {
        #[test]
        fn the_interval_holds_the_mean_and_widens_with_confidence(values in prop::collection::vec(-1e9..1e9f64, 2..20)) {
            let (wide, narrow) = (mean_interval(&values, 0.001).unwrap(), mean_interval(&values, 0.05).unwrap());
            prop_assert!(wide.low <= narrow.low && narrow.contains(narrow.median) && narrow.high <= wide.high);
        }
    }
}
