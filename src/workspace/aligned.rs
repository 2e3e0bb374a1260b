//! Builds a target again with each of its functions at a multiple of 64 bytes, for where the linker cannot reorder them.
//!
//! `-align-all-functions=6` took the variance between links away; 5 made one kernel 13 % slower for good
//! (`reference/measurement.md` §4d). The flag is added to those that cargo would use, and the executable is looked at: a flag that
//! did not arrive must not be claimed. Functions of the standard library come compiled and stay where they are. Does not measure.

mod flags;

use std::time::Duration;

use camino::Utf8PathBuf;

use super::build::build_quietly;
use super::{BuildRequest, Workspace, WorkspaceError};
use crate::process::ToolError;

/// Bytes; a line of the cache on x86-64 and most of ARM64.
pub const ALIGNMENT: u64 = 64;
const FLAG: &str = "-Cllvm-args=-align-all-functions=6";

/// Why there is no aligned executable; a fragment.
#[derive(Debug, thiserror::Error)]
pub enum AlignError {
    /// Everything is compiled anew.
    #[error("building it with aligned functions took longer than {} s", .0.as_secs())]
    TooSlow(Duration),
    /// cargo said why, but nobody asked.
    #[error("it does not build with aligned functions")]
    DoesNotBuild,
    /// The compiler did not get the flag, or has another code generator.
    #[error("its functions did not come out aligned")]
    NotAligned,
    /// Something of the system's.
    #[error(transparent)]
    Tool(ToolError),
    /// Something of the system's.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Something of the workspace's.
    #[error(transparent)]
    Workspace(WorkspaceError),
}

impl From<WorkspaceError> for AlignError {
    fn from(error: WorkspaceError) -> Self {
        match error {
            WorkspaceError::DoesNotBuild { .. } => Self::DoesNotBuild,
            other => Self::Workspace(other),
        }
    }
}

/// Builds the one target of `request` aligned, in `request.target_dir`, which must be no one else's. Returns the executable.
pub fn build_aligned(workspace: &Workspace, request: &BuildRequest<'_>, patience: Duration) -> Result<Utf8PathBuf, AlignError> {
    let Some(target) = request.targets.first() else { return Err(AlignError::DoesNotBuild) };
    let more = flags::Appended::find(workspace);
    let executable = match build_quietly(workspace, request, |tool| more.to(tool, FLAG).timeout(patience)) {
        Err(WorkspaceError::Tool(ToolError::TimedOut { .. })) => return Err(AlignError::TooSlow(patience)),
        made => made?.path,
    };
    let package = workspace.member(&target.package);
    let crates = package.into_iter().flat_map(|package| &package.targets).map(|target| target.name.replace('-', "_"));
    let crates: Vec<String> = crates.chain([target.target.replace('-', "_")]).collect();
    let addresses = own_functions(&fs_err::read(&executable)?, &crates);
    let aligned = !addresses.is_empty() && addresses.iter().all(|address| address % ALIGNMENT == 0);
    if aligned { Ok(executable) } else { Err(AlignError::NotAligned) }
}

/// Where the functions lie whose mangled names have one of the crates.
fn own_functions(executable: &[u8], crates: &[String]) -> Vec<u64> {
    use object::{Object, ObjectSymbol, SymbolKind};
    let Ok(file) = object::File::parse(executable) else { return Vec::new() };
    // Both of Rust's schemes write a crate as its length and its name.
    let marks: Vec<String> = crates.iter().map(|name| format!("{}{name}", name.len())).collect();
    let is_own = |name: &str| marks.iter().any(|mark| name.contains(mark.as_str()));
    let functions = file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.is_definition());
    functions.filter(|symbol| symbol.name().is_ok_and(is_own)).map(|symbol| symbol.address()).collect()
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
