//! How much memory of its own a workload holds, over time.

use super::Resident;

/// Points that are kept; a longer series is kept at half the density, and so on.
const MOST: usize = 512;

/// The series, evenly thinned out.
#[derive(Debug)]
pub(super) struct Series {
    points: Vec<Resident>,
    stride: usize,
    seen: usize,
}

impl Series {
    pub(super) fn new() -> Self {
        Self { points: Vec::new(), stride: 1, seen: 0 }
    }

    /// Adds what was seen.
    pub(super) fn add(&mut self, point: Resident) {
        if self.seen.is_multiple_of(self.stride) {
            if self.points.len() == MOST {
                let mut place = 0;
                self.points.retain(|_| {
                    place += 1;
                    place % 2 == 1
                });
                self.stride *= 2;
            }
            self.points.push(point);
        }
        self.seen += 1;
    }

    pub(super) fn points(self) -> Vec<Resident> {
        self.points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_series_stays_even_and_bounded() {
        let mut series = Series::new();
        for at in 0..10_000 {
            series.add(Resident { at_ns: at, bytes: at * 2, faults: None });
        }
        let points = series.points();
        assert!(points.len() <= MOST && points.len() > MOST / 2, "{}", points.len());
        assert_eq!(points[0].at_ns, 0);
        let steps: Vec<u64> = points.windows(2).map(|pair| pair[1].at_ns - pair[0].at_ns).collect();
        assert!(steps.iter().all(|&step| step == steps[0]), "{steps:?}");
    }
}
