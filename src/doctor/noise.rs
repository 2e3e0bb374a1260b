//! What else uses the machine right now: pressure, load, time stolen by other guests.

use std::time::Duration;

use super::check::Check;

const ID: &str = "noise";
const TITLE: &str = "other load";

/// How long stolen time is watched: a few hundred ticks of 10 ms over all CPUs.
const WATCHED: Duration = Duration::from_millis(500);
/// Share of the last ten seconds in which a runnable task waited for a CPU (`Documentation/accounting/psi.rst`).
const MUCH_PRESSURE: f64 = 0.2;
/// Share of CPU time that the hypervisor gave to others.
const MUCH_STOLEN: f64 = 0.02;

/// What was seen; `None` where the system does not tell.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Seen {
    pressure: Option<f64>,
    load: Option<f64>,
    cpus: usize,
    busy: Option<f64>,
    stolen: Option<f64>,
}

pub(super) fn check() -> Check {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let before = times(&read("/proc/stat"));
    std::thread::sleep(WATCHED);
    let after = times(&read("/proc/stat"));
    let spent = before.zip(after).and_then(|(before, after)| after.since(before));
    judged(&Seen {
        pressure: pressure(&read("/proc/pressure/cpu")),
        load: read("/proc/loadavg").split_whitespace().next().and_then(|load| load.parse().ok()),
        cpus: std::thread::available_parallelism().map_or(1, usize::from),
        busy: spent.map(|(busy, _)| busy),
        stolen: spent.map(|(_, stolen)| stolen),
    })
}

fn judged(seen: &Seen) -> Check {
    let percent = crate::figures::share;
    let known = [
        seen.pressure.map(|share| format!("tasks waited for a CPU {} of the last 10 s", percent(share))),
        seen.load.map(|load| format!("load {load:.1} on {}", crate::figures::counted(seen.cpus, "CPU"))),
        seen.busy.map(|share| format!("CPUs {} busy", percent(share))),
        seen.stolen.filter(|share| *share > 0.0).map(|share| format!("{} stolen by other guests", percent(share))),
    ];
    let known: Vec<String> = known.into_iter().flatten().collect();
    let text = if known.is_empty() { "this system does not tell".into() } else { known.join(", ") };
    let waits = seen.pressure.is_some_and(|share| share > MUCH_PRESSURE);
    // Where there is no pressure file, a load above the CPUs means the same.
    let overloaded = seen.pressure.is_none() && seen.load.is_some_and(|load| load > seen.cpus as f64);
    let check = if waits || overloaded || seen.stolen.is_some_and(|share| share > MUCH_STOLEN) {
        Check::limited(ID, TITLE, format!("{text}: measuring takes longer and sees less"))
            .remedy("let other work end first; what this machine can see as it is: `cargo perf-expert doctor --self-test`")
    } else {
        Check::ok(ID, TITLE, text)
    };
    check
        .value("cpu_pressure_10s", seen.pressure)
        .value("load_1m", seen.load)
        .value("busy", seen.busy)
        .value("stolen", seen.stolen)
}

/// `some avg10=…` as a fraction.
fn pressure(text: &str) -> Option<f64> {
    let some = text.lines().find_map(|line| line.strip_prefix("some "))?;
    let percent: f64 = some.split_whitespace().find_map(|word| word.strip_prefix("avg10="))?.parse().ok()?;
    Some(percent / 100.0)
}

/// Ticks of all CPUs since boot (`proc_stat(5)`).
#[derive(Debug, Clone, Copy)]
struct Times {
    idle: u64,
    stolen: u64,
    all: u64,
}

fn times(stat: &str) -> Option<Times> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    // user nice system idle iowait irq softirq steal; guest time is in user already.
    let ticks: Vec<u64> = line.split_whitespace().take(8).map_while(|word| word.parse().ok()).collect();
    let tick = |index: usize| ticks.get(index).copied().unwrap_or(0);
    (ticks.len() >= 4).then(|| Times { idle: tick(3) + tick(4), stolen: tick(7), all: ticks.iter().sum() })
}

impl Times {
    /// Busy and stolen shares.
    fn since(self, before: Self) -> Option<(f64, f64)> {
        let all = self.all.checked_sub(before.all).filter(|ticks| *ticks > 0)? as f64;
        let share = |now: u64, then: u64| now.saturating_sub(then) as f64 / all;
        let stolen = share(self.stolen, before.stolen);
        Some(((1.0 - share(self.idle, before.idle) - stolen).max(0.0), stolen))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn files_of_the_kernel_are_read() {
        assert_eq!(pressure("some avg10=12.50 avg60=1.00 avg300=0.00 total=1\nfull avg10=0.00\n"), Some(0.125));
        assert_eq!(pressure(""), None);
        let (before, after) =
            (times("cpu  100 0 0 100 0 0 0 0 0 0\n").unwrap(), times("cpu  150 0 0 140 0 0 0 10 0 0\n").unwrap());
        assert_eq!(after.since(before), Some((0.5, 0.1)));
        assert_eq!(after.since(after), None);
    }

    #[test]
    fn pressure_and_stolen_time_limit_and_a_silent_system_does_not() {
        let seen = Seen { pressure: Some(0.0), load: Some(9.0), cpus: 2, busy: Some(0.1), stolen: Some(0.0) };
        assert_eq!(judged(&seen).status, Status::Ok, "load of what merely waits is no pressure");
        assert_eq!(judged(&Seen { pressure: Some(0.6), ..seen }).status, Status::Limited);
        assert_eq!(judged(&Seen { pressure: None, ..seen }).status, Status::Limited);
        assert_eq!(judged(&Seen { stolen: Some(0.1), ..seen }).status, Status::Limited);
        let silent = judged(&Seen { cpus: 2, ..Seen::default() });
        assert!(silent.status == Status::Ok && silent.values["stolen"].is_null());
    }
}
