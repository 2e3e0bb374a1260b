//! What the programs of `fixtures/causes` were recorded to do: profile, counters and waits, each from a file of its own.

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod record;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::diagnose::{OnCpu, Work};
use crate::heat::PathMapper;
use crate::profile::Profile;
use crate::source::{CrateRoot, SourceFile, Tree};

/// Where the recorder says that the programs were built.
const ROOT: &str = "/ws";

/// One program's run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Recorded {
    /// The stacks of the running threads.
    pub(super) profile: Profile,
    /// Counters and waits.
    pub(super) work: Work,
}

impl Recorded {
    /// Reads one.
    pub(super) fn load(program: &str) -> Self {
        let path = fixtures().join("recorded").join(format!("{program}.json"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut recorded: Self = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
        recorded.work.on_cpu = OnCpu::of(&recorded.profile);
        recorded
    }
}

/// `fixtures/causes`.
pub(super) fn fixtures() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/causes")
}

/// The names of all programs, sorted.
pub(super) fn programs() -> Vec<String> {
    let files = fixtures().join("src/bin").read_dir_utf8().unwrap();
    let names = files.filter_map(|file| file.unwrap().file_name().strip_suffix(".rs").map(str::to_owned));
    let mut names: Vec<String> = names.filter(|name| name != "peer").collect();
    names.sort();
    names
}

/// The items of the programs' sources.
pub(super) fn tree() -> Tree {
    let read = |path: &str| std::fs::read_to_string(fixtures().join(path)).unwrap();
    let bin = |name: &String| CrateRoot::new(name, format!("src/bin/{name}.rs"));
    let roots: Vec<CrateRoot> =
        std::iter::once(CrateRoot::new("causes", "src/lib.rs")).chain(programs().iter().map(bin)).collect();
    let files: Vec<SourceFile> =
        roots.iter().map(|root| SourceFile::new(root.file.clone(), read(root.file.as_str()), &roots)).collect();
    Tree::of(&files)
}

/// From the recorded paths to those sources.
pub(super) fn mapper() -> PathMapper {
    PathMapper::new([ROOT.into()])
}
