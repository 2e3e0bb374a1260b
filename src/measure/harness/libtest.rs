//! Benchmarks that print `test NAME ... bench: 1,234.56 ns/iter (+/- 56)`: rustc's `#[bench]`, and the `bencher` crate with
//! `CodSpeed`'s drop-in for it.
//!
//! Both run a benchmark for 0.3 to 3 s and take no word about it; a clock that runs faster makes that shorter. Bencher knows one
//! argument, a part of a name, so a benchmark whose name is part of another's cannot be run alone there; it has no list either,
//! and is listed by running it.

mod line;

use std::path::Path;

use super::{Found, HarnessError, HarnessReading, Latency, Listed, Side, Throughput, list_with};
use crate::measure::Workload;
use crate::process::{Finished, Launch};

/// How many times faster the harness's clock should run: 0.3 s of work become 40 ms.
pub(super) const SCALE: u32 = 8;

/// The benchmarks of a `#[bench]` executable.
pub(super) fn list(side: &Side, package_dir: &Path) -> Result<Listed, HarnessError> {
    let ids = |ignored: &[&str]| {
        let launch = side.launch_at(package_dir).args(["--bench", "--list", "--format", "terse"]).args(ignored.iter().copied());
        let finished = list_with("libtest", side, &launch)?;
        let text = finished.stdout_text();
        Ok::<Vec<String>, HarnessError>(
            text.lines().filter_map(|line| line.strip_suffix(": benchmark")).map(str::to_owned).collect(),
        )
    };
    let ignored = ids(&["--ignored"])?;
    let found = |id: String| {
        let reason = || "it is marked `#[ignore]`".to_owned();
        if ignored.contains(&id) { Found::Left { id, reason: reason() } } else { Found::Id(id) }
    };
    Ok(Listed { found: ids(&[])?.into_iter().map(found).collect() })
}

/// The benchmarks of a `bencher` executable. Each is run.
pub(super) fn list_bencher(side: &Side, package_dir: &Path) -> Result<Listed, HarnessError> {
    let finished = list_with("bencher", side, &side.launch_at(package_dir).args(["--bench"]))?;
    let ids: Vec<String> = line::results(&finished.stdout_text()).into_iter().map(|result| result.name).collect();
    let found = |id: &String| match ids.iter().filter(|other| other.contains(id.as_str())).collect::<Vec<_>>().as_slice() {
        [_] => Found::Id(id.clone()),
        [one, two, ..] => {
            let other = if *one == id { two } else { one };
            let reason = format!("its name is part of `{other}`, and bencher cannot run it alone; rename it");
            Found::Left { id: id.clone(), reason }
        }
        [] => Found::Left { id: id.clone(), reason: "bencher does not find it by its name".into() },
    };
    Ok(Listed { found: ids.iter().map(found).collect() })
}

pub(super) fn round_launch(workload: &Workload, side: &Side) -> Launch {
    side.launch(workload).args(["--bench", "--exact", "--", workload.harness_id.as_str()])
}

/// Without `--bench`, libtest runs a benchmark once.
pub(super) fn test_launch(workload: &Workload, side: &Side) -> Launch {
    side.launch(workload).args(["--test", "--exact", "--", workload.harness_id.as_str()])
}

pub(super) fn bencher_launch(workload: &Workload, side: &Side) -> Launch {
    side.launch(workload).args(["--bench", workload.harness_id.as_str()])
}

/// An id that nothing has runs nothing and exits 0.
pub(super) fn check_ran(workload: &Workload, finished: &Finished) -> Result<(), HarnessError> {
    let id = &workload.harness_id;
    if line::ran(&finished.stdout_text()).any(|name| name == *id) { Ok(()) } else { Err(HarnessError::NotRun { id: id.clone() }) }
}

pub(super) fn read_result(workload: &Workload, finished: &Finished) -> Result<HarnessReading, HarnessError> {
    let id = &workload.harness_id;
    let result = line::results(&finished.stdout_text()).into_iter().find(|result| result.name == *id);
    let Some(result) = result else { return Err(HarnessError::NotRun { id: id.clone() }) };
    if result.ns <= 0.0 {
        return Err(HarnessError::TooCoarse { id: id.clone(), digit: result.digit, ns: None });
    }
    Ok(HarnessReading {
        // It prints the median of its batches and their range, so the fastest one is not known.
        latency: Some(Latency { median: result.ns, min: result.ns }),
        throughput: result.bytes().map(|amount| Throughput { amount, unit: "B".into() }),
        digit: Some(result.digit),
        singles: Vec::new(),
    })
}

/// Nanoseconds in a microsecond.
const MICRO: f64 = 1e3;

/// What libtest and bencher run until so many loops are over (`auto_bench` in both, unchanged since 2014), where one iteration
/// seems to take a millisecond or more: one to begin with, then 50 batches of n and 50 of 5 n per loop, with n = 1, 2, 4 …
pub(super) fn iterations_of(loops: u32) -> f64 {
    1.0 + 300.0 * (f64::from(1 << loops) - 1.0)
}

/// Iterations of a run under a clock of steps. A batch of 5 n seems to take one step, so the printed time tells n of the last loop;
/// `None` where it is another than expected.
pub(super) fn iterations(workload: &Workload, finished: &Finished, loops: u32, step: u32) -> Result<Option<f64>, HarnessError> {
    let printed = read_result(workload, finished)?;
    let expected = f64::from(step) * MICRO / (5.0 * f64::from(1 << (loops - 1)));
    let confirmed = printed.latency.is_some_and(|latency| (latency.median - expected).abs() < 1.0);
    Ok(confirmed.then(|| iterations_of(loops)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::WorkloadKind;
    use crate::measure::harness::testing::{finished, words};
    use crate::measure::workload::sample;

    const LIBTEST: &str = include_str!("../../../fixtures/libtest/1.95.0-bench.txt");

    #[test]
    fn one_id_runs_alone() {
        let (side, workload) = (Side::new("/t/exe", "/repo"), sample("deep::count", WorkloadKind::Libtest));
        assert_eq!(words(&round_launch(&workload, &side)), ["--bench", "--exact", "--", "deep::count"]);
        assert_eq!(words(&test_launch(&workload, &side)), ["--test", "--exact", "--", "deep::count"]);
        assert_eq!(words(&bencher_launch(&workload, &side)), ["--bench", "deep::count"]);
    }

    #[test]
    fn a_recorded_result_is_read_with_its_throughput() {
        let read = |id: &str| read_result(&sample(id, WorkloadKind::Libtest), &finished(LIBTEST));
        let counted = read("deep::count").unwrap();
        let amount = counted.throughput.unwrap().amount;
        assert!((amount / 8192.0 - 1.0).abs() < 0.01, "{amount}");
        assert_eq!(read("mix").unwrap().throughput, None);
        assert!(matches!(read("deep::skipped"), Err(HarnessError::NotRun { .. })));
        assert!(matches!(read("count"), Err(HarnessError::NotRun { .. })));
    }

    #[test]
    fn the_printed_time_tells_whether_the_loops_were_those_that_were_expected() {
        let workload = sample("x", WorkloadKind::Libtest);
        let told =
            |ns: &str| iterations(&workload, &finished(&format!("test x ... bench: {ns} ns/iter (+/- 0)")), 2, 10_000).unwrap();
        assert_eq!((told("1,000,000.00"), told("1,000,000"), told("2,000,000")), (Some(901.0), Some(901.0), None));
        assert_eq!([1, 2, 3].map(|loops| iterations_of(loops) as u64), [301, 901, 2101]);
    }

    #[cfg(unix)]
    #[test]
    fn lists_leave_out_what_cannot_run_alone_and_say_why() {
        let dir = tempfile::tempdir().unwrap();
        let text = "for id in mix mix_more sum; do echo \"test $id ... bench: 1,234 ns/iter (+/- 5)\"; done";
        let side = crate::measure::harness::testing::stand_in(dir.path(), text);
        let listed = list_bencher(&side, Path::new("")).unwrap();
        let [Found::Left { id, reason }, Found::Id(more), Found::Id(sum)] = listed.found.as_slice() else {
            panic!("{listed:?}");
        };
        assert_eq!([id, more, sum], ["mix", "mix_more", "sum"]);
        assert!(reason.contains("`mix_more`"), "{reason}");

        let text = "case \"$*\" in *--ignored*) echo 'b: benchmark';; *) echo 'a: benchmark'; echo 'b: benchmark'; echo 't: test';; esac";
        let listed = list(&crate::measure::harness::testing::stand_in(dir.path(), text), Path::new("")).unwrap();
        assert!(matches!(listed.found.as_slice(), [Found::Id(a), Found::Left { id, .. }] if a == "a" && id == "b"));
    }
}
