//! What a workload's memory goes through, in words, the same for every page.

use super::names::readable;
use crate::analysis::{AllocatedResult, FaultsResult, GrowthResult, MemoryOwner, MemoryResult, WorkloadResult};
use crate::figures;

/// What memory does. Growth first: it is the only one that nobody asks for.
pub(super) fn lines(workload: &WorkloadResult) -> Vec<String> {
    let Some(memory) = &workload.memory else { return Vec::new() };
    let MemoryResult { faults, allocated, growth } = memory;
    let lines = [growth.as_ref().map(grown), faults.as_ref().map(faulted), allocated.as_ref().map(asked)];
    lines.into_iter().flatten().collect()
}

/// What a reader of a comparison would not expect.
pub(super) fn notable(workload: &WorkloadResult) -> Option<String> {
    workload.memory.as_ref()?.growth.as_ref().map(|growth| format!("memory {}", grown(growth)))
}

fn grown(growth: &GrowthResult) -> String {
    let rate = figures::quantity_with_interval((growth.rate, growth.low, growth.high), "B/s");
    let time = figures::quantity(growth.seconds * 1e9, "ns");
    if !growth.steady {
        let held = figures::quantity(growth.held as f64, "bytes");
        return format!("grows until its end, by {rate} over {time}, to {held}{}{}", before(growth), kept(growth));
    }
    let each =
        growth.per_iteration.map(|bytes| format!("; about {} per iteration (estimate)", figures::quantity(bytes, "bytes")));
    format!(
        "grows by {rate} over {time} of a workload that repeats itself: a leak, a cache without a bound, or what the \
         benchmark itself keeps{}{}{}",
        each.unwrap_or_default(),
        before(growth),
        kept(growth)
    )
}

fn before(growth: &GrowthResult) -> &'static str {
    match growth.at_base {
        Some(true) => "; it does at base, too",
        Some(false) => "; at base no growth was seen",
        None => "",
    }
}

fn kept(growth: &GrowthResult) -> String {
    let named: Vec<String> = growth.owners.iter().map(named).collect();
    if named.is_empty() { String::new() } else { format!("; not given back (sampled): {}", named.join(", ")) }
}

fn faulted(faults: &FaultsResult) -> String {
    let rate = format!("{} page faults, {} per CPU second", rounded(faults.count), rounded(faults.per_cpu_second));
    match holders(&faults.owners) {
        Some(holders) => format!("{rate}: {holders}"),
        None => format!("{rate}, no function of the workspace holds {} of them", figures::share(0.1)),
    }
}

fn asked(allocated: &AllocatedResult) -> String {
    let bytes = figures::quantity(allocated.bytes as f64, "bytes");
    let calls = holders(&allocated.callers).map(|callers| format!("; of the calls {callers}")).unwrap_or_default();
    let whole = format!("{bytes} in {} allocations of a run", rounded(allocated.calls as f64));
    match holders(&allocated.owners) {
        Some(holders) => format!("{whole}: of the bytes {holders}{calls} (sampled)"),
        None => format!("{whole}, no function of the workspace asks for {} of the bytes (sampled)", figures::share(0.1)),
    }
}

fn holders(owners: &[MemoryOwner]) -> Option<String> {
    let named: Vec<String> = owners.iter().map(named).collect();
    (!named.is_empty()).then(|| named.join(", "))
}

/// `88 % [84, 91] in grid::fresh (src/grid.rs:12)`.
fn named(owner: &MemoryOwner) -> String {
    let share = figures::share_with_interval(owner.share, owner.low, owner.high);
    let line = owner.line.map(|line| format!(":{line}")).unwrap_or_default();
    let place = owner.file.as_ref().map(|file| format!(" ({file}{line})")).unwrap_or_default();
    format!("{share} in {}{place}", readable(&owner.item))
}

fn rounded(count: f64) -> String {
    figures::quantity(count.round(), "count")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::workload;

    fn owner(share: f64) -> MemoryOwner {
        MemoryOwner {
            item: "grid::fresh".into(),
            file: Some("src/grid.rs".into()),
            line: Some(12),
            share,
            low: share - 0.04,
            high: share + 0.03,
            stack: Vec::new(),
        }
    }

    fn with(memory: MemoryResult) -> WorkloadResult {
        WorkloadResult { memory: Some(memory), ..workload("grid") }
    }

    #[test]
    fn faults_and_allocations_name_their_owners() {
        let faults = FaultsResult { count: 120_000.0, per_cpu_second: 95_000.0, samples: 300, owners: vec![owner(0.88)] };
        let mut allocated =
            AllocatedResult { bytes: 3 << 30, calls: 1000, samples: 300, owners: vec![owner(0.71)], callers: Vec::new() };
        let both = MemoryResult { faults: Some(faults), allocated: Some(allocated.clone()), growth: None };
        assert_eq!(
            lines(&with(both)),
            [
                "120000 page faults, 95000 per CPU second: 88 % [84, 91] in grid::fresh (src/grid.rs:12)",
                "3.000 GiB in 1000 allocations of a run: of the bytes 71 % [67, 74] in grid::fresh (src/grid.rs:12) (sampled)"
            ]
        );
        allocated.owners.clear();
        let nobody = MemoryResult { allocated: Some(allocated), ..MemoryResult::default() };
        assert!(lines(&with(nobody))[0].contains("no function of the workspace"));
    }

    #[test]
    fn only_what_repeats_itself_may_leak() {
        let mut growth = GrowthResult {
            rate: 3_250_586.0,
            low: 2_936_013.0,
            high: 3_565_158.0,
            seconds: 4.0,
            held: 40 << 20,
            steady: true,
            at_base: Some(false),
            per_iteration: Some(120.0),
            owners: vec![owner(0.97)],
        };
        let line = |growth: &GrowthResult| {
            notable(&with(MemoryResult { growth: Some(growth.clone()), ..MemoryResult::default() })).unwrap()
        };
        let leak = line(&growth);
        for part in [
            "3.100 MiB/s [2.800 MiB/s, 3.400 MiB/s]",
            "a leak, a cache without a bound",
            "120 B per iteration (estimate); at base no growth was seen",
            "97 % [93, 100] in grid::fresh",
        ] {
            assert!(leak.contains(part), "{part}: {leak}");
        }
        growth.steady = false;
        let program = line(&growth);
        assert!(program.starts_with("memory grows until its end") && !program.contains("leak"), "{program}");
    }
}
