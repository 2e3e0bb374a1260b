//! What `doctor` shows of hand-made findings, in each format; and its schema.

use serde_json::{Value, json};

use crate::analysis::ClockResult;
use crate::doctor::self_test::{Injection, One, SelfTest, Slowed, Verdicts, smallest_detectable};
use crate::doctor::{Check, Diagnosis, SCHEMA_VERSION, Status};
use crate::report::samples;
use crate::report::{DOCTOR_SCHEMA, Format, Look, render_diagnosis};
use crate::stats::Outcome;

fn check(id: &str, status: Status, summary: &str, remedy: Option<&str>) -> Check {
    Check {
        id: id.into(),
        title: id.replace('-', " "),
        status,
        summary: summary.into(),
        remedy: remedy.map(Into::into),
        essential: id == "toolchain",
        values: [("found".to_owned(), Value::Null)].into(),
    }
}

fn self_test() -> SelfTest {
    let one =
        |outcome, ratio| One { outcome: Some(outcome), ratio: Some(ratio), detectable: Some(0.029), rounds: 12, seconds: 2.5 };
    let same = vec![one(Outcome::Same, 1.001); 18];
    let mut slower = vec![one(Outcome::Slower, 1.051); 17];
    slower.push(one(Outcome::Inconclusive, 1.03));
    let detectable = smallest_detectable(same.iter().chain(&slower));
    let (same, slower) = (Verdicts::of(&same), Verdicts::of(&slower));
    SelfTest {
        workload: "parse/large".into(),
        package: "parse".into(),
        target: "speed".into(),
        clock: ClockResult { clock: "cpu".into(), reason: "one thread computes (99 % CPU)".into() },
        margin: 0.02,
        false_alarms: same.false_alarms(),
        same,
        slowed: Slowed { size: 0.05, injection: Injection::Clock, found: slower.found(), verdicts: slower },
        smallest_detectable: detectable,
        seconds: 118.2,
        cut_short: 1,
    }
}

fn diagnosis(self_test: Option<SelfTest>) -> Diagnosis {
    let evil = "a\u{1b}[31m|<script>`x`\n@team";
    Diagnosis {
        schema_version: SCHEMA_VERSION,
        tool: samples::analysis(crate::analysis::Command::Verify).tool,
        command: "doctor".into(),
        created: "2026-03-01T12:00:00Z".into(),
        can_measure: true,
        reasons: Vec::new(),
        exit_code: 0,
        checks: vec![
            check("toolchain", Status::Ok, "cargo 1.95.0, rustc 1.95.0", Some("not shown: it is ok")),
            check("linker", Status::Limited, "not LLD (GNU ld or gold)", Some("let rustc link with LLD")),
            check("valgrind", Status::Missing, evil, Some("install valgrind\nor do without")),
        ],
        self_test,
    }
}

fn impossible() -> Diagnosis {
    let reasons = vec!["toolchain: cannot run `cargo`".into()];
    let checks = vec![check("toolchain", Status::Missing, "cannot run `cargo`", Some("install `cargo` or put it on PATH"))];
    Diagnosis { can_measure: false, reasons, exit_code: 101, checks, ..diagnosis(None) }
}

fn rendered(diagnosis: &Diagnosis, format: Format) -> String {
    let mut out = Vec::new();
    render_diagnosis(diagnosis, format, Look::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn each_format_says_what_is_there_and_what_to_do() {
    insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "../snapshots", omit_expression => true }, {
        for (format, suffix) in [(Format::Human, "human"), (Format::Markdown, "markdown"), (Format::Short, "short")] {
            insta::assert_snapshot!(format!("doctor.{suffix}"), rendered(&diagnosis(Some(self_test())), format));
        }
        insta::assert_snapshot!("doctor_impossible.human", rendered(&impossible(), Format::Human));
    });
}

#[test]
fn a_rate_is_never_shown_without_what_it_leaves_open() {
    let text = rendered(&diagnosis(Some(self_test())), Format::Human);
    let alarms = text.lines().find(|line| line.contains("false alarms")).unwrap();
    assert!(alarms.contains("0 of 18 (at most 18 %"), "{alarms}");
}

#[test]
fn control_characters_and_markup_of_what_was_found_are_harmless() {
    for format in [Format::Human, Format::Short, Format::Json, Format::Markdown] {
        let text = rendered(&diagnosis(None), format);
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{format:?}");
    }
    let markdown = rendered(&diagnosis(None), Format::Markdown);
    assert!(!markdown.contains("<script") && !markdown.contains("@team"), "{markdown}");
    let rows = markdown.lines().filter(|line| line.starts_with("| "));
    assert!(
        rows.clone().count() > 3 && rows.clone().all(|row| row.matches('|').count() - row.matches("\\|").count() == 5),
        "{markdown}"
    );
}

#[test]
fn what_is_written_is_valid_and_reads_back() {
    let schema: Value = serde_json::from_str(DOCTOR_SCHEMA).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let nothing = Verdicts::of(&[]);
    let mut untold = self_test();
    (untold.same, untold.smallest_detectable) = (nothing, None);
    untold.slowed.injection = Injection::Readings;
    for diagnosis in [diagnosis(None), diagnosis(Some(self_test())), diagnosis(Some(untold)), impossible()] {
        let text = rendered(&diagnosis, Format::Json);
        let value: Value = serde_json::from_str(&text).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        assert_eq!(serde_json::from_value::<Diagnosis>(value).unwrap(), diagnosis);
    }
    for (pointer, wrong) in
        [("/checks/0/status", json!("fine")), ("/exit_code", json!(1)), ("/self_test/false_alarms/high", json!(2))]
    {
        let mut value = serde_json::to_value(diagnosis(Some(self_test()))).unwrap();
        *value.pointer_mut(pointer).unwrap() = wrong;
        assert!(!validator.is_valid(&value), "{pointer}");
    }
}
