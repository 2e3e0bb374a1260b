//! Links one executable again and again, its functions in another order each time.
//!
//! The last crate is compiled once more, exactly as before, only that rustc keeps its object files and prints how it called
//! the linker; without a seed that call makes the same machine code again (tested). Each further link costs what the linker
//! takes. Does not measure, and leaves the executable of the ordinary build as it was.

mod command;

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::build::configured;
use super::{BuildRequest, TargetKind, Workspace, WorkspaceError};
use crate::process::{Tool, ToolError};
use command::Call;

/// Why an executable cannot be linked again; a fragment that says why layout was not varied.
#[derive(Debug, thiserror::Error)]
pub enum RelinkError {
    /// The compiler took too long: fat LTO of something large.
    #[error("compiling it once more took longer than {} s", PATIENCE.as_secs())]
    TooSlow,
    /// It did not compile a second time.
    #[error("it could not be compiled once more")]
    DoesNotBuild,
    /// `cargo rustc` builds a binary with the profile `bench` as its unit tests; only `release` will do instead, if it is equal.
    #[error("`[profile.bench]` has settings of its own, which `cargo rustc` does not apply to a binary")]
    BenchProfile,
    /// rustc printed nothing that looks like a linker's command line.
    #[error("the compiler did not say how it links")]
    NotPrinted,
    /// Neither the linker of the build nor the toolchain's own can shuffle.
    #[error("no linker here can reorder functions (LLD can)")]
    NoLinker,
    /// Something of the system's.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// Something of the system's.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Something of the workspace's.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

/// An executable has a minute and a half to be compiled; criterion benches take 1 to 4 s.
const PATIENCE: Duration = Duration::from_secs(90);
/// One link; 0.2 s for 20 MB.
const LINKING: Duration = Duration::from_secs(30);

/// An executable whose object files lie ready. They are removed with it.
#[derive(Debug)]
pub struct Relinkable {
    call: Call,
    cwd: Utf8PathBuf,
    /// Where the toolchain's own LLD is, for cc.
    own_lld: Option<Utf8PathBuf>,
    leftovers: Vec<Utf8PathBuf>,
}

/// The linker that made a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linker {
    /// The one that the build uses.
    OfTheBuild,
    /// The toolchain's LLD, because the build's own cannot shuffle.
    ToolchainLld,
}

impl Relinkable {
    /// Compiles the one target of `request` once more and keeps what the linker needs.
    ///
    /// `built` is the executable of the ordinary build, if it lies in the request's target directory: it is put back should
    /// cargo replace it.
    pub fn prepare(workspace: &Workspace, request: &BuildRequest<'_>, built: Option<&Utf8Path>) -> Result<Self, RelinkError> {
        let Some(target) = request.targets.first() else { return Err(RelinkError::DoesNotBuild) };
        let mut request = request.clone();
        if target.kind == TargetKind::Bin && request.profile.unwrap_or("bench") == "bench" {
            if has_bench_profile(workspace)? {
                return Err(RelinkError::BenchProfile);
            }
            request.profile = Some("release");
        }
        let _put_back = built.map(Kept::new).transpose()?;
        let tool = configured(workspace.cargo.tool().arg("rustc"), workspace, &request, target.kind, &[target]);
        let tool = tool.args(["--", "--print", "link-args", "-C", "save-temps"]).timeout(PATIENCE);
        let output = match tool.run() {
            Err(ToolError::TimedOut { .. }) => return Err(RelinkError::TooSlow),
            other => other?,
        };
        if !output.success() {
            return Err(RelinkError::DoesNotBuild);
        }
        let text = output.text();
        let call = text.lines().filter(|line| !line.starts_with('{')).find_map(Call::parse).ok_or(RelinkError::NotPrinted)?;
        let mut leftovers = leftovers(call.output());
        leftovers.extend(call.private_directory());
        // While it is there, cargo would find it fresh the next time, and not run the compiler.
        if built != Some(call.output()) {
            leftovers.push(call.output().to_owned());
        }
        Ok(Self { call, cwd: workspace.root().to_owned(), own_lld: own_lld(workspace), leftovers })
    }

    /// Links to `output`; `seed` decides the order of the functions, none leaves it as it was.
    pub fn link(&self, seed: Option<u32>, output: &Utf8Path) -> Result<Linker, RelinkError> {
        let shuffle = seed.map(|seed| format!("-Wl,--shuffle-sections=.text*={seed}"));
        if self.run(shuffle.iter().cloned(), output)? {
            return Ok(Linker::OfTheBuild);
        }
        let Some(dir) = &self.own_lld else { return Err(RelinkError::NoLinker) };
        let lld = [format!("-B{dir}"), "-fuse-ld=lld".to_owned()];
        if self.run(lld.into_iter().chain(shuffle), output)? { Ok(Linker::ToolchainLld) } else { Err(RelinkError::NoLinker) }
    }

    fn run(&self, more: impl Iterator<Item = String>, output: &Utf8Path) -> Result<bool, RelinkError> {
        let mut tool = Tool::new(&self.call.program).args(self.call.args_to(output)).args(more);
        for (name, value) in &self.call.env {
            tool = tool.env(name, value);
        }
        let ended = tool.cwd(&self.cwd).timeout(LINKING).run()?;
        Ok(ended.success() && output.is_file())
    }
}

impl Drop for Relinkable {
    fn drop(&mut self) {
        for path in &self.leftovers {
            let _gone = if path.is_dir() { fs_err::remove_dir_all(path) } else { fs_err::remove_file(path) };
        }
    }
}

/// Puts an executable back that cargo replaces meanwhile (it links the newest `release/tool` to that place).
struct Kept {
    place: Utf8PathBuf,
    copy: tempfile::TempPath,
}

impl Kept {
    fn new(place: &Utf8Path) -> std::io::Result<Self> {
        let dir = place.parent().unwrap_or(Utf8Path::new("."));
        let copy = tempfile::Builder::new().prefix(".kept-").tempfile_in(dir)?.into_temp_path();
        fs_err::copy(place, &copy)?;
        Ok(Self { place: place.to_owned(), copy })
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let same = |path: &std::path::Path| std::fs::read(path).ok();
        if same(self.place.as_std_path()) == same(&self.copy) {
            return;
        }
        // A new file: what lies there may share its contents with the copy that cargo keeps.
        let _rebuilt_next_time = fs_err::remove_file(&self.place).and_then(|()| fs_err::copy(&self.copy, &self.place));
    }
}

/// What `save-temps` left beside an executable: `name-hash.….o`, `.bc`, and the compiler's temporary directories.
fn leftovers(executable: &Utf8Path) -> Vec<Utf8PathBuf> {
    let (Some(dir), Some(name)) = (executable.parent(), executable.file_name()) else { return Vec::new() };
    let Ok(entries) = dir.read_dir_utf8() else { return Vec::new() };
    let ours = |file: &str| file.strip_prefix(name).is_some_and(|rest| rest.starts_with('.') && rest != ".d");
    let temporary = |entry: &camino::Utf8DirEntry| entry.file_name().starts_with("rmeta") && entry.path().is_dir();
    let left = entries.flatten().filter(|entry| ours(entry.file_name()) || temporary(entry));
    left.map(camino::Utf8DirEntry::into_path).collect()
}

fn has_bench_profile(workspace: &Workspace) -> Result<bool, RelinkError> {
    let text = fs_err::read_to_string(workspace.root().join("Cargo.toml"))?;
    Ok(text.lines().any(|line| line.trim_start().starts_with("[profile.bench")))
}

/// rustup's toolchains bring `rust-lld` and a directory that makes cc find it as `ld.lld`.
fn own_lld(workspace: &Workspace) -> Option<Utf8PathBuf> {
    let sysroot = workspace.cargo.sysroot().ok()?;
    let dir = Utf8PathBuf::from(sysroot).join("lib/rustlib").join(workspace.rustc.host()?).join("bin/gcc-ld");
    dir.join("ld.lld").is_file().then_some(dir)
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
