//! `list`: what would run, what would not and why, and the rules.

use std::io::{self, Write};

use super::context::{Context, NO_BENCH, Request};
use crate::cli::{ListArgs, Measurement, StoreArgs};
use crate::config::nearest::nearest;
use crate::config::{Config, Program, Slo, WorkloadConfig};
use crate::error::Result;
use crate::evidence::Evidence;
use crate::exit::Exit;
use crate::figures::counted;
use crate::measure::{Workload, WorkloadKind};
use crate::report::clean;
use crate::rules::registry::RULES;
use crate::shell::Shell;
use crate::store::Store;
use crate::workspace::{Entry, Harness, Status, TargetKind};

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
    let known = Known::of(&context, shell.is_verbose());
    shell.result(|out| targets(&context, &known, out))?;
    for warning in known.nameless(&context) {
        shell.warn(clean(&warning));
    }
    Ok(Exit::Pass)
}

fn rules(out: &mut dyn Write) -> io::Result<()> {
    for rule in RULES {
        writeln!(out, "{}  {:<34} {}", rule.id, rule.name, rule.summary)?;
    }
    writeln!(out, "\n`cargo perf-expert explain RULE` tells more.")
}

/// The benchmark ids that the newest baseline found: only a built bench knows its ids.
struct Known {
    evidence: Option<Evidence>,
    /// Name all of them, not just the first ones.
    all: bool,
}

/// Ids that are named before the rest is counted.
const NAMED: usize = 5;

impl Known {
    fn of(context: &Context, all: bool) -> Self {
        let store = Store::read(&context.state);
        let mut stored = store.list_baselines().into_iter().filter_map(|one| store.load_baseline::<Evidence>(&one.name).ok());
        let whole = stored.find(|baseline| baseline.record.workloads.selected.is_empty());
        Self { evidence: whole.map(|baseline| baseline.record.workloads), all }
    }

    /// A warning for each table of the manifest whose name is no workload's.
    fn nameless(&self, context: &Context) -> Vec<String> {
        let evidence = self.evidence.iter().flat_map(|evidence| &evidence.workloads);
        let workloads: Vec<&Workload> = evidence.map(|one| &one.workload).collect();
        let warning = |table: &WorkloadConfig| {
            let ids =
                workloads.iter().filter(|one| table.program == Program::Bench(one.target.clone())).map(|one| one.id.as_str());
            let near = nearest(&table.name, ids).map(|id| format!("; did you mean `{id}`?")).unwrap_or_default();
            format!("the manifest names a workload `{}`, and the stored baseline has none of that name{near}", table.name)
        };
        // A binary's table makes the workload: a baseline from before does not have it yet.
        let of_a_bench = |table: &&WorkloadConfig| matches!(table.program, Program::Bench(_));
        context.filter.nameless(&workloads).into_iter().filter(of_a_bench).map(warning).collect()
    }

    /// What to say below a target that runs.
    fn ids_of(&self, entry: &Entry) -> String {
        let is_bench = entry.target.kind == TargetKind::Bench;
        let of_target = |workload: &&Workload| {
            (&workload.package, &workload.target) == (&entry.target.package, &entry.target.target)
                && (workload.kind != WorkloadKind::Binary) == is_bench
        };
        let workloads = self.evidence.iter().flat_map(|evidence| evidence.workloads.iter().map(|one| &one.workload));
        let ids: Vec<&str> = workloads.filter(of_target).map(|workload| workload.id.as_str()).collect();
        let shown = if self.all { ids.len() } else { NAMED.min(ids.len()) };
        match ids.len() {
            0 => "its benchmark ids are known after `cargo perf-expert baseline`".into(),
            n if n > shown => format!("{}: {}, … (all with --verbose)", counted(n, "workload"), ids[..shown].join(", ")),
            n => format!("{}: {}", counted(n, "workload"), ids.join(", ")),
        }
    }
}

fn targets(context: &Context, known: &Known, out: &mut dyn Write) -> io::Result<()> {
    let (run, rest): (Vec<&Entry>, Vec<&Entry>) = context.entries.iter().partition(|entry| entry.is_runnable());
    if !run.is_empty() {
        writeln!(out, "Runs:")?;
    }
    for entry in run {
        let Status::Runnable { harness } = &entry.status else { continue };
        let how = harness.map_or("binary", |harness| harness.as_str());
        writeln!(out, "  {} {} ({how}), package {}", kind(entry), entry.target.target, entry.target.package)?;
        for table in tables(context, entry) {
            writeln!(out, "    workload {}{}", clean(&table.name), objectives(table))?;
        }
        if harness.is_some_and(Harness::has_ids) {
            writeln!(out, "    {}", clean(&known.ids_of(entry)))?;
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
        writeln!(out, "No bench target and no binary in the selected packages.\n  to change that:")?;
        for line in NO_BENCH.lines() {
            writeln!(out, "{}", format!("    {line}").trim_end())?;
        }
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

/// The tables of the manifest about a target; criterion's ids are only known to the built bench.
fn tables<'c>(context: &'c Context, entry: &'c Entry) -> impl Iterator<Item = &'c WorkloadConfig> {
    let tables = context.filter.configured.get(&entry.target.package).map(Vec::as_slice).unwrap_or_default();
    let of_target = |program: &Program| match program {
        Program::Bin(name) => entry.target.kind == TargetKind::Bin && *name == entry.target.target,
        Program::Bench(name) => entry.target.kind == TargetKind::Bench && *name == entry.target.target,
        Program::Command(_) => false,
    };
    tables.iter().filter(move |table| of_target(&table.program))
}

/// `: latency.p50 at most 20ms, throughput at least 1000`, in the order of the manifest.
fn objectives(table: &WorkloadConfig) -> String {
    let one = |slo: &Slo| format!("{} {} {}", slo.metric, if slo.is_floor() { "at least" } else { "at most" }, slo.written);
    let all: Vec<String> = table.slo.iter().map(one).collect();
    if all.is_empty() { String::new() } else { format!(": {}", clean(&all.join(", "))) }
}
