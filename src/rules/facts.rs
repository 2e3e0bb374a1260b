//! What the rules judge from.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;

use crate::analysis::{ChangeResult, Command, Heat, HotItem, WorkloadResult};
use crate::rules::suppress::Allow;
use crate::source::{Change, ChangeKind};

/// Everything known about one run.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// What is being run: `check` has measured nothing itself.
    pub command: Command,
    /// The changed items.
    pub changes: Vec<ChangedItem<'a>>,
    /// Why the profiles cannot prove that anything is cold, if so: a part of the workloads, or an engine that misses short runs.
    pub weakness: Option<&'static str>,
    /// Results per workload, measured or not.
    pub workloads: &'a [WorkloadResult],
    /// The commits between base and head, any order; uncommitted changes have none.
    pub commits: &'a [Commit],
    /// Whether there is a before-measurement.
    pub base_evidence: &'a BaseEvidence,
    /// Allow entries of the configuration.
    pub allow: &'a [Allow],
    /// Today, for `until`.
    pub today: jiff::civil::Date,
    /// Smallest relative change that counts (δ): 0.02.
    pub noise_floor: f64,
}

/// A changed item with its heat and the text it stands in.
#[derive(Debug, Clone, Copy)]
pub struct ChangedItem<'a> {
    /// What happened to it.
    pub change: &'a Change,
    /// How hot it is.
    pub result: &'a ChangeResult,
    /// The whole text of its file at base.
    pub base_file: Option<&'a str>,
    /// The whole text of its file at head.
    pub head_file: Option<&'a str>,
}

impl ChangedItem<'_> {
    /// True for a change of code that ships: not moved, not ambient, not a test.
    pub fn is_code(&self) -> bool {
        let kind = !matches!(self.change.kind, ChangeKind::Moved | ChangeKind::Ambient);
        kind && !self.result.test_only && self.change.item().is_some_and(|item| item.kind.is_code())
    }

    /// True when some workload shows how much time it takes.
    pub fn is_measured(&self) -> bool {
        !matches!(self.result.heat, None | Some(Heat::Unmeasured))
    }

    /// True when a part of it may be left out of a build: its lines speak of `cfg`.
    pub fn is_conditional(&self) -> bool {
        let speaks = |item: &Option<crate::source::Item>, file: Option<&str>| {
            let (Some(item), Some(file)) = (item, file) else { return false };
            (1_u32..)
                .zip(file.lines())
                .any(|(number, line)| (item.lines.0..=item.lines.1).contains(&number) && line.contains("cfg"))
        };
        speaks(&self.change.base, self.base_file) || speaks(&self.change.head, self.head_file)
    }

    /// The last segment of its path: the name that people use.
    pub fn short_name(&self) -> &str {
        self.result.item.rsplit("::").next().unwrap_or(&self.result.item)
    }
}

/// A commit between base and head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Full commit id.
    pub id: String,
    /// First line of its message.
    pub subject: String,
    /// The rest.
    pub body: String,
    /// Files it touches, relative to the repository root, under their names at head.
    pub files: BTreeSet<Utf8PathBuf>,
}

impl From<crate::git::Commit> for Commit {
    fn from(commit: crate::git::Commit) -> Self {
        Self { id: commit.sha, subject: commit.subject, body: commit.body, files: commit.files.into_iter().collect() }
    }
}

/// Whether there is a before-measurement to compare with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BaseEvidence {
    /// A baseline that fits, or the base was built and measured now.
    Valid,
    /// None, and none was made.
    Missing,
    /// There is one, but it does not fit: other toolchain, profile, host, lock file …, in words.
    Stale(Vec<String>),
}

impl Facts<'_> {
    /// The workload of that name.
    pub fn workload(&self, id: &str) -> Option<&WorkloadResult> {
        self.workloads.iter().find(|workload| workload.id == id)
    }

    /// The item with the largest self time of a workload, the workspace's own first, other than `except`.
    pub fn top_item(&self, workload: &str, except: &str) -> Option<&HotItem> {
        let items = || self.workload(workload).into_iter().flat_map(|w| &w.hot_path).filter(|hot| hot.item != except);
        let largest = |a: &&HotItem, b: &&HotItem| a.self_share.total_cmp(&b.self_share);
        items().filter(|hot| hot.origin == "workspace").max_by(largest).or_else(|| items().max_by(largest))
    }
}
