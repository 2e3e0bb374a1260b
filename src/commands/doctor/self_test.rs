//! The self-test: one of the user's own workloads against itself, again and again, with and without an injected slowdown.
//!
//! The real machinery measures: three copies at paths of equal length, rounds of fresh processes, looks, the margin of the
//! configuration. The stored baseline is neither read nor written.

use std::time::{Duration, Instant};

use crate::analysis::ClockResult;
use crate::cli::{DoctorArgs, Measurement};
use crate::commands::context::{Context, Request, TIMEOUT};
use crate::config::Config;
use crate::doctor::SelfTest;
use crate::doctor::self_test::{Injection, One, Slowed, Verdicts, smallest_detectable};
use crate::error::{Expected, Result};
use crate::evidence::{Driven, Program, enumerate};
use crate::exit::Exit;
use crate::figures;
use crate::measure::calibrate::{PAIRS, calibrate};
use crate::measure::harness::Harness;
use crate::measure::{
    Calibration, ClockKind, HarnessError, Job, LiveRunner, Reading, Role, Runner, Settings, Side, Statistic, WorkloadKind,
    measure,
};
use crate::shell::Shell;
use crate::sides::{Scratch, build_programs, clock_shim};
use crate::stats::{Margins, SplitMix64};
use crate::store::Store;

/// Ends after this time unless `--max-time` or `--runs` say otherwise.
const USUAL_TIME: Duration = Duration::from_secs(120);
/// Verdicts of each kind that are made at most unless `--runs` says otherwise: the upper end of no alarm is 7 % then.
const USUAL_RUNS: usize = 50;
/// The slowdown that a benchmark should show (`DESIGN.md` §13), in per cent.
const USUAL_SLOWDOWN: f64 = 5.0;

/// Makes the shim's clock of one side run by so many thousandths of the true speed.
const CLOCK_SPEED: &str = "PERF_EXPERT_CLOCK_PER_MILLE";

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

struct Budget {
    runs: usize,
    time: Option<Duration>,
}

/// The chosen workload, ready to be measured against itself.
struct Subject {
    job: Job,
    injection: Injection,
}

impl Subject {
    /// The first workload that runs: benches first, because binaries are run only when they are configured or named.
    fn choose(
        context: &Context,
        programs: &[Program],
        scratch: &Scratch,
        runner: &mut LiveRunner<'_>,
        shell: &mut Shell,
    ) -> Result<Self> {
        let listing = scratch.path().join("list");
        fs_err::create_dir_all(&listing)?;
        let root = context.git.root();
        let mut found = enumerate(programs, root, &context.filter, &listing)?;
        found.workloads.sort_by_key(|driven| driven.workload.kind == WorkloadKind::Binary);
        let mut problems: Vec<String> = found.skipped.iter().map(|one| format!("{}: {}", one.name, one.reason)).collect();
        for driven in &found.workloads {
            let of_workload = |program: &&Program| {
                program.package == driven.workload.package
                    && program.target == driven.workload.target
                    && program.kind == driven.workload.kind
            };
            let Some(program) = programs.iter().find(of_workload) else { continue };
            let side = |role: &str| -> Result<Side> {
                let executable = scratch.copy(&program.executable, &format!("run-0/{role}"))?;
                Ok(Program { executable, ..program.clone() }.side(root))
            };
            let (base, head, copy) = (side("base")?, side("head")?, side("copy")?);
            shell.status("Calibrating", format!("`{}`", driven.workload.id));
            match calibrate(runner, &driven.workload, &base, &copy, PAIRS) {
                Ok(calibration) => return Ok(Self::new(driven, base, head, copy, calibration)),
                Err(error) if error.is_workload_failure() => problems.push(error.to_string()),
                Err(error) => return Err(error.into()),
            }
        }
        Err(SelfTestError::NothingRan(problems).into())
    }

    fn new(driven: &Driven, base: Side, head: Side, control: Side, calibration: Calibration) -> Self {
        let preloaded = calibration.clock.clock == ClockKind::Cpu && driven.harness != Harness::Process;
        let noise = calibration.noise;
        Self {
            injection: if preloaded { Injection::Clock } else { Injection::Readings },
            job: Job {
                workload: driven.workload.clone(),
                base,
                head,
                control,
                clock: calibration.clock,
                statistic: noise.map_or(Statistic::Median, |noise| noise.statistic),
                priority: 1.0,
                gating: true,
                round_cost: noise.map(|noise| noise.cost(1)),
            },
        }
    }

    /// Verdicts with and without the slowdown by turns, so that both see the same machine.
    fn test(&self, runner: LiveRunner<'_>, margin: f64, size: f64, budget: &Budget, shell: &mut Shell) -> Result<SelfTest> {
        let workload = &self.job.workload;
        let what = format!("`{}` against itself, and {} slower", workload.id, figures::share(size));
        shell.status("Measuring", what);
        let bar = shell.progress("Measuring", Some(2 * budget.runs as u64));
        let start = Instant::now();
        let mut injected = Injected { inner: runner, factor: 1.0 };
        let mut seeds = SplitMix64::new(start.elapsed().subsec_nanos().into());
        let (mut same, mut slowed) = (Vec::new(), Vec::new());
        while same.len() < budget.runs {
            for (slow, trials) in [(false, &mut same), (true, &mut slowed)] {
                let job = self.prepared(slow.then_some(size), &mut injected);
                let settings = Settings {
                    margins: Margins::with_delta(margin),
                    max_time: budget.time.map(|limit| limit.saturating_sub(start.elapsed())),
                    seed: seeds.next_u64(),
                    ..Settings::default()
                };
                let began = Instant::now();
                let session = measure(std::slice::from_ref(&job), &mut injected, &settings, |progress| {
                    let kind = if slow { "slowed down" } else { "the same code" };
                    bar.set_message(format!("{kind}: {} of {} rounds", progress.rounds, progress.next_look));
                })?;
                for measured in &session.measured {
                    if measured.outcome.is_none() && measured.failures.hopeless().is_some() {
                        return Err(
                            SelfTestError::Failing { workload: workload.id.clone(), reason: measured.reason.clone() }.into()
                        );
                    }
                    trials.push(One::new(measured, began.elapsed().as_secs_f64()));
                }
                bar.inc();
            }
            if budget.time.is_some_and(|limit| start.elapsed() >= limit) || is_cut_short(&slowed) {
                break;
            }
        }
        bar.finish();
        self.result(&same, &slowed, margin, size, start.elapsed().as_secs_f64())
    }

    /// The job of one verdict, with or without the slowdown.
    fn prepared(&self, slowdown: Option<f64>, runner: &mut Injected<'_>) -> Job {
        let mut job = self.job.clone();
        runner.factor = 1.0;
        match (slowdown, self.injection) {
            (Some(size), Injection::Clock) => {
                let speed = (1000.0 * (1.0 + size)).round() as u32;
                job.head.env.push((CLOCK_SPEED.into(), speed.to_string().into()));
            }
            (Some(size), Injection::Readings) => runner.factor = 1.0 + size,
            (None, _) => {}
        }
        job
    }

    fn result(&self, same: &[One], slowed: &[One], margin: f64, size: f64, seconds: f64) -> Result<SelfTest> {
        let workload = &self.job.workload;
        let (alike, slower) = (Verdicts::of(same), Verdicts::of(slowed));
        if alike.n == 0 || slower.n == 0 {
            let seconds = self.job.round_cost.unwrap_or_default().as_secs_f64();
            return Err(SelfTestError::NoTime { workload: workload.id.clone(), seconds }.into());
        }
        let all = || same.iter().chain(slowed);
        let clock = match self.job.clock.clock {
            ClockKind::Cpu => "cpu",
            ClockKind::Wall => "wall",
        };
        Ok(SelfTest {
            workload: workload.id.clone(),
            package: workload.package.clone(),
            target: workload.target.clone(),
            clock: ClockResult { clock: clock.into(), reason: self.job.clock.reason.clone() },
            margin,
            false_alarms: alike.false_alarms(),
            same: alike,
            slowed: Slowed { size, injection: self.injection, found: slower.found(), verdicts: slower },
            smallest_detectable: smallest_detectable(all()),
            seconds,
            cut_short: all().filter(|one| one.outcome.is_none()).count(),
        })
    }
}

fn is_cut_short(trials: &[One]) -> bool {
    trials.last().is_some_and(|one| one.outcome.is_none())
}

/// Runs sides as they are, and multiplies what head took.
struct Injected<'a> {
    inner: LiveRunner<'a>,
    factor: f64,
}

impl Runner for Injected<'_> {
    fn run_side(&mut self, job: &Job, role: Role) -> std::result::Result<Reading, HarnessError> {
        let mut reading = self.inner.run_side(job, role)?;
        if role == Role::Head {
            reading.latency.median *= self.factor;
            reading.latency.min *= self.factor;
        }
        Ok(reading)
    }
}
