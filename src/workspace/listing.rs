//! What would run, what would not, why, and what to write to change it.

use std::collections::BTreeSet;

use cargo_metadata::{Package, Target};

use super::harness::{self, BenchFacts};
use super::manifest::Manifest;
use super::selection::{check_targets, glob};
use super::{Harness, TargetKind, TargetRef, Workspace, WorkspaceError};

/// What the user asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListRequest {
    /// `--bench NAME`; with neither benches nor bins named, all benches and all configured binaries are meant.
    pub benches: Vec<String>,
    /// `--bin NAME`.
    pub bins: Vec<String>,
    /// Binaries with a workload in the configuration or a remembered command line: package and target name.
    pub configured: BTreeSet<(String, String)>,
}

/// Whether a target runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It runs.
    Runnable {
        /// For benches.
        harness: Option<Harness>,
    },
    /// It does not.
    NotRunnable {
        /// Why, as a fragment.
        reason: String,
        /// What changes it: lines for a manifest, or a command.
        snippet: Option<String>,
    },
}

/// One target of the selected packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which.
    pub target: TargetRef,
    /// Whether it runs.
    pub status: Status,
}

impl Entry {
    /// True if it runs.
    pub fn is_runnable(&self) -> bool {
        matches!(self.status, Status::Runnable { .. })
    }
}

/// All benches and binaries of `packages`: runnable or not. Targets that were not asked for are left out.
///
/// # Errors
/// [`WorkspaceError::UnknownTarget`] for a name that nothing has.
pub fn list(workspace: &Workspace, packages: &[&Package], request: &ListRequest) -> Result<Vec<Entry>, WorkspaceError> {
    check_targets(packages, TargetKind::Bench, &request.benches)?;
    check_targets(packages, TargetKind::Bin, &request.bins)?;
    let mut entries = Vec::new();
    for package in packages {
        // A manifest that cannot be read any more counts as one without flags; cargo read it a moment ago.
        let manifest = Manifest::parse(&std::fs::read_to_string(&package.manifest_path).unwrap_or_default());
        for target in &package.targets {
            let Some(kind) = TargetKind::of(target) else { continue };
            let Some(status) = status(workspace, package, target, kind, &manifest, request) else { continue };
            let target = TargetRef { package: package.name.to_string(), target: target.name.clone(), kind };
            entries.push(Entry { target, status });
        }
    }
    let order = |entry: &Entry| (entry.target.package.clone(), entry.target.kind, entry.target.target.clone());
    entries.sort_by_key(order);
    Ok(entries)
}

fn status(
    workspace: &Workspace,
    package: &Package,
    target: &Target,
    kind: TargetKind,
    manifest: &Manifest,
    request: &ListRequest,
) -> Option<Status> {
    let everything = request.benches.is_empty() && request.bins.is_empty();
    let patterns = if kind == TargetKind::Bench { &request.benches } else { &request.bins };
    let asked_for = patterns.iter().any(|pattern| glob(pattern, &target.name));
    if !asked_for && !everything {
        return None;
    }
    if let Some(missing) = missing_features(workspace, package, target) {
        return Some(missing);
    }
    Some(match kind {
        TargetKind::Bench => bench(workspace, package, target, manifest, asked_for),
        TargetKind::Bin => {
            let configured = request.configured.contains(&(package.name.to_string(), target.name.clone()));
            binary(&target.name, asked_for || configured)
        }
    })
}

fn missing_features(workspace: &Workspace, package: &Package, target: &Target) -> Option<Status> {
    let enabled = workspace.options.features.enabled(&package.name, &package.features);
    let required = target.required_features.iter().map(String::as_str);
    // `dependency/feature` cannot be told without resolving; cargo says it at the build.
    let missing: Vec<&str> = required.filter(|name| !name.contains('/') && !enabled.contains(name)).collect();
    if missing.is_empty() {
        return None;
    }
    let listed = missing.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let (features, them) = if missing.len() == 1 { ("feature", "it") } else { ("features", "them") };
    Some(Status::NotRunnable {
        reason: format!("it requires the {features} {listed}; turn {them} on"),
        snippet: Some(format!("cargo perf-expert baseline -p {} --features {}", package.name, missing.join(","))),
    })
}

fn bench(workspace: &Workspace, package: &Package, target: &Target, manifest: &Manifest, asked_for: bool) -> Status {
    let flags = manifest.bench(&target.name);
    if !flags.bench && !asked_for {
        return Status::NotRunnable {
            reason: "the manifest says `bench = false`".into(),
            snippet: Some(format!("cargo perf-expert baseline --bench {}", target.name)),
        };
    }
    let Ok(source) = std::fs::read(&target.src_path) else {
        return Status::NotRunnable { reason: format!("cannot read {}", target.src_path), snippet: None };
    };
    let dependencies: Vec<(String, String)> = package
        .dependencies
        .iter()
        .map(|dep| (dep.name.clone(), dep.rename.clone().unwrap_or_else(|| dep.name.clone())))
        .collect();
    let facts = BenchFacts {
        name: &target.name,
        harness: flags.harness,
        dependencies: &dependencies,
        source: &String::from_utf8_lossy(&source),
        allows_features: workspace.rustc.allows_features(),
    };
    match harness::recognise(&facts) {
        Ok(Harness::Gungraun) => gungraun(workspace, &facts),
        Ok(harness) => Status::Runnable { harness: Some(harness) },
        Err(refusal) => Status::NotRunnable { reason: refusal.reason, snippet: refusal.snippet },
    }
}

/// gungraun needs two programs beside the bench.
fn gungraun(workspace: &Workspace, facts: &BenchFacts<'_>) -> Status {
    let refused = |program: &str, remedy: String| Status::NotRunnable {
        reason: format!("not runnable here: it counts instructions and needs `{program}`, which is not in PATH"),
        snippet: Some(remedy),
    };
    let Some((package, runner)) = harness::runner_of(facts.dependencies, facts.source) else {
        return Status::Runnable { harness: Some(Harness::Gungraun) };
    };
    if !in_path("valgrind") {
        return refused("valgrind", "# with the system's package manager, for example\napt-get install valgrind".into());
    }
    if !in_path(runner) && std::env::var_os(format!("{}_RUNNER", package.replace('-', "_").to_uppercase())).is_none() {
        let resolved = workspace.metadata.packages.iter().find(|known| known.name.as_str() == package);
        let version = resolved.map(|known| format!(" --version {}", known.version)).unwrap_or_default();
        return refused(runner, format!("cargo install {runner}{version}"));
    }
    Status::Runnable { harness: Some(Harness::Gungraun) }
}

fn in_path(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()))
}

fn binary(name: &str, wanted: bool) -> Status {
    if wanted {
        return Status::Runnable { harness: None };
    }
    Status::NotRunnable {
        reason: "it has no workload, and an unknown program without arguments could do anything".into(),
        snippet: Some(format!("[[package.metadata.perf-expert.workload]]\nname = \"{name}\"\nbin = \"{name}\"\nargs = []")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Crate;
    use super::super::{Cargo, DiscoverOptions, FeatureFlags, PackageSelection, discover, select_packages};
    use super::*;
    use crate::error::Expected;

    const MANIFEST: &str = "[package]\nname='one'\nedition='2021'\nversion='0.1.0'\n[features]\nbig=[]\n\
        [[bench]]\nname='plain'\nharness=false\n[[bench]]\nname='hidden'\nharness=false\nbench=false\n\
        [[bench]]\nname='needy'\nharness=false\nrequired-features=['big']\n[[bin]]\nname='importer'\npath='src/main.rs'\n";

    fn fixture() -> Crate {
        let one = Crate::named("one");
        one.write("Cargo.toml", MANIFEST).write("src/main.rs", "fn main() {}");
        for name in ["plain", "hidden", "needy"] {
            one.write(&format!("benches/{name}.rs"), "fn main() {}");
        }
        one.write("benches/test_like.rs", "#![cfg_attr(nightly, feature(test))]");
        one
    }

    fn listed(one: &Crate, features: &[&str], request: &ListRequest) -> Result<Vec<String>, WorkspaceError> {
        let features = FeatureFlags { features: features.iter().map(|&f| f.to_owned()).collect(), ..FeatureFlags::default() };
        let options = DiscoverOptions { no_deps: true, features, ..DiscoverOptions::default() };
        let workspace = discover(Cargo::new(one.root()), options).unwrap();
        let (packages, _) = select_packages(&workspace, &PackageSelection::default()).unwrap();
        let line = |entry: Entry| match entry.status {
            Status::Runnable { harness } => format!("{} {:?}", entry.target.target, harness),
            Status::NotRunnable { reason, snippet } => format!("{} no: {reason} | {snippet:?}", entry.target.target),
        };
        Ok(list(&workspace, &packages, request)?.into_iter().map(line).collect())
    }

    #[test]
    fn everything_is_listed_with_its_reason_and_its_snippet() {
        let lines = listed(&fixture(), &[], &ListRequest::default()).unwrap();
        assert_eq!(lines.len(), 5);
        assert!(lines[0].starts_with("hidden no: the manifest says `bench = false`"), "{}", lines[0]);
        assert_eq!(
            lines[1],
            "needy no: it requires the feature `big`; turn it on | Some(\"cargo perf-expert baseline -p one --features big\")"
        );
        assert_eq!(lines[2..4], ["plain Some(Other)", "test_like Some(Libtest)"]);
        assert!(lines[4].starts_with("importer no: it has no workload") && lines[4].contains("bin = \\\"importer\\\""));
    }

    #[test]
    fn names_features_and_workloads_change_what_runs() {
        let one = fixture();
        let configured = [("one".to_owned(), "importer".to_owned())].into();
        let lines = listed(&one, &["big"], &ListRequest { configured, ..ListRequest::default() }).unwrap();
        assert!(lines.contains(&"needy Some(Other)".to_owned()) && lines.contains(&"importer None".to_owned()));
        let request = ListRequest { benches: vec!["h*".into()], bins: vec!["importer".into()], ..ListRequest::default() };
        assert_eq!(listed(&one, &[], &request).unwrap(), ["hidden Some(Other)", "importer None"]);
    }

    #[test]
    fn an_unknown_bench_gets_the_nearest_name() {
        let request = ListRequest { benches: vec!["plian".into()], ..ListRequest::default() };
        let error = listed(&fixture(), &[], &request).unwrap_err();
        assert_eq!(error.to_string(), "the selected packages have no bench `plian`");
        assert_eq!(error.hint().unwrap(), "did you mean `plain`?");
    }
}
