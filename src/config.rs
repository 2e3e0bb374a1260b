//! The `[workspace.metadata.perf-expert]` and `[package.metadata.perf-expert]` tables, and the `PERF_EXPERT_*` variables.
//!
//! Takes values, returns values: does not read manifests (`workspace` gets the tables from cargo) and knows no command line.

mod environment;
mod error;
pub mod nearest;
mod reader;
mod rules;
pub mod slo;
mod targets;
mod throughput;
pub mod units;
mod workload;

use std::time::Duration;

pub use environment::from_environment;
pub use error::ConfigError;
pub use rules::{Allow, Level, RulePatch};
pub use slo::Slo;
pub use targets::known_targets;
pub use throughput::Work;
pub use workload::{Program, WorkloadConfig};

use reader::{Table, Value};

pub use crate::sample::EngineWish;
pub use crate::verdict::{FailOn, OnInconclusive};

/// One layer of configuration; `None` leaves the word to the layer below.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// Configured workloads.
    pub workloads: Vec<WorkloadConfig>,
    /// Practical margin δ, a fraction (0.02 = 2 %).
    pub margin: Option<f64>,
    /// Sampling rate, Hz.
    pub frequency: Option<u32>,
    /// What samples.
    pub engine: Option<EngineWish>,
    /// How long each workload is profiled.
    pub profile_time: Option<Duration>,
    /// What fails the verdict.
    pub fail_on: Option<Vec<FailOn>>,
    /// What an inconclusive run does.
    pub on_inconclusive: Option<OnInconclusive>,
    /// Bound on the time spent measuring.
    pub max_time: Option<Duration>,
    /// Levels of rules, in the order written.
    pub rules: Vec<RulePatch>,
    /// Findings that are accepted, each with its reason.
    pub allow: Vec<Allow>,
}

impl Config {
    /// Reads the `perf-expert` table out of a manifest's metadata (as cargo hands it over). `table` is how the reader of an
    /// error finds it (`package.metadata`), `manifest` the file it stands in.
    ///
    /// # Errors
    /// Unknown keys and values of the wrong type, with the path of the key, the file and the nearest known key.
    pub fn from_metadata(metadata: &serde_json::Value, table: &str, manifest: &str) -> Result<Self, ConfigError> {
        let Some(value) = metadata.get("perf-expert") else { return Ok(Self::default()) };
        Self::read(value, table).map_err(|problem| problem.in_file(manifest))
    }

    fn read(value: &serde_json::Value, table: &str) -> Result<Self, reader::Problem> {
        let mut table = Value::new(format!("{table}.perf-expert"), value).table()?;
        let config = Self {
            workloads: table.list("workload", WorkloadConfig::read)?,
            margin: table.optional("margin", |value| value.fraction())?,
            frequency: table.optional("frequency", |value| value.frequency())?,
            engine: table.optional("engine", |value| value.one_of(&EngineWish::NAMES))?,
            profile_time: table.optional("profile-time", |value| value.duration())?,
            fail_on: table.optional("fail-on", read_fail_on)?,
            on_inconclusive: table.optional("on-inconclusive", |value| value.one_of(&ON_INCONCLUSIVE))?,
            max_time: table.optional("max-time", |value| value.duration())?,
            rules: table.optional("rules", rules::read_levels)?.unwrap_or_default(),
            allow: table.list("allow", Allow::read)?,
        };
        table.finish()?;
        Ok(config)
    }

    /// This layer over a weaker one: scalars replace, lists come one after the other (the weaker first).
    #[must_use]
    pub fn over(mut self, mut weaker: Self) -> Self {
        weaker.workloads.append(&mut self.workloads);
        weaker.rules.append(&mut self.rules);
        weaker.allow.append(&mut self.allow);
        Self {
            workloads: weaker.workloads,
            margin: self.margin.or(weaker.margin),
            frequency: self.frequency.or(weaker.frequency),
            engine: self.engine.or(weaker.engine),
            profile_time: self.profile_time.or(weaker.profile_time),
            fail_on: self.fail_on.or(weaker.fail_on),
            on_inconclusive: self.on_inconclusive.or(weaker.on_inconclusive),
            max_time: self.max_time.or(weaker.max_time),
            rules: weaker.rules,
            allow: weaker.allow,
        }
    }
}

pub(crate) const ON_INCONCLUSIVE: [(&str, OnInconclusive); 2] = [("pass", OnInconclusive::Pass), ("fail", OnInconclusive::Fail)];

fn read_fail_on(value: Value<'_>) -> Result<Vec<FailOn>, reader::Problem> {
    if value.is_list() {
        return value.list()?.into_iter().map(|value| value.one_of(&FailOn::NAMES)).collect();
    }
    Ok(vec![value.one_of(&FailOn::NAMES)?])
}

impl WorkloadConfig {
    fn read(value: Value<'_>) -> Result<Self, reader::Problem> {
        let mut table: Table<'_> = value.table()?;
        let workload = workload::read(&mut table)?;
        table.finish()?;
        Ok(workload)
    }
}

#[cfg(test)]
mod tests;
