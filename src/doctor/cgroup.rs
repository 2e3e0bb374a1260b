//! How much CPU the control group of this process may use (`Documentation/admin-guide/cgroup-v2.rst`, `cpu.max` and `cpu.stat`;
//! `Documentation/scheduler/sched-bwc.rst` for version 1).

use std::path::{Path, PathBuf};

/// A limit, and how often it took hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Limit {
    /// CPUs' worth of time.
    pub(super) cpus: f64,
    /// Periods in which the group was stopped, since it exists; `None` where it is not counted.
    pub(super) throttled: Option<u64>,
}

/// The tightest limit on the way from the group of this process up to the root; `None`: there is none, or it cannot be read.
pub(super) fn limit() -> Option<Limit> {
    let own = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let dirs = directories(&own, Path::new("/sys/fs/cgroup"));
    dirs.iter().filter_map(|dir| of(dir)).min_by(|a, b| a.cpus.total_cmp(&b.cpus))
}

/// Every directory that may hold a limit. Inside a container the path is that of the host and may not exist: then the mount's root
/// is the group.
fn directories(own: &str, mount: &Path) -> Vec<PathBuf> {
    let mut dirs = Vec::new();
    for line in own.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else { continue };
        let root = match controllers {
            "" => mount.to_owned(),
            names if names.split(',').any(|name| name == "cpu") => mount.join("cpu"),
            _ => continue,
        };
        let below = Path::new(path.trim_start_matches('/'));
        dirs.extend(below.ancestors().map(|part| root.join(part)));
    }
    dirs
}

fn of(dir: &Path) -> Option<Limit> {
    let read = |name: &str| std::fs::read_to_string(dir.join(name)).ok();
    let cpus = match read("cpu.max") {
        Some(text) => version_2(&text)?,
        None => version_1(&read("cpu.cfs_quota_us")?, &read("cpu.cfs_period_us")?)?,
    };
    Some(Limit { cpus, throttled: read("cpu.stat").and_then(|stat| throttled(&stat)) })
}

fn version_2(text: &str) -> Option<f64> {
    let mut words = text.split_whitespace();
    let (quota, period) = (words.next()?.parse::<f64>().ok()?, words.next()?.parse::<f64>().ok()?);
    (period > 0.0).then(|| quota / period)
}

fn version_1(quota: &str, period: &str) -> Option<f64> {
    let (quota, period) = (quota.trim().parse::<f64>().ok()?, period.trim().parse::<f64>().ok()?);
    (quota > 0.0 && period > 0.0).then(|| quota / period)
}

fn throttled(stat: &str) -> Option<u64> {
    stat.lines().find_map(|line| line.strip_prefix("nr_throttled ")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_both_versions() {
        assert_eq!((version_2("150000 100000\n"), version_2("max 100000\n"), version_2("")), (Some(1.5), None, None));
        assert_eq!((version_1("50000\n", "100000\n"), version_1("-1\n", "100000\n")), (Some(0.5), None));
        assert_eq!(throttled("nr_periods 9\nnr_throttled 4\nthrottled_usec 7\n"), Some(4));
    }

    #[test]
    fn the_tightest_group_on_the_way_up_counts() {
        let dir = tempfile::tempdir().unwrap();
        let leaf = dir.path().join("a/b");
        std::fs::create_dir_all(&leaf).unwrap();
        std::fs::write(dir.path().join("a/cpu.max"), "200000 100000\n").unwrap();
        std::fs::write(leaf.join("cpu.max"), "max 100000\n").unwrap();
        let dirs = directories("0::/a/b\n", dir.path());
        assert_eq!(dirs.iter().filter_map(|dir| of(dir)).map(|limit| limit.cpus).collect::<Vec<_>>(), [2.0]);
        assert!(directories("5:cpu,cpuacct:/x\n4:memory:/x\n", Path::new("/m")).contains(&PathBuf::from("/m/cpu/x")));
    }
}
