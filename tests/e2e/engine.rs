//! Which engine samples: the kernel's events, the pprof agent where the kernel refuses, or what the user wants.

use std::io::Write;

use crate::common::{Repo, Run};
use serde_json::Value;

const REFUSED: (&str, &str) = ("PERF_EXPERT_SIMULATE_REFUSAL", "EACCES");

/// The built agent outlives the test; the unit tests use the same one.
const CACHE: (&str, &str) = ("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/xdg-cache"));

fn warnings(analysis: &Value) -> String {
    analysis["environment"]["warnings"].to_string()
}

fn run(repo: &Repo, args: &[&str], env: &[(&str, &str)]) -> Run {
    let run = repo.run_with(args, env, b"");
    assert!([0, 100].contains(&run.code), "{args:?}\n{}\n{}", run.stdout, run.stderr);
    run
}

#[test]
fn where_the_kernel_refuses_the_agent_samples_and_the_report_says_why() {
    let repo = Repo::new("hot-slower");
    let env = [REFUSED, CACHE];
    let baseline = run(&repo, &["baseline", "-q", "--offline", "--message-format", "json"], &env).json();
    let said = warnings(&baseline);
    if said.contains("not in cargo's cache") {
        std::io::stderr().write_all(format!("SKIPPED a test of the pprof agent: {said}\n").as_bytes()).unwrap();
        return;
    }
    assert_eq!(baseline["environment"]["engine"], "pprof-agent", "{said}");
    for part in ["sampled by the pprof agent", "per CPU second", "EACCES", "perf_event_paranoid"] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    let profile = &baseline["workloads"][0]["profile"];
    assert!(profile["samples"].as_u64().unwrap() > 100 && profile["frequency"].as_u64().unwrap() < 999, "{profile}");
    let hottest = &baseline["workloads"][0]["hot_path"][0];
    assert!(hottest["total"].as_f64().unwrap() > 0.5, "{hottest}");

    repo.apply_head();
    let verify = run(&repo, &["verify", "-q", "--offline", "--no-tests", "--message-format", "json"], &env);
    let analysis = verify.json();
    assert_eq!(analysis["environment"]["engine"], "pprof-agent");
    let change = &analysis["changes"][0];
    assert_eq!((&change["item"], &change["heat"]), (&"words::scan::checksum".into(), &"hot".into()), "{change}");
    assert_eq!((&analysis["verdict"], verify.code), (&"fail".into(), 100), "{analysis:#}");
    assert!(repo.run(&["report"]).stdout.contains("pprof agent"));
}

#[test]
fn an_agent_that_cannot_be_built_says_what_is_missing_and_fails_nothing() {
    let repo = Repo::new("hot-slower");
    let empty = tempfile::tempdir().unwrap();
    let home = empty.path().to_str().unwrap();
    let env = [REFUSED, ("XDG_CACHE_HOME", home), ("CARGO_HOME", home)];
    let run = run(&repo, &["baseline", "-q", "--offline", "--message-format", "json"], &env);
    let (baseline, code) = (run.json(), run.code);
    assert_eq!((code, &baseline["environment"]["engine"]), (0, &"none".into()));
    let said = warnings(&baseline);
    for part in ["EACCES", "pprof 0.15.0", "not in cargo's cache", "once without `--offline`"] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    assert!(baseline["workloads"][0]["metrics"][0]["base"].as_f64().unwrap() > 0.0, "it is measured all the same");
    assert!(baseline["workloads"][0]["profile"].is_null());
}

#[test]
fn the_user_can_do_without_samples() {
    let repo = Repo::new("hot-slower");
    let baseline = run(&repo, &["baseline", "-q", "--engine", "none", "--message-format", "json"], &[]).json();
    assert_eq!(baseline["environment"]["engine"], "none");
    assert!(warnings(&baseline).contains("--engine none"));
}
