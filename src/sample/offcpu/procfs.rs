//! What the kernel's files about a task say (proc(5)). Pure: text in, values out; what cannot be read is `None`, never 0.

use super::Transfers;
use crate::process::memory_of_status;

/// `/proc/PID/task/TID/syscall`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// On a processor, or ready to be.
    Running,
    /// Blocked outside of any system call: a page fault.
    Faulting { place: Place },
    /// Blocked in this call with these arguments.
    Blocked { number: i64, arguments: [u64; 6], place: Place },
}

/// Where a blocked thread is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place {
    /// Program counter.
    pub(super) pc: u64,
    /// Stack pointer.
    pub(super) sp: u64,
}

impl State {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let first = words.next()?;
        let mut hex = || u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok();
        match first {
            "running" => Some(Self::Running),
            "-1" => {
                let place = Place { sp: hex()?, pc: hex()? };
                // Without a stack pointer it has ended and waits to be reaped.
                (place.sp != 0).then_some(Self::Faulting { place })
            }
            number => {
                let mut arguments = [0; 6];
                for argument in &mut arguments {
                    *argument = hex()?;
                }
                let place = Place { sp: hex()?, pc: hex()? };
                Some(Self::Blocked { number: number.parse().ok()?, arguments, place })
            }
        }
    }
}

/// `/proc/PID/task/TID/schedstat` (Documentation/scheduler/sched-stats.rst).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Schedule {
    /// Nanoseconds on a processor.
    pub(super) cpu: u64,
    /// Nanoseconds ready to run without one.
    pub(super) delay: u64,
    /// Times that it was put on one: a thread with the same number has not run since.
    pub(super) slices: u64,
}

impl Schedule {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split_whitespace().map(|word| word.parse().ok());
        Some(Self { cpu: numbers.next()??, delay: numbers.next()??, slices: numbers.next()?? })
    }
}

/// `/proc/PID/io`.
pub(super) fn transfers(text: &str) -> Option<Transfers> {
    let number = |name| field(text, name)?.parse::<u64>().ok();
    Some(Transfers {
        reads: number("syscr")?,
        writes: number("syscw")?,
        bytes: number("rchar")? + number("wchar")?,
        written: number("wchar"),
        disk_bytes: number("read_bytes")? + number("write_bytes")?,
    })
}

/// `VmSwap` of `/proc/PID/status`, bytes.
pub(super) fn swapped(status: &str) -> Option<u64> {
    memory_of_status(status, "VmSwap")
}

/// `RssAnon` of `/proc/PID/status`, bytes.
pub(super) fn anonymous(status: &str) -> Option<u64> {
    memory_of_status(status, "RssAnon")
}

/// Page faults without I/O of a process and of the children that it reaped, from `/proc/PID/stat`; its second word may hold anything.
pub(super) fn minor_faults(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut words = rest.split(' ').skip(7).map(|word| word.parse::<u64>().ok());
    Some(words.next()?? + words.next()??)
}

fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// One line of `/proc/PID/net/tcp` or `tcp6`: local and remote address as the kernel writes them, and the inode.
pub(super) fn connection(line: &str) -> Option<(&str, &str, u64)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    Some((words.get(1)?, words.get(2)?, words.get(9)?.parse().ok()?))
}

/// `0100007F:1538` as `127.0.0.1:5432`; an IPv6 address in brackets, one that maps an IPv4 address as that.
pub(super) fn address(kernel: &str) -> Option<String> {
    let (host, port) = kernel.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let words: Vec<u32> = host
        .as_bytes()
        .chunks(8)
        .map(|digits| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok())
        .collect::<Option<_>>()?;
    // Each word is in the machine's byte order; the bytes themselves are in the network's.
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    if let Ok(four) = <[u8; 4]>::try_from(bytes.as_slice()) {
        return Some(format!("{}:{port}", std::net::Ipv4Addr::from(four)));
    }
    let six = std::net::Ipv6Addr::from(<[u8; 16]>::try_from(bytes.as_slice()).ok()?);
    Some(six.to_ipv4_mapped().map_or_else(|| format!("[{six}]:{port}"), |four| format!("{four}:{port}")))
}

/// One line of `/proc/PID/net/unix`: inode and, where the socket has one, path.
pub(super) fn unix_socket(line: &str) -> Option<(u64, Option<&str>)> {
    let mut words = line.split_whitespace().skip(6);
    Some((words.next()?.parse().ok()?, words.next()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_states_of_a_thread() {
        assert_eq!(State::parse("running\n"), Some(State::Running));
        assert_eq!(State::parse("-1 0x7ffc1 0x7f02\n"), Some(State::Faulting { place: Place { sp: 0x7ffc1, pc: 0x7f02 } }));
        let futex = "202 0x7f1c 0x80 0x2 0x0 0x0 0xffffffff 0x7ffd 0x7f1d\n";
        let arguments = [0x7f1c, 0x80, 2, 0, 0, 0xffff_ffff];
        let place = Place { sp: 0x7ffd, pc: 0x7f1d };
        assert_eq!(State::parse(futex), Some(State::Blocked { number: 202, arguments, place }));
        for nonsense in ["", "x", "-1 0x0 0x0", "202", "202 0x1 0x2", "202 1 2 3 4 5 6", "202 0x1 0x2 0x3 0x4 0x5 0x6 0x7"] {
            assert_eq!(State::parse(nonsense), None, "{nonsense:?}");
        }
    }

    #[test]
    fn counters_are_read_and_what_is_missing_is_unknown() {
        assert_eq!(Schedule::parse("5 6 7\n"), Some(Schedule { cpu: 5, delay: 6, slices: 7 }));
        assert_eq!(Schedule::parse("5 6"), None);
        let io = "rchar: 10\nwchar: 20\nsyscr: 3\nsyscw: 4\nread_bytes: 4096\nwrite_bytes: 1\ncancelled_write_bytes: 0\n";
        assert_eq!(transfers(io), Some(Transfers { reads: 3, writes: 4, bytes: 30, written: Some(20), disk_bytes: 4097 }));
        assert_eq!(transfers("rchar: 10\n"), None);
        assert_eq!(swapped("VmRSS:\t  12 kB\nVmSwap:\t   8 kB\n"), Some(8192));
        assert_eq!(swapped("VmRSS:\t  12 kB\n"), None);
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194560 120 30 0 0 5 2\n";
        assert_eq!((minor_faults(stat), minor_faults("7 (a) S 1 7")), (Some(150), None));
        assert_eq!(anonymous("RssAnon:\t   4 kB\n"), Some(4096));
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn addresses_of_connections() {
        let line =
            "   0: 0100007F:9C40 0100007F:1538 01 00000000:00000000 00:00000000 00000000  1000        0 77 1 0 20 4 30 10 -1";
        assert_eq!(connection(line), Some(("0100007F:9C40", "0100007F:1538", 77)));
        assert_eq!(address("0100007F:1538").as_deref(), Some("127.0.0.1:5432"));
        assert_eq!(address("0000000000000000FFFF00000100007F:18EB").as_deref(), Some("127.0.0.1:6379"));
        assert_eq!(address("00000000000000000000000001000000:0050").as_deref(), Some("[::1]:80"));
        assert_eq!((address("xyz"), address("01:0g"), connection("sl local")), (None, None, None));
        let line = "0000000000000000: 00000003 00000000 00000000 0001 03 4242 /run/postgresql/.s.PGSQL.5432";
        assert_eq!(unix_socket(line), Some((4242, Some("/run/postgresql/.s.PGSQL.5432"))));
    }
}
