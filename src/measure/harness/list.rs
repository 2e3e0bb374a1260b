//! The benchmarks of an executable, whatever harness it has.

use std::path::Path;
use std::time::Duration;

use super::{Harness, HarnessError, Side, criterion, divan, gungraun, libtest};
use crate::measure::WorkloadKind;
use crate::process::{Finished, Launch, Limits, run};

/// One benchmark that an executable holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It can be run alone; the id is what `Workload::harness_id` wants.
    Id(String),
    /// It cannot.
    Left {
        /// Its name.
        id: String,
        /// Why, as a fragment.
        reason: String,
    },
}

/// What an executable holds, in its own order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// The benchmarks.
    pub found: Vec<Found>,
}

/// Divan and bencher are listed by running each benchmark once.
const LIST_TIMEOUT: Duration = Duration::from_secs(300);

/// Asks the executable for its benchmarks. `None` for a program that is one workload as a whole. `package_dir` is relative to
/// the side's root; `scratch` is for the harness's files.
pub fn list(
    kind: WorkloadKind,
    side: &Side,
    package_dir: &Path,
    scratch: &Path,
) -> Result<Option<(Harness, Listed)>, HarnessError> {
    Ok(Some(match kind {
        WorkloadKind::Criterion => {
            let listing = criterion::list(side, package_dir, scratch)?;
            let reason = "the program lists it but knows no such benchmark: an id with a line break cannot be asked for";
            let left = listing.broken.into_iter().map(|id| Found::Left { id, reason: reason.into() });
            let found = listing.ids.into_iter().map(Found::Id).chain(left).collect();
            (Harness::Criterion(listing.dialect), Listed { found })
        }
        WorkloadKind::Divan => (Harness::Divan, divan::list(side, package_dir)?),
        WorkloadKind::Libtest => (Harness::Libtest, libtest::list(side, package_dir)?),
        WorkloadKind::Bencher => (Harness::Bencher, libtest::list_bencher(side, package_dir)?),
        WorkloadKind::Gungraun => (Harness::Gungraun, gungraun::list(side, package_dir)?),
        WorkloadKind::Bench | WorkloadKind::Binary => return Ok(None),
    }))
}

/// Runs an executable for its list.
pub(super) fn list_with(harness: &'static str, side: &Side, launch: &Launch) -> Result<Finished, HarnessError> {
    let finished = run(launch, &Limits { timeout: LIST_TIMEOUT, ..Limits::default() })?;
    if finished.success() { Ok(finished) } else { Err(HarnessError::not_listed(harness, side, &finished)) }
}
