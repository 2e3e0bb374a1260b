//! What a system call waits for, from its number and arguments.
//!
//! Numbers are those of the machine that this was built for. A descriptor's own kind is found elsewhere (`ends`).

use super::Wait;

/// What a blocked call says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// It is this.
    Wait(Wait),
    /// Whatever the descriptor is.
    Descriptor(u64),
    /// Data of this descriptor on its way to the disk.
    Durability(Option<u64>),
    /// `poll` of one descriptor, which is written at this address: the same as waiting for that one.
    PollOne(u64),
    /// The end of the thread with this id.
    Join,
    /// A word that may be a lock: one if the same thread waits for it more than once ([`super::account`]).
    MaybeLock(u64),
}

/// `FUTEX_CMD_MASK` takes the private and clock flags away (`linux/futex.h`).
const FUTEX_COMMAND: u64 = 0x7f;
const FUTEX_WAIT: u64 = 0;
const FUTEX_LOCK_PI: u64 = 6;
const FUTEX_WAIT_BITSET: u64 = 9;

/// The value of a mutex that is held and waited for: std's futex mutex (`library/std/src/sys/sync/mutex/futex.rs`, `CONTENDED`)
/// and glibc's (`lowlevellock.h`).
const CONTENDED: u32 = 2;

/// std's reader–writer lock with readers waiting (`library/std/src/sys/sync/rwlock/futex.rs`, `READERS_WAITING`).
const READERS_WAITING: u32 = 1 << 30;

/// A parked thread of std (`thread_parking/futex.rs`, `PARKED`).
const PARKED: u32 = u32::MAX;

/// Classifies a blocked call of thread `is_thread` knows about.
pub(super) fn classify(number: i64, arguments: &[u64; 6], is_thread: impl Fn(u64) -> bool) -> Call {
    let [first, second, third, fourth, ..] = *arguments;
    match number {
        libc::SYS_futex => futex(first, second, third, fourth, is_thread),
        libc::SYS_ppoll if second == 1 => Call::PollOne(first),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll if second == 1 => Call::PollOne(first),
        libc::SYS_clone if first & CLONE_VFORK != 0 => Call::Wait(Wait::Child),
        libc::SYS_sync => Call::Durability(None),
        libc::SYS_msync => Call::Durability(None),
        number if DURABILITY.contains(&number) => Call::Durability(Some(first)),
        number if DESCRIPTOR.contains(&number) => Call::Descriptor(first),
        number => Call::Wait(plain(number)),
    }
}

fn futex(word: u64, operation: u64, expected: u64, timeout: u64, is_thread: impl Fn(u64) -> bool) -> Call {
    let expected = expected as u32;
    match operation & FUTEX_COMMAND {
        FUTEX_LOCK_PI => Call::Wait(Wait::Lock),
        // pthread_join waits for the kernel to clear the id of the thread (`CLONE_CHILD_CLEARTID`).
        FUTEX_WAIT | FUTEX_WAIT_BITSET if is_thread(expected.into()) => Call::Join,
        FUTEX_WAIT | FUTEX_WAIT_BITSET if expected != PARKED && expected & READERS_WAITING != 0 => Call::Wait(Wait::Lock),
        // A condition may count to 2 as well, but each waking moves it on, and a wait with a timeout is none for a lock.
        FUTEX_WAIT | FUTEX_WAIT_BITSET if expected == CONTENDED && timeout == 0 => Call::MaybeLock(word),
        _ => Call::Wait(Wait::Parked),
    }
}

/// The parent stands until the child executes its program (`posix_spawn`; `linux/sched.h`). Flags of `clone3` lie in memory; nothing
/// else makes it wait.
const CLONE_VFORK: u64 = 0x4000;

const DURABILITY: [i64; 4] = [libc::SYS_fsync, libc::SYS_fdatasync, libc::SYS_sync_file_range, libc::SYS_syncfs];

/// Calls whose first argument is what they wait for.
const DESCRIPTOR: [i64; 22] = [
    libc::SYS_read,
    libc::SYS_pread64,
    libc::SYS_readv,
    libc::SYS_preadv,
    libc::SYS_preadv2,
    libc::SYS_write,
    libc::SYS_pwrite64,
    libc::SYS_writev,
    libc::SYS_pwritev,
    libc::SYS_pwritev2,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_recvmmsg,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_sendmmsg,
    libc::SYS_connect,
    libc::SYS_splice,
    libc::SYS_sendfile,
    libc::SYS_getdents64,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
];

fn plain(number: i64) -> Wait {
    match number {
        libc::SYS_nanosleep | libc::SYS_clock_nanosleep => Wait::Sleep,
        libc::SYS_wait4 | libc::SYS_waitid | libc::SYS_clone3 => Wait::Child,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_vfork => Wait::Child,
        libc::SYS_flock => Wait::Lock,
        libc::SYS_mmap | libc::SYS_munmap | libc::SYS_mremap | libc::SYS_mprotect | libc::SYS_madvise | libc::SYS_brk => {
            Wait::Memory
        }
        number if FILES.contains(&number) => Wait::File,
        number if EVENTS.contains(&number) => Wait::Event,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_open | libc::SYS_stat | libc::SYS_lstat | libc::SYS_unlink | libc::SYS_rename | libc::SYS_mkdir => Wait::File,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll | libc::SYS_select | libc::SYS_epoll_wait | libc::SYS_pause => Wait::Event,
        _ => Wait::Other,
    }
}

/// Calls about names in a file system.
const FILES: [i64; 9] = [
    libc::SYS_openat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_fstat,
    libc::SYS_unlinkat,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_mkdirat,
    libc::SYS_copy_file_range,
];

/// Calls that wait for whatever comes.
const EVENTS: [i64; 10] = [
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_rt_sigsuspend,
    libc::SYS_io_getevents,
    libc::SYS_io_uring_enter,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn call(number: i64, arguments: [u64; 6]) -> Call {
        classify(number, &arguments, |id| id == 4711)
    }

    #[test]
    fn futexes_are_told_apart_by_the_value_they_wait_on() {
        let futex = |operation, expected, timeout| call(libc::SYS_futex, [0x10, operation, expected, timeout, 0, 0]);
        assert_eq!(futex(137, 2, 0), Call::MaybeLock(0x10), "std's mutex");
        assert_eq!(futex(128, 2, 0), Call::MaybeLock(0x10), "glibc's mutex");
        assert_eq!(futex(137, 2, 0x7fff), Call::Wait(Wait::Parked), "a condition with a timeout");
        assert_eq!(futex(137, 7, 0), Call::Wait(Wait::Parked), "a condition");
        assert_eq!(futex(137, 0xffff_ffff, 0), Call::Wait(Wait::Parked), "a parked thread");
        assert_eq!(futex(137, 0x4000_0001, 0), Call::Wait(Wait::Lock), "readers of a lock");
        assert_eq!(futex(265, 4711, 0), Call::Join, "pthread_join");
        assert_eq!(futex(6, 0, 0), Call::Wait(Wait::Lock), "a priority-inheriting mutex");
    }

    #[test]
    fn calls_of_every_kind() {
        let all = [
            (libc::SYS_read, Call::Descriptor(3)),
            (libc::SYS_recvfrom, Call::Descriptor(3)),
            (libc::SYS_fsync, Call::Durability(Some(3))),
            (libc::SYS_clock_nanosleep, Call::Wait(Wait::Sleep)),
            (libc::SYS_wait4, Call::Wait(Wait::Child)),
            (libc::SYS_clone3, Call::Wait(Wait::Child)),
            (libc::SYS_accept4, Call::Wait(Wait::Event)),
            (libc::SYS_openat, Call::Wait(Wait::File)),
            (libc::SYS_munmap, Call::Wait(Wait::Memory)),
            (libc::SYS_getpid, Call::Wait(Wait::Other)),
        ];
        for (number, expected) in all {
            assert_eq!(call(number, [3, 0, 0, 0, 0, 0]), expected, "{number}");
        }
        assert_eq!(call(libc::SYS_clone, [0x4111, 0, 0, 0, 0, 0]), Call::Wait(Wait::Child), "posix_spawn");
        assert_eq!(call(libc::SYS_clone, [0x11, 0, 0, 0, 0, 0]), Call::Wait(Wait::Other), "fork");
        assert_eq!(call(libc::SYS_ppoll, [0x99, 1, 0, 0, 0, 0]), Call::PollOne(0x99));
        assert_eq!(call(libc::SYS_ppoll, [0x99, 2, 0, 0, 0, 0]), Call::Wait(Wait::Event));
    }
}
