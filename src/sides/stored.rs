//! The base side: a stored baseline that fits, or one that is made now.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use jiff::Timestamp;

use super::{Depth, Gathered, Scratch, Texts, all_items, build_programs, gather};
use crate::commands::context::{Context, crate_roots};
use crate::error::{Expected, Result};
use crate::evidence::{Evidence, Program, read_profile};
use crate::exit::Exit;
use crate::figures;
use crate::measure::WorkloadKind;
use crate::profile::Profile;
use crate::shell::Shell;
use crate::store::{Baseline, BaselineRecord, Store, StoredTarget};
use crate::workspace::{self, Fingerprint, Surroundings, TargetRef, WorkspaceError};

/// Why a side has no evidence.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SideError {
    /// Every workload failed.
    #[error("no workload could be measured{}", lines(.problems))]
    NothingRan {
        /// What each of them said.
        problems: Vec<String>,
    },
    /// A baseline that was named, but is of another commit or another world.
    #[error("the baseline `{name}` does not fit: {}", why.join("; "))]
    DoesNotFit {
        /// Its name.
        name: String,
        /// What differs.
        why: Vec<String>,
    },
    /// cargo has said why.
    #[error("the benches of the base {commit} do not build, so there is nothing to compare with")]
    DoesNotBuild {
        /// The commit.
        commit: String,
    },
    /// The base has none of the targets.
    #[error("the base {commit} has none of the selected benches and binaries")]
    NoTargets {
        /// The commit.
        commit: String,
    },
}

fn lines(problems: &[String]) -> String {
    let lines: Vec<String> = problems.iter().map(|problem| format!("\n  {}", problem.replace('\n', "\n  "))).collect();
    lines.concat()
}

impl Expected for SideError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NothingRan { .. } => Some("run the bench by hand first: `cargo bench`".into()),
            Self::DoesNotFit { name, .. } => {
                Some(format!("make it again: `cargo perf-expert baseline --rev REV --save {name}`, or leave --baseline out"))
            }
            Self::DoesNotBuild { .. } => Some("compare with a commit that builds: `--base REV`".into()),
            Self::NoTargets { .. } => Some("add the bench in a commit of its own, before the change".into()),
        }
    }

    fn exit(&self) -> Exit {
        Exit::NoBaseline
    }
}

/// The base, ready to be measured.
pub(crate) struct Base {
    /// The commit.
    pub(crate) commit: String,
    /// Its evidence; `programs` are executables on disk.
    pub(crate) evidence: Evidence,
    /// Its profiles per workload.
    pub(crate) profiles: BTreeMap<String, Profile>,
    /// The top of the tree that its workloads run in.
    pub(crate) root: Utf8PathBuf,
    /// Where the evidence comes from, in words.
    pub(crate) described: String,
    /// What limits the conclusions.
    pub(crate) warnings: Vec<String>,
    /// Why a stored baseline was not used.
    pub(crate) stale: Vec<String>,
    /// The checkout that the executables belong to; removed with it.
    pub(crate) checkout: Option<workspace::Side>,
    /// Where it is kept.
    pub(super) baseline: Baseline<Evidence>,
    /// Files that are not kept yet: paths inside the baseline, and contents.
    pub(super) unkept: Vec<(Utf8PathBuf, Vec<u8>)>,
}

/// What a base must satisfy.
pub(crate) struct BaseRequest<'a> {
    /// The commit.
    pub(crate) commit: &'a str,
    /// A baseline that the user named.
    pub(crate) named: Option<&'a str>,
    /// True when workloads may read files that differ between the sides.
    pub(crate) has_data: bool,
}

/// Finds the stored baseline of a commit, or makes one.
pub(crate) fn find_base(
    context: &Context,
    store: &Store,
    request: &BaseRequest<'_>,
    scratch: &Scratch,
    shell: &mut Shell,
) -> Result<Base> {
    let now = fingerprint(context, &context.workspace)?;
    let mut stale = Vec::new();
    let candidates = match request.named {
        Some(name) => vec![name.to_owned()],
        None => of_commit(store, request.commit, &mut stale),
    };
    for name in candidates {
        let baseline: Baseline<Evidence> = match store.load_baseline(&name) {
            Ok(baseline) => baseline,
            // One that was not asked for by name is made again.
            Err(error) if request.named.is_none() => {
                stale.push(error.to_string());
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let mut why = misfits(context, &baseline, &now);
        if request.named.is_none() {
            why.extend(narrowed(context, &baseline));
        }
        if why.is_empty() {
            // That another one did not fit is no news then.
            return reuse(context, baseline, request);
        }
        if request.named.is_some() {
            return Err(SideError::DoesNotFit { name, why }.into());
        }
        stale.extend(
            why.into_iter().map(|why| if why.starts_with(&format!("`{name}`")) { why } else { format!("`{name}`: {why}") }),
        );
    }
    if let Some(first) = stale.first() {
        shell.note(format!("no stored baseline fits: {first}"));
    }
    let mut base = make(context, store, request.commit, scratch, shell)?;
    base.stale = stale;
    Ok(base)
}

/// Names of the baselines of a commit, newest first, and why others are not among them.
fn of_commit(store: &Store, commit: &str, stale: &mut Vec<String>) -> Vec<String> {
    for (_, error) in store.unreadable_baselines() {
        let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
        stale.push(format!("{error}{hint}"));
    }
    let mut list = store.list_baselines();
    list.retain(|one| one.commit.as_deref() == Some(commit));
    let dirty = list.iter().filter(|one| one.dirty);
    stale.extend(dirty.map(|one| format!("`{0}` is of uncommitted work (name it with `--baseline {0}`)", one.name)));
    list.into_iter().filter(|one| !one.dirty).map(|one| one.name).collect()
}

/// What makes a stored baseline unusable now. What the commit itself brings along (lock file, toolchain file) may differ.
fn misfits(context: &Context, baseline: &Baseline<Evidence>, now: &Fingerprint) -> Vec<String> {
    let stored = &baseline.record.fingerprint;
    let comparable = Fingerprint {
        lockfile: stored.lockfile.clone(),
        toolchain_file: stored.toolchain_file.clone(),
        cargo_config: stored.cargo_config.clone(),
        datasets: stored.datasets.clone(),
        // Of its own dependencies, which need not be the head's.
        surroundings: Surroundings {
            packages: stored.surroundings.packages_now(&context.git),
            settings: now.surroundings.settings.clone(),
        },
        ..now.clone()
    };
    let mut why = stored.differences(&comparable);
    why.extend(stored.dataset_differences(now));
    let has = |target: &TargetRef| {
        let stored = &baseline.record.targets;
        stored.iter().any(|one| one.package == target.package && one.target == target.target && one.kind == target.kind.as_str())
    };
    let missing: Vec<String> =
        context.targets().iter().filter(|target| !has(target)).map(|target| target.target.clone()).collect();
    if !missing.is_empty() {
        why.push(format!("it has no {}", missing.join(", ")));
    }
    why
}

/// A baseline of some workloads says nothing about the others: it serves the same selection, or whoever names it.
fn narrowed(context: &Context, baseline: &Baseline<Evidence>) -> Option<String> {
    let selected = &baseline.record.workloads.selected;
    let fits = selected.is_empty() || *selected == context.filter.ids;
    let patterns: Vec<String> = selected.iter().map(|pattern| format!("--workload {}", figures::word(pattern))).collect();
    (!fits).then(|| {
        let patterns = patterns.join(" ");
        format!(
            "`{}` was made with `{patterns}` only, so all that the change reaches is built and profiled anew; to avoid that, verify \
             with `{patterns}`, too, or make a whole baseline (`cargo perf-expert baseline`)",
            baseline.record.name
        )
    })
}

fn reuse(context: &Context, baseline: Baseline<Evidence>, request: &BaseRequest<'_>) -> Result<Base> {
    let mut evidence = baseline.record.workloads.clone();
    for program in &mut evidence.programs {
        program.executable = baseline.path(&program.executable);
    }
    let mut profiles = BTreeMap::new();
    for workload in &evidence.workloads {
        if let Some(stored) = &workload.profile {
            profiles.insert(workload.workload.id.clone(), read_profile(&baseline.path(&stored.file))?);
        }
    }
    // Its executables may carry the paths of the checkout they were built in, and may read that tree's files.
    let elsewhere = evidence.built_in != context.git.root();
    let checkout = (elsewhere || request.has_data)
        .then(|| workspace::prepare(&context.git, &context.workspace, request.commit))
        .transpose()?;
    let root = checkout.as_ref().map_or_else(|| context.git.root().to_owned(), |side| side.root().to_owned());
    // In a checkout, the package directories that cargo would name are the checkout's.
    let (built_in, moved_to) = (evidence.built_in.as_str().to_owned(), root.as_str().to_owned());
    for (_, value) in evidence.programs.iter_mut().flat_map(|program| &mut program.env) {
        if let Some(rest) = value.strip_prefix(built_in.as_str()) {
            *value = format!("{moved_to}{rest}");
        }
    }
    let described = format!("baseline `{}`, {}", baseline.record.name, age(baseline.record.created));
    let (warnings, stale) = (Vec::new(), Vec::new());
    Ok(Base {
        commit: request.commit.to_owned(),
        evidence,
        profiles,
        root,
        described,
        warnings,
        stale,
        checkout,
        baseline,
        unkept: Vec::new(),
    })
}

fn make(context: &Context, store: &Store, commit: &str, scratch: &Scratch, shell: &mut Shell) -> Result<Base> {
    let short = commit.get(..12).unwrap_or(commit);
    shell.status("Checking out", format!("base {short} (no stored baseline fits)"));
    let (gathered, programs, side) = gather_commit(context, commit, Depth::Surface, scratch, shell)?;
    let name = format!("auto-{short}");
    let baseline = save(context, store, &name, Some(commit), gathered.clone(), &programs, &side.1)?;
    forget_old(store, &name);
    let mut evidence = baseline.record.workloads.clone();
    for program in &mut evidence.programs {
        program.executable = baseline.path(&program.executable);
    }
    let (checkout, _) = side;
    let mut warnings = checkout.warnings.clone();
    warnings.extend(gathered.warnings);
    Ok(Base {
        commit: commit.to_owned(),
        evidence,
        profiles: gathered.profiles,
        root: checkout.root().to_owned(),
        described: "built now, in a worktree".into(),
        warnings,
        stale: Vec::new(),
        checkout: Some(checkout),
        baseline,
        unkept: Vec::new(),
    })
}

/// A checkout of a commit with its evidence, the programs, and the fingerprint of that side.
pub(crate) type GatheredCommit = (Gathered, Vec<Program>, (workspace::Side, Fingerprint));

/// Checks a commit out, builds and runs it.
pub(crate) fn gather_commit(
    context: &Context,
    commit: &str,
    depth: Depth,
    scratch: &Scratch,
    shell: &mut Shell,
) -> Result<GatheredCommit> {
    let checkout = workspace::prepare(&context.git, &context.workspace, commit)?;
    let base_workspace = checkout.discover(&context.workspace)?;
    let targets: Vec<TargetRef> = context.targets().into_iter().filter(|target| base_workspace.has(target)).collect();
    if targets.is_empty() {
        return Err(SideError::NoTargets { commit: commit.get(..12).unwrap_or(commit).to_owned() }.into());
    }
    let root = checkout.root().to_owned();
    let built = build_programs(context, &base_workspace, &root, "base", &targets, shell).map_err(|error| {
        let broken = matches!(error.downcast_ref::<WorkspaceError>(), Some(WorkspaceError::DoesNotBuild { .. }));
        if broken { SideError::DoesNotBuild { commit: commit.get(..12).unwrap_or(commit).to_owned() }.into() } else { error }
    })?;
    let items = all_items(&Texts::Tree(&context.git, commit.to_owned()), &crate_roots(&base_workspace, &root))?;
    let gathered = gather(context, &built.programs, &root, &items, depth, scratch, shell)?;
    let print = fingerprint(context, &base_workspace)?;
    Ok((gathered, built.programs, (checkout, print)))
}

/// The fingerprint of a side.
pub(crate) fn fingerprint(context: &Context, workspace: &workspace::Workspace) -> Result<Fingerprint> {
    let mut datasets = Vec::new();
    for (package, tables) in &context.filter.configured {
        let Some(member) = workspace.member(package) else { continue };
        let dir = workspace::package_dir(member);
        for path in tables.iter().flat_map(|table| &table.datasets) {
            datasets.push((package.clone(), dir.clone(), path.clone()));
        }
    }
    let surroundings = Surroundings::of(&context.git, &context.workspace, workspace)?;
    Ok(Fingerprint::take(workspace, context.profile(), &datasets, surroundings)?)
}

/// Stores the evidence of a side under a name.
pub(crate) fn save(
    context: &Context,
    store: &Store,
    name: &str,
    commit: Option<&str>,
    gathered: Gathered,
    programs: &[Program],
    fingerprint: &Fingerprint,
) -> Result<Baseline<Evidence>> {
    let mut draft = store.draft()?;
    let mut evidence = gathered.evidence;
    let mut targets = Vec::new();
    for (number, program) in programs.iter().enumerate() {
        let file = Utf8PathBuf::from(format!("programs/{number}-{}", program.executable.file_name().unwrap_or("program")));
        draft.add_file(&file, &program.executable)?;
        let kind = if program.kind == WorkloadKind::Binary { "bin" } else { "bench" };
        targets.push(StoredTarget {
            package: program.package.clone(),
            target: program.target.clone(),
            kind: kind.into(),
            file: file.clone(),
        });
        if let Some(stored) = evidence.programs.get_mut(number) {
            stored.executable = file;
        }
    }
    for (path, bytes) in &gathered.files {
        draft.add_bytes(path, bytes)?;
    }
    let record = BaselineRecord {
        schema_version: 0,
        tool_version: String::new(),
        name: name.to_owned(),
        commit: commit.map(str::to_owned),
        dirty: evidence.dirty_tree.is_some(),
        tree: commit.map(|commit| context.git.tree_hash(commit)).transpose()?,
        created: Timestamp::now(),
        fingerprint: fingerprint.clone(),
        targets,
        workloads: evidence,
        files: BTreeMap::new(),
    };
    Ok(store.save_baseline(record, draft)?)
}

/// How many baselines that nobody named are kept.
const AUTOMATIC: usize = 3;

fn forget_old(store: &Store, newest: &str) {
    let automatic = store.list_baselines().into_iter().filter(|one| one.name.starts_with("auto-") && one.name != newest);
    for old in automatic.skip(AUTOMATIC - 1) {
        let _tried_again_next_time = store.remove_baseline(&old.name);
    }
}

/// "2 h old", for people.
fn age(created: Timestamp) -> String {
    let seconds = Timestamp::now().as_second().saturating_sub(created.as_second()).max(0);
    match seconds {
        0..120 => format!("{seconds} s old"),
        120..7200 => format!("{} min old", seconds / 60),
        7200..172_800 => format!("{} h old", seconds / 3600),
        _ => format!("{} days old", seconds / 86_400),
    }
}
