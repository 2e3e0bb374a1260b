//! The slope of a series over time, with an interval that neither steps nor wandering pass for a trend.
//!
//! Memory moves in steps and remembers where it was, so points next to each other are no independent witnesses. The series is cut
//! into blocks of equal length; their medians are compared one by one.

/// Blocks: twelve increments lie between them.
const BLOCKS: usize = 13;

/// Points per block below which a median says nothing.
const FEWEST: usize = 3;

/// A slope per unit of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// The median of the slopes between all pairs of block medians (Theil 1950, Sen 1968).
    pub slope: f64,
    /// The smallest of the twelve increments.
    pub low: f64,
    /// The largest. Smallest and largest enclose the median increment with 1 − 2 ÷ 2¹² (the order statistics' interval at its
    /// widest): a series without a trend has all twelve on one side of zero in one of 2 000 cases, one that wanders in one of 1 000
    /// (property test).
    pub high: f64,
    /// Slope of the second half of the blocks over that of the first; far below 1 for what fills up.
    pub pace: f64,
}

/// The trend of a series (time, value) in the order of time; `None` where it is too short.
pub fn trend(points: &[(f64, f64)]) -> Option<Trend> {
    let (first, last) = (points.first()?.0, points.last()?.0);
    let each = (last - first) / BLOCKS as f64;
    if points.len() < BLOCKS * FEWEST || each <= 0.0 {
        return None;
    }
    let mut blocks = vec![Vec::new(); BLOCKS];
    for (time, value) in points {
        let block = (((time - first) / each) as usize).min(BLOCKS - 1);
        blocks.get_mut(block)?.push(*value);
    }
    if blocks.iter().any(|block| block.len() < FEWEST) {
        return None;
    }
    let medians: Vec<f64> = blocks.iter().filter_map(|block| super::median(block)).collect();
    let increments = medians.windows(2).filter_map(|pair| Some((pair.get(1)? - pair.first()?) / each));
    let (low, high) =
        increments.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), one| (f64::min(low, one), f64::max(high, one)));
    let slope = pairwise(&medians)? / each;
    let half = BLOCKS / 2;
    let (before, after) = (pairwise(medians.get(..=half)?)?, pairwise(medians.get(half..)?)?);
    let pace = if before == 0.0 { 0.0 } else { after / before };
    Some(Trend { slope, low: low.min(slope), high: high.max(slope), pace })
}

/// Theil and Sen's slope per step.
fn pairwise(values: &[f64]) -> Option<f64> {
    let pairs = values
        .iter()
        .enumerate()
        .flat_map(|(i, a)| values.iter().enumerate().skip(i + 1).map(move |(j, b)| (b - a) / (j - i) as f64));
    super::median(&pairs.collect::<Vec<f64>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::SplitMix64;
    use proptest::prelude::*;

    fn of(values: impl IntoIterator<Item = f64>) -> Option<Trend> {
        trend(&values.into_iter().enumerate().map(|(at, value)| (at as f64, value)).collect::<Vec<_>>())
    }

    /// A series of `n` values without growth.
    fn still(kind: usize, n: usize, random: &mut SplitMix64) -> Vec<f64> {
        let mut level = 0.0;
        let period = 4.0 + 56.0 * random.unit();
        (0..n)
            .map(|at| match kind {
                0 => random.normal(),
                1 => {
                    level += random.normal();
                    level
                }
                2 => {
                    if random.unit() < 0.05 {
                        level += if random.below(2) == 0 { 1.0 } else { -1.0 };
                    }
                    level + 0.01 * random.normal()
                }
                3 => (at as f64 / period).fract() + 0.02 * random.normal(),
                4 => f64::from(at > n / 2) + 0.001 * random.normal(),
                _ => (at as f64).min(n as f64 * 0.4),
            })
            .collect()
    }

    #[test]
    fn no_kind_of_noise_passes_for_growth_more_often_than_one_in_a_hundred() {
        let mut random = SplitMix64::new(20);
        for kind in 0..6 {
            let trials = 1000;
            let rises = |trend: Option<Trend>| trend.is_some_and(|trend| trend.low > 0.0);
            let alarms = (0..trials).filter(|trial| rises(of(still(kind, 60 + trial % 200, &mut random)))).count();
            assert!(alarms * 100 <= trials, "kind {kind}: {alarms} of {trials}");
        }
    }

    #[test]
    fn a_steady_rise_is_found_in_steps_and_noise() {
        let mut random = SplitMix64::new(7);
        for _ in 0..50 {
            let found = of((0..200).map(|at| f64::from(at / 4) + 0.3 * random.normal())).unwrap();
            assert!(found.low > 0.0 && found.low <= found.slope && found.slope <= found.high, "{found:?}");
            assert!((found.slope - 0.25).abs() < 0.02 && (found.pace - 1.0).abs() < 0.3, "{found:?}");
        }
    }

    #[test]
    fn what_fills_up_slows_down() {
        let filling = of((0..200).map(|at| 1.0 - (-f64::from(at) / 60.0).exp())).unwrap();
        assert!(filling.low > 0.0 && filling.pace < 0.5, "{filling:?}");
    }

    proptest! {
        #[test]
        fn a_trend_turns_with_its_series(values in prop::collection::vec(-1e6f64..1e6, 39..200)) {
            let (up, down) = (of(values.clone()), of(values.iter().map(|value| -value)));
            match up.zip(down) {
                Some((up, down)) => {
                    prop_assert!((up.slope + down.slope).abs() < 1e-3 && (up.low + down.high).abs() < 1e-3);
                    prop_assert!(up.low <= up.slope && up.slope <= up.high);
                }
                None => prop_assert!(false, "long enough"),
            }
        }

        #[test]
        fn too_short_a_series_has_none(values in prop::collection::vec(-1e6f64..1e6, 0..39)) {
            prop_assert!(of(values).is_none());
        }
    }
}
