//! Which functions take another time at head, and the picture of it.

use crate::common::Repo;
use serde_json::Value;

fn scan(analysis: &Value) -> &Value {
    analysis["workloads"].as_array().unwrap().iter().find(|one| one["id"] == "scan").unwrap()
}

#[test]
fn a_regression_names_the_function_that_grew_and_draws_it() {
    let repo = Repo::new("hot-slower");
    assert_eq!(repo.run(&["baseline", "-q"]).code, 0);
    let early = repo.run(&["report", "--export", "flamegraph-diff"]);
    assert!(early.code == 2 && early.stderr.contains("no `verify` here has compared"), "{}", early.stderr);
    repo.apply_head();
    // Without a run, what the baseline knows of the workload that the change is in.
    let stored = repo.run(&["check", "--message-format", "json"]).json();
    assert_eq!(scan(&stored)["owners"][0]["item"], "words::scan::checksum", "{stored:#}");
    let analysis = repo.run(&["verify", "-q", "--no-tests", "--message-format", "json"]).json();
    let workload = scan(&analysis);
    let owner = &workload["owners"][0];
    assert_eq!((&owner["item"], &owner["state"]), (&"words::scan::checksum".into(), &"running".into()), "{owner}");
    assert!(owner["low"].as_f64().unwrap() > 0.5 && owner["stack"].as_array().unwrap().len() <= 8, "{owner}");

    let svg = repo.run(&["report", "--export", "flamegraph-diff"]);
    assert!(svg.code == 0 && svg.stdout.trim_end().ends_with("</svg>"), "{}", svg.stderr);
    for part in ["scan: head compared with base, widths of head", "words::scan::checksum"] {
        assert!(svg.stdout.contains(part), "{part}");
    }

    // A loaded machine may give too few samples; then that is said.
    let Some(grown) = workload["growth"]["places"].get(0) else {
        let why = workload["unmeasured"]["growth"].as_str().unwrap_or_default();
        assert!(why.contains("fewer than 300"), "{workload:#}");
        return;
    };
    assert_eq!(
        (&grown["owner"], &grown["through"]),
        (&"words::scan::checksum".into(), &"words::scan::checksum".into()),
        "{grown}"
    );
    assert!(grown["low"].as_f64().unwrap() > 0.0 && grown["file"] == "src/scan.rs", "{grown}");
    let page = repo.run(&["report"]).stdout;
    assert!(page.contains("in `words::scan::checksum`"), "{page}");
}

#[test]
fn nothing_grew_where_nothing_changed() {
    let repo = Repo::new("hot-slower");
    assert_eq!(repo.run(&["baseline", "-q"]).code, 0);
    let run = repo.run(&["verify", "-q", "--no-tests", "--remeasure", "--message-format", "json"]);
    let analysis = run.json();
    assert!(scan(&analysis)["growth"].is_null(), "{analysis:#}");
}
