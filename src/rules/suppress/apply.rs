//! Applies comments and allow entries to findings, and reports those that do not work or are not needed.

use std::collections::BTreeMap;

use crate::analysis::{Evidence, Finding, Severity};
use crate::rules::facts::{ChangedItem, Facts};
use crate::rules::rule::Rule;
use crate::rules::suppress::comment::{Comment, Content, comments};
use crate::rules::suppress::{MALFORMED, RulePattern, UNUSED};

/// Whether a rule could still have a reason to look at an item, so that its suppression is not called unused.
pub(in crate::rules) type Pertains<'a> = &'a dyn Fn(&RulePattern, &ChangedItem<'_>, &Comment) -> bool;

/// Marks suppressed findings, then adds the findings about suppressions.
pub(in crate::rules) fn apply(facts: &Facts<'_>, findings: &mut Vec<Finding>, pertains: Pertains<'_>) {
    let mut about = Vec::new();
    for (file, text, base) in files(facts) {
        for comment in comments(text) {
            match &comment.content {
                Err(why) => {
                    let known = base.is_some_and(|base| has_line(base, &comment.text));
                    about.push(malformed(&why.to_string(), file, &comment, known));
                }
                Ok(content) => {
                    let used = mark(facts, findings, file, &comment, content);
                    about.extend((!used).then(|| unused(facts, file, &comment, content, pertains)).flatten());
                }
            }
        }
    }
    about.extend(allow_entries(facts, findings));
    findings.append(&mut about);
}

/// Head's files with changes, each once, with their base text.
fn files<'a>(facts: &Facts<'a>) -> impl Iterator<Item = (&'a str, &'a str, Option<&'a str>)> + use<'a> {
    let with_text = facts.changes.iter().filter_map(|c| Some((c.result.file.as_str(), (c.head_file?, c.base_file))));
    let unique: BTreeMap<&str, (&str, Option<&str>)> = with_text.collect();
    unique.into_iter().map(|(file, (head, base))| (file, head, base))
}

fn has_line(text: &str, wanted: &str) -> bool {
    text.lines().any(|line| line.trim() == wanted)
}

/// Suppresses what the comment speaks of; true if there was something.
fn mark(facts: &Facts<'_>, findings: &mut [Finding], file: &str, comment: &Comment, content: &Content) -> bool {
    let mut used = false;
    for finding in findings.iter_mut().filter(|finding| finding.file.as_deref() == Some(file)) {
        let meant = content.rules.iter().any(|rule| rule.matches(&finding.rule, &finding.name));
        if meant && covers(facts, comment, finding) {
            finding.suppressed.get_or_insert_with(|| content.reason.clone());
            used = true;
        }
    }
    used
}

fn covers(facts: &Facts<'_>, comment: &Comment, finding: &Finding) -> bool {
    let at_line = finding.line.is_some_and(|line| (comment.covers.0..=comment.covers.1).contains(&line));
    let mut items = facts.changes.iter().filter(|item| Some(&item.result.item) == finding.item.as_ref());
    at_line || items.any(|item| stands_on_header(comment, item))
}

/// True when the comment stands among the item's attributes or behind its `fn` line.
fn stands_on_header(comment: &Comment, item: &ChangedItem<'_>) -> bool {
    item.change.head.as_ref().is_some_and(|head| (head.lines.0..=head.body_lines.0).contains(&comment.line))
}

/// A finding if every rule of the comment has looked at a changed item under it, and none had anything to say.
fn unused(facts: &Facts<'_>, file: &str, comment: &Comment, content: &Content, pertains: Pertains<'_>) -> Option<Finding> {
    let under = |item: &&ChangedItem<'_>| {
        let head = item.change.head.as_ref().filter(|_| item.result.file == file && item.is_code());
        let overlaps = head.is_some_and(|head| comment.covers.0 <= head.lines.1 && head.lines.0 <= comment.covers.1);
        overlaps || (head.is_some() && stands_on_header(comment, item))
    };
    let items: Vec<&ChangedItem<'_>> = facts.changes.iter().filter(under).collect();
    let idle = |item: &&ChangedItem<'_>| item.is_measured() && !content.rules.iter().any(|rule| pertains(rule, item, comment));
    let first = items.first()?;
    let rules = content.rules.iter().map(RulePattern::as_str).collect::<Vec<_>>().join(", ");
    let message = format!("`allow({rules})` suppresses nothing: `{}` no longer has what it allows", first.result.item);
    items.iter().all(idle).then(|| about(&UNUSED, file, comment, message, "remove the comment"))
}

fn malformed(why: &str, file: &str, comment: &Comment, preexisting: bool) -> Finding {
    let message = format!("this suppression does nothing: {why}");
    let fix = "write `// perf-expert: allow(RULE): reason`";
    Finding { preexisting, ..about(&MALFORMED, file, comment, message, fix) }
}

fn about(rule: &Rule, file: &str, comment: &Comment, message: String, fix: &str) -> Finding {
    Finding {
        file: Some(file.to_owned()),
        line: Some(comment.line),
        evidence: vec![Evidence { kind: "token".into(), text: comment.text.clone(), values: BTreeMap::new() }],
        ..plain(rule, message, fix)
    }
}

fn plain(rule: &Rule, message: String, fix: &str) -> Finding {
    Finding {
        rule: rule.id.into(),
        name: rule.name.into(),
        severity: Severity::Warning,
        item: None,
        file: None,
        line: None,
        snippet: None,
        message,
        evidence: Vec::new(),
        bound: None,
        fix: fix.to_owned(),
        not_proven: Vec::new(),
        preexisting: false,
        suppressed: None,
    }
}

/// Applies the configuration's entries; an expired one that would still match is reported.
fn allow_entries(facts: &Facts<'_>, findings: &mut [Finding]) -> Vec<Finding> {
    let mut about = Vec::new();
    for allow in facts.allow {
        let expired = allow.expired(facts.today);
        let matched: Vec<&mut Finding> = findings.iter_mut().filter(|finding| allow.matches(finding)).collect();
        if expired && !matched.is_empty() {
            let until = allow.until.map(|date| date.to_string()).unwrap_or_default();
            let message = format!("the allow entry for {} expired on {until} and is ignored", allow.rule.as_str());
            about.push(plain(&UNUSED, message, "remove the entry, or move its date and say why"));
            continue;
        }
        for finding in matched {
            finding.suppressed.get_or_insert_with(|| allow.reason.clone());
        }
    }
    about
}
