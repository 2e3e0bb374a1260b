//! The processors: how many may be used, and whether their speed is steady.

use super::cgroup::{self, Limit};
use super::check::Check;
use crate::figures::counted;

const CPUS: &str = "cpus";
const FREQUENCY: &str = "cpu-frequency";

pub(super) fn cpus() -> Check {
    let usable = std::thread::available_parallelism().map_or(1, usize::from);
    judged_cpus(usable, cgroup::limit())
}

fn judged_cpus(usable: usize, limit: Option<Limit>) -> Check {
    // A limit of all CPUs or more never takes hold.
    let limit = limit.filter(|limit| limit.cpus < usable as f64);
    let title = "CPUs";
    let usable_text = counted(usable, "CPU");
    let check = match limit {
        Some(limit) => {
            let often = limit.throttled.map_or_else(String::new, |times| format!(", and was stopped by it {times} times so far"));
            let text = format!(
                "{usable_text}, but the control group may use {:.2} of them{often}: rounds take longer, waits vary",
                limit.cpus
            );
            Check::limited(CPUS, title, text).remedy("raise the CPU limit of this container or slice (`--cpus`, `CPUQuota=`)")
        }
        None if usable == 1 => Check::limited(CPUS, title, "one CPU: whatever else runs delays the measured program")
            .remedy("measure where two CPUs are free"),
        None => Check::ok(CPUS, title, format!("{usable_text}, no limit by a control group")),
    };
    check
        .value("usable", usable)
        .value("cgroup_limit", limit.map(|limit| limit.cpus))
        .value("throttled_periods", limit.and_then(|limit| limit.throttled))
}

pub(super) fn frequency() -> Check {
    let read = |path: &str| std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    let governor = read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    let no_turbo = read("/sys/devices/system/cpu/intel_pstate/no_turbo").map(|flag| flag != "1");
    let boost = read("/sys/devices/system/cpu/cpufreq/boost").map(|flag| flag == "1");
    judged_frequency(governor.as_deref(), no_turbo.or(boost))
}

fn judged_frequency(governor: Option<&str>, turbo: Option<bool>) -> Check {
    let title = "CPU frequency";
    let boost = match turbo {
        Some(true) => ", turbo on",
        Some(false) => ", turbo off",
        None => "",
    };
    let check = match governor {
        None => Check::ok(FREQUENCY, title, format!("no governor to read (usual in virtual machines){boost}")),
        Some("performance") => Check::ok(FREQUENCY, title, format!("governor `performance`{boost}")),
        Some(other) => {
            let text = format!("governor `{other}`{boost}: speed follows load; rounds side by side cope, but need more of them");
            Check::limited(FREQUENCY, title, text).remedy("while measuring: `sudo cpupower frequency-set -g performance`")
        }
    };
    check.value("governor", governor).value("turbo", turbo)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn a_limit_counts_only_when_it_can_take_hold() {
        let limit = |cpus| Some(Limit { cpus, throttled: Some(7) });
        assert_eq!(judged_cpus(4, None).status, Status::Ok);
        assert_eq!(judged_cpus(4, limit(4.0)).status, Status::Ok);
        let limited = judged_cpus(4, limit(1.5));
        assert!(limited.status == Status::Limited && limited.summary.contains("7 times"), "{}", limited.summary);
        assert_eq!(judged_cpus(1, None).status, Status::Limited);
    }

    #[test]
    fn a_governor_that_is_not_there_is_no_fault() {
        assert_eq!(judged_frequency(None, None).status, Status::Ok);
        assert!(judged_frequency(None, None).values["turbo"].is_null());
        assert_eq!(judged_frequency(Some("performance"), Some(true)).status, Status::Ok);
        let moving = judged_frequency(Some("powersave"), Some(false));
        assert!(moving.status == Status::Limited && moving.summary.contains("turbo off"));
    }
}
