//! Who waits longer at head.

use std::io::Write;

use crate::common::Repo;

#[test]
fn who_sleeps_with_a_lock_is_named_and_the_verdict_is_what_it_was() {
    let repo = Repo::new("waits-more");
    assert_eq!(repo.run(&["baseline", "-q"]).code, 0);
    repo.apply_head();
    let run = repo.run(&["verify", "-q", "--no-tests", "--no-layout", "--no-witness", "--message-format", "json"]);
    let analysis = run.json();
    let workload = &analysis["workloads"][0];
    // No changed item holds enough of the CPU time to explain it: what is waited explains nothing to the verdict.
    assert!(analysis["exit_code"] == 0 && run.code == 0, "{workload:#}");
    let Some(place) = workload["waiting"]["places"].get(0) else {
        // A loaded machine gives the looks at its threads no time; then nothing is claimed.
        let why = &workload["unmeasured"]["waiting"];
        let _nobody_listens = writeln!(std::io::stderr(), "skipped: no wait stood out: {} {why}", workload["waiting"]);
        return;
    };
    let append = "journal::journal::Journal::append";
    assert_eq!((&place["owner"], &place["through"], &place["file"]), (&append.into(), &append.into(), &"src/journal.rs".into()));
    assert!(place["wait"] == "lock" || place["wait"] == "sleep", "{place}");
    assert!(place["time"]["low"].as_f64().unwrap() > 0.0, "{place}");
    let page = repo.run(&["report"]).stdout;
    assert!(page.contains("under `journal::journal::Journal::append` (changed, src/journal.rs:"), "{page}");
}
