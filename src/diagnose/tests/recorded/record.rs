//! The recorder: builds the programs, runs each under our own samplers, and writes what came of it without a trace of this machine.
//!
//! `cargo test --lib recorded::record -- --ignored` records all of them; `RECORD=s05,n05` those whose names begin so.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::{ROOT, Recorded, fixtures, programs};
use crate::evidence::{Driven, ProfileOptions, profile};
use crate::measure::harness::{Harness, Side};
use crate::measure::{Workload, WorkloadKind, workload};
use crate::process::{Limits, Tool};
use crate::profile::{Engine, Frame, FrameId, Profile, ProfileBuilder, Quality};
use crate::sample::offcpu::{Blocked, BlockedStack};
use crate::sample::{EngineWish, Sampler};

/// Stacks that hold less than this of all samples are left out; twice as much, and so on, until the recording is small enough.
const LEAST: f64 = 0.002;
/// How large a recording may be.
const MOST_BYTES: usize = 60 << 10;
/// The only one that is built without optimization.
const UNOPTIMIZED: &str = "s45_debug_build";

#[test]
#[ignore = "writes fixtures: run it by name after a change of a program, the compiler or the samplers"]
fn record() {
    let home = Utf8PathBuf::from_path_buf(std::env::current_exe().unwrap()).unwrap();
    let ws = home.ancestors().find(|dir| dir.ends_with("target")).unwrap().join("causes");
    copy(&fixtures(), &ws);
    build(&ws, &["--release", "--bins"]);
    build(&ws, &["--bin", UNOPTIMIZED]);
    let peer = Peer::start(&ws.join("target/release/peer"));
    let wanted = std::env::var("RECORD").unwrap_or_default();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.split(',').any(|start| name.starts_with(start));
    for name in programs().iter().filter(|name| is_wanted(name)) {
        let profile = if name == UNOPTIMIZED { "debug" } else { "release" };
        let recorded = run(&ws, profile, name, &peer.address);
        let texts = (0..7).map(|step| text(&recorded, LEAST * f64::from(1 << step), &ws));
        let text = texts.into_iter().find(|text| text.len() <= MOST_BYTES).unwrap_or_else(|| panic!("{name} is too large"));
        std::fs::write(fixtures().join("recorded").join(format!("{name}.json")), text + "\n").unwrap();
    }
}

/// Only what differs, so that cargo builds no more than that.
fn copy(from: &Utf8Path, to: &Utf8Path) {
    std::fs::create_dir_all(to.join("src/bin")).unwrap();
    let bins = programs().into_iter().chain(["peer".to_owned()]).map(|name| format!("src/bin/{name}.rs"));
    let bins: Vec<String> = bins.collect();
    for stale in to.join("src/bin").read_dir_utf8().unwrap().map(|file| file.unwrap().into_path()) {
        if !bins.iter().any(|bin| stale.ends_with(bin)) {
            std::fs::remove_file(stale).unwrap();
        }
    }
    let others = [("src/lib.rs", "src/lib.rs"), ("Cargo_test.toml", "Cargo.toml"), ("Cargo_test.lock", "Cargo.lock")];
    for (source, name) in bins.iter().map(|bin| (bin.as_str(), bin.as_str())).chain(others) {
        let text = std::fs::read(from.join(source)).unwrap();
        if std::fs::read(to.join(name)).ok().as_ref() != Some(&text) {
            std::fs::write(to.join(name), text).unwrap();
        }
    }
}

fn build(ws: &Utf8Path, args: &[&str]) {
    let cargo = Tool::new("cargo").args(["build", "--locked", "--target-dir"]).arg(ws.join("target")).args(args);
    cargo.cwd(ws).timeout(Duration::from_secs(1800)).run_checked().unwrap();
}

fn run(ws: &Utf8Path, profile_dir: &str, name: &str, peer: &str) -> Recorded {
    let args = vec!["1500".to_owned(), peer.to_owned()];
    let workload = Workload { args, package_dir: "".into(), ..workload::sample(name, WorkloadKind::Binary) };
    let driven = Driven { workload, harness: Harness::Process };
    let sampler = Sampler::choose(EngineWish::Perf, || unreachable!("nobody needs the agent here"));
    let limits = Limits { timeout: Duration::from_secs(30), ..Limits::default() };
    let options = ProfileOptions { time: Duration::from_millis(400), frequency: 1999, limits };
    let side = Side::new(ws.join("target").join(profile_dir).join(name), ws);
    let scratch = tempfile::tempdir().unwrap();
    let profiled = profile(&driven, &side, &options, &sampler, Utf8Path::from_path(scratch.path()).unwrap()).unwrap();
    Recorded { profile: profiled.profile, work: profiled.work.unwrap() }
}

fn text(recorded: &Recorded, least: f64, ws: &Utf8Path) -> String {
    let mut compact = Recorded { profile: compact(&recorded.profile, least), work: recorded.work.clone() };
    compact.work.observed.blocked = recorded.work.observed.blocked.as_ref().map(|blocked| compact_blocked(blocked, least));
    anonymous(&serde_json::to_string(&compact).unwrap(), ws)
}

/// Without the lines that nothing is joined by, without the repetitions of recursion, and without rare stacks.
fn compact(profile: &Profile, least: f64) -> Profile {
    let merged = rebuilt(profile, 0);
    let mut kept = rebuilt(&merged, (merged.samples() as f64 * least).ceil() as u64);
    kept.quality.samples = kept.samples();
    kept
}

/// The same for stacks of blocked threads, by time.
fn compact_blocked(blocked: &Blocked, least: f64) -> Blocked {
    let mut builder = ProfileBuilder::new();
    let total: u64 = blocked.stacks.iter().map(|stack| stack.ns).sum();
    let kept = blocked.stacks.iter().filter(|stack| stack.ns as f64 >= total as f64 * least);
    let mut merged: Vec<BlockedStack> = Vec::new();
    for stack in kept {
        let frames = stack.frames.iter().filter_map(|&id| blocked.frames.get(id as usize));
        let mut new = stack.clone();
        new.frames = distinct(frames.map(|frame| builder.frame(plain(frame))).collect());
        let same = |old: &&mut BlockedStack| {
            (&old.frames, old.wait, old.idle, old.place) == (&new.frames, new.wait, new.idle, new.place)
        };
        match merged.iter_mut().find(same) {
            Some(old) => (old.ns, old.looks) = (old.ns + new.ns, old.looks + new.looks),
            None => merged.push(new),
        }
    }
    Blocked { frames: builder.finish(nothing()).frames, stacks: merged }
}

fn distinct(mut frames: Vec<FrameId>) -> Vec<FrameId> {
    let mut seen = HashSet::new();
    frames.retain(|&frame| seen.insert(frame));
    frames
}

fn nothing() -> Quality {
    Quality { engine: Engine::None, samples: 0, frequency: 0, lost: 0, truncated: 0, cpu_ns: None, wall_ns: 0 }
}

fn rebuilt(profile: &Profile, least: u64) -> Profile {
    let mut builder = ProfileBuilder::new();
    for stack in profile.stacks.iter().filter(|stack| stack.count >= least) {
        let frames = profile.frames_of(stack).map(|frame| builder.frame(plain(frame))).collect();
        builder.stack(distinct(frames), stack.count);
    }
    builder.finish(profile.quality.clone())
}

fn plain(frame: &Frame) -> Frame {
    let file = frame.file.as_deref();
    let ours = file.is_some_and(|file| file.contains("/target/causes/") && !file.contains("/registry/"));
    let of_std = file.is_some_and(|file| file.contains("/library/") && (file.contains("/rustc/") || file.contains("/rustlib/")));
    Frame {
        line: frame.line.filter(|_| ours),
        file: if of_std { Some("/rustc/1/library".into()) } else { frame.file.clone() },
        ..frame.clone()
    }
}

/// Paths of this machine out, everything else as it is.
fn anonymous(json: &str, ws: &Utf8Path) -> String {
    let json = json.replace(ws.as_str(), ROOT);
    let registry = regex::Regex::new(r#""[^"]*/registry/src/[^/"]+/"#).unwrap();
    let json = registry.replace_all(&json, "\"/cargo/registry/src/index/");
    let text = json.into_owned();
    let home = std::env::var("HOME").unwrap_or_else(|_| "/no home".into());
    assert!(!text.contains(home.trim_end_matches('/')) || home.len() < 3, "a path of the home directory is left");
    text
}

/// The program that others talk to, outside of what is watched.
struct Peer {
    child: Child,
    address: String,
}

impl Peer {
    fn start(program: &Utf8Path) -> Self {
        let mut child = Command::new(Path::new(program)).stdout(Stdio::piped()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { child, address: address.trim().to_owned() }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
