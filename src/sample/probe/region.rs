//! The question (regions of source), the answer per region, and how a probing run ends.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::process::{self, Finished};

/// Source lines that belong to one item.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Region {
    /// The file as the compiler saw it: an absolute path. A relative one stands for every file whose path ends with it.
    pub file: PathBuf,
    /// First line, 1-based.
    pub first_line: u32,
    /// Last line, inclusive.
    pub last_line: u32,
    /// Qualified names (`krate::module::function`, `<Type as Trait>::method`) of functions that belong to the region although
    /// their lines lie elsewhere: what a macro call makes. Generic arguments are ignored, closures belong to their function, and
    /// a path also stands for longer paths that end with it.
    pub names: Vec<String>,
}

impl Region {
    /// Lines of a file, both ends inclusive.
    pub fn lines(file: impl Into<PathBuf>, first_line: u32, last_line: u32) -> Self {
        Self { file: file.into(), first_line, last_line, names: Vec::new() }
    }

    /// Adds functions by name.
    #[must_use]
    pub fn names<I: IntoIterator<Item = S>, S: Into<String>>(mut self, names: I) -> Self {
        self.names.extend(names.into_iter().map(Into::into));
        self
    }
}

/// Whether code of a region ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// At least one breakpoint was hit.
    Executed,
    /// It has code in the executable, and the run came past none of it. Means little if the run itself did not succeed.
    NotExecuted,
    /// Nothing in the executable's debug information belongs to it: dead, merged, optimized away, or not code at all.
    NoCode,
}

/// The answer for one region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// Whether it ran.
    pub outcome: Outcome,
    /// Breakpoints that were set for it.
    pub sites: usize,
    /// Breakpoints that were hit; unless [`Limits::every_site`] was asked for, the first hit clears the others.
    pub hit: usize,
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
impl Execution {
    pub(super) fn new(sites: usize, hit: usize) -> Self {
        let outcome = match (sites, hit) {
            (0, _) => Outcome::NoCode,
            (_, 0) => Outcome::NotExecuted,
            _ => Outcome::Executed,
        };
        Self { outcome, sites, hit }
    }
}

/// How a probing run is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Timeout and output caps of the run.
    pub run: process::Limits,
    /// Kill the workload as soon as every region that has code was hit.
    pub end_early: bool,
    /// Count every site that is hit, not only the first of each region. Costs a trap (some 10 µs) per site instead of per region.
    pub every_site: bool,
}

/// What a probing run found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    /// One answer per region, in the order of the question.
    pub executions: Vec<Execution>,
    /// How the workload ended. Its usage contains the cost of probing.
    pub finished: Finished,
    /// True when it was killed because nothing was left to learn; `finished` then reports that kill.
    pub ended_early: bool,
}

#[cfg(test)]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    fn no_hit_is_told_apart_from_no_code() {
        assert_eq!(Execution::new(0, 0).outcome, Outcome::NoCode);
        assert_eq!(Execution::new(2, 0).outcome, Outcome::NotExecuted);
        assert_eq!(Execution::new(2, 1).outcome, Outcome::Executed);
    }
}
