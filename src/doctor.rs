//! Can this machine measure? One check per thing that a measurement rests on, found out by doing it once rather than by reading
//! settings.
//!
//! Does not draw (`report`), measures no workload of the user's (`commands::doctor::self_test` does), and changes nothing.

mod cgroup;
mod check;
mod clock;
mod counters;
mod disk;
mod engines;
mod linker;
mod machine;
mod noise;
mod package;
mod profile;
mod repository;
pub mod self_test;
#[cfg(test)]
mod tests;
mod toolchain;
mod trial;
mod valgrind;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

pub use check::{Check, Status};
pub use self_test::SelfTest;

use crate::analysis::Tool;
use crate::exit::Exit;
use crate::workspace::{self, Cargo, DiscoverOptions, Workspace, WorkspaceError};
use trial::Trial;

/// Version of the JSON contract of `doctor`.
pub const SCHEMA_VERSION: u32 = 1;

/// What `doctor` found out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Which tool wrote it.
    pub tool: Tool,
    /// `doctor`.
    pub command: String,
    /// When it was made, RFC 3339, UTC.
    pub created: String,
    /// True when this machine can measure at all; what is limited or missing is in `checks`.
    pub can_measure: bool,
    /// Why not; empty when it can.
    pub reasons: Vec<String>,
    /// The exit code that goes with it.
    pub exit_code: u8,
    /// One per thing that a measurement rests on.
    pub checks: Vec<Check>,
    /// Measured on one of the user's own workloads; `None` without `--self-test`.
    pub self_test: Option<SelfTest>,
}

impl Diagnosis {
    fn new(checks: Vec<Check>) -> Self {
        let stops = checks.iter().filter(|check| check.essential && check.status == Status::Missing);
        let reasons: Vec<String> = stops.map(|check| format!("{}: {}", check.title, check.summary)).collect();
        let exit = if reasons.is_empty() { Exit::Pass } else { Exit::Incomplete };
        Self {
            schema_version: SCHEMA_VERSION,
            tool: crate::conclude::tool(),
            command: "doctor".into(),
            created: crate::conclude::now(),
            can_measure: reasons.is_empty(),
            reasons,
            exit_code: exit.code(),
            checks,
            self_test: None,
        }
    }

    /// A check by its id.
    pub fn check(&self, id: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.id == id)
    }
}

/// Where and for what to look.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where the command was typed: cargo's configuration and the toolchain are chosen from here.
    pub cwd: Utf8PathBuf,
    /// Which workspace.
    pub options: DiscoverOptions,
    /// `--profile`; `None` is `bench`.
    pub profile: Option<String>,
    /// `--baseline-dir`; `None`: in the target directory.
    pub state: Option<Utf8PathBuf>,
}

/// Asks everything once. `progress` hears what is being looked at.
pub fn diagnose(request: &Request, mut progress: impl FnMut(&str)) -> Diagnosis {
    let cargo = Cargo::new(&request.cwd);
    // First, while nothing of ours disturbs the machine.
    progress("what else runs on this machine");
    let noise = noise::check();
    progress("the workspace");
    let workspace = workspace::discover(cargo.clone(), request.options.clone());
    let found = workspace.as_ref().ok();
    let state = request.state.clone().or_else(|| found.map(Workspace::state_dir));
    progress("a small program, built as benchmarks are");
    let trial = Trial::build(&cargo, request.options.target.as_deref(), state.as_deref());
    let built = trial.as_ref().ok();
    let mut checks = vec![toolchain::check(&cargo, &trial)];
    progress("sampling, tracing and clocks");
    checks.extend(engines::sampling(built));
    checks.push(engines::tracing(built));
    checks.push(clock::check(built));
    checks.push(profile::check(found, request.profile.as_deref(), built));
    checks.push(linker::check(built));
    checks.push(valgrind::check());
    checks.push(counters::check());
    checks.extend(repository::checks(found.map_or(&request.cwd, |workspace| workspace_root(workspace))));
    checks.push(package::check(&workspace));
    checks.push(disk::check(state.as_deref()));
    checks.extend([machine::cpus(), machine::frequency(), noise]);
    Diagnosis::new(checks)
}

fn workspace_root(workspace: &Workspace) -> &Utf8PathBuf {
    &workspace.metadata.workspace_root
}

/// True where the directory has no package at all, which is no fault of the machine.
fn is_elsewhere(error: &WorkspaceError) -> bool {
    matches!(error, WorkspaceError::NoManifest { .. })
}

/// The nearest directory above `path` (or itself) that exists.
fn existing(path: &Utf8Path) -> Option<&Utf8Path> {
    path.ancestors().find(|dir| dir.is_dir())
}
