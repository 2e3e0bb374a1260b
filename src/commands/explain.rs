//! `explain RULE`: what a rule means.

use crate::cli::ExplainArgs;
use crate::error::Result;
use crate::exit::Exit;
use crate::rules::registry;
use crate::shell::Shell;

/// Prints the rule's text.
pub(crate) fn explain(args: &ExplainArgs, shell: &mut Shell) -> Result<Exit> {
    let rule = registry::find(&args.rule)?;
    shell.result(|out| writeln!(out, "{}", rule.explain()))?;
    Ok(Exit::Pass)
}
