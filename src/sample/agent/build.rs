//! Builds the library once per compiler and source, with the user's own cargo.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{Agent, AgentError};
use crate::process::{Tool, ToolOutput};

/// The embedded package. The lock file pins every crate, so that what is built is what was tried.
const MANIFEST: &str = include_str!("source/Cargo.toml.txt");
const LOCK: &str = include_str!("source/Cargo.lock.txt");
const SOURCE: &str = include_str!("source/lib.rs.txt");
/// What of the lock file is compiled on this platform, `name version` a line
/// (`cargo tree --target x86_64-unknown-linux-gnu -e normal,build`).
const CRATES: &str = include_str!("source/crates.txt");

/// Keeps the symbols of the agent's crates to itself (pprof-rs exports its signal handler): a program that has the same ones shall
/// have its own, and the agent its own. Separated as `CARGO_ENCODED_RUSTFLAGS` demands.
const FLAGS: &str = "-C\x1flink-arg=-Wl,--exclude-libs,ALL";

/// File name of the library; fixed by the package's name.
const LIBRARY: &str = "libperf_expert_agent.so";

/// How many lines of cargo's complaint a message shows.
const SAID: usize = 6;

/// What a build of the agent needs to know.
#[derive(Debug, Clone)]
pub struct AgentBuild<'a> {
    /// A call of cargo, started where the toolchain and the configuration of the workspace apply.
    pub cargo: Tool,
    /// `rustc -vV` of that toolchain.
    pub rustc: &'a str,
    /// Target triple of the workloads.
    pub platform: &'a str,
    /// The user forbids the network.
    pub offline: bool,
}

/// What [`AgentBuild::prepare`] would have to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outlook {
    /// Nothing: it was built before.
    Built,
    /// Compile what cargo's cache holds.
    Compile,
    /// Fetch these crates first (name and version), and then compile.
    Fetch(Vec<String>),
    /// It does not work for this platform.
    Unsupported,
}

/// Where built agents are kept for all projects: `cargo-perf-expert` in the user's cache directory (`XDG_CACHE_HOME`, or
/// `.cache` in `HOME`). `None` where there is none.
pub fn cache_dir() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")))?;
    Some(cache.join("cargo-perf-expert").join("agent"))
}

impl AgentBuild<'_> {
    /// The agent out of `cache`; builds it first when it is not there. `begin` is called before a build, which takes its time.
    pub fn prepare(&self, cache: &Path, begin: impl FnOnce()) -> Result<Agent, AgentError> {
        if !self.is_supported() {
            return Err(AgentError::Unsupported);
        }
        let library = std::path::absolute(cache)?.join(self.key()).join(LIBRARY);
        if !library.exists() {
            begin();
            self.build(cache, &library)?;
        }
        Agent::at(library)
    }

    /// Looks for the agent in `cache`, and for its crates in cargo's; builds and fetches nothing.
    pub fn outlook(&self, cache: &Path) -> Outlook {
        if !self.is_supported() {
            return Outlook::Unsupported;
        }
        if cache.join(self.key()).join(LIBRARY).exists() {
            return Outlook::Built;
        }
        let missing = missing_crates(&registry_caches());
        if missing.is_empty() { Outlook::Compile } else { Outlook::Fetch(missing) }
    }

    fn is_supported(&self) -> bool {
        cfg!(all(target_os = "linux", target_arch = "x86_64")) && is_supported(self.platform)
    }

    fn key(&self) -> String {
        let mut hash = Sha256::new();
        for part in [MANIFEST, LOCK, SOURCE, FLAGS, self.rustc, self.platform] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        let digest = hash.finalize();
        let key = digest.iter().take(8).fold(0u64, |key, byte| key << 8 | u64::from(*byte));
        format!("{key:016x}")
    }

    fn build(&self, cache: &Path, library: &Path) -> Result<(), AgentError> {
        fs_err::create_dir_all(cache)?;
        let workshop = tempfile::Builder::new().prefix(".agent-").tempdir_in(cache)?;
        let dir = workshop.path();
        for (name, text) in [("Cargo.toml", MANIFEST), ("Cargo.lock", LOCK), ("lib.rs", SOURCE)] {
            fs_err::write(dir.join(name), text)?;
        }
        // Without the network first: it is faster, and a proxy that hangs is not asked for what is there.
        let mut output = self.cargo(dir, true).run()?;
        if !output.success() && !self.offline && !missing_crates(&registry_caches()).is_empty() {
            output = self.cargo(dir, false).run()?;
        }
        if !output.success() {
            return Err(self.failure(&output));
        }
        let built = dir.join("target").join(self.platform).join("release").join(LIBRARY);
        let place = library.parent().unwrap_or(cache);
        fs_err::create_dir_all(place)?;
        // Two runs at once build the same file; the later rename wins and changes nothing.
        fs_err::rename(built, library)?;
        Ok(())
    }

    fn cargo(&self, dir: &Path, offline: bool) -> Tool {
        let mut tool = self.cargo.clone();
        tool = tool.args(["build", "--release", "--locked", "--target", self.platform, "--manifest-path"]);
        tool = tool.arg(dir.join("Cargo.toml")).arg("--target-dir").arg(dir.join("target"));
        if offline {
            tool = tool.arg("--offline");
        }
        // Flags for the user's own code (coverage, sanitizers, static linking, denied warnings) are not for this library.
        tool.env("CARGO_ENCODED_RUSTFLAGS", FLAGS)
            .env("CARGO_BUILD_BUILD_DIR", dir.join("target"))
            .env("CARGO_TERM_COLOR", "never")
            .env_remove("CARGO_BUILD_TARGET")
            .env_remove("CARGO_PROFILE_RELEASE_PANIC")
            .env_remove("CARGO_PROFILE_RELEASE_LTO")
    }

    fn failure(&self, output: &ToolOutput) -> AgentError {
        let said = said(&output.stderr);
        let crates = missing_crates(&registry_caches());
        if crates.is_empty() {
            return AgentError::Build { said };
        }
        AgentError::Crates { crates, offline: self.offline, said }
    }
}

/// pprof-rs 0.15 begins to unwind at the link register on aarch64, so the sampled function itself is never seen there
/// (`get_regs_from_context`); musl links statically, which preloading does not reach.
fn is_supported(platform: &str) -> bool {
    platform.starts_with("x86_64-") && platform.contains("linux-gnu")
}

/// cargo's own complaint, without the progress before it.
fn said(stderr: &str) -> String {
    let lines: Vec<&str> = stderr.lines().skip_while(|line| !line.starts_with("error")).take(SAID).collect();
    let clean = |line: &&str| line.replace(char::is_control, "");
    let text = lines.iter().map(clean).collect::<Vec<_>>().join("\n");
    text.strip_prefix("error: ").unwrap_or(&text).trim_end().to_owned()
}

/// Name and version of the crates that no registry's cache holds.
fn missing_crates(caches: &[PathBuf]) -> Vec<String> {
    let held = |name: &str| {
        let file = format!("{}.crate", name.replace(' ', "-"));
        caches.iter().any(|cache| cache.join(&file).exists())
    };
    CRATES.lines().filter(|name| !held(name)).map(str::to_owned).collect()
}

/// The directories of `$CARGO_HOME/registry/cache`, one per registry.
fn registry_caches() -> Vec<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let Some(Ok(entries)) = home.map(|home| std::fs::read_dir(home.join("registry").join("cache"))) else { return Vec::new() };
    entries.flatten().map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_crate_that_is_compiled_is_pinned_in_the_lock_file() {
        let pinned = |line: &str| {
            let (name, version) = line.split_once(' ').unwrap();
            LOCK.contains(&format!("name = \"{name}\"\nversion = \"{version}\"\nsource = "))
        };
        assert!(CRATES.lines().all(pinned) && CRATES.contains("pprof 0.15.0"), "{CRATES}");
    }

    #[test]
    fn crates_that_no_cache_holds_are_missing() {
        let dir = tempfile::tempdir().unwrap();
        let all = missing_crates(&[dir.path().to_owned()]).len();
        std::fs::write(dir.path().join("pprof-0.15.0.crate"), "").unwrap();
        let missing = missing_crates(&[dir.path().to_owned()]);
        assert_eq!(missing.len(), all - 1);
        assert!(!missing.iter().any(|name| name.starts_with("pprof")));
    }

    #[test]
    fn only_platforms_with_glibc_and_a_leaf_are_supported() {
        assert!(is_supported("x86_64-unknown-linux-gnu"));
        for other in ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-gnu", "x86_64-pc-windows-msvc"] {
            assert!(!is_supported(other), "{other}");
        }
    }

    #[test]
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    fn the_outlook_tells_what_is_there_without_building() {
        let dir = tempfile::tempdir().unwrap();
        let platform = "x86_64-unknown-linux-gnu";
        let build = AgentBuild { cargo: Tool::new("/nonexistent"), rustc: "rustc 1.95.0", platform, offline: true };
        assert!(matches!(build.outlook(dir.path()), Outlook::Compile | Outlook::Fetch(_)));
        let place = dir.path().join(build.key());
        std::fs::create_dir(&place).unwrap();
        std::fs::write(place.join(LIBRARY), "").unwrap();
        assert_eq!(build.outlook(dir.path()), Outlook::Built);
        assert_eq!(AgentBuild { platform: "aarch64-apple-darwin", ..build }.outlook(dir.path()), Outlook::Unsupported);
    }

    #[test]
    fn another_compiler_gets_another_agent() {
        let build = |rustc| AgentBuild { cargo: Tool::new("cargo"), rustc, platform: "x86_64-unknown-linux-gnu", offline: true };
        assert_eq!(build("rustc 1.95.0").key(), build("rustc 1.95.0").key());
        assert_ne!(build("rustc 1.95.0").key(), build("rustc 1.96.0").key());
    }

    #[test]
    fn what_cargo_said_begins_with_its_error() {
        let stderr = "    Updating index\n   Compiling x\nerror: no\u{1b}[31m linker\n  because\n";
        assert_eq!(said(stderr), "no[31m linker\n  because");
    }

    #[test]
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    fn a_build_that_fails_leaves_nothing_and_says_what_cargo_said() {
        let dir = tempfile::tempdir().unwrap();
        let cache = dir.path().join("cache");
        let cargo = Tool::new("sh").args(["-c", "echo 'error: no linker' >&2; exit 1", "cargo"]);
        let build = AgentBuild { cargo, rustc: "rustc", platform: "x86_64-unknown-linux-gnu", offline: true };
        let mut begun = false;
        let error = build.prepare(&cache, || begun = true).unwrap_err();
        assert!(begun && matches!(&error, AgentError::Build { .. } | AgentError::Crates { .. }), "{error}");
        assert_eq!(std::fs::read_dir(&cache).unwrap().count(), 0);
    }
}
