//! What is written about a rule, as data.
//!
//! Does not contain how a rule decides; that is the family's own file.

use std::fmt::Write as _;

/// A rule as `list` and `explain` show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// `PE-201`.
    pub id: &'static str,
    /// `speculative-micro-optimization`.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// What it means when it fires.
    pub meaning: &'static str,
    /// What it rests on, and how loud each kind of evidence makes it.
    pub evidence: &'static str,
    /// Cases in which it fires.
    pub fires: &'static [&'static str],
    /// Look-alikes in which it stays silent.
    pub silent: &'static [&'static str],
    /// How to fix it.
    pub fix: &'static str,
    /// How to suppress it.
    pub suppress: &'static str,
    /// Numbers it decides by, with their source.
    pub thresholds: &'static [(&'static str, &'static str)],
}

impl Rule {
    /// The long text of `cargo perf-expert explain`.
    pub fn explain(&self) -> String {
        let mut text = format!("{} {}\n\n{}.\n", self.id, self.name, self.summary);
        section(&mut text, "What it means", self.meaning);
        section(&mut text, "Its evidence", self.evidence);
        list(&mut text, "Fires on", self.fires);
        list(&mut text, "Stays silent on", self.silent);
        section(&mut text, "How to fix it", self.fix);
        section(&mut text, "How to suppress it", self.suppress);
        if !self.thresholds.is_empty() {
            heading(&mut text, "Thresholds");
            for (name, value) in self.thresholds {
                let _ = writeln!(text, "  {name}: {value}");
            }
        }
        text
    }
}

fn heading(text: &mut String, title: &str) {
    let _ = writeln!(text, "\n{title}:");
}

fn section(text: &mut String, title: &str, body: &str) {
    heading(text, title);
    for line in body.lines() {
        let _ = writeln!(text, "  {line}");
    }
}

fn list(text: &mut String, title: &str, cases: &[&str]) {
    heading(text, title);
    for case in cases {
        let _ = writeln!(text, "  - {case}");
    }
}
