//! What a descriptor of another process is: a file, a pipe, a socket and its peer. The kernel's links and tables say so.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::time::{Duration, Instant};

use super::Wait;
use super::procfs::{address, connection, unix_socket};

/// What descriptors of the watched processes are, as far as they were asked for.
pub(super) struct Ends {
    /// Pipes and sockets, by process and link (`socket:[4711]`).
    known: HashMap<(u32, String), Named>,
    begun: Instant,
    spent: Duration,
}

type Named = (Wait, Option<String>);

/// A workload that opens a connection per request must not make this grow with it.
const MOST_KNOWN: usize = 4096;

/// Looking for peers in the kernel's tables may take this long at once, and this part of the time in the long run. A program with
/// a new connection per request has sockets without names then.
const ALLOWANCE: Duration = Duration::from_millis(50);
const PART: u32 = 50;

impl Ends {
    pub(super) fn new() -> Self {
        Self { known: HashMap::new(), begun: Instant::now(), spent: Duration::ZERO }
    }

    /// What looking for peers has taken.
    pub(super) fn spent(&self) -> Duration {
        self.spent
    }

    /// What descriptor `fd` of `pid` is; `processes` are all of the workload. `None` where it is gone.
    pub(super) fn name(&mut self, pid: u32, fd: u64, processes: &[u32]) -> Option<Named> {
        let path = format!("/proc/{pid}/fd/{fd}");
        let link = fs::read_link(&path).ok()?.to_string_lossy().into_owned();
        if link.starts_with('/') {
            return Some(file(&path, link));
        }
        let key = (pid, link);
        if let Some(named) = self.known.get(&key) {
            return Some(named.clone());
        }
        if self.spent > ALLOWANCE + self.begun.elapsed() / PART {
            return Some((plain(&key.1), None));
        }
        let asked = Instant::now();
        let named = special(pid, &key.1, processes);
        self.spent += asked.elapsed();
        if self.known.len() >= MOST_KNOWN {
            self.known.clear();
        }
        self.known.insert(key, named.clone());
        Some(named)
    }
}

fn file(path: &str, link: String) -> Named {
    // Through the link: the file itself, even when its name is gone.
    let kind = fs::metadata(path).map(|file| file.file_type());
    let wait = match kind {
        Ok(kind) if kind.is_fifo() => Wait::Pipe,
        Ok(kind) if kind.is_char_device() => Wait::Device,
        _ => Wait::File,
    };
    (wait, Some(link))
}

/// What a link alone tells.
fn plain(link: &str) -> Wait {
    match link {
        link if link.starts_with("pipe:[") => Wait::Pipe,
        link if link.starts_with("socket:[") => Wait::Socket,
        // eventfd, inotify, timerfd, signalfd: somebody will say something.
        _ => Wait::Event,
    }
}

fn special(pid: u32, link: &str, processes: &[u32]) -> Named {
    match plain(link) {
        Wait::Pipe if both_ends(link, processes) => (Wait::HandOff, None),
        Wait::Socket => {
            let inode = link.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']')?.parse().ok());
            inode.map_or((Wait::Socket, None), |inode| socket(pid, inode, processes))
        }
        Wait::Event => (Wait::Event, Some(link.to_owned())),
        wait => (wait, None),
    }
}

fn socket(pid: u32, inode: u64, processes: &[u32]) -> Named {
    let tables = ["tcp", "tcp6"].map(|table| fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default());
    let connections = || tables.iter().flat_map(|text| text.lines()).filter_map(connection);
    if let Some((local, remote, _)) = connections().find(|(_, _, number)| *number == inode) {
        let (local, remote) = (address(local), address(remote));
        if remote.as_ref().is_some_and(|remote| remote.ends_with(":0")) {
            // It listens.
            return (Wait::Event, local);
        }
        // The other end may be on this machine, and the workload's own.
        let mirrored =
            |&(its, other, number): &(&str, &str, u64)| number != 0 && address(its) == remote && address(other) == local;
        let inside = connections().find(mirrored).is_some_and(|(_, _, other)| holds(&format!("socket:[{other}]"), processes));
        return (if inside { Wait::HandOff } else { Wait::Socket }, remote);
    }
    let text = fs::read_to_string(format!("/proc/{pid}/net/unix")).unwrap_or_default();
    let found = text.lines().filter_map(unix_socket).find(|(number, _)| *number == inode);
    (Wait::Socket, found.map(|(_, path)| path.map_or_else(|| "a Unix socket".to_owned(), str::to_owned)))
}

/// Every descriptor of these processes with this link.
fn holders<'a>(link: &'a str, processes: &'a [u32]) -> impl Iterator<Item = (u32, String)> + 'a {
    processes.iter().flat_map(move |&pid| {
        let entries = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        let same = move |entry: &fs::DirEntry| fs::read_link(entry.path()).is_ok_and(|target| target.as_os_str() == link);
        entries.filter(same).map(move |entry| (pid, entry.file_name().to_string_lossy().into_owned()))
    })
}

fn holds(link: &str, processes: &[u32]) -> bool {
    holders(link, processes).next().is_some()
}

/// True when these processes hold the reading and the writing end of a pipe.
fn both_ends(link: &str, processes: &[u32]) -> bool {
    let (mut reads, mut writes) = (false, false);
    for (pid, fd) in holders(link, processes) {
        let text = fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).unwrap_or_default();
        match access(&text) {
            Some(0) => reads = true,
            Some(1) => writes = true,
            Some(_) => (reads, writes) = (true, true),
            None => {}
        }
    }
    reads && writes
}

/// `O_ACCMODE` of `flags:` in `/proc/PID/fdinfo/FD`, which is octal.
fn access(fdinfo: &str) -> Option<u32> {
    let flags = fdinfo.lines().find_map(|line| line.strip_prefix("flags:"))?;
    Some(u32::from_str_radix(flags.trim(), 8).ok()? & 3)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;

    fn name(fd: i32) -> Named {
        let me = std::process::id();
        Ends::new().name(me, fd as u64, &[me]).unwrap()
    }

    #[test]
    fn descriptors_of_our_own() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().canonicalize().unwrap();
        assert_eq!(name(file.as_file().as_raw_fd()), (Wait::File, path.to_str().map(str::to_owned)));
        let null = fs::File::open("/dev/null").unwrap();
        assert_eq!(name(null.as_raw_fd()).0, Wait::Device);
        let (reads, _writes) = std::io::pipe().unwrap();
        assert_eq!(name(reads.as_raw_fd()), (Wait::HandOff, None), "both ends are ours");
        let me = std::process::id();
        assert_eq!(Ends::new().name(me, reads.as_raw_fd() as u64, &[]), Some((Wait::Pipe, None)), "the other end is not");
        assert_eq!(Ends::new().name(me, 1 << 20, &[me]), None);
    }

    #[test]
    fn a_socket_has_a_peer_and_one_inside_is_a_hand_off() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (_server, _) = listener.accept().unwrap();
        let peer = Some(listener.local_addr().unwrap().to_string());
        assert_eq!(name(client.as_raw_fd()), (Wait::HandOff, peer.clone()));
        let me = std::process::id();
        assert_eq!(Ends::new().name(me, client.as_raw_fd() as u64, &[]), Some((Wait::Socket, peer)));
    }
}
