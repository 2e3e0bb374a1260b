//! `doctor`: what it says of this machine, of one that refuses, of places without a package, and its self-test.

use serde_json::Value;

use crate::common::{Repo, Run, run_in};

const REFUSED: &str = "PERF_EXPERT_SIMULATE_REFUSAL";

fn check<'a>(diagnosis: &'a Value, id: &str) -> &'a Value {
    let found = diagnosis["checks"].as_array().unwrap().iter().find(|check| check["id"] == id);
    found.unwrap_or_else(|| panic!("no check {id}: {diagnosis:#}"))
}

fn is_valid(run: &Run) -> Value {
    let value = run.json();
    let schema: Value = serde_json::from_str(perf_expert::report::DOCTOR_SCHEMA).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    value
}

#[test]
fn there_is_one_line_per_check_and_an_answer() {
    let repo = Repo::new("hot-slower");
    let run = repo.run(&["doctor", "-q"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    insta::with_settings!({ filters => vec![
        // What is found differs between machines; which things are looked at does not.
        (r"(?m)^ +→ .*\n", ""),
        (r"(?m)^(?:ok|limited|missing) +(\S+(?: \S+)*)  .*$", "[status]  $1"),
        (r"(?m)^This machine can measure.*$", "[answer]"),
    ] }, {
        insta::assert_snapshot!("doctor_shape", run.stdout);
    });
    let short = repo.run(&["doctor", "-q", "--message-format", "short"]).stdout;
    assert!(short.lines().any(|line| line.starts_with("ok[toolchain]: cargo ")), "{short}");
    let markdown = repo.run(&["doctor", "-q", "--message-format", "markdown"]).stdout;
    assert!(markdown.starts_with("## Can this machine measure?") && markdown.contains("| cargo and rustc | ok |"), "{markdown}");
    let left: Vec<_> = std::fs::read_dir(repo.root().join("target/perf-expert")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_machine_that_refuses_to_sample_or_to_trace_can_still_measure_and_is_told_the_way_out() {
    let repo = Repo::new("hot-slower");
    let with = |what: &str| {
        let run = repo.run_with(&["doctor", "-q", "--message-format", "json"], &[(REFUSED, what)], b"");
        assert_eq!(run.code, 0, "{what}: {}\n{}", run.stdout, run.stderr);
        is_valid(&run)
    };
    for (errno, word) in [("EACCES", "perf_event_paranoid"), ("ENOSYS", "does not offer"), ("EMFILE", "open files")] {
        let diagnosis = with(errno);
        let sampling = check(&diagnosis, "sampling");
        assert_eq!(sampling["status"], "missing", "{sampling}");
        assert!(sampling["summary"].as_str().unwrap().contains(word), "{sampling}");
        assert!(!sampling["remedy"].as_str().unwrap().is_empty());
        assert_eq!(diagnosis["can_measure"], true);
    }
    let traced = with("PTRACE");
    let tracing = check(&traced, "executed-or-not");
    assert!(tracing["status"] == "missing" && tracing["remedy"].is_string(), "{tracing}");
    assert_eq!(check(&traced, "cpu-clock")["status"], "ok");
}

#[test]
fn without_a_package_and_a_repository_the_machine_is_checked_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let run = run_in(dir.path(), &["doctor", "-q", "--message-format", "json"], &[], b"");
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    let diagnosis = is_valid(&run);
    for id in ["repository", "package", "target-directory"] {
        assert_eq!(check(&diagnosis, id)["status"], "missing");
    }
    assert_eq!(check(&diagnosis, "toolchain")["status"], "ok");
    let tested = run_in(dir.path(), &["doctor", "-q", "--self-test"], &[], b"");
    assert_eq!(tested.code, 101, "a self-test needs something to measure: {}", tested.stderr);
    assert!(tested.stdout.contains("This machine can measure") && tested.stderr.contains("Cargo.toml"), "{}", tested.stderr);
}

#[test]
fn without_cargo_nothing_can_be_measured() {
    let repo = Repo::new("hot-slower");
    let run = repo.run_with(&["doctor", "-q", "--message-format", "json"], &[("CARGO", "/no/such/cargo")], b"");
    assert_eq!(run.code, 101, "{}\n{}", run.stdout, run.stderr);
    let diagnosis = is_valid(&run);
    assert_eq!((&diagnosis["can_measure"], &diagnosis["exit_code"]), (&false.into(), &101.into()));
    assert!(diagnosis["reasons"][0].as_str().unwrap().contains("/no/such/cargo"), "{diagnosis:#}");
    assert_eq!(check(&diagnosis, "git")["status"], "ok", "the rest is checked");
}

#[test]
fn a_self_test_finds_a_doubled_time_and_nothing_in_the_same_code() {
    let repo = Repo::new("hot-slower");
    // A tree that nobody committed is measured as it is.
    repo.write("src/extra.rs", "");
    let args = ["doctor", "-q", "--self-test", "--runs", "2", "--slowdown", "100", "--message-format", "json"];
    // Beyond what any neighbour of this test does to processes side by side.
    let run = repo.run_with(&args, &[("PERF_EXPERT_MARGIN", "35%")], b"");
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    let diagnosis = is_valid(&run);
    let test = &diagnosis["self_test"];
    assert_eq!((&test["workload"], &test["same"]["n"], &test["slowed"]["found"]["n"]), (&"scan".into(), &2.into(), &2.into()));
    assert_eq!(test["false_alarms"]["hits"], 0, "{test:#}");
    assert!(test["false_alarms"]["high"].as_f64().unwrap() > 0.5, "two verdicts prove little: {test:#}");
    assert_eq!(test["slowed"]["found"]["hits"], 2, "{test:#}");
    let change = test["slowed"]["verdicts"]["change"].as_f64().unwrap();
    assert!((0.6..1.6).contains(&change), "{test:#}");
    for left in ["scratch", "baselines/default", "analyses/last.json"] {
        assert!(!repo.root().join("target/perf-expert").join(left).exists(), "{left}");
    }
}

#[test]
fn a_self_test_that_makes_no_sense_is_refused() {
    let repo = Repo::new("hot-slower");
    for args in
        [&["doctor", "--runs", "3"][..], &["doctor", "--self-test", "--runs", "0"], &["doctor", "--self-test", "--slowdown", "0"]]
    {
        let run = repo.run(args);
        assert_eq!(run.code, 2, "{args:?}: {}\n{}", run.stdout, run.stderr);
    }
    let unknown = repo.run(&["doctor", "-q", "--self-test", "--workload", "scam"]);
    assert!(unknown.code != 0 && unknown.stderr.contains("did you mean `scan`?"), "{}", unknown.stderr);
}
