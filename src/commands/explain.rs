//! `explain [RULE]`: what a rule or a cause means; without a name, all of them.

use std::io::{self, Write};

use crate::cli::ExplainArgs;
use crate::diagnose::causes;
use crate::error::Result;
use crate::exit::Exit;
use crate::rules::registry;
use crate::shell::Shell;

/// Prints the text of a rule or a cause, or the list of them.
pub(crate) fn explain(args: &ExplainArgs, shell: &mut Shell) -> Result<Exit> {
    let Some(query) = &args.rule else {
        shell.result(all)?;
        return Ok(Exit::Pass);
    };
    let text = match causes::find(query) {
        Some(cause) => cause.explain(),
        None => registry::find(query)?.explain(),
    };
    shell.result(|out| writeln!(out, "{text}"))?;
    Ok(Exit::Pass)
}

fn all(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "Rules, about a change:")?;
    for rule in registry::RULES {
        writeln!(out, "  {}  {:<34} {}", rule.id, rule.name, rule.summary)?;
    }
    writeln!(out, "\nCauses, of where the time goes:")?;
    for cause in causes::entries() {
        writeln!(out, "  {}     {:<34} {}", cause.id, cause.name, cause.title)?;
    }
    writeln!(out, "\n`cargo perf-expert explain NAME` tells more about one of them.")
}
