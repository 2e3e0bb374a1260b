//! A program of a few lines, built by the user's cargo with the user's configuration, as benchmarks are built.
//!
//! What it can be used for (sampling, tracing, the preloaded clock) is for the checks to say.

use std::path::{Path, PathBuf};
use std::time::Duration;

use camino::Utf8Path;
use cargo_metadata::Message;

use super::existing;
use crate::error::Expected;
use crate::exit::Exit;
use crate::process::{Launch, Limits, ToolError};
use crate::workspace::Cargo;

/// A workspace of its own, wherever the directory lies.
const MANIFEST: &str = "[package]\nname = \"perf-expert-trial\"\nversion = \"0.0.0\"\nedition = \"2018\"\n[workspace]\n";
/// Computes for as many milliseconds as its argument says, by the clock that benchmarks use.
const SOURCE: &str = r#"fn main() {
    let wanted = std::env::args().nth(1).and_then(|millis| millis.parse().ok()).unwrap_or(0);
    let (start, mut x) = (std::time::Instant::now(), 1u64);
    while start.elapsed().as_millis() < wanted {
        for _ in 0..1000 {
            x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        }
    }
    println!("{}", x);
}
"#;
/// A cold cargo on a loaded machine takes seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// Why there is no such program.
#[derive(Debug, thiserror::Error)]
pub(super) enum TrialError {
    /// No directory to build in.
    #[error("there is no directory to build in")]
    Io(#[from] std::io::Error),
    /// cargo could not be run.
    #[error("a program of ten lines does not build")]
    Build(#[source] ToolError),
    /// cargo, the compiler or the linker refused.
    #[error("a program of ten lines does not build: {said}")]
    Refused {
        /// What was said first.
        said: String,
    },
    /// cargo succeeded and named no executable.
    #[error("cargo built a program of ten lines and named no executable")]
    NoExecutable,
}

impl Expected for TrialError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Io(error) => error.hint(),
            Self::Build(error) => error.hint(),
            Self::Refused { .. } => Some(
                "make `cargo build` work here first: install a C compiler and linker, look at RUSTFLAGS and .cargo/config.toml"
                    .into(),
            ),
            Self::NoExecutable => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Build(error) => error.exit(),
            _ => Exit::Incomplete,
        }
    }
}

/// The built program; its directory goes with it.
#[derive(Debug)]
pub(super) struct Trial {
    dir: tempfile::TempDir,
    executable: PathBuf,
    linker: Option<String>,
}

impl Trial {
    /// Builds it, where evidence is kept if that is possible: there, benchmarks are built and run.
    pub(super) fn build(cargo: &Cargo, target: Option<&str>, state: Option<&Utf8Path>) -> Result<Self, TrialError> {
        let dir = workshop(state)?;
        let manifest = dir.path().join("Cargo.toml");
        fs_err::write(&manifest, MANIFEST)?;
        fs_err::create_dir(dir.path().join("src"))?;
        fs_err::write(dir.path().join("src/main.rs"), SOURCE)?;
        let built = dir.path().join("target");
        let mut tool =
            cargo.tool().args(["rustc", "--release", "--offline", "--message-format=json-render-diagnostics", "--quiet"]);
        tool = tool.arg("--manifest-path").arg(&manifest).arg("--target-dir").arg(&built);
        if let Some(target) = target {
            tool = tool.arg("--target").arg(target);
        }
        for (name, value) in crate::workspace::build::profile_environment("release") {
            tool = tool.env(name, value);
        }
        let tool = tool.env("CARGO_BUILD_BUILD_DIR", &built).args(["--", "--print", "link-args"]);
        let output = tool.timeout(PATIENCE).run_checked().map_err(refused)?;
        let executable = Message::parse_stream(output.stdout.as_slice()).flatten().find_map(|message| match message {
            Message::CompilerArtifact(artifact) => artifact.executable,
            _ => None,
        });
        let executable = executable.ok_or(TrialError::NoExecutable)?;
        let linker = crate::workspace::relink::version_of_linker(&output.text());
        Ok(Self { dir, executable: executable.into_std_path_buf(), linker })
    }

    /// What the linker says when it is asked for its version; `None` when that is not known.
    pub(super) fn linker(&self) -> Option<&str> {
        self.linker.as_deref()
    }

    pub(super) fn executable(&self) -> &Path {
        &self.executable
    }

    /// A directory that goes with it.
    pub(super) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A run that computes for so long.
    pub(super) fn launch(&self, millis: u32) -> Launch {
        Launch::new(&self.executable, self.dir.path()).args([millis.to_string()])
    }

    /// The limits of such a run.
    pub(super) fn limits() -> Limits {
        Limits { timeout: Duration::from_secs(20), ..Limits::default() }
    }
}

/// Of a page of diagnostics, what went wrong.
fn refused(error: ToolError) -> TrialError {
    let ToolError::Failed { stderr, .. } = &error else { return TrialError::Build(error) };
    let mut said: Vec<&str> = stderr.lines().map(str::trim).filter(|line| line.contains("error")).take(2).collect();
    if said.is_empty() {
        said.extend(stderr.lines().last());
    }
    TrialError::Refused { said: said.join("; ") }
}

fn workshop(state: Option<&Utf8Path>) -> std::io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("doctor-");
    if let Some(state) = state
        && existing(state).is_some()
        && std::fs::create_dir_all(state).is_ok()
        && let Ok(dir) = builder.tempdir_in(state)
    {
        return Ok(dir);
    }
    builder.tempdir()
}
