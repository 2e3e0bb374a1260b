//! Page faults, allocations and growth of each workload as the analysis shows them.

use super::root_causes::Profiled;
use crate::analysis::{AllocatedResult, FaultsResult, GrowthResult, MemoryOwner, MemoryResult, WorkloadResult};
use crate::diagnose::{Work, growth, is_watched, suspected};
use crate::evidence::WorkloadEvidence;
use crate::heat::{Joined, Origin};
use crate::join::SideView;
use crate::measure::WorkloadKind;
use crate::measure::allocations::Sampled;
use crate::profile::Profile;

/// Samples, counted as equal ones, below which nobody is named.
const FEWEST: u64 = 30;
/// A smaller part is not named.
const NAMED: f64 = 0.10;
/// Owners that are named.
const OWNERS: usize = 3;
/// Frames of a stack.
const FRAMES: usize = 8;
/// Part of the samples under criterion's batched loops from which memory is the harness's as well.
const BATCHED: f64 = 0.10;

/// Adds what is known of each workload's memory: head's where head was watched, and base's where it was not.
pub(crate) fn add_memory(results: &mut [WorkloadResult], base: Option<Profiled<'_>>, head: Profiled<'_>) {
    for result in results {
        let of = |side: Profiled<'_>| side.evidence.of(&result.id).filter(|one| one.work.is_some()).cloned();
        let (at_base, at_head) = (base.and_then(of), of(head));
        let memory = match (at_head, base) {
            (Some(at_head), _) => memory(&at_head, head.view, at_base.as_ref()),
            (None, Some(base)) => at_base.map(|at_base| memory(&at_base, base.view, None)).unwrap_or_default(),
            (None, None) => continue,
        };
        result.memory = Some(memory).filter(|memory| *memory != MemoryResult::default());
    }
}

fn memory(evidence: &WorkloadEvidence, view: &SideView<'_>, other: Option<&WorkloadEvidence>) -> MemoryResult {
    let Some(work) = &evidence.work else { return MemoryResult::default() };
    let sampled = evidence.sampled.as_ref();
    let growth = grown(evidence, work, view).map(|growth| GrowthResult { at_base: other.and_then(grows), ..growth });
    MemoryResult { faults: faults(work, view), allocated: sampled.and_then(|sampled| allocated(sampled, view)), growth }
}

/// Whether a side grows; `None` where it was not watched for long enough.
fn grows(evidence: &WorkloadEvidence) -> Option<bool> {
    let series = &evidence.work.as_ref()?.observed.resident;
    // A short run that stands still says as much as a long one; one that rises does not.
    let short = || suspected(series).filter(|rate| *rate <= 0.0).map(|_| false);
    if is_watched(series) { Some(growth(series).is_some()) } else { short() }
}

fn faults(work: &Work, view: &SideView<'_>) -> Option<FaultsResult> {
    let (count, per_cpu_second) = work.faults().zip(work.fault_rate())?;
    let profile = work.faults.as_ref().filter(|_| work.faults_often())?;
    let (samples, owners) = owners(profile, view)?;
    Some(FaultsResult { count, per_cpu_second, samples, owners })
}

fn allocated(sampled: &Sampled, view: &SideView<'_>) -> Option<AllocatedResult> {
    let (samples, named) = owners(&sampled.by_bytes, view)?;
    let callers = owners(&sampled.by_calls, view).map(|(_, callers)| callers).unwrap_or_default();
    Some(AllocatedResult { bytes: sampled.bytes, calls: sampled.calls, samples, owners: named, callers })
}

fn grown(evidence: &WorkloadEvidence, work: &Work, view: &SideView<'_>) -> Option<GrowthResult> {
    let kind = evidence.workload.kind;
    // Criterion repeats one iteration; others may do anything within their time, and a program has one run.
    let steady = kind == WorkloadKind::Criterion;
    if work.on_cpu.batched >= BATCHED || !(steady || kind.has_fixed_work()) {
        return None;
    }
    let found = growth(&work.observed.resident)?;
    let each = evidence.calibration.as_ref().and_then(|calibration| calibration.latency_ns).filter(|_| steady);
    // Of a machine that was shared it had a part only.
    let busy = work.observed.on_cpu_ns as f64 / (work.observed.watched_ns as f64).max(1.0);
    let per_iteration = each.filter(|_| busy > 0.0).map(|ns| found.rate / busy.min(1.0) * ns / 1e9);
    let kept = evidence.sampled.as_ref().and_then(|sampled| owners(sampled.kept.as_ref()?, view));
    Some(GrowthResult {
        rate: found.rate,
        low: found.low,
        high: found.high,
        seconds: found.seconds,
        held: found.held,
        steady,
        at_base: None,
        per_iteration,
        owners: kept.map(|(_, owners)| owners).unwrap_or_default(),
    })
}

/// The functions of the workspace that hold most of a weighted profile; `None` where too little was sampled.
fn owners(profile: &Profile, view: &SideView<'_>) -> Option<(u64, Vec<MemoryOwner>)> {
    let samples = profile.records.unwrap_or_else(|| profile.samples());
    if samples < FEWEST {
        return None;
    }
    let joined = view.join(profile);
    let spots = joined.hot_path(usize::MAX).into_iter().filter(|spot| spot.origin == Origin::Workspace);
    let owners = spots.filter(|spot| spot.owned.share >= NAMED).take(OWNERS).map(|spot| MemoryOwner {
        stack: spot.key.as_deref().map(|key| stack(&joined, key)).unwrap_or_default(),
        item: spot.name,
        file: spot.file,
        line: spot.line,
        share: spot.owned.share,
        low: spot.owned.low,
        high: spot.owned.high,
    });
    Some((samples, owners.collect()))
}

fn stack(joined: &Joined<'_>, key: &str) -> Vec<String> {
    let heaviest = joined.stacks_through(key, FRAMES, 1).into_iter().next();
    heaviest.map(|excerpt| excerpt.frames.into_iter().map(|frame| frame.function).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Driven, Evidence};
    use crate::join::SideData;
    use crate::measure::harness::Harness;
    use crate::sample::offcpu::{Observed, Resident};

    /// Watched for four seconds, with so many bytes more each second.
    fn evidence(kind: WorkloadKind, rate: u64, batched: f64) -> Evidence {
        let workload = crate::measure::workload::sample("cache", kind);
        let resident =
            (0..200).map(|look| Resident { at_ns: look * 20_000_000, bytes: rate * look / 50, faults: None }).collect();
        let observed = Observed { resident, watched_ns: 4, on_cpu_ns: 4, ..Observed::default() };
        let mut work = Work { observed, ..Work::default() };
        work.on_cpu.batched = batched;
        let one = WorkloadEvidence { work: Some(work), ..WorkloadEvidence::of(&Driven { workload, harness: Harness::Process }) };
        Evidence { workloads: vec![one], ..Evidence::default() }
    }

    fn growth_of(base: Option<&Evidence>, head: &Evidence) -> Option<GrowthResult> {
        let nothing = SideData::default();
        let view = nothing.view();
        let mut results = vec![super::super::workloads::unknown("cache", "criterion")];
        let side = |evidence| Profiled { evidence, view: &view };
        add_memory(&mut results, base.map(side), side(head));
        results.remove(0).memory?.growth
    }

    #[test]
    fn growth_is_told_with_what_repeats_itself_and_with_what_was_before() {
        let (grows, still) = (evidence(WorkloadKind::Criterion, 8 << 20, 0.0), evidence(WorkloadKind::Criterion, 0, 0.0));
        let found = growth_of(Some(&still), &grows).unwrap();
        assert_eq!((found.steady, found.at_base), (true, Some(false)));
        assert_eq!(growth_of(Some(&grows), &grows).unwrap().at_base, Some(true));
        assert_eq!(growth_of(None, &grows).unwrap().at_base, None);
        assert_eq!(growth_of(Some(&grows), &still), None);
        let program = growth_of(None, &evidence(WorkloadKind::Binary, 8 << 20, 0.0)).unwrap();
        assert!(!program.steady);
    }

    #[test]
    fn batches_and_harnesses_that_do_as_they_like_are_not_told_of() {
        assert_eq!(growth_of(None, &evidence(WorkloadKind::Criterion, 8 << 20, 0.5)), None);
        assert_eq!(growth_of(None, &evidence(WorkloadKind::Libtest, 8 << 20, 0.0)), None);
    }
}
