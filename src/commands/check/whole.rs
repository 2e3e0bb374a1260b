//! What a profile says beyond the change: whose its time is, and why, looked up in the whole tree that it is of.
//!
//! The change itself is joined with its own files only: what those cannot tell apart stays in doubt there.

use std::collections::HashMap;

use camino::Utf8PathBuf;

use crate::analysis::WorkloadResult;
use crate::conclude::{Profiled, add_root_causes, hot_items};
use crate::error::Result;
use crate::evidence::Evidence;
use crate::heat::Foreign;
use crate::join::{SideData, SideView};
use crate::profile::Profile;
use crate::sides::{Texts, all_items, items_of_files};
use crate::source::{CrateRoot, Item};

/// Files that are read for a profile from elsewhere, those that carry most of it first.
const MOST_FILES: usize = 1000;

/// The items of the files that a profile from elsewhere names; of all files where it names none.
pub(super) fn items_of_profile(
    texts: &Texts<'_>,
    profile: &Profile,
    files: &[Utf8PathBuf],
    roots: &[CrateRoot],
) -> Result<Vec<Item>> {
    let foreign = Foreign::new(files.to_vec(), roots.to_vec());
    let heaviest = heaviest(profile);
    let mut named: Vec<Utf8PathBuf> = match heaviest.as_slice() {
        [] => files.to_vec(),
        paths => foreign.files_of(paths.iter().copied().take(MOST_FILES)).into_iter().collect(),
    };
    named.truncate(MOST_FILES);
    items_of_files(texts, &named, roots)
}

/// The paths of a profile, most samples first.
fn heaviest(profile: &Profile) -> Vec<&str> {
    let mut samples: HashMap<&str, u64> = HashMap::new();
    for stack in &profile.stacks {
        let frames = stack.frames.iter().filter_map(|&id| profile.frames.get(id as usize));
        for file in frames.filter_map(|frame| frame.file.as_deref()) {
            *samples.entry(file).or_default() += stack.count;
        }
    }
    let mut paths: Vec<(&str, u64)> = samples.into_iter().collect();
    paths.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    paths.into_iter().map(|(path, _)| path).collect()
}

/// Adds causes and owners to a profile from elsewhere, and its functions by the items that they are.
pub(super) fn add_to_imported(results: &mut [WorkloadResult], whole: &SideView<'_>) {
    for result in results.iter_mut() {
        result.hot_path = hot_items(whole, &result.id);
    }
    // Nobody counted anything but the samples.
    let nothing = Evidence::default();
    add_root_causes(results, None, Profiled { evidence: &nothing, view: whole });
}

/// Adds causes and owners to the stored workloads that the change was joined with: they are facts of the base.
pub(super) fn add_to_stored(
    results: &mut [WorkloadResult],
    joined: &dyn Fn(&str) -> bool,
    evidence: &Evidence,
    profiles: Vec<(String, Profile)>,
    texts: &Texts<'_>,
    roots: &[CrateRoot],
) -> Result<()> {
    if !results.iter().any(|result| joined(&result.id)) {
        return Ok(());
    }
    let mut whole = SideData::new(&evidence.built_in, all_items(texts, roots)?);
    for (id, profile) in profiles.into_iter().filter(|(id, _)| joined(id)) {
        whole.add_profile(&id, profile);
    }
    let view = whole.view();
    for result in results.iter_mut().filter(|result| joined(&result.id)) {
        add_root_causes(std::slice::from_mut(result), None, Profiled { evidence, view: &view });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::folded;

    #[test]
    fn what_carries_most_of_a_profile_is_read_first() {
        let text = "main (/w/src/main.rs:1);a (/w/src/a.rs:1) 5\nmain (/w/src/main.rs:1);b (/w/src/b.rs:1) 7\n";
        let profile = folded::read(text).unwrap();
        assert_eq!(heaviest(&profile), ["/w/src/main.rs", "/w/src/b.rs", "/w/src/a.rs"]);
    }
}
