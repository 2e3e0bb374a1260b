//! Profiles as the analysis shows them.

use std::collections::BTreeSet;

use crate::analysis::{HotItem, ProfileResult};
use crate::evidence::Evidence;
use crate::heat::{HotSpot, Origin};
use crate::join::SideView;
use crate::profile::Quality;
use crate::sample::{Advice, advice};

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

/// The quality of each stored profile.
pub(crate) fn qualities(evidence: &Evidence) -> impl Iterator<Item = (&str, &Quality)> {
    evidence.workloads.iter().filter_map(|one| Some((one.workload.id.as_str(), &one.profile.as_ref()?.quality)))
}

/// What the quality of these profiles limits, and what would make it better: each shortcoming once, with the number of its first
/// workload.
pub(crate) fn profile_warnings<'p>(qualities: impl Iterator<Item = (&'p str, &'p Quality)>) -> Vec<String> {
    let mut known: Vec<(Advice, &str, BTreeSet<&str>)> = Vec::new();
    for (workload, quality) in qualities {
        for one in advice(quality) {
            match known.iter_mut().find(|(first, ..)| std::mem::discriminant(first) == std::mem::discriminant(&one)) {
                Some((_, first, more)) if *first != workload => {
                    more.insert(workload);
                }
                Some(_) => {}
                None => known.push((one, workload, BTreeSet::new())),
            }
        }
    }
    let line = |(advice, workload, more): (Advice, &str, BTreeSet<&str>)| {
        let more = if more.is_empty() { String::new() } else { format!(" (and so of {} more)", more.len()) };
        format!("profile of `{workload}`: {}{more}; {}", advice.problem(), advice.remedy())
    };
    known.into_iter().map(line).collect()
}

/// The quality of a profile, and where it lies.
pub(crate) fn profile_result(quality: &Quality, path: Option<String>, flamegraph: Option<String>) -> ProfileResult {
    ProfileResult {
        samples: quality.samples,
        frequency: quality.frequency,
        lost: quality.lost,
        coverage: quality.known_coverage(),
        truncated: quality.truncated_share(),
        path,
        flamegraph,
        imported: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Engine;

    #[test]
    fn a_shortcoming_of_many_profiles_is_said_once() {
        let few = |samples| Quality {
            engine: Engine::PerfEvent,
            samples,
            frequency: 1000,
            lost: 0,
            truncated: 0,
            cpu_ns: Some(samples * 1_000_000),
            wall_ns: 1,
        };
        let half = Quality { cpu_ns: Some(2_000_000_000), ..few(1000) };
        let (poor, fewer, good) = (few(100), few(90), few(1000));
        let all = [("a", &poor), ("b", &fewer), ("b", &fewer), ("c", &good), ("d", &half)];
        let warnings = profile_warnings(all.into_iter());
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(
            warnings[0].contains("`a`: 100 samples are too few") && warnings[0].contains("(and so of 1 more)"),
            "{warnings:?}"
        );
        assert!(warnings[1].contains("`d`: the samples stand for 50 %"), "{warnings:?}");
    }
}
