//! The bottleneck of a workload in words, the same for every page.

use crate::analysis::{BOTTLENECK, Bottleneck, WorkloadResult};
use crate::diagnose::Part;
use crate::figures;
use crate::profile::Engine;

/// Below this confidence a class is not told as one.
const UNSURE: f64 = 0.2;

/// Its name, or that nobody knows.
pub(super) fn class(found: &Bottleneck) -> &str {
    if found.confidence < UNSURE { "not known" } else { &found.class }
}

/// From this part of the work time on, the kernel's time is told.
const KERNEL: f64 = 0.1;

/// Where the kernel holds much of the work time, and its samples are of user code only: what no line of them shows.
pub(super) fn unsampled_kernel(workload: &WorkloadResult, engine: &str) -> Option<String> {
    let kernel = *workload.bottleneck.as_ref()?.shares.get(Part::Kernel.name())?;
    let told = kernel > KERNEL && engine == Engine::PerfEvent.name() && workload.profile.is_some();
    told.then(|| format!("kernel {} of the work time, which no sample of user code shows", figures::share(kernel)))
}

/// `CPU-bound: …`, or why nobody knows; `None` where nothing was tried.
pub(super) fn line(workload: &WorkloadResult) -> Option<String> {
    let Some(found) = &workload.bottleneck else {
        return workload.unmeasured.get(BOTTLENECK).map(|why| format!("not measured: {why}"));
    };
    let said = found.summary.as_ref().map(|summary| format!(": {summary}")).unwrap_or_default();
    let host = found.host.as_ref().map(|host| format!(" (halved, as the machine was shared: {host})")).unwrap_or_default();
    if found.confidence < UNSURE {
        return Some(format!(
            "not known: {} would be a guess (confidence {}{host})",
            found.class,
            figures::share(found.confidence)
        ));
    }
    Some(format!("{}{said}; confidence {}{host}", found.class, figures::share(found.confidence)))
}

/// What a reader of a comparison would not expect: that the workload is bound by anything but the CPU, where that is rather sure.
pub(super) fn notable(workload: &WorkloadResult) -> Option<String> {
    let found = workload.bottleneck.as_ref()?;
    (found.class != "cpu-bound" && found.confidence >= 0.5).then(|| line(workload)).flatten()
}

/// One line where a change made it another class.
pub(super) fn changed(workload: &WorkloadResult) -> Option<String> {
    let changed = workload.bottleneck.as_ref()?.changed.as_ref()?;
    Some(format!("the bottleneck is another one: {changed}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{profile, workload};

    #[test]
    fn the_kernels_part_is_told_where_no_sample_shows_it() {
        let kernel = |share| {
            let shares = [(Part::Kernel.name().to_owned(), share)].into();
            let bottleneck = Some(Bottleneck { shares, ..Bottleneck::default() });
            WorkloadResult { bottleneck, profile: Some(profile()), ..workload("w") }
        };
        let told = unsampled_kernel(&kernel(0.42), "perf_event");
        assert_eq!(told.as_deref(), Some("kernel 42 % of the work time, which no sample of user code shows"));
        assert_eq!(unsampled_kernel(&kernel(0.42), "pprof-agent"), None, "its samples show it");
        assert_eq!(unsampled_kernel(&kernel(0.08), "perf_event"), None);
    }
}
