//! Parts of the work time with their intervals, the same for the bottleneck, the owners and the causes.
//!
//! CPU time is exact; its split into user code and kernel is as fine as the samples, and each wait as the looks that showed it. What
//! computing holds of the work time (`U`) is as uncertain as all waits together. Ends of intervals are multiplied, so that the whole
//! is at least as wide as 95 %. Does not know whose the time is.

use super::time::{Amount, sees_kernel};
use super::{Part, Time};
use crate::heat::Share;
use crate::profile::{Engine, Profile};
use crate::stats::effective;

/// A value and the ends of its interval.
#[derive(Debug, Clone, Copy)]
struct Range {
    value: f64,
    low: f64,
    high: f64,
}

impl Range {
    /// All of it, for sure.
    const ALL: Self = Self { value: 1.0, low: 1.0, high: 1.0 };

    fn rest(self) -> Self {
        Self { value: 1.0 - self.value, low: 1.0 - self.high, high: 1.0 - self.low }
    }

    fn of(self, share: Share) -> Share {
        let Share { share: value, low, high, .. } = share;
        Share { share: value * self.value, low: low * self.low, high: (high * self.high).min(1.0), ..share }
    }

    fn times(self, other: Self) -> Self {
        Self { value: self.value * other.value, low: self.low * other.low, high: self.high * other.high }
    }
}

impl Time {
    /// What so many nanoseconds of waiting are of the work time, where `looks` (of equal weight) showed them: as if all of the work
    /// time had been looked at at that rate.
    pub fn waited(&self, ns: f64, looks: f64) -> Share {
        let total = self.total().max(ns);
        let records = if ns > 0.0 { looks * total / ns } else { 0.0 };
        Share::weighed(ns as u64, total as u64, records.round() as u64)
    }

    /// The same for these parts of the stacks of threads that waited, weighed by nanoseconds: of several kinds of waits together.
    pub fn waiting<'p>(&self, parts: impl IntoIterator<Item = (&'p Profile, f64)>) -> Share {
        let of = |(stacks, part): (&Profile, f64)| (stacks.samples() as f64 * part, stacks.records.unwrap_or(0) as f64 * part);
        let kinds: Vec<(f64, f64)> = parts.into_iter().map(of).collect();
        self.waited(kinds.iter().map(|(ns, _)| ns).sum(), effective(kinds.iter().copied()))
    }

    /// What a share of the CPU samples of an engine is of the work time.
    pub fn running(&self, engine: Engine, of_samples: Share) -> Share {
        let sampled = if sees_kernel(engine) { Range::ALL } else { self.in_user_code() };
        sampled.times(self.computing()).of(of_samples)
    }

    /// What a share of the kernel's time that no sample of this engine shows is of the work time.
    pub fn unsampled(&self, engine: Engine, of_kernel: Share) -> Share {
        let nothing = Range { value: 0.0, low: 0.0, high: 0.0 };
        let unsampled = if sees_kernel(engine) { nothing } else { self.in_user_code().rest() };
        unsampled.times(self.computing()).of(of_kernel)
    }

    /// Lower and upper end of a part's share.
    pub fn interval(&self, part: Part) -> (f64, f64) {
        let range = match part {
            Part::User => self.in_user_code().times(self.computing()),
            Part::Kernel => self.in_user_code().rest().times(self.computing()),
            _ => self.amount_of(self.amount(part)),
        };
        (range.low, range.high)
    }

    /// `U`.
    fn computing(&self) -> Range {
        let on_cpu = self.on_cpu();
        let waits = self.amount_of(self.waits()).rest();
        // What is exact stays so.
        Range { value: on_cpu, low: waits.low.min(on_cpu), high: waits.high.max(on_cpu) }
    }

    /// What of the CPU time is in user code.
    fn in_user_code(&self) -> Range {
        let (user, kernel) = (self.amount(Part::User).ns, self.amount(Part::Kernel).ns);
        let value = if user + kernel > 0.0 { user / (user + kernel) } else { 1.0 };
        match self.samples() {
            Some(samples) => {
                let share = Share::weighed(user as u64, (user + kernel) as u64, samples.round() as u64);
                Range { value, low: share.low.min(value), high: share.high.max(value) }
            }
            None => Range { value, low: value, high: value },
        }
    }

    /// What was seen by looks, and what no look showed, which may be less by what the account of it is wrong by.
    fn amount_of(&self, amount: Amount) -> Range {
        let total = self.total();
        if total <= 0.0 {
            return Range { value: 0.0, low: 0.0, high: 0.0 };
        }
        let seen = amount.ns - amount.unseen;
        let share =
            if seen > 0.0 { self.waited(seen, amount.looks()) } else { Share { low: 0.0, high: 0.0, ..Share::new(0, 0) } };
        let (unseen, doubt) = (amount.unseen / total, if amount.unseen > 0.0 { self.doubt() / total } else { 0.0 });
        Range { value: amount.ns / total, low: share.low + unseen, high: (share.high + unseen + doubt).min(1.0) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diagnose::{OnCpu, Work};
    use crate::sample::offcpu::{Observed, Wait, Waiting};

    const MS: u64 = 1_000_000;

    /// User code with a sample per millisecond, and waits for a file that so many looks showed.
    fn time(user: u64, kernel: u64, waited: u64, looks: u64) -> Time {
        let wait = Waiting { wait: Wait::File, what: None, idle: false, ns: waited * MS, samples: looks };
        Time::of(&Work {
            user_ns: user * MS,
            system_ns: kernel * MS,
            on_cpu: OnCpu { samples: user, sampled_ns: Some(user * MS), ..OnCpu::default() },
            observed: Observed { waits: vec![wait], ..Observed::default() },
            ..Work::default()
        })
    }

    #[test]
    fn a_wait_that_few_looks_showed_is_no_exact_part_of_anything() {
        let (few, many) = (time(500, 0, 500, 4), time(500, 0, 500, 400));
        let width = |(low, high): (f64, f64)| high - low;
        for part in [Part::User, Part::Disk] {
            assert!(width(few.interval(part)) > 0.5 && width(many.interval(part)) < 0.1, "{:?}", few.interval(part));
        }
        let half = Share { hits: 500, samples: 1000, share: 0.5, low: 0.47, high: 0.53 };
        let owner = few.running(Engine::PerfEvent, half);
        assert!((owner.share - 0.25).abs() < 1e-9 && owner.low < 0.11 && owner.high > 0.4, "{owner:?}");
        assert_eq!(few.interval(Part::Disk).0.to_bits(), few.waited(500.0 * MS as f64, 4.0).low.to_bits());
    }

    #[test]
    fn what_nobody_waits_for_leaves_no_doubt() {
        let computes = time(1000, 0, 0, 0);
        let all = computes.running(Engine::PerfEvent, Share::new(1000, 1000));
        assert!(all.low > 0.99 && (all.high - 1.0).abs() < 1e-9, "{all:?}");
        let kernel = time(100, 900, 0, 0).unsampled(Engine::PerfEvent, Share::new(5, 5));
        assert!((kernel.share - 0.9).abs() < 1e-9 && kernel.high < 1.0, "{kernel:?}");
        assert!(time(100, 900, 0, 0).unsampled(Engine::PprofAgent, Share::new(5, 5)).high <= 0.0);
    }

    proptest! {
        #[test]
        fn shares_lie_in_their_intervals(user in 0u64..3000, kernel in 0u64..3000, waited in 0u64..3000, looks in 1u64..900, hits in 0u64..99) {
            let time = time(user, kernel, waited, looks);
            for (part, share) in time.shares() {
                let (low, high) = time.interval(part);
                prop_assert!(low <= share + 1e-9 && share <= high + 1e-9 && low >= 0.0 && high <= 1.0, "{part:?} {share} {low} {high}");
            }
            for engine in [Engine::PerfEvent, Engine::PprofAgent] {
                let share = time.running(engine, Share::new(hits, 99));
                prop_assert!(share.low <= share.share + 1e-9 && share.share <= share.high + 1e-9, "{share:?}");
            }
        }
    }
}
