//! When in a run its page faults happen: what a program sets up once is no steady trouble. Does not know who makes them.

use crate::sample::offcpu::Resident;

/// Part of the faults of which it is told until when they had happened.
const MOST: f64 = 0.9;

/// Points below which nobody can tell.
const FEWEST: usize = 8;

/// Part of the run within which most of its page faults happened, 0 to 1; `None` where nobody counted them often enough.
pub(super) fn most_until(series: &[Resident]) -> Option<f64> {
    let counted: Vec<(u64, u64)> = series.iter().filter_map(|point| Some((point.at_ns, point.faults?))).collect();
    let &(end, all) = counted.last().filter(|_| counted.len() >= FEWEST)?;
    let (at, _) = counted.iter().find(|(_, faults)| *faults as f64 >= MOST * all as f64)?;
    (end > 0 && all > 0).then(|| *at as f64 / end as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(faults: impl Fn(u64) -> u64) -> Vec<Resident> {
        (0..=100).map(|look| Resident { at_ns: look * 20_000_000, bytes: 0, faults: Some(faults(look)) }).collect()
    }

    #[test]
    fn set_up_and_steady_faults_are_told_apart() {
        let until = |faults: fn(u64) -> u64| most_until(&series(faults)).unwrap();
        assert!(until(|look| 1000 * look.min(10)) <= 0.1);
        assert!((until(|look| 1000 * look) - 0.9).abs() < 0.011);
        assert_eq!(most_until(&series(|look| look)[..5]), None, "too short");
        assert_eq!(most_until(&series(|_| 0)), None);
        let unknown: Vec<Resident> = series(|look| look).into_iter().map(|point| Resident { faults: None, ..point }).collect();
        assert_eq!(most_until(&unknown), None, "an older store");
    }
}
