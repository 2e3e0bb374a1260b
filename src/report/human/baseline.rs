//! What a baseline knows of each workload: its time, what could be seen of a change, where its time goes.

use std::io::{self, Write};

use super::{Page, style};
use crate::analysis::{HotItem, ProfileResult, WorkloadResult};
use crate::figures;
use crate::report::names::readable;
use crate::report::text::{clean, paint};
use crate::report::view;

/// Workloads before the rest is counted.
const SHOWN: usize = 6;
const HOTTEST: usize = 3;

/// Below these a profile deserves a remark (DESIGN §6).
const GOOD_COVERAGE: f64 = 0.7;
const GOOD_SAMPLES: u64 = 300;
const MUCH_TRUNCATED: f64 = 0.02;

pub(super) fn write(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let workloads = &page.analysis.workloads;
    if workloads.is_empty() {
        writeln!(out, "No workload: nothing was measured\n")?;
    }
    for workload in workloads.iter().take(page.shown(workloads.len(), SHOWN)) {
        writeln!(out, "{}  {}", paint(&clean(&workload.id), style::HEADING, page.look.color), clean(&time(workload)))?;
        writeln!(out, "  hot:     {}", clean(&hottest(workload)))?;
        match &workload.profile {
            Some(profile) => writeln!(out, "  profile: {}\n", clean(&quality(profile)))?,
            None => writeln!(out, "  profile: none\n")?,
        }
    }
    if workloads.len() > SHOWN {
        page.cut(out, workloads.len(), SHOWN, "workloads")?;
        writeln!(out)?;
    }
    super::workloads::targets(page, out)
}

/// `12.31 µs on the cpu clock (…); a change of 1.8 % or more would show (processes spread 1.1 %)`.
fn time(workload: &WorkloadResult) -> String {
    let Some(measured) = view::base_time(workload) else {
        let reason = workload.broken.as_ref().or(workload.reason.as_ref());
        return format!("not measured{}", reason.map(|reason| format!(": {reason}")).unwrap_or_default());
    };
    let clock = workload.clock.as_ref().map(|clock| format!(" on the {} clock ({})", clock.clock, clock.reason));
    let spread = workload.spread.map(|spread| format!(" (processes spread {})", figures::share(spread))).unwrap_or_default();
    let shows =
        workload.smallest_detectable.map(|change| format!("; a change of {} or more would show{spread}", figures::share(change)));
    format!("{measured}{}{}", clock.unwrap_or_default(), shows.unwrap_or_default())
}

fn hottest(workload: &WorkloadResult) -> String {
    let mut items: Vec<&HotItem> = workload.hot_path.iter().collect();
    items.sort_by(|a, b| b.self_share.total_cmp(&a.self_share));
    let named: Vec<String> =
        items.iter().take(HOTTEST).map(|hot| format!("{} {}", readable(&hot.item), figures::share(hot.self_share))).collect();
    if named.is_empty() { "not measured".into() } else { named.join(", ") }
}

fn quality(profile: &ProfileResult) -> String {
    let mut parts = vec![figures::counted(profile.samples as usize, "sample")];
    parts.extend(profile.coverage.map(|coverage| format!("coverage {}", figures::share(coverage))));
    parts.push(format!("{} truncated", figures::share(profile.truncated)));
    if profile.lost > 0 {
        parts.push(format!("{} lost", profile.lost));
    }
    let mut text = parts.join(", ");
    let poor = profile.samples < GOOD_SAMPLES
        || profile.coverage.is_some_and(|coverage| coverage < GOOD_COVERAGE)
        || profile.truncated > MUCH_TRUNCATED;
    if poor {
        text.push_str(" (poor: heat is uncertain)");
    }
    if let Some(path) = &profile.flamegraph {
        text.push_str("; flame graph: ");
        text.push_str(path);
    }
    text
}
