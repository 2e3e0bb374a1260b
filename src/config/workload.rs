//! `[[package.metadata.perf-expert.workload]]`: a program, its arguments, its data and what it must achieve.

use std::time::Duration;

use camino::Utf8PathBuf;

use super::reader::{Problem, Table, Value};
use super::slo::{self, Slo};
use super::throughput::{self, Work};

/// What a configured workload runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// A binary of the package.
    Bin(String),
    /// A bench target.
    Bench(String),
    /// Any program: an argv array, no shell.
    Command(Vec<String>),
}

/// One workload table.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkloadConfig {
    /// Name in reports.
    pub name: String,
    /// What runs.
    pub program: Program,
    /// Arguments after the program name.
    pub args: Vec<String>,
    /// Files that belong to the workload, relative to the package root.
    pub datasets: Vec<Utf8PathBuf>,
    /// After this time one run is killed.
    pub timeout: Option<Duration>,
    /// Work of one run or iteration; what a harness states itself comes first.
    pub throughput: Option<Work>,
    /// Objectives: base meets them, head must too.
    pub slo: Vec<Slo>,
}

pub(super) fn read(table: &mut Table<'_>) -> Result<WorkloadConfig, Problem> {
    let Some(name) = table.get("name") else { return Err(table.problem("a workload needs a `name`")) };
    let name = name.text()?.to_owned();
    let bin = table.optional("bin", |value| Ok(Program::Bin(value.text()?.to_owned())))?;
    let bench = table.optional("bench", |value| Ok(Program::Bench(value.text()?.to_owned())))?;
    let command = table.optional("command", read_command)?;
    let mut programs = [bin, bench, command].into_iter().flatten();
    let program = match (programs.next(), programs.next()) {
        (Some(program), None) => program,
        (None, _) => return Err(table.problem("a workload needs one of `bin`, `bench` and `command`")),
        (Some(_), Some(_)) => return Err(table.problem("a workload has only one of `bin`, `bench` and `command`")),
    };
    Ok(WorkloadConfig {
        name,
        program,
        args: table.optional("args", Value::arguments)?.unwrap_or_default(),
        datasets: table.list("datasets", |value| read_dataset(&value))?,
        timeout: table.optional("timeout", |value| value.duration())?,
        throughput: table.optional("throughput", throughput::read)?,
        slo: table.optional("slo", slo::read)?.unwrap_or_default(),
    })
}

fn read_command(value: Value<'_>) -> Result<Program, Problem> {
    if value.is_text() {
        return Err(value.problem("expected an array of words: no shell is involved"));
    }
    let empty = value.problem("expected a program and its arguments");
    let words = value.arguments()?;
    if words.first().is_none_or(|program| program.trim().is_empty()) { Err(empty) } else { Ok(Program::Command(words)) }
}

fn read_dataset(value: &Value<'_>) -> Result<Utf8PathBuf, Problem> {
    let path = Utf8PathBuf::from(value.text()?);
    if path.is_absolute() {
        return Err(value.problem("expected a path relative to the package"));
    }
    Ok(path)
}
