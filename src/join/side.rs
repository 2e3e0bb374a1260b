//! One side as the join sees it: items, paths, and per workload what was sampled and executed.

use std::collections::BTreeMap;

use crate::heat::{Executed, Joined, PathMapper, Tree};
use crate::profile::Profile;

/// A profile of one workload, joined with the items of its side.
#[derive(Debug, Clone)]
pub struct Sampled {
    /// The stacks.
    pub profile: Profile,
    /// The join.
    pub joined: Joined,
}

/// What is known about one side.
#[derive(Debug, Clone, Default)]
pub struct SideView {
    /// The items.
    pub tree: Tree,
    /// From paths in debug information to files.
    pub mapper: PathMapper,
    /// Per workload.
    pub sampled: BTreeMap<String, Sampled>,
    /// Per workload: whether it executes each change (by index).
    pub executed: BTreeMap<String, Vec<Executed>>,
}

impl SideView {
    /// Adds a profile.
    pub fn add_profile(&mut self, workload: &str, profile: Profile) {
        let joined = Joined::new(&profile, &self.tree, &self.mapper);
        self.sampled.insert(workload.to_owned(), Sampled { profile, joined });
    }

    /// Whether a workload executes the change at an index.
    pub fn executes(&self, workload: &str, change: usize) -> Executed {
        let known = self.executed.get(workload).and_then(|all| all.get(change));
        known.cloned().unwrap_or_else(|| Executed::Unknown("it was not asked".into()))
    }
}
