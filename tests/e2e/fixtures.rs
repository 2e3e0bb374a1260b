//! Every fixture pair through the real binary: what changed, how hot it is, what was measured, and which rules fired.
//!
//! Each case lists the whole set of findings, so that a rule which fires where it should not is seen.

use crate::common::Repo;
use serde_json::Value;

/// What one fixture must come to.
struct Expected {
    code: i32,
    /// (item path's end, kind, heat); `""` heat: any. Items that are not listed may only be `moved` or `ambient`.
    changes: &'static [(&'static str, &'static str, &'static str)],
    /// Outcome of the bench `scan`; `""`: any.
    outcome: &'static str,
    /// Every finding: (rule, severity).
    findings: &'static [(&'static str, &'static str)],
}

fn verify(case: &str) -> (Repo, crate::common::Run) {
    let repo = Repo::new(case);
    let baseline = repo.run(&["baseline", "-q"]);
    assert_eq!(baseline.code, 0, "{}\n{}", baseline.stdout, baseline.stderr);
    repo.apply_head();
    let run = repo.run(&["verify", "-q", "--no-tests", "--message-format", "json"]);
    (repo, run)
}

fn changes(analysis: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = analysis["changes"].as_array().unwrap();
    list.iter().map(|change| (text(&change["item"]), text(&change["kind"]), text(&change["heat"]))).collect()
}

fn check(case: &str, expected: &Expected) -> Value {
    let (_repo, run) = verify(case);
    let analysis = run.json();
    let shown = format!("{case}: {}\n{}", run.stdout, run.stderr);
    assert_eq!(run.code, expected.code, "{shown}");
    assert_eq!(analysis["exit_code"], expected.code, "{shown}");

    let found = changes(&analysis);
    for (item, kind, heat) in expected.changes {
        let hit = found.iter().find(|(path, k, _)| path.ends_with(item) && k == kind);
        let Some((_, _, seen)) = hit else { panic!("no {kind} {item}\n{shown}") };
        assert!(heat.is_empty() || seen == heat, "{item} is {seen}, not {heat}\n{shown}");
    }
    for (path, kind, _) in &found {
        let listed = expected.changes.iter().any(|(item, k, _)| path.ends_with(item) && kind == k);
        assert!(listed || kind == "moved" || kind == "ambient", "unexpected {kind} {path}\n{shown}");
    }

    let outcome = analysis["workloads"].as_array().unwrap().iter().find(|w| w["id"] == "scan").map(|w| w["outcome"].clone());
    if !expected.outcome.is_empty() {
        assert_eq!(outcome.unwrap_or_default(), expected.outcome, "{shown}");
    }
    let mut findings: Vec<(&str, &str)> = analysis["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| (finding["rule"].as_str().unwrap(), finding["severity"].as_str().unwrap()))
        .collect();
    findings.sort_unstable();
    assert_eq!(findings, expected.findings, "{shown}");
    analysis
}

#[test]
fn a_hot_function_made_slower_fails_with_its_name() {
    let expected = Expected { code: 100, changes: &[("scan::checksum", "modified", "hot")], outcome: "slower", findings: &[] };
    let analysis = check("hot-slower", &expected);
    let workload = &analysis["workloads"][0];
    assert_eq!(workload["explained"], true);
    assert!(workload["explained_by"][0].as_str().unwrap().ends_with("scan::checksum"));
    assert!(workload["metrics"][0]["low"].as_f64().unwrap() > 1.2);
    // Whether links could be made or not, every pair of executables shows it.
    let confirmation = &workload["confirmation"];
    let links = confirmation["links"].as_array().unwrap();
    assert_eq!(confirmation["agreeing"], links.len(), "{confirmation:#}");
    assert!(links.len() == 6 || (links.len() == 1 && confirmation["note"].is_string()), "{confirmation:#}");
    let witness = &workload["witness"];
    if witness["counter"] == "callgrind" {
        assert!(witness["conclusion"].as_str().unwrap().starts_with("confirmed: +"), "{witness:#}");
        assert!(witness["items"][0]["item"].as_str().unwrap().ends_with("scan::checksum"), "{witness:#}");
    } else {
        assert!(witness["conclusion"].as_str().unwrap().contains("valgrind"), "{witness:#}");
    }
}

#[test]
fn a_hot_function_made_faster_is_reported_as_faster() {
    check(
        "hot-faster",
        &Expected { code: 0, changes: &[("scan::checksum", "modified", "hot")], outcome: "faster", findings: &[] },
    );
}

#[test]
fn unsafe_in_a_cold_function_is_an_error() {
    let expected = Expected {
        code: 100,
        changes: &[("setup::parse_limit", "modified", "cold")],
        outcome: "",
        findings: &[("PE-201", "error")],
    };
    check("cold-unsafe", &expected);
}

#[test]
fn with_capacity_in_a_cold_function_is_silent() {
    check(
        "cold-with-capacity",
        &Expected { code: 0, changes: &[("setup::words", "modified", "cold")], outcome: "", findings: &[] },
    );
}

#[test]
fn a_change_of_comments_and_docs_is_no_change() {
    let analysis = check("docs-only", &Expected { code: 0, changes: &[], outcome: "", findings: &[] });
    assert!(analysis["changes"].as_array().unwrap().is_empty());
}

#[test]
fn a_function_in_another_file_is_moved_not_changed() {
    let analysis = check("moved", &Expected { code: 0, changes: &[], outcome: "", findings: &[] });
    assert!(changes(&analysis).iter().any(|(path, kind, _)| path.ends_with("checksum") && kind == "moved"));
}

#[test]
fn a_deleted_hot_function_has_the_heat_of_the_base_profile() {
    let expected = Expected {
        code: 0,
        changes: &[("scan::mix", "deleted", "hot"), ("scan::checksum", "modified", "hot")],
        outcome: "faster",
        findings: &[],
    };
    check("deleted-hot", &expected);
}

#[test]
fn a_renamed_file_is_no_change_of_its_items() {
    check("renamed-file", &Expected { code: 0, changes: &[], outcome: "", findings: &[] });
}

#[test]
fn the_body_of_a_macro_is_the_changed_item() {
    check("macro-body", &Expected { code: 100, changes: &[("fold_step!", "modified", "hot")], outcome: "slower", findings: &[] });
}

#[test]
fn a_generic_of_another_crate_is_hot_where_it_is_used() {
    let expected = Expected { code: 100, changes: &[("fold::fold", "modified", "hot")], outcome: "slower", findings: &[] };
    check("workspace-generic", &expected);
}

#[test]
fn a_closure_belongs_to_its_function() {
    check(
        "closure",
        &Expected { code: 100, changes: &[("scan::checksum", "modified", "hot")], outcome: "slower", findings: &[] },
    );
}

#[test]
fn a_trait_default_method_is_hot() {
    check(
        "trait-default",
        &Expected { code: 100, changes: &[("Fold::fold", "modified", "hot")], outcome: "slower", findings: &[] },
    );
}

#[test]
fn an_attribute_alone_is_a_change_of_a_hot_function() {
    check(
        "attribute-only",
        &Expected { code: 100, changes: &[("scan::mix", "attributes", "hot")], outcome: "slower", findings: &[] },
    );
}

#[test]
fn a_const_table_is_ambient() {
    let analysis = check("const-table", &Expected { code: 0, changes: &[], outcome: "", findings: &[] });
    assert!(changes(&analysis).iter().any(|(path, kind, _)| path.ends_with("FACTORS") && kind == "ambient"));
}

#[test]
fn a_function_that_no_bench_runs_is_unmeasured_and_never_cold() {
    let (_repo, run) = verify("unreached");
    let analysis = run.json();
    assert_eq!(run.code, 0, "{}", run.stdout);
    assert_eq!(changes(&analysis), [("words::rare::describe".into(), "modified".into(), "unmeasured".into())]);
    for finding in analysis["findings"].as_array().unwrap() {
        assert_eq!(finding["severity"], "info", "{finding}");
    }
}

#[test]
fn a_file_that_does_not_parse_gives_approximate_items() {
    let (_repo, run) = verify("does-not-parse");
    let analysis = run.json();
    assert_eq!(run.code, 0, "{}", run.stdout);
    assert!(analysis["changes"].as_array().unwrap().iter().all(|change| change["approximate"] == true), "{}", run.stdout);
    assert!(!analysis["changes"].as_array().unwrap().is_empty());
}

#[test]
fn without_a_baseline_and_a_way_to_make_one_the_exit_code_is_102() {
    let repo = Repo::new("no-baseline");
    repo.apply_head();
    let run = repo.run(&["verify", "--no-tests"]);
    assert_eq!(run.code, 102, "{}\n{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("summ"), "cargo's own error is shown: {}", run.stderr);
    assert_eq!(crate::common::checkouts(&repo), Vec::<std::path::PathBuf>::new());
}
