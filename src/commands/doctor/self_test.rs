//! The self-test: one of the user's own workloads against itself, again and again, with and without an injected slowdown.
//!
//! The real machinery measures: three copies at paths of equal length, rounds of fresh processes, looks, the margin of the
//! configuration. The stored baseline is neither read nor written.

mod subject;

use std::time::Duration;

use crate::cli::{DoctorArgs, Measurement};
use crate::commands::context::{Context, Request, TIMEOUT};
use crate::config::Config;
use crate::doctor::SelfTest;
use crate::error::{Expected, Result};
use crate::exit::Exit;
use crate::measure::LiveRunner;
use crate::shell::Shell;
use crate::sides::{Scratch, build_programs, clock_shim};
use crate::store::Store;
use subject::{Budget, Subject};

/// Ends after this time unless `--max-time` or `--runs` say otherwise.
const USUAL_TIME: Duration = Duration::from_secs(120);
/// Verdicts of each kind that are made at most unless `--runs` says otherwise: the upper end of no alarm is 7 % then.
const USUAL_RUNS: usize = 50;
/// The slowdown that a benchmark should show (`DESIGN.md` §13), in per cent.
const USUAL_SLOWDOWN: f64 = 5.0;

/// Why there is no self-test.
#[derive(Debug, thiserror::Error)]
enum SelfTestError {
    /// Nothing could be calibrated.
    #[error("no workload ran: {}", .0.join("; "))]
    NothingRan(Vec<String>),
    /// Not even one verdict of each kind.
    #[error("there was no time for one verdict of each kind on `{workload}`: a round takes about {seconds:.1} s")]
    NoTime {
        /// The workload.
        workload: String,
        /// What three processes take.
        seconds: f64,
    },
    /// It ran while it was calibrated, and fails now.
    #[error("`{workload}` gave no verdict: {reason}")]
    Failing {
        /// The workload.
        workload: String,
        /// Why.
        reason: String,
    },
    /// A number out of range.
    #[error("`{value}` does not fit `--slowdown`: choose 0.1 to 900 per cent")]
    Slowdown {
        /// As it was typed.
        value: f64,
    },
}

impl Expected for SelfTestError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoTime { .. } => {
                Some("give it more with `--max-time 10m`, or choose a shorter one with `--workload ID`".into())
            }
            Self::NothingRan(_) => Some("`cargo perf-expert list` says what runs; choose with `--bench` or `--workload`".into()),
            Self::Failing { .. } => Some("run it yourself, or choose another one with `--workload ID`".into()),
            Self::Slowdown { .. } => None,
        }
    }

    fn exit(&self) -> Exit {
        if matches!(self, Self::Slowdown { .. }) { Exit::Usage } else { Exit::Incomplete }
    }
}

/// Tests this machine.
pub(super) fn self_test(args: &DoctorArgs, shell: &mut Shell) -> Result<SelfTest> {
    let size = args.slowdown.unwrap_or(USUAL_SLOWDOWN);
    if !(0.1..=900.0).contains(&size) {
        return Err(SelfTestError::Slowdown { value: size }.into());
    }
    let measurement = Measurement { max_time: args.max_time.clone(), timeout: args.timeout.clone(), ..Measurement::default() };
    let context = Context::load(Request {
        selection: &args.selection,
        store: &args.store,
        measurement: &measurement,
        args: &args.args,
        flags: Config::default(),
        remembered: Vec::new(),
    })?;
    context.must_have_targets()?;
    // Held to the end: another command would sweep our scratch directory away.
    let _store = Store::open(&context.state)?;
    let scratch = Scratch::new(&context.state)?;
    let mut warnings = Vec::new();
    let shim = clock_shim(&context, &mut warnings);
    for warning in warnings {
        shell.warn(warning);
    }
    let root = context.git.root().to_owned();
    let built = build_programs(&context, &context.workspace, &root, "head", &context.targets(), shell)?;
    let mut runner = LiveRunner::new(shim.as_ref(), scratch.path().as_std_path(), TIMEOUT);
    let subject = Subject::choose(&context, &built.programs, &scratch, &mut runner, shell)?;
    let budget = Budget {
        runs: args.runs.unwrap_or(USUAL_RUNS),
        // Who asks for a number of runs gets it.
        time: context.config.max_time.or_else(|| args.runs.is_none().then_some(USUAL_TIME)),
    };
    subject.test(runner, context.margin(), size / 100.0, &budget, shell)
}
