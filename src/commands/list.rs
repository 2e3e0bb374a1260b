//! `list`: what would run, what would not and why, and the rules.

use std::io::{self, Write};

use super::context::{Context, Request};
use crate::cli::{ListArgs, Measurement, StoreArgs};
use crate::config::{Config, Program};
use crate::error::Result;
use crate::exit::Exit;
use crate::rules::registry::RULES;
use crate::shell::Shell;
use crate::workspace::{Entry, Status, TargetKind};

/// Prints one of the two lists.
pub(crate) fn list(args: &ListArgs, shell: &mut Shell) -> Result<Exit> {
    if args.rules {
        shell.result(rules)?;
        return Ok(Exit::Pass);
    }
    let context = Context::load(Request {
        selection: &args.selection,
        store: &StoreArgs::default(),
        measurement: &Measurement::default(),
        args: &[],
        flags: Config::default(),
        remembered: Vec::new(),
    })?;
    shell.result(|out| targets(&context, out))?;
    Ok(Exit::Pass)
}

fn rules(out: &mut dyn Write) -> io::Result<()> {
    for rule in RULES {
        writeln!(out, "{}  {:<34} {}", rule.id, rule.name, rule.summary)?;
    }
    writeln!(out, "\n`cargo perf-expert explain RULE` tells more.")
}

fn targets(context: &Context, out: &mut dyn Write) -> io::Result<()> {
    let (run, rest): (Vec<&Entry>, Vec<&Entry>) = context.entries.iter().partition(|entry| entry.is_runnable());
    if !run.is_empty() {
        writeln!(out, "Runs:")?;
    }
    for entry in run {
        let Status::Runnable { harness } = &entry.status else { continue };
        let how = harness.map_or("binary", |harness| harness.as_str());
        writeln!(out, "  {} {} ({how}), package {}", kind(entry), entry.target.target, entry.target.package)?;
        for name in workloads(context, entry) {
            writeln!(out, "    workload {name}")?;
        }
    }
    let commands = context.commands();
    if !rest.is_empty() || !commands.is_empty() {
        writeln!(out, "Does not run:")?;
    }
    for entry in rest {
        let Status::NotRunnable { reason, snippet } = &entry.status else { continue };
        writeln!(out, "  {} {}, package {}: {reason}", kind(entry), entry.target.target, entry.target.package)?;
        remedy(snippet.as_deref(), out)?;
    }
    for command in &commands {
        writeln!(out, "  workload {}: {}", command.name, command.reason)?;
        remedy(command.remedy.as_deref(), out)?;
    }
    if context.entries.is_empty() {
        writeln!(out, "No bench target and no binary in the selected packages.")?;
    }
    Ok(())
}

fn remedy(snippet: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
    let Some(snippet) = snippet else { return Ok(()) };
    writeln!(out, "    to change that:")?;
    snippet.lines().try_for_each(|line| writeln!(out, "      {line}"))
}

fn kind(entry: &Entry) -> &'static str {
    match entry.target.kind {
        TargetKind::Bench => "bench",
        TargetKind::Bin => "bin",
    }
}

/// The workloads that the manifest names for a target; criterion's ids are only known to the built bench.
fn workloads<'c>(context: &'c Context, entry: &'c Entry) -> impl Iterator<Item = &'c str> {
    let tables = context.filter.configured.get(&entry.target.package).map(Vec::as_slice).unwrap_or_default();
    let of_target = |program: &Program| match program {
        Program::Bin(name) => entry.target.kind == TargetKind::Bin && *name == entry.target.target,
        Program::Bench(name) => entry.target.kind == TargetKind::Bench && *name == entry.target.target,
        Program::Command(_) => false,
    };
    tables.iter().filter(move |table| of_target(&table.program)).map(|table| table.name.as_str())
}
