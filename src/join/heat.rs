//! The heat of each changed item: its hottest workload, over both sides.

use crate::analysis::Heat;
use crate::heat::{Executed, Thresholds, classify};
use crate::profile::Share;
use crate::source::Change;

use super::SideView;

/// How hot a changed item is, in the workload where it is hottest.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemHeat {
    /// The class.
    pub heat: Heat,
    /// Why it is not a class that says something.
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

struct Candidate {
    heat: Heat,
    total: Share,
    own: Share,
    workload: String,
    side: &'static str,
}

/// The heat of the change at `index` of the list that the sides were asked about.
pub fn heat_of(index: usize, change: &Change, base: &SideView, head: &SideView) -> ItemHeat {
    let mut candidates = Vec::new();
    for (side, name, item) in [(base, "base", &change.base), (head, "head", &change.head)] {
        let Some(at) = item.as_ref().and_then(|item| side.tree.index_of(&item.key)) else { continue };
        for (workload, sampled) in &side.sampled {
            let (total, own) = (sampled.joined.total(at), sampled.joined.self_share(at));
            let heat = classify(&total, &side.executes(workload, index), Thresholds::default());
            candidates.push(Candidate { heat, total, own, workload: workload.clone(), side: name });
        }
    }
    // Cold must hold wherever it is executed, so the largest possible share decides among equals.
    let rank = |candidate: &Candidate| (loudness(candidate.heat), candidate.total.high);
    let hottest = candidates.into_iter().filter(|one| one.heat != Heat::Unmeasured).max_by(|a, b| {
        let (a, b) = (rank(a), rank(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    });
    match hottest {
        Some(one) => ItemHeat {
            heat: one.heat,
            reason: (one.heat == Heat::Uncertain).then(|| uncertain(&one.total)),
            total: Some(one.total),
            own: Some(one.own),
            workload: Some(one.workload),
            side: Some(one.side),
        },
        None => unmeasured(index, base, head),
    }
}

fn loudness(heat: Heat) -> u8 {
    match heat {
        Heat::Unmeasured => 0,
        Heat::Cold => 1,
        Heat::Uncertain => 2,
        Heat::Warm => 3,
        Heat::Hot => 4,
    }
}

fn uncertain(share: &Share) -> String {
    if share.samples < 381 {
        format!("{} samples are too few to tell; profile longer with --profile-time", share.samples)
    } else {
        "its interval lies across a border".into()
    }
}

fn unmeasured(index: usize, base: &SideView, head: &SideView) -> ItemHeat {
    let answers: Vec<Executed> = [base, head]
        .into_iter()
        .flat_map(|side| side.executed.values())
        .filter_map(|all| all.get(index).cloned())
        .collect();
    let unknown = answers.iter().find_map(|answer| match answer {
        Executed::Unknown(reason) => Some(reason.clone()),
        _ => None,
    });
    let reason = if answers.contains(&Executed::Yes) {
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
