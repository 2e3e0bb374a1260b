//! Links one executable again and again, its functions in another order each time.
//!
//! The last crate is compiled once more, exactly as before, only that rustc keeps its object files and prints how it called
//! the linker; without a seed that call makes the same machine code again (tested). Each further link costs what the linker
//! takes. Does not measure, and leaves the executable of the ordinary build as it was.

mod command;
mod listed;
mod order;
mod profile;

use std::cell::OnceCell;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::build::configured;
use super::{BuildRequest, SameCode, TargetKind, Workspace, WorkspaceError, machine_code};
use crate::process::{Tool, ToolError};
use command::Call;
use listed::Listed;

/// Why an executable cannot be linked again; a fragment that says why layout was not varied.
#[derive(Debug, thiserror::Error)]
pub enum RelinkError {
    /// The compiler took too long: fat LTO of something large.
    #[error("compiling it once more took longer than {} s", .0.as_secs())]
    TooSlow(Duration),
    /// It did not compile a second time.
    #[error("it could not be compiled once more")]
    DoesNotBuild,
    /// `cargo rustc` builds a binary with the profile `bench` as its unit tests, and `release` with its settings came out otherwise.
    #[error("`cargo rustc` does not build a binary as `[profile.bench]` does")]
    BenchProfile,
    /// rustc printed nothing that looks like a linker's command line.
    #[error("the compiler did not say how it links")]
    NotPrinted,
    /// Neither the linker of the build nor the toolchain's own can reorder functions.
    #[error("no linker here can reorder functions (LLD and GNU ld can)")]
    NoLinker,
    /// One takes the option or the list, and the functions lie as before: a wrapper that drops arguments, for one.
    #[error("the linker was asked for another order of functions and kept the one that it had")]
    OrderKept,
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

/// One link; 0.2 s for 20 MB.
const LINKING: Duration = Duration::from_secs(30);

/// An executable whose object files lie ready. They are removed with it.
#[derive(Debug)]
pub struct Relinkable {
    call: Call,
    cwd: Utf8PathBuf,
    /// Where the toolchain's own LLD is, for cc.
    own_lld: Option<Utf8PathBuf>,
    /// Found out by the first link.
    way: OnceCell<Way>,
    leftovers: Vec<Utf8PathBuf>,
}

/// Who orders the functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linker {
    /// The one that the build uses shuffles them.
    OfTheBuild,
    /// The toolchain's LLD, because the build's own cannot shuffle.
    ToolchainLld,
    /// The build's own is GNU ld: it cannot shuffle, but it follows a list.
    GnuLd,
}

/// How to get another order.
#[derive(Debug)]
enum Way {
    Shuffle,
    ToolchainLld(Utf8PathBuf),
    Listed(Listed),
}

impl Relinkable {
    /// Compiles the one target of `request` once more and keeps what the linker needs.
    ///
    /// `built` is the executable of the ordinary build, if it lies in the request's target directory: it is put back should
    /// cargo replace it. Compiling may take `patience`.
    pub fn prepare(
        workspace: &Workspace,
        request: &BuildRequest<'_>,
        built: Option<&Utf8Path>,
        patience: Duration,
    ) -> Result<Self, RelinkError> {
        let Some(target) = request.targets.first() else { return Err(RelinkError::DoesNotBuild) };
        let mut request = request.clone();
        let stands_in = target.kind == TargetKind::Bin && request.profile.unwrap_or("bench") == "bench";
        if stands_in {
            request.profile = Some("release");
        }
        let put_back = built.map(Kept::new).transpose()?;
        let mut tool = configured(workspace.cargo.tool().arg("rustc"), workspace, &request, target.kind, &[target]);
        if stands_in {
            tool = with_bench_settings(tool, workspace)?;
        }
        let tool = tool.args(["--", "--print", "link-args", "-C", "save-temps"]).timeout(patience);
        let output = match tool.run() {
            Err(ToolError::TimedOut { .. }) => return Err(RelinkError::TooSlow(patience)),
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
        let made = Self { call, cwd: workspace.root().to_owned(), own_lld: own_lld(workspace), way: OnceCell::new(), leftovers };
        match &put_back {
            Some(kept) if stands_in && !made.is_like(&kept.copy)? => Err(RelinkError::BenchProfile),
            _ => Ok(made),
        }
    }

    /// Links to `output` in another order of the functions, which `seed` decides.
    pub fn link(&self, seed: u32, output: &Utf8Path) -> Result<Linker, RelinkError> {
        if let Some(way) = self.way.get() {
            return if self.linked(way, seed, output)? { Ok(way.linker()) } else { Err(RelinkError::NoLinker) };
        }
        let lld = self.own_lld.clone().map(Way::ToolchainLld);
        let mut refusal = RelinkError::NoLinker;
        for way in std::iter::once(Way::Shuffle).chain(lld) {
            match self.tried(&way, seed, output)? {
                Tried::Reorders => return Ok(self.way.get_or_init(|| way).linker()),
                Tried::KeepsTheOrder => refusal = RelinkError::OrderKept,
                Tried::Fails => {}
            }
        }
        let Some(way) = self.listed(output)?.map(Way::Listed) else { return Err(refusal) };
        match self.tried(&way, seed, output)? {
            Tried::Reorders => Ok(self.way.get_or_init(|| way).linker()),
            Tried::KeepsTheOrder => Err(RelinkError::OrderKept),
            Tried::Fails => Err(refusal),
        }
    }

    /// Links in two orders, that of `seed` last. A linker that exits with success may have ignored what it does not know.
    fn tried(&self, way: &Way, seed: u32, output: &Utf8Path) -> Result<Tried, RelinkError> {
        if !self.linked(way, seed ^ 1, output)? {
            return Ok(Tried::Fails);
        }
        let other = order::of(output)?;
        if !self.linked(way, seed, output)? {
            return Ok(Tried::Fails);
        }
        Ok(if order::of(output)? == other { Tried::KeepsTheOrder } else { Tried::Reorders })
    }

    /// Whether the objects make the machine code of `built`.
    fn is_like(&self, built: &std::path::Path) -> Result<bool, RelinkError> {
        let dir = tempfile::tempdir()?;
        let Ok(again) = Utf8PathBuf::from_path_buf(dir.path().join("again")) else { return Ok(false) };
        self.link_as_built(&again)?;
        let Some(built) = Utf8Path::from_path(built) else { return Ok(false) };
        Ok(!matches!(machine_code::compare(built, &again)?, SameCode::Different { .. }))
    }

    /// Links to `output` as the build did.
    pub fn link_as_built(&self, output: &Utf8Path) -> Result<(), RelinkError> {
        if self.run(&[], output)?.is_some() { Ok(()) } else { Err(RelinkError::NoLinker) }
    }

    fn linked(&self, way: &Way, seed: u32, output: &Utf8Path) -> Result<bool, RelinkError> {
        let shuffle = format!("-Wl,--shuffle-sections=.text*={seed}");
        let made = match way {
            Way::Shuffle => self.run(&[shuffle], output)?,
            Way::ToolchainLld(dir) => self.run(&[format!("-B{dir}"), "-fuse-ld=lld".to_owned(), shuffle], output)?,
            Way::Listed(listed) => {
                let script = tempfile::Builder::new().prefix(".order-").tempfile_in(output.parent().unwrap_or(output))?;
                fs_err::write(script.path(), listed.script(seed))?;
                self.run(&["-Xlinker".into(), "-T".into(), "-Xlinker".into(), script.path().display().to_string()], output)?
            }
        };
        Ok(made.is_some())
    }

    /// Asks the build's linker for its script; only GNU ld has one to print.
    fn listed(&self, output: &Utf8Path) -> Result<Option<Listed>, RelinkError> {
        let Some(said) = self.run(&["-Wl,--verbose".to_owned()], output)? else { return Ok(None) };
        Ok(Listed::new(&said, listed::functions(output)?))
    }

    /// What the linker printed, if it linked.
    fn run(&self, more: &[String], output: &Utf8Path) -> Result<Option<String>, RelinkError> {
        // A link that fails must not pass for made because an earlier one lies there.
        if output.exists() {
            fs_err::remove_file(output)?;
        }
        let mut tool = Tool::new(&self.call.program).args(self.call.args_to(output)).args(more);
        for (name, value) in &self.call.env {
            tool = tool.env(name, value);
        }
        let ended = tool.cwd(&self.cwd).timeout(LINKING).run()?;
        Ok((ended.success() && output.is_file()).then(|| ended.text()))
    }
}

/// What two links by one way showed.
enum Tried {
    Reorders,
    KeepsTheOrder,
    Fails,
}

impl Way {
    fn linker(&self) -> Linker {
        match self {
            Self::Shuffle => Linker::OfTheBuild,
            Self::ToolchainLld(_) => Linker::ToolchainLld,
            Self::Listed(_) => Linker::GnuLd,
        }
    }
}

impl Drop for Relinkable {
    fn drop(&mut self) {
        for path in &self.leftovers {
            let _gone = if path.is_dir() { fs_err::remove_dir_all(path) } else { fs_err::remove_file(path) };
        }
    }
}

/// What the linker that rustc called says of its version, asked as rustc chose it. `said` holds what `--print link-args` printed.
pub fn version_of_linker(said: &str) -> Option<String> {
    let call = said.lines().filter(|line| !line.starts_with('{')).find_map(Call::parse)?;
    let mut tool = Tool::new(&call.program).args(call.choice()).arg("-Wl,--version");
    for (name, value) in &call.env {
        tool = tool.env(name, value);
    }
    let ended = tool.timeout(LINKING).run().ok()?;
    ended.success().then(|| ended.text())
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

/// `tool`, a call of cargo that names `release`, with what `bench` has of its own.
fn with_bench_settings(mut tool: Tool, workspace: &Workspace) -> Result<Tool, RelinkError> {
    let manifest = fs_err::read_to_string(workspace.root().join("Cargo.toml"))?;
    for (name, value) in profile::variables(
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
    ) {
        tool = tool.env(name, value);
    }
    Ok(tool.args(profile::as_release(&manifest).ok_or(RelinkError::BenchProfile)?))
}

/// rustup's toolchains bring `rust-lld` and a directory that makes cc find it as `ld.lld`.
fn own_lld(workspace: &Workspace) -> Option<Utf8PathBuf> {
    let sysroot = workspace.cargo.sysroot().ok()?;
    let dir = Utf8PathBuf::from(sysroot).join("lib/rustlib").join(workspace.rustc.host()?).join("bin/gcc-ld");
    dir.join("ld.lld").is_file().then_some(dir)
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
