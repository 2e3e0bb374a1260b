//! What each report looks like.

use super::{Format, Look, cases, render, rendered};
use crate::analysis::Command;

fn snapshots(format: Format, suffix: &str) {
    for (name, analysis) in cases::all() {
        insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "../snapshots", omit_expression => true }, {
            insta::assert_snapshot!(format!("{name}.{suffix}"), rendered(&analysis, format));
        });
    }
}

#[test]
fn the_human_report_answers_in_a_few_lines() {
    snapshots(Format::Human, "human");
}

#[test]
fn the_markdown_report_fills_the_required_structure() {
    snapshots(Format::Markdown, "markdown");
}

#[test]
fn the_short_report_has_one_line_per_thing() {
    snapshots(Format::Short, "short");
}

#[test]
fn the_json_report_is_the_analysis() {
    insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "../snapshots", omit_expression => true }, {
        let (_, analysis) = cases::all().swap_remove(0);
        insta::assert_snapshot!("regression.json", rendered(&analysis, Format::Json));
    });
}

#[test]
fn what_is_written_as_json_reads_back_as_it_was() {
    for (name, analysis) in cases::all() {
        let read: crate::analysis::Analysis = serde_json::from_str(&rendered(&analysis, Format::Json)).unwrap();
        assert_eq!(read, analysis, "{name}");
    }
}

#[test]
fn markdown_has_the_seven_headings_in_order_whatever_is_known() {
    let wanted = [
        "## Performance Analysis",
        "### Current State",
        "### Bottleneck Identified",
        "### Root Cause",
        "### Recommended Fix",
        "### Implementation",
        "### Verification Plan",
    ];
    for (name, analysis) in cases::all() {
        let text = rendered(&analysis, Format::Markdown);
        let headings: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
        assert_eq!(headings, wanted, "{name}");
        let state: Vec<&str> = text.lines().skip_while(|line| *line != "### Current State").skip(2).take(3).collect();
        for (line, start) in state.iter().zip(["- Metric: ", "- Target: ", "- Gap: "]) {
            assert!(line.starts_with(start) && line.len() > start.len(), "{name}: {line}");
        }
    }
}

#[test]
fn a_missing_profile_makes_gathering_it_the_first_action() {
    let (_, analysis) = cases::all().into_iter().find(|(name, _)| *name == "nothing_measured").unwrap();
    let text = rendered(&analysis, Format::Markdown);
    assert!(text.contains("profiling data is missing"));
    let first = text.lines().find(|line| line.starts_with("1. ")).unwrap();
    assert!(first.starts_with("1. Gather profile/baseline"), "{first}");
}

#[test]
fn no_report_lets_control_characters_or_html_through() {
    let (_, analysis) = cases::all().into_iter().find(|(name, _)| *name == "hostile").unwrap();
    for format in [Format::Human, Format::Short, Format::Json, Format::Markdown] {
        let text = rendered(&analysis, format);
        let control = text.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(control, None, "{format:?}");
        assert!(format == Format::Json || !text.contains('\u{202e}'), "{format:?}");
    }
    let markdown = rendered(&analysis, Format::Markdown);
    let outside_of_code: String = markdown.split('`').step_by(2).collect();
    assert!(!outside_of_code.contains("<script") && !outside_of_code.contains('@'), "{markdown}");
}

#[test]
fn colours_are_written_only_when_wanted() {
    let (_, analysis) = cases::all().swap_remove(0);
    let with = |color: bool| {
        let mut out = Vec::new();
        render(&analysis, Format::Human, Look { color, ..Look::default() }, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    assert!(!with(false).contains('\u{1b}'));
    assert_eq!(anstream::adapter::strip_str(&with(true)).to_string(), with(false));
}

#[test]
fn the_answer_is_short_and_the_verdict_is_last() {
    for (name, analysis) in cases::all().into_iter().filter(|(_, analysis)| analysis.command != Command::Baseline) {
        let text = rendered(&analysis, Format::Human);
        assert!(text.lines().last().unwrap().starts_with("Verdict: "), "{name}: {text}");
        assert!(text.lines().count() <= 70, "{name} has {} lines", text.lines().count());
    }
}

#[test]
fn verbose_cuts_nothing() {
    let (_, analysis) = cases::all().into_iter().find(|(name, _)| *name == "crowded").unwrap();
    let mut out = Vec::new();
    render(&analysis, Format::Human, Look { verbose: true, ..Look::default() }, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(!text.contains(" more "), "{text}");
    assert!(text.contains("group/bench/19") && rendered(&analysis, Format::Human).contains("more workloads"));
}
