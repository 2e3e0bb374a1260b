//! From the plan to jobs: three executables per workload, at paths of equal length, so that their processes start alike.

use std::collections::HashMap;

use camino::Utf8Path;

use super::{Base, Scratch};
use crate::error::Result;
use crate::evidence::{Evidence, Filter, Program};
use crate::join::{Plan, Reach};
use crate::measure::harness::Throughput;
use crate::measure::{Job, Side, Statistic};

/// The jobs of a run, and what could not become one.
pub(crate) struct Jobs {
    /// In the order of the plan.
    pub(crate) jobs: Vec<Job>,
    /// Workload and reason.
    pub(crate) left_out: Vec<(String, String)>,
}

/// Makes the jobs. `head_root` is the top of head's tree.
pub(crate) fn jobs(
    plan: &Plan,
    reaches: &HashMap<String, Reach>,
    base: &Base,
    head: &Evidence,
    head_root: &Utf8Path,
    scratch: &Scratch,
    filter: &Filter,
) -> Result<Jobs> {
    let mut made = Jobs { jobs: Vec::new(), left_out: Vec::new() };
    let mut copies = Copies { scratch, known: HashMap::new() };
    let planned = plan.gating.iter().map(|id| (id, true)).chain(plan.controls.iter().map(|id| (id, false)));
    for (id, gating) in planned {
        let (Some(at_base), Some(at_head)) = (base.evidence.of(id), head.of(id)) else { continue };
        let programs = (base.evidence.program_of(&at_base.workload), head.program_of(&at_head.workload));
        let (Some(base_program), Some(head_program)) = programs else { continue };
        let Some(calibration) = &at_base.calibration else {
            let pending =
                if at_base.pending { "not measured: the time limit came first" } else { "it was not calibrated at base" };
            let why = at_base.problem.clone().unwrap_or_else(|| pending.into());
            made.left_out.push((id.clone(), why));
            continue;
        };
        made.jobs.push(Job {
            workload: at_head.workload.clone(),
            base: copies.side(base_program, &base.root, "base")?,
            head: copies.side(head_program, head_root, "head")?,
            control: copies.side(base_program, &base.root, "copy")?,
            clock: calibration.clock.clone(),
            statistic: calibration.noise.as_ref().map_or(Statistic::Median, |noise| noise.statistic),
            priority: reaches.get(id).map_or(0.0, Reach::priority),
            gating,
            work: filter.work(&at_head.workload).map(|work| Throughput { amount: work.amount as f64, unit: work.unit.into() }),
            objectives: filter.objectives(&at_head.workload),
            round_cost: calibration.noise.as_ref().map(|noise| noise.cost(1)),
        });
    }
    Ok(made)
}

struct Copies<'a> {
    scratch: &'a Scratch,
    known: HashMap<(String, String, String), Side>,
}

impl Copies<'_> {
    fn side(&mut self, program: &Program, root: &Utf8Path, role: &str) -> Result<Side> {
        let key = (program.package.clone(), program.executable.to_string(), role.to_owned());
        if let Some(side) = self.known.get(&key) {
            return Ok(side.clone());
        }
        let number = self.known.len() / 3;
        let dir = self.scratch.path().join(format!("run-{number}")).join(role);
        fs_err::create_dir_all(&dir)?;
        // The same name on both sides: cargo's hash in it differs where the sides differ.
        let executable = dir.join(&program.target);
        fs_err::copy(&program.executable, &executable)?;
        let side = Program { executable, ..program.clone() }.side(root);
        self.known.insert(key, side.clone());
        Ok(side)
    }
}
