//! Live tests: programs of each class, sampled, watched and classified as a workload is.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::diagnose::{Class, Diagnosis, Part, diagnose};
use crate::evidence::{Driven, ProfileOptions, profile};
use crate::measure::harness::{Harness, Side};
use crate::measure::{Workload, WorkloadKind, workload};
use crate::process::Limits;
use crate::sample::{EngineWish, Sampler, available};

fn skipped(why: &str) {
    // Not through the test harness's capture: a skipped test must be seen.
    std::io::stderr().write_all(format!("SKIPPED a live test of the classifier: {why}\n").as_bytes()).unwrap();
}

/// The compiled program; `None` where nothing can be sampled.
fn compiled() -> Option<tempfile::TempDir> {
    if let Err(refusal) = available() {
        skipped(&refusal.to_string());
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    crate::sample::offcpu::testing::compile(dir.path());
    Some(dir)
}

fn classified(dir: &Path, args: &[&str]) -> Diagnosis {
    let args = args.iter().map(|arg| (*arg).to_owned()).collect();
    let workload = Workload { args, package_dir: "".into(), ..workload::sample("target", WorkloadKind::Binary) };
    let driven = Driven { workload, harness: Harness::Process };
    let sampler = Sampler::choose(EngineWish::Perf, || unreachable!("nobody needs the agent here"));
    let limits = Limits { timeout: Duration::from_secs(20), ..Limits::default() };
    // At this rate a tenth of a second is time enough, so that one run does.
    let options = ProfileOptions { time: Duration::from_millis(100), frequency: 4999, limits };
    let side = Side::new(dir.join("target"), dir);
    let scratch = camino::Utf8Path::from_path(dir).unwrap();
    let work = profile(&driven, &side, &options, &sampler, scratch).unwrap().work.unwrap();
    diagnose(&work).unwrap_or_else(|why| panic!("{why}: {work:#?}"))
}

fn share(found: &Diagnosis, part: Part) -> f64 {
    found.shares.get(part.name()).copied().unwrap_or(0.0)
}

#[test]
fn a_busy_loop_is_cpu_bound_and_a_sleeper_is_idle() {
    let Some(dir) = compiled() else { return };
    let spins = classified(dir.path(), &["spin", "1500"]);
    assert_eq!(spins.class, Class::Cpu, "{spins:#?}");
    let sleeps = classified(dir.path(), &["sleep", "1000"]);
    assert_eq!((sleeps.class, sleeps.kind), (Class::Idle, Some("sleep")), "{sleeps:#?}");
}

#[test]
fn threads_that_fight_over_a_lock_are_bound_by_it() {
    let Some(dir) = compiled() else { return };
    let fights = classified(dir.path(), &["fight", "1500"]);
    assert_eq!((fights.class, fights.kind), (Class::Contention, Some("locks")), "{fights:#?}");
    let pool = classified(dir.path(), &["pool", "1500"]);
    assert!(pool.class != Class::Contention && share(&pool, Part::Lock) < 0.05, "idle workers are no bottleneck: {pool:#?}");
}

#[test]
fn touching_new_pages_is_bound_by_memory() {
    let Some(dir) = compiled() else { return };
    let faults = classified(dir.path(), &["faults", "1500"]);
    assert_eq!((faults.class, faults.kind), (Class::Memory, Some("faults")), "{faults:#?}");
}

#[test]
fn syncing_is_bound_by_the_disk_where_the_disk_takes_its_time() {
    let Some(dir) = compiled() else { return };
    let path = dir.path().join("synced");
    let begun = Instant::now();
    let mut file = std::fs::File::create(&path).unwrap();
    for _ in 0..10 {
        file.write_all(&[7; 4096]).unwrap();
        file.sync_all().unwrap();
    }
    if begun.elapsed() < Duration::from_millis(10) {
        return skipped("fsync takes less than a millisecond here");
    }
    let syncs = classified(dir.path(), &["fsync", "1500", path.to_str().unwrap()]);
    assert!(syncs.class != Class::Cpu && share(&syncs, Part::Durability) > 0.3, "{syncs:#?}");
}
