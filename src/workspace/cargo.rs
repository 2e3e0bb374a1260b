//! The cargo and the compiler that a side is built with.

use camino::Utf8PathBuf;
use cargo_metadata::cargo_platform::Cfg;

use super::WorkspaceError;
use crate::process::Tool;

/// How cargo is called for one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cargo {
    program: std::ffi::OsString,
    /// Where it starts. cargo takes its configuration and rustup the toolchain from here upwards.
    pub cwd: Utf8PathBuf,
    own_toolchain: bool,
}

impl Cargo {
    /// The cargo that called us (`$CARGO`), or the one on PATH, started in `cwd`.
    pub fn new(cwd: impl Into<Utf8PathBuf>) -> Self {
        let program = std::env::var_os("CARGO").filter(|program| !program.is_empty());
        Self { program: program.unwrap_or_else(|| "cargo".into()), cwd: cwd.into(), own_toolchain: false }
    }

    /// The same cargo, started elsewhere.
    #[must_use]
    pub fn at(&self, cwd: impl Into<Utf8PathBuf>) -> Self {
        Self { cwd: cwd.into(), ..self.clone() }
    }

    /// A cargo that lets rustup choose the toolchain anew for `cwd`: what chose ours is taken out of the environment.
    pub fn choosing_anew(cwd: impl Into<Utf8PathBuf>) -> Self {
        Self { program: "cargo".into(), cwd: cwd.into(), own_toolchain: true }
    }

    /// A call of cargo.
    pub fn tool(&self) -> Tool {
        self.prepared(Tool::new(&self.program))
    }

    fn prepared(&self, tool: Tool) -> Tool {
        let tool = tool.cwd(&self.cwd);
        if self.own_toolchain { tool.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO") } else { tool }
    }

    /// `cargo --version`.
    pub fn version(&self) -> Result<String, WorkspaceError> {
        Ok(self.tool().arg("--version").run_checked()?.text())
    }

    /// The compiler that cargo uses here (`$RUSTC`, or the one on PATH).
    pub fn rustc(&self) -> Result<Rustc, WorkspaceError> {
        Ok(Rustc { verbose: self.compiler().arg("-vV").run_checked()?.text() })
    }

    /// Where that compiler's toolchain lies.
    pub fn sysroot(&self) -> Result<String, WorkspaceError> {
        Ok(self.compiler().args(["--print", "sysroot"]).run_checked()?.text())
    }

    /// What that compiler sets for a platform (`rustc --print cfg`); `None` when it does not say.
    pub fn platform(&self, triple: &str) -> Option<Vec<Cfg>> {
        let said = self.compiler().args(["--print", "cfg", "--target", triple]).run_checked().ok()?.text();
        Some(said.lines().filter_map(|line| line.parse().ok()).collect())
    }

    fn compiler(&self) -> Tool {
        let program = std::env::var_os("RUSTC").filter(|program| !program.is_empty()).unwrap_or_else(|| "rustc".into());
        self.prepared(Tool::new(program))
    }
}

/// What `rustc -vV` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rustc {
    /// All of it.
    pub verbose: String,
}

impl Rustc {
    fn field(&self, name: &str) -> Option<&str> {
        self.verbose.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// First line: `rustc 1.95.0 (59807616e 2026-04-14)`.
    pub fn short(&self) -> &str {
        self.verbose.lines().next().unwrap_or_default()
    }

    /// The platform it runs on.
    pub fn host(&self) -> Option<&str> {
        self.field("host")
    }

    /// True if `#![feature(…)]` is accepted.
    pub fn allows_features(&self) -> bool {
        let release = self.field("release").unwrap_or_default();
        release.ends_with("-nightly") || release.ends_with("-dev") || std::env::var_os("RUSTC_BOOTSTRAP").is_some()
    }
}
