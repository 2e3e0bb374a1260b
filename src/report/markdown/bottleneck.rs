//! `### Bottleneck Identified`: the class, and where the time goes.

use std::io::{self, Write};

use super::escape::{code, text};
use super::{NOT_MEASURED, bullet, lacks_profile};
use crate::analysis::{Analysis, Bottleneck, HotItem, WorkloadResult};
use crate::figures;
use crate::report::{cause, memory, names::readable, view};

const WORKLOADS: usize = 3;
const HOTTEST: usize = 3;
const EVIDENCE: usize = 6;

pub(super) fn write(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    if lacks_profile(analysis) {
        let engine = if analysis.environment.engine == "none" { " (no sampling engine works here)" } else { "" };
        return writeln!(out, "{NOT_MEASURED}: profiling data is missing{engine}, so no bottleneck can be named.");
    }
    let shown = view::shown_workloads(analysis);
    let rest = analysis.workloads.iter().filter(|workload| !shown.iter().any(|w| w.id == workload.id));
    for workload in shown.iter().copied().chain(rest).filter(|workload| workload.profile.is_some()).take(WORKLOADS) {
        bullet(out, &class(workload))?;
        for remark in
            remarks(workload).into_iter().chain(memory::lines(workload).into_iter().map(|line| format!("memory: {line}")))
        {
            writeln!(out, "  - {}", text(&remark))?;
        }
        let (own, elsewhere) = view::hottest(workload, HOTTEST);
        for hot in own {
            line(hot, &format!("{} owned, ", figures::share(view::owned(hot))), out)?;
        }
        for hot in elsewhere {
            line(hot, "", out)?;
        }
    }
    Ok(())
}

fn line(hot: &HotItem, owned: &str, out: &mut dyn Write) -> io::Result<()> {
    let place = hot.file.as_ref().map(|file| place(file, hot.line)).unwrap_or_default();
    let own = figures::share(hot.self_share);
    writeln!(out, "  - {} {owned}{own} self, {} total{place}", code(&readable(&hot.item)), total(hot))
}

/// The host first, then a change of class, then what was counted.
fn remarks(workload: &WorkloadResult) -> Vec<String> {
    let Some(found) = &workload.bottleneck else { return Vec::new() };
    let host =
        found.host.as_ref().map(|host| format!("the machine was shared: {host}; that is in no share and halves the confidence"));
    host.into_iter().chain(cause::changed(workload)).chain(found.evidence.iter().take(EVIDENCE).cloned()).collect()
}

fn class(workload: &WorkloadResult) -> String {
    let samples =
        workload.profile.as_ref().map(|profile| figures::counted(profile.samples as usize, "sample")).unwrap_or_default();
    match (&workload.bottleneck, cause::line(workload)) {
        (Some(found), _) => {
            let sure = format!("confidence {}", figures::share(found.confidence));
            let text = found.summary.as_ref().map_or_else(|| shares(found, &samples), |summary| format!(": {summary}"));
            format!("`{}` is {} ({sure}){text}", workload.id, found.class)
        }
        (None, None) if workload.hot_path.is_empty() => format!("`{}`: class and hottest functions {NOT_MEASURED}", workload.id),
        (None, line) => {
            let class = line.unwrap_or_else(|| NOT_MEASURED.into());
            let hottest = if workload.hot_path.is_empty() { "" } else { &*format!("; hottest functions ({samples}):") };
            format!("`{}`: class {class}{hottest}", workload.id)
        }
    }
}

/// Where there is no sentence, the numbers.
fn shares(found: &Bottleneck, samples: &str) -> String {
    let shares: Vec<String> = found.shares.iter().map(|(kind, &share)| format!("{kind} {}", figures::share(share))).collect();
    if shares.is_empty() { format!(" ({samples})") } else { format!(": {} ({samples})", shares.join(", ")) }
}

fn total(hot: &HotItem) -> String {
    figures::share_with_interval(hot.total, hot.low, hot.high)
}

fn place(file: &str, line: Option<u32>) -> String {
    let line = line.map(|line| format!(":{line}")).unwrap_or_default();
    format!(" ({})", code(&format!("{file}{line}")))
}
