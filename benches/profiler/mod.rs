//! Lets `cargo bench -- --profile-time 5` write a pprof profile beside criterion's results.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use criterion::profiler::Profiler;
use pprof::protos::Message;
use pprof::{ProfilerGuard, ProfilerGuardBuilder};

/// Samples per second asked for; the kernel's tick is the limit.
const FREQUENCY: i32 = 499;

/// Samples a benchmark with pprof-rs and writes `profile.pb` into its directory.
#[derive(Default)]
pub(crate) struct PprofProfiler {
    running: Option<ProfilerGuard<'static>>,
}

impl Profiler for PprofProfiler {
    fn start_profiling(&mut self, _id: &str, _dir: &Path) {
        self.running =
            ProfilerGuardBuilder::default().frequency(FREQUENCY).blocklist(&["libc", "libgcc", "pthread", "vdso"]).build().ok();
    }

    fn stop_profiling(&mut self, _id: &str, dir: &Path) {
        let Some(running) = self.running.take() else { return };
        let written = running.report().build().and_then(|report| report.pprof()).ok().and_then(|profile| {
            let bytes = profile.encode_to_vec();
            std::fs::create_dir_all(dir).ok()?;
            File::create(dir.join("profile.pb")).ok()?.write_all(&bytes).ok()
        });
        assert!(written.is_some(), "the profile could not be written to {}", dir.display());
    }
}
