//! Builds a target again with each of its functions at a multiple of 64 bytes, for where the linker cannot reorder them.
//!
//! `-align-all-functions=6` took the variance between links away; 5 made one kernel 13 % slower for good
//! (`reference/measurement.md` §4d). The flag is added to those that cargo would use, and the executable is looked at: a flag that
//! did not arrive must not be claimed. Functions of the standard library come compiled and stay where they are. Does not measure.

mod flags;

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::build::build_quietly;
use super::{BuildRequest, Workspace, WorkspaceError};
use crate::process::ToolError;

pub use flags::UnknownPlace;

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
    /// The flag could take the place of the user's own.
    #[error(transparent)]
    Flags(#[from] UnknownPlace),
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
    let more = flags::Appended::find(workspace)?;
    let executable = match build_quietly(workspace, request, |tool| more.to(tool, FLAG).timeout(patience)) {
        Err(WorkspaceError::Tool(ToolError::TimedOut { .. })) => return Err(AlignError::TooSlow(patience)),
        made => made?.path,
    };
    let package = workspace.member(&target.package);
    let crates = package.into_iter().flat_map(|package| &package.targets).map(|target| target.name.replace('-', "_"));
    let libraries = compiled_crates(workspace)?;
    let crates = crates.chain([target.target.replace('-', "_")]);
    let crates: Vec<String> = crates.filter(|name| !comes_compiled(&libraries, name)).collect();
    let addresses = own_functions(&fs_err::read(&executable)?, &crates);
    let aligned = !addresses.is_empty() && addresses.iter().all(|address| address % ALIGNMENT == 0);
    if aligned { Ok(executable) } else { Err(AlignError::NotAligned) }
}

/// Where the functions lie that one of the crates defines.
fn own_functions(executable: &[u8], crates: &[String]) -> Vec<u64> {
    use object::{Object, ObjectSymbol, SymbolKind};
    let Ok(file) = object::File::parse(executable) else { return Vec::new() };
    let is_own = |symbol: &str| defining_crate(symbol).is_some_and(|defining| crates.contains(&defining));
    let functions = file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.is_definition());
    functions.filter(|symbol| symbol.name().is_ok_and(is_own)).map(|symbol| symbol.address()).collect()
}

/// The crate that a mangled name's path begins with: `one` of `one::f` and of `<one::Type as core::fmt::Debug>::fmt`.
/// `None` for a type of no crate (`<[T] as …>`) and what Rust did not mangle.
fn defining_crate(symbol: &str) -> Option<String> {
    let path = format!("{:#}", rustc_demangle::try_demangle(symbol).ok()?);
    let (first, _) = path.trim_start_matches('<').split_once("::")?;
    let is_name = !first.is_empty() && first.chars().all(|c| c.is_alphanumeric() || c == '_');
    is_name.then(|| first.to_owned())
}

/// Where the toolchain keeps its compiled crates.
fn compiled_crates(workspace: &Workspace) -> Result<Utf8PathBuf, WorkspaceError> {
    let triple = workspace.options.target.as_deref().or_else(|| workspace.rustc.host()).unwrap_or_default();
    Ok(Utf8PathBuf::from(workspace.cargo.sysroot()?).join("lib/rustlib").join(triple).join("lib"))
}

/// True where the toolchain brings a compiled crate of this name (`core`, and `memchr`, on which std depends): not in reach of
/// a flag, and not told from one's own by its name.
fn comes_compiled(libraries: &Utf8Path, name: &str) -> bool {
    let start = format!("lib{name}-");
    let Ok(mut entries) = libraries.read_dir_utf8() else { return false };
    entries.any(|entry| entry.is_ok_and(|entry| entry.file_name().starts_with(&start)))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
