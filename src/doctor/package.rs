//! The package here: what of it would run.

use super::check::{Check, Status};
use super::is_elsewhere;
use crate::figures::counted;
use crate::workspace::{self, ListRequest, PackageSelection, TargetKind, Workspace, WorkspaceError};

const ID: &str = "package";

pub(super) fn check(workspace: &Result<Workspace, WorkspaceError>) -> Check {
    match workspace {
        Ok(workspace) => targets(workspace),
        Err(error) if is_elsewhere(error) => {
            Check::refused(ID, ID, Status::Missing, error, "; the machine was checked without one")
        }
        Err(error) => Check::refused(ID, ID, Status::Missing, error, "").essential(),
    }
}

fn targets(workspace: &Workspace) -> Check {
    let all = PackageSelection { workspace: true, ..PackageSelection::default() };
    let listed = workspace::select_packages(workspace, &all)
        .and_then(|(packages, _unused)| workspace::list(workspace, &packages, &ListRequest::default()));
    let entries = match listed {
        Ok(entries) => entries,
        Err(error) => return Check::refused(ID, ID, Status::Limited, &error, ""),
    };
    let benches = entries.iter().filter(|entry| entry.target.kind == TargetKind::Bench);
    let (run, rest): (Vec<_>, Vec<_>) = benches.partition(|entry| entry.is_runnable());
    let packages = counted(workspace.members().len(), "package");
    let check = if run.is_empty() {
        Check::limited(ID, ID, format!("{packages}, no bench target that can be measured"))
            .remedy("`cargo perf-expert list` says what would run, what would not, and how to change it")
    } else {
        let more = if rest.is_empty() { String::new() } else { format!(", {} that cannot", rest.len()) };
        Check::ok(ID, ID, format!("{packages}, {} that can be measured{more}", counted(run.len(), "bench target")))
    };
    check.value("root", workspace.root().as_str()).value("benches", run.len())
}
