//! Which commit's sources a profile from elsewhere is looked up in: what its label says, what its build id proves, else the base.

use crate::error::Result;
use crate::figures;
use crate::git::Git;
use crate::profile::pprof::Revision;
use crate::sample::import::Import;
use crate::store::Store;
use crate::workspace::build_id::build_id;

/// The sources in which the frames of the profile are looked up.
pub(super) struct Sources {
    pub(super) commit: String,
    /// As the report states it.
    pub(super) chosen_by: String,
    pub(super) warnings: Vec<String>,
}

impl Sources {
    pub(super) fn of(import: &Import, base: &str, git: &Git, store: &Store) -> Result<Self> {
        match &import.revision {
            Some(revision) => Self::labelled(revision, base, git),
            None => Ok(Self::of_known_build(import, base, git, store)?.unwrap_or_else(|| Self::unknown(import, base))),
        }
    }

    /// What the profile's label names, else the base.
    fn labelled(revision: &Revision, base: &str, git: &Git) -> Result<Self> {
        let (label, value) = (&revision.label, &revision.value);
        // A label is no flag and no range.
        let is_plain = value.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/+".contains(&b)) && !value.starts_with('-');
        let names = [value.clone(), format!("v{value}")].into_iter().filter(|_| is_plain && !value.contains(".."));
        for name in names {
            if let Some(commit) = git.try_resolve(&name)? {
                let chosen_by = format!("of {}, as its label `{label}` says", figures::commit(&commit));
                return Ok(Self::certain(commit, chosen_by, base));
            }
        }
        let warning = format!(
            "the profile is of `{value}` (label `{label}`), which is no commit of this repository: it is looked up in the base {}, \
             and what was changed in between cannot be known",
            figures::commit(base)
        );
        Ok(Self { commit: base.to_owned(), chosen_by: format!("of `{value}`, which is not here"), warnings: vec![warning] })
    }

    /// The commit of the stored baseline that holds the very program that was profiled.
    fn of_known_build(import: &Import, base: &str, git: &Git, store: &Store) -> Result<Option<Self>> {
        let wanted: Vec<&str> = import.mapped.iter().filter_map(|mapped| mapped.build_id.as_deref()).collect();
        if wanted.is_empty() {
            return Ok(None);
        }
        for summary in store.list_baselines().iter().filter(|summary| !summary.dirty) {
            let Ok(baseline) = store.load_baseline::<serde_json::Value>(&summary.name) else { continue };
            let Some(commit) = baseline.record.commit.as_deref() else { continue };
            let is_wanted = |id: &str| wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(id));
            let kept =
                |target: &&crate::store::StoredTarget| build_id(&baseline.path(&target.file)).is_some_and(|id| is_wanted(&id));
            let Some(target) = baseline.record.targets.iter().find(kept) else { continue };
            if let Some(commit) = git.try_resolve(commit)? {
                let chosen_by = format!(
                    "of {}: its build id is that of `{}` in the baseline `{}`",
                    figures::commit(&commit),
                    target.target,
                    summary.name
                );
                return Ok(Some(Self::certain(commit, chosen_by, base)));
            }
        }
        Ok(None)
    }

    fn certain(commit: String, chosen_by: String, base: &str) -> Self {
        let warning = format!(
            "the profile is of the commit {}, not of the base: its shares are of that tree, and what differs there is unmeasured",
            figures::commit(&commit)
        );
        let warnings = if commit == base { Vec::new() } else { vec![warning] };
        Self { commit, chosen_by, warnings }
    }

    fn unknown(import: &Import, base: &str) -> Self {
        let has_id = import.mapped.iter().any(|mapped| mapped.build_id.is_some());
        let and_build = if has_id { ", and its build ids are of no stored baseline" } else { "" };
        let warning = format!(
            "the profile does not say which commit it is of{and_build}: it is taken for one of the base {}, and what was changed in \
             between cannot be known",
            figures::commit(base)
        );
        Self { commit: base.to_owned(), chosen_by: "without a commit".into(), warnings: vec![warning] }
    }
}
