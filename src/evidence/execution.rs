//! Which changed items a workload executes: one probing run per workload, the debug information read once per executable.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use camino::{Utf8Path, Utf8PathBuf};

use super::Driven;
use crate::measure::harness::Side;
use crate::process::{Limits, ProcessError};
use crate::sample::probe::{self, Execution, Outcome, ProbeMap, Region, Sites};
use crate::source::Item;

/// The items of one side that are asked about, and where that side's files lie.
#[derive(Debug, Clone)]
pub struct Question {
    root: Utf8PathBuf,
    regions: Vec<Region>,
}

/// The answer for one workload: one entry per item of the question, or why there is none.
pub type Executions = Result<Vec<Outcome>, String>;

impl Question {
    /// Asks about items; `None` stands for an item that this side does not have.
    pub fn about<'a>(root: &Utf8Path, items: impl IntoIterator<Item = Option<&'a Item>>) -> Self {
        let regions = items.into_iter().map(|item| item.map_or_else(nothing, |item| region(root, item))).collect();
        Self { root: root.to_owned(), regions }
    }

    /// True when there is nothing to ask.
    pub fn is_empty(&self) -> bool {
        self.regions.iter().all(|region| region.last_line == 0)
    }

    /// Root of the side's tree.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }
}

/// The keys of the items that a run executed.
pub fn executed_keys<'a>(items: impl IntoIterator<Item = &'a Item>, outcomes: &[Outcome]) -> BTreeSet<String> {
    let pairs = items.into_iter().zip(outcomes).filter(|(_, outcome)| **outcome == Outcome::Executed);
    pairs.map(|(item, _)| item.key.clone()).collect()
}

/// A region that no code belongs to.
fn nothing() -> Region {
    Region::lines(PathBuf::from("/nowhere"), 0, 0)
}

fn region(root: &Utf8Path, item: &Item) -> Region {
    // Attributes and docs have no code, but a derive on the first line has: take the item whole.
    let region = Region::lines(root.join(&item.file), item.lines.0, item.lines.1);
    // A bare name would fit any function of that name in the program, std's too.
    let module = item.path.rsplit_once("::").map_or("", |(module, _)| module);
    region.names(item.made_names.iter().filter(|_| !module.is_empty()).map(|name| format!("{module}::{name}")))
}

/// Reads each executable once and asks many workloads.
pub struct Prober<'a> {
    question: &'a Question,
    sites: HashMap<PathBuf, Result<Sites, String>>,
}

impl<'a> Prober<'a> {
    /// A prober for one side.
    pub fn new(question: &'a Question) -> Self {
        Self { question, sites: HashMap::new() }
    }

    /// True when there is nothing to ask.
    pub fn is_idle(&self) -> bool {
        self.question.is_empty()
    }

    /// Runs the workload once and says which items it executed. Only an interruption is an error.
    pub fn ask(&mut self, driven: &Driven, side: &Side, limits: &Limits, scratch: &Utf8Path) -> Result<Executions, ProcessError> {
        let sites = self.sites.entry(side.executable.clone()).or_insert_with(|| {
            ProbeMap::load(&side.executable).map(|map| map.sites(&self.question.regions)).map_err(|error| error.to_string())
        });
        let sites = match sites {
            Ok(sites) => sites,
            Err(reason) => return Ok(Err(reason.clone())),
        };
        if sites.is_empty() {
            return Ok(Ok(vec![Outcome::NoCode; self.question.regions.len()]));
        }
        let launch = driven.harness.test_launch(&driven.workload, side, scratch.as_std_path());
        let bounds = probe::Limits { run: *limits, end_early: true, every_site: false };
        let answer = probe::run(&launch, sites, &bounds);
        if crate::process::interrupted() {
            return Err(ProcessError::Interrupted);
        }
        Ok(match answer {
            Ok(probed) if probed.ended_early || probed.finished.success() => {
                Ok(probed.executions.iter().map(|execution: &Execution| execution.outcome).collect())
            }
            Ok(probed) => Err(format!("the probing run ended with {}", probed.finished.outcome())),
            Err(error) => Err(error.to_string()),
        })
    }
}
