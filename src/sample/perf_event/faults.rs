//! Page faults by stack: a second event beside the CPU clock on the same run, into the same ring.
//!
//! Counts faults in user mode; those that the kernel meets while it copies for the program have no sample. Does not say how many
//! there were in all (the kernel's account of the process does).

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use perf_event_open_sys::{bindings, ioctls};

use super::attr;
use crate::sample::SampleOptions;

/// Faults per sample at 999 Hz. Fixed, as the kernel never finds back from the period that a burst of faults lets it choose where it
/// is to choose one itself; a prime, as programs touch pages by powers of two. A program that does nothing but fault (some 10⁶ a
/// second) is copied two thousand stacks of, and 60 000 faults per CPU second still have a hundred.
const PERIOD: u64 = 509;
/// No denser than this, whatever the rate of the clock.
const DENSEST: u64 = 150;
/// Bytes of a stack: owners are near the leaf.
const STACK: u32 = 8 << 10;

/// Faults per sample. It follows the rate of the clock, which differs from run to run of a short program: each run is then sampled at
/// other faults.
pub(super) fn period(options: &SampleOptions) -> u64 {
    let rate = SampleOptions::default().frequency as f64 / options.frequency.max(1) as f64;
    ((PERIOD as f64 * rate).round() as u64).clamp(DENSEST, PERIOD * 10)
}

fn attributes(options: &SampleOptions) -> bindings::perf_event_attr {
    let mut attr = attr::attributes(&SampleOptions { stack_bytes: options.stack_bytes.min(STACK), ..*options });
    attr.config = u64::from(bindings::PERF_COUNT_SW_PAGE_FAULTS);
    attr.sample_period = period(options);
    // The first event tells what is mapped and which tasks there are.
    attr.set_mmap(0);
    attr.set_mmap2(0);
    attr.set_comm(0);
    attr.set_comm_exec(0);
    attr.set_task(0);
    attr
}

/// Opens the event on one CPU and lets it write into the ring of `clock`, which lies on the same CPU. The number tells its samples.
pub(super) fn beside(clock: BorrowedFd<'_>, options: &SampleOptions, pid: i32, cpu: i32) -> std::io::Result<(OwnedFd, u64)> {
    let event = attr::open(&mut attributes(options), pid, cpu)?;
    let mut id = 0;
    #[expect(unsafe_code, reason = "there is no safe binding of these calls")]
    // SAFETY: both descriptors are perf events that live across the calls, and `id` is a word that the kernel fills.
    let failed =
        unsafe { ioctls::SET_OUTPUT(event.as_raw_fd(), clock.as_raw_fd()) < 0 || ioctls::ID(event.as_raw_fd(), &raw mut id) < 0 };
    if failed { Err(std::io::Error::last_os_error()) } else { Ok((event, id)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_period_follows_the_clock_within_bounds() {
        let at = |frequency| period(&SampleOptions { frequency, ..SampleOptions::default() });
        assert_eq!((at(999), at(1998), at(u64::MAX), at(0)), (509, 255, DENSEST, PERIOD * 10));
    }
}
