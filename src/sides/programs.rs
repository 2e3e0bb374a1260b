//! From targets to executables that can be run.

use camino::{Utf8Path, Utf8PathBuf};

use crate::commands::context::{Context, relative};
use crate::error::Result;
use crate::evidence::Program;
use crate::measure::WorkloadKind;
use crate::shell::Shell;
use crate::workspace::{self, Artifact, BuildRequest, Built, Entry, Harness, Status, TargetKind, TargetRef, Workspace};

/// A side, built.
#[derive(Debug, Clone)]
pub(crate) struct BuiltSide {
    /// Its programs.
    pub(crate) programs: Vec<Program>,
}

/// Builds the targets of one side. `root` is the top of its tree, `side` is `base` or `head`.
pub(crate) fn build_programs(
    context: &Context,
    workspace: &Workspace,
    root: &Utf8Path,
    side: &str,
    targets: &[TargetRef],
    shell: &mut Shell,
) -> Result<BuiltSide> {
    shell.status("Building", format!("{side} ({} {})", targets.len(), if targets.len() == 1 { "target" } else { "targets" }));
    let other = if side == "head" { "base" } else { "head" };
    workspace::build::seed(&context.workspace.side_target_dir(other), &context.workspace.side_target_dir(side));
    let compilation = &context.selection.compilation;
    let request = BuildRequest {
        side,
        targets,
        target_dir: &context.workspace.side_target_dir(side),
        profile: compilation.profile.as_deref(),
        jobs: compilation.jobs.as_deref(),
        quiet: shell.is_quiet(),
    };
    let built = workspace::build(workspace, &request)?;
    let program = |artifact: &Artifact| program(context, workspace, root, artifact, &built);
    Ok(BuiltSide { programs: built.executables.iter().map(program).collect() })
}

fn program(context: &Context, workspace: &Workspace, root: &Utf8Path, artifact: &Artifact, built: &Built) -> Program {
    let entry = context.entries.iter().find(|entry| entry.target == artifact.target);
    let mut env: Vec<(String, String)> = artifact.env.clone();
    if !built.library_paths.is_empty() {
        let paths: Vec<&str> = built.library_paths.iter().map(|path| path.as_str()).collect();
        env.push((library_path_variable().to_owned(), paths.join(":")));
    }
    Program {
        package: artifact.target.package.clone(),
        package_dir: relative(root, &artifact.cwd),
        target: artifact.target.target.clone(),
        kind: kind_of(entry, artifact.target.kind),
        executable: artifact.path.clone(),
        source: source_of(workspace, root, &artifact.target),
        env,
    }
}

fn library_path_variable() -> &'static str {
    if cfg!(target_os = "macos") { "DYLD_FALLBACK_LIBRARY_PATH" } else { "LD_LIBRARY_PATH" }
}

fn kind_of(entry: Option<&Entry>, kind: TargetKind) -> WorkloadKind {
    match (kind, entry.map(|entry| &entry.status)) {
        (TargetKind::Bin, _) => WorkloadKind::Binary,
        (_, Some(Status::Runnable { harness: Some(Harness::Criterion) })) => WorkloadKind::Criterion,
        (_, Some(Status::Runnable { harness: Some(Harness::Divan) })) => WorkloadKind::Divan,
        (_, Some(Status::Runnable { harness: Some(Harness::Libtest) })) => WorkloadKind::Libtest,
        (_, Some(Status::Runnable { harness: Some(Harness::Bencher) })) => WorkloadKind::Bencher,
        (_, Some(Status::Runnable { harness: Some(Harness::Gungraun) })) => WorkloadKind::Gungraun,
        _ => WorkloadKind::Bench,
    }
}

fn source_of(workspace: &Workspace, root: &Utf8Path, target: &TargetRef) -> Utf8PathBuf {
    let package = workspace.member(&target.package);
    let found =
        package.and_then(|package| package.targets.iter().find(|one| one.name == target.target && is_kind(one, target.kind)));
    found.map(|found| relative(root, &found.src_path)).unwrap_or_default()
}

fn is_kind(target: &cargo_metadata::Target, kind: TargetKind) -> bool {
    match kind {
        TargetKind::Bench => target.is_bench(),
        TargetKind::Bin => target.is_bin(),
    }
}
