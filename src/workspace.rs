//! The cargo workspace: what is in it, what of it can run, building one side of a comparison, and what a build was made of.
//!
//! Does not run workloads (`measure`) and does not read git beyond checking a base out.

pub mod aligned;
pub mod build;
pub mod build_id;
mod cargo;
mod discover;
mod error;
mod features;
pub mod fingerprint;
pub mod harness;
pub mod libraries;
pub mod linkage;
mod listing;
pub mod machine_code;
mod manifest;
pub mod relink;
mod rustup;
mod selection;
mod surroundings;
#[cfg(test)]
mod testing;
pub mod worktree;

pub use build::{Artifact, BuildRequest, Built, build};
pub use cargo::{Cargo, Rustc};
pub use discover::{DiscoverOptions, discover};
pub use error::WorkspaceError;
pub use features::FeatureFlags;
pub use fingerprint::Fingerprint;
pub use harness::Harness;
pub use linkage::Linkage;
pub use listing::{Entry, ListRequest, Status, list};
pub use machine_code::SameCode;
pub use selection::{PackageSelection, select_packages};
pub use surroundings::Surroundings;
pub use worktree::{Side, prepare};

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use cargo_metadata::{Metadata, Package, PackageId};
use sha2::{Digest, Sha256};

/// Which kind of cargo target; the others (libraries, examples, tests) are not measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TargetKind {
    /// `[[bench]]`.
    Bench,
    /// `[[bin]]`.
    Bin,
}

impl TargetKind {
    /// As cargo's flags and messages write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bench => "bench",
            Self::Bin => "bin",
        }
    }

    pub(crate) fn of(target: &cargo_metadata::Target) -> Option<Self> {
        if target.is_bench() {
            Some(Self::Bench)
        } else if target.is_bin() {
            Some(Self::Bin)
        } else {
            None
        }
    }
}

/// One target of one package.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TargetRef {
    /// Package name.
    pub package: String,
    /// Target name.
    pub target: String,
    /// Bench or bin.
    pub kind: TargetKind,
}

/// A workspace as cargo sees it, and the cargo and compiler that see it.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// cargo's own words.
    pub metadata: Metadata,
    /// How to call cargo for it.
    pub cargo: Cargo,
    /// The compiler that builds it.
    pub rustc: Rustc,
    /// The manifest that cargo is called with.
    pub manifest_path: Utf8PathBuf,
    /// Features, lock flags and the like, for every later call.
    pub options: DiscoverOptions,
}

impl Workspace {
    /// Directory of the workspace's root manifest.
    pub fn root(&self) -> &Utf8Path {
        &self.metadata.workspace_root
    }

    /// cargo's target directory (`--target-dir`, `CARGO_TARGET_DIR` and configuration respected).
    pub fn target_dir(&self) -> &Utf8Path {
        &self.metadata.target_directory
    }

    /// Where everything of ours lies: `target/perf-expert`. A target directory that lies outside of the workspace may serve
    /// several workspaces: there, each has its own place below.
    pub fn state_dir(&self) -> Utf8PathBuf {
        let target_dir = normal(self.target_dir());
        let dir = target_dir.join(crate::store::DIRECTORY);
        if target_dir.starts_with(self.root()) {
            return dir;
        }
        let hash = Sha256::digest(self.root().as_str());
        let tag: String = fingerprint::hex(&hash).chars().take(8).collect();
        dir.join(format!("{}-{tag}", self.root().file_name().unwrap_or("workspace")))
    }

    /// The target directory of one side (`base`, `head`): never shared, so that neither side overwrites the other's
    /// executables and the user's cache stays warm.
    pub fn side_target_dir(&self, side: &str) -> Utf8PathBuf {
        self.state_dir().join("build").join(side)
    }

    /// The members, in cargo's order.
    pub fn members(&self) -> Vec<&Package> {
        self.metadata.workspace_packages()
    }

    /// A member by name.
    pub fn member(&self, name: &str) -> Option<&Package> {
        self.members().into_iter().find(|package| package.name == name)
    }

    /// A package by cargo's id.
    pub fn package(&self, id: &PackageId) -> Option<&Package> {
        self.metadata.packages.iter().find(|package| package.id == *id)
    }

    /// True if this side has that target: what a base lacks cannot be built there.
    pub fn has(&self, wanted: &TargetRef) -> bool {
        let has = |target: &cargo_metadata::Target| target.name == wanted.target && TargetKind::of(target) == Some(wanted.kind);
        self.member(&wanted.package).is_some_and(|package| package.targets.iter().any(has))
    }

    /// Directories of local packages that are not members: path dependencies, wherever they lie.
    pub fn local_dependencies(&self) -> Vec<Utf8PathBuf> {
        let outside = |package: &&Package| package.source.is_none() && !self.metadata.workspace_members.contains(&package.id);
        let resolved = self.metadata.packages.iter().filter(outside).map(package_dir);
        let named = self.members().into_iter().flat_map(|package| &package.dependencies).filter_map(|dep| dep.path.clone());
        let members: Vec<Utf8PathBuf> = self.members().into_iter().map(package_dir).collect();
        let mut dirs: Vec<Utf8PathBuf> = resolved.chain(named).filter(|dir| !members.contains(dir)).collect();
        dirs.sort();
        dirs.dedup();
        dirs
    }
}

/// The directory of a package: where cargo starts its benches.
pub fn package_dir(package: &Package) -> Utf8PathBuf {
    package.manifest_path.parent().unwrap_or(&package.manifest_path).to_owned()
}

/// The path without `.` and `..`, by its words alone, as cargo takes path dependencies.
fn normal(path: &Utf8Path) -> Utf8PathBuf {
    let mut normal = Utf8PathBuf::new();
    for part in path.components() {
        match part {
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other.as_str()),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_by_their_words() {
        assert_eq!(normal("/a/b/../../c/./d".into()), "/c/d");
    }
}
