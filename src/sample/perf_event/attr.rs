//! What is asked of `perf_event_open(2)`, and how its records are to be read.

use std::os::fd::{FromRawFd, OwnedFd};

use linux_perf_event_reader::{BranchSampleFormat, Endianness, ReadFormat, RecordIdParseInfo, RecordParseInfo, SampleFormat};
use perf_event_open_sys::{bindings, perf_event_open};

use super::arch::REGISTERS;
use crate::sample::SampleOptions;

/// Makes opening fail with the named error number, so that tests see what users on locked-down machines see.
const SIMULATE_REFUSAL: &str = "PERF_EXPERT_SIMULATE_REFUSAL";

/// Without the period: where it is asked for, a software event with a fixed one writes a sample for each event (`perf_swevent_event` in
/// the kernel's `kernel/events/core.c`).
const SAMPLE_FORMAT: SampleFormat = SampleFormat::IDENTIFIER
    .union(SampleFormat::IP)
    .union(SampleFormat::TID)
    .union(SampleFormat::TIME)
    .union(SampleFormat::CPU)
    .union(SampleFormat::REGS_USER)
    .union(SampleFormat::STACK_USER);

/// The attributes that work unprivileged: user mode only, from `exec` on, inherited by threads and child processes.
pub(super) fn attributes(options: &SampleOptions) -> bindings::perf_event_attr {
    let mut attr = bindings::perf_event_attr {
        type_: bindings::PERF_TYPE_SOFTWARE,
        size: size_of::<bindings::perf_event_attr>() as u32,
        config: u64::from(bindings::PERF_COUNT_SW_CPU_CLOCK),
        sample_type: SAMPLE_FORMAT.bits(),
        sample_regs_user: REGISTERS,
        sample_stack_user: options.stack_bytes,
        clockid: libc::CLOCK_MONOTONIC,
        ..Default::default()
    };
    // A period and not a rate: the kernel turns a clock's rate into one at once, and what it is turned into later is a period.
    attr.sample_period = 1_000_000_000 / options.frequency.max(1);
    attr.set_disabled(1);
    attr.set_enable_on_exec(1);
    attr.set_inherit(1);
    attr.set_exclude_kernel(1);
    attr.set_exclude_hv(1);
    attr.set_mmap(1);
    attr.set_mmap2(1);
    attr.set_comm(1);
    attr.set_comm_exec(1);
    attr.set_task(1);
    attr.set_sample_id_all(1);
    attr.set_use_clockid(1);
    attr
}

/// How the records of [`attributes`] are laid out: offsets count the `sample_id` fields around the timestamp.
pub(super) fn parse_info() -> RecordParseInfo {
    RecordParseInfo {
        endian: if cfg!(target_endian = "little") { Endianness::LittleEndian } else { Endianness::BigEndian },
        sample_format: SAMPLE_FORMAT,
        branch_sample_format: BranchSampleFormat::empty(),
        read_format: ReadFormat::empty(),
        // pid and tid, time, cpu, identifier.
        common_data_offset_from_end: Some(32),
        sample_regs_user: REGISTERS,
        user_regs_count: REGISTERS.count_ones() as u8,
        sample_regs_intr: 0,
        intr_regs_count: 0,
        id_parse_info: RecordIdParseInfo {
            nonsample_record_id_offset_from_end: Some(8),
            sample_record_id_offset_from_start: Some(0),
        },
        // time, cpu, identifier.
        nonsample_record_time_offset_from_end: Some(24),
        // After identifier, ip, pid and tid.
        sample_record_time_offset_from_start: Some(24),
    }
}

/// Opens one event; `pid` 0 is this process, `cpu` −1 any CPU (then without inheritance, which the kernel ties to one).
pub(super) fn open(attr: &mut bindings::perf_event_attr, pid: i32, cpu: i32) -> std::io::Result<OwnedFd> {
    if let Some(errno) = simulated_refusal() {
        return Err(std::io::Error::from_raw_os_error(errno));
    }
    let flags = u64::from(bindings::PERF_FLAG_FD_CLOEXEC);
    #[expect(unsafe_code, reason = "there is no safe binding of this system call")]
    // SAFETY: `attr` is an initialized perf_event_attr of the size that it states, and the call keeps no pointer to it;
    // a non-negative result is a new descriptor that nobody else owns.
    unsafe {
        let fd = perf_event_open(attr, pid, cpu, -1, flags);
        if fd < 0 { Err(std::io::Error::last_os_error()) } else { Ok(OwnedFd::from_raw_fd(fd)) }
    }
}

fn simulated_refusal() -> Option<i32> {
    match std::env::var(SIMULATE_REFUSAL).ok()?.as_str() {
        "EACCES" => Some(libc::EACCES),
        "EPERM" => Some(libc::EPERM),
        "ENOSYS" => Some(libc::ENOSYS),
        "EMFILE" => Some(libc::EMFILE),
        _ => None,
    }
}

/// The options within what the kernel allows: it refuses a rate above `kernel.perf_event_max_sample_rate`, which it
/// lowers by itself on slow machines.
pub(super) fn permitted(options: &SampleOptions) -> SampleOptions {
    let limit = std::fs::read_to_string("/proc/sys/kernel/perf_event_max_sample_rate").ok();
    let limit = limit.and_then(|text| text.trim().parse().ok()).unwrap_or(u64::MAX);
    SampleOptions {
        frequency: options.frequency.min(limit).max(1),
        stack_bytes: options.stack_bytes.min(SampleOptions::MAX_STACK) & !7,
    }
}

/// The CPUs to open events on. Those that are offline are refused one by one, so too many do no harm.
pub(super) fn online_cpus() -> Vec<i32> {
    let listed = std::fs::read_to_string("/sys/devices/system/cpu/online").ok().and_then(|list| parse_cpus(&list));
    listed.unwrap_or_else(|| {
        let count = std::thread::available_parallelism().map_or(1, usize::from);
        (0..).take(count).collect()
    })
}

/// Reads the kernel's list format, `0-3,8,10-11`.
fn parse_cpus(list: &str) -> Option<Vec<i32>> {
    let mut cpus = Vec::new();
    for part in list.trim().split(',') {
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        cpus.extend(low.parse::<i32>().ok()?..=high.parse().ok()?);
    }
    (!cpus.is_empty()).then_some(cpus)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_lists_are_read_as_the_kernel_writes_them() {
        assert_eq!(parse_cpus("0-2,8\n"), Some(vec![0, 1, 2, 8]));
        assert_eq!(parse_cpus("0"), Some(vec![0]));
        assert_eq!(parse_cpus(""), None);
        assert_eq!(parse_cpus("a-b"), None);
    }

    #[test]
    fn options_stay_within_what_the_kernel_accepts() {
        let wild = permitted(&SampleOptions { frequency: u64::MAX, stack_bytes: u32::MAX });
        assert!(wild.stack_bytes == SampleOptions::MAX_STACK && wild.frequency >= 1);
        assert_eq!(permitted(&SampleOptions { frequency: 0, stack_bytes: 1001 }).stack_bytes, 1000);
    }
}
