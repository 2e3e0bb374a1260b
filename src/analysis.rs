//! The one result of a run, versioned: every renderer reads only this, and `--message-format json` prints it as it is.
//!
//! Does not compute anything. Shares and rates are fractions, times are nanoseconds, sizes are bytes; what was not measured is
//! `None` (`null`), never 0. Changes to this file are additive within one `schema_version`.

mod bottleneck;
mod cause;
mod imported;
mod memory;
mod root_cause;
mod second_look;
mod waiting;

pub use bottleneck::{BOTTLENECK, Bottleneck, WaitResult};
pub use cause::{ALL_THREADS, CauseOwnerResult, CauseResult, Estimate, InnerCause, SilencedCauses, StackFrame};
pub use imported::ImportedProfile;
pub use memory::{AllocatedResult, FaultsResult, GrowthResult, MemoryOwner, MemoryResult};
pub use root_cause::{GROWTH, GrownPlace, Growth, OwnerResult};
pub use second_look::{ConfirmationResult, CountResult, WitnessResult};
pub use waiting::{MovedTime, WAITING, WaitingGrowth, WaitingPlace};

use serde::{Deserialize, Serialize};

pub use crate::measure::Contention;
use crate::source::ChangeKind;

/// `kind` of a workload that another tool measured.
pub const IMPORTED: &str = "imported";

/// Version of the JSON contract.
pub const SCHEMA_VERSION: u32 = 1;

/// What a run found out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Which tool wrote it.
    pub tool: Tool,
    /// The command that made it.
    pub command: Command,
    /// When it was made, RFC 3339, UTC.
    pub created: String,
    /// Pass, fail or inconclusive; always [`Verdict::Pass`] for `baseline`, which judges nothing.
    pub verdict: Verdict,
    /// Why the verdict is what it is, one sentence per reason, most important first.
    pub reasons: Vec<String>,
    /// The exit code that goes with it.
    pub exit_code: u8,
    /// The side compared against; `None` for `baseline`.
    pub base: Option<BaseSide>,
    /// The side that was examined.
    pub head: HeadSide,
    /// What it was measured with.
    pub environment: Environment,
    /// Each workload that exists, measured or not.
    pub workloads: Vec<WorkloadResult>,
    /// Each changed item.
    pub changes: Vec<ChangeResult>,
    /// Each rule that fired.
    pub findings: Vec<Finding>,
    /// `cargo test` of the changed packages.
    pub tests: Tests,
    /// Workloads or targets that were not run, and why.
    pub skipped: Vec<Skipped>,
    /// What to do next, most valuable first, each one sentence or a command.
    pub next_steps: Vec<String>,
}

/// The writer of an analysis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// `cargo-perf-expert`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The commands that produce an analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// Evidence about one side.
    Baseline,
    /// Both sides measured and judged.
    Verify,
    /// The join with the stored profile only.
    Check,
}

/// The judgement over a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing that fails.
    Pass,
    /// A confident, explained regression, an error finding, or newly failing tests.
    Fail,
    /// Could not tell.
    Inconclusive,
}

/// The base of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseSide {
    /// Full commit id.
    pub commit: String,
    /// The rule that chose it, in words ("--base main", "merge-base with origin/main").
    pub chosen_by: String,
    /// Where its evidence comes from, in words ("baseline `default`, 2 h old", "built now in a worktree").
    pub evidence: String,
}

/// The side that was examined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadSide {
    /// Full commit id; `None` in a repository without commits.
    pub commit: Option<String>,
    /// True when the working tree differs from that commit (and the working tree was examined).
    pub dirty: bool,
}

/// What the numbers were made with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// First line of `rustc -V`; `None` when no build was made.
    pub rustc: Option<String>,
    /// Target triple.
    pub target: Option<String>,
    /// Cargo profile of the measured executables.
    pub profile: Option<String>,
    /// CPU model name.
    pub cpu: Option<String>,
    /// Logical CPUs.
    pub cpus: usize,
    /// `perf_event`, `pprof-agent` or `none`.
    pub engine: String,
    /// Things that limit what can be concluded.
    pub warnings: Vec<String>,
    /// How much of the machine others took while measuring; `None` when nothing was measured.
    #[serde(default)]
    pub contention: Option<Contention>,
}

/// Why `baseline` did not measure a workload that nothing is wrong with.
pub const PUT_OFF: &str = "the time limit came first; `verify` measures it when a change reaches it";

/// The outcome of a workload or of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Interval wholly beyond −δ.
    Faster,
    /// Interval wholly beyond +δ.
    Slower,
    /// Interval inside the equivalence margin, or identical machine code.
    Same,
    /// None of these could be shown.
    Inconclusive,
    /// Not measured.
    NotMeasured,
    /// Of a metric: measured, but nothing is concluded from its numbers.
    NotJudged,
}

/// What is known about one workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkloadResult {
    /// Name in reports.
    pub id: String,
    /// Package.
    pub package: String,
    /// Cargo target.
    pub target: String,
    /// criterion, bench, binary, …
    pub kind: String,
    /// Outcome of the primary metric.
    pub outcome: Outcome,
    /// Why, in words: "identical machine code", "control moved 3.1 %", "no changed item is executed by it".
    pub reason: Option<String>,
    /// For slower and faster: whether a changed item in its stacks accounts for it. `None` when there is nothing to explain.
    pub explained: Option<bool>,
    /// The changed items on its stacks, by item path, most weight first.
    pub explained_by: Vec<String>,
    /// True when measured only as a negative control: no changed item reaches it.
    pub negative_control: bool,
    /// How it fails at head though it ran at base ("exit status: 3", "timed out after 30 s"): such a workload fails the verdict.
    #[serde(default)]
    pub broken: Option<String>,
    /// Per metric numbers, the primary one first. For `baseline` only `base` is filled.
    pub metrics: Vec<MetricResult>,
    /// The objectives that the configuration sets for it, and what was measured of each.
    #[serde(default)]
    pub slo: Vec<SloResult>,
    /// Smallest relative change of the primary metric that this run could have shown.
    pub smallest_detectable: Option<f64>,
    /// How far the processes of one executable spread on this machine: robust standard deviation of ln(copy / base) per round.
    #[serde(default)]
    pub spread: Option<f64>,
    /// True when it is inconclusive because of the machine: two copies of one executable differ, the halves of the rounds disagree,
    /// or the rounds spread too far.
    #[serde(default)]
    pub noise: bool,
    /// What could not be measured, by name, and why: `allocations`, `cpu.per_iteration`, `bottleneck`, `growth`, `waiting`.
    #[serde(default)]
    pub unmeasured: std::collections::BTreeMap<String, String>,
    /// The clock of the primary metric and why it was chosen.
    pub clock: Option<ClockResult>,
    /// Class of its bottleneck; `None` when not classified.
    pub bottleneck: Option<Bottleneck>,
    /// Head's profile (base's for `baseline` and `check`); `None` when there is none.
    pub profile: Option<ProfileResult>,
    /// The items that carry most of it.
    pub hot_path: Vec<HotItem>,
    /// Causes that its time goes into, best ratio of impact to effort first; empty where none is worth advice or nothing was
    /// sampled.
    #[serde(default)]
    pub causes: Vec<CauseResult>,
    /// Causes that are not told as this machine could not show what a fix brings; `None` where there are none.
    #[serde(default)]
    pub silenced: Option<SilencedCauses>,
    /// The few items that carry most of it, as the workspace's innermost on its stacks.
    #[serde(default)]
    pub owners: Vec<OwnerResult>,
    /// Which of its stacks grew between base and head; `None` where nothing got slower or faster, or nobody can tell.
    #[serde(default)]
    pub growth: Option<Growth>,
    /// What is waited longer at head, or computed longer in the kernel; `None` where nothing gave reason to watch both sides, or nobody
    /// can tell.
    #[serde(default)]
    pub waiting: Option<WaitingGrowth>,
    /// The repetition of what screening called slower or faster; `None` where it called it neither.
    #[serde(default)]
    pub confirmation: Option<ConfirmationResult>,
    /// Counted instructions; `None` where they were not asked.
    #[serde(default)]
    pub witness: Option<WitnessResult>,
    /// Who touches new pages, who allocates, whether memory grows; `None` where there is nothing to tell.
    #[serde(default)]
    pub memory: Option<MemoryResult>,
}

impl WorkloadResult {
    /// The metric that [`Self::outcome`] speaks of.
    pub fn primary(&self) -> Option<&MetricResult> {
        self.metrics.first()
    }

    /// True for a benchmark whose instructions were counted on both sides, and whose time nobody measured.
    pub fn is_counted(&self) -> bool {
        let counted = |metric: &MetricResult| metric.name == "instructions" && metric.base.is_some() && metric.head.is_some();
        self.primary().is_some_and(counted)
    }

    /// True when both sides are the same program: without a run, only identical machine code is called the same.
    pub fn is_identical(&self) -> bool {
        self.outcome == Outcome::Same && self.metrics.is_empty()
    }
}

/// One metric of one workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricResult {
    /// `latency.p50`, `cpu.user`, `cpu.system`, `wall`, `memory.peak_rss`, `throughput`, …
    pub name: String,
    /// `ns`, `bytes`, `count`, `fraction`, `1/s`.
    pub unit: String,
    /// `cpu` or `wall` for times.
    pub clock: Option<String>,
    /// Median over rounds at base.
    pub base: Option<f64>,
    /// Median over rounds at head.
    pub head: Option<f64>,
    /// Median of the per-round ratios head / base.
    pub ratio: Option<f64>,
    /// Lower end of the ratio's interval.
    pub low: Option<f64>,
    /// Upper end of the ratio's interval.
    pub high: Option<f64>,
    /// Rounds behind it.
    pub rounds: u32,
    /// What can be said of it.
    pub outcome: Outcome,
    /// What a reader must know before believing it: "machine, not code: …", "imported, not re-measured".
    #[serde(default)]
    pub note: Option<String>,
}

impl MetricResult {
    /// Ratio head / base with its interval `(ratio, low, high)`, when both sides were measured and every number is finite.
    pub fn interval(&self) -> Option<(f64, f64, f64)> {
        let (ratio, low, high) = (self.ratio?, self.low?, self.high?);
        (ratio.is_finite() && low.is_finite() && high.is_finite()).then_some((ratio, low, high))
    }
}

/// An objective of a workload, and what was measured of each side for itself: on this machine, at this moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SloResult {
    /// Name of the metric, as in [`MetricResult`].
    pub metric: String,
    /// `ns`, `bytes`, `fraction`, `count`, or work per second (`B/s`, `elements/s`, …).
    pub unit: String,
    /// `cpu` or `wall` for times; `None` when not measured.
    pub clock: Option<String>,
    /// The bound.
    pub target: f64,
    /// The bound as it was written.
    pub written: String,
    /// True when the metric must not fall below the bound; false when it must not exceed it.
    pub at_least: bool,
    /// Median over rounds at base.
    pub base: Option<f64>,
    /// Lower end of base's interval.
    pub base_low: Option<f64>,
    /// Upper end of base's interval.
    pub base_high: Option<f64>,
    /// Median over rounds at head.
    pub head: Option<f64>,
    /// Lower end of head's interval.
    pub low: Option<f64>,
    /// Upper end of head's interval.
    pub high: Option<f64>,
    /// Whether base's whole interval keeps the bound; `None` when the bound lies inside of it, or it was not measured.
    pub met_at_base: Option<bool>,
    /// The same of head.
    pub met_at_head: Option<bool>,
    /// For what base meets and head violates: whether a changed item and a worse metric account for it. `None` otherwise.
    pub explained: Option<bool>,
    /// Why it was not measured, cannot be told, or is not explained.
    pub reason: Option<String>,
}

/// A clock and the evidence that chose it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockResult {
    /// `cpu` or `wall`.
    pub clock: String,
    /// Why.
    pub reason: String,
}

/// How good a profile is and where it lies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProfileResult {
    /// Samples taken.
    pub samples: u64,
    /// Samples per CPU second that the engine was set to: what was asked for, within what it can do.
    pub frequency: u64,
    /// Records lost.
    pub lost: u64,
    /// Sampled time over CPU time.
    pub coverage: Option<f64>,
    /// Share of samples with an incomplete stack.
    pub truncated: f64,
    /// The stored `profile.proto`, relative to the store, or absolute.
    pub path: Option<String>,
    /// The stored flame graph.
    pub flamegraph: Option<String>,
    /// What is known of a profile that another tool took; `None` for this tool's own.
    #[serde(default)]
    pub imported: Option<ImportedProfile>,
}

/// One line of a hot path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HotItem {
    /// Item path, or the function's name outside of the workspace.
    pub item: String,
    /// `workspace`, `dependency`, `std`, `system`.
    pub origin: String,
    /// File, repository-relative for workspace items.
    pub file: Option<String>,
    /// Line of the item.
    pub line: Option<u32>,
    /// Share of samples with it at the leaf.
    #[serde(rename = "self")]
    pub self_share: f64,
    /// Share of samples in which it is the workspace's innermost item: its own code and what it calls elsewhere. `None` where
    /// an older version wrote it.
    #[serde(default)]
    pub owned: Option<f64>,
    /// Share of samples with it anywhere.
    pub total: f64,
    /// Lower end of `total`'s interval.
    pub low: f64,
    /// Upper end of `total`'s interval.
    pub high: f64,
}

/// Heat classes; `Unmeasured` is never shown as cold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Heat {
    /// Lower bound ≥ 5 %.
    Hot,
    /// Lower bound ≥ 1 %.
    Warm,
    /// Upper bound < 1 % and proven executed.
    Cold,
    /// The interval straddles a border.
    Uncertain,
    /// Not executed by any workload, or not provable.
    Unmeasured,
}

/// One changed item and how hot it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangeResult {
    /// Item path.
    pub item: String,
    /// What happened to it.
    pub kind: ChangeKind,
    /// Its file at head (at base when deleted).
    pub file: String,
    /// Lines at base.
    pub base_lines: Option<(u32, u32)>,
    /// Lines at head.
    pub head_lines: Option<(u32, u32)>,
    /// Details of ambient changes.
    pub note: Option<String>,
    /// Heat in its hottest workload; `None` where heat has no meaning (ambient, moved).
    pub heat: Option<Heat>,
    /// Why it is unmeasured or uncertain, or what makes its share doubtful: "no workload executes it", "ptrace is refused here".
    pub heat_reason: Option<String>,
    /// Share of samples with it at the leaf.
    #[serde(rename = "self")]
    pub self_share: Option<f64>,
    /// Share of samples with it anywhere.
    pub total: Option<f64>,
    /// Lower end of `total`'s interval.
    pub low: Option<f64>,
    /// Upper end of `total`'s interval.
    pub high: Option<f64>,
    /// Samples of that workload's profile.
    pub samples: Option<u64>,
    /// Which side's profile the share is from: `base` or `head`.
    pub side: Option<String>,
    /// The hottest workload.
    pub workload: Option<String>,
    /// How an imported profile's frames were found to be the item's: `line`, `name`, or `line and name`; `None` for own profiles.
    #[serde(default)]
    pub joined_by: Option<String>,
    /// Largest possible speedup of that workload by removing all of it: 1 / (1 − high).
    pub max_speedup: Option<f64>,
    /// Lines come from a fallback, because the file does not parse.
    pub approximate: bool,
    /// Only in test code.
    pub test_only: bool,
}

/// Severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Worth acting on.
    Warning,
    /// Fails the verdict; always a changed item plus measured evidence.
    Error,
}

/// A rule that fired.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// `PE-201`.
    pub rule: String,
    /// `speculative-micro-optimization`.
    pub name: String,
    /// How bad.
    pub severity: Severity,
    /// The changed item.
    pub item: Option<String>,
    /// Its file.
    pub file: Option<String>,
    /// 1-based line to point at.
    pub line: Option<u32>,
    /// The source lines to show, starting at `line`'s first shown line; empty when unknown.
    pub snippet: Option<Snippet>,
    /// One sentence: what and where, with the numbers.
    pub message: String,
    /// The evidence, each with a kind.
    pub evidence: Vec<Evidence>,
    /// Amdahl bound of the item.
    pub bound: Option<Bound>,
    /// The first, smallest, safest step.
    pub fix: String,
    /// What was not measured.
    pub not_proven: Vec<String>,
    /// The base already had it: never fails.
    pub preexisting: bool,
    /// The reason, when suppressed; suppressed findings never fail.
    pub suppressed: Option<String>,
}

impl Finding {
    /// True when it may count against the change: neither suppressed nor there before.
    pub fn counts(&self) -> bool {
        !self.preexisting && self.suppressed.is_none()
    }
}

/// Source text around a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snippet {
    /// Line number of the first line of `text`.
    pub first_line: u32,
    /// The lines, as they are in the file.
    pub text: String,
    /// Byte range in `text` to underline.
    pub highlight: (usize, usize),
    /// What to write under the highlight.
    pub label: String,
}

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// `share`, `token`, `measurement`, `identical machine code`, `commit`, `stack`, `baseline`.
    pub kind: String,
    /// The evidence in words, with its numbers.
    pub text: String,
    /// Machine-readable numbers that belong to it.
    pub values: std::collections::BTreeMap<String, serde_json::Value>,
}

/// Amdahl bound.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bound {
    /// Share of the item, at the upper end of its interval.
    pub share: f64,
    /// 1 / (1 − share).
    pub max_speedup: f64,
}

/// The correctness line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tests {
    /// Passed, failed or not checked.
    pub status: TestStatus,
    /// Packages that were tested.
    pub packages: Vec<String>,
    /// "42 passed, 0 failed", or why not checked.
    pub summary: String,
    /// Tests that fail at head but passed at base.
    pub newly_failing: Vec<String>,
}

/// Whether `cargo test` ran and what it said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestStatus {
    /// All passed.
    Passed,
    /// Some failed at head.
    Failed,
    /// Not run.
    NotChecked,
}

/// Something that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// The workload or target.
    pub name: String,
    /// Why.
    pub reason: String,
    /// What would change it: a command or a manifest snippet.
    pub remedy: Option<String>,
}
