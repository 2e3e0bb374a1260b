use serde_json::json;

use super::*;
use crate::error::Expected;

fn read(table: &serde_json::Value) -> Result<Config, ConfigError> {
    Config::from_metadata(&json!({ "perf-expert": table }), "package.metadata", "/x/Cargo.toml")
}

#[test]
fn no_table_is_no_configuration() {
    assert_eq!(Config::from_metadata(&json!(null), "package.metadata", "").unwrap(), Config::default());
    assert_eq!(Config::from_metadata(&json!({"docs": 1}), "package.metadata", "").unwrap(), Config::default());
}

#[test]
fn the_documented_example_reads_as_it_says() {
    let config = read(&json!({
        "workload": [{
            "name": "import-large", "bin": "importer", "args": ["--input", "data/large.csv", ""],
            "datasets": ["data/large.csv"], "timeout": "30s", "throughput": { "bytes": "64MiB" },
            "slo": { "latency.p95": "20ms", "memory.peak_rss": "200MiB", "error_rate": 0.001, "throughput": 100 }
        }],
        "margin": "1%", "frequency": 4999, "engine": "pprof", "profile-time": "2s", "max-time": "1m30s",
        "fail-on": ["warning", "unexplained"], "on-inconclusive": "fail",
        "rules": { "PE-4*": "off", "speculative-micro-optimization": "warning" },
        "allow": [{ "rule": "PE-201", "path": "src/bin", "fn": "crate::cold::*", "until": "2026-12-31", "reason": "import" }]
    }))
    .unwrap();
    let workload = &config.workloads[0];
    assert_eq!((workload.name.as_str(), &workload.program), ("import-large", &Program::Bin("importer".into())));
    assert_eq!((workload.args.len(), workload.timeout), (3, Some(Duration::from_secs(30))));
    assert_eq!(workload.throughput, Some(Work { amount: 64 << 20, unit: "B" }));
    let bounds: Vec<(&str, f64)> = workload.slo.iter().map(|slo| (slo.metric.as_str(), slo.bound)).collect();
    assert_eq!(
        bounds,
        [("error_rate", 0.001), ("latency.p95", 20e6), ("memory.peak_rss", f64::from(200 << 20)), ("throughput", 100.0)]
    );
    assert!(workload.slo[1].is_met_by(20e6) && !workload.slo[1].is_met_by(21e6) && !workload.slo[3].is_met_by(99.0));
    assert_eq!((config.margin, config.frequency, config.engine), (Some(0.01), Some(4999), Some(EngineWish::Pprof)));
    assert_eq!(config.max_time, Some(Duration::from_secs(90)));
    assert_eq!(config.fail_on, Some(vec![FailOn::Warning, FailOn::Unexplained]));
    assert_eq!(config.on_inconclusive, Some(OnInconclusive::Fail));
    assert!(config.rules[0].applies_to("PE-401", "x") && !config.rules[0].applies_to("PE-501", "x"));
    let allow = &config.allow[0];
    let day = |text: &str| text.parse().unwrap();
    assert!(allow.covers("PE-201", "x", "src/bin/a.rs", "crate::cold::f", day("2026-12-31")));
    assert!(!allow.covers("PE-201", "x", "src/binary.rs", "crate::cold::f", day("2026-12-31")));
    assert!(!allow.covers("PE-201", "x", "src/bin/a.rs", "crate::cold::f", day("2027-01-01")));
}

#[test]
fn work_is_elements_or_bytes_and_more_than_nothing() {
    let work = |value: serde_json::Value| {
        let config = read(&json!({ "workload": [{ "name": "a", "bench": "b", "throughput": value }] }));
        config.map(|config| config.workloads[0].throughput)
    };
    assert_eq!(work(json!({ "elements": 1000 })).unwrap(), Some(Work { amount: 1000, unit: "elements" }));
    for wrong in [json!({}), json!({ "elements": 1, "bytes": 1 }), json!({ "elements": 0 }), json!({ "bytes": "x" }), json!(7)] {
        let error = work(wrong).unwrap_err();
        assert!(error.to_string().contains("workload[0].throughput"), "{error}");
    }
    let rate = |value: &str| {
        let config = read(&json!({ "workload": [{ "name": "a", "bench": "b", "slo": { "throughput": value } }] }));
        config.ok().map(|config| (config.workloads[0].slo[0].bound, config.workloads[0].slo[0].unit))
    };
    for (text, read) in [
        ("2MiB/s", Some((2_097_152.0, "B/s"))),
        ("2 MiB /s", Some((2_097_152.0, "B/s"))),
        ("7B", Some((7.0, "B/s"))),
        ("1500", Some((1500.0, "count/s"))),
        ("1.5k/s", Some((1500.0, "count/s"))),
        ("2s", None),
    ] {
        assert_eq!(rate(text), read, "{text}");
    }
    assert_eq!(work(json!({ "element": 1 })).unwrap_err().hint().unwrap(), "did you mean `elements`?");
}

#[test]
fn an_unknown_key_names_its_path_its_file_and_the_nearest_key() {
    let error = read(&json!({ "workload": [{ "name": "a", "bench": "b", "time-out": "3s" }] })).unwrap_err();
    assert_eq!(error.to_string(), "unknown key at `package.metadata.perf-expert.workload[0].time-out` in /x/Cargo.toml");
    assert_eq!(error.hint().unwrap(), "did you mean `timeout`?");
    assert_eq!(error.exit(), crate::exit::Exit::Usage);
    let error = read(&json!({ "zzz": 1 })).unwrap_err();
    assert!(error.hint().unwrap().contains("`max-time`"));
}

#[test]
fn wrong_types_and_values_name_their_key() {
    for (table, key, word) in [
        (json!(3), "perf-expert", "expected a table, found a number"),
        (json!({"margin": 2}), "margin", "fraction"),
        (json!({"margin": "two"}), "margin", "fraction"),
        (json!({"frequency": 0}), "frequency", "samples per second"),
        (json!({"max-time": 30}), "max-time", "duration"),
        (json!({"max-time": "0s"}), "max-time", "duration"),
        (json!({"fail-on": "warnings"}), "fail-on", "unknown value `warnings`"),
        (json!({"workload": {"name": "a"}}), "workload", "expected an array, found a table"),
        (json!({"workload": [{"bin": "a"}]}), "workload[0]", "needs a `name`"),
        (json!({"workload": [{"name": "a"}]}), "workload[0]", "needs one of"),
        (json!({"workload": [{"name": "a", "bin": "b", "bench": "c"}]}), "workload[0]", "only one of"),
        (json!({"workload": [{"name": "a", "command": "ls -l"}]}), "workload[0].command", "no shell"),
        (json!({"workload": [{"name": "a", "command": []}]}), "workload[0].command", "a program"),
        (json!({"workload": [{"name": "a", "bin": "b", "args": [1]}]}), "args[0]", "expected a string"),
        (json!({"workload": [{"name": "a", "bin": "b", "datasets": ["/etc"]}]}), "datasets[0]", "relative"),
        (json!({"workload": [{"name": "a", "bin": "b", "slo": {"latency.p59": "1ms"}}]}), "slo.latency.p59", "unknown metric"),
        (json!({"workload": [{"name": "a", "bin": "b", "slo": {"latency.p50": 3}}]}), "slo.latency.p50", "duration"),
        (json!({"rules": {"PE-1*": "loud"}}), "rules.PE-1*", "unknown value"),
        (json!({"allow": [{"rule": "PE-1*"}]}), "allow[0]", "needs a `reason`"),
        (json!({"allow": [{"rule": "PE-1*", "reason": " "}]}), "allow[0].reason", "not empty"),
        (json!({"allow": [{"rule": "PE-1*", "reason": "x", "until": "soon"}]}), "allow[0].until", "a day"),
    ] {
        let error = read(&table).unwrap_err();
        assert!(error.key.ends_with(key) && error.message.contains(word), "{key}: {error}");
    }
}

#[test]
fn the_package_wins_over_the_workspace_and_lists_add_up() {
    let workspace = read(&json!({"margin": 0.05, "frequency": 99, "workload": [{"name": "w", "bench": "b"}]})).unwrap();
    let package = read(&json!({"margin": 0.01, "workload": [{"name": "p", "bench": "b"}]})).unwrap();
    let merged = package.over(workspace);
    assert_eq!((merged.margin, merged.frequency), (Some(0.01), Some(99)));
    assert_eq!(merged.workloads.iter().map(|workload| workload.name.as_str()).collect::<Vec<_>>(), ["w", "p"]);
}

#[test]
fn the_environment_speaks_the_same_language() {
    let config = from_environment(|name| match name {
        "PERF_EXPERT_MARGIN" => Some("3%".into()),
        "PERF_EXPERT_FREQUENCY" => Some("999".into()),
        "PERF_EXPERT_FAIL_ON" => Some("warning, unexplained".into()),
        "PERF_EXPERT_MAX_TIME" => Some(String::new()),
        _ => None,
    })
    .unwrap();
    assert_eq!((config.margin, config.frequency, config.max_time), (Some(0.03), Some(999), None));
    assert_eq!(config.fail_on, Some(vec![FailOn::Warning, FailOn::Unexplained]));
    let error = from_environment(|name| (name == "PERF_EXPERT_MAX_TIME").then(|| "soon".into())).unwrap_err();
    assert!(error.to_string().ends_with("at `PERF_EXPERT_MAX_TIME`"), "{error}");
}
