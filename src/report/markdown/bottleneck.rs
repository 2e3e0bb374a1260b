//! `### Bottleneck Identified`: the class, and where the time goes.

use std::io::{self, Write};

use super::{NOT_MEASURED, bullet, escape::code, lacks_profile};
use crate::analysis::{Analysis, HotItem, WorkloadResult};
use crate::figures;
use crate::report::{names::readable, view};

const WORKLOADS: usize = 3;
const HOTTEST: usize = 3;

pub(super) fn write(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    if lacks_profile(analysis) {
        let engine = if analysis.environment.engine == "none" { " (no sampling engine works here)" } else { "" };
        return writeln!(out, "{NOT_MEASURED}: profiling data is missing{engine}, so no bottleneck can be named.");
    }
    let shown = view::shown_workloads(analysis);
    let rest = analysis.workloads.iter().filter(|workload| !shown.iter().any(|w| w.id == workload.id));
    for workload in shown.iter().copied().chain(rest).filter(|workload| workload.profile.is_some()).take(WORKLOADS) {
        bullet(out, &class(workload))?;
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

fn class(workload: &WorkloadResult) -> String {
    let samples =
        workload.profile.as_ref().map(|profile| figures::counted(profile.samples as usize, "sample")).unwrap_or_default();
    match &workload.bottleneck {
        Some(bottleneck) => {
            let shares: Vec<String> =
                bottleneck.shares.iter().map(|(kind, &share)| format!("{kind} {}", figures::share(share))).collect();
            let shares = if shares.is_empty() { String::new() } else { format!(": {}", shares.join(", ")) };
            format!(
                "`{}` is {} (confidence {}{shares}; {samples})",
                workload.id,
                bottleneck.class,
                figures::share(bottleneck.confidence)
            )
        }
        None if workload.hot_path.is_empty() => format!("`{}`: class and hottest functions {NOT_MEASURED}", workload.id),
        None => format!("`{}`: class {NOT_MEASURED}; hottest functions ({samples}):", workload.id),
    }
}

fn total(hot: &HotItem) -> String {
    figures::share_with_interval(hot.total, hot.low, hot.high)
}

fn place(file: &str, line: Option<u32>) -> String {
    let line = line.map(|line| format!(":{line}")).unwrap_or_default();
    format!(" ({})", code(&format!("{file}{line}")))
}
