//! What every command starts from: the workspace, the repository, the settings, and where evidence is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::analysis::Skipped;
use crate::cli::{EngineName, Manifest, Measurement, Selection, StoreArgs};
use crate::config::{self, Config, EngineWish, Program as Configured, WorkloadConfig};
use crate::error::{Expected, Result};
use crate::evidence::{Evidence, Filter, ProfileOptions};
use crate::exit::Exit;
use crate::git::Git;
use crate::measure::Workload;
use crate::process::Limits;
use crate::source::CrateRoot;
use crate::workspace::{
    self, Cargo, DiscoverOptions, Entry, FeatureFlags, ListRequest, PackageSelection, Status, TargetKind, TargetRef, Workspace,
};

/// Failures before anything is measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContextError {
    /// The current directory has no usable name.
    #[error("the current directory is not valid UTF-8: `{0}`")]
    Directory(String),
    /// Nothing can run.
    #[error("there is nothing to measure: no bench target and no binary with a workload{}", list(.0))]
    Nothing(Vec<Skipped>),
    /// A duration that is none.
    #[error("`{value}` is not a duration for `{flag}`")]
    Duration {
        /// The flag.
        flag: &'static str,
        /// What was typed.
        value: String,
    },
    /// A number out of range.
    #[error("`{value}` does not fit `{flag}`: {why}")]
    Range {
        /// The flag.
        flag: &'static str,
        /// What was typed.
        value: String,
        /// Why not.
        why: &'static str,
    },
    /// `-- ARGS` without a binary to give them to.
    #[error("arguments after `--` need exactly one `--bin NAME` to go to")]
    Arguments,
}

fn list(skipped: &[Skipped]) -> String {
    let lines: Vec<String> = skipped.iter().map(|one| format!("\n  {}: {}", one.name, one.reason)).collect();
    lines.concat()
}

impl Expected for ContextError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Nothing(skipped) => Some(match skipped.iter().find_map(|one| one.remedy.clone()) {
                Some(remedy) => format!("for example:\n{remedy}"),
                None => NO_BENCH.into(),
            }),
            Self::Duration { .. } => Some("write it as 30s, 5m or 1m30s".into()),
            Self::Arguments => Some("for example: cargo perf-expert baseline --bin importer -- --input data.csv".into()),
            _ => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Nothing(_) => Exit::NoBaseline,
            Self::Directory(_) => Exit::Incomplete,
            _ => Exit::Usage,
        }
    }
}

/// What a package without anything to measure needs.
pub(super) const NO_BENCH: &str = "add a benchmark: `cargo add --dev criterion`, then in Cargo.toml\n\n[[bench]]\nname = \"my_bench\"\nharness = false\n\nand benches/my_bench.rs";

/// Everything a command needs to know before it begins.
pub(crate) struct Context {
    pub(crate) workspace: Workspace,
    pub(crate) git: Git,
    pub(crate) config: Config,
    pub(crate) state: Utf8PathBuf,
    pub(crate) selection: Selection,
    pub(crate) filter: Filter,
    pub(crate) entries: Vec<Entry>,
}

/// The flags that every measuring command has.
pub(crate) struct Request<'a> {
    pub(crate) selection: &'a Selection,
    pub(crate) store: &'a StoreArgs,
    pub(crate) measurement: &'a Measurement,
    pub(crate) args: &'a [String],
    /// Flags of the command that are configuration, too.
    pub(crate) flags: Config,
    /// Workloads that a baseline remembers: binaries that were named with their arguments.
    pub(crate) remembered: Vec<(String, WorkloadConfig)>,
}

/// Wall time after which a run of a workload without a timeout of its own is killed.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

/// Where the command was typed.
pub(crate) fn current_dir() -> Result<Utf8PathBuf> {
    let dir = std::env::current_dir()?;
    Utf8PathBuf::from_path_buf(dir).map_err(|dir| ContextError::Directory(dir.display().to_string()).into())
}

/// What cargo's own flags ask for.
pub(super) fn discover_options(manifest: &Manifest, features: &clap_cargo::Features) -> DiscoverOptions {
    DiscoverOptions {
        manifest_path: manifest.manifest_path.clone(),
        features: FeatureFlags {
            features: features.features.clone(),
            all: features.all_features,
            no_default: features.no_default_features,
        },
        locked: manifest.locked,
        offline: manifest.offline,
        frozen: manifest.frozen,
        target: None,
        target_dir: None,
        no_deps: false,
    }
}

fn discover(
    manifest: &Manifest,
    features: &clap_cargo::Features,
    target: Option<&str>,
    target_dir: Option<&Utf8Path>,
) -> Result<Workspace> {
    let options = DiscoverOptions {
        target: target.map(str::to_owned),
        target_dir: target_dir.map(Utf8Path::to_owned),
        ..discover_options(manifest, features)
    };
    Ok(workspace::discover(Cargo::new(current_dir()?), options)?)
}

/// Where evidence is kept.
fn state_dir(workspace: &Workspace, store: &StoreArgs) -> Result<Utf8PathBuf> {
    match &store.baseline_dir {
        Some(dir) => Ok(current_dir()?.join(dir)),
        None => Ok(workspace.state_dir()),
    }
}

/// The workspace, its repository and its store, for commands that measure nothing.
pub(crate) fn locate(
    manifest: &Manifest,
    store: &StoreArgs,
    target_dir: Option<&Utf8Path>,
) -> Result<(Workspace, Git, Utf8PathBuf)> {
    let workspace = discover(manifest, &clap_cargo::Features::default(), None, target_dir)?;
    let git = Git::discover(workspace.root())?.ignoring(workspace.target_dir());
    let state = state_dir(&workspace, store)?;
    Ok((workspace, git, state))
}

/// What a command that builds nothing needs of the workspace.
pub(crate) struct ContextParts {
    /// Root files of the crates.
    pub(crate) roots: Vec<CrateRoot>,
    /// Package directories.
    pub(crate) packages: Vec<Utf8PathBuf>,
    /// The settings.
    pub(crate) config: Config,
}

impl ContextParts {
    /// Reads them.
    pub(crate) fn new(workspace: &Workspace, git: &Git) -> Result<Self> {
        let (config, _) = settings(workspace, &Config::default())?;
        let packages = workspace.members().into_iter().map(|package| relative(git.root(), &workspace::package_dir(package)));
        Ok(Self { roots: crate_roots(workspace, git.root()), packages: packages.collect(), config })
    }
}

impl Context {
    /// Reads the workspace and merges flags, environment, package and workspace settings.
    pub(crate) fn load(request: Request<'_>) -> Result<Self> {
        let Request { selection, store, measurement, args, flags, remembered } = request;
        let target_dir = selection.compilation.target_dir.as_deref();
        let workspace = discover(&selection.manifest, &selection.features, selection.compilation.target.as_deref(), target_dir)?;
        let git = Git::discover(workspace.root())?.ignoring(workspace.target_dir());
        let state = state_dir(&workspace, store)?;
        let (config, mut configured) = settings(&workspace, &measured_flags(measurement)?.over(flags))?;
        if args.is_empty() {
            let named = &selection.targets.bin;
            let asked_for = |table: &WorkloadConfig| {
                named.is_empty() || matches!(&table.program, Configured::Bin(name) if named.contains(name))
            };
            for (package, table) in remembered.into_iter().filter(|(_, table)| asked_for(table)) {
                let tables = configured.entry(package).or_default();
                if !tables.iter().any(|known| known.name == table.name) {
                    tables.push(table);
                }
            }
        }
        let filter = Filter {
            ids: selection.targets.workload.clone(),
            args: args.to_vec(),
            configured,
            timeout_ms: duration("--timeout", measurement.timeout.as_deref())?.map(|time| time.as_millis() as u64),
        };
        if !args.is_empty() && selection.targets.bin.len() != 1 {
            return Err(ContextError::Arguments.into());
        }
        let entries = entries(&workspace, selection, &filter)?;
        Ok(Self { workspace, git, config, state, selection: selection.clone(), filter, entries })
    }

    /// The targets that run.
    pub(crate) fn targets(&self) -> Vec<TargetRef> {
        self.entries.iter().filter(|entry| entry.is_runnable()).map(|entry| entry.target.clone()).collect()
    }

    /// Fails when nothing can run.
    pub(crate) fn must_have_targets(&self) -> Result<()> {
        if self.targets().is_empty() { Err(ContextError::Nothing(self.skipped()).into()) } else { Ok(()) }
    }

    /// True when the user chose a part of the workloads.
    pub(crate) fn is_narrowed(&self) -> bool {
        let (packages, targets) = (&self.selection.packages, &self.selection.targets);
        let lists = [&packages.package, &packages.exclude, &targets.bench, &targets.bin, &targets.workload];
        lists.iter().any(|list| !list.is_empty())
    }

    /// The targets that do not, with the reason.
    pub(crate) fn skipped(&self) -> Vec<Skipped> {
        let skipped = |entry: &Entry| match &entry.status {
            Status::NotRunnable { reason, snippet } => {
                Some(Skipped { name: entry.target.target.clone(), reason: reason.clone(), remedy: snippet.clone() })
            }
            Status::Runnable { .. } => None,
        };
        self.entries.iter().filter_map(skipped).chain(self.commands()).collect()
    }

    /// Workloads that are commands: nothing tells which file of a side they run, so they cannot be compared.
    pub(crate) fn commands(&self) -> Vec<Skipped> {
        let packages = self.filter.configured.values();
        let commands = packages.flatten().filter(|table| matches!(table.program, Configured::Command(_)));
        let skipped = |table: &WorkloadConfig| Skipped {
            name: table.name.clone(),
            reason: "it is a `command`: the same program on both sides, which says nothing about the change".into(),
            remedy: Some(format!(
                "[[package.metadata.perf-expert.workload]]\nname = \"{}\"\nbin = \"NAME\"\nargs = []",
                table.name
            )),
        };
        commands.map(skipped).collect()
    }

    /// True with uncommitted work. A lock file that cargo has just written is none.
    pub(crate) fn is_dirty(&self) -> Result<bool> {
        if self.git.head()?.is_none() {
            return Ok(true);
        }
        let changed = self.git.changed_files("HEAD", &crate::git::Head::WorkingTree)?;
        Ok(changed.iter().any(|file| !crate::sides::is_new_lock_file(file)))
    }

    /// cargo's profile of the measured executables.
    pub(crate) fn profile(&self) -> &str {
        self.selection.compilation.profile.as_deref().unwrap_or("bench")
    }

    /// Practical margin δ.
    pub(crate) fn margin(&self) -> f64 {
        self.config.margin.unwrap_or(0.02)
    }

    /// How to profile.
    pub(crate) fn profiling(&self) -> ProfileOptions {
        ProfileOptions {
            time: self.config.profile_time.unwrap_or(Duration::from_secs(1)),
            frequency: self.config.frequency.map_or(999, u64::from),
            limits: Limits::default(),
        }
    }

    /// Configured objectives that are about no workload: a warning each.
    pub(crate) fn aimless_objectives(&self, evidence: &Evidence) -> Vec<String> {
        let workloads: Vec<&Workload> = evidence.workloads.iter().map(|one| &one.workload).collect();
        let names = self.filter.aimless(&workloads);
        let warning = |name| {
            format!(
                "the objectives of `{name}` are checked nowhere: no workload has this name (`cargo perf-expert report` shows the names)"
            )
        };
        names.into_iter().map(warning).collect()
    }

    /// The package directory of a file, both relative to the repository root: the longest one that holds it.
    pub(crate) fn package_of(&self, file: &Utf8Path) -> Utf8PathBuf {
        let dirs = self.package_dirs();
        let holds = dirs.into_iter().filter(|dir| file.starts_with(dir));
        holds.max_by_key(|dir| dir.components().count()).unwrap_or_default()
    }

    /// Directories of the members, relative to the repository root.
    pub(crate) fn package_dirs(&self) -> Vec<Utf8PathBuf> {
        self.workspace.members().into_iter().map(|package| self.relative(&workspace::package_dir(package))).collect()
    }

    /// A path relative to the repository root.
    pub(crate) fn relative(&self, path: &Utf8Path) -> Utf8PathBuf {
        relative(self.git.root(), path)
    }

    /// Names of the members whose directories hold these files.
    pub(crate) fn packages_of<'f>(&self, files: impl IntoIterator<Item = &'f Utf8Path>) -> BTreeSet<String> {
        let dirs: BTreeSet<Utf8PathBuf> = files.into_iter().map(|file| self.package_of(file)).collect();
        let members = self.workspace.members().into_iter();
        let changed = members.filter(|package| dirs.contains(&self.relative(&workspace::package_dir(package))));
        changed.map(|package| package.name.to_string()).collect()
    }

    /// The root files of all targets of the members, relative to the repository root.
    pub(crate) fn crate_roots(&self) -> Vec<CrateRoot> {
        crate_roots(&self.workspace, self.git.root())
    }
}

/// A path relative to a root; symlinked roots (`/tmp` on macOS) are resolved when the plain words do not fit.
pub(crate) fn relative(root: &Utf8Path, path: &Utf8Path) -> Utf8PathBuf {
    if let Ok(inside) = path.strip_prefix(root) {
        return inside.to_owned();
    }
    let real = |path: &Utf8Path| path.canonicalize_utf8().unwrap_or_else(|_gone| path.to_owned());
    let (root, path) = (real(root), real(path));
    path.strip_prefix(&root).map(Utf8Path::to_owned).unwrap_or(path)
}

/// The root files of all targets of a workspace's members, relative to `root`.
pub(crate) fn crate_roots(workspace: &Workspace, root: &Utf8Path) -> Vec<CrateRoot> {
    let targets = workspace.members().into_iter().flat_map(|package| &package.targets);
    targets.map(|target| CrateRoot::new(&target.name, relative(root, &target.src_path))).collect()
}

fn entries(workspace: &Workspace, selection: &Selection, filter: &Filter) -> Result<Vec<Entry>> {
    let packages = PackageSelection {
        packages: selection.packages.package.clone(),
        workspace: selection.packages.workspace,
        exclude: selection.packages.exclude.clone(),
    };
    let (packages, _unused) = workspace::select_packages(workspace, &packages)?;
    let configured = filter.configured.iter().flat_map(|(package, tables)| {
        tables.iter().filter_map(move |table| match &table.program {
            Configured::Bin(name) => Some((package.clone(), name.clone())),
            _ => None,
        })
    });
    let request = ListRequest {
        benches: selection.targets.bench.clone(),
        bins: selection.targets.bin.clone(),
        configured: configured.collect(),
    };
    let mut entries = workspace::list(workspace, &packages, &request)?;
    let (benches, bins) = (selection.targets.benches, selection.targets.bins);
    if benches != bins {
        entries.retain(|entry| (entry.target.kind == TargetKind::Bench) == benches);
    }
    Ok(entries)
}

fn measured_flags(measurement: &Measurement) -> Result<Config> {
    if measurement.profile_time.is_some_and(|seconds| !(0.1..=3600.0).contains(&seconds)) {
        let value = measurement.profile_time.unwrap_or_default().to_string();
        return Err(ContextError::Range { flag: "--profile-time", value, why: "choose 0.1 to 3600 seconds" }.into());
    }
    Ok(Config {
        max_time: duration("--max-time", measurement.max_time.as_deref())?,
        profile_time: measurement.profile_time.map(Duration::from_secs_f64),
        frequency: measurement.frequency.map(|hz| hz.clamp(1, 20_000) as u32),
        engine: measurement.engine.map(|engine| match engine {
            EngineName::Auto => EngineWish::Auto,
            EngineName::Perf => EngineWish::Perf,
            EngineName::Pprof => EngineWish::Pprof,
            EngineName::None => EngineWish::None,
        }),
        ..Config::default()
    })
}

fn duration(flag: &'static str, text: Option<&str>) -> Result<Option<Duration>> {
    let Some(text) = text else { return Ok(None) };
    match config::units::duration(text) {
        Some(time) => Ok(Some(time)),
        None => Err(ContextError::Duration { flag, value: text.to_owned() }.into()),
    }
}

/// Flags over environment over package over workspace; workload tables stay with their package.
fn settings(workspace: &Workspace, flags: &Config) -> Result<(Config, BTreeMap<String, Vec<WorkloadConfig>>)> {
    let root_manifest = workspace.root().join("Cargo.toml");
    let mut merged = Config::from_metadata(&workspace.metadata.workspace_metadata, "workspace.metadata", root_manifest.as_str())?;
    let mut workloads = BTreeMap::new();
    for package in workspace.members() {
        let mut layer = Config::from_metadata(&package.metadata, "package.metadata", package.manifest_path.as_str())?;
        let targets = |is: fn(&cargo_metadata::Target) -> bool| {
            package.targets.iter().filter(|target| is(target)).map(|target| target.name.as_str()).collect::<Vec<_>>()
        };
        let (bins, benches) = (targets(cargo_metadata::Target::is_bin), targets(cargo_metadata::Target::is_bench));
        config::known_targets(&layer.workloads, &bins, &benches, package.manifest_path.as_str())?;
        workloads.insert(package.name.to_string(), std::mem::take(&mut layer.workloads));
        merged = layer.over(merged);
    }
    let environment = config::from_environment(|name| std::env::var(name).ok())?;
    Ok((flags.clone().over(environment.over(merged)), workloads))
}
