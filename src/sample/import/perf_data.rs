//! perf's own file, through `perf script` of the same machine: it knows every version, and finds programs by their build ids.

use std::time::Duration;

use camino::Utf8Path;

use super::ImportError;
use crate::process::{Tool, ToolError};

/// Wall time for naming all addresses; perf asks another program for each inlined one.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Larger files print more text than is read.
const MAX_BYTES: u64 = 128 << 20;

/// True for what `perf record` writes, in either byte order.
pub(super) fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PERFILE2") || bytes.starts_with(b"2ELIFREP")
}

/// What `perf script` prints of it.
pub(super) fn script(file: &Utf8Path) -> Result<Vec<u8>, ImportError> {
    let problem = |problem: String| ImportError::PerfData { file: file.to_string(), problem };
    let len = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
    if len > MAX_BYTES {
        return Err(problem(format!("it has {} MiB", len >> 20)));
    }
    let tool = Tool::new("perf").args(["script", "--force", "--no-demangle", "-i"]).arg(file.as_std_path());
    // Names come from files of this machine, not from the network.
    let tool = tool.env("DEBUGINFOD_URLS", "").timeout(TIMEOUT);
    match tool.run_checked() {
        Ok(output) => Ok(output.stdout),
        Err(ToolError::Spawn { .. }) => Err(problem("`perf` is not installed here".into())),
        Err(error) => Err(problem(error.to_string())),
    }
}
