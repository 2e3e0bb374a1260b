//! Counts an event of a whole process, its threads and children included, by `perf_event_open` without samples.
//!
//! From `exec` to its end, in user mode only, as `perf stat -e instructions:u` does. A counter that the kernel had to share with
//! others gives no count: what it did not see would be estimated.

use std::cell::RefCell;
use std::io::Read;

use perf_event_open_sys::bindings;

use super::attr;
use crate::process::{Finished, Launch, Limits, run_gated};
use crate::sample::counter::{CountError, Event};

fn attributes(event: Event) -> bindings::perf_event_attr {
    let (type_, config) = match event {
        Event::Instructions => (bindings::PERF_TYPE_HARDWARE, bindings::PERF_COUNT_HW_INSTRUCTIONS),
        #[cfg(test)]
        Event::PageFaults => (bindings::PERF_TYPE_SOFTWARE, bindings::PERF_COUNT_SW_PAGE_FAULTS),
    };
    let mut attr = bindings::perf_event_attr {
        type_,
        size: size_of::<bindings::perf_event_attr>() as u32,
        config: u64::from(config),
        read_format: u64::from(bindings::PERF_FORMAT_TOTAL_TIME_ENABLED | bindings::PERF_FORMAT_TOTAL_TIME_RUNNING),
        ..Default::default()
    };
    attr.set_disabled(1);
    attr.set_enable_on_exec(1);
    attr.set_inherit(1);
    attr.set_exclude_kernel(1);
    attr.set_exclude_hv(1);
    attr
}

pub(in crate::sample) fn probe(event: Event) -> Result<(), CountError> {
    attr::open(&mut attributes(event), 0, -1).map(drop).map_err(CountError::Refused)
}

pub(in crate::sample) fn run_counted(launch: &Launch, limits: &Limits, event: Event) -> Result<(Finished, u64), CountError> {
    let opened = RefCell::new(None);
    let attach = |pid: u32| {
        let pid = i32::try_from(pid).unwrap_or(i32::MAX);
        *opened.borrow_mut() = Some(attr::open(&mut attributes(event), pid, -1));
    };
    let finished = run_gated(launch, limits, |gated| attach(gated.pid), |_last| {})?;
    let gone = || std::io::Error::from_raw_os_error(libc::ESRCH);
    let counter = opened.into_inner().unwrap_or_else(|| Err(gone())).map_err(CountError::Refused)?;
    let mut bytes = [0_u8; 24];
    std::fs::File::from(counter).read_exact(&mut bytes).map_err(CountError::Unread)?;
    Ok((finished, count(&bytes)?))
}

/// The value, unless the counter was not always on: it is followed by the times enabled and running.
fn count(bytes: &[u8; 24]) -> Result<u64, CountError> {
    let mut words = bytes.chunks_exact(8).map(|word| word.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)));
    let mut next = || words.next().unwrap_or(0);
    let (value, enabled, running) = (next(), next(), next());
    if enabled == 0 || running < enabled { Err(CountError::Shared) } else { Ok(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_that_was_not_always_on_gives_no_count() {
        let bytes = |words: [u64; 3]| -> [u8; 24] {
            let mut bytes = [0; 24];
            for (slot, word) in bytes.chunks_exact_mut(8).zip(words) {
                slot.copy_from_slice(&word.to_le_bytes());
            }
            bytes
        };
        assert_eq!(count(&bytes([1 << 40 | 3, 500, 500])).unwrap(), 1 << 40 | 3);
        assert!(matches!(count(&bytes([7, 500, 499])), Err(CountError::Shared)));
        assert!(matches!(count(&bytes([0, 0, 0])), Err(CountError::Shared)));
    }
}
