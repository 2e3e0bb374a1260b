//! What a profile from production says: its place among the workloads, what limits it, and which claims it cannot carry.
//!
//! Pure. A production profile shows what ran where it was taken; what it does not show may run all the same.

use super::hot_items;
use super::workloads::unknown;
use crate::analysis::{ChangeResult, Heat, IMPORTED, ImportedProfile, WorkloadResult};
use crate::figures;
use crate::heat::{Basis, Joined, Matching, Share, Thresholds};
use crate::join::SideView;
use crate::sample::import::Import;
use crate::source::Change;

/// Shares of samples below this are not worth a warning.
const NOTEWORTHY: f64 = 0.01;

/// A profile and how it was joined.
pub(crate) struct Production<'a> {
    /// Its name in reports.
    pub(crate) id: &'a str,
    /// The profile.
    pub(crate) import: &'a Import,
    /// The commit whose sources its frames were looked up in.
    pub(crate) looked_up_in: &'a str,
    /// What became of its samples.
    pub(crate) matching: Matching,
}

impl Production<'_> {
    /// Its entry among the workloads.
    pub(crate) fn result(&self, side: &SideView<'_>, path: &str) -> WorkloadResult {
        let quality = &self.import.profile.quality;
        let mut profile = super::profile_result(quality, Some(path.to_owned()), None);
        profile.truncated = self.matching.cut_short.share;
        profile.imported = Some(self.imported());
        WorkloadResult {
            reason: Some("imported, not re-measured".into()),
            profile: Some(profile),
            hot_path: hot_items(side, self.id),
            ..unknown(self.id, IMPORTED)
        }
    }

    fn imported(&self) -> ImportedProfile {
        let Matching { by_line, by_name, ambiguous, disagreeing, unnamed, cut_short, .. } = self.matching;
        let with_id = |mapped: &crate::profile::pprof::Mapped| Some(format!("{}: {}", mapped.path, mapped.build_id.as_ref()?));
        ImportedProfile {
            format: self.import.format.name().into(),
            sampled: self.import.sampled.clone(),
            weighted: self.import.profile.records.is_some(),
            revision: self.import.revision.as_ref().map(|revision| revision.value.clone()),
            looked_up_in: self.looked_up_in.to_owned(),
            build_ids: self.import.mapped.iter().filter_map(with_id).collect(),
            by_line: by_line.share,
            by_name: by_name.share,
            ambiguous: ambiguous.share,
            disagreeing: disagreeing.share,
            unnamed: unnamed.share,
            cut_short: cut_short.share,
        }
    }

    /// What limits the conclusions, most important first.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let (seen, mut said) = (&self.matching, Vec::new());
        let mut say = |share: Share, what: &str| {
            if share.share >= NOTEWORTHY {
                said.push(format!("{} of the samples {what}", figures::share(share.share)));
            }
        };
        say(
            seen.disagreeing,
            "lie in lines of functions of another name: the profile is of other sources than these, so lines are not trusted where names disagree",
        );
        say(seen.ambiguous, "show a path that fits several files and no name that tells which: they are left out");
        say(seen.unnamed, "show functions without a name: nothing is called cold that may be among them");
        say(
            seen.cut_short,
            "have stacks that end before the begin of their thread: nothing is called cold that may be missing there",
        );
        said.push(
            "the profile tells nothing of waits and of the work time: owners, causes and gains are of its CPU samples alone"
                .into(),
        );
        if seen.with_files.hits == 0 {
            said.push("the profile holds no files and lines: functions are found by their names".into());
        }
        if let Some(revision) = self.import.revision.as_ref().filter(|revision| revision.others > 0) {
            said.push(format!(
                "the profile mixes {}: the samples of `{}` are taken, {} of others are left out",
                figures::counted(revision.others + 1, "revision"),
                revision.value,
                figures::counted(revision.left_out as usize, "record")
            ));
        }
        said
    }
}

/// Marks how each changed item was found, and takes back what a production profile cannot carry: nothing is cold that may be
/// among samples which are cut short, unnamed or refused.
pub(crate) fn doubt(results: &mut [ChangeResult], changes: &[Change], joined: &Joined<'_>, matching: &Matching) {
    for result in results.iter_mut().filter(|result| result.samples.is_some()) {
        let of_result = |change: &&Change| {
            change.item().is_some_and(|item| item.path == result.item) && change.lines()[0] == result.base_lines
        };
        let Some(item) = changes.iter().find(of_result).and_then(|change| change.base.as_ref()) else { continue };
        result.side = None;
        result.joined_by = joined.basis(&item.key).map(|basis| word(basis).to_owned());
        let most = joined.at_most(&item.key, matching);
        if result.heat == Some(Heat::Cold) && most.high >= Thresholds::default().cold {
            result.heat = Some(Heat::Uncertain);
            result.heat_reason =
                Some(format!("up to {} with the samples that are cut short, unnamed or refused", figures::share(most.high)));
            result.high = Some(most.high);
            result.max_speedup = crate::heat::bound(most.high);
        }
    }
}

fn word(basis: Basis) -> &'static str {
    match basis {
        Basis::Line => "line",
        Basis::Both => "line and name",
        Basis::Name => "name",
    }
}
