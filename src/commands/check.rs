//! `check`: the diff joined with the stored profile; nothing is built and nothing is run.

use super::context::{ContextParts, locate};
use super::report::show;
use super::verify::judge::rules_of;
use crate::analysis::{Analysis, BaseSide, Command, HeadSide, SCHEMA_VERSION};
use crate::cli::CheckArgs;
use crate::conclude::{baseline_result, change_results, environment, next_steps, now, tool};
use crate::error::Result;
use crate::evidence::{Evidence, WorkloadEvidence, read_profile};
use crate::exit::Exit;
use crate::git::Head;
use crate::heat::Executed;
use crate::join::SideData;
use crate::rules::{BaseEvidence, Commit};
use crate::shell::Shell;
use crate::sides::{Texts, items_of_files, not_checked, read_diff};
use crate::source::Change;
use crate::store::{Baseline, Store};
use crate::verdict::{self, Policy};

/// Joins and judges by the rules alone.
pub(crate) fn check(args: &CheckArgs, shell: &mut Shell) -> Result<Exit> {
    let (workspace, git, state) = locate(&args.manifest, &args.store, args.target_dir.as_deref())?;
    let parts = ContextParts::new(&workspace, &git)?;
    let baseline: Baseline<Evidence> = Store::read(&state).load_baseline(&args.baseline)?;
    let evidence = &baseline.record.workloads;
    let (commit, chosen_by) = match (&args.base, &baseline.record.commit) {
        (Some(rev), _) => (git.resolve(rev)?, format!("--base {rev}")),
        (None, Some(commit)) => (commit.clone(), format!("commit of the baseline `{}`", args.baseline)),
        (None, None) => (git.resolve("HEAD")?, "HEAD".into()),
    };
    // The profile's lines belong to the tree that was measured.
    let tree = evidence.dirty_tree.clone().unwrap_or_else(|| commit.clone());
    let diff = read_diff(&git, &tree, &Head::WorkingTree, &parts.roots, &parts.packages)?;

    let profiles = profiles(&baseline)?;
    let files = diff.base_texts.keys().cloned().collect::<Vec<_>>();
    let items = items_of_files(&Texts::Tree(&git, tree), &files, &parts.roots)?;
    let mut data = SideData::new(&evidence.built_in, items);
    for (id, profile) in profiles {
        data.add_profile(&id, profile);
    }
    for workload in &evidence.workloads {
        data.add_executed(&workload.workload.id, diff.changes.iter().map(|change| executed(workload, change)).collect());
    }
    let (view, nothing) = (data.view(), SideData::default());
    let changes = change_results(&diff.changes, &view, &nothing.view());
    let workloads: Vec<_> = evidence.workloads.iter().map(|one| baseline_result(one, &view)).collect();
    let commits: Vec<Commit> = git.commits(&commit, "HEAD")?.into_iter().map(Commit::from).collect();
    let findings = rules_of(
        &parts.config,
        &diff,
        &changes,
        &workloads,
        !evidence.selected.is_empty(),
        &commits,
        &BaseEvidence::Valid,
        Command::Check,
        parts.config.margin.unwrap_or(0.02),
    );
    let tests = not_checked("`check` runs nothing");
    let judged = verdict::judge(
        &verdict::Evidence {
            command: Command::Check,
            workloads: &workloads,
            changes: &changes,
            findings: &findings,
            tests: &tests,
        },
        &Policy::new(&parts.config.fail_on.clone().unwrap_or_default(), parts.config.on_inconclusive.unwrap_or_default()),
    );
    let mut analysis = Analysis {
        schema_version: SCHEMA_VERSION,
        tool: tool(),
        command: Command::Check,
        created: now(),
        verdict: judged.verdict,
        reasons: judged.reasons,
        exit_code: judged.exit.code(),
        base: Some(BaseSide { commit, chosen_by, evidence: format!("baseline `{}`", args.baseline) }),
        head: HeadSide { commit: git.head()?, dirty: git.is_dirty()? },
        environment: environment(&baseline.record.fingerprint, evidence, Vec::new()),
        workloads,
        changes,
        findings,
        tests,
        skipped: Vec::new(),
        next_steps: Vec::new(),
    };
    analysis.next_steps = next_steps(&analysis);
    show(&analysis, args.format.message_format, shell)?;
    Ok(judged.exit)
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

fn executed(workload: &WorkloadEvidence, change: &Change) -> Executed {
    match (&change.base, &workload.executed) {
        (None, _) => Executed::Unknown("it is new, and `check` runs nothing; `cargo perf-expert verify` tells".into()),
        (Some(_), Err(reason)) => Executed::Unknown(reason.clone()),
        (Some(item), Ok(keys)) if keys.contains(&item.key) => Executed::Yes,
        (Some(_), Ok(_)) => Executed::No,
    }
}
