//! What a baseline knows of each workload: its time, what could be seen of a change, where its time goes.

use std::io::{self, Write};

use super::{Page, style};
use crate::analysis::{HotItem, PUT_OFF, ProfileResult, WorkloadResult};
use crate::figures;
use crate::profile::Quality;
use crate::report::names::readable;
use crate::report::text::{clean, paint};
use crate::report::view;
use crate::report::{cause, growth, memory, order};

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
    let shown = page.shown(workloads.len(), SHOWN);
    let ordered = order::ordered(page.analysis, shown);
    let cut = shown < workloads.len();
    for workload in ordered.iter().copied().take(shown) {
        writeln!(out, "{}  {}", paint(&clean(&workload.id), style::HEADING, page.look.color), clean(&time(workload)))?;
        writeln!(out, "  hot:     {}", clean(&hottest(workload, &page.analysis.environment.engine)))?;
        if let Some(stack) = growth::first_stack(workload) {
            writeln!(out, "  stack:   {}", clean(&stack))?;
        }
        if let Some(heap) = view::heap(workload) {
            writeln!(out, "  heap:    {}", clean(&heap))?;
        }
        if let Some(line) = cause::line(workload) {
            writeln!(out, "  class:   {}", clean(&line))?;
        }
        for line in memory::lines(workload) {
            writeln!(out, "  memory:  {}", clean(&line))?;
        }
        match &workload.profile {
            Some(profile) => writeln!(out, "  profile: {}\n", clean(&quality(profile)))?,
            None => writeln!(out, "  profile: none\n")?,
        }
    }
    if workloads.len() > SHOWN {
        page.cut(out, workloads.len(), SHOWN, "workloads")?;
        if let Some(classes) = order::classes(page.analysis).filter(|_| cut) {
            writeln!(out, "  {}; those whose causes hold most come first", clean(&classes))?;
        }
        writeln!(out)?;
    }
    // What failed must not hide in a count.
    let failed: Vec<&WorkloadResult> = ordered.into_iter().skip(shown).filter(|workload| failed(workload)).collect();
    for workload in &failed {
        let id = paint(&clean(&workload.id), style::HEADING, page.look.color);
        writeln!(out, "{id}  {}", clean(&view::time_or_why(workload)))?;
    }
    if !failed.is_empty() {
        writeln!(out)?;
    }
    super::workloads::targets(page, out)
}

/// It could not be measured, for a reason of its own: one that was put off is none.
fn failed(workload: &WorkloadResult) -> bool {
    view::base_time(workload).is_none() && workload.reason.as_deref().is_some_and(|reason| reason != PUT_OFF)
}

/// `12.31 µs on the cpu clock (…); a change of 1.8 % or more would show (processes spread 1.1 %)`.
fn time(workload: &WorkloadResult) -> String {
    let Some(measured) = view::base_time(workload) else { return view::time_or_why(workload) };
    let clock = workload.clock.as_ref().map(|clock| format!(" on the {} clock ({})", clock.clock, clock.reason));
    let spread = workload.spread.map(|spread| format!(" (processes spread {})", figures::share(spread))).unwrap_or_default();
    let shows =
        workload.smallest_detectable.map(|change| format!("; a change of {} or more would show{spread}", figures::share(change)));
    format!("{measured}{}{}", clock.unwrap_or_default(), shows.unwrap_or_default())
}

/// `of the CPU samples: crit::fold 99 % (100 % with what it calls); innermost: u64::wrapping_mul 66 %`.
fn hottest(workload: &WorkloadResult, engine: &str) -> String {
    let (own, elsewhere) = view::hottest(workload, HOTTEST);
    let owner = |hot: &&HotItem| {
        let (owned, total) = (figures::share(view::owned(hot)), figures::share(hot.total));
        let whole = if owned == total { String::new() } else { format!(" ({total} with what it calls)") };
        format!("{} {owned}{whole}", readable(&hot.item))
    };
    let inner = |hot: &&HotItem| format!("{} {}", readable(&hot.item), figures::share(hot.self_share));
    let own: Vec<String> = own.iter().map(owner).collect();
    let elsewhere: Vec<String> = elsewhere.iter().map(inner).collect();
    let hot = match (own.is_empty(), elsewhere.is_empty()) {
        (true, true) => return "not measured".into(),
        (false, true) => own.join(", "),
        (true, false) => elsewhere.join(", "),
        (false, false) => format!("{}; innermost: {}", own.join(", "), elsewhere.join(", ")),
    };
    let kernel = cause::unsampled_kernel(workload, engine).map(|kernel| format!("; {kernel}")).unwrap_or_default();
    format!("of the CPU samples: {hot}{kernel}")
}

/// Samples and CPU time have clocks of their own: a hundred and one per cent is a hundred.
fn coverage(coverage: Option<f64>) -> String {
    match coverage {
        Some(coverage) if coverage <= Quality::MOST_COVERAGE => format!("coverage {}", figures::share(coverage.min(1.0))),
        _ => "coverage not known (the system's account of CPU time is coarser than the samples)".into(),
    }
}

fn quality(profile: &ProfileResult) -> String {
    let mut parts = vec![figures::counted(profile.samples as usize, "sample")];
    parts.push(coverage(profile.coverage));
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

#[cfg(test)]
mod tests {
    use super::coverage;

    #[test]
    fn more_than_all_is_all_or_not_known() {
        assert_eq!(coverage(Some(0.98)), "coverage 98 %");
        assert_eq!(coverage(Some(1.013)), "coverage 100 %");
        assert_eq!(coverage(Some(1.38)), coverage(None));
        assert!(coverage(None).starts_with("coverage not known"));
    }
}
