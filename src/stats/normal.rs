//! Quantiles of the normal distribution, for intervals of any confidence.

/// Coefficients of P. J. Acklam's rational approximation of the inverse normal distribution (2003); its relative error is below
/// 1.15 · 10⁻⁹ everywhere.
const A: [f64; 6] = [
    -3.969_683_028_665_376e1,
    2.209_460_984_245_205e2,
    -2.759_285_104_469_687e2,
    1.383_577_518_672_69e2,
    -3.066_479_806_614_716e1,
    2.506_628_277_459_239,
];
const B: [f64; 6] = [
    -5.447_609_879_822_406e1,
    1.615_858_368_580_409e2,
    -1.556_989_798_598_866e2,
    6.680_131_188_771_972e1,
    -1.328_068_155_288_572e1,
    1.0,
];
const C: [f64; 6] = [
    -7.784_894_002_430_293e-3,
    -3.223_964_580_411_365e-1,
    -2.400_758_277_161_838,
    -2.549_732_539_343_734,
    4.374_664_141_464_968,
    2.938_163_982_698_783,
];
const D: [f64; 5] = [7.784_695_709_041_462e-3, 3.224_671_290_700_398e-1, 2.445_134_137_142_996, 3.754_408_661_907_416, 1.0];

/// Where the approximation of the tail begins.
const TAIL: f64 = 0.02425;

fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

/// The value that a standard normal number does not exceed with probability `p`; infinite at 0 and 1, not a number outside.
pub fn quantile(p: f64) -> f64 {
    let tail = |p: f64| {
        let q = (-2.0 * p.ln()).sqrt();
        polynomial(&C, q) / polynomial(&D, q)
    };
    match p {
        p if !(0.0..=1.0).contains(&p) => f64::NAN,
        p if p.to_bits() == 0 => f64::NEG_INFINITY,
        p if p.to_bits() == 1.0_f64.to_bits() => f64::INFINITY,
        p if p < TAIL => tail(p),
        p if p > 1.0 - TAIL => -tail(1.0 - p),
        p => {
            let q = p - 0.5;
            q * polynomial(&A, q * q) / polynomial(&B, q * q)
        }
    }
}

/// How many standard deviations two-sided intervals need so that `family` of them are all right with a probability of at least
/// `1 − alpha` (Bonferroni).
pub fn simultaneous(alpha: f64, family: usize) -> f64 {
    -quantile(alpha / (2.0 * family.max(1) as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_the_published_ones() {
        for (p, z) in
            [(0.5, 0.0), (0.975, 1.959_963_985), (0.995, 2.575_829_304), (0.025, -1.959_963_985), (1e-6, -4.753_424_309)]
        {
            assert!((quantile(p) - z).abs() < 1e-7, "{p}: {}", quantile(p));
        }
        assert!(quantile(0.0).is_infinite() && quantile(1.0).is_infinite() && quantile(1.5).is_nan());
    }

    #[test]
    fn more_intervals_are_wider_ones() {
        assert!((simultaneous(0.05, 1) - super::super::wilson::Z_95).abs() < 1e-7);
        assert!(simultaneous(0.01, 100) > simultaneous(0.01, 10) && simultaneous(0.01, 0).is_finite());
    }
}
