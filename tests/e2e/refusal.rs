//! Machines that refuse to sample or to trace: everything else still works, and nothing is claimed that was not seen.

use crate::common::{Repo, Run};
use serde_json::Value;

const REFUSED: &str = "PERF_EXPERT_SIMULATE_REFUSAL";

fn run(repo: &Repo, args: &[&str], what: &str) -> Run {
    // Without the engine that would sample instead.
    let run = repo.run_with(args, &[(REFUSED, what), ("PERF_EXPERT_ENGINE", "perf")], b"");
    assert_eq!(run.code, 0, "{args:?}\n{}\n{}", run.stdout, run.stderr);
    run
}

/// Which setting refuses, and what to type: both depend on this machine's kernel and container.
fn says_why_and_the_way_out(text: &str) {
    assert!(text.contains("EACCES") && text.contains("perf_event_paranoid"), "{text}");
    assert!(text.contains("sysctl kernel.perf_event_paranoid=2") || text.contains("--cap-add PERFMON"), "{text}");
}

fn warnings(analysis: &Value) -> String {
    analysis["environment"]["warnings"].to_string()
}

#[test]
fn without_a_sampler_it_measures_and_claims_no_heat() {
    let repo = Repo::new("hot-slower");
    let baseline = run(&repo, &["baseline", "-q", "--message-format", "json"], "EACCES").json();
    assert_eq!(baseline["environment"]["engine"], "none");
    says_why_and_the_way_out(&warnings(&baseline));
    assert!(baseline["workloads"][0]["metrics"][0]["base"].as_f64().unwrap() > 0.0, "it is measured all the same");
    assert!(baseline["workloads"][0]["profile"].is_null());

    repo.apply_head();
    let analysis =
        run(&repo, &["verify", "-q", "--no-tests", "--profile-time", "4", "--message-format", "json"], "EACCES").json();
    assert_eq!(analysis["environment"]["engine"], "none");
    says_why_and_the_way_out(&warnings(&analysis));
    let (workload, change) = (&analysis["workloads"][0], &analysis["changes"][0]);
    assert!(workload["metrics"][0]["ratio"].as_f64().unwrap() > 1.4, "about twice as slow: {workload}");
    assert_ne!(workload["explained"], true, "no stack shows the changed item: {workload}");
    assert_eq!(workload["explained_by"], Value::Array(Vec::new()));
    assert!(workload["profile"].is_null() && workload["hot_path"].as_array().unwrap().is_empty());
    assert_eq!((&change["item"], &change["heat"]), (&"words::scan::checksum".into(), &"unmeasured".into()));
    assert!(change["total"].is_null() && change["samples"].is_null() && change["workload"].is_null());
    assert!(!change["heat_reason"].as_str().unwrap().is_empty());
    assert_ne!(analysis["verdict"], "fail");

    says_why_and_the_way_out(&repo.run(&["report"]).stdout);
    let markdown = repo.run(&["report", "--message-format", "markdown"]).stdout;
    assert!(markdown.contains("profiling data is missing"), "{markdown}");
    let first = markdown.lines().find(|line| line.starts_with("1. ")).unwrap();
    assert!(first.to_lowercase().contains("gather profile/baseline"), "{first}");
    let implementation = markdown.split("### Implementation").nth(1).unwrap();
    assert!(implementation.trim_start().starts_with("Not started"), "{markdown}");
}

#[test]
fn a_profile_of_one_side_is_not_lost_when_the_other_cannot_be_sampled() {
    let repo = Repo::new("cold-unsafe");
    assert_eq!(repo.run(&["baseline", "-q", "--profile-time", "4"]).code, 0);
    repo.apply_head();
    let checked = repo.run_with(&["check", "--message-format", "json"], &[(REFUSED, "EACCES")], b"").json();
    assert_eq!(checked["changes"][0]["heat"], "cold", "the stored profile still tells: {checked:#}");
}

#[test]
fn without_tracing_an_item_that_no_sample_shows_is_unmeasured_and_never_cold() {
    let repo = Repo::new("unreached");
    run(&repo, &["baseline", "-q", "--profile-time", "4"], "PTRACE");
    repo.apply_head();
    // The rounds are not what this is about.
    let verify = ["verify", "-q", "--no-tests", "--profile-time", "4", "--max-time", "5s", "--message-format", "json"];
    for command in [&verify[..], &["check", "--message-format", "json"]] {
        let analysis = run(&repo, command, "PTRACE").json();
        let change = &analysis["changes"][0];
        assert_eq!((&change["item"], &change["heat"]), (&"words::rare::describe".into(), &"unmeasured".into()), "{command:?}");
        assert!(change["heat_reason"].as_str().unwrap().contains("ptrace"), "{change}");
        assert!(change["total"].is_null(), "{change}");
        for finding in analysis["findings"].as_array().unwrap() {
            assert_eq!(finding["severity"], "info", "nothing dynamic supports it: {finding}");
        }
        if analysis["command"] == "verify" {
            assert_eq!(analysis["environment"]["engine"], "perf_event", "sampling is another matter");
            assert!(analysis["workloads"][0]["profile"]["samples"].as_u64().unwrap() > 100);
        }
    }
}
