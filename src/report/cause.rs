//! The bottleneck of a workload in words, the same for every page.

use crate::analysis::{BOTTLENECK, WorkloadResult};
use crate::figures;

/// Below this confidence a class is not told as one.
const UNSURE: f64 = 0.2;

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
