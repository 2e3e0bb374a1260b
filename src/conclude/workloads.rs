//! One result per workload: measured, provably the same, or not measured and why.

use std::collections::BTreeMap;

use super::{hot_items, profile_result};
use crate::analysis::{ClockResult, MetricResult, Outcome, PUT_OFF, WorkloadResult};
use crate::evidence::{Allocations, WorkloadEvidence};
use crate::heat::Executed;
use crate::join::{Reach, Reached, SideView, explain};
use crate::measure::allocations::{PEAK, bytes_note, count_note};
use crate::measure::aside::ALLOCATIONS;
use crate::measure::{self, ClockChoice, ClockKind, Ending, Measured, Workload, WorkloadKind};
use crate::source::{Change, ChangeKind, FileRole, role};
use crate::stats;

/// What is known when results are made.
pub(crate) struct Comparison<'a> {
    /// The changed items.
    pub(crate) changes: &'a [Change],
    /// Base's view.
    pub(crate) base: &'a SideView<'a>,
    /// Head's view.
    pub(crate) head: &'a SideView<'a>,
    /// How the changes reach each workload.
    pub(crate) reaches: &'a BTreeMap<String, Reach>,
    /// True when an ambient change may affect all code.
    pub(crate) everything: bool,
    /// Workloads that may read a changed file that no source names, with the file.
    pub(crate) doubtful: &'a BTreeMap<String, String>,
}

/// Why a workload with equal executables was not run: a proof, not an omission.
pub(crate) const SAME_CODE: &str = "identical machine code";

/// What that proof covers, and what it does not: a change of tracked data has taken the proof away before.
const SAME_LIMITS: &str = " and shared libraries; files that it reads at run time and git does not track are not compared";

/// The proof with its limits.
pub(crate) fn same_code() -> String {
    format!("{SAME_CODE}{SAME_LIMITS}")
}

fn blank(workload: &Workload) -> WorkloadResult {
    let (package, target) = (workload.package.clone(), workload.target.clone());
    WorkloadResult { package, target, ..unknown(&workload.id, kind(workload.kind)) }
}

/// A workload of which nothing is known but its name.
pub(super) fn unknown(id: &str, kind: &str) -> WorkloadResult {
    WorkloadResult {
        id: id.into(),
        package: String::new(),
        target: String::new(),
        kind: kind.into(),
        outcome: Outcome::NotMeasured,
        reason: None,
        explained: None,
        explained_by: Vec::new(),
        negative_control: false,
        broken: None,
        metrics: Vec::new(),
        slo: Vec::new(),
        smallest_detectable: None,
        spread: None,
        noise: false,
        unmeasured: BTreeMap::new(),
        clock: None,
        bottleneck: None,
        profile: None,
        hot_path: Vec::new(),
        causes: Vec::new(),
        silenced: None,
        owners: Vec::new(),
        growth: None,
        waiting: None,
        confirmation: None,
        witness: None,
        memory: None,
    }
}

fn kind(kind: WorkloadKind) -> &'static str {
    match kind {
        WorkloadKind::Criterion => "criterion",
        WorkloadKind::Divan => "divan",
        WorkloadKind::Libtest => "libtest",
        WorkloadKind::Bencher => "bencher",
        WorkloadKind::Gungraun => "gungraun",
        WorkloadKind::Bench => "bench",
        WorkloadKind::Binary => "binary",
    }
}

/// The result of a workload of which only one side is known.
pub(crate) fn baseline_result(evidence: &WorkloadEvidence, side: &SideView<'_>) -> WorkloadResult {
    let workload = &evidence.workload;
    let mut result = blank(workload);
    result.reason.clone_from(&evidence.problem);
    if evidence.pending {
        result.reason = Some(PUT_OFF.into());
    }
    if let Some(calibration) = &evidence.calibration {
        result.clock = Some(clock(&calibration.clock));
        let base = calibration.latency_ns;
        let rounds = calibration.noise.as_ref().map_or(0, |noise| noise.rounds as u32);
        result.metrics.push(MetricResult {
            name: "latency.p50".into(),
            unit: "ns".into(),
            clock: Some(clock_name(calibration.clock.clock).into()),
            base,
            head: None,
            ratio: None,
            low: None,
            high: None,
            rounds,
            outcome: if base.is_some() { Outcome::NotJudged } else { Outcome::NotMeasured },
            note: None,
        });
        result.spread = calibration.noise.as_ref().map(|noise| noise.pair_sd);
        result.smallest_detectable = evidence.detectable();
    }
    match &evidence.allocations {
        Some(Ok(counted)) => result.metrics.extend(allocations(counted, workload.kind)),
        Some(Err(why)) => {
            result.unmeasured.insert(ALLOCATIONS.into(), why.clone());
        }
        None => {}
    }
    if let Some(count) = evidence.instructions {
        result.metrics.push(instructions(count, None));
        result.reason = Some(COUNTED.into());
    }
    if let Some(stored) = &evidence.profile {
        let flamegraph = stored.flamegraph.as_ref().map(ToString::to_string);
        result.profile = Some(profile_result(&stored.quality, Some(stored.file.to_string()), flamegraph));
    }
    result.hot_path = hot_items(side, &workload.id);
    result
}

/// What was counted of one side, once.
fn allocations(counted: &Allocations, kind: WorkloadKind) -> [MetricResult; 3] {
    let metric = |name: &str, unit: &str, base: f64, note: Option<&str>| MetricResult {
        name: name.into(),
        unit: unit.into(),
        clock: None,
        base: Some(base),
        head: None,
        ratio: None,
        low: None,
        high: None,
        rounds: 1,
        outcome: Outcome::NotJudged,
        note: note.map(str::to_owned),
    };
    [
        metric("allocations.count", "count", counted.calls, count_note(kind)),
        metric("allocations.bytes", "bytes", counted.bytes, bytes_note(kind)),
        metric("allocations.peak", "bytes", counted.peak, Some(PEAK)),
    ]
}

/// What a count of instructions is worth.
const COUNTED: &str = "instructions, counted once per side: they say nothing about time and fail no verdict";

/// The result of a workload whose instructions were counted on both sides.
pub(crate) fn counted(workload: &Workload, (base, head): (f64, f64)) -> WorkloadResult {
    WorkloadResult { reason: Some(COUNTED.into()), metrics: vec![instructions(base, Some(head))], ..blank(workload) }
}

fn instructions(base: f64, head: Option<f64>) -> MetricResult {
    MetricResult {
        name: "instructions".into(),
        unit: "count".into(),
        clock: None,
        base: Some(base),
        head,
        ratio: head.map(|head| head / base),
        low: None,
        high: None,
        rounds: 1,
        outcome: Outcome::NotJudged,
        note: Some("one run of each side".into()),
    }
}

fn clock(choice: &ClockChoice) -> ClockResult {
    ClockResult { clock: clock_name(choice.clock).into(), reason: choice.reason.clone() }
}

fn clock_name(clock: ClockKind) -> &'static str {
    match clock {
        ClockKind::Cpu => "cpu",
        ClockKind::Wall => "wall",
    }
}

/// The result of a workload of both sides. `measured`: its rounds, or why there are none.
pub(crate) fn compared(workload: &Workload, measured: Result<&Measured, String>, with: &Comparison<'_>) -> WorkloadResult {
    let mut result = blank(workload);
    let side = if with.head.joined(&workload.id).is_some() { with.head } else { with.base };
    result.hot_path = hot_items(side, &workload.id);
    result.profile = side.profile(&workload.id).map(|profile| profile_result(&profile.quality, None, None));
    let measured = match measured {
        Ok(measured) => measured,
        Err(reason) => {
            let is_same = reason == SAME_CODE;
            if is_same {
                result.outcome = Outcome::Same;
            }
            result.reason = Some(if is_same { same_code() } else { reason });
            return result;
        }
    };
    if measured.gating && !with.doubtful.contains_key(&workload.id) {
        result.explained_by = on_stacks(&workload.id, with);
    }
    result.negative_control = !measured.gating;
    result.clock = Some(clock(&measured.clock));
    result.smallest_detectable = measured.detectable;
    result.spread = measured.pair_sd;
    result.noise = measured.is_noise();
    result.unmeasured.clone_from(&measured.unmeasured);
    result.reason = (!measured.reason.is_empty()).then(|| measured.reason.clone());
    result.metrics = measured.metrics.iter().map(metric).collect();
    result.outcome = measured.outcome.map_or(Outcome::NotMeasured, outcome);
    if measured.ending == Ending::HeadFails {
        let how = measured.reason.strip_prefix(measure::FAILS_AT_HEAD).unwrap_or(&measured.reason);
        result.broken = Some(how.to_owned());
    }
    let reach = with.reaches.get(&workload.id);
    if let (Some(verdict @ (stats::Outcome::Slower | stats::Outcome::Faster)), Some(reach)) = (measured.outcome, reach)
        && let Some((_, low, high)) = result.primary().and_then(MetricResult::interval)
    {
        // What holds next to nothing on both sides took no work over from its callers either.
        let inlined = reach.reached != Reached::Cold && inlining_changed(&workload.id, with);
        let explanation = explain(verdict, (low, high), reach, with.everything || inlined);
        let why_not = match (explanation.why_not, with.doubtful.get(&workload.id)) {
            (_, Some(file)) => Some(format!("`{file}` was changed, and it may read that")),
            (Some(why_not), None) => Some(format!("{why_not}{}", executed_elsewhere(&workload.id, with))),
            (None, None) => None,
        };
        result.explained = Some(why_not.is_none());
        result.reason = why_not.or(result.reason);
    }
    result
}

fn metric(metric: &measure::MetricResult) -> MetricResult {
    let has_numbers = metric.base.is_some() || metric.head.is_some();
    let unjudged = if has_numbers { Outcome::NotJudged } else { Outcome::NotMeasured };
    MetricResult {
        name: metric.name.clone(),
        unit: metric.unit.clone(),
        clock: metric.clock.map(|clock| clock_name(clock).to_owned()),
        base: metric.base,
        head: metric.head,
        ratio: metric.ratio,
        low: metric.low,
        high: metric.high,
        rounds: metric.rounds as u32,
        outcome: metric.outcome.map_or(unjudged, outcome),
        note: metric.note.clone(),
    }
}

fn outcome(outcome: stats::Outcome) -> Outcome {
    match outcome {
        stats::Outcome::Faster => Outcome::Faster,
        stats::Outcome::Slower => Outcome::Slower,
        stats::Outcome::Same => Outcome::Same,
        stats::Outcome::Inconclusive => Outcome::Inconclusive,
    }
}

/// True when an item on the stacks changed its attributes: `#[inline]` moves work into and out of the callers, and its own share
/// does not bound that.
fn inlining_changed(workload: &str, with: &Comparison<'_>) -> bool {
    let shows = |side: &SideView<'_>, item: &Option<crate::source::Item>| {
        let key = item.as_ref().map(|item| item.key.as_str());
        key.zip(side.joined(workload)).is_some_and(|(key, joined)| joined.share(key).total.hits > 0)
    };
    let attributes = |change: &&Change| match (&change.base, &change.head) {
        (Some(base), Some(head)) => base.attributes != head.attributes,
        _ => false,
    };
    let changed = with.changes.iter().filter(attributes);
    changed.into_iter().any(|change| shows(with.base, &change.base) || shows(with.head, &change.head))
}

/// Settings of the build change the code of every function: none can be blamed before them.
fn is_build_setting(change: &Change) -> bool {
    let Some(item) = change.item().filter(|_| change.kind == ChangeKind::Ambient) else { return false };
    let of_profile = || change.note.as_deref().is_some_and(|note| note.contains("[profile"));
    match role(&item.file) {
        FileRole::Settings => true,
        FileRole::Manifest => of_profile(),
        _ => false,
    }
}

/// What else may be the reason: a changed item can make the others do more work without holding any time itself.
fn executed_elsewhere(workload: &str, with: &Comparison<'_>) -> String {
    let executed = |(index, change): &(usize, &Change)| {
        let asked = [(&change.base, with.base), (&change.head, with.head)];
        let behaves = !matches!(change.kind, ChangeKind::Moved | ChangeKind::Ambient);
        behaves && asked.iter().any(|(item, side)| item.is_some() && side.executes(workload, *index) == Executed::Yes)
    };
    let names: Vec<&str> =
        with.changes.iter().enumerate().filter(executed).filter_map(|(_, change)| Some(change.item()?.path.as_str())).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => format!("; `{one}` is executed by it and was changed: it may do more work elsewhere"),
        [one, rest @ ..] => {
            format!("; `{one}` and {} more are executed by it and were changed: they may do more work elsewhere", rest.len())
        }
    }
}

/// The changed items on a workload's stacks: build settings, then those with most weight; other ambient ones last, when they may
/// affect everything.
fn on_stacks(workload: &str, with: &Comparison<'_>) -> Vec<String> {
    let mut found: Vec<(f64, String)> = Vec::new();
    for change in with.changes.iter().filter(|change| change.kind != ChangeKind::Moved) {
        let Some(item) = change.item() else { continue };
        let share = |side: &SideView<'_>, item: &Option<crate::source::Item>| {
            let total = side.joined(workload)?.share(&item.as_ref()?.key).total;
            (total.hits > 0).then_some(total.share)
        };
        let shares = [share(with.base, &change.base), share(with.head, &change.head)];
        if let Some(largest) = shares.into_iter().flatten().reduce(f64::max) {
            found.push((largest, item.path.clone()));
        } else if change.kind == ChangeKind::Ambient && !item.test_only && !item.approximate {
            let reach = change.reach();
            let reached = |side: &SideView<'_>| side.joined(workload).is_some_and(|joined| joined.reached_by(&reach).hits > 0);
            if reached(with.base) || reached(with.head) {
                let weight = if is_build_setting(change) { f64::INFINITY } else { 0.0 };
                found.push((weight, item.path.clone()));
            }
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.into_iter().map(|(_, path)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::join::SideData;
    use crate::source::{SourceFile, items};

    #[test]
    fn an_executed_changed_item_is_named_where_its_share_explains_nothing() {
        let file = SourceFile::new("src/cold.rs", "pub fn setup() {}\npub fn other() {}", &[]);
        let code = items(&file).into_iter().filter(|item| item.kind.is_code());
        let change = |item: crate::source::Item| Change {
            kind: ChangeKind::Modified,
            base: Some(item.clone()),
            head: Some(item),
            note: None,
        };
        let changes: Vec<Change> = code.map(change).collect();
        let (base, mut head) = (SideData::default(), SideData::default());
        head.add_executed("scan", vec![Executed::Yes, Executed::No]);
        let (base, head) = (base.view(), head.view());
        let with = Comparison {
            changes: &changes,
            base: &base,
            head: &head,
            reaches: &BTreeMap::new(),
            everything: false,
            doubtful: &BTreeMap::new(),
        };
        let said = executed_elsewhere("scan", &with);
        assert!(said.contains("cold::setup` is executed by it and was changed"), "{said}");
        assert!(!said.contains("other"), "{said}");
        assert_eq!(executed_elsewhere("another", &with), "");
    }

    #[test]
    fn numbers_from_which_nothing_is_concluded_are_not_called_unmeasured() {
        let switches = |base, head| measure::MetricResult {
            name: "context_switches.involuntary".into(),
            unit: "count".into(),
            clock: None,
            base,
            head,
            ratio: None,
            low: None,
            high: None,
            rounds: 12,
            outcome: None,
            note: None,
        };
        assert_eq!(metric(&switches(Some(3.0), Some(4.0))).outcome, Outcome::NotJudged);
        assert_eq!(metric(&switches(None, None)).outcome, Outcome::NotMeasured);
    }
}
