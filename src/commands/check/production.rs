//! `check --profile FILE`: the diff joined with what is hot in production.
//!
//! Nothing of it fails the verdict: the profile was taken elsewhere, and what it does not show may run all the same.

use camino::Utf8Path;

use super::conclude::Conclusion;
use super::sources::Sources;
use super::whole::{add_to_imported, items_of_profile};
use crate::analysis::{BaseSide, Environment};
use crate::cli::CheckArgs;
use crate::commands::context::{ContextParts, locate};
use crate::conclude::{Production, change_results, doubt};
use crate::error::Result;
use crate::exit::Exit;
use crate::figures;
use crate::git::base::{Base, Choice, Request, choose};
use crate::git::{Git, Head};
use crate::heat::{Executed, Foreign};
use crate::join::{Elsewhere, SideData};
use crate::profile::Engine;
use crate::sample::import::{self, ImportError};
use crate::shell::Shell;
use crate::sides::{Texts, items_of_files, read_diff};
use crate::source::Change;
use crate::store::Store;

/// Why such a profile cannot prove that anything is cold everywhere.
const WEAKNESS: &str = "a production profile shows the machines and the time that it was taken on";

/// Joins and reports.
pub(super) fn check(args: &CheckArgs, file: &Utf8Path, shell: &mut Shell) -> Result<Exit> {
    let import = import::read(file)?;
    let (workspace, git, state) = locate(&args.manifest, &args.store, args.target_dir.as_deref())?;
    let parts = ContextParts::new(&workspace, &git)?;
    let base = base_of(args, &git)?;
    let sources = Sources::of(&import, &base.commit, &git, &Store::read(&state))?;
    let diff = read_diff(&git, &base.commit, &Head::WorkingTree, &parts.roots, &parts.packages)?;

    let texts = Texts::Tree(&git, sources.commit.clone());
    let files = diff.base_texts.keys().cloned().collect::<Vec<_>>();
    let mut items = items_of_files(&texts, &files, &parts.roots)?;
    let elsewhere = (sources.commit != base.commit)
        .then(|| Elsewhere::set_apart(&mut items, &diff.changes, &format!("the commit {}", figures::commit(&sources.commit))));
    let all_files = texts.rust_files()?;
    let mut data = SideData::elsewhere(Foreign::new(all_files.clone(), parts.roots.clone()), items);
    let id = file.file_name().unwrap_or(file.as_str());
    data.add_profile(id, import.profile.clone());
    data.add_executed(id, answers(&diff.changes, elsewhere.as_ref()));

    let (view, nothing) = (data.view(), SideData::default());
    let mut changes = change_results(&diff.changes, &view, &nothing.view());
    let Some(joined) = view.joined(id) else { return Err(ImportError::Empty { file: file.to_string() }.into()) };
    let matching = joined.matching();
    doubt(&mut changes, &diff.changes, joined, &matching);
    let production = Production { id, import: &import, looked_up_in: &sources.commit, matching };
    let mut workloads = vec![production.result(&view, file.as_str())];
    let items = items_of_profile(&texts, &import.profile, &all_files, &parts.roots)?;
    let mut whole = SideData::elsewhere(Foreign::new(all_files, parts.roots.clone()), items);
    whole.add_profile(id, import.profile.clone());
    add_to_imported(&mut workloads, &whole.view());
    let warnings = sources.warnings.iter().cloned().chain(production.warnings()).chain(diff.warnings()).collect();
    let evidence = format!("production profile `{id}`: {}; {}", import.described(), sources.chosen_by);
    let conclusion = Conclusion {
        parts: &parts,
        git: &git,
        diff: &diff,
        base: BaseSide { commit: base.commit.clone(), chosen_by: base.chosen_by, evidence },
        environment: elsewhere_environment(warnings),
        workloads,
        changes,
        weakness: Some(WEAKNESS),
        is_of_elsewhere: true,
    };
    conclusion.show(args, shell)
}

/// What the working tree is compared with: `--base`, else where it left the branch that it is merged into.
fn base_of(args: &CheckArgs, git: &Git) -> Result<Base> {
    let request = Request { explicit: args.base.clone(), ..Request::default() };
    match choose(&request, git)? {
        Choice::Base(base) => Ok(base),
        Choice::Nothing { reason } => Ok(Base { commit: git.resolve("HEAD")?, chosen_by: reason, head: None }),
    }
}

fn answers(changes: &[Change], elsewhere: Option<&Elsewhere>) -> Vec<Executed> {
    let answer = |(index, change): (usize, &Change)| {
        let why = match (elsewhere.and_then(|elsewhere| elsewhere.why_unmeasured(index)), &change.base) {
            (Some(why), _) => why,
            (None, None) => "it is new, and was not in the profiled program".to_owned(),
            (None, Some(_)) => "no sample shows it, and a production profile does not tell whether it ran".to_owned(),
        };
        Executed::Unknown(why)
    };
    changes.iter().enumerate().map(answer).collect()
}

/// Nothing is known of the machine that the profile is of.
fn elsewhere_environment(warnings: Vec<String>) -> Environment {
    Environment {
        rustc: None,
        target: None,
        profile: None,
        cpu: None,
        cpus: std::thread::available_parallelism().map_or(1, usize::from),
        engine: Engine::Imported.name().into(),
        warnings,
        contention: None,
    }
}
