//! What a baseline says about itself.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::workspace::fingerprint::Fingerprint;

/// Evidence of the base: what is needed to measure it again. `W` is whatever the caller keeps per workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BaselineRecord<W> {
    /// Schema of this record, [`super::SCHEMA_VERSION`] when it was written.
    pub schema_version: u64,
    /// Version of the tool that wrote it.
    pub tool_version: String,
    /// Name it was saved under.
    pub name: String,
    /// The commit that was built.
    pub commit: Option<String>,
    /// True if the work tree had uncommitted work.
    pub dirty: bool,
    /// The tree object of the commit.
    pub tree: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// The world that it was made in.
    pub fingerprint: Fingerprint,
    /// The executables that were kept.
    pub targets: Vec<StoredTarget>,
    /// The workloads, as the caller describes them.
    pub workloads: W,
    /// Every file of the baseline, by its path inside it. Filled in when the baseline is saved.
    #[serde(default)]
    pub files: BTreeMap<Utf8PathBuf, StoredFile>,
}

/// One kept executable.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StoredTarget {
    /// Package name.
    pub package: String,
    /// Target name.
    pub target: String,
    /// `bench` or `bin`.
    pub kind: String,
    /// Its path inside the baseline.
    pub file: Utf8PathBuf,
}

/// What a stored file must look like to be whole.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StoredFile {
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the contents, hexadecimal.
    pub sha256: String,
}
