//! Stacks that stand for more than one event each: page faults, allocated bytes.

use super::binary::Binaries;
use super::space::CodeAddress;
use super::stacks::Stacks;
use super::symbolize;
use crate::profile::{Engine, Profile, Quality};

/// Stacks that stand for more than one event each.
#[derive(Default)]
pub(in crate::sample) struct Weighed {
    stacks: Stacks,
    weight: f64,
    squares: f64,
}

impl Weighed {
    /// Adds a sample that stands for `weight` events.
    pub(in crate::sample) fn add(&mut self, stack: &[CodeAddress], complete: bool, weight: u64) {
        self.stacks.add_times(stack, complete, weight);
        self.weight += weight as f64;
        self.squares += (weight as f64).powi(2);
    }

    /// How many samples of one and the same weight would say as much (Kish 1965: the squared sum over the sum of squares).
    fn records(&self) -> u64 {
        if self.squares > 0.0 { (self.weight.powi(2) / self.squares).round().max(1.0) as u64 } else { 0 }
    }

    /// The profile, with weights for counts; `None` without samples.
    pub(in crate::sample) fn profile(&self, binaries: &Binaries, lost: u64, wall_ns: u64) -> Option<Profile> {
        let records = self.records();
        let quality = Quality {
            engine: Engine::PerfEvent,
            samples: self.stacks.samples(),
            frequency: 0,
            lost,
            truncated: 0,
            cpu_ns: None,
            wall_ns,
        };
        let profile = symbolize::profile(binaries, &self.stacks, quality);
        (records > 0).then_some(Profile { records: Some(records), ..profile })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_heavy_sample_is_one_record_and_equal_ones_are_all_they_are() {
        let records = |weights: &[u64]| {
            let mut weighed = Weighed::default();
            for &weight in weights {
                weighed.add(&[CodeAddress::UNKNOWN], true, weight);
            }
            weighed.records()
        };
        assert_eq!(records(&[]), 0);
        assert_eq!(records(&[7; 40]), 40);
        assert_eq!(records(&[1, 1, 1, 1_000_000]), 1);
        assert!((18..=20).contains(&records(&[100, 130, 70, 100].repeat(5))));
    }
}
