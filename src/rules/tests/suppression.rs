//! Suppression over whole changes.

use super::Case;
use crate::analysis::{Finding, Heat};

const SAFE: &str = "fn load(x: &[u8]) -> u8 {\n    x[1]\n}\n";

fn with_comment(comment: &str, heat: Heat) -> Case {
    let head = format!("fn load(x: &[u8]) -> u8 {{\n    {comment}\n    unsafe {{ *x.get_unchecked(1) }}\n}}\n");
    Case::new().function("load", Some(SAFE), Some(&head), heat)
}

fn rules(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.rule.as_str()).collect()
}

#[test]
fn a_suppressed_finding_stays_visible_and_does_not_count() {
    for list in ["PE-201", "PE-2*", "speculative-micro-optimization", "PE-101, PE-201"] {
        let finding = with_comment(&format!("// perf-expert: allow({list}): measured downstream"), Heat::Cold).only();
        assert_eq!(finding.suppressed.as_deref(), Some("measured downstream"), "{list}");
        assert!(!finding.counts());
    }
}

#[test]
fn a_comment_above_the_item_or_behind_its_header_covers_the_item() {
    let body = "    unsafe { *x.get_unchecked(1) }\n}\n";
    let above = format!("// perf-expert: allow(PE-201): r\nfn load(x: &[u8]) -> u8 {{\n{body}");
    let behind = format!("fn load(x: &[u8]) -> u8 {{ // perf-expert: allow(PE-201): r\n{body}");
    let above = Case::new()
        .item("load", "src/load.rs", Some(SAFE), Some(&above), Heat::Cold, |text| if text == SAFE { (1, 3) } else { (2, 4) });
    assert!(above.only().suppressed.is_some());
    assert!(Case::new().function("load", Some(SAFE), Some(&behind), Heat::Cold).only().suppressed.is_some());
}

#[test]
fn a_suppression_without_a_reason_suppresses_nothing_and_is_reported() {
    let findings = with_comment("// perf-expert: allow(PE-201)", Heat::Cold).findings();
    assert_eq!(rules(&findings), ["PE-201", "PE-001"]);
    assert!(findings.iter().all(|finding| finding.suppressed.is_none()));
    assert!(findings[1].message.contains("reason is missing"), "{}", findings[1].message);
}

#[test]
fn a_suppression_of_another_rule_does_not_help() {
    let findings = with_comment("// perf-expert: allow(PE-101): r", Heat::Cold).findings();
    assert_eq!(rules(&findings), ["PE-201", "PE-002"]);
    assert!(findings[0].counts());
}

#[test]
fn an_allow_on_a_function_that_turned_hot_is_unused() {
    let findings = with_comment("// perf-expert: allow(PE-201): r", Heat::Hot).findings();
    assert_eq!(rules(&findings), ["PE-002"]);
    assert_eq!(findings[0].line, Some(2));
}

#[test]
fn an_allow_is_not_unused_while_the_code_is_still_there_or_nobody_could_look() {
    let comment = "// perf-expert: allow(PE-201): r";
    let base = format!("fn load(x: &[u8]) -> u8 {{\n    {comment}\n    unsafe {{ *x.get_unchecked(1) }}\n}}\n");
    let head = base.replace("fn load(x: &[u8]) -> u8 {", "fn load(x: &[u8]) -> u8 {\n    log();");
    Case::new().function("load", Some(&base), Some(&head), Heat::Cold).silent();
    let unchanged_neighbour = format!("{base}fn other() {{\n    b();\n}}\n");
    let lines = |_: &str| (5, 7);
    Case::new().item("other", "src/load.rs", Some(&unchanged_neighbour), Some(&unchanged_neighbour), Heat::Hot, lines).silent();
    let gone = head.replace("unsafe { *x.get_unchecked(1) }", "x[1]");
    Case::new().function("load", Some(&base), Some(&gone), Heat::Unmeasured).silent();
    assert_eq!(rules(&Case::new().function("load", Some(&base), Some(&gone), Heat::Cold).findings()), ["PE-002"]);
}

#[test]
fn a_malformed_comment_that_base_had_too_is_preexisting() {
    let head = "fn load(x: &[u8]) -> u8 {\n    // perf-expert: allow(PE-201)\n    x[2]\n}\n";
    let base = head.replace("x[2]", "x[1]");
    assert!(Case::new().function("load", Some(&base), Some(head), Heat::Cold).only().preexisting);
}

#[test]
fn allow_entries_of_the_configuration_work_by_function_and_by_path() {
    let plain = || with_comment("", Heat::Cold);
    for entry in [
        serde_json::json!({"rule": "PE-2*", "fn": "app::*", "reason": "startup"}),
        serde_json::json!({"rule": "PE-201", "path": "src/*", "until": "2026-03-01", "reason": "startup"}),
    ] {
        assert_eq!(plain().allow(entry).only().suppressed.as_deref(), Some("startup"));
    }
    let elsewhere = serde_json::json!({"rule": "PE-201", "path": "benches/*", "reason": "r"});
    assert!(plain().allow(elsewhere).only().suppressed.is_none());
    let everywhere = serde_json::json!({"rule": "PE-201", "reason": "no place"});
    assert!(plain().allow(everywhere).only().suppressed.is_none());
}

#[test]
fn an_expired_entry_is_ignored_and_said() {
    let entry = serde_json::json!({"rule": "PE-201", "path": "src/*", "until": "2026-02-28", "reason": "r"});
    let findings = with_comment("", Heat::Cold).allow(entry).findings();
    assert_eq!(rules(&findings), ["PE-201", "PE-002"]);
    assert!(findings[0].counts() && findings[1].message.contains("2026-02-28"));
}
