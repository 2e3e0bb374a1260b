//! Reads what the library wrote: one file per process, raw addresses and the memory map that they belong to.

use std::ops::Range;
use std::path::Path;

use super::NoStacks;
use crate::sample::maps::{self, Map};

/// First line of a file; the library writes it.
const HEADER: &[u8] = b"perf-expert-agent 1";

/// Addresses, the sampled one first, then those that calls return to; and how often.
pub(in crate::sample) type RawStack = (Vec<u64>, u64);

/// What one process showed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) maps: Vec<Map>,
    pub(super) stacks: Vec<RawStack>,
    signals: u64,
    agent_cpu_ns: u64,
    handler_kept: bool,
}

/// What a run left.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) processes: Vec<Process>,
}

impl Written {
    /// Reads the files in `dir`. Stacks inside of `library` are the agent's own start.
    pub(super) fn read(dir: &Path, library: &Path) -> Result<Self, NoStacks> {
        let library = std::fs::canonicalize(library).unwrap_or_else(|_| library.to_owned());
        let (mut started, mut processes) = (false, Vec::new());
        for entry in std::fs::read_dir(dir).map_err(NoStacks::Directory)? {
            let path = entry.map_err(NoStacks::Directory)?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            started |= name.starts_with("started.");
            if name.starts_with("stacks.") {
                let bytes = std::fs::read(&path).map_err(NoStacks::Directory)?;
                processes.push(parse(&bytes).ok_or(NoStacks::Damaged)?.without(&library));
            }
        }
        match (started, processes.is_empty()) {
            (false, _) => Err(NoStacks::NotLoaded),
            (true, true) => Err(NoStacks::Unwritten { outcome: String::new() }),
            // Stacks from before the program took the signal would stand for the whole run.
            (true, false) if processes.iter().any(|process| !process.handler_kept) => Err(NoStacks::Taken),
            (true, false) => Ok(Self { processes }),
        }
    }

    pub(super) fn samples(&self) -> u64 {
        self.processes.iter().flat_map(|process| &process.stacks).map(|(_, count)| count).sum()
    }

    pub(super) fn signals(&self) -> u64 {
        self.processes.iter().map(|process| process.signals).sum()
    }

    /// CPU time that the agent itself took to start and to write.
    pub(super) fn agent_cpu_ns(&self) -> u64 {
        self.processes.iter().map(|process| process.agent_cpu_ns).sum()
    }
}

impl Process {
    fn without(mut self, library: &Path) -> Self {
        let own: Vec<Range<u64>> = self.maps.iter().filter(|map| map.path == library).map(|map| map.range.clone()).collect();
        self.stacks.retain(|(addresses, _)| !addresses.iter().any(|address| own.iter().any(|range| range.contains(address))));
        self
    }
}

/// `None` for a file that is not whole.
fn parse(bytes: &[u8]) -> Option<Process> {
    let mut lines = bytes.split(|&byte| byte == b'\n');
    if lines.next()? != HEADER {
        return None;
    }
    let mut process = Process::default();
    let mut ended = false;
    for line in lines.filter(|line| !line.is_empty()) {
        let (word, rest) = line.split_at(line.iter().position(|&byte| byte == b' ').unwrap_or(line.len()));
        let rest = rest.get(1..).unwrap_or_default();
        let text = || std::str::from_utf8(rest).ok();
        match word {
            b"signals" => process.signals = text()?.parse().ok()?,
            b"agent-cpu" => process.agent_cpu_ns = text()?.parse().ok()?,
            b"handler" => process.handler_kept = rest == b"kept",
            b"stack" => process.stacks.push(stack(text()?)?),
            b"map" => {
                let (executable, map) = maps::line(rest)?;
                process.maps.extend(executable.then_some(map));
            }
            b"end" => ended = true,
            _ => return None,
        }
    }
    ended.then_some(process)
}

fn stack(text: &str) -> Option<RawStack> {
    let mut words = text.split(' ');
    let count = words.next()?.parse().ok()?;
    let addresses = words.map(|word| u64::from_str_radix(word, 16)).collect::<Result<Vec<_>, _>>().ok()?;
    Some((addresses, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "perf-expert-agent 1\nsignals 12\nhandler kept\nstack 9 1010 2020\nstack 1 5005 1010\n\
        map 1000-3000 r-xp 00001000 fe:01 77                         /home/a b/bench (deleted)\n\
        map 3000-4000 rw-p 00003000 fe:01 77                         /home/a b/bench\n\
        map 5000-6000 r-xp 00000000 fe:01 78                         /cache/agent.so\n\
        agent-cpu 15000000\nend\n";

    fn write(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        dir
    }

    fn read(files: &[(&str, &str)]) -> Result<Written, NoStacks> {
        Written::read(write(files).path(), Path::new("/cache/agent.so"))
    }

    #[test]
    fn stacks_and_code_are_read_and_the_agent_s_own_start_is_left_out() {
        let written = read(&[("started.7", ""), ("stacks.7", FILE)]).unwrap();
        let process = &written.processes[0];
        assert_eq!(process.stacks, [(vec![0x1010, 0x2020], 9)]);
        assert_eq!((written.samples(), written.signals(), written.agent_cpu_ns()), (9, 12, 15_000_000));
        let code = &process.maps[0];
        assert_eq!((code.range.clone(), code.offset, code.file), (0x1000..0x3000, 0x1000, [0xfe, 1, 77]));
        assert_eq!((code.path.to_str(), process.maps.len()), (Some("/home/a b/bench"), 2));
    }

    #[test]
    fn several_processes_are_counted_together() {
        let files = [("started.7", ""), ("stacks.7", FILE), ("started.8", ""), ("stacks.8", FILE)];
        assert_eq!(read(&files).unwrap().samples(), 18);
    }

    #[test]
    fn a_run_without_stacks_says_why() {
        assert!(matches!(read(&[]), Err(NoStacks::NotLoaded)));
        assert!(matches!(read(&[("started.7", ""), ("part.7", "x")]), Err(NoStacks::Unwritten { .. })));
        let taken = FILE.replace("kept", "replaced");
        assert!(matches!(read(&[("started.7", ""), ("stacks.7", &taken)]), Err(NoStacks::Taken)));
    }

    #[test]
    fn a_file_that_is_cut_anywhere_is_never_taken_for_whole() {
        for len in 0..FILE.len() - 1 {
            assert!(parse(&FILE.as_bytes()[..len]).is_none(), "{len}");
        }
        assert!(parse(FILE.as_bytes()).is_some());
    }
}
