//! Hand-made results for the tests of the rooms that judge and render.

use std::collections::BTreeMap;

use crate::analysis::*;
use crate::source::ChangeKind;

/// An empty `verify`.
pub(crate) fn analysis(command: Command) -> Analysis {
    Analysis {
        schema_version: SCHEMA_VERSION,
        tool: Tool { name: "cargo-perf-expert".into(), version: "0.1.0".into() },
        command,
        created: "2026-03-01T12:00:00Z".into(),
        verdict: Verdict::Pass,
        reasons: Vec::new(),
        exit_code: 0,
        base: (command != Command::Baseline).then(|| BaseSide {
            commit: "3f2c1aa0d1e2f3a4b5c6d7e8f90123456789abcd".into(),
            chosen_by: "merge-base with origin/main".into(),
            evidence: "baseline `default`, 2 h old".into(),
        }),
        head: HeadSide { commit: Some("9b8a7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b".into()), dirty: false },
        environment: Environment {
            rustc: Some("rustc 1.95.0 (59807616e 2026-04-14)".into()),
            target: Some("x86_64-unknown-linux-gnu".into()),
            profile: Some("bench".into()),
            cpu: Some("AMD EPYC 7B13".into()),
            cpus: 2,
            engine: "perf_event".into(),
            warnings: Vec::new(),
            contention: None,
        },
        workloads: Vec::new(),
        changes: Vec::new(),
        findings: Vec::new(),
        tests: Tests {
            status: TestStatus::Passed,
            packages: vec!["parse".into()],
            summary: "42 passed, 0 failed".into(),
            newly_failing: Vec::new(),
        },
        skipped: Vec::new(),
        next_steps: Vec::new(),
    }
}

/// A workload that nobody measured.
pub(crate) fn workload(id: &str) -> WorkloadResult {
    WorkloadResult {
        id: id.into(),
        package: "parse".into(),
        target: "speed".into(),
        kind: "criterion".into(),
        outcome: Outcome::NotMeasured,
        reason: None,
        explained: None,
        explained_by: Vec::new(),
        negative_control: false,
        broken: None,
        metrics: Vec::new(),
        slo: Vec::new(),
        smallest_detectable: None,
        spread: None,
        noise: false,
        unmeasured: BTreeMap::new(),
        clock: Some(ClockResult { clock: "cpu".into(), reason: "99 % of its wall time is CPU time".into() }),
        bottleneck: None,
        profile: None,
        hot_path: Vec::new(),
        causes: Vec::new(),
        silenced: None,
        owners: Vec::new(),
        growth: None,
        waiting: None,
        confirmation: None,
        witness: None,
        memory: None,
    }
}

/// `SipHash` under an item.
pub(crate) fn cause(item: &str, (share, low, high): (f64, f64, f64)) -> CauseResult {
    let entry = crate::diagnose::causes::find("S05").unwrap();
    let owner = |item: &str, share, low, high| CauseOwnerResult {
        item: item.into(),
        file: format!("src/{}.rs", item.split("::").nth(1).unwrap_or(item)),
        line: 40,
        share,
        low,
        high,
    };
    let frame = |function: &str, inlined| StackFrame { function: function.into(), file: None, line: Some(1), inlined };
    CauseResult {
        id: entry.id.clone(),
        name: entry.name.clone(),
        class: entry.class.name().into(),
        title: entry.title.clone(),
        why: entry.why.clone(),
        share,
        low,
        high,
        samples: 771,
        inner: None,
        of: "work time".into(),
        waited: 0.0,
        kernel: 0.0,
        threshold: 0.036,
        owners: vec![owner(item, share - 0.1, low - 0.1, high - 0.1), owner("parse::tree::push", 0.1, 0.08, 0.12)],
        functions: vec!["core::hash::sip::Hasher as core::hash::Hasher::write".into()],
        stack: vec![
            frame("core::hash::sip::Hasher as core::hash::Hasher::write", true),
            frame("hashbrown::map::make_hash", true),
            frame(item, false),
        ],
        fixes: entry.fixes.clone(),
        effort: "S".into(),
        sketch: entry.sketch_for(item.rsplit("::").next().unwrap_or(item)),
        expected: Estimate { low: 1.0 / (1.0 - low * 0.5), high: 1.0 / (1.0 - high * 0.8) },
        max_speedup: Some(1.0 / (1.0 - high)),
    }
}

/// An item that holds 41 % of the CPU samples.
pub(crate) fn owner(item: &str) -> OwnerResult {
    let frame = |function: &str, line| StackFrame {
        function: function.into(),
        file: Some("src/lexer.rs".into()),
        line: Some(line),
        inlined: false,
    };
    OwnerResult {
        item: item.into(),
        file: "src/lexer.rs".into(),
        line: 40,
        state: "running".into(),
        wait: None,
        of: "work time".into(),
        share: 0.41,
        low: 0.38,
        high: 0.44,
        samples: 820,
        stack: vec![frame("core::str::Chars as core::iter::Iterator::next", 97), frame(item, 44), frame("parse::parse", 12)],
        stack_share: Some(0.3),
        signature: None,
    }
}

/// A function that waits longer for `fsync`, one that waits less for a lock, and the kernel.
pub(crate) fn waiting(owner: &str, through: &str) -> WaitingGrowth {
    let time = |base: f64, difference: f64| MovedTime {
        base,
        head: base + difference,
        difference,
        low: difference - 400.0,
        high: difference + 400.0,
    };
    let place = WaitingPlace {
        wait: "durability".into(),
        function: Some("std::fs::File::sync_all".into()),
        owner: Some(owner.into()),
        file: Some("src/lexer.rs".into()),
        line: Some(40),
        side: "both".into(),
        time: time(0.0, 12_000.0),
        through: Some(through.into()),
        through_kind: Some(ChangeKind::Modified),
    };
    let unexplained = WaitingPlace {
        wait: "lock".into(),
        function: None,
        owner: None,
        file: None,
        line: None,
        time: time(5000.0, -2000.0),
        through: None,
        through_kind: None,
        ..place.clone()
    };
    WaitingGrowth {
        per: "iteration".into(),
        metric: Some("latency.p50".into()),
        pairs: 8,
        compared: 5,
        all: time(6000.0, 10_000.0),
        moved: true,
        kernel: Some(time(1000.0, 900.0)),
        places: vec![place, unexplained],
        note: None,
    }
}

/// 900 ns more in what `owner` calls, through `through`.
pub(crate) fn grown(owner: &str, through: &str) -> Growth {
    let place = GrownPlace {
        function: "core::slice::sort".into(),
        owner: Some(owner.into()),
        file: Some("src/lexer.rs".into()),
        line: Some(40),
        side: "head".into(),
        difference: 900.0,
        low: 700.0,
        high: 1100.0,
        base_share: 0.0,
        head_share: 0.07,
        moved: None,
        through: Some(through.into()),
        through_kind: Some(ChangeKind::Modified),
    };
    let unexplained = GrownPlace {
        function: "parse::tree::push".into(),
        owner: Some("parse::tree::push".into()),
        side: "both".into(),
        difference: -120.0,
        low: -160.0,
        high: -80.0,
        through: None,
        through_kind: None,
        ..place.clone()
    };
    Growth {
        metric: "latency.p50".into(),
        base: 12_314.0,
        head: 13_290.0,
        base_samples: 2000,
        head_samples: 2000,
        compared: 14,
        places: vec![place, unexplained],
        note: None,
    }
}

/// A workload measured on both sides: `base` nanoseconds and the interval of head / base.
pub(crate) fn measured(id: &str, outcome: Outcome, base: f64, interval: (f64, f64, f64)) -> WorkloadResult {
    let metric = MetricResult {
        name: "latency.p50".into(),
        unit: "ns".into(),
        clock: Some("cpu".into()),
        base: Some(base),
        head: Some(base * interval.0),
        ratio: Some(interval.0),
        low: Some(interval.1),
        high: Some(interval.2),
        rounds: 24,
        outcome,
        note: None,
    };
    WorkloadResult { outcome, metrics: vec![metric], smallest_detectable: Some(0.018), spread: Some(0.011), ..workload(id) }
}

/// A measured workload whose stacks hold the changed items `by`.
pub(crate) fn reached(id: &str, outcome: Outcome, base: f64, interval: (f64, f64, f64), by: &[&str]) -> WorkloadResult {
    let explained = matches!(outcome, Outcome::Faster | Outcome::Slower).then_some(true);
    let explained_by = by.iter().map(|&item| item.to_owned()).collect();
    WorkloadResult { explained, explained_by, ..measured(id, outcome, base, interval) }
}

/// An objective with the medians and the answers of both sides.
pub(crate) fn objective(metric: &str, written: &str, (base, head): (f64, f64), met: (Option<bool>, Option<bool>)) -> SloResult {
    let is_time = !metric.starts_with("memory");
    let read = if is_time {
        crate::config::units::duration(written).map(|time| time.as_nanos() as f64)
    } else {
        crate::config::units::size(written).map(|size| size as f64)
    };
    SloResult {
        metric: metric.into(),
        unit: if is_time { "ns" } else { "bytes" }.into(),
        clock: is_time.then(|| "cpu".into()),
        target: read.unwrap_or_default(),
        written: written.into(),
        at_least: false,
        base: Some(base),
        base_low: Some(base * 0.99),
        base_high: Some(base * 1.01),
        head: Some(head),
        low: Some(head * 0.99),
        high: Some(head * 1.01),
        met_at_base: met.0,
        met_at_head: met.1,
        explained: None,
        reason: None,
    }
}

/// A repetition over these ratios of links.
pub(crate) fn confirmation(links: &[f64], agreeing: u32, note: Option<&str>) -> ConfirmationResult {
    let layout_sd = (links.len() > 2).then_some(0.002);
    ConfirmationResult { screened: Some(1.081), links: links.to_vec(), agreeing, layout_sd, note: note.map(Into::into) }
}

/// Instructions of one changed item, and what they say.
pub(crate) fn witness(item: &str, (base, head): (u64, u64), conclusion: &str) -> WitnessResult {
    let count = |item: &str, base, head| CountResult {
        item: item.into(),
        base: Some(base),
        head: Some(head),
        ratio: Some(head as f64 / base as f64),
    };
    WitnessResult {
        counter: Some("callgrind".into()),
        conclusion: conclusion.into(),
        whole: Some(count("one iteration", base + 300, head + 300)),
        items: vec![count(item, base, head)],
    }
}

/// The peak memory of a workload.
/// A benchmark that counts instructions: at base and at head.
pub(crate) fn counted(id: &str, counts: (f64, f64)) -> WorkloadResult {
    crate::conclude::counted(&crate::measure::workload::sample(id, crate::measure::WorkloadKind::Gungraun), counts)
}

pub(crate) fn memory(base: f64, interval: (f64, f64, f64), outcome: Outcome) -> MetricResult {
    MetricResult {
        name: "memory.peak_rss".into(),
        unit: "bytes".into(),
        clock: None,
        base: Some(base),
        head: Some(base * interval.0),
        ratio: Some(interval.0),
        low: Some(interval.1),
        high: Some(interval.2),
        rounds: 24,
        outcome,
        note: None,
    }
}

/// A profile of good quality.
pub(crate) fn profile() -> ProfileResult {
    ProfileResult {
        samples: 1880,
        frequency: 999,
        lost: 0,
        coverage: Some(0.98),
        truncated: 0.001,
        path: Some("default/parse-large.pb.gz".into()),
        flamegraph: Some("default/parse-large.svg".into()),
        imported: None,
    }
}

/// A line of a hot path.
pub(crate) fn hot(item: &str, self_share: f64, total: f64) -> HotItem {
    HotItem {
        item: item.into(),
        origin: "workspace".into(),
        file: Some("src/parse.rs".into()),
        line: Some(118),
        self_share,
        owned: Some(self_share),
        total,
        low: (total - 0.03).max(0.0),
        high: (total + 0.03).min(1.0),
    }
}

/// A changed function in `src/<module>.rs` whose heat nobody knows.
pub(crate) fn change(item: &str) -> ChangeResult {
    let module = item.split("::").nth(1).unwrap_or("lib");
    ChangeResult {
        item: item.into(),
        kind: ChangeKind::Modified,
        file: format!("src/{module}.rs"),
        base_lines: Some((118, 140)),
        head_lines: Some((118, 144)),
        note: None,
        heat: Some(Heat::Unmeasured),
        heat_reason: Some("no workload executes it".into()),
        self_share: None,
        total: None,
        low: None,
        high: None,
        samples: None,
        side: None,
        workload: None,
        joined_by: None,
        max_speedup: None,
        approximate: false,
        test_only: false,
    }
}

/// A changed function with a measured share `(total, low, high)` in a workload.
pub(crate) fn heated(item: &str, heat: Heat, (total, low, high): (f64, f64, f64), workload: &str) -> ChangeResult {
    ChangeResult {
        heat: Some(heat),
        heat_reason: None,
        self_share: Some(total / 2.0),
        total: Some(total),
        low: Some(low),
        high: Some(high),
        samples: Some(1880),
        side: Some("head".into()),
        workload: Some(workload.into()),
        max_speedup: Some(1.0 / (1.0 - total)),
        ..change(item)
    }
}

/// A change without heat.
pub(crate) fn ambient(item: &str, kind: ChangeKind, note: Option<&str>) -> ChangeResult {
    ChangeResult { kind, heat: None, heat_reason: None, note: note.map(Into::into), ..change(item) }
}

/// The finding that `PE-201` makes of an unchecked access in cold code.
pub(crate) fn finding(severity: Severity) -> Finding {
    Finding {
        rule: "PE-201".into(),
        name: "speculative-micro-optimization".into(),
        severity,
        item: Some("parse::config::load".into()),
        file: Some("src/config.rs".into()),
        line: Some(40),
        snippet: Some(Snippet {
            first_line: 40,
            text: "    let first = unsafe { *fields.get_unchecked(0) };".into(),
            highlight: (33, 46),
            label: "added by this change".into(),
        }),
        message: "`get_unchecked` and `unsafe { … }` added to cold code: `parse::config::load` holds 0.04 % [0.01, 0.15] of \
                  `parse/large` (n = 1880), at most 1.0015x to gain; top is `parse::lexer::next` with 41 %"
            .into(),
        evidence: vec![
            Evidence { kind: "token".into(), text: "`get_unchecked` added, first at line 40".into(), values: BTreeMap::new() },
            Evidence {
                kind: "share".into(),
                text: "`parse::config::load` holds 0.04 % [0.01, 0.15] of `parse/large` (n = 1880), at most 1.0015x to gain"
                    .into(),
                values: BTreeMap::from([("share".into(), 0.0004.into()), ("high".into(), 0.0015.into())]),
            },
        ],
        bound: Some(Bound { share: 0.0015, max_speedup: 1.0015 }),
        fix: "keep the safe form (drop `get_unchecked`); the time is in `parse::lexer::next`".into(),
        not_proven: vec!["workloads outside of this repository were not measured".into()],
        preexisting: false,
        suppressed: None,
    }
}
