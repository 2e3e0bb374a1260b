//! `cargo perf-expert`: is the changed code hot, and did it get faster or slower? With evidence.
//!
//! Data flows one way: **workspace → measure / sample → profile ⨝ source → rules, verdict → analysis → report.**
//! The core takes values and returns values; recorded data tests it.
//!
//! | room | what it is for |
//! |---|---|
//! | [`cli`], [`config`] | what the user types and writes into manifests |
//! | `commands` | one file per command, each reads like the workflow that it performs |
//! | [`workspace`] | cargo's view: targets, harnesses, builds, worktrees, fingerprints |
//! | [`source`] | Rust source as items, and what a change did to each |
//! | [`measure`], [`stats`] | rounds of fresh processes, clocks, harnesses; estimates and decisions |
//! | [`sample`], [`profile`] | stack samples, executed or not; stacks as values, names, exports |
//! | [`heat`], [`join`] | profile ⨝ items; change ⨝ heat ⨝ measurement |
//! | [`diagnose`] | what the bottleneck of a workload is |
//! | [`evidence`], `sides` | everything about one side; preparing both sides of a comparison |
//! | [`doctor`] | whether this machine can measure, and how well |
//! | [`rules`], [`verdict`] | anti-patterns, and pass or fail |
//! | [`analysis`], `conclude`, [`report`] | the one result, how it is drawn up, and its renderings |
//! | [`store`] | baselines and analyses on disk |
//! | `criterion` | a profiler for use inside of criterion benches (feature `criterion`) |
//! | [`process`], [`git`], [`shell`] | the only doors: spawning, git, drawing |

pub mod analysis;
pub mod cli;
mod commands;
mod conclude;
pub mod config;
#[cfg(all(feature = "criterion", unix))]
pub mod criterion;
pub mod diagnose;
pub mod doctor;
pub mod error;
pub mod evidence;
pub mod exit;
pub mod figures;
pub mod git;
pub mod heat;
pub mod hook;
pub mod join;
pub mod measure;
pub mod process;
pub mod profile;
pub mod report;
pub mod rules;
pub mod sample;
pub mod shell;
mod sides;
pub mod source;
pub mod stats;
pub mod store;
pub mod verdict;
pub mod workspace;

use std::ffi::OsString;

use clap::Parser;

use cli::{Cargo, Command};
use exit::Exit;
use shell::Shell;

/// Runs a command line, as cargo passes it (`cargo-perf-expert perf-expert ARGS`) or as it is typed (`cargo-perf-expert ARGS`).
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let Cargo::PerfExpert(cli) = match Cargo::try_parse_from(with_subcommand(arguments)) {
        Ok(cargo) => cargo,
        Err(error) => {
            let failed = error.use_stderr();
            let _nobody_listens = error.print();
            return if failed { Exit::Usage } else { Exit::Pass };
        }
    };
    let mut shell = Shell::new(cli.output.settings());
    if let Err(error) = process::install_interrupt_handler() {
        shell.warn(format!("Ctrl-C will not be handled: {error}"));
    }
    let result = match cli.command {
        Command::Baseline(args) => commands::baseline::baseline(&args, &mut shell),
        Command::Verify(args) => commands::verify::verify(&args, &mut shell),
        Command::Check(args) => commands::check::check(&args, &mut shell),
        Command::Report(args) => commands::report::report(&args, &mut shell),
        Command::List(args) => commands::list::list(&args, &mut shell),
        Command::Explain(args) => commands::explain::explain(&args, &mut shell),
        Command::Hook(args) => commands::hook::hook(&args, &mut shell),
        Command::Doctor(args) => commands::doctor::doctor(&args, &mut shell),
        Command::Demo(args) => commands::demo::demo(&args, &mut shell),
        Command::Completions(args) => commands::meta::completions(&args, &mut shell),
        Command::Man => commands::meta::man(&mut shell),
    };
    match result {
        Ok(exit) => exit,
        Err(_) if process::interrupted() => Exit::Interrupted,
        Err(error) => {
            shell.error(&error);
            error.exit()
        }
    }
}

/// Inserts the word that cargo would have inserted.
fn with_subcommand(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut words: Vec<OsString> = arguments.into_iter().collect();
    if words.get(1).is_none_or(|word| word != "perf-expert") {
        words.insert(words.len().min(1), "perf-expert".into());
    }
    words
}
