//! Objectives in words: the target, the gap, and what can be said.

use crate::analysis::{Analysis, Command, SloResult, WorkloadResult};
use crate::figures;
use crate::verdict::is_slo_violation;

/// What can be said of an objective, the most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// Base met it, head violates it, and the change accounts for that.
    Broken,
    /// Head (of a baseline: base) violates it.
    Violated,
    /// The interval holds the target.
    Untold,
    /// It is kept.
    Met,
    /// There is no number.
    NotMeasured,
}

/// An objective where it belongs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Objective<'a> {
    pub(super) workload: &'a WorkloadResult,
    pub(super) slo: &'a SloResult,
    pub(super) standing: Standing,
    one_side: bool,
}

/// Every objective of an analysis, the most important first.
pub(super) fn objectives(analysis: &Analysis) -> Vec<Objective<'_>> {
    let all = analysis.workloads.iter().flat_map(|workload| workload.slo.iter().map(move |slo| (workload, slo)));
    let one_side = analysis.command == Command::Baseline;
    let mut found: Vec<Objective<'_>> = all
        .map(|(workload, slo)| {
            let broken = is_slo_violation(slo, workload, &analysis.changes);
            Objective { workload, slo, standing: if broken { Standing::Broken } else { standing(slo, one_side) }, one_side }
        })
        .collect();
    found.sort_by_key(|objective| objective.standing);
    found
}

fn standing(slo: &SloResult, one_side: bool) -> Standing {
    let (value, met) = if one_side { (slo.base, slo.met_at_base) } else { (slo.head, slo.met_at_head) };
    match (value, met) {
        (None, _) => Standing::NotMeasured,
        (_, None) => Standing::Untold,
        (_, Some(true)) => Standing::Met,
        (_, Some(false)) => Standing::Violated,
    }
}

impl Objective<'_> {
    /// `at most 20ms`.
    pub(super) fn target(&self) -> String {
        format!("{} {}", if self.slo.at_least { "at least" } else { "at most" }, self.slo.written)
    }

    /// `23.10 ms [23.00 ms, 23.30 ms]`; `None` when not measured.
    pub(super) fn value(&self) -> Option<String> {
        let slo = self.slo;
        if self.one_side {
            return slo.base.map(|base| figures::quantity(base, &slo.unit));
        }
        Some(figures::quantity_with_interval((slo.head?, slo.low?, slo.high?), &slo.unit))
    }

    /// The same of base.
    pub(super) fn base(&self) -> Option<String> {
        let slo = self.slo;
        Some(figures::quantity_with_interval((slo.base?, slo.base_low?, slo.base_high?), &slo.unit))
    }

    /// `3.100 ms over` or `none: 1.900 ms to spare`.
    pub(super) fn gap(&self) -> Option<String> {
        let value = if self.one_side { self.slo.base } else { self.slo.head }?;
        let over = if self.slo.at_least { self.slo.target - value } else { value - self.slo.target };
        let distance = figures::quantity(over.abs(), &self.slo.unit);
        Some(match (over > 0.0, self.slo.at_least) {
            (true, false) => format!("{distance} over"),
            (true, true) => format!("{distance} short"),
            (false, _) => format!("none, {distance} to spare"),
        })
    }

    /// What can be said, in words.
    pub(super) fn verdict(&self) -> String {
        let slo = self.slo;
        let reason = slo.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        match self.standing {
            Standing::Broken => {
                let by = self.workload.explained_by.first().map(|item| format!(" by `{item}`")).unwrap_or_default();
                format!("violated{by}; base met it")
            }
            Standing::Violated if slo.met_at_base == Some(true) && !self.one_side => format!("violated, base met it{reason}"),
            Standing::Violated if slo.met_at_base == Some(false) && !self.one_side => "violated, as at base".into(),
            Standing::Violated => format!("violated{reason}"),
            Standing::Untold => format!("not decided{reason}"),
            Standing::NotMeasured => format!("not measured{reason}"),
            Standing::Met => "met".into(),
        }
    }

    /// `latency.p50 at most 20ms: 23.10 ms [23.00 ms, 23.30 ms], violated by …`, for one line.
    pub(super) fn line(&self) -> String {
        let value = self.value().map(|value| format!("{value}, ")).unwrap_or_default();
        let clock = self.slo.clock.as_ref().map(|clock| format!(" ({clock} clock)")).unwrap_or_default();
        format!("{} {}{clock}: {value}{}", self.slo.metric, self.target(), self.verdict())
    }
}
