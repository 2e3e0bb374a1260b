//! Whether a workload's memory grows all the time that it runs. Does not say why.

use serde::{Deserialize, Serialize};

use crate::sample::offcpu::Resident;
use crate::stats::{median, trend};

/// Part of the run that is left out: what a program sets up once is no growth.
const WARM_UP: f64 = 0.25;
/// Seconds that must be left.
const LEAST_SECONDS: f64 = 2.0;
/// Less than this in all is an allocator's own business: glibc grows its heaps by 128 KiB and trims them from there
/// (mallopt(3), `M_TOP_PAD`), in each of its arenas.
const LEAST_BYTES: f64 = (4 << 20) as f64;
/// And less than this part of what was held before.
const LEAST_PART: f64 = 0.01;
/// What fills up grows at less than this part of its earlier pace in the second half.
const SLOWING: f64 = 0.5;

/// Memory that grows steadily.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// Bytes per second.
    pub rate: f64,
    /// Smallest of the increments that it was seen in.
    pub low: f64,
    /// Largest of them.
    pub high: f64,
    /// How long it was watched after the warm-up, seconds.
    pub seconds: f64,
    /// Held at the end, bytes.
    pub held: u64,
}

/// True where growth would have been seen: the series without its warm-up is long enough.
pub fn is_watched(series: &[Resident]) -> bool {
    warm(series).is_some_and(|warm| warm.length >= LEAST_SECONDS && trend(&warm.points).is_some())
}

/// A series without its warm-up: seconds and bytes.
struct Warm {
    points: Vec<(f64, f64)>,
    length: f64,
}

fn warm(series: &[Resident]) -> Option<Warm> {
    let seconds = |point: &Resident| point.at_ns as f64 / 1e9;
    let end = series.last().map(seconds)?;
    let late = series.iter().filter(|point| seconds(point) >= end * WARM_UP);
    let points: Vec<(f64, f64)> = late.map(|point| (seconds(point), point.bytes as f64)).collect();
    let length = end - points.first()?.0;
    Some(Warm { points, length })
}

/// Points after the warm-up from which a short run may raise a suspicion, or lay it to rest.
const FEW: usize = 9;
/// Less than this in a short run raises none.
const SUSPICIOUS: f64 = (1 << 20) as f64;

/// What a run that is too short for [`growth`] suspects: bytes per second, where each third of it held more than the one before and
/// the pace holds; 0 where it stands still; `None` where nothing can be said.
pub fn suspected(series: &[Resident]) -> Option<f64> {
    let Warm { points, length } = warm(series)?;
    if points.len() < FEW || length <= 0.0 {
        return None;
    }
    let third = |part: usize| {
        let values = points.iter().skip(part * points.len() / 3).take(points.len() / 3).map(|(_, bytes)| *bytes);
        median(&values.collect::<Vec<f64>>())
    };
    let (first, second, last) = (third(0)?, third(1)?, third(2)?);
    let rises = second > first && last - second >= SLOWING * (second - first) && last - first >= SUSPICIOUS;
    // Medians lie two thirds of the time apart.
    Some(if rises { (last - first) / (length * 2.0 / 3.0) } else { 0.0 })
}

/// The growth in a series; `None` where it is too short, where it stands still or wanders, and where it slows down as what fills up.
pub fn growth(series: &[Resident]) -> Option<Growth> {
    let Warm { points, length } = warm(series)?;
    let (before, held) = (points.first()?.1, series.last()?.bytes);
    if length < LEAST_SECONDS {
        return None;
    }
    let found = trend(&points)?;
    let grown = found.slope * length;
    let grows = found.low > 0.0 && found.pace >= SLOWING && grown >= LEAST_BYTES && grown >= LEAST_PART * before;
    grows.then_some(Growth { rate: found.slope, low: found.low, high: found.high, seconds: length, held })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A look every 20 ms for `seconds`.
    fn series(seconds: f64, bytes: impl Fn(f64) -> f64) -> Vec<Resident> {
        let looks = (seconds / 0.02) as u64;
        (0..=looks)
            .map(|look| Resident { at_ns: look * 20_000_000, bytes: bytes(look as f64 * 0.02) as u64, faults: None })
            .collect()
    }

    const MIB: f64 = 1_048_576.0;

    #[test]
    fn a_leak_is_seen_and_what_is_built_up_once_is_not() {
        let leak = growth(&series(4.0, |at| (20.0 + 3.0 * at) * MIB)).unwrap();
        assert!((leak.rate / MIB - 3.0).abs() < 0.05 && leak.low <= leak.rate && leak.rate <= leak.high, "{leak:?}");
        assert!((leak.seconds - 3.0).abs() < 0.05 && leak.held > (31.0 * MIB) as u64);
        assert_eq!(growth(&series(4.0, |at| (20.0 + 300.0 * at.min(0.8)) * MIB)), None, "set up once");
        assert_eq!(growth(&series(4.0, |at| (20.0 + 30.0 * at.min(2.5)) * MIB)), None, "full after a while");
        assert_eq!(growth(&series(4.0, |at| (100.0 * (1.0 - (-at).exp())) * MIB)), None, "filling ever more slowly");
        assert_eq!(growth(&series(4.0, |at| 20.0 * MIB + 64.0 * (at * 9.0).floor())), None, "steps of nothing");
    }

    #[test]
    fn a_short_run_may_only_suspect() {
        let leak = suspected(&series(1.0, |at| (20.0 + 30.0 * at) * MIB)).unwrap();
        assert!((leak / MIB - 30.0).abs() < 2.0, "{leak}");
        assert_eq!(suspected(&series(1.0, |_| 20.0 * MIB)), Some(0.0));
        assert_eq!(suspected(&series(1.0, |at| (20.0 + 300.0 * at.min(0.4)) * MIB)), Some(0.0), "set up once");
        assert_eq!(suspected(&series(0.1, |at| 30.0 * at * MIB)), None);
        assert_eq!(suspected(&[]), None);
    }

    #[test]
    fn a_short_run_and_a_small_part_say_nothing() {
        assert_eq!(growth(&series(2.0, |at| 30.0 * MIB * at)), None);
        assert_eq!(growth(&series(4.0, |at| (4000.0 + 3.0 * at) * MIB)), None);
        assert_eq!(growth(&[]), None);
        assert!(is_watched(&series(4.0, |_| MIB)) && !is_watched(&series(2.0, |_| MIB)) && !is_watched(&[]));
    }
}
