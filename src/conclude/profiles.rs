//! Profiles as the analysis shows them.

use crate::analysis::{HotItem, ProfileResult};
use crate::heat::hot_path;
use crate::join::SideView;
use crate::profile::Quality;

/// How many lines a hot path has.
const LINES: usize = 10;

/// The hot path of a workload on a side.
pub(crate) fn hot_items(side: &SideView, workload: &str) -> Vec<HotItem> {
    let Some(sampled) = side.sampled.get(workload) else { return Vec::new() };
    let lines = hot_path(&sampled.profile, &sampled.joined, &side.tree, &side.mapper, LINES);
    lines
        .into_iter()
        .map(|line| HotItem {
            item: line.name,
            origin: line.origin.to_owned(),
            file: line.file,
            line: line.line,
            self_share: line.self_share.share,
            total: line.total.share,
            low: line.total.low,
            high: line.total.high,
        })
        .collect()
}

/// The quality of a profile, and where it lies.
pub(crate) fn profile_result(quality: &Quality, path: Option<String>, flamegraph: Option<String>) -> ProfileResult {
    ProfileResult {
        samples: quality.samples,
        frequency: quality.frequency,
        lost: quality.lost,
        coverage: quality.coverage(),
        truncated: quality.truncated_share(),
        path,
        flamegraph,
    }
}
