//! Instruction counts of both sides: one run each, because a count repeats to the last digit.

use std::collections::BTreeMap;

use super::measure::Found;
use crate::commands::context::TIMEOUT;
use crate::error::Result;
use crate::measure::{LiveRunner, Side, Workload, WorkloadKind};
use crate::shell::Shell;
use crate::sides::{Head, Scratch};

/// Counts what is not timed and may differ; what cannot be counted gets its reason.
pub(super) fn count(
    found: &mut Found<'_>,
    head: &Head,
    is_same: &dyn Fn(&str, &str) -> bool,
    scratch: &Scratch,
    shell: &mut Shell,
) -> Result<()> {
    let counts = |workload: &Workload| workload.kind == WorkloadKind::Gungraun && !is_same(&workload.package, &workload.target);
    let open: Vec<(Workload, Side, Side)> = found
        .survey
        .evidence
        .workloads
        .iter()
        .map(|evidence| &evidence.workload)
        .filter(|workload| counts(workload) && !found.measured.contains_key(&workload.id))
        .filter_map(|workload| {
            let base = found.base.evidence.program_of(workload)?.side(&found.base.root);
            let head = found.survey.evidence.program_of(workload)?.side(head.root());
            Some((workload.clone(), base, head))
        })
        .collect();
    if open.is_empty() {
        return Ok(());
    }
    shell.status("Counting", format!("instructions of {}", crate::figures::counted(open.len(), "benchmark")));
    let mut runner = LiveRunner::new(None, scratch.path().as_std_path(), TIMEOUT);
    let mut counted = BTreeMap::new();
    for (workload, base, head) in open {
        let mut on = |side: &Side| runner.count(&workload, side);
        match on(&base).and_then(|base| Ok((base, on(&head)?))) {
            Ok(both) => {
                counted.insert(workload.id.clone(), both);
            }
            Err(error) if error.is_workload_failure() => {
                found.measured.insert(workload.id.clone(), Err(error.to_string()));
            }
            Err(error) => return Err(error.into()),
        }
    }
    found.counted = counted;
    Ok(())
}
