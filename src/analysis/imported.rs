//! A profile that another tool took, usually elsewhere.

use serde::{Deserialize, Serialize};

/// Where an imported profile is from, and how its samples found the workspace's items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportedProfile {
    /// `pprof`, `folded stacks` or `perf script`.
    pub format: String,
    /// What was counted (`samples/count`, `cpu/nanoseconds`); `None` where the format does not say.
    pub sampled: Option<String>,
    /// True when the counts are weights and no samples: `samples` are then the records that carry them.
    pub weighted: bool,
    /// The revision that its labels name, as they name it.
    pub revision: Option<String>,
    /// The commit whose sources its frames were looked up in.
    pub looked_up_in: String,
    /// Build ids of the files that its program had mapped, where it says them: `path: id`.
    pub build_ids: Vec<String>,
    /// Share of samples that show a changed file's item by file and line.
    pub by_line: f64,
    /// Share of samples that show one by name only.
    pub by_name: f64,
    /// Share of samples that show a frame whose path fits several files.
    pub ambiguous: f64,
    /// Share of samples that show a frame at a line that is in a function of another name.
    pub disagreeing: f64,
    /// Share of samples that show a function without a name.
    pub unnamed: f64,
    /// Share of samples whose stack does not reach the begin of a thread.
    pub cut_short: f64,
}
