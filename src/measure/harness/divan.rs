//! Unmodified divan executables, 0.1.x and `CodSpeed`'s drop-in: what they list, how one id is run alone, what they print.
//!
//! Divan's only output is its text tree. `--list` leaves out arguments and thread counts, and `--list --format terse` exists
//! since 0.1.18 and only under nextest, so the ids are those of a `--test` run, which runs each benchmark once. Options are
//! given by environment: flags that a version does not know would end it, and they win over what the bench sets in its
//! attributes.

mod figures;
mod tree;

use std::path::Path;

use super::{Found, HarnessError, HarnessReading, Latency, Listed, Side, Throughput, list_with};
use crate::measure::Workload;
use crate::process::{Finished, Launch};

/// 30 ms of at least 20 samples, and never much more than 100 ms.
const SHORT: [(&str, &str); 3] = [("DIVAN_MIN_TIME", "0.03"), ("DIVAN_MAX_TIME", "0.1"), ("DIVAN_SAMPLE_COUNT", "20")];
/// The preloaded clock answers the system's clock and cannot answer the time stamp counter; sizes are read as powers of ten;
/// inputs count as time, or a bench that makes them slowly would run for minutes.
const FIXED: [(&str, &str); 3] = [("DIVAN_TIMER", "os"), ("DIVAN_BYTES_FORMAT", "decimal"), ("DIVAN_SKIP_EXT_TIME", "false")];
/// Seconds that no counted run takes.
const UNLIMITED: &str = "3600";
/// What would run, count or print something else than the bench says.
const SCRUBBED: [&str; 5] = ["NEXTEST", "DIVAN_SAMPLE_SIZE", "DIVAN_ITEMS_COUNT", "DIVAN_BYTES_COUNT", "DIVAN_CHARS_COUNT"];

/// The benchmarks of an executable. Each is run once.
pub(super) fn list(side: &Side, package_dir: &Path) -> Result<Listed, HarnessError> {
    let finished = list_with("divan", side, &configured(side.launch_at(package_dir)).args(["--test"]))?;
    let rows = tree::rows(&finished.stdout_text());
    let mut listed = Listed::default();
    for row in tree::leaves(&rows) {
        let id = row.path.clone();
        listed.found.push(if row.ignored { Found::Left { id, reason: "it is marked `ignore`".into() } } else { Found::Id(id) });
    }
    if listed.found.is_empty() && !finished.stdout.is_empty() {
        return Err(HarnessError::not_listed("divan", side, &finished));
    }
    Ok(listed)
}

fn configured(mut launch: Launch) -> Launch {
    launch.env.extend(SCRUBBED.map(|name| (name.into(), None)));
    launch.env.push(("DIVAN_THREADS".into(), None));
    FIXED.iter().fold(launch, |launch, (name, value)| launch.env(*name, *value))
}

/// A benchmark's path, and the thread count when it is one of several.
fn threads(id: &str) -> (&str, Option<&str>) {
    let split = id.rsplit_once("::t=").filter(|(_, count)| !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit()));
    split.map_or((id, None), |(path, count)| (path, Some(count)))
}

fn one(workload: &Workload, side: &Side, mode: &str) -> Launch {
    let (path, threads) = threads(&workload.harness_id);
    let launch = configured(side.launch(workload)).args([mode, "--exact", "--", path]);
    match threads {
        Some(count) => launch.env("DIVAN_THREADS", count),
        None => launch,
    }
}

pub(super) fn round_launch(workload: &Workload, side: &Side) -> Launch {
    SHORT.iter().fold(one(workload, side, "--bench"), |launch, (name, value)| launch.env(*name, *value))
}

/// So many samples of so many iterations each, however long they take.
pub(super) fn counted_launch(workload: &Workload, side: &Side, count: u32, size: u32) -> Launch {
    one(workload, side, "--bench")
        .env("DIVAN_MIN_TIME", "0")
        .env("DIVAN_MAX_TIME", UNLIMITED)
        .env("DIVAN_SAMPLE_COUNT", count.to_string())
        .env("DIVAN_SAMPLE_SIZE", size.to_string())
}

/// Iterations of all threads, as divan prints them.
pub(super) fn iterations(workload: &Workload, finished: &Finished) -> Result<Option<f64>, HarnessError> {
    row(workload, finished).map(|row| row.iterations)
}

pub(super) fn test_launch(workload: &Workload, side: &Side) -> Launch {
    one(workload, side, "--test")
}

pub(super) fn profile_launch(workload: &Workload, side: &Side, seconds: u32) -> Launch {
    let seconds = seconds.max(1).to_string();
    one(workload, side, "--bench").env("DIVAN_MIN_TIME", &seconds).env("DIVAN_MAX_TIME", &seconds)
}

/// An id that nothing has prints nothing and exits 0.
pub(super) fn check_ran(workload: &Workload, finished: &Finished) -> Result<(), HarnessError> {
    row(workload, finished).map(|_| ())
}

pub(super) fn read_result(workload: &Workload, finished: &Finished) -> Result<HarnessReading, HarnessError> {
    let row = row(workload, finished)?;
    let Some(times) = row.times else {
        let problem = "its row in divan's output holds no times".to_owned();
        return Err(HarnessError::Output { id: workload.harness_id.clone(), problem });
    };
    // With several counters, elements are the primary ones, as for criterion.
    let rate = row.rates.iter().find(|rate| rate.unit == "elements").or_else(|| row.rates.first());
    let per_iteration = |per_second: f64| per_second * times.median.ns / 1e9;
    Ok(HarnessReading {
        latency: Some(Latency { median: times.median.ns, min: times.fastest.ns }),
        throughput: rate.map(|rate| Throughput { amount: per_iteration(rate.per_second), unit: rate.unit.to_owned() }),
        digit: Some(times.median.digit),
        singles: Vec::new(),
    })
}

fn row(workload: &Workload, finished: &Finished) -> Result<tree::Row, HarnessError> {
    let id = &workload.harness_id;
    let (path, _) = threads(id);
    let rows = tree::rows(&finished.stdout_text());
    let found = tree::leaves(&rows).find(|row| row.path == path || row.path == *id).filter(|row| !row.ignored);
    found.cloned().ok_or_else(|| HarnessError::NotRun { id: id.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::WorkloadKind;
    use crate::measure::harness::testing::{finished, variable, words};
    use crate::measure::workload::sample;

    const BENCH: &str = include_str!("../../../fixtures/divan/0.1.21-bench.txt");

    fn read(id: &str) -> Result<HarnessReading, HarnessError> {
        read_result(&sample(id, WorkloadKind::Divan), &finished(BENCH))
    }

    #[test]
    fn one_id_runs_alone_and_briefly_on_the_clock_that_can_be_replaced() {
        let side = Side::new("/t/exe", "/repo");
        let launch = round_launch(&sample("dv::group::typed::Vec<u8>::a b", WorkloadKind::Divan), &side);
        assert_eq!(words(&launch), ["--bench", "--exact", "--", "dv::group::typed::Vec<u8>::a b"]);
        assert_eq!(variable(&launch, "DIVAN_TIMER").as_deref(), Some("os"));
        assert_eq!(variable(&launch, "DIVAN_MIN_TIME").as_deref(), Some("0.03"));
        assert_eq!(variable(&launch, "DIVAN_THREADS"), None);
    }

    #[test]
    fn a_thread_count_is_no_part_of_the_name() {
        let side = Side::new("/t/exe", "/repo");
        let launch = test_launch(&sample("dv::threaded::t=2", WorkloadKind::Divan), &side);
        assert_eq!(words(&launch), ["--test", "--exact", "--", "dv::threaded"]);
        assert_eq!(variable(&launch, "DIVAN_THREADS").as_deref(), Some("2"));
        assert_eq!(threads("dv::a::t=x"), ("dv::a::t=x", None));
    }

    #[test]
    fn times_and_throughput_are_those_of_the_row() {
        let plain = read("dv::mix").unwrap();
        assert!(plain.latency.is_some_and(|latency| latency.min <= latency.median) && plain.throughput.is_none());
        let counted = read("dv::group::count::4096").unwrap().throughput.unwrap();
        assert_eq!(counted.unit, "elements");
        assert!((counted.amount / 4096.0 - 1.0).abs() < 2e-3, "{counted:?}");
    }

    #[test]
    fn the_iterations_are_those_that_were_printed() {
        let printed = |id: &str| iterations(&sample(id, WorkloadKind::Divan), &finished(BENCH)).unwrap();
        assert_eq!([printed("dv::group::hard coded"), printed("dv::alloc::1000")], [Some(15.0), Some(100.0)]);
        let side = Side::new("/t/exe", "/repo");
        let launch = counted_launch(&sample("dv::mix", WorkloadKind::Divan), &side, 4, 2);
        assert_eq!(variable(&launch, "DIVAN_SAMPLE_SIZE").as_deref(), Some("2"));
    }

    #[test]
    fn what_did_not_run_gives_no_number() {
        assert!(matches!(read("dv::nothing"), Err(HarnessError::NotRun { .. })));
        assert!(matches!(read("dv::group::ignored"), Err(HarnessError::NotRun { .. })));
        assert!(matches!(read("dv::group"), Err(HarnessError::NotRun { .. })));
    }
}
