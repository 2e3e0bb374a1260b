//! The schema holds for everything that is written, and names everything that is written.

use serde_json::{Value, json};

use super::{SCHEMA, cases};
use crate::analysis::*;
use crate::source::ChangeKind::{Added, Ambient, Attributes, Deleted, Modified, Moved, Signature};

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

/// Everything that is written about each case, and about one analysis per variant of each enum.
fn written() -> Vec<Value> {
    let cases: Vec<Analysis> = cases::all().into_iter().map(|(_, analysis)| analysis).collect();
    let mut all = cases.clone();
    let with = |change: &dyn Fn(&mut Analysis)| {
        let mut analysis = cases[0].clone();
        change(&mut analysis);
        analysis
    };
    for kind in [Modified, Added, Deleted, Moved, Signature, Attributes, Ambient] {
        all.push(with(&|analysis| analysis.changes[0].kind = kind));
    }
    for heat in [Heat::Hot, Heat::Warm, Heat::Cold, Heat::Uncertain, Heat::Unmeasured] {
        all.push(with(&|analysis| analysis.changes[0].heat = Some(heat)));
    }
    for outcome in [Outcome::Faster, Outcome::Slower, Outcome::Same, Outcome::Inconclusive, Outcome::NotMeasured] {
        all.push(with(&|analysis| analysis.workloads[0].outcome = outcome));
    }
    for status in [TestStatus::Passed, TestStatus::Failed, TestStatus::NotChecked] {
        all.push(with(&|analysis| analysis.tests.status = status));
    }
    for severity in [Severity::Info, Severity::Warning, Severity::Error] {
        all.push(with(&|analysis| analysis.findings[0].severity = severity));
    }
    for verdict in [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive] {
        all.push(with(&|analysis| analysis.verdict = verdict));
    }
    all.iter().map(|analysis| serde_json::to_value(analysis).unwrap()).collect()
}

#[test]
fn every_analysis_is_valid() {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    for value in written() {
        let errors: Vec<String> =
            validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

#[test]
fn the_schema_itself_is_valid_and_rejects_what_is_wrong() {
    jsonschema::meta::validate(&schema()).unwrap();
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    for (pointer, wrong) in [
        ("/verdict", json!("ok")),
        ("/schema_version", json!(2)),
        ("/workloads/0/outcome", json!("slow")),
        ("/changes/0/heat", json!("lukewarm")),
        ("/changes/1/total", json!(1.2)),
        ("/findings/0/severity", json!(null)),
        ("/head/dirty", json!("yes")),
    ] {
        let mut value = written().swap_remove(0);
        *value.pointer_mut(pointer).unwrap() = wrong;
        assert!(!validator.is_valid(&value), "{pointer}");
    }
}

#[test]
fn an_unknown_key_is_no_error_for_readers() {
    let mut value = written().swap_remove(0);
    value["workloads"][0]["from_the_future"] = json!(1);
    assert!(jsonschema::draft202012::is_valid(&schema(), &value));
}

#[test]
fn every_key_that_is_written_is_described() {
    let schema = schema();
    let mut missing = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for value in written() {
        walk(&schema, &schema, &value, "", &mut missing, &mut seen);
    }
    assert_eq!(missing, [""; 0], "keys that the schema does not describe");
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        for key in definition["properties"].as_object().into_iter().flat_map(|properties| properties.keys()) {
            assert!(seen.contains(key), "nothing writes `{key}` of {name}");
        }
    }
}

/// Follows a value along its schema and notes keys that have no description.
fn walk(
    root: &Value,
    schema: &Value,
    value: &Value,
    path: &str,
    missing: &mut Vec<String>,
    seen: &mut std::collections::BTreeSet<String>,
) {
    let schema = resolve(root, schema);
    match value {
        Value::Object(fields) if schema.get("properties").is_some() => {
            for (key, field) in fields {
                seen.insert(key.clone());
                let described = schema["properties"].get(key);
                if described.is_none_or(|described| described.get("description").is_none()) {
                    missing.push(format!("{path}/{key}"));
                }
                walk(root, described.unwrap_or(&Value::Null), field, &format!("{path}/{key}"), missing, seen);
            }
        }
        Value::Array(items) => {
            for item in items {
                walk(root, &schema["items"], item, &format!("{path}/*"), missing, seen);
            }
        }
        _ => {}
    }
}

/// Follows `$ref`, also inside `anyOf: [X, null]`.
fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let schema = schema.get("anyOf").and_then(|any| any.get(0)).unwrap_or(schema);
    match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => root.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

#[test]
fn every_key_of_the_analysis_is_required_or_new() {
    let schema = schema();
    let mut optional = Vec::new();
    for (name, definition) in schema["$defs"].as_object().unwrap().iter().chain([(&"top".to_owned(), &schema)]) {
        let required = definition["required"].as_array().cloned().unwrap_or_default();
        for key in definition["properties"].as_object().into_iter().flat_map(|properties| properties.keys()) {
            if !required.contains(&json!(key)) {
                optional.push(format!("{name}.{key}"));
            }
        }
    }
    // Written since the first version of the schema, but absent from analyses that were stored before.
    let newer = [
        "bottleneck.changed",
        "bottleneck.evidence",
        "bottleneck.host",
        "bottleneck.intervals",
        "bottleneck.kind",
        "bottleneck.samples",
        "bottleneck.summary",
        "bottleneck.waits",
        "cause.inner",
        "change.joined_by",
        "environment.contention",
        "grown_place.moved",
        "hot_item.owned",
        "metric.note",
        "owner.wait",
        "profile.imported",
        "workload.broken",
        "workload.causes",
        "workload.confirmation",
        "workload.growth",
        "workload.memory",
        "workload.noise",
        "workload.owners",
        "workload.silenced",
        "workload.slo",
        "workload.spread",
        "workload.unmeasured",
        "workload.waiting",
        "workload.witness",
    ];
    assert_eq!(optional, newer);
}
