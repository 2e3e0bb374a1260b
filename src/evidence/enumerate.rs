//! From executables to workloads: one per benchmark id, one per whole program, one per configured table.

use std::collections::BTreeMap;

use camino::Utf8Path;

use super::{Driven, EvidenceError, Program};
use crate::analysis::Skipped;
use crate::config::nearest::nearest;
use crate::config::{Program as Configured, WorkloadConfig};
use crate::measure::harness::{self, Found, Harness};
use crate::measure::{Workload, WorkloadKind};

/// Which workloads are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// `--workload`: ids, `*` stands for any text; empty: all.
    pub ids: Vec<String>,
    /// `-- ARGS` of the binary that `--bin` names.
    pub args: Vec<String>,
    /// Configured workloads per package name.
    pub configured: BTreeMap<String, Vec<WorkloadConfig>>,
    /// `--timeout`, milliseconds.
    pub timeout_ms: Option<u64>,
}

/// What was found in a side's executables.
#[derive(Debug, Clone, Default)]
pub struct Enumerated {
    /// Workloads in the order of the targets.
    pub workloads: Vec<Driven>,
    /// Executables that gave none, and why.
    pub skipped: Vec<Skipped>,
}

/// Lists the workloads of a side. `root` is the root of its tree; `scratch` is an empty directory.
pub fn enumerate(
    programs: &[Program],
    root: &Utf8Path,
    filter: &Filter,
    scratch: &Utf8Path,
) -> Result<Enumerated, EvidenceError> {
    let mut found = Enumerated::default();
    for program in programs {
        if let Err(error) = of_program(program, root, filter, scratch, &mut found) {
            if !error.is_workload_failure() {
                return Err(error.into());
            }
            found.skipped.push(Skipped { name: program.target.clone(), reason: error.to_string(), remedy: None });
        }
    }
    make_unique(&mut found.workloads);
    select(&mut found, &filter.ids)?;
    Ok(found)
}

fn of_program(
    program: &Program,
    root: &Utf8Path,
    filter: &Filter,
    scratch: &Utf8Path,
    found: &mut Enumerated,
) -> Result<(), harness::HarnessError> {
    let base = Workload {
        id: program.target.clone(),
        harness_id: program.target.clone(),
        package: program.package.clone(),
        package_dir: program.package_dir.clone(),
        target: program.target.clone(),
        kind: program.kind,
        args: Vec::new(),
        datasets: Vec::new(),
        timeout_ms: filter.timeout_ms,
    };
    let package_dir = program.package_dir.as_std_path();
    if let Some((harness, listed)) = harness::list(program.kind, &program.side(root), package_dir, scratch.as_std_path())? {
        if listed.found.is_empty() {
            found.skipped.push(Skipped { name: program.target.clone(), reason: "it has no benchmark".into(), remedy: None });
        }
        for one in listed.found {
            match one {
                Found::Id(id) => {
                    let workload = Workload { id: id.clone(), harness_id: id, ..base.clone() };
                    found.workloads.push(Driven { workload, harness });
                }
                Found::Left { id, reason } => {
                    let name = format!("{id} ({})", program.target);
                    found.skipped.push(Skipped { name, reason, remedy: None });
                }
            }
        }
        return Ok(());
    }
    let configured = filter.configured.get(&program.package).map(Vec::as_slice).unwrap_or_default();
    let mut any = false;
    for table in configured.iter().filter(|table| runs(table, program)) {
        any = true;
        let workload = Workload {
            id: table.name.clone(),
            args: table.args.clone(),
            datasets: table.datasets.clone(),
            timeout_ms: filter.timeout_ms.or_else(|| table.timeout.map(|time| time.as_millis() as u64)),
            ..base.clone()
        };
        found.workloads.push(Driven { workload, harness: Harness::Process });
    }
    if !any {
        let args = if program.kind == WorkloadKind::Binary { filter.args.clone() } else { Vec::new() };
        found.workloads.push(Driven { workload: Workload { args, ..base }, harness: Harness::Process });
    }
    Ok(())
}

fn runs(table: &WorkloadConfig, program: &Program) -> bool {
    match &table.program {
        Configured::Bin(name) => program.kind == WorkloadKind::Binary && *name == program.target,
        Configured::Bench(name) => program.kind != WorkloadKind::Binary && *name == program.target,
        Configured::Command(_) => false,
    }
}

/// Two benches of a workspace may share an id; then both carry their package and target.
fn make_unique(workloads: &mut [Driven]) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for driven in workloads.iter() {
        *seen.entry(driven.workload.id.clone()).or_default() += 1;
    }
    for Driven { workload, .. } in workloads {
        if seen.get(&workload.id).is_some_and(|&count| count > 1) {
            workload.id = format!("{}/{}::{}", workload.package, workload.target, workload.id);
        }
    }
}

fn select(found: &mut Enumerated, wanted: &[String]) -> Result<(), EvidenceError> {
    if wanted.is_empty() {
        return Ok(());
    }
    for pattern in wanted {
        if !found.workloads.iter().any(|driven| matches(pattern, &driven.workload.id)) {
            let nearest = nearest(pattern, found.workloads.iter().map(|driven| driven.workload.id.as_str()));
            return Err(EvidenceError::UnknownWorkload { name: pattern.clone(), nearest: nearest.map(str::to_owned) });
        }
    }
    found.workloads.retain(|driven| wanted.iter().any(|pattern| matches(pattern, &driven.workload.id)));
    Ok(())
}

/// `*` stands for any text, everything else for itself.
pub(super) fn matches(pattern: &str, id: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| id.strip_prefix(first)) else { return false };
    let mut last = "";
    let mut star = false;
    for part in parts {
        star = true;
        last = part;
        let Some(at) = rest.find(part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.is_empty() || (star && (last.is_empty() || id.ends_with(last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(matches("parse/*", "parse/large"));
        assert!(matches("*large", "parse/large/x-large"));
        assert!(matches("parse/large", "parse/large"));
        assert!(!matches("parse", "parse/large"));
        assert!(!matches("parse/*/x", "parse/large"));
    }
}
