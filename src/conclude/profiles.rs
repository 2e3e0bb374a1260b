//! Profiles as the analysis shows them.

use crate::analysis::{HotItem, ProfileResult};
use crate::heat::{HotSpot, Origin};
use crate::join::SideView;
use crate::profile::Quality;

/// How many lines a hot path has.
const LINES: usize = 10;

/// The hot path of a workload on a side.
pub(crate) fn hot_items(side: &SideView<'_>, workload: &str) -> Vec<HotItem> {
    side.joined(workload).map(|joined| joined.hot_path(LINES)).unwrap_or_default().into_iter().map(item).collect()
}

fn item(spot: HotSpot) -> HotItem {
    let origin = match spot.origin {
        Origin::Workspace => "workspace",
        Origin::Dependency(_) => "dependency",
        Origin::Std => "std",
        Origin::System(_) | Origin::Unknown => "system",
    };
    HotItem {
        item: spot.name,
        origin: origin.into(),
        file: spot.file,
        line: spot.line,
        self_share: spot.self_share.share,
        owned: Some(spot.owned.share),
        total: spot.total.share,
        low: spot.total.low,
        high: spot.total.high,
    }
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
        imported: None,
    }
}
