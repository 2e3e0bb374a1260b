//! The second witness: one run of a workload under callgrind, its instructions counted per changed item.
//!
//! Runs and counts; what the counts mean is for `conclude`.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use crate::heat::{Location, PathMapper};
use crate::measure::callgrind::{CallgrindError, Counts};
use crate::measure::{Harness, HarnessError, Side, Workload};
use crate::process::{Launch, Limits, Tool, run};
use crate::profile::normalize;
use crate::source::{Item, ItemId, Tree};

/// Why nothing was counted; a fragment.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// valgrind is not there.
    #[error("valgrind is not installed")]
    NoValgrind,
    /// There is no run of one iteration.
    #[error("its harness cannot run one iteration, and runs of as many as fit into a time do not compare")]
    NoSingleRun,
    /// It takes some fifty times as long as the workload alone.
    #[error("one run under callgrind takes longer than {} s", .0.as_secs())]
    TooSlow(Duration),
    /// The workload or valgrind failed.
    #[error("the run under callgrind ended with {0}")]
    Failed(String),
    /// The output could not be read.
    #[error(transparent)]
    Unread(#[from] CallgrindError),
    /// Something of the system's.
    #[error(transparent)]
    Harness(#[from] HarnessError),
    /// Something of the system's.
    #[error(transparent)]
    Process(#[from] crate::process::ProcessError),
    /// Something of the system's.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Valgrind, if it is there.
#[derive(Debug, Clone, Copy)]
pub struct Witness(());

/// How an item was counted. Counts of different kinds do not compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// As a function with everything that it calls.
    Function(u64),
    /// By its lines, because it is inlined everywhere.
    Lines(u64),
    /// It executed nothing.
    Nothing,
}

/// What a side is asked.
pub struct Asked<'a> {
    /// The side's items.
    pub tree: &'a Tree,
    /// The side's paths.
    pub mapper: &'a PathMapper,
    /// The changed items, by key in that tree; `None` stands for one that this side does not have.
    pub items: Vec<Option<&'a str>>,
}

/// One run, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideCounts {
    /// One iteration: the harness's function that runs the benchmark; `None` when it was not found.
    pub iteration: Option<u64>,
    /// The whole process.
    pub process: u64,
    /// In the order of [`Asked::items`]; `None` for an item that this side does not have.
    pub items: Vec<Option<Counted>>,
}

impl Witness {
    /// Looks for valgrind.
    pub fn find() -> Result<Self, WitnessError> {
        let answer = Tool::new("valgrind").arg("--version").run();
        answer.ok().filter(crate::process::ToolOutput::success).map(|_version| Self(())).ok_or(WitnessError::NoValgrind)
    }

    /// Runs a side of a workload once and counts. `scratch` is a fresh directory.
    pub fn count(
        self,
        harness: &Harness,
        workload: &Workload,
        side: &Side,
        asked: &Asked<'_>,
        limits: Limits,
        scratch: &Path,
    ) -> Result<SideCounts, WitnessError> {
        if !harness.has_single_run() {
            return Err(WitnessError::NoSingleRun);
        }
        let launch = under_callgrind(harness.test_launch(workload, side, scratch), scratch);
        let finished = run(&launch, &limits)?;
        if finished.timed_out {
            return Err(WitnessError::TooSlow(limits.timeout));
        }
        harness.check(workload, &finished).map_err(|_failed| WitnessError::Failed(finished.outcome()))?;
        // A process that it starts writes a file of its own.
        let text = fs_err::read(scratch.join(format!("callgrind.{}", finished.pid)))?;
        let counts = Counts::parse(&String::from_utf8_lossy(&text))?;
        Ok(read(&counts, asked))
    }
}

fn under_callgrind(mut launch: Launch, scratch: &Path) -> Launch {
    let mut output = std::ffi::OsString::from("--callgrind-out-file=");
    output.push(scratch.join("callgrind.%p"));
    let program = std::mem::replace(&mut launch.program, "valgrind".into());
    // Names are demangled and normalized here: valgrind knows only the older of Rust's schemes.
    // CodSpeed's drop-ins ask valgrind for a dump in the middle: without the option, the rest would be in files of their own.
    let options = ["--tool=callgrind", "--demangle=no", "--combine-dumps=yes"].map(std::ffi::OsString::from);
    let front = options.into_iter().chain([output, program.into_os_string()]);
    launch.args.splice(0..0, front);
    launch
}

fn read(counts: &Counts, asked: &Asked<'_>) -> SideCounts {
    let known: HashMap<&str, Known> = counts.functions().map(|raw| (raw, Known::of(raw, asked.tree))).collect();
    let iteration = counts.of_functions(|raw| known.get(raw).is_some_and(|known| known.is_iteration));
    let count = |key: &str| {
        let Some(id) = asked.tree.id(key) else { return Counted::Nothing };
        if let Some(instructions) = counts.of_functions(|raw| known.get(raw).is_some_and(|known| known.item == Some(id))) {
            return Counted::Function(instructions);
        }
        let item = asked.tree.get(id);
        let here = |file: &str, line: u32| item.is_some_and(|item| covers(item, &asked.mapper.locate(file, asked.tree), line));
        counts.at_lines(here).map_or(Counted::Nothing, Counted::Lines)
    };
    SideCounts { iteration, process: counts.total, items: asked.items.iter().map(|key| key.map(count)).collect() }
}

/// What the name of a function means.
struct Known {
    /// The item that it is. A closure is counted with the function that calls it, not as its item a second time.
    item: Option<ItemId>,
    is_iteration: bool,
}

impl Known {
    fn of(raw: &str, tree: &Tree) -> Self {
        let name = normalize::normalize(raw);
        let item = if is_closure(&name) { None } else { tree.by_name_id(&name) };
        Self { item, is_iteration: runs_one_iteration(&name) }
    }
}

fn is_closure(name: &str) -> bool {
    name.contains("{{closure}}") || name.contains("{closure")
}

/// Criterion's function around the benchmark's closure, in the crate and in `CodSpeed`'s drop-in; in test mode it runs it once.
fn runs_one_iteration(name: &str) -> bool {
    let Some(("criterion" | "codspeed_criterion_compat_walltime", rest)) = name.split_once("::bencher::Bencher") else {
        return false;
    };
    rest.rsplit("::").next().is_some_and(|method| method.trim_start_matches("__codspeed_root_frame__").starts_with("iter"))
        && !is_closure(rest)
}

fn covers(item: &Item, location: &Location, line: u32) -> bool {
    let (Location::Repository(file) | Location::Probably(file)) = location else { return false };
    *file == item.file && (item.lines.0..=item.lines.1).contains(&line)
}

#[cfg(test)]
mod tests;
