//! Regressions and findings, as rustc shows its diagnostics.

use std::io::{self, Write};

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};

use super::Page;
use crate::analysis::{Finding, Severity, WorkloadResult};
use crate::figures;
use crate::report::text::{clean, clean_lines};
use crate::report::view;

/// Regressions and findings that are shown in full before the rest is counted.
const REGRESSIONS: usize = 3;
const FINDINGS: usize = 3;
const SUPPRESSED: usize = 3;

pub(super) fn write(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let renderer = if page.look.color { Renderer::styled() } else { Renderer::plain() }.term_width(page.look.width);
    let (counting, quiet) = view::findings(page.analysis);
    let regressions = view::regressions(page.analysis);
    for workload in regressions.iter().take(page.shown(regressions.len(), REGRESSIONS)) {
        writeln!(out, "{}\n", renderer.render(&[regression(page, workload)]))?;
    }
    cut(page, out, regressions.len(), REGRESSIONS, "regressions")?;
    for finding in counting.iter().take(page.shown(counting.len(), FINDINGS)) {
        writeln!(out, "{}\n", renderer.render(&[group(finding)]))?;
    }
    cut(page, out, counting.len(), FINDINGS, "findings")?;
    quiet_lines(page, &quiet, out)
}

fn cut(page: &Page<'_>, out: &mut dyn Write, length: usize, usual: usize, noun: &str) -> io::Result<()> {
    page.cut(out, length, usual, noun)?;
    if page.shown(length, usual) < length { writeln!(out) } else { Ok(()) }
}

fn regression<'a>(page: &Page<'_>, workload: &WorkloadResult) -> Group<'a> {
    let title = Level::ERROR.primary_title(clean(&view::regression(workload))).id("regression");
    let mut elements: Vec<Element<'a>> = Vec::new();
    if let Some(item) = view::explaining(page.analysis, workload) {
        let origin = Origin::path(clean(&item.file));
        elements.push(match view::line_of(item) {
            Some(line) => origin.line(line as usize).into(),
            None => origin.into(),
        });
        let here = item.workload.as_deref() == Some(&workload.id);
        let in_profile = || {
            let hot = workload.hot_path.iter().find(|hot| hot.item == item.item)?;
            Some(figures::share_with_interval(hot.total, hot.low, hot.high))
        };
        let share = view::share(item).filter(|_| here).or_else(in_profile);
        let share = share.map(|share| format!(" holds {share} of its samples and"));
        let others = workload.explained_by.len() - 1;
        let others = if others > 0 { format!(" (and {others} more on its stacks)") } else { String::new() };
        let why = format!("`{}`{} was changed{others}", item.item, share.unwrap_or_default());
        elements.push(Level::NOTE.message(clean(&why)).into());
    }
    title.elements(elements)
}

fn group(finding: &Finding) -> Group<'_> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::NOTE,
    };
    let title = level.primary_title(clean(&finding.message)).id(clean(&finding.rule));
    title.elements(place(finding).into_iter().chain(remarks(finding)))
}

/// The source line, or at least where it is.
fn place(finding: &Finding) -> Option<Element<'_>> {
    let file = clean(finding.file.as_deref()?);
    let shown = finding.snippet.as_ref().filter(|snippet| finding.severity > Severity::Info && fits(snippet));
    if let Some(snippet) = shown {
        let label = clean(&snippet.label);
        let annotation = AnnotationKind::Primary.span(snippet.highlight.0..snippet.highlight.1).label(label);
        let source = Snippet::source(snippet.text.as_str()).path(file).line_start(snippet.first_line as usize);
        return Some(source.annotation(annotation).into());
    }
    let origin = Origin::path(file);
    Some(match finding.line {
        Some(line) => origin.line(line as usize).into(),
        None => origin.into(),
    })
}

/// True when the highlight lies within the text: a renderer must not trip over a stored analysis.
fn fits(snippet: &crate::analysis::Snippet) -> bool {
    snippet.highlight.0 <= snippet.highlight.1 && snippet.text.get(snippet.highlight.0..snippet.highlight.1).is_some()
}

fn remarks(finding: &Finding) -> Vec<Element<'_>> {
    let evidence = finding.evidence.iter().filter(|e| matches!(e.kind.as_str(), "measurement" | "stack"));
    let mut remarks: Vec<Element<'_>> = evidence.map(|e| Level::NOTE.message(clean_lines(&e.text)).into()).collect();
    if !finding.fix.is_empty() {
        remarks.push(Level::HELP.message(clean_lines(&finding.fix)).into());
    }
    if finding.severity == Severity::Info {
        return remarks;
    }
    if !finding.not_proven.is_empty() {
        let text = format!("not proven: {}", finding.not_proven.join("; "));
        remarks.push(Level::NOTE.message(clean(&text)).into());
    }
    let explain = format!("`cargo perf-expert explain {}`", finding.rule);
    remarks.push(Level::NOTE.message(clean(&explain)).into());
    remarks
}

/// What does not count: suppressed findings with their reason, and how many base already had.
fn quiet_lines(page: &Page<'_>, quiet: &[&Finding], out: &mut dyn Write) -> io::Result<()> {
    let (suppressed, before): (Vec<&Finding>, Vec<&Finding>) = quiet.iter().partition(|finding| finding.suppressed.is_some());
    for finding in suppressed.iter().take(page.shown(suppressed.len(), SUPPRESSED)) {
        let place = finding.file.as_ref().zip(finding.line).map(|(file, line)| format!(" at {file}:{line}"));
        let reason = finding.suppressed.as_deref().unwrap_or_default();
        let line = format!("suppressed: {} {}{}: {reason}", finding.rule, finding.name, place.unwrap_or_default());
        writeln!(out, "{}", clean(&line))?;
    }
    page.cut(out, suppressed.len(), SUPPRESSED, "suppressed")?;
    if !before.is_empty() {
        writeln!(out, "{} that base already had", figures::counted(before.len(), "finding"))?;
    }
    if quiet.is_empty() { Ok(()) } else { writeln!(out) }
}
