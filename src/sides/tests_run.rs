//! `cargo test` of the changed packages: the correctness line of the report.

use std::collections::BTreeSet;
use std::time::Duration;

use super::test_output::{Programs, Told};
use crate::analysis::{TestStatus, Tests};
use crate::commands::context::Context;
use crate::error::Result;
use crate::process::{Tool, ToolError};
use crate::shell::Shell;
use crate::workspace::Workspace;

/// After this time `cargo test` is ended: a hanging test must not hang the hook.
const PATIENCE: Duration = Duration::from_secs(300);

/// Tests that were not run, and why.
pub(crate) fn not_checked(why: impl Into<String>) -> Tests {
    Tests { status: TestStatus::NotChecked, packages: Vec::new(), summary: why.into(), newly_failing: Vec::new() }
}

/// Runs the tests at head; where some fail, at base too, because only what passed there counts against the change.
pub(crate) fn run_tests(
    context: &Context,
    head: &Workspace,
    packages: &BTreeSet<String>,
    shell: &mut Shell,
    base: impl FnOnce() -> Result<Workspace>,
) -> Result<Tests> {
    if packages.is_empty() {
        return Ok(not_checked("no package of the workspace changed"));
    }
    let names: Vec<&str> = packages.iter().map(String::as_str).collect();
    shell.status("Testing", names.join(", "));
    let quiet = shell.is_quiet();
    let Some(outcome) = cargo_test(context, head, packages, quiet)? else {
        return Ok(not_checked(format!("they took longer than {} min", PATIENCE.as_secs() / 60)));
    };
    let mut tests = Tests {
        status: outcome.status(),
        packages: packages.iter().cloned().collect(),
        summary: outcome.summary(),
        newly_failing: Vec::new(),
    };
    if outcome.success {
        return Ok(tests);
    }
    let Some(before) = cargo_test(context, &base()?, packages, quiet)? else {
        tests.summary.push_str("; at base they took too long to compare");
        return Ok(tests);
    };
    if !outcome.ran {
        if before.ran {
            tests.newly_failing = vec!["the tests do not build at head, and do at base".into()];
        }
        return Ok(tests);
    }
    let suspects: BTreeSet<String> = outcome.failed.intersection(&before.passed).cloned().collect();
    if suspects.is_empty() {
        tests.summary.push_str("; none of them passed at base");
        return Ok(tests);
    }
    // A test that fails only now and then is no news about the change.
    let again = cargo_test(context, head, packages, quiet)?.map_or_else(BTreeSet::new, |again| again.failed);
    tests.newly_failing = suspects.intersection(&again).cloned().collect();
    if tests.newly_failing.is_empty() {
        tests.summary.push_str("; they passed when run again");
    }
    Ok(tests)
}

#[derive(Default)]
struct Outcome {
    success: bool,
    ran: bool,
    passed: BTreeSet<String>,
    failed: BTreeSet<String>,
}

impl Outcome {
    /// Where nothing ran, nothing passed.
    fn status(&self) -> TestStatus {
        match (self.success, self.passed.is_empty()) {
            (true, false) => TestStatus::Passed,
            (true, true) => TestStatus::NotChecked,
            (false, _) => TestStatus::Failed,
        }
    }

    fn summary(&self) -> String {
        match (self.ran, self.passed.len(), self.failed.len()) {
            (false, ..) => "they do not build".into(),
            (true, 0, 0) if self.success => "there are no tests".into(),
            (true, 0, 0) => "`cargo test` failed and named no test".into(),
            (true, passed, failed) => format!("{passed} passed, {failed} failed"),
        }
    }
}

/// Builds the tests, however long that takes, and runs them; `None` when they hang.
fn cargo_test(context: &Context, workspace: &Workspace, packages: &BTreeSet<String>, quiet: bool) -> Result<Option<Outcome>> {
    let mut outcome = Outcome::default();
    if !packages.iter().any(|name| workspace.member(name).is_some()) {
        return Ok(Some(outcome));
    }
    let mut build =
        command(context, workspace, packages).args(["--no-run", "--message-format=json-render-diagnostics"]).inherit_stderr();
    if quiet {
        build = build.arg("--quiet");
    }
    let built = build.run()?;
    if !built.success() {
        return Ok(Some(outcome));
    }
    let programs = Programs::read(&built.stdout, |id| workspace.package(id).map(|package| package.name.to_string()));
    // cargo names each program on standard error, the tests' results are on standard output: one pipe keeps them in order.
    let run = command(context, workspace, packages).arg("--no-fail-fast").merge_stderr();
    let run = run.env("CARGO_TERM_QUIET", "false").env("CARGO_TERM_VERBOSE", "false");
    let output = match run.timeout(PATIENCE).run() {
        Err(ToolError::TimedOut { .. }) => return Ok(None),
        other => other?,
    };
    let told = Told::read(&String::from_utf8_lossy(&output.stdout), &programs);
    outcome.ran = true;
    (outcome.passed, outcome.failed) = (told.passed, told.failed);
    outcome.success = output.success();
    Ok(Some(outcome))
}

fn command(context: &Context, workspace: &Workspace, packages: &BTreeSet<String>) -> Tool {
    let mut tool: Tool = workspace.cargo.tool().args(["test", "--color=never", "--manifest-path"]).arg(&workspace.manifest_path);
    tool = tool.args(workspace.options.lock_args()).args(workspace.options.features.args());
    for package in packages.iter().filter(|name| workspace.member(name).is_some()) {
        tool = tool.args(["-p", package]);
    }
    // The user's own target directory: what `cargo test` built there is still good. A checkout must not touch it.
    if workspace.root() == context.workspace.root() {
        return tool;
    }
    tool.arg("--target-dir").arg(context.workspace.side_target_dir("base"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_without_a_test_is_not_called_passed() {
        let outcome = |success, passed: &[&str], failed: &[&str]| {
            let set = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
            Outcome { success, ran: true, passed: set(passed), failed: set(failed) }
        };
        let none = outcome(true, &[], &[]);
        assert_eq!((none.status(), none.summary().as_str()), (TestStatus::NotChecked, "there are no tests"));
        assert_eq!(outcome(true, &["a"], &[]).status(), TestStatus::Passed);
        let some = outcome(false, &["a"], &["b"]);
        assert_eq!((some.status(), some.summary().as_str()), (TestStatus::Failed, "1 passed, 1 failed"));
    }
}
