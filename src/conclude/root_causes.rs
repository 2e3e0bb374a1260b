//! Why a workload's time goes where it goes: its causes and its owners, from one look at the side that was profiled.

use super::{causes, owners};
use crate::analysis::WorkloadResult;
use crate::diagnose::causes::waits;
use crate::diagnose::{Work, faults_hold_up};
use crate::evidence::{Evidence, WorkloadEvidence};
use crate::heat::{Joined, join};
use crate::join::SideView;
use crate::sample::offcpu::Wait;
use crate::source::Tree;

/// A side that was profiled: what was counted of it, and its stacks joined with its items.
#[derive(Clone, Copy)]
pub(crate) struct Profiled<'a> {
    /// What was counted.
    pub(crate) evidence: &'a Evidence,
    /// Its stacks.
    pub(crate) view: &'a SideView<'a>,
}

/// What a side shows of one workload.
pub(super) struct Seen<'a> {
    /// The items of the side.
    pub(super) tree: &'a Tree,
    /// Stacks of running threads.
    pub(super) cpu: Option<&'a Joined<'a>>,
    /// Stacks of threads that waited while there was work, one profile per kind.
    pub(super) waits: Vec<(Wait, Joined<'a>)>,
    /// Stacks of page faults, where they hold it up.
    pub(super) faults: Option<Joined<'a>>,
    /// What was counted.
    pub(super) work: Option<&'a Work>,
}

/// Adds the causes and the owners of each workload, head's where head was profiled and base's where it was not.
pub(crate) fn add_root_causes(results: &mut [WorkloadResult], base: Option<Profiled<'_>>, head: Profiled<'_>) {
    for result in results {
        let Some(side) = [Some(head), base].into_iter().flatten().find(|side| side.knows(&result.id)) else { continue };
        let evidence = side.evidence.of(&result.id);
        let work = evidence.and_then(|evidence| evidence.work.as_ref());
        let (waited, paths, tree) = (work.map(waits).unwrap_or_default(), side.view.paths(), side.view.tree());
        let waits = waited.iter().map(|(wait, profile)| (*wait, join(profile, tree, &paths))).collect();
        let faulted = work.filter(|work| faults_hold_up(work)).and_then(|work| work.faults.as_ref());
        let faults = faulted.map(|profile| join(profile, tree, &paths));
        let seen = Seen { tree, cpu: side.view.joined(&result.id), waits, faults, work };
        let noise = result.smallest_detectable.or_else(|| evidence.and_then(WorkloadEvidence::detectable));
        (result.causes, result.silenced) = causes::of_side(&seen, noise);
        result.owners = owners::of_side(&seen, &result.causes);
    }
}

impl Profiled<'_> {
    /// True where running or waiting threads of a workload were seen.
    fn knows(&self, workload: &str) -> bool {
        let watched = || self.evidence.of(workload).and_then(|one| one.work.as_ref()?.observed.blocked.as_ref());
        self.view.joined(workload).is_some() || watched().is_some()
    }
}
