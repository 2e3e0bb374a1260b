//! The causes of each workload as the analysis shows them, and the best of them where a finding asks "then what?".

use std::fmt::Write as _;

use super::root_causes::Seen;
use crate::analysis::{
    ALL_THREADS, CauseOwnerResult, CauseResult, Estimate, Finding, InnerCause, SilencedCauses, StackFrame, WorkloadResult,
};
use crate::diagnose::Work;
use crate::diagnose::causes::{Cause, Found, Inner, Subject, causes};
use crate::figures;
use crate::heat::Share;
use crate::rules;

/// Owners of a cause that are listed.
const OWNERS: usize = 10;

/// Matched functions that are listed.
const FUNCTIONS: usize = 5;

/// The causes of one workload of a side, and what the machine's noise silences.
pub(super) fn of_side(side: &Seen<'_>, noise: Option<f64>) -> (Vec<CauseResult>, Option<SilencedCauses>) {
    let of = if side.work.is_some_and(is_parallel) { ALL_THREADS } else { "work time" };
    let (cpu, faults) = (side.cpu, side.faults.as_ref());
    let subject = Subject { cpu, waits: &side.waits, faults, work: side.work, noise };
    let Found { causes, threshold, silenced } = causes(&subject);
    let silenced = (silenced > 0).then_some(SilencedCauses { count: silenced as u64, threshold });
    (causes.into_iter().map(|found| cause(found, of)).collect(), silenced)
}

/// True where no thread does most of what is computed: less work for all is not yet less time.
fn is_parallel(work: &Work) -> bool {
    work.observed.most_threads > 1 && !work.is_serial()
}

fn cause(found: Cause, of: &str) -> CauseResult {
    let Share { share, low, high, hits, .. } = found.share;
    let entry = found.entry;
    let owner = found.owners.first().map_or("your_function", |owner| last(&owner.item));
    CauseResult {
        id: entry.id.clone(),
        name: entry.name.clone(),
        class: entry.class.name().into(),
        title: entry.title.clone(),
        why: entry.why.clone(),
        share,
        low,
        high,
        samples: hits,
        inner: found.inner.as_ref().map(inner),
        of: if found.of_work_time { of } else { "CPU samples" }.into(),
        waited: found.waited,
        kernel: found.kernel,
        threshold: found.threshold,
        fixes: entry.fixes.clone(),
        effort: entry.effort.name().into(),
        sketch: entry.sketch_for(owner),
        expected: Estimate { low: found.gain.low, high: found.gain.high },
        max_speedup: found.gain.most.is_finite().then_some(found.gain.most),
        functions: found.functions.into_iter().take(FUNCTIONS).collect(),
        stack: found
            .stack
            .into_iter()
            .map(|line| StackFrame { function: line.function, file: line.file, line: line.line, inlined: line.inlined })
            .collect(),
        owners: found
            .owners
            .into_iter()
            .take(OWNERS)
            .map(|owner| CauseOwnerResult {
                item: owner.item,
                file: owner.file,
                line: owner.line,
                share: owner.share.share,
                low: owner.share.low,
                high: owner.share.high,
            })
            .collect(),
    }
}

fn inner(inner: &Inner) -> InnerCause {
    let (Share { share, low, high, .. }, entry) = (inner.share, inner.entry);
    let fix = entry.fixes.first().cloned().unwrap_or_default();
    InnerCause { id: entry.id.clone(), name: entry.name.clone(), title: entry.title.clone(), share, low, high, fix }
}

/// A function's own name.
fn last(path: &str) -> &str {
    path.rsplit("::").find(|part| !part.starts_with('{')).unwrap_or(path)
}

/// Where cold code was tuned, names what holds more time: the answer to "then what should I do?".
pub(crate) fn point_elsewhere(findings: &mut [Finding], workloads: &[WorkloadResult]) {
    for finding in findings.iter_mut().filter(|finding| finding.rule == rules::MICRO.id) {
        let elsewhere = |cause: &&CauseResult| cause.owner().is_some_and(|owner| Some(&owner.item) != finding.item.as_ref());
        let all = workloads.iter().flat_map(|workload| workload.causes.iter().map(move |cause| (workload, cause)));
        let best = all.filter(|(_, cause)| elsewhere(cause)).max_by(|a, b| a.1.low.total_cmp(&b.1.low));
        let Some((workload, cause, owner)) = best.and_then(|(workload, cause)| Some((workload, cause, cause.owner()?))) else {
            continue;
        };
        let share = figures::share_with_interval(cause.share, cause.low, cause.high);
        let (id, title) = (&cause.id, &cause.title);
        let estimate = if cause.kernel > 0.0 { ", an estimate" } else { "" };
        let CauseOwnerResult { item, file, line, .. } = owner;
        let _ = write!(
            finding.fix,
            "; more is to be gained in `{item}` ({file}:{line}): {id} {title} holds {share} of `{}`{estimate}",
            workload.id,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Severity;
    use crate::report::samples;

    fn workload(id: &str, causes: Vec<CauseResult>) -> WorkloadResult {
        WorkloadResult { causes, ..super::super::workloads::unknown(id, "bench") }
    }

    #[test]
    fn tuned_cold_code_is_told_what_holds_more_time_elsewhere() {
        let of = |item: &str, share| samples::cause(item, (share, share - 0.03, share + 0.03));
        let cold = samples::finding(Severity::Error);
        let own = cold.item.clone().unwrap();
        let workloads = [
            workload("parse", vec![of("parse::index::lookup", 0.2), of(&own, 0.9)]),
            workload("index", vec![of("parse::index::lookup", 0.41)]),
        ];
        let mut findings = [cold.clone(), Finding { rule: "PE-101".into(), ..cold.clone() }];
        point_elsewhere(&mut findings, &workloads);
        let told = "`parse::index::lookup` (src/index.rs:40): S05 SipHash of small keys holds 41 % [38, 44] of `index`";
        assert!(findings[0].fix.ends_with(told), "{}", findings[0].fix);
        assert_eq!(findings[1].fix, cold.fix, "the other rules say nothing of the kind");
        let mut alone = [cold.clone()];
        point_elsewhere(&mut alone, &[workload("parse", vec![of(&own, 0.9)])]);
        assert_eq!(alone[0].fix, cold.fix, "the finding's own item is not elsewhere");
    }

    #[test]
    fn a_sketch_names_the_function_alone() {
        assert_eq!(last("app::index::Index::lookup"), "lookup");
        assert_eq!(last("app::run::{{closure}}"), "run");
        assert_eq!(last("main"), "main");
    }
}
