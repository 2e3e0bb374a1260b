//! Which workloads a change reaches, and therefore which are worth measuring.

use super::{Ambient, SideView};
use crate::heat::{Executed, Share, Thresholds};
use crate::source::Change;

/// How a change reaches a workload.
#[derive(Debug, Clone, PartialEq)]
pub struct Reach {
    /// How.
    pub reached: Reached,
    /// Share of base's samples that show a changed item; `None` without a profile.
    pub base: Option<Share>,
    /// Share of head's samples that show a changed item.
    pub head: Option<Share>,
}

/// How strongly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reached {
    /// Changed items may hold at least one per cent of it, or an ambient change reaches it.
    Yes,
    /// It executes changed items, but they hold less than one per cent.
    Cold,
    /// It executes no changed item.
    No,
    /// Nobody can tell, and why.
    Unknown(String),
}

impl Reach {
    /// Hotter first.
    pub fn priority(&self) -> f64 {
        [self.base, self.head].into_iter().flatten().map(|share| share.share).fold(0.0, f64::max)
    }
}

/// How the changes reach one workload.
pub fn reach_of(workload: &str, changes: &[Change], ambient: &Ambient, base: &SideView<'_>, head: &SideView<'_>) -> Reach {
    let code = || changes.iter().filter(|change| is_code(change));
    let old: Vec<&str> = code().filter_map(|change| Some(change.base.as_ref()?.key.as_str())).collect();
    let new: Vec<&str> = code().filter_map(|change| Some(change.head.as_ref()?.key.as_str())).collect();
    let in_base = base.joined(workload).map(|joined| joined.union(&old, &ambient.reaches));
    let in_head = head.joined(workload).map(|joined| joined.union(&new, &ambient.reaches));
    Reach { reached: judge(workload, changes, ambient, base, head, in_base, in_head), base: in_base, head: in_head }
}

/// Items that behave differently at head.
fn is_code(change: &Change) -> bool {
    use crate::source::ChangeKind;
    !matches!(change.kind, ChangeKind::Moved | ChangeKind::Ambient) && change.item().is_some_and(|item| item.kind.is_code())
}

fn judge(
    workload: &str,
    changes: &[Change],
    ambient: &Ambient,
    base: &SideView<'_>,
    head: &SideView<'_>,
    in_base: Option<Share>,
    in_head: Option<Share>,
) -> Reached {
    if ambient.everything() {
        return Reached::Yes;
    }
    let warm = Thresholds::default().warm;
    let shown: Vec<Share> = [in_base, in_head].into_iter().flatten().collect();
    if shown.iter().any(|share| share.hits > 0 && share.high >= warm) {
        return Reached::Yes;
    }
    let answers: Vec<Executed> = changes
        .iter()
        .enumerate()
        .filter(|(_, change)| is_code(change))
        .flat_map(|(index, change)| {
            let at_base = change.base.as_ref().map(|_| base.executes(workload, index));
            let at_head = change.head.as_ref().map(|_| head.executes(workload, index));
            [at_base, at_head]
        })
        .flatten()
        .collect();
    let executed = answers.contains(&Executed::Yes) || shown.iter().any(|share| share.hits > 0);
    if executed {
        // Without enough samples, "less than one per cent" is no more than a hope.
        let cold = !shown.is_empty() && shown.iter().all(|share| share.high < warm);
        return if cold { Reached::Cold } else { Reached::Yes };
    }
    let unknown = answers.iter().find_map(|answer| match answer {
        Executed::Unknown(reason) => Some(reason.clone()),
        _ => None,
    });
    match unknown {
        Some(reason) => Reached::Unknown(reason),
        None => Reached::No,
    }
}

/// What is measured, in this order of importance, and what is not.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// Workloads that can fail the verdict, hottest first.
    pub gating: Vec<String>,
    /// Workloads that the change does not reach, as negative controls.
    pub controls: Vec<String>,
    /// The others, each with the reason.
    pub left_out: Vec<(String, String)>,
}

impl Plan {
    /// The same with these gating ones first, in their own order.
    #[must_use]
    pub fn first(mut self, first: &[String]) -> Self {
        self.gating.sort_by_key(|id| first.iter().position(|one| one == id).unwrap_or(usize::MAX));
        self
    }
}

/// How many workloads serve as negative controls.
pub const CONTROLS: usize = 2;

/// How many workloads are measured in which the changed items are executed but hold next to nothing: they can still make the rest
/// do more work. Such a workload is cheap, it ends at the first look when nothing moved.
const COLD: usize = 8;

/// Why a workload is left out that the change does not reach.
const NOT_REACHED: &str = "it executes no changed item";

/// Chooses. `all`: `--all`.
pub fn plan(reaches: &[(String, Reach)], all: bool) -> Plan {
    let mut plan = Plan::default();
    let mut gating: Vec<(&String, f64)> = Vec::new();
    let mut cold: Vec<(&String, &Reach)> = Vec::new();
    let mut unreached: Vec<&String> = Vec::new();
    for (workload, reach) in reaches {
        match &reach.reached {
            Reached::Yes | Reached::Unknown(_) => gating.push((workload, reach.priority())),
            Reached::Cold => cold.push((workload, reach)),
            Reached::No => unreached.push(workload),
        }
    }
    gating.sort_by(|a, b| b.1.total_cmp(&a.1));
    plan.gating = gating.into_iter().map(|(workload, _)| workload.clone()).collect();
    cold.sort_by(|(_, a), (_, b)| b.priority().total_cmp(&a.priority()));
    for (number, (workload, reach)) in cold.into_iter().enumerate() {
        if all || number < COLD {
            plan.gating.push(workload.clone());
        } else {
            plan.left_out.push((workload.clone(), left_out(reach)));
        }
    }
    // Controls are there to judge the gating ones; without any of those they have nothing to say.
    let controls = if all {
        unreached.len()
    } else if plan.gating.is_empty() {
        0
    } else {
        CONTROLS
    };
    for (number, workload) in unreached.into_iter().enumerate() {
        if number < controls {
            plan.controls.push(workload.clone());
        } else {
            plan.left_out.push((workload.clone(), NOT_REACHED.into()));
        }
    }
    plan
}

fn left_out(reach: &Reach) -> String {
    let high = [reach.base, reach.head].into_iter().flatten().map(|share| share.high).fold(0.0, f64::max);
    let share = crate::figures::share(high);
    format!("the changed items hold at most {share} of it, and {COLD} such workloads are measured; `--all` measures every one")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(reached: Reached, hits: u64) -> Reach {
        Reach { reached, base: Some(Share::new(hits, 1000)), head: None }
    }

    #[test]
    fn the_hottest_comes_first_and_two_unreached_ones_are_controls() {
        let reaches = vec![
            ("a".to_owned(), reach(Reached::Yes, 100)),
            ("b".to_owned(), reach(Reached::Yes, 900)),
            ("c".to_owned(), reach(Reached::No, 0)),
            ("d".to_owned(), reach(Reached::No, 0)),
            ("e".to_owned(), reach(Reached::No, 0)),
            ("f".to_owned(), reach(Reached::Cold, 1)),
        ];
        let some = plan(&reaches, false);
        assert_eq!(
            (some.gating, some.controls),
            (vec!["b".into(), "a".into(), "f".into()], vec!["c".to_owned(), "d".to_owned()])
        );
        assert_eq!(some.left_out.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["e"]);
        let all = plan(&reaches, true);
        assert_eq!((all.gating.len(), all.controls.len(), all.left_out.len()), (3, 3, 0));
    }

    #[test]
    fn what_executes_changed_items_without_time_is_measured_after_the_rest_up_to_a_bound() {
        let mut reaches: Vec<(String, Reach)> =
            (0..10).map(|number| (format!("cold-{number}"), reach(Reached::Cold, number))).collect();
        reaches.push(("hot".into(), reach(Reached::Unknown("why".into()), 0)));
        let some = plan(&reaches, false);
        assert_eq!(some.gating.len(), 1 + COLD);
        assert_eq!(some.gating[..3], ["hot", "cold-9", "cold-8"]);
        assert_eq!(some.left_out.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["cold-1", "cold-0"]);
        assert!(some.left_out[0].1.contains("--all"), "{}", some.left_out[0].1);
        assert!(plan(&reaches, true).left_out.is_empty());
    }

    #[test]
    fn what_time_is_kept_for_comes_first_and_the_rest_keeps_its_order() {
        let some = Plan { gating: ["a", "b", "c", "d"].map(str::to_owned).to_vec(), ..Plan::default() };
        assert_eq!(some.first(&["d".into(), "c".into()]).gating, ["d", "c", "a", "b"]);
    }

    #[test]
    fn without_anything_to_gate_no_control_is_run() {
        let plan = plan(&[("a".to_owned(), reach(Reached::No, 0))], false);
        assert!(plan.gating.is_empty() && plan.controls.is_empty());
    }
}
