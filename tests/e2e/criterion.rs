//! A crate with criterion benchmarks, as most have them: three ids, one function behind two of them.

use crate::common::{Repo, Run};
use serde_json::Value;

const MANIFEST: &str = r#"[package]
name = "words"
version = "0.1.0"
edition = "2021"
publish = false

[dev-dependencies]
criterion = { version = "0.8", default-features = false, features = ["cargo_bench_support"] }

[lib]
bench = false

[[bench]]
name = "words"
harness = false

[[package.metadata.perf-expert.workload]]
name = "fold/*"
bench = "words"
slo = { "latency.p50" = "1h", "throughput" = 1, "wall" = "1h" }

[workspace]
"#;

const LIBRARY: &str = r"//! Two functions that share nothing.

/// Folds every word into one number.
#[inline(never)]
pub fn fold(words: &[u64]) -> u64 {
    let mut sum = 0x9e37_79b9_7f4a_7c15_u64;
    for &word in words {
        sum = (sum ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd).rotate_left(23);
    }
    sum
}

/// Counts the steps of a Collatz walk.
#[inline(never)]
pub fn walk(start: u64) -> u32 {
    let (mut at, mut steps) = (start, 0);
    while at != 1 {
        at = if at % 2 == 0 { at / 2 } else { 3 * at + 1 };
        steps += 1;
    }
    steps
}
";

const BENCH: &str = r#"use criterion::{criterion_group, criterion_main, Criterion};
use std::hint::black_box;

fn fold(c: &mut Criterion) {
    let words: Vec<u64> = (0..20_000).collect();
    let mut group = c.benchmark_group("fold");
    group.bench_function("small", |b| b.iter(|| words::fold(black_box(&words[..2_000]))));
    group.bench_function("large", |b| b.iter(|| words::fold(black_box(&words))));
    group.bench_function("tiny", |b| b.iter(|| words::fold(black_box(&words[..500]))));
    group.finish();
}

fn walk(c: &mut Criterion) {
    c.bench_function("walk", |b| b.iter(|| words::walk(black_box(837_799))));
}

criterion_group!(benches, fold, walk);
criterion_main!(benches);
"#;

const STEP: &str = "        sum = (sum ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd).rotate_left(23);\n";
const SECOND_STEP: &str = "        sum = (sum ^ (sum >> 29)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);\n";

fn run(repo: &Repo, args: &[&str]) -> Run {
    let args = [&[args[0], "-q", "--offline", "--message-format", "json"], &args[1..]].concat();
    repo.run_with(&args, &[("CARGO_NET_OFFLINE", "true")], b"")
}

fn workload<'a>(analysis: &'a Value, id: &str) -> &'a Value {
    let found = analysis["workloads"].as_array().unwrap().iter().find(|workload| workload["id"] == id);
    found.unwrap_or_else(|| panic!("no {id}: {analysis:#}"))
}

fn ids(analysis: &Value) -> Vec<&str> {
    let mut ids: Vec<&str> =
        analysis["workloads"].as_array().unwrap().iter().map(|workload| workload["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids
}

/// One story, so that criterion is built once.
#[test]
fn a_crate_with_criterion_benchmarks_from_baseline_to_verdict() {
    let repo = Repo::of_files("words", &[("Cargo.toml", MANIFEST), ("src/lib.rs", LIBRARY), ("benches/words.rs", BENCH)]);
    // Results that the user's own `cargo bench` has left.
    repo.write("target/criterion/fold/small/new/sample.json", "the user's own");
    let run_baseline = run(&repo, &["baseline"]);
    assert_eq!(run_baseline.code, 0, "{}\n{}", run_baseline.stdout, run_baseline.stderr);
    let baseline = run_baseline.json();
    assert_eq!(ids(&baseline), ["fold/large", "fold/small", "fold/tiny", "walk"]);
    for one in baseline["workloads"].as_array().unwrap() {
        assert_eq!(one["kind"], "criterion");
        assert!(one["metrics"][0]["base"].as_f64().unwrap() > 0.0, "{one}");
        let top = if one["id"] == "walk" { "words::walk" } else { "words::fold" };
        let hottest = one["hot_path"].as_array().unwrap().iter().find(|hot| hot["origin"] == "workspace" && hot["item"] == top);
        assert!(hottest.is_some_and(|hot| hot["total"].as_f64().unwrap() > 0.8), "each id is profiled alone: {one:#}");
    }
    let large = workload(&baseline, "fold/large")["metrics"][0]["base"].as_f64().unwrap();
    let small = workload(&baseline, "fold/small")["metrics"][0]["base"].as_f64().unwrap();
    assert!((5.0..20.0).contains(&(large / small)), "per iteration, ten times the words: {small} {large}");

    the_ids_are_listed(&repo);
    // A later baseline of one id must not stand for the others.
    assert_eq!(run(&repo, &["baseline", "--workload", "walk", "--save", "narrow"]).code, 0);
    the_ids_are_listed(&repo);
    a_shared_function_made_slower(&repo);
    one_id_alone(&repo);
    a_comment_measured_all_the_same(&repo);
    a_doubled_clock_in_a_self_test(&repo);
    another_bench_source(&repo);
    a_base_made_now_knows_what_the_change_reaches(&repo);

    let users: Vec<_> =
        std::fs::read_dir(repo.root().join("target/criterion")).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert_eq!(users, ["fold"], "the user's results are left alone");
    assert_eq!(repo.read("target/criterion/fold/small/new/sample.json"), "the user's own");
}

fn the_ids_are_listed(repo: &Repo) {
    let listed = repo.run_with(&["list", "--offline"], &[], b"");
    assert!(
        listed.stdout.contains("4 workloads: fold/small, fold/large, fold/tiny, walk"),
        "{}\n{}",
        listed.stdout,
        listed.stderr
    );
}

fn a_shared_function_made_slower(repo: &Repo) {
    repo.write("src/lib.rs", &LIBRARY.replace(STEP, &format!("{STEP}{SECOND_STEP}")));
    let run = run(repo, &["verify", "--no-tests"]);
    assert_eq!(run.code, 100, "{}\n{}", run.stdout, run.stderr);
    let analysis = run.json();
    for id in ["fold/small", "fold/large", "fold/tiny"] {
        let one = workload(&analysis, id);
        assert_eq!((&one["outcome"], &one["explained"]), (&"slower".into(), &true.into()), "{one:#}");
        assert_eq!(one["explained_by"], serde_json::json!(["words::fold"]));
        assert!(one["metrics"][0]["ratio"].as_f64().unwrap() > 1.4, "about twice as slow: {one:#}");
    }
    let of_small = &workload(&analysis, "fold/small")["slo"];
    let met =
        |metric: &str| of_small.as_array().unwrap().iter().find(|slo| slo["metric"] == metric).unwrap()["met_at_head"].clone();
    assert_eq!((met("latency.p50"), met("throughput"), met("wall")), (true.into(), Value::Null, Value::Null), "{of_small:#}");
    let other = workload(&analysis, "walk");
    assert_eq!(other["slo"], Value::Array(Vec::new()), "{other:#}");
    assert!(other["negative_control"] == true || other["outcome"] == "not-measured", "{other:#}");
    assert!(other["outcome"] != "slower" && other["explained"] != true, "{other:#}");
    assert_eq!(analysis["changes"][0]["heat"], "hot");
}

fn one_id_alone(repo: &Repo) {
    let run = run(repo, &["verify", "--no-tests", "--no-layout", "--no-witness", "--workload", "fold/small"]);
    assert_eq!(run.code, 100, "{}\n{}", run.stdout, run.stderr);
    let analysis = run.json();
    let measured = analysis["workloads"].as_array().unwrap().iter().filter(|one| !one["metrics"].as_array().unwrap().is_empty());
    assert_eq!(measured.map(|one| one["id"].as_str().unwrap()).collect::<Vec<_>>(), ["fold/small"], "{analysis:#}");
    let one = workload(&analysis, "fold/small");
    assert_eq!((&one["confirmation"]["note"], &one["witness"]), (&"--no-layout".into(), &Value::Null), "{one:#}");
    assert_eq!(one["confirmation"]["links"].as_array().unwrap().len(), 1, "{one:#}");
}

fn a_comment_measured_all_the_same(repo: &Repo) {
    repo.write("src/lib.rs", &LIBRARY.replace("    let mut sum", "    // A comment moves every line.\n    let mut sum"));
    let run = run(repo, &["verify", "--no-tests", "--remeasure", "--all", "--max-time", "30s"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    let analysis = run.json();
    assert_eq!(analysis["changes"], Value::Array(Vec::new()));
    assert_eq!(ids(&analysis), ["fold/large", "fold/small", "fold/tiny", "walk"]);
    let workloads = analysis["workloads"].as_array().unwrap();
    for one in workloads {
        assert!(one["outcome"] != "slower" && one["outcome"] != "faster", "{one:#}");
    }
    assert!(workloads.iter().any(|one| one["metrics"][0]["rounds"].as_u64() >= Some(12)), "it was measured: {analysis:#}");
}

fn a_doubled_clock_in_a_self_test(repo: &Repo) {
    let stored = repo.read("target/perf-expert/baselines/default/baseline.json");
    let args = ["doctor", "--self-test", "--runs", "1", "--slowdown", "100", "--workload", "fold/small"];
    let test = &run(repo, &args).json()["self_test"];
    assert_eq!((&test["workload"], &test["clock"]["clock"]), (&"fold/small".into(), &"cpu".into()), "{test:#}");
    assert_eq!((&test["slowed"]["injection"], &test["slowed"]["found"]["hits"]), (&"clock".into(), &1.into()), "{test:#}");
    assert!((0.7..1.4).contains(&test["slowed"]["verdicts"]["change"].as_f64().unwrap()), "{test:#}");
    assert_eq!(repo.read("target/perf-expert/baselines/default/baseline.json"), stored, "the baseline is left alone");
}

fn another_bench_source(repo: &Repo) {
    repo.write("src/lib.rs", LIBRARY);
    repo.write("benches/words.rs", &BENCH.replace("..2_000", "..4_000"));
    let run = run(repo, &["verify", "--no-tests"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    for one in run.json()["workloads"].as_array().unwrap() {
        assert_eq!(one["outcome"], "not-measured", "{one:#}");
        assert!(one["reason"].as_str().unwrap().contains("not comparable"), "{one:#}");
    }
}

/// Without a baseline only the workloads that matter are measured and profiled at base; later changes fill in the rest.
fn a_base_made_now_knows_what_the_change_reaches(repo: &Repo) {
    std::fs::remove_dir_all(repo.root().join("target/perf-expert/baselines")).unwrap();
    repo.write("benches/words.rs", BENCH);
    let pending = || {
        let homes = std::fs::read_dir(repo.root().join("target/perf-expert/baselines")).unwrap();
        let record = homes.map(|home| home.unwrap().path().join("baseline.json")).find(|path| path.exists()).unwrap();
        std::fs::read_to_string(record).unwrap().matches("\"pending\": true").count()
    };
    repo.write("src/lib.rs", &LIBRARY.replace("steps += 1;", "steps += 1;\n        at = std::hint::black_box(at);"));
    let first = run(repo, &["verify", "--no-tests", "--no-layout", "--no-witness"]).json();
    assert!(!workload(&first, "walk")["metrics"].as_array().unwrap().is_empty(), "{first:#}");
    assert_eq!(workload(&first, "fold/tiny")["reason"], "it executes no changed item", "{first:#}");
    assert_eq!(pending(), 1, "the control beyond the second one");
    repo.write("src/lib.rs", &LIBRARY.replace(STEP, &format!("{STEP}{SECOND_STEP}")));
    let second = run(repo, &["verify", "--no-tests"]);
    assert_eq!(second.code, 100, "{}\n{}", second.stdout, second.stderr);
    let second = second.json();
    assert!(second["base"]["evidence"].as_str().unwrap().contains("baseline `auto-"), "{second:#}");
    assert_eq!(workload(&second, "fold/tiny")["outcome"], "slower", "{second:#}");
    assert_eq!(pending(), 0);
}
