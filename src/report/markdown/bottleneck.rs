//! `### Bottleneck Identified`: the class, and where the time goes.

use std::io::{self, Write};

use super::escape::{code, text};
use super::{NOT_MEASURED, bullet, lacks_profile};
use crate::analysis::{Analysis, Bottleneck, HotItem, WorkloadResult};
use crate::figures;
use crate::report::{cause, memory, names::readable, order, view};

const WORKLOADS: usize = 3;
const HOTTEST: usize = 3;
const EVIDENCE: usize = 6;

pub(super) fn write(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    if lacks_profile(analysis) {
        let engine = if analysis.environment.engine == "none" { " (no sampling engine works here)" } else { "" };
        return writeln!(out, "{NOT_MEASURED}: profiling data is missing{engine}, so no bottleneck can be named.");
    }
    let all = order::ordered(analysis, WORKLOADS);
    for workload in all.into_iter().filter(|workload| workload.profile.is_some()).take(WORKLOADS) {
        bullet(out, &class(workload))?;
        for remark in
            remarks(workload).into_iter().chain(memory::lines(workload).into_iter().map(|line| format!("memory: {line}")))
        {
            writeln!(out, "  - {}", text(&remark))?;
        }
        if let Some(kernel) = cause::unsampled_kernel(workload, &analysis.environment.engine) {
            writeln!(out, "  - {}", text(&kernel))?;
        }
        let (own, elsewhere) = view::hottest(workload, HOTTEST);
        if !own.is_empty() || !elsewhere.is_empty() {
            writeln!(out, "  - of the CPU samples{}:", samples(workload).map(|n| format!(" (n = {n})")).unwrap_or_default())?;
        }
        for hot in own {
            line(hot, (view::owned(hot), "owned"), out)?;
        }
        for hot in elsewhere {
            line(hot, (hot.self_share, "self"), out)?;
        }
    }
    let cut = analysis.workloads.len() > WORKLOADS;
    order::classes(analysis).filter(|_| cut).map_or(Ok(()), |classes| bullet(out, &classes))
}

/// Its whole share, and what it has alone where that is less.
fn line(hot: &HotItem, (alone, word): (f64, &str), out: &mut dyn Write) -> io::Result<()> {
    let place = hot.file.as_ref().map(|file| place(file, hot.line)).unwrap_or_default();
    let alone = figures::share(alone);
    let part = if alone == figures::share(hot.total) { String::new() } else { format!(", {alone} {word}") };
    writeln!(out, "    - {} {}{part}{place}", code(&readable(&hot.item)), total(hot))
}

/// The host first, then a change of class, then what was counted.
fn remarks(workload: &WorkloadResult) -> Vec<String> {
    let Some(found) = &workload.bottleneck else { return Vec::new() };
    let host =
        found.host.as_ref().map(|host| format!("the machine was shared: {host}; that is in no share and halves the confidence"));
    host.into_iter().chain(cause::changed(workload)).chain(found.evidence.iter().take(EVIDENCE).cloned()).collect()
}

fn class(workload: &WorkloadResult) -> String {
    match (&workload.bottleneck, cause::line(workload)) {
        (Some(found), _) => {
            let sure = format!("confidence {}", figures::share(found.confidence));
            let text = found.summary.as_ref().map_or_else(|| shares(found), |summary| format!(": {summary}"));
            format!("`{}` is {} ({sure}){text}", workload.id, found.class)
        }
        (None, None) if workload.hot_path.is_empty() => format!("`{}`: class and hottest functions {NOT_MEASURED}", workload.id),
        (None, line) => format!("`{}`: class {}", workload.id, line.unwrap_or_else(|| NOT_MEASURED.into())),
    }
}

/// Where there is no sentence, the numbers.
fn shares(found: &Bottleneck) -> String {
    let shares: Vec<String> = found.shares.iter().map(|(kind, &share)| format!("{kind} {}", figures::share(share))).collect();
    if shares.is_empty() { String::new() } else { format!(": {}", shares.join(", ")) }
}

fn samples(workload: &WorkloadResult) -> Option<u64> {
    workload.profile.as_ref().map(|profile| profile.samples)
}

fn total(hot: &HotItem) -> String {
    figures::share_with_interval(hot.total, hot.low, hot.high)
}

fn place(file: &str, line: Option<u32>) -> String {
    let line = line.map(|line| format!(":{line}")).unwrap_or_default();
    format!(" ({})", code(&format!("{file}{line}")))
}
