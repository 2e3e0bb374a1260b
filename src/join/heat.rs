//! The heat of each changed item: its hottest workload, over both sides.

use crate::analysis::Heat;
use crate::heat::{Executed, HeatClass, Share, Thresholds, WorkloadHeat, overall};
use crate::sample::doubt;
use crate::source::Change;

use super::SideView;

/// How hot a changed item is, in the workload where it is hottest.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemHeat {
    /// The class.
    pub heat: Heat,
    /// Why it is not a class that says something, or what makes its shares doubtful.
    pub reason: Option<String>,
    /// Share anywhere on the stack; `None` when no profile can show it.
    pub total: Option<Share>,
    /// Share at the leaf.
    pub own: Option<Share>,
    /// The workload.
    pub workload: Option<String>,
    /// `base` or `head`: whose profile the shares are from.
    pub side: Option<&'static str>,
}

/// The heat of the change at `index` of the list that the sides were asked about.
pub fn heat_of(index: usize, change: &Change, base: &SideView<'_>, head: &SideView<'_>) -> ItemHeat {
    let thresholds = Thresholds::default();
    let at_base = heats(index, change.base.as_ref().map(|item| item.key.as_str()), base, thresholds);
    let at_head = heats(index, change.head.as_ref().map(|item| item.key.as_str()), head, thresholds);
    let from_base = at_base.len();
    let all: Vec<WorkloadHeat> = at_base.into_iter().chain(at_head).collect();
    let found = overall(&all, &thresholds);
    let Some(hottest) = found.hottest.filter(|_| found.class != HeatClass::Unmeasured) else {
        return unmeasured(index, change, base, head);
    };
    let doubt = |side: &SideView<'_>| side.profile(&hottest.workload).and_then(|profile| doubt(&profile.quality));
    let is_base = all.iter().position(|heat| *heat == hottest).is_some_and(|at| at < from_base);
    ItemHeat {
        heat: heat(found.class),
        reason: doubt(if is_base { base } else { head })
            .or_else(|| (found.class == HeatClass::Uncertain).then(|| uncertain(&hottest))),
        total: Some(hottest.share.total),
        own: Some(hottest.share.self_share),
        workload: Some(hottest.workload),
        side: Some(if is_base { "base" } else { "head" }),
    }
}

fn heats(index: usize, key: Option<&str>, side: &SideView<'_>, thresholds: Thresholds) -> Vec<WorkloadHeat> {
    let Some(key) = key else { return Vec::new() };
    let one = |workload: &str| {
        let share = side.joined(workload)?.share(key);
        Some(WorkloadHeat::new(workload, share, side.executes(workload, index), &thresholds))
    };
    side.workloads().filter_map(one).collect()
}

fn heat(class: HeatClass) -> Heat {
    match class {
        HeatClass::Hot => Heat::Hot,
        HeatClass::Warm => Heat::Warm,
        HeatClass::Cold => Heat::Cold,
        HeatClass::Uncertain => Heat::Uncertain,
        HeatClass::Unmeasured => Heat::Unmeasured,
    }
}

fn uncertain(hottest: &WorkloadHeat) -> String {
    let share = hottest.share.total;
    // 381 samples without a hit are the fewest that show less than 1 % (Wilson, 95 %).
    if share.samples < 381 {
        format!("{} samples are too few to tell; profile longer with --profile-time", share.samples)
    } else if hottest.class == HeatClass::Cold {
        "it may be executed by a workload that has too few samples to tell".into()
    } else {
        "its interval lies across a border".into()
    }
}

/// A workload that executes the change and that the time limit left without a profile.
fn put_off<'v>(index: usize, change: &Change, base: &SideView<'v>, head: &SideView<'v>) -> Option<&'v str> {
    let sides = [change.base.as_ref().map(|_| base), change.head.as_ref().map(|_| head)];
    let on = |side: &SideView<'v>| {
        side.workloads().find(|workload| side.is_put_off(workload) && side.executes(workload, index) == Executed::Yes)
    };
    sides.into_iter().flatten().find_map(on)
}

fn unmeasured(index: usize, change: &Change, base: &SideView<'_>, head: &SideView<'_>) -> ItemHeat {
    let ask = |side: &SideView<'_>| side.workloads().map(|workload| side.executes(workload, index)).collect::<Vec<_>>();
    let mut answers = if change.base.is_some() { ask(base) } else { Vec::new() };
    answers.extend(if change.head.is_some() { ask(head) } else { Vec::new() });
    let unknown = answers.iter().find_map(|answer| match answer {
        Executed::Unknown(reason) => Some(reason.clone()),
        _ => None,
    });
    let reason = if let Some(workload) = put_off(index, change, base, head) {
        format!("`{workload}` executes it, and the time limit left no time to sample that")
    } else if answers.contains(&Executed::Yes) {
        "it is executed, but nothing was sampled".to_owned()
    } else if let Some(reason) = unknown {
        format!("not provable: {reason}")
    } else if answers.is_empty() {
        "no workload was run".to_owned()
    } else {
        "no workload executes it".to_owned()
    };
    ItemHeat { heat: Heat::Unmeasured, reason: Some(reason), total: None, own: None, workload: None, side: None }
}
