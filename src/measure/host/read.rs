//! Reads the kernel's counters; where a file is missing, nothing is known.

use std::fs::read_to_string;
use std::time::Instant;

use super::{Contention, Snapshot, Waited, cpu_stat_files, pressure, processors, throttled};

/// Where cgroups are mounted everywhere (systemd, Docker, Kubernetes).
const CGROUPS: &str = "/sys/fs/cgroup";

/// The counters now. A few small files, microseconds each.
fn snapshot() -> Snapshot {
    let text = |path: &str| read_to_string(path).ok();
    let stalled = |resource: &str| text(&format!("/proc/pressure/{resource}")).and_then(|text| pressure(&text));
    let files = cpu_stat_files(&text("/proc/self/cgroup").unwrap_or_default());
    Snapshot {
        cpu_stalled: stalled("cpu"),
        io_stalled: stalled("io"),
        memory_stalled: stalled("memory"),
        processors: text("/proc/stat").and_then(|text| processors(&text)),
        throttled: files.iter().find_map(|file| throttled(&text(&format!("{CGROUPS}{file}"))?)),
    }
}

/// A stretch of time that is watched for neighbours.
#[derive(Debug, Clone, Copy)]
pub struct Watch {
    begun: Instant,
    before: Snapshot,
}

impl Watch {
    /// Begins to watch.
    pub fn begin() -> Self {
        Self { begun: Instant::now(), before: snapshot() }
    }

    /// What happened since, and to the processes that were measured meanwhile.
    pub fn end(self, waited: Waited) -> Contention {
        Contention::between(&self.before, &snapshot(), self.begun.elapsed(), waited)
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn counters_only_grow() {
        let (before, after) = (snapshot(), snapshot());
        let (before, after) = (before.processors.unwrap(), after.processors.unwrap());
        assert!(before.total > 0 && before.total <= after.total && before.stolen <= after.stolen);
    }
}
