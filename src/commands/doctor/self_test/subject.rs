//! The workload of a self-test: chosen, copied, calibrated, and measured against itself by turns.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::SelfTestError;
use crate::analysis::ClockResult;
use crate::commands::context::Context;
use crate::doctor::SelfTest;
use crate::doctor::self_test::{Injection, One, Slowed, Verdicts, smallest_detectable};
use crate::error::Result;
use crate::evidence::{Driven, Program, enumerate};
use crate::figures;
use crate::measure::calibrate::{PAIRS, calibrate};
use crate::measure::harness::Harness;
use crate::measure::{
    Calibration, ClockKind, HarnessError, Job, LiveRunner, Reading, Role, Runner, Settings, Side, Statistic, WorkloadKind,
    measure,
};
use crate::shell::Shell;
use crate::sides::Scratch;
use crate::stats::{Margins, SplitMix64};

/// Makes the preloaded clock of one side run at so many thousandths of its speed.
const CLOCK_SPEED: &str = "PERF_EXPERT_CLOCK_PER_MILLE";

/// How much is measured.
pub(super) struct Budget {
    /// Verdicts of each kind.
    pub(super) runs: usize,
    /// When to stop; a verdict that is not done then does not count.
    pub(super) time: Option<Duration>,
}

/// The chosen workload, ready to be measured against itself.
pub(super) struct Subject {
    job: Job,
    injection: Injection,
}

impl Subject {
    /// The first workload that runs: benches first, because binaries are run only when they are configured or named.
    pub(super) fn choose(
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
                work: None,
                objectives: Vec::new(),
            },
        }
    }

    /// Verdicts with and without the slowdown by turns, so that both see the same machine.
    pub(super) fn test(
        &self,
        runner: LiveRunner<'_>,
        margin: f64,
        size: f64,
        budget: &Budget,
        shell: &mut Shell,
    ) -> Result<SelfTest> {
        let workload = &self.job.workload;
        let what = format!("`{}` against itself, and {} slower", workload.id, figures::share(size));
        shell.status("Measuring", what);
        let bar = shell.progress("Measuring", Some(2 * budget.runs as u64));
        let start = Instant::now();
        let mut injected = Injected { inner: runner, factor: 1.0 };
        let mut seeds = SplitMix64::new(SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_nanos() as u64));
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
