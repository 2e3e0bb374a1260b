//! One side as the join sees it: items, paths, and per workload what was sampled and executed.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use crate::heat::{Executed, Foreign, Joined, PathMapper, join};
use crate::profile::Profile;
use crate::source::{Item, Tree};

/// What was found out about one side.
#[derive(Debug, Default)]
pub struct SideData {
    tree: Tree,
    roots: Vec<Utf8PathBuf>,
    foreign: Option<Foreign>,
    profiles: BTreeMap<String, Profile>,
    executed: BTreeMap<String, Vec<Executed>>,
    put_off: BTreeSet<String>,
}

impl SideData {
    /// A side without profiles yet. `built_in` is the root of the tree that was compiled.
    pub fn new(built_in: &Utf8Path, items: Vec<Item>) -> Self {
        let real = built_in.canonicalize_utf8().ok();
        let roots = std::iter::once(built_in.to_owned()).chain(real).collect();
        Self { tree: Tree::new(items), roots, ..Self::default() }
    }

    /// A side whose program was built on another machine.
    pub fn elsewhere(files: Foreign, items: Vec<Item>) -> Self {
        Self { tree: Tree::new(items), foreign: Some(files), ..Self::default() }
    }

    /// The items.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    fn paths(&self) -> PathMapper {
        match &self.foreign {
            Some(files) => PathMapper::foreign(files.clone()),
            None => PathMapper::new(self.roots.clone()),
        }
    }

    /// Adds the profile of a workload.
    pub fn add_profile(&mut self, workload: &str, profile: Profile) {
        self.profiles.insert(workload.to_owned(), profile);
    }

    /// Adds whether a workload executes each change, in the order of the changes.
    pub fn add_executed(&mut self, workload: &str, executed: Vec<Executed>) {
        self.executed.insert(workload.to_owned(), executed);
    }

    /// Notes the workloads that the time limit left without a profile.
    pub fn add_put_off(&mut self, workloads: impl IntoIterator<Item = String>) {
        self.put_off.extend(workloads);
    }

    /// Joins every profile with the items.
    pub fn view(&self) -> SideView<'_> {
        let mapper = self.paths();
        let joined = |(workload, profile)| (workload, join(profile, &self.tree, &mapper));
        let sampled = self.profiles.iter().map(|(workload, profile)| (workload.as_str(), profile)).map(joined).collect();
        SideView { data: self, sampled }
    }
}

/// A side with its profiles joined.
#[derive(Debug)]
pub struct SideView<'a> {
    data: &'a SideData,
    sampled: BTreeMap<&'a str, Joined<'a>>,
}

impl<'a> SideView<'a> {
    /// The items of the side.
    pub fn tree(&self) -> &'a Tree {
        &self.data.tree
    }

    /// How the side's debug information names its files.
    pub fn paths(&self) -> PathMapper {
        self.data.paths()
    }

    /// The join of a workload's profile; `None` when there is none.
    pub fn joined(&self, workload: &str) -> Option<&Joined<'a>> {
        self.sampled.get(workload)
    }

    /// Joins another profile of this side's program with its items.
    pub fn join<'p>(&self, profile: &'p Profile) -> Joined<'p>
    where
        'a: 'p,
    {
        join(profile, &self.data.tree, &self.data.paths())
    }

    /// The profile of a workload.
    pub fn profile(&self, workload: &str) -> Option<&'a Profile> {
        self.data.profiles.get(workload)
    }

    /// Every workload that was sampled or probed.
    pub fn workloads(&self) -> impl Iterator<Item = &'a str> {
        let all: BTreeSet<&str> = self.data.profiles.keys().chain(self.data.executed.keys()).map(String::as_str).collect();
        all.into_iter()
    }

    /// True when the time limit left the workload without a profile.
    pub fn is_put_off(&self, workload: &str) -> bool {
        self.data.put_off.contains(workload)
    }

    /// Whether a workload executes the change at an index.
    pub fn executes(&self, workload: &str, change: usize) -> Executed {
        let known = self.data.executed.get(workload).and_then(|all| all.get(change));
        known.cloned().unwrap_or_else(|| Executed::Unknown("it was not asked".into()))
    }
}
