//! Objectives in the configuration: shown by a baseline, and failing a verdict only when this change breaks them.

use serde_json::Value;

use crate::common::Repo;

const STEP: &str = "        sum = (sum ^ (sum >> 29)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);\n";

/// The manifest with objectives of the bench `scan`; the first one is about its time, nanoseconds.
fn with_objectives(manifest: &str, time: f64) -> String {
    format!(
        "{manifest}\n[[package.metadata.perf-expert.workload]]\nname = \"scan\"\nbench = \"scan\"\n\
         slo = {{ \"latency.p50\" = \"{time:.0}ns\", \"memory.peak_rss\" = \"64GiB\", \"latency.p99\" = \"1h\" }}\n"
    )
}

fn objective<'a>(analysis: &'a Value, metric: &str) -> &'a Value {
    let workload = analysis["workloads"].as_array().unwrap().iter().find(|one| one["id"] == "scan").unwrap();
    let found = workload["slo"].as_array().unwrap().iter().find(|one| one["metric"] == metric);
    found.unwrap_or_else(|| panic!("no {metric}: {workload:#}"))
}

#[test]
fn an_objective_fails_only_when_base_met_it_and_the_change_breaks_it() {
    let repo = Repo::new("hot-slower");
    let manifest = repo.read("Cargo.toml");
    let first = repo.run(&["baseline", "-q", "--profile-time", "0.5", "--message-format", "json"]);
    assert_eq!(first.code, 0, "{}\n{}", first.stdout, first.stderr);
    let base = first.json()["workloads"][0]["metrics"][0]["base"].as_f64().unwrap();
    repo.apply_head();
    let scan = repo.read("src/scan.rs");
    repo.write("src/scan.rs", &scan.replace(STEP, &STEP.repeat(8)));

    // Head takes several times as long: the target lies between the sides, whatever else this machine does.
    repo.write("Cargo.toml", &with_objectives(&manifest, 2.5 * base));
    let args = ["verify", "-q", "--no-tests", "--fail-on", "slo", "--message-format", "json"];
    let run = repo.run(&args);
    let analysis = run.json();
    assert_eq!(run.code, 100, "{analysis:#}\n{}", run.stderr);
    let time = objective(&analysis, "latency.p50");
    assert_eq!((&time["met_at_base"], &time["met_at_head"], &time["explained"]), (&true.into(), &false.into(), &true.into()));
    assert!(time["low"].as_f64() > time["target"].as_f64(), "{time}");
    assert!(analysis["reasons"][0].as_str().unwrap().contains("misses its target"), "{analysis:#}");
    // Of a program that takes less than the tool itself, nobody can tell how much.
    let memory = objective(&analysis, "memory.peak_rss");
    assert!(memory["met_at_head"] == true || (memory["head"].is_null() && memory["reason"].is_string()), "{memory}");
    let tail = objective(&analysis, "latency.p99");
    assert!(tail["head"].is_null() && tail["met_at_head"].is_null() && tail["reason"].is_string(), "{tail}");
    let human = repo.run(&["report"]).stdout;
    assert!(human.contains("scan: latency.p50 at most ") && human.contains("violated by `words::scan::checksum`"), "{human}");
    let markdown = repo.run(&["report", "--message-format", "markdown"]).stdout;
    assert!(
        markdown.contains("- Target: at most ") && markdown.contains(" over (violated by `words::scan::checksum`"),
        "{markdown}"
    );

    // Violated on both sides: shown, and no failure.
    repo.write("Cargo.toml", &with_objectives(&manifest, 0.2 * base));
    let run = repo.run(&args);
    let analysis = run.json();
    assert_ne!(run.code, 100, "{analysis:#}");
    let time = objective(&analysis, "latency.p50");
    assert_eq!((&time["met_at_base"], &time["met_at_head"], &time["explained"]), (&false.into(), &false.into(), &Value::Null));
    assert!(repo.run(&["report"]).stdout.contains("violated, as at base"));

    // A baseline shows the target and the gap of its one side.
    repo.write("Cargo.toml", &with_objectives(&manifest, 100.0 * base));
    let baseline = repo.run(&["baseline", "-q", "--profile-time", "0.5", "--allow-dirty", "--message-format", "markdown"]);
    assert_eq!(baseline.code, 0, "{}", baseline.stderr);
    assert!(baseline.stdout.contains("- Target: at most ") && baseline.stdout.contains("- Gap: none, "), "{}", baseline.stdout);
}

#[test]
fn objectives_of_a_program_get_the_rounds_that_they_need() {
    let main = "fn main() {\n    let words = words::setup::words(4096);\n    for _ in 0..200 {\n        \
                std::hint::black_box(words::scan::checksum(std::hint::black_box(&words)));\n    }\n}\n";
    let repo = Repo::new("hot-slower");
    repo.write("src/main.rs", main);
    let table = "\n[[package.metadata.perf-expert.workload]]\nname = \"scan-all\"\nbin = \"words\"\n\
                 throughput = { bytes = \"32KiB\" }\n\
                 slo = { \"latency.p95\" = \"1h\", \"latency.p99\" = \"1h\", \"error_rate\" = \"50%\", \"throughput\" = \"1B/s\" }\n";
    repo.write("Cargo.toml", &format!("{}{table}", repo.read("Cargo.toml")));
    repo.commit("Add a program with objectives");
    // Other code, and no other speed.
    repo.write("src/main.rs", &main.replace("0..200", "0..=200"));
    let run = repo.run(&["verify", "-q", "--no-tests", "--bin", "words", "--message-format", "json"]);
    let analysis = run.json();
    let program = analysis["workloads"].as_array().unwrap().iter().find(|one| one["id"] == "scan-all").unwrap();
    let slo = |metric: &str| program["slo"].as_array().unwrap().iter().find(|one| one["metric"] == metric).unwrap();
    for metric in ["latency.p95", "error_rate", "throughput"] {
        assert_eq!((&slo(metric)["met_at_base"], &slo(metric)["met_at_head"]), (&true.into(), &true.into()), "{program:#}");
    }
    assert!(slo("latency.p99")["head"].is_null() && slo("latency.p99")["reason"].as_str().unwrap().contains("368 runs"));
    let metric = |name: &str| program["metrics"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap();
    assert!(metric("latency.p95")["rounds"].as_u64().unwrap() >= 72, "{program:#}");
    let (work, time) = (metric("throughput"), metric("latency.p50"));
    assert_eq!(work["unit"], "B/s");
    let product = work["head"].as_f64().unwrap() * time["head"].as_f64().unwrap();
    assert!((product / 1e9 - 32_768.0).abs() < 1.0, "{work} {time}");
}
