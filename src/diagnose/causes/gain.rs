//! What a fix can bring, by Amdahl's law. Every number of it is an estimate.

use super::entry::Entry;
use crate::heat::Share;

/// Nobody believes an estimate of more than a hundredfold.
const CREDIBLE: f64 = 0.99;

/// Speed-ups as factors of the whole workload's speed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gain {
    /// If the share is the least that it may be, and as little of it is won back as is usual.
    pub low: f64,
    /// If the share is the most that it may be, and as much of it is won back as is usual.
    pub high: f64,
    /// If all of it vanishes, at the upper end of the share; infinite where nothing else is left.
    pub most: f64,
}

impl Gain {
    /// The gain from a cause with this share of the work time.
    pub fn of(share: Share, entry: &Entry) -> Self {
        let without = |part: f64| 1.0 / (1.0 - part.clamp(0.0, 1.0));
        let usual = |part: f64| without(part.min(CREDIBLE));
        let (least, best) = entry.recoverable;
        Self { low: usual(share.low * least), high: usual(share.high * best), most: without(share.high) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amdahl_bounds_what_a_fix_can_bring() {
        let entry = super::super::find("S05").unwrap();
        let share = Share { hits: 22, samples: 100, share: 0.22, low: 0.22, high: 0.22 };
        let gain = Gain::of(share, &Entry { recoverable: (0.65, 0.65), ..entry.clone() });
        assert!((gain.low - 1.1669).abs() < 1e-3 && gain.low.to_bits() == gain.high.to_bits(), "{gain:?}");
        assert!((gain.most - 1.2821).abs() < 1e-3);
        let nothing = Gain::of(Share::new(0, 1000), entry);
        assert!(nothing.low.to_bits() == 1.0_f64.to_bits() && nothing.most >= 1.0);
        assert!(Gain::of(Share { high: 1.0, ..share }, entry).most.is_infinite());
    }
}
