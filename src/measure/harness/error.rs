//! Why a workload gave no number.

use super::Side;
use crate::error::Expected;
use crate::exit::Exit;
use crate::measure::Workload;
use crate::process::{Finished, ProcessError};

/// A workload that could not be listed, run or read. `tail` is the end of its standard error, control characters removed.
#[derive(Debug, thiserror::Error)]
pub enum HarnessError {
    /// The program could not be run at all, or the user pressed Ctrl-C.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// It ended badly.
    #[error("`{workload}` ended with {outcome}{}", said(.tail))]
    Failed {
        /// Which workload.
        workload: String,
        /// "exit code 3", "signal 11".
        outcome: String,
        /// What it said last.
        tail: String,
    },
    /// It did not end.
    #[error("`{workload}` did not end within {seconds:.1} s{}", said(.tail))]
    TimedOut {
        /// Which workload.
        workload: String,
        /// The time it was given.
        seconds: f64,
        /// What it said last.
        tail: String,
    },
    /// The executable runs, but knows no such benchmark.
    #[error("the executable ran no benchmark `{id}`")]
    NotRun {
        /// The id it was asked for.
        id: String,
    },
    /// The result files make no sense.
    #[error("cannot read criterion's result for `{id}`: {problem}")]
    Result {
        /// The benchmark.
        id: String,
        /// What is wrong, with the file's name.
        problem: String,
    },
    /// The executable did not list benchmarks the way its harness does.
    #[error("`{executable}` did not list its benchmarks as {harness} does ({outcome}){}", said(.tail))]
    NotListed {
        /// criterion, divan, libtest or bencher.
        harness: &'static str,
        /// File name of the executable.
        executable: String,
        /// How it ended.
        outcome: String,
        /// What it said last.
        tail: String,
    },
    /// What the harness printed makes no sense.
    #[error("cannot read the result of `{id}`: {problem}")]
    Output {
        /// The benchmark.
        id: String,
        /// What is wrong.
        problem: String,
    },
    /// The harness prints too few digits for so short an iteration.
    #[error("`{id}` is timed in steps of {digit} ns, too coarse for {}", short(*.ns))]
    TooCoarse {
        /// The benchmark.
        id: String,
        /// The value of the last digit, nanoseconds.
        digit: f64,
        /// What an iteration takes, nanoseconds; `None` for less than a digit.
        ns: Option<f64>,
    },
    /// The side did not use the clock that the workload is measured with.
    #[error("`{workload}` did not use the CPU clock on this side, so the sides cannot be compared")]
    ClockNotUsed {
        /// Which workload.
        workload: String,
    },
    /// The scratch directory could not be used.
    #[error("cannot prepare a run")]
    Scratch(#[from] std::io::Error),
    /// A library could not be put into the launch.
    #[error("cannot preload a library")]
    Preload(#[from] crate::measure::preload::PreloadError),
}

fn said(tail: &str) -> String {
    if tail.is_empty() { String::new() } else { format!("; it said:\n{tail}") }
}

fn short(ns: Option<f64>) -> String {
    ns.map_or_else(|| "an iteration that takes less".to_owned(), |ns| format!("an iteration of {ns:.1} ns"))
}

impl HarnessError {
    pub(super) fn not_listed(harness: &'static str, side: &Side, finished: &Finished) -> Self {
        let executable = side.executable.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self::NotListed { harness, executable, outcome: finished.outcome(), tail: tail(finished) }
    }

    /// True when the workload itself failed on this side; false when our own machinery, the disk or the user is the cause.
    pub fn is_workload_failure(&self) -> bool {
        !matches!(self, Self::Process(_) | Self::Scratch(_) | Self::Preload(_))
    }

    /// True when the program itself crashed, failed or hung: what a head must not do where its base does not.
    pub fn is_failed_run(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::TimedOut { .. })
    }

    /// True when it did not end in time.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::TimedOut { .. })
    }
}

impl Expected for HarnessError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Process(source) => source.hint(),
            Self::Scratch(source) => source.hint(),
            Self::Preload(source) => source.hint(),
            Self::Failed { .. } => Some("run it with `cargo bench` to see it fail on its own".into()),
            Self::TimedOut { .. } => Some("set `timeout` for this workload in [package.metadata.perf-expert]".into()),
            Self::NotRun { .. } => Some("`cargo perf-expert list` shows the benchmarks that exist".into()),
            Self::NotListed { .. } => Some("a `harness = false` bench of another kind is measured as a whole program".into()),
            Self::TooCoarse { .. } => Some("let an iteration do more work".into()),
            Self::Result { .. } | Self::Output { .. } | Self::ClockNotUsed { .. } => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Process(source) => source.exit(),
            _ => Exit::Incomplete,
        }
    }
}

/// How much of a failing workload's last words goes into a message.
const TAIL_LINES: usize = 12;

/// The last words; from the panic message on, where there is one, since a backtrace would push it out.
pub(super) fn tail(finished: &Finished) -> String {
    let all = finished.stderr_tail(usize::MAX);
    let lines: Vec<&str> = all.lines().collect();
    let panic = lines.iter().rposition(|line| line.contains("panicked at "));
    let start = panic.unwrap_or(lines.len().saturating_sub(TAIL_LINES));
    lines.iter().skip(start).take(TAIL_LINES).copied().collect::<Vec<_>>().join("\n")
}

/// Anything but exit code 0 within the timeout is a failure.
pub(super) fn check_status(workload: &Workload, finished: &Finished) -> Result<(), HarnessError> {
    let name = || workload.id.clone();
    if finished.timed_out {
        return Err(HarnessError::TimedOut { workload: name(), seconds: finished.wall.as_secs_f64(), tail: tail(finished) });
    }
    if finished.success() {
        return Ok(());
    }
    Err(HarnessError::Failed { workload: name(), outcome: finished.outcome(), tail: tail(finished) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::harness::testing::finished;

    fn ended(code: i32, stderr: &str) -> Finished {
        Finished { code: Some(code), stderr: stderr.into(), ..finished("") }
    }

    #[test]
    fn a_panic_message_survives_its_backtrace() {
        let backtrace = "  1: frame\n".repeat(50);
        let stderr = format!("starting\nthread 'main' panicked at benches/a.rs:1:2:\non purpose\n{backtrace}");
        let words = tail(&ended(101, &stderr));
        assert!(
            words.starts_with("thread 'main' panicked") && words.contains("on purpose") && words.lines().count() == TAIL_LINES
        );
    }

    #[test]
    fn without_a_panic_the_last_lines_count() {
        let stderr = format!("first\n{}last\n", "middle\n".repeat(50));
        let words = tail(&ended(3, &stderr));
        assert!(words.ends_with("last") && !words.contains("first"));
        assert_eq!(tail(&ended(3, "")), "");
    }
}
