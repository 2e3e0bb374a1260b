//! Builds the selected targets of one side, with debug info and nothing else changed.
//!
//! The profile is the user's; only `debug`, `strip` and `split-debuginfo` are set, by environment, never in a manifest.
//! Executables come from cargo's messages, paths are never guessed.

mod seed;

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use cargo_metadata::{Message, Package};

use super::{TargetKind, TargetRef, Workspace, WorkspaceError, package_dir};
use crate::process::Tool;

pub use seed::seed;

/// What to build, and where.
#[derive(Debug, Clone)]
pub struct BuildRequest<'a> {
    /// `base` or `head`, for messages.
    pub side: &'a str,
    /// Targets that this side has ([`Workspace::has`]).
    pub targets: &'a [TargetRef],
    /// The side's own target directory ([`Workspace::side_target_dir`] of the head).
    pub target_dir: &'a camino::Utf8Path,
    /// `--profile`; `None` is `bench`.
    pub profile: Option<&'a str>,
    /// `-j`.
    pub jobs: Option<&'a str>,
    /// Let cargo say nothing but errors.
    pub quiet: bool,
}

/// One executable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// What it is.
    pub target: TargetRef,
    /// Where it is.
    pub path: Utf8PathBuf,
    /// Where cargo would start it: the package directory of its own side.
    pub cwd: Utf8PathBuf,
    /// What cargo would set when it starts it (`CARGO_MANIFEST_DIR` and its kin).
    pub env: Vec<(String, String)>,
}

/// A side, built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// One per requested target, in the order of the request.
    pub executables: Vec<Artifact>,
    /// Directories that the dynamic linker must search, as cargo would tell it.
    pub library_paths: Vec<Utf8PathBuf>,
    /// `rustc -vV` of the compiler that built it.
    pub rustc: String,
}

/// Builds. cargo's own progress and the compiler's errors go to standard error as they come.
///
/// # Errors
/// [`WorkspaceError::DoesNotBuild`] after cargo has said why; [`WorkspaceError::NoExecutable`].
pub fn build(workspace: &Workspace, request: &BuildRequest<'_>) -> Result<Built, WorkspaceError> {
    let mut found = Found::default();
    for kind in [TargetKind::Bench, TargetKind::Bin] {
        let targets: Vec<&TargetRef> = request.targets.iter().filter(|target| target.kind == kind).collect();
        if targets.is_empty() {
            continue;
        }
        let mut messages = String::new();
        let tool = command(workspace, request, kind, &targets).inherit_stderr();
        let code = tool.stream(|line| {
            messages.push_str(line);
            messages.push('\n');
        })?;
        if code != Some(0) {
            return Err(WorkspaceError::DoesNotBuild { side: request.side.to_owned() });
        }
        found.read(workspace, kind, &messages);
    }
    let executables = request.targets.iter().map(|target| artifact(workspace, &found, target));
    let executables = executables.collect::<Result<Vec<_>, _>>()?;
    Ok(Built { library_paths: found.library_paths(request, &executables), executables, rustc: workspace.rustc.verbose.clone() })
}

/// Builds the one target of a request, says nothing, and lets `adjust` have the last word on the call of cargo.
pub(super) fn build_quietly(
    workspace: &Workspace,
    request: &BuildRequest<'_>,
    adjust: impl Fn(Tool) -> Tool,
) -> Result<Artifact, WorkspaceError> {
    let does_not_build = || WorkspaceError::DoesNotBuild { side: request.side.to_owned() };
    let target = request.targets.first().ok_or_else(does_not_build)?;
    let output = adjust(command(workspace, request, target.kind, &[target])).run()?;
    if !output.success() {
        return Err(does_not_build());
    }
    let mut found = Found::default();
    found.read(workspace, target.kind, &output.text());
    artifact(workspace, &found, target)
}

fn artifact(workspace: &Workspace, found: &Found, target: &TargetRef) -> Result<Artifact, WorkspaceError> {
    match (found.executables.get(target), workspace.member(&target.package)) {
        (Some(path), Some(package)) => Ok(Artifact {
            target: target.clone(),
            path: path.clone(),
            cwd: package_dir(package),
            env: runtime_environment(package),
        }),
        _ => Err(WorkspaceError::NoExecutable {
            package: target.package.clone(),
            target: target.target.clone(),
            kind: target.kind.as_str(),
        }),
    }
}

/// `cargo bench --no-run` for benches (the bench profile, `cfg(test)` and dev-dependencies as the user's own `cargo bench`),
/// `cargo build --profile bench` for binaries (`cargo bench --bin` would build the binary's unit benches instead). Both share
/// one target directory, so dependencies are compiled once.
fn command(workspace: &Workspace, request: &BuildRequest<'_>, kind: TargetKind, targets: &[&TargetRef]) -> Tool {
    let tool = workspace.cargo.tool();
    let tool = match kind {
        TargetKind::Bench => tool.args(["bench", "--no-run"]),
        TargetKind::Bin => tool.arg("build"),
    };
    configured(tool, workspace, request, kind, targets)
}

/// A cargo command with everything that decides what is built, and how.
pub(super) fn configured(
    mut tool: Tool,
    workspace: &Workspace,
    request: &BuildRequest<'_>,
    kind: TargetKind,
    targets: &[&TargetRef],
) -> Tool {
    let profile = request.profile.unwrap_or("bench");
    tool = tool.arg("--profile").arg(profile).arg("--message-format=json-render-diagnostics");
    tool = tool.arg("--manifest-path").arg(&workspace.manifest_path).arg("--target-dir").arg(request.target_dir);
    let mut packages: Vec<&str> = targets.iter().map(|target| target.package.as_str()).collect();
    packages.sort_unstable();
    packages.dedup();
    for package in packages {
        tool = tool.arg("-p").arg(package_spec(workspace, package));
    }
    let mut names: Vec<&str> = targets.iter().map(|target| target.target.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        tool = tool.arg(format!("--{}", kind.as_str())).arg(name);
    }
    tool = tool.args(workspace.options.features.args()).args(workspace.options.lock_args());
    if let Some(platform) = &workspace.options.target {
        tool = tool.arg("--target").arg(platform);
    }
    if let Some(jobs) = request.jobs {
        tool = tool.arg("--jobs").arg(jobs);
    }
    if request.quiet {
        tool = tool.arg("--quiet");
    }
    for (name, value) in profile_environment(profile) {
        tool = tool.env(name, value);
    }
    // A build directory that the user's configuration shares between projects would be shared between the sides.
    tool.env("CARGO_BUILD_BUILD_DIR", request.target_dir)
}

/// A name can be ambiguous (a crate whose dev-dependencies depend on its own published version); cargo's id is not.
fn package_spec(workspace: &Workspace, name: &str) -> String {
    let id = workspace.member(name).map(|package| package.id.repr.clone());
    // Before cargo 1.77 the id was no package id specification.
    id.filter(|id| id.contains("://") && !id.contains(' ')).unwrap_or_else(|| name.to_owned())
}

/// Debug info 1 names functions and inline frames exactly; the debug level and stripping change symbol hashes and so the
/// layout, which is why both sides get the same (`reference/conventions.md`, experiments 3 and 4).
pub(crate) fn profile_environment(profile: &str) -> Vec<(String, &'static str)> {
    // `bench` inherits what is set for `release`.
    let profiles = if profile == "bench" { vec!["bench", "release"] } else { vec![profile] };
    let mut variables = Vec::new();
    for profile in profiles {
        let name = profile.to_uppercase().replace('-', "_");
        variables.push((format!("CARGO_PROFILE_{name}_DEBUG"), "1"));
        variables.push((format!("CARGO_PROFILE_{name}_STRIP"), "false"));
        if cfg!(target_os = "linux") {
            variables.push((format!("CARGO_PROFILE_{name}_SPLIT_DEBUGINFO"), "off"));
        }
    }
    variables
}

/// The variables that `cargo bench` and `cargo run` set for the program ("Environment variables Cargo sets for crates" at
/// run time; programs find their data by them).
fn runtime_environment(package: &Package) -> Vec<(String, String)> {
    let dir = package_dir(package);
    let version = &package.version;
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    [
        ("CARGO_MANIFEST_DIR", dir.to_string()),
        ("CARGO_MANIFEST_PATH", package.manifest_path.to_string()),
        ("CARGO_PKG_NAME", package.name.to_string()),
        ("CARGO_PKG_VERSION", version.to_string()),
        ("CARGO_PKG_VERSION_MAJOR", version.major.to_string()),
        ("CARGO_PKG_VERSION_MINOR", version.minor.to_string()),
        ("CARGO_PKG_VERSION_PATCH", version.patch.to_string()),
        ("CARGO_PKG_VERSION_PRE", version.pre.to_string()),
        ("CARGO_PKG_AUTHORS", package.authors.join(":")),
        ("CARGO_PKG_DESCRIPTION", text(&package.description)),
        ("CARGO_PKG_HOMEPAGE", text(&package.homepage)),
        ("CARGO_PKG_REPOSITORY", text(&package.repository)),
        ("CARGO_PKG_LICENSE", text(&package.license)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// What cargo's messages told.
#[derive(Debug, Default)]
struct Found {
    executables: BTreeMap<TargetRef, Utf8PathBuf>,
    linked: Vec<Utf8PathBuf>,
}

impl Found {
    fn read(&mut self, workspace: &Workspace, kind: TargetKind, messages: &str) {
        for message in Message::parse_stream(messages.as_bytes()).flatten() {
            match message {
                Message::CompilerArtifact(artifact) => {
                    // `cargo bench` builds a package's binaries too, in passing; those count when they were asked for.
                    let Some(path) = artifact.executable else { continue };
                    if TargetKind::of(&artifact.target) != Some(kind) || artifact.profile.test != (kind == TargetKind::Bench) {
                        continue;
                    }
                    let Some(package) = workspace.package(&artifact.package_id) else { continue };
                    let target = TargetRef { package: package.name.to_string(), target: artifact.target.name, kind };
                    self.executables.insert(target, path);
                }
                Message::BuildScriptExecuted(script) => self.linked.extend(script.linked_paths),
                _ => {}
            }
        }
    }

    /// As cargo: what build scripts linked from inside of the target directory, then where the executables lie.
    fn library_paths(&self, request: &BuildRequest<'_>, executables: &[Artifact]) -> Vec<Utf8PathBuf> {
        let plain = |path: &Utf8PathBuf| match path.as_str().split_once('=') {
            Some((_kind, path)) => Utf8PathBuf::from(path),
            None => path.clone(),
        };
        let linked = self.linked.iter().map(plain).filter(|path| path.starts_with(request.target_dir));
        let mut paths: Vec<Utf8PathBuf> = Vec::new();
        for path in linked.chain(executables.iter().filter_map(|one| one.path.parent().map(ToOwned::to_owned))) {
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        paths
    }
}

#[cfg(test)]
mod tests;
