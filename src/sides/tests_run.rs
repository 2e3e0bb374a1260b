//! `cargo test` of the changed packages: the correctness line of the report.

use std::collections::BTreeSet;

use crate::analysis::{TestStatus, Tests};
use crate::commands::context::Context;
use crate::error::Result;
use crate::process::Tool;
use crate::shell::Shell;
use crate::workspace::Workspace;

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
    let outcome = cargo_test(context, head, packages)?;
    let mut tests = Tests {
        status: if outcome.success { TestStatus::Passed } else { TestStatus::Failed },
        packages: packages.iter().cloned().collect(),
        summary: outcome.summary(),
        newly_failing: Vec::new(),
    };
    if outcome.success {
        return Ok(tests);
    }
    let before = cargo_test(context, &base()?, packages)?;
    if before.ran {
        tests.newly_failing = outcome.failed.difference(&before.failed).cloned().collect();
        if !outcome.ran {
            tests.newly_failing = vec!["the tests do not build at head, and do at base".into()];
        }
    }
    Ok(tests)
}

struct Outcome {
    success: bool,
    ran: bool,
    passed: usize,
    failed: BTreeSet<String>,
}

impl Outcome {
    fn summary(&self) -> String {
        if self.ran { format!("{} passed, {} failed", self.passed, self.failed.len()) } else { "they do not build".into() }
    }
}

fn cargo_test(context: &Context, workspace: &Workspace, packages: &BTreeSet<String>) -> Result<Outcome> {
    let mut tool: Tool = workspace.cargo.tool().args(["test", "--no-fail-fast", "--color=never", "--manifest-path"]);
    tool = tool.arg(&workspace.manifest_path).args(workspace.options.lock_args()).args(workspace.options.features.args());
    for package in packages.iter().filter(|name| workspace.member(name).is_some()) {
        tool = tool.args(["-p", package]);
    }
    // The user's own target directory: what `cargo test` built there is still good. A checkout must not touch it.
    if workspace.root() != context.workspace.root() {
        tool = tool.arg("--target-dir").arg(context.workspace.side_target_dir("base"));
    }
    let mut outcome = Outcome { success: false, ran: false, passed: 0, failed: BTreeSet::new() };
    let output = tool.run()?;
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Some(rest) = line.strip_prefix("test ") else { continue };
        outcome.ran = true;
        if let Some(name) = rest.strip_suffix(" ... FAILED") {
            outcome.failed.insert(name.trim_end_matches(" - should panic").to_owned());
        } else if rest.ends_with(" ... ok") {
            outcome.passed += 1;
        }
    }
    outcome.success = output.success();
    outcome.ran |= output.success();
    Ok(outcome)
}
