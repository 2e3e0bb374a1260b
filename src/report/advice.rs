//! Causes by name in words, the same for every page. Each gain is called an estimate.

use crate::analysis::{ALL_THREADS, Analysis, CauseResult, WorkloadResult};
use crate::figures;
use crate::report::names::readable;

/// Parts of a share below this are not told apart.
const TOLD: f64 = 0.01;

/// A cause of a workload, and in how many others the same owner shows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Advice<'a> {
    pub(super) workload: &'a WorkloadResult,
    pub(super) cause: &'a CauseResult,
    pub(super) elsewhere: usize,
}

/// What the noise of this machine keeps from being told, a line; `None` where that is nothing.
pub(super) fn silenced(analysis: &Analysis) -> Option<String> {
    let all: Vec<_> = analysis.workloads.iter().filter_map(|workload| Some((workload, workload.silenced?))).collect();
    let (workload, silenced) = all.iter().max_by(|a, b| a.1.threshold.total_cmp(&b.1.threshold))?;
    let more = match all.len() - 1 {
        0 => String::new(),
        n => format!("; so it is, with lower thresholds, in {}", figures::counted(n, "more workload")),
    };
    let (count, threshold) = (figures::counted(silenced.count as usize, "cause"), figures::share(silenced.threshold));
    Some(format!(
        "not told: {count} of `{}` below {threshold} of its time, twice the change that would show there{more}",
        workload.id
    ))
}

/// What would help most for its effort, over all workloads; one entry per cause and owner, in the workload where it holds most.
pub(super) fn advice(analysis: &Analysis) -> Vec<Advice<'_>> {
    let mut all: Vec<Advice<'_>> = Vec::new();
    for workload in &analysis.workloads {
        for cause in &workload.causes {
            let same = |known: &&mut Advice<'_>| known.cause.id == cause.id && owner_of(known.cause) == owner_of(cause);
            match all.iter_mut().find(same) {
                Some(known) => {
                    let elsewhere = known.elsewhere + 1;
                    let best = if cause.share > known.cause.share { (workload, cause) } else { (known.workload, known.cause) };
                    *known = Advice { workload: best.0, cause: best.1, elsewhere };
                }
                None => all.push(Advice { workload, cause, elsewhere: 0 }),
            }
        }
    }
    all.sort_by(|a, b| rank(b.cause).total_cmp(&rank(a.cause)));
    all
}

fn owner_of(cause: &CauseResult) -> Option<&str> {
    cause.owner().map(|owner| owner.item.as_str())
}

/// Time that a fix is expected to save, over its effort.
fn rank(cause: &CauseResult) -> f64 {
    let effort = match cause.effort.as_str() {
        "S" => 1.0,
        "M" => 2.0,
        _ => 4.0,
    };
    (1.0 - 1.0 / f64::midpoint(cause.expected.low, cause.expected.high)) / effort
}

impl Advice<'_> {
    /// What it is, whose, and how much of which workload: "S05 … holds 41 % [38, 44] of the work time of …".
    pub(super) fn headline(&self) -> String {
        let cause = self.cause;
        let owners = match cause.owners.as_slice() {
            [] => "it holds".to_owned(),
            [one] => format!("`{}` ({}:{}) holds", one.item, one.file, one.line),
            [one, more @ ..] => format!("`{}` ({}:{}) and {} more hold", one.item, one.file, one.line, more.len()),
        };
        let share = figures::share_with_interval(cause.share, cause.low, cause.high);
        let others = if cause.functions.len() > 1 { " and others" } else { "" };
        let within = cause.functions.first().map(|function| format!(" in `{}`{others}", readable(function))).unwrap_or_default();
        let elsewhere = match self.elsewhere {
            0 => String::new(),
            n => format!("; the same in {}", figures::counted(n, "more workload")),
        };
        let (title, of) = (&cause.title, &cause.of);
        format!("{title}: {owners} {share} of the {of} of `{}`{}{within}{elsewhere}", self.workload.id, self.parts())
    }

    /// What of the share is not running user code: ` (waiting 30 %, …)`; nothing where all is.
    fn parts(&self) -> String {
        let (waited, kernel) = (self.cause.waited, self.cause.kernel);
        let all = figures::share(waited) == figures::share(self.cause.share);
        let waiting = || if all { "waiting".to_owned() } else { format!("waiting {}", figures::share(waited)) };
        let waited = (waited >= TOLD).then(waiting);
        let kernel = (kernel >= TOLD).then(|| format!("in the kernel {}, an estimate", figures::share(kernel)));
        let told: Vec<String> = waited.into_iter().chain(kernel).collect();
        if told.is_empty() { String::new() } else { format!(" ({})", told.join(", ")) }
    }

    /// What is done there, where the cause says only where: `inside of it, S22 … holds 16 % [14, 19]: group commit`.
    pub(super) fn inner(&self) -> Option<String> {
        let inner = self.cause.inner.as_ref()?;
        let share = figures::share_with_interval(inner.share, inner.low, inner.high);
        Some(format!("inside of it, {} {} holds {share} of the {}: {}", inner.id, inner.title, self.cause.of, inner.fix))
    }

    /// `fix: … (effort S); estimate 1.23x-1.54x (1.79x without all of this share)`.
    pub(super) fn remedy(&self) -> String {
        let fix = self.cause.fixes.first().map(String::as_str).unwrap_or_default();
        format!("fix: {fix} (effort {}); {}", self.cause.effort, self.gain())
    }

    /// `estimate 1.23x-1.54x (1.79x without all of this share)`.
    pub(super) fn gain(&self) -> String {
        let cause = self.cause;
        let (low, high) = (figures::factor(cause.expected.low), figures::factor(cause.expected.high));
        // Not a bound: what a fix takes away may stand outside of the calls that gave the cause away.
        let all =
            cause.max_speedup.map_or_else(String::new, |all| format!(" ({} without all of this share)", figures::factor(all)));
        let of = if self.is_of_all_threads() { " of the work, of the time only where nothing else holds it up" } else { "" };
        format!("estimate {low}-{high}{all}{of}")
    }

    /// True where less work is not yet less time.
    pub(super) fn is_of_all_threads(&self) -> bool {
        self.cause.of == ALL_THREADS
    }

    /// The stack from the leaf to the owner's caller: `a < b < c`; `None` where there is none.
    pub(super) fn stack(&self) -> Option<String> {
        let names: Vec<String> = self.cause.stack.iter().map(|frame| readable(&frame.function)).collect();
        (!names.is_empty()).then(|| names.join(" < "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Command, InnerCause, SilencedCauses};
    use crate::report::samples::{analysis, cause, workload};

    #[test]
    fn the_same_cause_of_one_owner_is_told_once_where_it_holds_most() {
        let of = |item: &str, share| cause(item, (share, share - 0.03, share + 0.03));
        let small = WorkloadResult { causes: vec![of("a::x", 0.2)], ..workload("small") };
        let large = WorkloadResult { causes: vec![of("a::x", 0.5), of("a::y", 0.3)], ..workload("large") };
        let analysis = Analysis { workloads: vec![small, large], ..analysis(Command::Verify) };
        let told: Vec<String> = advice(&analysis).iter().map(Advice::headline).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("`a::x`") && told[0].contains("50 %") && told[0].contains("of `large`"), "{}", told[0]);
        assert!(told[0].ends_with("the same in 1 more workload") && told[1].contains("`a::y`"), "{told:?}");
    }

    #[test]
    fn a_gain_is_called_an_estimate_and_a_large_effort_comes_later() {
        let mut dear = cause("a::dear", (0.5, 0.47, 0.53));
        dear.effort = "L".into();
        let causes = vec![dear, cause("a::cheap", (0.4, 0.37, 0.43))];
        let analysis = Analysis { workloads: vec![WorkloadResult { causes, ..workload("w") }], ..analysis(Command::Baseline) };
        let all = advice(&analysis);
        assert!(all[0].headline().contains("a::cheap"), "{}", all[0].headline());
        assert!(all.iter().all(|one| one.gain().starts_with("estimate ")), "{}", all[0].gain());
    }

    #[test]
    fn what_is_done_there_and_what_the_noise_silences_are_told() {
        let inner = InnerCause {
            id: "S22".into(),
            name: "durability-per-record".into(),
            title: "waiting for fsync".into(),
            share: 0.16,
            low: 0.14,
            high: 0.19,
            fix: "group commit".into(),
        };
        let place = CauseResult { inner: Some(inner), waited: 0.41, ..cause("a::x", (0.41, 0.38, 0.44)) };
        let quiet = |id, threshold| WorkloadResult { silenced: Some(SilencedCauses { count: 2, threshold }), ..workload(id) };
        let workloads = vec![WorkloadResult { causes: vec![place], ..workload("w") }, quiet("a", 0.08), quiet("b", 0.12)];
        let analysis = Analysis { workloads, ..analysis(Command::Baseline) };
        let all = advice(&analysis);
        let told = all[0].inner().unwrap();
        assert_eq!(told, "inside of it, S22 waiting for fsync holds 16 % [14, 19] of the work time: group commit");
        assert!(all[0].headline().contains("of `w` (waiting) in "), "the share is not said again: {}", all[0].headline());
        let said = silenced(&analysis).unwrap();
        let first = "not told: 2 causes of `b` below 12 % of its time, twice the change that would show there";
        assert!(said.starts_with(first) && said.ends_with("in 1 more workload"), "{said}");
    }

    #[test]
    fn what_is_not_running_is_told_apart() {
        let waits = CauseResult { waited: 0.3, kernel: 0.1, ..cause("a::x", (0.41, 0.38, 0.44)) };
        let workloads = vec![WorkloadResult { causes: vec![waits], ..workload("w") }];
        let analysis = Analysis { workloads, ..analysis(Command::Baseline) };
        let told = advice(&analysis)[0].headline();
        assert!(told.contains("of `w` (waiting 30 %, in the kernel 10 %, an estimate) in "), "{told}");
    }
}
