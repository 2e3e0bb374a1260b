//! `check`: the diff joined with the stored profile; nothing is built and nothing is run.

mod conclude;
mod production;
mod sources;
mod whole;

use self::conclude::Conclusion;
use super::context::{ContextParts, locate};
use super::verify::judge::weakness;
use crate::analysis::BaseSide;
use crate::cli::CheckArgs;
use crate::conclude::{Profiled, add_bottlenecks, baseline_result, change_results, environment, profile_warnings, qualities};
use crate::error::Result;
use crate::evidence::{Evidence, WorkloadEvidence, read_profile};
use crate::exit::Exit;
use crate::figures;
use crate::git::{Git, Head};
use crate::heat::Executed;
use crate::join::{Elsewhere, SideData};
use crate::shell::Shell;
use crate::sides::{Texts, items_of_files, read_diff};
use crate::source::Change;
use crate::store::{Baseline, Store};

/// Joins and judges by the rules alone.
pub(crate) fn check(args: &CheckArgs, shell: &mut Shell) -> Result<Exit> {
    if let Some(file) = &args.profile {
        return production::check(args, file, shell);
    }
    let (workspace, git, state) = locate(&args.manifest, &args.store, args.target_dir.as_deref())?;
    let parts = ContextParts::new(&workspace, &git)?;
    let baseline: Baseline<Evidence> = Store::read(&state).load_baseline(&args.baseline)?;
    let evidence = &baseline.record.workloads;
    let profiled = ProfiledTree::of(&baseline, &git)?;
    let base = base_of(args, &baseline, &profiled, &git)?;
    let diff = read_diff(&git, &base.tree, &Head::WorkingTree, &parts.roots, &parts.packages)?;

    let profiles = profiles(&baseline)?;
    let files = diff.base_texts.keys().cloned().collect::<Vec<_>>();
    // The profile's lines belong to the tree that was measured, whatever the diff is against.
    let mut items = items_of_files(&Texts::Tree(&git, profiled.tree.clone()), &files, &parts.roots)?;
    let elsewhere = (profiled.tree != base.tree).then(|| Elsewhere::set_apart(&mut items, &diff.changes, &profiled.named));
    let mut data = SideData::new(&evidence.built_in, items);
    for (id, profile) in &profiles {
        data.add_profile(id, profile.clone());
    }
    for workload in &evidence.workloads {
        data.add_executed(&workload.workload.id, answers(workload, &diff.changes, elsewhere.as_ref()));
    }
    let (view, nothing) = (data.view(), SideData::default());
    let changes = change_results(&diff.changes, &view, &nothing.view());
    let mut workloads: Vec<_> = evidence.workloads.iter().map(|one| baseline_result(one, &view)).collect();
    add_bottlenecks(&mut workloads, None, Profiled { evidence, view: &view });
    let shown = |id: &str| changes.iter().any(|change| change.workload.as_deref() == Some(id));
    let texts = Texts::Tree(&git, profiled.tree.clone());
    whole::add_to_stored(&mut workloads, &shown, evidence, profiles, &texts, &parts.roots)?;
    let poor = profile_warnings(qualities(evidence).filter(|(id, _)| shown(id)));
    let warnings = elsewhere.iter().map(|_| profiled.warning(&args.baseline)).chain(diff.warnings()).chain(poor).collect();
    let conclusion = Conclusion {
        parts: &parts,
        git: &git,
        diff: &diff,
        base: BaseSide { commit: base.commit, chosen_by: base.chosen_by, evidence: profiled.evidence },
        environment: environment(&baseline.record.fingerprint, evidence, warnings),
        workloads,
        changes,
        weakness: weakness(!evidence.selected.is_empty(), evidence),
        is_of_elsewhere: elsewhere.is_some(),
    };
    conclusion.show(args, shell)
}

/// The tree that the profile was taken of.
struct ProfiledTree {
    /// Tree-ish.
    tree: String,
    /// In words.
    named: String,
    /// As the report states the evidence.
    evidence: String,
}

impl ProfiledTree {
    fn of(baseline: &Baseline<Evidence>, git: &Git) -> Result<Self> {
        let record = &baseline.record;
        let commit = match &record.commit {
            Some(commit) => commit.clone(),
            None => git.resolve("HEAD")?,
        };
        let short = figures::commit(&commit);
        let evidence = format!("baseline `{}`", record.name);
        Ok(match &record.workloads.dirty_tree {
            Some(tree) => Self {
                tree: tree.clone(),
                named: format!("uncommitted work on {short}"),
                evidence: format!("{evidence}, of uncommitted work on {short}"),
            },
            None => Self { named: format!("the commit {short}"), evidence, tree: commit },
        })
    }

    fn warning(&self, baseline: &str) -> String {
        format!(
            "the profile in the baseline `{baseline}` is of {}, not of the base: its shares are of that tree, and what differs there is \
             unmeasured",
            self.named
        )
    }
}

/// What the working tree is compared with.
struct ComparedWith {
    commit: String,
    /// Tree-ish; another one than the commit's for a baseline of uncommitted work.
    tree: String,
    chosen_by: String,
}

fn base_of(args: &CheckArgs, baseline: &Baseline<Evidence>, profiled: &ProfiledTree, git: &Git) -> Result<ComparedWith> {
    if let Some(rev) = &args.base {
        let commit = git.resolve(rev)?;
        return Ok(ComparedWith { tree: commit.clone(), commit, chosen_by: format!("--base {rev}") });
    }
    let tree = profiled.tree.clone();
    let of = if baseline.record.workloads.dirty_tree.is_some() { "with the uncommitted work" } else { "commit" };
    Ok(match &baseline.record.commit {
        Some(commit) => {
            ComparedWith { commit: commit.clone(), tree, chosen_by: format!("{of} of the baseline `{}`", args.baseline) }
        }
        None => ComparedWith { commit: git.resolve("HEAD")?, tree, chosen_by: "HEAD".into() },
    })
}

fn profiles(baseline: &Baseline<Evidence>) -> Result<Vec<(String, crate::profile::Profile)>> {
    let mut profiles = Vec::new();
    for workload in &baseline.record.workloads.workloads {
        if let Some(stored) = &workload.profile {
            profiles.push((workload.workload.id.clone(), read_profile(&baseline.path(&stored.file))?));
        }
    }
    Ok(profiles)
}

fn answers(workload: &WorkloadEvidence, changes: &[Change], elsewhere: Option<&Elsewhere>) -> Vec<Executed> {
    let answer = |(index, change)| match elsewhere.and_then(|elsewhere| elsewhere.why_unmeasured(index)) {
        Some(why) => Executed::Unknown(why),
        None => executed(workload, change),
    };
    changes.iter().enumerate().map(answer).collect()
}

fn executed(workload: &WorkloadEvidence, change: &Change) -> Executed {
    match (&change.base, &workload.executed) {
        (None, _) => Executed::Unknown("it is new, and `check` runs nothing; `cargo perf-expert verify` tells".into()),
        (Some(_), Err(reason)) => Executed::Unknown(reason.clone()),
        (Some(item), Ok(keys)) if keys.contains(&item.key) => Executed::Yes,
        (Some(_), Ok(_)) => Executed::No,
    }
}
