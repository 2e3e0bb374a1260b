//! The analyses.

use crate::analysis::*;
use crate::report::samples::{
    ambient, analysis, cause, change, confirmation, counted, finding, grown, heated, hot, measured, memory, objective, owner,
    profile, reached, waiting, witness, workload,
};
use crate::source::ChangeKind;

const NEXT: &str = "parse::lexer::next";

/// Every case with its name.
pub(super) fn all() -> Vec<(&'static str, Analysis)> {
    vec![
        ("regression", regression()),
        ("passed", passed()),
        ("inconclusive", inconclusive()),
        ("crowded", crowded()),
        ("nothing_measured", nothing_measured()),
        ("counted", only_counted()),
        ("hostile", hostile()),
        ("baseline", baseline()),
        ("check", check()),
        ("targets", targets()),
        ("baseline_targets", baseline_targets()),
        ("production", production()),
    ]
}

/// A hot function got slower, a cold one got unsafe.
fn regression() -> Analysis {
    let mut slower = reached("parse/large", Outcome::Slower, 12_314.0, (1.079, 1.058, 1.096), &[NEXT]);
    slower.metrics.push(memory(12_582_912.0, (1.25, 1.24, 1.26), Outcome::Slower));
    slower.metrics.push(MetricResult {
        name: "allocations.count".into(),
        unit: "count".into(),
        rounds: 3,
        ..memory(100.0, (1.1, 1.1, 1.1), Outcome::Slower)
    });
    slower.profile = Some(profile());
    slower.causes = vec![cause("parse::index::lookup", (0.41, 0.38, 0.44))];
    slower.silenced = Some(SilencedCauses { count: 2, threshold: 0.036 });
    slower.confirmation = Some(confirmation(&[1.081, 1.079, 1.076, 1.083, 1.079, 1.071], 6, None));
    slower.witness = Some(witness(NEXT, (20_000, 22_400), "confirmed: +12.0 % instructions in `parse::lexer::next`"));
    slower.hot_path = vec![hot(NEXT, 0.37, 0.41), hot("parse::tree::push", 0.2, 0.22)];
    slower.owners = vec![owner(NEXT)];
    slower.growth = Some(grown(NEXT, NEXT));
    slower.waiting = Some(waiting(NEXT, NEXT));
    let same = WorkloadResult { outcome: Outcome::Same, reason: Some(crate::conclude::same_code()), ..workload("render/html") };
    Analysis {
        verdict: Verdict::Fail,
        reasons: vec!["`parse/large` is slower: +7.9 % [+5.8, +9.6], explained by `parse::lexer::next`".into()],
        exit_code: 100,
        head: HeadSide { dirty: true, ..analysis(Command::Verify).head },
        workloads: vec![same, slower, workload("render/pdf")],
        changes: vec![
            ambient("Cargo.lock", ChangeKind::Ambient, Some("serde 1.0.1 → 1.0.2")),
            heated("parse::config::load", Heat::Cold, (0.0004, 0.0001, 0.0015), "parse/large"),
            heated(NEXT, Heat::Hot, (0.41, 0.38, 0.44), "parse/large"),
            change("parse::error::explain"),
            ambient("parse::tree::push", ChangeKind::Moved, None),
        ],
        findings: vec![finding(Severity::Error)],
        next_steps: vec!["rework `parse::lexer::next`: it holds 41 % of `parse/large`".into()],
        ..analysis(Command::Verify)
    }
}

fn passed() -> Analysis {
    let mut faster = reached("parse/large", Outcome::Faster, 12_314.0, (0.88, 0.86, 0.9), &[NEXT]);
    faster.profile = Some(profile());
    faster.bottleneck = Some(Bottleneck {
        class: "cpu-bound".into(),
        confidence: 0.45,
        shares: [("on_cpu_user".to_owned(), 0.97)].into(),
        intervals: [("on_cpu_user".to_owned(), [0.96, 0.98])].into(),
        kind: Some("serial".into()),
        summary: Some("97 % [96, 98] of the work time on the CPU in user code; one thread does it (n = 1880)".into()),
        evidence: vec!["3.0 % of the CPU time in the kernel".into(), "12 voluntary switches per CPU second".into()],
        host: Some("others took the CPU for 40 % of the time that it was ready to run".into()),
        samples: Some(1880),
        changed: Some("it was io-bound at base and is cpu-bound at head".into()),
        waits: vec![WaitResult {
            wait: "durability".into(),
            what: Some("/data/log".into()),
            function: Some("app::save".into()),
            under: Some("app::handle::{{closure}}".into()),
            file: Some("/src/app/src/log.rs".into()),
            line: Some(12),
            blocks_worker: true,
            share: 0.03,
            low: 0.02,
            high: 0.04,
            ns: 60_000_000,
            looks: 12,
            stack: vec!["fsync".into(), "app::save".into(), "app::handle::{{closure}}".into()],
        }],
    });
    faster.hot_path = vec![hot(NEXT, 0.37, 0.41)];
    let control = WorkloadResult { negative_control: true, ..measured("render/html", Outcome::Same, 5e6, (1.001, 0.99, 1.01)) };
    Analysis {
        workloads: vec![faster, control],
        changes: vec![heated(NEXT, Heat::Hot, (0.41, 0.38, 0.44), "parse/large")],
        findings: vec![Finding { suppressed: Some("measured downstream".into()), ..finding(Severity::Error) }],
        ..analysis(Command::Verify)
    }
}

fn inconclusive() -> Analysis {
    let mut unsure = reached("parse/large", Outcome::Inconclusive, 12_314.0, (1.03, 0.99, 1.07), &[NEXT]);
    unsure.reason = Some("control moved 3.1 %".into());
    unsure.confirmation = Some(confirmation(&[1.03], 1, Some("no linker here can reorder functions (LLD can)")));
    unsure.witness = Some(WitnessResult {
        counter: None,
        conclusion: "instructions not counted: valgrind is not installed".into(),
        whole: None,
        items: Vec::new(),
    });
    unsure.noise = true;
    unsure.unmeasured = [("waiting".to_owned(), "no time was left to watch both sides in turn".to_owned())].into();
    let skipped = WorkloadResult {
        explained_by: vec![NEXT.into()],
        reason: Some("--max-time was used up".into()),
        ..workload("parse/huge")
    };
    let mut unexplained = measured("render/html", Outcome::Slower, 5e6, (1.05, 1.03, 1.07));
    unexplained.explained = Some(false);
    unexplained.clock = Some(ClockResult { clock: "wall".into(), reason: "it waits often: 900 times per second".into() });
    unexplained.metrics.push(MetricResult {
        name: "cpu.per_iteration".into(),
        clock: Some("cpu".into()),
        outcome: Outcome::NotMeasured,
        ..memory(41_000.0, (1.002, 0.99, 1.01), Outcome::Same)
    });
    unexplained.metrics[1].unit = "ns".into();
    let total = MetricResult { name: "cpu.total".into(), base: Some(9e7), head: Some(9e7), ..unexplained.metrics[1].clone() };
    unexplained.metrics.insert(1, total);
    unexplained.unmeasured = [("allocations".to_owned(), "it is statically linked".to_owned())].into();
    let mut analysis = Analysis {
        verdict: Verdict::Inconclusive,
        reasons: vec![
            "`parse/large` is inconclusive: control moved 3.1 %".into(),
            "`parse/huge` is reached by the change and was not measured: --max-time was used up".into(),
        ],
        exit_code: 103,
        workloads: vec![unsure, skipped, unexplained],
        changes: vec![heated(NEXT, Heat::Uncertain, (0.01, 0.005, 0.02), "parse/large")],
        skipped: vec![Skipped {
            name: "importer".into(),
            reason: "a binary runs only with a workload".into(),
            remedy: Some("cargo perf-expert verify --bin importer -- ARGS".into()),
        }],
        next_steps: vec!["run again with `--max-time 5m`".into()],
        ..analysis(Command::Verify)
    };
    analysis.tests =
        Tests { status: TestStatus::NotChecked, packages: vec![], summary: "--no-tests".into(), newly_failing: vec![] };
    analysis.environment.warnings = vec!["2 of 2 CPUs are busy: small changes cannot be told".into()];
    analysis.environment.contention = Some(Contention {
        watched_ns: 12_000_000_000,
        run_queue_delay: Some(0.38),
        cpu_pressure: Some(0.9),
        steal: Some(0.0),
        ..Contention::default()
    });
    analysis
}

/// More of everything than a reader wants to see.
fn crowded() -> Analysis {
    let item = |n: usize| format!("parse::very::long::module::path::that::nobody::wants::to::read::function_{n}");
    let workloads = (0..20).map(|n| {
        let interval = (1.05 + n as f64 / 100.0, 1.04, 1.3);
        reached(&format!("group/bench/{n}"), Outcome::Slower, 1e5 * (n + 1) as f64, interval, &[&item(n)])
    });
    let changes = (0..20).map(|n| heated(&item(n), Heat::Hot, (0.3, 0.28, 0.32), &format!("group/bench/{n}")));
    let mut analysis = Analysis {
        verdict: Verdict::Fail,
        exit_code: 100,
        workloads: workloads.collect(),
        changes: changes.collect(),
        findings: [Severity::Info, Severity::Warning, Severity::Error].map(finding).into(),
        skipped: (0..9).map(|n| Skipped { name: format!("b{n}"), reason: "--max-time".into(), remedy: None }).collect(),
        ..analysis(Command::Verify)
    };
    analysis.tests.status = TestStatus::Failed;
    analysis.tests.summary = "40 passed, 2 failed".into();
    analysis.tests.newly_failing = vec!["parse::tests::round_trips".into()];
    analysis.workloads[3].broken = Some("exit status: 3".into());
    analysis.workloads[3].outcome = Outcome::NotMeasured;
    analysis.workloads[3].metrics.clear();
    analysis
}

/// No sampler, no workload, no commit.
fn nothing_measured() -> Analysis {
    let mut analysis = Analysis {
        base: None,
        head: HeadSide { commit: None, dirty: true },
        changes: vec![change(NEXT)],
        next_steps: vec!["add a benchmark: `cargo perf-expert list` shows how".into()],
        ..analysis(Command::Verify)
    };
    analysis.environment.engine = "none".into();
    analysis.environment.warnings =
        vec!["perf_event_paranoid is 3: no sampling; `sudo sysctl kernel.perf_event_paranoid=2` permits it".into()];
    analysis.tests =
        Tests { status: TestStatus::NotChecked, packages: vec![], summary: "no package".into(), newly_failing: vec![] };
    analysis
}

/// A crate whose benchmarks count instructions.
fn only_counted() -> Analysis {
    let mut analysis = Analysis {
        workloads: vec![counted("b::grp::mix::small", (8165.0, 10_451.0)), counted("b::grp::other", (38_839.0, 38_839.0))],
        changes: vec![change(NEXT)],
        ..analysis(Command::Verify)
    };
    analysis.next_steps = crate::conclude::next_steps(&analysis);
    analysis
}

/// Names and messages that try to draw, to link and to break out.
fn hostile() -> Analysis {
    let evil = "a\u{1b}[31m<script>alert(1)</script>|`x`\n*b* @team \u{202e}x";
    let mut slower = reached(evil, Outcome::Slower, 1e3, (1.5, 1.4, 1.6), &[evil]);
    slower.profile = Some(profile());
    slower.hot_path = vec![hot(evil, 0.5, 0.5)];
    slower.bottleneck = Some(Bottleneck {
        class: evil.into(),
        confidence: 0.5,
        shares: [(evil.to_owned(), 0.5)].into(),
        intervals: [(evil.to_owned(), [0.4, 0.6])].into(),
        kind: Some(evil.into()),
        summary: Some(evil.into()),
        evidence: vec![evil.into()],
        host: Some(evil.into()),
        samples: Some(1),
        changed: Some(evil.into()),
        waits: Vec::new(),
    });
    let text = format!("\tlet x = 1; // {}", evil.replace('\n', " "));
    let highlight = (5, 6);
    let found = Finding {
        rule: "PE-101".into(),
        message: evil.into(),
        fix: evil.into(),
        file: Some(evil.into()),
        snippet: Some(Snippet { first_line: 7, text, highlight, label: evil.into() }),
        ..finding(Severity::Warning)
    };
    let mut out_of_bounds = found.clone();
    out_of_bounds.snippet = Some(Snippet { first_line: 1, text: "é".into(), highlight: (1, 99), label: String::new() });
    Analysis {
        verdict: Verdict::Fail,
        exit_code: 100,
        workloads: vec![slower],
        changes: vec![ChangeResult { file: evil.into(), ..heated(evil, Heat::Hot, (0.5, 0.4, 0.6), evil) }],
        findings: vec![found, out_of_bounds],
        skipped: vec![Skipped { name: evil.into(), reason: evil.into(), remedy: Some(evil.into()) }],
        next_steps: vec![evil.into()],
        ..analysis(Command::Verify)
    }
}

fn baseline() -> Analysis {
    let one_side = |id: &str, base: f64| {
        let mut workload = measured(id, Outcome::NotMeasured, base, (1.0, 1.0, 1.0));
        for metric in &mut workload.metrics {
            (metric.head, metric.ratio, metric.low, metric.high) = (None, None, None, None);
        }
        workload.profile = Some(profile());
        workload.hot_path =
            vec![hot(NEXT, 0.37, 0.41), hot("parse::tree::push", 0.2, 0.22), hot("main", 0.0, 1.0), hot("memcpy", 0.09, 0.09)];
        workload
    };
    let mut poor = one_side("serve", 8_200_000.0);
    poor.memory = Some(memory_result());
    poor.clock = Some(ClockResult { clock: "wall".into(), reason: "it blocks 94 % of the time".into() });
    poor.profile = Some(ProfileResult { samples: 120, coverage: Some(0.4), truncated: 0.05, lost: 3, ..profile() });
    let broken = WorkloadResult { reason: Some("panicked: index out of bounds".into()), clock: None, ..workload("render/pdf") };
    Analysis {
        workloads: vec![one_side("parse/large", 12_314.0), poor, broken],
        next_steps: vec!["change something, then `cargo perf-expert verify`".into()],
        ..analysis(Command::Baseline)
    }
}

/// Everything that can be said of memory.
fn memory_result() -> MemoryResult {
    let owner = |share: f64| MemoryOwner {
        item: NEXT.into(),
        file: Some("src/lexer.rs".into()),
        line: Some(20),
        share,
        low: share - 0.03,
        high: share + 0.02,
        stack: vec!["alloc::alloc::alloc".into(), NEXT.into()],
    };
    MemoryResult {
        faults: Some(FaultsResult { count: 120_000.0, per_cpu_second: 95_000.0, samples: 380, owners: vec![owner(0.88)] }),
        allocated: Some(AllocatedResult {
            bytes: 3 << 30,
            calls: 1_200_000,
            samples: 410,
            owners: vec![owner(0.71), owner(0.2)],
            callers: vec![owner(0.93)],
        }),
        growth: Some(GrowthResult {
            rate: 3_250_586.0,
            low: 2_936_013.0,
            high: 3_565_158.0,
            seconds: 2.25,
            held: 41_943_040,
            steady: true,
            at_base: Some(false),
            per_iteration: Some(26_655.0),
            owners: vec![owner(0.97)],
        }),
    }
}

fn check() -> Analysis {
    let mut check = analysis(Command::Check);
    check.tests =
        Tests { status: TestStatus::NotChecked, packages: vec![], summary: "check runs nothing".into(), newly_failing: vec![] };
    check.workloads = vec![WorkloadResult { profile: Some(profile()), ..workload("parse/large") }];
    Analysis {
        changes: vec![
            heated(NEXT, Heat::Hot, (0.41, 0.38, 0.44), "parse/large"),
            heated("parse::config::load", Heat::Cold, (0.0004, 0.0001, 0.0015), "parse/large"),
            ChangeResult { test_only: true, ..change("parse::tests::helper") },
        ],
        findings: vec![finding(Severity::Warning)],
        next_steps: vec!["`cargo perf-expert verify` measures what this change does".into()],
        ..check
    }
}

/// A check against a profile that another tool took elsewhere.
fn production() -> Analysis {
    let mut check = check();
    let imported = ImportedProfile {
        format: "pprof".into(),
        sampled: Some("samples/count".into()),
        weighted: false,
        revision: Some("3f2c1aa0d1e2f3a4b5c6d7e8f90123456789abcd".into()),
        looked_up_in: "3f2c1aa0d1e2f3a4b5c6d7e8f90123456789abcd".into(),
        build_ids: vec!["/srv/bin/parse: abcdef0123456789".into()],
        by_line: 0.4,
        by_name: 0.02,
        ambiguous: 0.0,
        disagreeing: 0.0,
        unnamed: 0.03,
        cut_short: 0.0,
    };
    let read = ProfileResult { coverage: None, flamegraph: None, imported: Some(imported), ..profile() };
    check.environment.engine = "imported".into();
    check.environment.warnings =
        vec!["3.0 % of the samples show functions without a name: nothing is called cold that may be among them".into()];
    if let Some(base) = &mut check.base {
        base.evidence =
            "production profile `prod.pb.gz`: 1880 samples (samples/count), pprof; of 3f2c1aa, as its label `commit` says".into();
    }
    let kind = IMPORTED.to_owned();
    let reason = Some("imported, not re-measured".into());
    check.workloads = vec![WorkloadResult { kind, reason, profile: Some(read), ..workload("prod.pb.gz") }];
    check.findings = Vec::new();
    for (change, by) in check.changes.iter_mut().zip(["line", "line and name"]) {
        (change.workload, change.side, change.joined_by) = (Some("prod.pb.gz".into()), None, Some(by.into()));
    }
    if let Some(doubtful) = check.changes.get_mut(1) {
        (doubtful.heat, doubtful.high) = (Some(Heat::Uncertain), Some(0.04));
        doubtful.heat_reason = Some("up to 4.0 % with the samples that are cut short, unnamed or refused".into());
    }
    check
}

/// Objectives of every standing: broken by the change, violated on both sides, not decided, not measured, met.
fn targets() -> Analysis {
    let mut slower = reached("parse/large", Outcome::Slower, 18e6, (1.3, 1.28, 1.32), &[NEXT]);
    slower.slo = vec![
        SloResult { reason: None, ..objective("memory.peak_rss", "200MiB", (12.5e6, 12.6e6), (Some(true), Some(true))) },
        SloResult { explained: Some(true), ..objective("latency.p50", "20ms", (18e6, 23.4e6), (Some(true), Some(false))) },
        SloResult {
            clock: None,
            base: None,
            base_low: None,
            base_high: None,
            head: None,
            low: None,
            high: None,
            reason: Some("this run did not measure it".into()),
            ..objective("latency.p99", "50ms", (0.0, 0.0), (None, None))
        },
    ];
    let mut both = measured("serve", Outcome::Same, 30e6, (1.0, 0.99, 1.01));
    both.slo = vec![
        SloResult {
            reason: Some("base violates it, too".into()),
            ..objective("latency.p50", "25ms", (30e6, 30.1e6), (Some(false), Some(false)))
        },
        SloResult {
            reason: Some("head's interval holds the target".into()),
            ..objective("wall", "31ms", (30e6, 31.1e6), (Some(true), None))
        },
    ];
    Analysis {
        verdict: Verdict::Fail,
        exit_code: 100,
        workloads: vec![slower, both],
        changes: vec![heated(NEXT, Heat::Hot, (0.41, 0.38, 0.44), "parse/large")],
        ..analysis(Command::Verify)
    }
}

fn baseline_targets() -> Analysis {
    let mut baseline = baseline();
    let one_side = SloResult {
        base_low: None,
        base_high: None,
        head: None,
        low: None,
        high: None,
        ..objective("latency.p50", "20us", (12_314.0, 0.0), (Some(true), None))
    };
    baseline.workloads[0].slo = vec![one_side];
    baseline
}
