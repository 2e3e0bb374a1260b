//! One analysis in every format, from real runs; and what reads it again without measuring.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::common::Repo;
use serde_json::Value;

/// What `check` may take on a busy machine in a debug build; a build and a run take longer.
const WITHOUT_RUNNING: Duration = Duration::from_secs(10);

const HEADINGS: [&str; 7] = [
    "## Performance Analysis",
    "### Current State",
    "### Bottleneck Identified",
    "### Root Cause",
    "### Recommended Fix",
    "### Implementation",
    "### Verification Plan",
];

fn verified(case: &str) -> Repo {
    let repo = Repo::new(case);
    let baseline = repo.run(&["baseline", "-q", "--profile-time", "4"]);
    assert_eq!(baseline.code, 0, "{}", baseline.stderr);
    repo.apply_head();
    // Links and counts need LLD and valgrind, which not every machine has.
    let run = repo.run(&["verify", "-q", "--no-tests", "--no-layout", "--no-witness", "--profile-time", "4"]);
    assert_eq!(run.code, 100, "{}\n{}", run.stdout, run.stderr);
    assert_eq!(run.stdout, report(&repo, &[]), "`report` shows what `verify` showed");
    repo
}

/// `report`, which passes whatever the verdict was.
fn report(repo: &Repo, args: &[&str]) -> String {
    let run = repo.run(&[&["report"], args].concat());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{args:?}");
    run.stdout
}

fn analysis(repo: &Repo, args: &[&str]) -> Value {
    let text = report(repo, &[args, &["--message-format", "json"]].concat());
    let analysis: Value = serde_json::from_str(&text).unwrap();
    fits_the_schema(&analysis);
    analysis
}

fn fits_the_schema(analysis: &Value) {
    let schema = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/analysis.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(analysis).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{analysis:#}");
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap()
}

/// What has no number says null; what has one says all of it.
fn unmeasured_is_null(analysis: &Value) {
    for workload in list(analysis, "workloads") {
        for metric in list(workload, "metrics") {
            let nulls = ["ratio", "low", "high"].map(|key| metric[key].is_null());
            assert!(nulls.iter().all(|null| *null == nulls[0]), "{metric}");
            let unjudged = metric["outcome"] == "not-measured" || metric["outcome"] == "not-judged";
            let nothing_on_both = metric["base"] == 0.0 && metric["head"] == 0.0 && metric["outcome"] == "same";
            assert!(!nulls[0] || unjudged || nothing_on_both, "zeroes have no ratio: {metric}");
            let has_numbers = !metric["base"].is_null() || !metric["head"].is_null();
            assert_ne!(has_numbers, metric["outcome"] == "not-measured", "{metric}");
        }
        assert!(workload["outcome"] != "not-measured" || workload["explained"].is_null(), "{workload}");
        // Where there is no class, there is a reason.
        let unknown = workload["unmeasured"]["bottleneck"].is_string();
        assert_eq!(workload["bottleneck"].is_null(), unknown, "{workload}");
    }
    for change in list(analysis, "changes") {
        let nulls = ["self", "total", "low", "high", "samples"].map(|key| change[key].is_null());
        let unmeasured = change["heat"] == "unmeasured" || change["heat"].is_null();
        assert!(nulls.iter().all(|null| *null == unmeasured), "{change}");
    }
}

fn has_the_required_headings(markdown: &str) {
    let headings: Vec<&str> = markdown.lines().filter(|line| line.starts_with('#')).collect();
    assert_eq!(headings, HEADINGS, "{markdown}");
    for bullet in ["- Metric: ", "- Target: ", "- Gap: "] {
        assert!(markdown.lines().any(|line| line.starts_with(bullet)), "{bullet}\n{markdown}");
    }
}

/// One line per regression and finding, then the verdict.
fn short_has_a_line_for_each(short: &str, analysis: &Value) {
    let lines: Vec<&str> = short.lines().collect();
    let (verdict, rest) = lines.split_last().unwrap();
    assert!(verdict.starts_with("Verdict: failed") && verdict.ends_with("exit 100"), "{short}");
    let open = list(analysis, "workloads").iter().filter(|one| one["outcome"] == "slower" || one["outcome"] == "inconclusive");
    assert_eq!(rest.len(), open.count() + list(analysis, "findings").len(), "{short}");
    let place = regex::Regex::new(r"^src/\w+\.rs:\d+: error\[[\w-]+\]: .+").unwrap();
    assert!(rest.iter().any(|line| place.is_match(line)), "an editor can jump there: {short}");
}

fn human_is_plain_and_ends_with_the_verdict(human: &str) {
    assert!(human.lines().last().unwrap().starts_with("Verdict: failed"), "{human}");
    assert!(human.chars().all(|one| one == '\n' || !one.is_control()), "{human:?}");
    assert!(human.ends_with('\n') && !human.ends_with("\n\n"));
}

/// Every file of the evidence and builds, with its time.
fn files(dir: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        }
        found.insert(entry.path(), entry.metadata().unwrap().modified().unwrap());
    }
    found
}

fn heats(analysis: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    list(analysis, "changes").iter().map(|change| (text(&change["item"]), text(&change["heat"]))).collect()
}

/// `check` says of each changed item what `verify` said, and leaves everything as it was.
fn check_agrees_and_runs_nothing(repo: &Repo, verified: &Value) -> Value {
    let before = files(&repo.root().join("target"));
    let begun = Instant::now();
    let run = repo.run(&["check", "--message-format", "json"]);
    assert!(begun.elapsed() < WITHOUT_RUNNING, "{:?}", begun.elapsed());
    assert_eq!(files(&repo.root().join("target")), before);
    let checked = run.json();
    fits_the_schema(&checked);
    unmeasured_is_null(&checked);
    assert_eq!(heats(&checked), heats(verified));
    assert_eq!(checked["command"], "check");
    assert_eq!(run.code, checked["exit_code"].as_i64().unwrap() as i32);
    checked
}

#[test]
fn a_regression_in_every_format() {
    let repo = verified("hot-slower");
    let stored = analysis(&repo, &[]);
    unmeasured_is_null(&stored);
    assert_eq!((&stored["command"], &stored["verdict"]), (&"verify".into(), &"fail".into()));
    let workload = &stored["workloads"][0];
    assert!(workload["profile"]["samples"].as_u64().unwrap() > 100, "{workload}");
    assert!(workload["metrics"][0]["ratio"].as_f64().unwrap() > 1.4, "about twice as slow: {workload}");

    let markdown = report(&repo, &["--message-format", "markdown"]);
    has_the_required_headings(&markdown);
    assert!(markdown.contains("edit `words::scan::checksum`"), "{markdown}");
    short_has_a_line_for_each(&report(&repo, &["--message-format", "short"]), &stored);
    let human = report(&repo, &[]);
    human_is_plain_and_ends_with_the_verdict(&human);
    human_is_plain_and_ends_with_the_verdict(&report(&repo, &["--color", "auto"]));
    assert!(report(&repo, &["--color", "always"]).contains("\u{1b}["), "colour is there for who asks");
    assert!(markdown.contains("`scan` is "), "its bottleneck: {markdown}");
    insta::with_settings!({ filters => vec![
        (r"\b[0-9a-f]{7}\b", "COMMIT"),
        // Which further metrics are worth a line depends on the machine.
        (r"(?m)^  [a-z_]+(\.[a-z0-9_]+)* +[\d-].*\n", ""),
        (r"(?m)^warning: .*\n", ""),
        (r"(?m)^  \w+: [a-z]+(-bound)?: .*; confidence .*\n", ""),
        (r"(?m)^  \w+: wall clock.*\n", ""),
        // What grew, or is waited longer, is only told with samples enough.
        (r"(?m)^  \w+: [-+][\d.]+ \S+ \[.*\n", ""),
        (r"[-+]?\d+(\.\d+)? (ns|µs|ms|s)\b", "TIME"),
        (r"[-+]\d+(\.\d+)?", "N"),
        (r"\d+(\.\d+)? %", "N %"),
        (r"\[\d+(\.\d+)?, \d+(\.\d+)?\]", "[N, N]"),
        (r"\d+ samples", "N samples"),
        (r"\((base|head), N samples", "(SIDE, N samples"),
        (r"≤ [\d.]+x|over 100x", "BOUND"),
        (r"  +BOUND\n", "\n"),
        (r" {2,}", "  "),
    ]}, { insta::assert_snapshot!("regression_human", human) });

    let checked = check_agrees_and_runs_nothing(&repo, &stored);
    assert_eq!(checked["exit_code"], 0, "nothing was measured, so nothing can fail: {checked:#}");

    let baseline = analysis(&repo, &["--baseline", "default"]);
    unmeasured_is_null(&baseline);
    assert_eq!((&baseline["command"], &baseline["changes"]), (&"baseline".into(), &Value::Array(Vec::new())));
    assert_eq!(baseline["workloads"][0]["id"], "scan");
    assert!(baseline["base"].is_null() && baseline["workloads"][0]["metrics"][0]["head"].is_null());
    assert!(report(&repo, &["--baseline", "default"]).contains("Baseline: 1 workload, 1 measured, 1 profiled"));
    has_the_required_headings(&report(&repo, &["--baseline", "default", "--message-format", "markdown"]));
    let kept = repo.run(&["report", "--baseline", "defalt"]);
    assert_eq!(kept.code, 102, "{}", kept.stderr);
    assert!(kept.stderr.contains("`default`"), "the nearest name: {}", kept.stderr);
}

#[test]
fn a_finding_in_every_format() {
    let repo = verified("cold-unsafe");
    let stored = analysis(&repo, &[]);
    unmeasured_is_null(&stored);
    let finding = &stored["findings"][0];
    assert_eq!((&finding["rule"], &finding["severity"]), (&"PE-201".into(), &"error".into()));
    assert!(finding["bound"]["share"].as_f64().unwrap() < 0.01, "{finding}");

    let markdown = report(&repo, &["--message-format", "markdown"]);
    has_the_required_headings(&markdown);
    assert!(markdown.contains("PE-201") && markdown.contains("`src/setup.rs:10`"), "{markdown}");
    short_has_a_line_for_each(&report(&repo, &["--message-format", "short"]), &stored);
    let human = report(&repo, &[]);
    human_is_plain_and_ends_with_the_verdict(&human);
    let lines = human.lines().skip_while(|line| !line.starts_with("error[PE-201]")).skip(1);
    // What was measured is another figure each time.
    let shown: Vec<&str> = lines.filter(|line| !line.contains("`scan` changed by")).take(7).collect();
    insta::assert_snapshot!("finding_human", shown.join("\n"));

    let checked = check_agrees_and_runs_nothing(&repo, &stored);
    assert_eq!(checked["findings"][0]["rule"], "PE-201", "{checked:#}");
}

#[test]
fn without_an_analysis_the_report_says_what_to_do() {
    let repo = Repo::new("hot-slower");
    for args in [&["report"][..], &["report", "--baseline", "default"], &["check"]] {
        let run = repo.run(args);
        assert!(run.code == 101 || run.code == 102, "{args:?}: {}", run.stderr);
        assert!(run.stderr.contains("cargo perf-expert baseline"), "{args:?}: {}", run.stderr);
    }
    assert!(!repo.root().join("target/perf-expert").exists(), "reading leaves no trace");
}
