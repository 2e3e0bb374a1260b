//! `completions` and `man`: the command line about itself.

use clap::CommandFactory;

use crate::cli::{Cargo, CompletionsArgs};
use crate::error::Result;
use crate::exit::Exit;
use crate::shell::Shell;

fn command() -> clap::Command {
    // Completions and the page are for the executable, which also takes its own name as first word.
    let cargo = Cargo::command();
    let ours = cargo.get_subcommands().find(|command| command.get_name() == "perf-expert").cloned();
    ours.unwrap_or(cargo).name("cargo-perf-expert").bin_name("cargo-perf-expert")
}

/// Prints shell completions.
pub(crate) fn completions(args: &CompletionsArgs, shell: &mut Shell) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command(), "cargo-perf-expert", &mut script);
    shell.result(|out| out.write_all(&script))?;
    Ok(Exit::Pass)
}

/// Prints the manual page.
pub(crate) fn man(shell: &mut Shell) -> Result<Exit> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command()).render(&mut page)?;
    shell.result(|out| out.write_all(&page))?;
    Ok(Exit::Pass)
}
