//! What ends early, by Ctrl-C, `kill -9` or a full disk: nothing is left running, and what was stored stays.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::{Repo, git};

const STORED: &str = "target/perf-expert/baselines/default/baseline.json";

/// Hangs as soon as the file is there: whoever is interrupted then waits for a run that would never end.
const BENCH: &str = r#"fn main() {
    while std::path::Path::new("target/hang").exists() {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let words = words::setup::words(4096);
    for _ in 0..4000 {
        std::hint::black_box(words::scan::checksum(std::hint::black_box(&words)));
    }
}
"#;

/// A stored baseline of an earlier commit, and a later one.
fn two_commits() -> Repo {
    let repo = Repo::new("hot-slower");
    repo.write("benches/scan.rs", BENCH);
    repo.commit("Let it hang on demand");
    let run = repo.run(&["baseline", "-q"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    repo.apply_head();
    repo.write("benches/scan.rs", BENCH);
    repo.commit("Mix once more");
    repo
}

/// A running command, and what it says.
struct Running {
    child: Child,
    said: BufReader<ChildStderr>,
}

impl Running {
    fn start(repo: &Repo, args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-perf-expert"));
        command.args(args).current_dir(repo.root()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        for name in crate::common::FOREIGN {
            command.env_remove(name);
        }
        let mut child = command.spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        Self { child, said }
    }

    /// Waits until it says that it has come so far.
    fn until(&mut self, word: &str) {
        let mut all = String::new();
        while !all.contains(word) {
            let read = self.said.read_line(&mut all).unwrap();
            assert!(read > 0, "it ended before {word}: {all}");
        }
    }

    fn kill(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Its exit code (`None`: a signal), and how long it took to end. Its standard error closes with the last process that has it.
    fn ended(mut self) -> (Option<i32>, Duration) {
        let begun = Instant::now();
        (self.child.wait().unwrap().code(), begun.elapsed())
    }
}

/// The processes that run a program of this repository's evidence.
fn running(repo: &Repo) -> Vec<String> {
    let processes = Command::new("ps").args(["-eo", "pid,args"]).output().unwrap();
    let root = format!("{}/target/perf-expert", repo.root().display());
    String::from_utf8_lossy(&processes.stdout).lines().filter(|line| line.contains(&root)).map(str::to_owned).collect()
}

/// Waits for something that takes a moment on a busy machine.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(20), "never: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn ctrl_c_while_measuring_ends_everything_and_keeps_the_baseline() {
    let repo = two_commits();
    let stored = repo.read(STORED);
    // Another base than the stored one, so that a worktree is there when the signal comes.
    repo.write("src/rare.rs", &repo.read("src/rare.rs").replace("02x", "03x"));
    let mut verify = Running::start(&repo, &["verify", "--no-tests", "--all", "--remeasure", "--base", "HEAD"]);
    verify.until("Measuring");
    repo.write("target/hang", "");
    eventually("a run hangs", || !running(&repo).is_empty());
    assert!(!crate::common::checkouts(&repo).is_empty(), "the base is checked out");
    verify.kill("-INT");
    let (code, took) = verify.ended();
    assert_eq!(code, Some(130));
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(running(&repo), Vec::<String>::new());
    assert_eq!(crate::common::checkouts(&repo), Vec::<PathBuf>::new());
    assert_eq!(git(repo.root(), &["worktree", "list"]).lines().count(), 1);
    assert_eq!(repo.read(STORED), stored);
    assert!(!repo.root().join("target/perf-expert/scratch").exists());
}

#[test]
fn ctrl_c_during_a_self_test_ends_everything_and_leaves_nothing() {
    let repo = two_commits();
    let stored = repo.read(STORED);
    let mut doctor = Running::start(&repo, &["doctor", "--self-test", "--runs", "1000"]);
    doctor.until("Measuring");
    repo.write("target/hang", "");
    eventually("a run hangs", || !running(&repo).is_empty());
    doctor.kill("-INT");
    let (code, took) = doctor.ended();
    assert_eq!(code, Some(130));
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(running(&repo), Vec::<String>::new());
    assert_eq!(repo.read(STORED), stored);
    assert!(!repo.root().join("target/perf-expert/scratch").exists());
}

#[test]
fn kill_9_during_baseline_keeps_the_last_one_and_the_next_run_works() {
    let repo = two_commits();
    let (stored, shown) = (repo.read(STORED), repo.run(&["report", "--baseline", "default"]).stdout);
    let mut baseline = Running::start(&repo, &["baseline"]);
    baseline.until("Profiling");
    repo.write("target/hang", "");
    eventually("a run hangs", || !running(&repo).is_empty());
    baseline.kill("-KILL");
    assert_eq!(baseline.ended().0, None);
    eventually("no orphan is left", || running(&repo).is_empty());
    assert_eq!(repo.read(STORED), stored);
    let again = repo.run(&["report", "--baseline", "default"]);
    assert_eq!((again.code, again.stdout), (0, shown));

    std::fs::remove_file(repo.root().join("target/hang")).unwrap();
    let next = repo.run(&["baseline", "-q"]);
    assert_eq!(next.code, 0, "{}\n{}", next.stdout, next.stderr);
    assert_ne!(repo.read(STORED), stored);
    assert_eq!(crate::common::checkouts(&repo), Vec::<PathBuf>::new());
    assert!(!repo.root().join("target/perf-expert/scratch").exists(), "what the killed run left is swept");
}

/// A file system of a few megabytes, where this machine lets us have one.
struct Small {
    dir: tempfile::TempDir,
}

impl Small {
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64m", "tmpfs"]).arg(dir.path()).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self { dir })
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Leaves this many bytes.
    fn fill_but(&self, left: u64) {
        let path = self.path().join("ballast");
        let mut file = std::fs::File::create(&path).unwrap();
        while file.write_all(&[0; 1 << 12]).is_ok() {}
        let length = file.metadata().unwrap().len();
        file.set_len(length.saturating_sub(left)).unwrap();
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _gone_with_the_machine = Command::new("umount").arg(self.dir.path()).status();
    }
}

#[test]
fn a_full_disk_is_named_and_keeps_the_earlier_baseline() {
    let Some(small) = Small::mount() else {
        let _nobody_listens = writeln!(std::io::stderr(), "skipped: this user may not mount a tmpfs");
        return;
    };
    let repo = Repo::new("hot-slower");
    let place = small.path().join("evidence");
    let place = place.to_str().unwrap();
    let run = repo.run(&["baseline", "-q", "--baseline-dir", place]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    let stored = small.path().join("evidence/baselines/default/baseline.json");
    let before = std::fs::read(&stored).unwrap();
    repo.apply_head();
    repo.commit("Mix once more");

    // No room for anything; then room for the copy that runs, but not for the one that is stored.
    for left in [0, 1] {
        let bench = std::fs::metadata(only_program(&small)).unwrap().len();
        small.fill_but(left * (bench + bench / 2));
        let run = repo.run(&["baseline", "-q", "--baseline-dir", place]);
        assert_eq!(run.code, 101, "{left}: {}\n{}", run.stdout, run.stderr);
        assert!(run.stderr.contains(small.path().to_str().unwrap()), "{left}: it names the file: {}", run.stderr);
        assert!(run.stderr.contains("space"), "{left}: {}", run.stderr);
        assert_eq!(std::fs::read(&stored).unwrap(), before, "{left}");
        let shown = repo.run(&["report", "--baseline", "default", "--baseline-dir", place]);
        assert_eq!(shown.code, 0, "{left}: {}", shown.stderr);
    }
    std::fs::remove_file(small.path().join("ballast")).unwrap();
    let run = repo.run(&["baseline", "-q", "--baseline-dir", place]);
    assert_eq!(run.code, 0, "with room it works again: {}\n{}", run.stdout, run.stderr);
}

fn only_program(small: &Small) -> PathBuf {
    let default = small.path().join("evidence/baselines/default");
    let files = std::fs::read_dir(default).unwrap().flatten().map(|entry| entry.path()).find(|path| path.is_dir()).unwrap();
    std::fs::read_dir(files.join("programs")).unwrap().next().unwrap().unwrap().path()
}
