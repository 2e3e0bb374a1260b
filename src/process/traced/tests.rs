//! Live: what the supervision promises, whatever the tracer does.

use super::*;

/// Counts what it sees.
#[derive(Default)]
struct Counting {
    executed: usize,
    ended: usize,
    fail: bool,
    end: bool,
    /// Bytes at the instruction pointer of the first image: read from the file in /proc, then peeked word by word.
    seen: Option<(Vec<u8>, Vec<u8>)>,
}

impl Tracer for Counting {
    fn executed(&mut self, stopped: &Stopped) -> std::io::Result<Flow> {
        self.executed += 1;
        if self.fail {
            return Err(std::io::Error::other("on purpose"));
        }
        let start = stopped.instruction_pointer()? + 3;
        let (mut read, mut peeked) = (vec![0; 13], vec![0; 13]);
        stopped.memory().read(stopped, start, &mut read)?;
        let words = Memory::without_file();
        words.write(stopped, start, &[0xCC; 13])?;
        words.write(stopped, start, &read)?;
        words.read(stopped, start, &mut peeked)?;
        self.seen.get_or_insert((read, peeked));
        Ok(if self.end { Flow::End } else { Flow::Continue })
    }

    fn trapped(&mut self, _stopped: &Stopped) -> std::io::Result<Trap> {
        Ok(Trap::Foreign)
    }

    fn ended(&mut self, _process: i32) {
        self.ended += 1;
    }
}

fn traced(script: &str, counting: &mut Counting) -> Result<Traced, TraceError> {
    let limits = Limits { timeout: Duration::from_secs(60), ..Limits::default() };
    run_traced(&Launch::new("/bin/sh", "/").args(["-c", script]), &limits, counting)
}

#[test]
fn every_program_and_every_end_is_seen() {
    let mut counting = Counting::default();
    let traced = traced("/bin/true; /bin/false; echo out; echo err >&2; exit 3", &mut counting).unwrap();
    assert_eq!((traced.finished.code, traced.finished.stdout_text().as_str()), (Some(3), "out\n"));
    assert_eq!((traced.finished.stderr_tail(1).as_str(), traced.finished.survivors), ("err", 0));
    assert_eq!((counting.executed, counting.ended), (3, 3));
    assert!(traced.finished.usage.unwrap().peak_rss != Some(0));
}

#[test]
fn words_and_the_memory_file_show_the_same_bytes() {
    let mut counting = Counting::default();
    traced("exit 0", &mut counting).unwrap();
    let (read, peeked) = counting.seen.unwrap();
    assert_eq!(read, peeked);
    assert!(read.iter().any(|&byte| byte != 0));
}

#[test]
fn a_tracer_that_fails_ends_the_workload() {
    let start = Instant::now();
    let mut counting = Counting { fail: true, ..Counting::default() };
    assert!(matches!(traced("sleep 50", &mut counting), Err(TraceError::Failed(_))));
    assert!(start.elapsed() < Duration::from_secs(40));
}

#[test]
fn a_tracer_may_end_the_workload() {
    let mut counting = Counting { end: true, ..Counting::default() };
    let traced = traced("sleep 50", &mut counting).unwrap();
    assert!(traced.ended_early && traced.finished.signal == Some(libc::SIGKILL));
}

#[test]
fn the_peak_of_a_program_that_is_smaller_than_this_one_is_its_own() {
    let limits = Limits { timeout: Duration::from_secs(60), ..Limits::default() };
    let peak = |script: &str| {
        let (finished, peak) = run_for_peak(&Launch::new("/bin/sh", "/").args(["-c", script]), &limits).unwrap();
        assert!(finished.success(), "{}", finished.outcome());
        peak.unwrap()
    };
    let small = peak("exit 0");
    assert!((100 << 10..32 << 20).contains(&small), "{small}");
    // The shell holds the text of the variable: 16 MiB, made by doubling.
    let large = peak("x=0123456789abcdef; i=0; while [ $i -lt 20 ]; do x=$x$x; i=$((i+1)); done; exit 0");
    assert!(large > small + (15 << 20), "{large} {small}");
    // A child of the program counts, and so does one that is killed at the end.
    assert!(peak("(x=0123456789abcdef; i=0; while [ $i -lt 20 ]; do x=$x$x; i=$((i+1)); done; exit 0); exit 0") > 15 << 20);
    peak("sleep 50 & exit 0");
}
