//! Changes the rate of running events a little, again and again, so that no program runs in step with them.
//!
//! A program whose loop takes as long as the kernel's period, or a simple fraction of it, would be sampled at the same few points
//! of the loop for as long as it runs. The rate of threads that live already stays as it is (`PERF_EVENT_IOC_PERIOD` reaches the
//! event of the first thread); threads do not keep step with each other.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

use perf_event_open_sys::bindings;

/// How far the period moves to either side. The mean stays what was asked for.
const SWING: f64 = 0.15;
/// Each change restarts the period that has begun, which costs half a sample: one in two hundred at 999 Hz.
const EVERY: Duration = Duration::from_millis(100);
/// Multiples of it fill the unit interval evenly, however many there are (Weyl; the golden ratio without its one).
const GOLDEN: f64 = 0.618_033_988_749_895;

/// When the period changes next, and to what.
#[derive(Debug)]
pub(super) struct Jitter {
    period: f64,
    changes: u32,
    next: Instant,
}

impl Jitter {
    /// Around this rate, samples per second.
    pub(super) fn around(frequency: u64) -> Self {
        Self { period: 1e9 / frequency.max(1) as f64, changes: 0, next: Instant::now() + EVERY }
    }

    /// Changes the period of all these events when it is time. An event that keeps its period still samples.
    pub(super) fn tick<'e>(&mut self, events: impl Iterator<Item = BorrowedFd<'e>>) {
        if Instant::now() < self.next {
            return;
        }
        self.next = Instant::now() + EVERY;
        let period = self.next_period();
        for event in events {
            let _as_before = set_period(event, period);
        }
    }

    /// Nanoseconds.
    fn next_period(&mut self) -> u64 {
        self.changes = self.changes.wrapping_add(1);
        let place = (f64::from(self.changes) * GOLDEN).fract();
        (self.period * (1.0 + SWING * (2.0 * place - 1.0))) as u64
    }
}

/// Sets the period of an event that was opened with one; nanoseconds for a clock.
fn set_period(event: BorrowedFd<'_>, period: u64) -> std::io::Result<()> {
    #[expect(unsafe_code, reason = "there is no safe binding of this request")]
    // SAFETY: the request reads one u64, which lives through the call, and changes nothing but the event.
    let done = unsafe { libc::ioctl(event.as_raw_fd(), u64::from(bindings::PERIOD) as _, &raw const period) };
    if done < 0 { Err(std::io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::super::attr;
    use super::*;
    use crate::sample::SampleOptions;

    #[test]
    fn periods_differ_and_keep_their_mean() {
        let mut jitter = Jitter::around(999);
        let periods: Vec<f64> = (0..20).map(|_| jitter.next_period() as f64).collect();
        let mean = periods.iter().sum::<f64>() / 20.0;
        assert!((mean / 1_001_001.0 - 1.0).abs() < 0.01, "{mean}");
        assert!(periods.windows(2).all(|pair| (pair[0] / pair[1] - 1.0).abs() > 0.02), "{periods:?}");
    }

    #[test]
    fn the_kernel_takes_a_new_period() {
        // Where it refuses to sample, there is nothing to change.
        let Ok(event) = attr::open(&mut attr::attributes(&SampleOptions::default()), 0, -1) else { return };
        set_period(event.as_fd(), 900_000).unwrap();
        assert!(set_period(event.as_fd(), 0).is_err(), "a period of nothing is none");
    }
}
