//! One more pair, with functions at multiples of 64 bytes, of a target whose functions cannot be reordered.
//!
//! Builds both sides anew, in directories of their own that a later run finds warm.

use std::time::{Duration, Instant};

use camino::Utf8Path;

use super::relinked::{Refused, copy, pair};
use crate::commands::context::Context;
use crate::measure::{Job, Link};
use crate::workspace::aligned::{AlignError, build_aligned};
use crate::workspace::{BuildRequest, TargetRef, Workspace};

/// A side's dependencies, too, are compiled: criterion's take a minute and a half on one busy core.
const PATIENCE: Duration = Duration::from_secs(240);
/// What is left of a time limit must be worth beginning.
const WORTH: Duration = Duration::from_secs(30);

/// Builds the pair below `dir`. `until` is when the time limit wants it done.
pub(super) fn aligned(
    context: &Context,
    sides: (&Workspace, &Workspace),
    job: &Job,
    target: &TargetRef,
    dir: &Utf8Path,
    until: Option<Instant>,
) -> Result<Link, Refused> {
    let mut made = Vec::new();
    for (role, workspace) in [("base", sides.0), ("head", sides.1)] {
        let left = until.map_or(PATIENCE, |until| until.saturating_duration_since(Instant::now()).min(PATIENCE));
        if left < WORTH {
            return Err(Refused::NoTime);
        }
        let on_side = |error: AlignError| Refused::Align(role, error);
        let compilation = &context.selection.compilation;
        let target_dir = context.workspace.side_target_dir(&format!("{role}-aligned"));
        let request = BuildRequest {
            side: role,
            targets: std::slice::from_ref(target),
            target_dir: &target_dir,
            profile: compilation.profile.as_deref(),
            jobs: compilation.jobs.as_deref(),
            quiet: true,
        };
        let built = build_aligned(workspace, &request, left).map_err(on_side)?;
        let place = dir.join(role).join(&target.target);
        copy(&built, &place).map_err(|error| on_side(error.into()))?;
        made.push(place);
    }
    let head = made.pop().unwrap_or_default();
    let base = made.pop().unwrap_or_default();
    Ok(pair(job, base, head)?)
}
