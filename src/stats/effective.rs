//! How many equal observations a weighed sum is worth.

/// Kish's effective number (L. Kish, *Survey Sampling*, 1965, §11.7) of observations that come in groups of equal weight: `(Σw)² ÷ Σw²`,
/// from each group's summed weight and count. 0 where there is none.
pub fn effective(groups: impl Iterator<Item = (f64, f64)>) -> f64 {
    let known = groups.filter(|(weight, count)| *weight > 0.0 && *count > 0.0);
    let (sum, squares) =
        known.fold((0.0, 0.0), |(sum, squares), (weight, count)| (sum + weight, squares + weight * weight / count));
    if squares > 0.0 { sum * sum / squares } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_weights_count_and_a_heavy_one_counts_for_itself() {
        assert!((effective([(30.0, 30.0), (20.0, 20.0)].into_iter()) - 50.0).abs() < 1e-9);
        let heavy = effective([(1000.0, 1.0), (1.0, 100.0)].into_iter());
        assert!(heavy > 1.0 && heavy < 1.01, "{heavy}");
        assert!(effective([(0.0, 5.0), (5.0, 0.0)].into_iter()) < f64::EPSILON);
    }
}
