//! `cargo test` of the changed packages: the correctness line of the report.

use std::collections::BTreeSet;
use std::time::Duration;

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
        status: if outcome.success { TestStatus::Passed } else { TestStatus::Failed },
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

struct Outcome {
    success: bool,
    ran: bool,
    passed: BTreeSet<String>,
    failed: BTreeSet<String>,
}

impl Outcome {
    fn summary(&self) -> String {
        match (self.ran, self.passed.len(), self.failed.len()) {
            (false, ..) => "they do not build".into(),
            (true, 0, 0) => "there are none".into(),
            (true, passed, failed) => format!("{passed} passed, {failed} failed"),
        }
    }
}

/// Builds the tests, however long that takes, and runs them; `None` when they hang.
fn cargo_test(context: &Context, workspace: &Workspace, packages: &BTreeSet<String>, quiet: bool) -> Result<Option<Outcome>> {
    let mut outcome = Outcome { success: false, ran: false, passed: BTreeSet::new(), failed: BTreeSet::new() };
    if !packages.iter().any(|name| workspace.member(name).is_some()) {
        return Ok(Some(outcome));
    }
    let mut build = command(context, workspace, packages).arg("--no-run").inherit_stderr();
    if quiet {
        build = build.arg("--quiet");
    }
    if !build.run()?.success() {
        return Ok(Some(outcome));
    }
    let output = match command(context, workspace, packages).arg("--no-fail-fast").timeout(PATIENCE).run() {
        Err(ToolError::TimedOut { .. }) => return Ok(None),
        other => other?,
    };
    // Each test program opens with `running N tests`: its number keeps equal names of different programs apart.
    let mut program = 0;
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        program += usize::from(line.starts_with("running "));
        let Some(rest) = line.strip_prefix("test ") else { continue };
        outcome.ran = true;
        let named = |name: &str| format!("{} (test program {program})", name.trim_end_matches(" - should panic"));
        if let Some(name) = rest.strip_suffix(" ... FAILED") {
            outcome.failed.insert(named(name));
        } else if let Some(name) = rest.strip_suffix(" ... ok") {
            outcome.passed.insert(named(name));
        }
    }
    outcome.success = output.success();
    outcome.ran |= output.success();
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
