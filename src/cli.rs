//! What the user can type: clap types only, no logic.
//!
//! Flags that cargo has keep cargo's names, headings and meaning.

mod doctor;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};

pub use doctor::DoctorArgs;

/// `cargo perf-expert …` as cargo passes it on.
#[derive(Debug, Parser)]
#[command(name = "cargo", bin_name = "cargo", styles = clap_cargo::style::CLAP_STYLING)]
pub enum Cargo {
    /// Join git diff, sampling profile and paired measurement
    PerfExpert(Cli),
}

/// The subcommand's own command line.
#[derive(Debug, Args)]
#[command(
    version,
    about = "Is the changed code hot, and did it get faster or slower? With evidence",
    long_about = "Is the changed code hot, and did it get faster or slower? With evidence.\n\n\
        Type `cargo perf-expert baseline` before a change and `cargo perf-expert verify` after it. `verify` measures base and head \
        side by side, joins the functions that the diff changed with the stacks of the profile, and judges.\n\n\
        `cargo perf-expert demo` shows the whole workflow on a small built-in crate.",
    after_help = "Exit codes: 0 pass, 2 usage, 100 the verdict failed, 101 could not complete, 102 no usable baseline, \
        103 inconclusive (with --on-inconclusive fail), 130 interrupted."
)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
    /// Output of all commands.
    #[command(flatten, next_help_heading = "Output Options")]
    pub output: Output,
}

/// How to talk to the user.
#[derive(Debug, Clone, Default, Args)]
pub struct Output {
    /// When to use colour: auto, always, never
    #[arg(long, global = true, value_name = "WHEN", value_enum)]
    pub color: Option<ColorWhen>,
    /// Say more: the commands that are run, and why
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Say nothing but the result
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
}

impl Output {
    /// As the shell wants it.
    pub fn settings(&self) -> crate::shell::Settings {
        use crate::shell::ColorWhen as Shell;
        let color = match self.color {
            None | Some(ColorWhen::Auto) => Shell::Auto,
            Some(ColorWhen::Always) => Shell::Always,
            Some(ColorWhen::Never) => Shell::Never,
        };
        crate::shell::Settings { color, quiet: self.quiet, verbose: self.verbose }
    }
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// When the stream is a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Discover, build, measure and profile; store the evidence
    Baseline(Box<BaselineArgs>),
    /// Rebuild, measure base and head side by side, join with the diff, judge
    Verify(Box<VerifyArgs>),
    /// Join the diff with the stored profile: no build, no run
    Check(Box<CheckArgs>),
    /// Show the last analysis again, or a stored baseline
    Report(Box<ReportArgs>),
    /// Show packages, targets, workloads and rules: what would run and why (or why not)
    List(Box<ListArgs>),
    /// Explain a rule or a cause: meaning, evidence, examples, how to fix, how to suppress
    Explain(ExplainArgs),
    /// Check whether this machine can measure, and how well
    Doctor(Box<DoctorArgs>),
    /// Print or install a pre-merge hook
    Hook(HookArgs),
    /// Show the whole workflow on a small built-in crate, offline
    Demo(DemoArgs),
    /// Print shell completions
    #[command(hide = true)]
    Completions(CompletionsArgs),
    /// Print the manual page
    #[command(hide = true)]
    Man,
}

/// Which packages, targets, features and manifests; cargo's own flags.
#[derive(Debug, Clone, Default, Args)]
pub struct Selection {
    /// Which packages.
    #[command(flatten, next_help_heading = "Package Selection")]
    pub packages: Packages,
    /// Which targets.
    #[command(flatten, next_help_heading = "Target Selection")]
    pub targets: Targets,
    /// Which features.
    #[command(flatten, next_help_heading = "Feature Selection")]
    pub features: clap_cargo::Features,
    /// How to compile.
    #[command(flatten, next_help_heading = "Compilation Options")]
    pub compilation: Compilation,
    /// Which manifest.
    #[command(flatten, next_help_heading = "Manifest Options")]
    pub manifest: Manifest,
}

/// Which packages. Not clap-cargo's, because its hidden `--all` (an old name of `--workspace`) is `verify --all` here.
#[derive(Debug, Clone, Default, Args)]
pub struct Packages {
    /// Package to process (see `cargo help pkgid`)
    #[arg(short, long, value_name = "SPEC")]
    pub package: Vec<String>,
    /// Process all packages in the workspace
    #[arg(long)]
    pub workspace: bool,
    /// Exclude packages from being processed
    #[arg(long, value_name = "SPEC")]
    pub exclude: Vec<String>,
}

/// Which targets and which of their workloads.
#[derive(Debug, Clone, Default, Args)]
pub struct Targets {
    /// Only the specified bench target
    #[arg(long, value_name = "NAME")]
    pub bench: Vec<String>,
    /// All bench targets
    #[arg(long)]
    pub benches: bool,
    /// Only the specified binary; with `-- ARGS` it becomes a workload
    #[arg(long, value_name = "NAME")]
    pub bin: Vec<String>,
    /// All binaries that have a workload in the configuration
    #[arg(long)]
    pub bins: bool,
    /// Only workloads with this id; `*` stands for any text
    #[arg(long, value_name = "ID")]
    pub workload: Vec<String>,
}

/// How cargo compiles.
#[derive(Debug, Clone, Default, Args)]
pub struct Compilation {
    /// Number of parallel jobs
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<String>,
    /// Build with the specified profile (default: bench)
    #[arg(long, value_name = "PROFILE-NAME")]
    pub profile: Option<String>,
    /// Build for the target triple
    #[arg(long, value_name = "TRIPLE")]
    pub target: Option<String>,
    /// Directory of cargo's target folder; builds and evidence go to `perf-expert` in it
    #[arg(long, value_name = "DIRECTORY")]
    pub target_dir: Option<Utf8PathBuf>,
}

/// Which manifest, and whether the network may be used.
#[derive(Debug, Clone, Default, Args)]
pub struct Manifest {
    /// Path to Cargo.toml
    #[arg(short = 'm', long, value_name = "PATH")]
    pub manifest_path: Option<Utf8PathBuf>,
    /// Assert that `Cargo.lock` will remain unchanged
    #[arg(long)]
    pub locked: bool,
    /// Run without accessing the network
    #[arg(long)]
    pub offline: bool,
    /// Equivalent to specifying both --locked and --offline
    #[arg(long)]
    pub frozen: bool,
}

/// Where evidence is kept.
#[derive(Debug, Clone, Default, Args)]
pub struct StoreArgs {
    /// Directory of the evidence (default: `perf-expert` in the target directory)
    #[arg(long, value_name = "DIRECTORY")]
    pub baseline_dir: Option<Utf8PathBuf>,
}

/// How long and how exactly to measure.
#[derive(Debug, Clone, Default, Args)]
pub struct Measurement {
    /// Time for profiling and measuring after the builds (30s, 5m); hottest change first, what is skipped is listed
    #[arg(long, value_name = "DURATION")]
    pub max_time: Option<String>,
    /// CPU seconds to profile each workload for
    #[arg(long, value_name = "SECONDS")]
    pub profile_time: Option<f64>,
    /// Samples per second of CPU time
    #[arg(long, value_name = "HZ")]
    pub frequency: Option<u64>,
    /// What samples the stacks (default: auto)
    #[arg(long, value_name = "ENGINE", value_enum)]
    pub engine: Option<EngineName>,
    /// Wall time after which one run of a workload is killed (30s, 5m)
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<String>,
}

/// The sampling engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EngineName {
    /// The kernel's events, else the agent.
    Auto,
    /// The kernel's events.
    Perf,
    /// The pprof agent.
    Pprof,
    /// No sampling.
    None,
}

/// How to print the result.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Format {
    /// Format of the result
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "human", help_heading = "Output Options")]
    pub message_format: MessageFormat,
}

/// The renderers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum MessageFormat {
    /// For people at a terminal.
    #[default]
    Human,
    /// One line per finding.
    Short,
    /// One JSON object, versioned.
    Json,
    /// A performance analysis in Markdown.
    Markdown,
}

/// `baseline`.
#[derive(Debug, Args)]
pub struct BaselineArgs {
    /// What to run.
    #[command(flatten)]
    pub selection: Selection,
    /// Name of the baseline
    #[arg(long, value_name = "NAME", default_value = "default", help_heading = "Baseline Options")]
    pub save: String,
    /// Measure another commit, in a worktree
    #[arg(long, value_name = "REV", help_heading = "Baseline Options")]
    pub rev: Option<String>,
    /// Accept a working tree with uncommitted changes, and record it as such
    #[arg(long, conflicts_with = "rev", help_heading = "Baseline Options")]
    pub allow_dirty: bool,
    /// Add a measurement of hyperfine (`--export-json`), shown with the baseline and never compared
    #[arg(long, value_name = "FILE", help_heading = "Baseline Options")]
    pub import: Option<Utf8PathBuf>,
    /// Where to keep it.
    #[command(flatten, next_help_heading = "Baseline Options")]
    pub store: StoreArgs,
    /// How to measure.
    #[command(flatten, next_help_heading = "Measurement Options")]
    pub measurement: Measurement,
    /// How to print.
    #[command(flatten)]
    pub format: Format,
    /// Arguments of the binary named with `--bin`
    #[arg(last = true, value_name = "ARGS")]
    pub args: Vec<String>,
}

/// `verify`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each one is a flag")]
pub struct VerifyArgs {
    /// What to run.
    #[command(flatten)]
    pub selection: Selection,
    /// Compare with this commit
    #[arg(long, value_name = "REV", conflicts_with = "baseline", help_heading = "Baseline Options")]
    pub base: Option<String>,
    /// Compare with the commit of this baseline
    #[arg(long, value_name = "NAME", help_heading = "Baseline Options")]
    pub baseline: Option<String>,
    /// Take base and head from a git hook: `pre-push` reads the refs from standard input
    #[arg(long, value_name = "HOOK", value_enum, help_heading = "Baseline Options")]
    pub hook: Option<HookKind>,
    /// Where evidence is kept.
    #[command(flatten, next_help_heading = "Baseline Options")]
    pub store: StoreArgs,
    /// How to measure.
    #[command(flatten, next_help_heading = "Measurement Options")]
    pub measurement: Measurement,
    /// Smallest change that counts, in per cent
    #[arg(long, value_name = "PERCENT", help_heading = "Measurement Options")]
    pub margin: Option<f64>,
    /// Measure every workload, not only those that the change reaches
    #[arg(long, help_heading = "Measurement Options")]
    pub all: bool,
    /// Measure even what is provably the same
    #[arg(long, help_heading = "Measurement Options")]
    pub remeasure: bool,
    /// Confirm without linking both sides in other orders of their functions, or building them with aligned functions
    #[arg(long, help_heading = "Measurement Options")]
    pub no_layout: bool,
    /// Do not count instructions (by the processor's counter, or by callgrind)
    #[arg(long, help_heading = "Measurement Options")]
    pub no_witness: bool,
    /// Do not run `cargo test` of the changed packages
    #[arg(long, help_heading = "Measurement Options")]
    pub no_tests: bool,
    /// What fails the verdict: regression, error, tests and slo by default; unexplained and warning add to it; none
    #[arg(long, value_name = "WHAT", value_delimiter = ',', help_heading = "Verdict Options")]
    pub fail_on: Vec<String>,
    /// What an inconclusive verdict does: pass (default) or fail
    #[arg(long, value_name = "WHAT", value_enum, help_heading = "Verdict Options")]
    pub on_inconclusive: Option<OnInconclusive>,
    /// Make a claimed optimization without a valid baseline an error
    #[arg(long, help_heading = "Verdict Options")]
    pub require_baseline: bool,
    /// How to print.
    #[command(flatten)]
    pub format: Format,
    /// Arguments of the binary named with `--bin`
    #[arg(last = true, value_name = "ARGS")]
    pub args: Vec<String>,
}

/// What an inconclusive verdict does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnInconclusive {
    /// Exit with 0.
    Pass,
    /// Exit with 103.
    Fail,
}

/// The git hooks that `verify` understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HookKind {
    /// `pre-push`: refs on standard input.
    PrePush,
}

/// `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Compare with this commit
    #[arg(long, value_name = "REV", help_heading = "Baseline Options")]
    pub base: Option<String>,
    /// Use the profile of this baseline
    #[arg(long, value_name = "NAME", default_value = "default", help_heading = "Baseline Options")]
    pub baseline: String,
    /// Use a profile of production instead: pprof, folded stacks, perf.data or the output of `perf script`
    #[arg(long, value_name = "FILE", conflicts_with = "baseline", help_heading = "Baseline Options")]
    pub profile: Option<Utf8PathBuf>,
    /// Where evidence is kept.
    #[command(flatten, next_help_heading = "Baseline Options")]
    pub store: StoreArgs,
    /// Directory of cargo's target folder
    #[arg(long, value_name = "DIRECTORY", help_heading = "Compilation Options")]
    pub target_dir: Option<Utf8PathBuf>,
    /// Which manifest.
    #[command(flatten, next_help_heading = "Manifest Options")]
    pub manifest: Manifest,
    /// How to print.
    #[command(flatten)]
    pub format: Format,
}

/// The formats of exported profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// Gzip'd `profile.proto`, for `go tool pprof`, speedscope and the Firefox Profiler.
    Pprof,
    /// One line per stack, for inferno and `flamegraph.pl`.
    Folded,
    /// A flame graph, SVG.
    Flamegraph,
    /// A flame graph, SVG, of what differs between base and head in the last `verify`, on the scale of an iteration's time.
    FlamegraphDiff,
}

/// `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Show this baseline instead of the last analysis
    #[arg(long, value_name = "NAME", help_heading = "Baseline Options")]
    pub baseline: Option<String>,
    /// Write a stored profile of the baseline (default: `default`), or what differs in the last `verify`, in another tool's format
    #[arg(long, value_name = "FORMAT", value_enum, conflicts_with = "message_format", help_heading = "Output Options")]
    pub export: Option<ExportFormat>,
    /// Export the profile of this workload
    #[arg(long, value_name = "ID", requires = "export", help_heading = "Output Options")]
    pub workload: Option<String>,
    /// Export to this file instead of standard output
    #[arg(short, long, value_name = "FILE", requires = "export", help_heading = "Output Options")]
    pub output: Option<Utf8PathBuf>,
    /// Where evidence is kept.
    #[command(flatten, next_help_heading = "Baseline Options")]
    pub store: StoreArgs,
    /// Directory of cargo's target folder
    #[arg(long, value_name = "DIRECTORY", help_heading = "Compilation Options")]
    pub target_dir: Option<Utf8PathBuf>,
    /// Which manifest.
    #[command(flatten, next_help_heading = "Manifest Options")]
    pub manifest: Manifest,
    /// How to print.
    #[command(flatten)]
    pub format: Format,
}

/// `list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// What would be run.
    #[command(flatten)]
    pub selection: Selection,
    /// List the rules instead
    #[arg(long, help_heading = "Output Options")]
    pub rules: bool,
}

/// `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Id or name of a rule or a cause, such as PE-201 or S05; all are listed without it
    #[arg(value_name = "RULE")]
    pub rule: Option<String>,
}

/// `hook`.
#[derive(Debug, Args)]
pub struct HookArgs {
    /// Print, install or uninstall
    #[command(subcommand)]
    pub action: HookAction,
}

/// What to do with a hook.
#[derive(Debug, Subcommand)]
pub enum HookAction {
    /// Print the hook for a tool; writes nothing
    Print {
        /// The tool that runs it
        #[arg(value_enum)]
        tool: HookTool,
    },
    /// Install the git pre-push hook (honours core.hooksPath; never overwrites another hook)
    Install,
    /// Remove the hook, if it is this tool's own
    Uninstall,
}

/// Who runs a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HookTool {
    /// git's own `pre-push`.
    Git,
    /// A GitHub Actions workflow.
    Github,
    /// The pre-commit framework.
    PreCommit,
    /// lefthook.
    Lefthook,
    /// husky.
    Husky,
}

/// `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Keep the demo's repository and print where it is
    #[arg(long, help_heading = "Output Options")]
    pub keep: bool,
    /// How to print.
    #[command(flatten)]
    pub format: Format,
}

/// `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cargo::command().debug_assert();
    }

    #[test]
    fn every_flag_has_a_heading_and_a_sentence_without_a_period() {
        let cargo = Cargo::command();
        let ours = cargo.find_subcommand("perf-expert").unwrap();
        for command in ours.get_subcommands().filter(|command| !command.is_hide_set()) {
            for arg in command.get_arguments().filter(|arg| !arg.is_positional() && !arg.is_hide_set()) {
                let name = format!("{} --{}", command.get_name(), arg.get_id());
                assert!(arg.get_help_heading().is_some(), "{name} has no heading");
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.starts_with(|c: char| c.is_uppercase() || c == '`') && !help.ends_with('.'), "{name}: {help}");
            }
        }
    }
}
