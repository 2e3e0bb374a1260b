//! Many workloads at once: Holm for what fails a verdict, Benjamini–Hochberg for what is listed.

/// Order of the p-values from smallest to largest, with values that are no probability last.
fn ascending(p_values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    order
}

/// Which hypotheses are rejected with a probability of at most `alpha` of even one false rejection, under any dependence
/// (Holm 1979, step-down).
pub fn holm(p_values: &[f64], alpha: f64) -> Vec<bool> {
    let mut rejected = vec![false; p_values.len()];
    for (rank, index) in ascending(p_values).into_iter().enumerate() {
        let allowed = alpha / (p_values.len() - rank) as f64;
        // Not `p > allowed`: a NaN must not be rejected.
        if p_values[index] <= allowed {
            rejected[index] = true;
        } else {
            break;
        }
    }
    rejected
}

/// Which hypotheses are rejected with an expected share of at most `q` false ones among them
/// (Benjamini and Hochberg 1995, step-up; valid under independence and positive dependence).
pub fn benjamini_hochberg(p_values: &[f64], q: f64) -> Vec<bool> {
    let order = ascending(p_values);
    let passes = |rank: usize, index: usize| p_values[index] <= q * (rank + 1) as f64 / p_values.len() as f64;
    let last = order.iter().enumerate().rposition(|(rank, &index)| passes(rank, index));
    let mut rejected = vec![false; p_values.len()];
    for &index in order.iter().take(last.map_or(0, |rank| rank + 1)) {
        rejected[index] = true;
    }
    rejected
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn holm_stops_at_the_first_that_fails() {
        assert_eq!(holm(&[0.01, 0.04, 0.03, 0.005], 0.05), [true, false, false, true]);
        assert_eq!(holm(&[0.026, 0.001], 0.05), [true, true]);
        assert!(holm(&[], 0.05).is_empty());
    }

    #[test]
    fn benjamini_hochberg_keeps_everything_below_the_last_that_passes() {
        // The third passes (0.029 ≤ 0.05·3/5), so the second is kept although 0.021 > 0.05·2/5.
        assert_eq!(benjamini_hochberg(&[0.001, 0.021, 0.029, 0.5, 0.9], 0.05), [true, true, true, false, false]);
    }

    #[test]
    fn a_missing_p_value_is_never_a_discovery() {
        assert_eq!(holm(&[f64::NAN, 0.001], 0.05), [false, true]);
        assert_eq!(benjamini_hochberg(&[f64::NAN, 0.001], 0.05), [false, true]);
    }

    proptest! {
        #[test]
        fn holm_lies_between_bonferroni_and_benjamini_hochberg(p in prop::collection::vec(0.0..0.2f64, 1..40)) {
            let (holm, hochberg) = (holm(&p, 0.05), benjamini_hochberg(&p, 0.05));
            for (index, &value) in p.iter().enumerate() {
                prop_assert!(value > 0.05 / p.len() as f64 || holm[index], "bonferroni rejects, holm does not");
                prop_assert!(!holm[index] || hochberg[index], "holm rejects, benjamini-hochberg does not");
            }
        }
    }
}
