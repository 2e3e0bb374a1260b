//! What every report wants to know of an analysis: which workloads and changes matter, and in which order.

use crate::analysis::{
    Analysis, ChangeResult, Command, Finding, Heat, HotItem, IMPORTED, MetricResult, Outcome, Severity, Verdict, WorkloadResult,
};
use crate::figures;
use crate::report::objective::{Standing, objectives};
use crate::report::untimed;
use crate::source::ChangeKind;
use crate::verdict::is_explained_regression;

/// Workloads that a reader wants to see one by one, most important first; the others are counted.
pub(super) fn shown_workloads(analysis: &Analysis) -> Vec<&WorkloadResult> {
    let mut shown: Vec<&WorkloadResult> = analysis.workloads.iter().filter(|w| rank(w).is_some()).collect();
    shown.sort_by(|a, b| {
        let order = |workload: &WorkloadResult| (rank(workload), !analysis_explains(analysis, workload));
        order(a).cmp(&order(b)).then(moved_by(b).total_cmp(&moved_by(a)))
    });
    shown
}

/// How far the primary metric moved, either way.
fn moved_by(workload: &WorkloadResult) -> f64 {
    workload.primary().and_then(MetricResult::interval).map_or(0.0, |(ratio, ..)| ratio.ln().abs())
}

fn analysis_explains(analysis: &Analysis, workload: &WorkloadResult) -> bool {
    is_explained_regression(workload, &analysis.changes)
}

/// How important it is; `None` where it is only counted.
pub(super) fn rank(workload: &WorkloadResult) -> Option<u8> {
    let reached = !workload.explained_by.is_empty();
    match workload.outcome {
        _ if workload.broken.is_some() => Some(0),
        Outcome::Slower => Some(1),
        Outcome::Inconclusive => Some(2),
        Outcome::Faster => Some(3),
        Outcome::NotMeasured if reached || workload.is_counted() => Some(4),
        Outcome::Same if reached => Some(5),
        Outcome::Same | Outcome::NotMeasured | Outcome::NotJudged => None,
    }
}

/// The workloads that are only counted, in words: `11 same`, `3 not measured: it executes no changed item`, most of a kind first.
pub(super) fn counted_workloads(analysis: &Analysis) -> Vec<String> {
    let mut counts: Vec<(usize, String)> = Vec::new();
    for workload in analysis.workloads.iter().filter(|workload| rank(workload).is_none()) {
        let kind = counted_kind(workload);
        match counts.iter_mut().find(|(_, known)| *known == kind) {
            Some((count, _)) => *count += 1,
            None => counts.push((1, kind)),
        }
    }
    counts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    counts.into_iter().map(|(count, kind)| format!("{count} {kind}")).collect()
}

fn counted_kind(workload: &WorkloadResult) -> String {
    match workload.outcome {
        // The reason is a proof with its limits.
        Outcome::Same if workload.is_identical() => {
            format!("same{}", workload.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default())
        }
        Outcome::Same if workload.negative_control => "same, measured as a negative control".into(),
        Outcome::Same => "same".into(),
        _ => {
            let reason = workload.reason.as_deref().map(|reason| reason.strip_prefix("not measured: ").unwrap_or(reason));
            format!("not measured{}", reason.map(|reason| format!(": {reason}")).unwrap_or_default())
        }
    }
}

/// What of the workloads that are only counted would have shown: `a change of 1.8 to 4.0 % would show`; `None` when none was measured.
pub(super) fn counted_sees(analysis: &Analysis) -> Option<String> {
    let counted = analysis.workloads.iter().filter(|workload| rank(workload).is_none());
    let seen: Vec<f64> = counted.filter_map(|workload| workload.smallest_detectable).collect();
    let least = seen.iter().copied().reduce(f64::min)?;
    let most = seen.iter().copied().reduce(f64::max)?;
    let (least, most) = (figures::share(least), figures::share(most));
    Some(if least == most {
        format!("a change of {most} would show")
    } else {
        format!("changes of {least} to {most} would show")
    })
}

/// The regressions that no change explains.
pub(super) fn unexplained(analysis: &Analysis) -> Vec<&WorkloadResult> {
    let slower = analysis.workloads.iter().filter(|workload| workload.outcome == Outcome::Slower);
    slower.filter(|workload| !is_explained_regression(workload, &analysis.changes)).collect()
}

/// The regressions that the change explains.
pub(super) fn regressions(analysis: &Analysis) -> Vec<&WorkloadResult> {
    shown_workloads(analysis).into_iter().filter(|workload| is_explained_regression(workload, &analysis.changes)).collect()
}

/// Findings that count, loudest first; then what is suppressed or was there before.
pub(super) fn findings(analysis: &Analysis) -> (Vec<&Finding>, Vec<&Finding>) {
    let (mut counting, quiet): (Vec<_>, Vec<_>) = analysis.findings.iter().partition(|finding| finding.counts());
    counting.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    (counting, quiet)
}

/// Changed items that a reader wants to see one by one: hottest first, ambient ones last.
pub(super) fn shown_changes(analysis: &Analysis) -> Vec<&ChangeResult> {
    let mut shown: Vec<&ChangeResult> = analysis.changes.iter().filter(|change| is_shown(change)).collect();
    shown.sort_by(|a, b| heat_rank(a).cmp(&heat_rank(b)).then(b.total.unwrap_or(0.0).total_cmp(&a.total.unwrap_or(0.0))));
    shown
}

fn is_shown(change: &ChangeResult) -> bool {
    change.kind != ChangeKind::Moved && !change.test_only
}

fn heat_rank(change: &ChangeResult) -> u8 {
    match change.heat {
        Some(Heat::Hot) => 0,
        Some(Heat::Warm) => 1,
        Some(Heat::Uncertain) => 2,
        Some(Heat::Cold) => 3,
        Some(Heat::Unmeasured) => 4,
        None => 5,
    }
}

/// The changes that are only counted: `2 moved, 1 in tests only`.
pub(super) fn counted_changes(analysis: &Analysis) -> Option<String> {
    let moved = analysis.changes.iter().filter(|change| change.kind == ChangeKind::Moved).count();
    let tests = analysis.changes.iter().filter(|change| change.kind != ChangeKind::Moved && change.test_only).count();
    let parts = [(moved, "moved"), (tests, "in tests only")];
    let words: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// The changed item that explains a workload most.
pub(super) fn explaining<'a>(analysis: &'a Analysis, workload: &WorkloadResult) -> Option<&'a ChangeResult> {
    workload.explained_by.iter().find_map(|item| analysis.changes.iter().find(|change| &change.item == item))
}

/// First line of an item, at head if it is still there.
pub(super) fn line_of(change: &ChangeResult) -> Option<u32> {
    change.head_lines.or(change.base_lines).map(|lines| lines.0)
}

/// The metrics that a table shows: the primary one, what users feel, and whatever moved. What only repeats the primary one
/// (the elapsed time of a whole program that is timed by the wall clock) and the kernel's other counters are in the JSON report.
pub(super) fn telling_metrics(workload: &WorkloadResult) -> impl Iterator<Item = &MetricResult> {
    let primary = workload.primary();
    let repeats = move |metric: &MetricResult| {
        primary.is_some_and(|first| {
            first.unit == metric.unit && first.base.is_some() && (first.base, first.head) == (metric.base, metric.head)
        })
    };
    // A harness fills its time whatever an iteration takes.
    let fixed_work = matches!(workload.kind.as_str(), "bench" | "binary");
    let felt = move |metric: &MetricResult| {
        let family = metric.name.split('.').next().unwrap_or_default();
        matches!(family, "latency" | "throughput" | "allocations" | "error_rate")
            || metric.name == "memory.peak_rss"
            || (metric.name == "cpu.total" && fixed_work)
    };
    let moved = |metric: &MetricResult| matches!(metric.outcome, Outcome::Slower | Outcome::Faster);
    let (first, rest) = workload.metrics.split_at(workload.metrics.len().min(1));
    first.iter().chain(rest.iter().filter(move |metric| !repeats(metric) && (felt(metric) || moved(metric))))
}

/// What the repetition of a claim showed: `repeated over 6 links: +7.1 to +8.3 %, 6 of 6 agree`; `None` without one.
pub(super) fn confirmation(workload: &WorkloadResult) -> Option<String> {
    let confirmation = workload.confirmation.as_ref()?;
    let (links, note) = (&confirmation.links, confirmation.note.as_deref());
    let ends = |(low, high): (f64, f64), link: &f64| (low.min(*link), high.max(*link));
    let (low, high) = links.iter().fold((f64::INFINITY, f64::NEG_INFINITY), ends);
    Some(match links.len() {
        0 => return None,
        1 => {
            let why = note.map(|note| format!(", layout not varied: {note}")).unwrap_or_default();
            format!("repeated with fresh processes{why}")
        }
        n => {
            let also = note.map(|note| format!("; {note}")).unwrap_or_default();
            let (low, high) = (figures::change(low), figures::change(high));
            format!("repeated over {n} links: {low} to {high}, {} of {n} agree{also}", confirmation.agreeing)
        }
    })
}

/// What counted instructions say; `None` where nothing was asked.
pub(super) fn witness(workload: &WorkloadResult) -> Option<&str> {
    workload.witness.as_ref().map(|witness| witness.conclusion.as_str())
}

/// The name of a severity.
pub(super) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// The outcome of a workload, with its obstacle where that is the machine.
pub(super) fn outcome_of(workload: &WorkloadResult) -> &'static str {
    match workload.outcome {
        _ if workload.broken.is_some() => "broken",
        Outcome::NotMeasured if workload.is_counted() => "counted, not timed",
        Outcome::Inconclusive if workload.noise => "inconclusive (noise)",
        other => outcome(other),
    }
}

/// `≥ 1.8 %`: the smallest change of the primary metric that the run would have shown; `None` when not measured.
pub(super) fn sees(workload: &WorkloadResult) -> Option<String> {
    workload.smallest_detectable.map(|change| format!("≥ {}", figures::share(change)))
}

/// Why a workload is not on the usual clock, with the CPU figure beside it; `None` on the CPU clock.
pub(super) fn wall_clock(workload: &WorkloadResult) -> Option<String> {
    let clock = workload.clock.as_ref().filter(|clock| clock.clock == "wall")?;
    workload.primary()?;
    let named = |name: &str| workload.metrics.iter().find(|metric| metric.name == name);
    // A harness that fills a given time leaves the CPU time of the whole process without a meaning.
    let whole = || named("cpu.total").filter(|metric| metric.outcome != Outcome::NotMeasured);
    let figure = named("cpu.per_iteration").or_else(whole).and_then(|metric| {
        let (base, head) = (figures::quantity(metric.base?, &metric.unit), figures::quantity(metric.head?, &metric.unit));
        Some(format!("; CPU time {base} → {head}, {}", change(metric)?))
    });
    Some(format!("wall clock, because {}{}", clock.reason, figure.unwrap_or_default()))
}

/// The name of an outcome.
pub(super) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Faster => "faster",
        Outcome::Slower => "slower",
        Outcome::Same => "same",
        Outcome::Inconclusive => "inconclusive",
        Outcome::NotMeasured => "not measured",
        Outcome::NotJudged => "not judged",
    }
}

/// The name of a heat class.
pub(super) fn heat(heat: Heat) -> &'static str {
    match heat {
        Heat::Hot => "hot",
        Heat::Warm => "warm",
        Heat::Cold => "cold",
        Heat::Uncertain => "uncertain",
        Heat::Unmeasured => "unmeasured",
    }
}

/// The name of a kind of change.
pub(super) fn kind(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Modified => "modified",
        ChangeKind::Added => "added",
        ChangeKind::Deleted => "deleted",
        ChangeKind::Moved => "moved",
        ChangeKind::Signature => "signature",
        ChangeKind::Attributes => "attributes",
        ChangeKind::Ambient => "ambient",
    }
}

/// `+7.9 % [+5.8, +9.6]`, or without an interval where every repeat said the same; `None` when not measured on both sides.
pub(super) fn change(metric: &MetricResult) -> Option<String> {
    let (ratio, low, high) = metric.interval()?;
    let exact = low.to_bits() == high.to_bits();
    Some(if exact { figures::change(ratio) } else { figures::change_with_interval((ratio, low, high)) })
}

/// `≤ 1.79x`: what removing all of an item can gain, at the upper end of its share.
pub(super) fn bound(change: &ChangeResult) -> Option<String> {
    let high = change.high.filter(|&high| high < 1.0)?;
    let factor = figures::factor(1.0 / (1.0 - high));
    Some(if factor.starts_with("over") { factor } else { format!("≤ {factor}") })
}

/// `41 % [38, 44]`; `None` when not measured.
pub(super) fn share(change: &ChangeResult) -> Option<String> {
    Some(figures::share_with_interval(change.total?, change.low?, change.high?))
}

/// The message of a regression: `parse/large is slower: +7.9 % [+5.8, +9.6], 12.31 µs → 13.29 µs`.
pub(super) fn regression(workload: &WorkloadResult) -> String {
    let Some(metric) = workload.primary() else { return format!("`{}` is slower", workload.id) };
    let change = change(metric).map(|change| format!(": {change}")).unwrap_or_default();
    let values = metric
        .base
        .zip(metric.head)
        .map(|(base, head)| format!(", {} → {}", figures::quantity(base, &metric.unit), figures::quantity(head, &metric.unit)));
    format!("`{}` is slower{change}{}", workload.id, values.unwrap_or_default())
}

/// The workloads that the change reaches and that `verify` did not measure, for want of time or another reason.
pub(super) fn passed_over(analysis: &Analysis) -> Vec<&WorkloadResult> {
    let reached = |workload: &&WorkloadResult| {
        workload.outcome == Outcome::NotMeasured && !workload.explained_by.is_empty() && workload.broken.is_none()
    };
    analysis.workloads.iter().filter(|_| analysis.command == Command::Verify).filter(reached).collect()
}

/// The verdict in one line.
pub(super) fn verdict_line(analysis: &Analysis) -> String {
    let word = match analysis.verdict {
        Verdict::Pass => "passed",
        Verdict::Fail => "failed",
        Verdict::Inconclusive => "inconclusive",
    };
    let inconclusive = analysis.workloads.iter().filter(|workload| workload.outcome == Outcome::Inconclusive).count();
    let because = counted_reasons(analysis);
    let because = if because.is_empty() { String::new() } else { format!(" ({})", because.join(", ")) };
    let passed_over = passed_over(analysis).len();
    let passed_over = if passed_over > 0 { format!(", {passed_over} not measured") } else { String::new() };
    let unsure =
        if analysis.command == Command::Verify { format!(" {inconclusive} inconclusive{passed_over}.") } else { String::new() };
    format!("Verdict: {word}{because}.{unsure}  exit {}", analysis.exit_code)
}

fn counted_reasons(analysis: &Analysis) -> Vec<String> {
    let (counting, _) = findings(analysis);
    let level = |severity: Severity| counting.iter().filter(|finding| finding.severity == severity).count();
    let broken = analysis.workloads.iter().filter(|workload| workload.broken.is_some()).count();
    let broken_targets = objectives(analysis).iter().filter(|objective| objective.standing == Standing::Broken).count();
    let counts = [
        (regressions(analysis).len(), "explained regression"),
        (unexplained(analysis).len(), "unexplained regression"),
        (broken_targets, "violated target"),
        (level(Severity::Error), "error"),
        (level(Severity::Warning), "warning"),
        (analysis.tests.newly_failing.len(), "newly failing test"),
        (broken, "broken workload"),
    ];
    let counted = counts.iter().filter(|(count, _)| *count > 0).map(|&(count, noun)| figures::counted(count, noun));
    counted.chain(untimed::why_nothing(analysis)).collect()
}

/// The primary metric of one side: `12.31 µs`; `None` when not measured.
pub(super) fn base_time(workload: &WorkloadResult) -> Option<String> {
    let metric = workload.primary()?;
    let value = figures::quantity(metric.base?, &metric.unit);
    let counted = if metric.name == "instructions" { " instructions" } else { "" };
    let note = metric.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
    Some(format!("{value}{counted}{note}"))
}

/// `101 allocations, 2.53 KiB per iteration; 61.2 KiB live at most (with harness)`, of one side, or why not; `None`
/// when nobody counted.
pub(super) fn heap(workload: &WorkloadResult) -> Option<String> {
    let value = |name: &str| {
        let metric = workload.metrics.iter().find(|metric| metric.name == name)?;
        Some(figures::quantity(metric.base?, &metric.unit))
    };
    let counted = value("allocations.count").zip(value("allocations.bytes")).zip(value("allocations.peak"));
    let Some(((calls, bytes), peak)) = counted else {
        return workload.unmeasured.get("allocations").map(|why| format!("not counted: {why}"));
    };
    let noun = if calls == "1" { "allocation" } else { "allocations" };
    let (per, with) = match workload.kind.as_str() {
        "bench" | "binary" | "command" => ("per run", ""),
        "criterion" | "divan" => ("per iteration with its set-up", " (with harness)"),
        _ => ("per iteration", " (with harness)"),
    };
    Some(format!("{calls} {noun}, {bytes} {per}; {peak} live at most{with}"))
}

/// Its time at base, or why there is none.
pub(super) fn time_or_why(workload: &WorkloadResult) -> String {
    let reason = || workload.broken.as_ref().or(workload.reason.as_ref()).map(|reason| format!(": {reason}")).unwrap_or_default();
    base_time(workload).unwrap_or_else(|| format!("not measured{}", reason()))
}

/// What an item answers for: its own code and what it calls outside of the workspace.
pub(super) fn owned(hot: &HotItem) -> f64 {
    hot.owned.unwrap_or(hot.self_share)
}

/// The workspace's items that own the most time, then the innermost functions that it goes to.
pub(super) fn hottest(workload: &WorkloadResult, n: usize) -> (Vec<&HotItem>, Vec<&HotItem>) {
    let (mut own, mut elsewhere): (Vec<_>, Vec<_>) = workload.hot_path.iter().partition(|hot| hot.origin == "workspace");
    own.sort_by(|a, b| owned(b).total_cmp(&owned(a)));
    elsewhere.sort_by(|a, b| b.self_share.total_cmp(&a.self_share));
    own.truncate(n);
    elsewhere.truncate(n);
    (own, elsewhere)
}

/// A baseline in one line.
pub(super) fn baseline_line(analysis: &Analysis) -> String {
    let workloads = &analysis.workloads;
    let imported = workloads.iter().filter(|workload| workload.kind == IMPORTED).count();
    let measured = workloads.iter().filter(|workload| workload.kind != IMPORTED && base_time(workload).is_some()).count();
    let profiled = workloads.iter().filter(|workload| workload.profile.is_some()).count();
    let own = figures::counted(workloads.len() - imported, "workload");
    let beside = if imported == 0 { String::new() } else { format!(", {imported} imported") };
    format!("Baseline: {own}, {measured} measured, {profiled} profiled{beside}")
}
