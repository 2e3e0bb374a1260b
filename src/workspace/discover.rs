//! `cargo metadata`, asked as the user's own command line would ask it.

use camino::Utf8PathBuf;
use cargo_metadata::MetadataCommand;

use super::{Cargo, FeatureFlags, Workspace, WorkspaceError};
use crate::process::ToolOutput;

/// cargo's flags that decide what a workspace is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of cargo's command line")]
pub struct DiscoverOptions {
    /// `--manifest-path`.
    pub manifest_path: Option<Utf8PathBuf>,
    /// Feature flags.
    pub features: FeatureFlags,
    /// `--locked`.
    pub locked: bool,
    /// `--offline`.
    pub offline: bool,
    /// `--frozen`.
    pub frozen: bool,
    /// `--target` triple.
    pub target: Option<String>,
    /// `--target-dir`.
    pub target_dir: Option<Utf8PathBuf>,
    /// Leaves dependencies out: much faster, needs no network and no lock file, and knows only direct path dependencies.
    pub no_deps: bool,
}

impl DiscoverOptions {
    /// `--locked`, `--offline`, `--frozen` as cargo takes them.
    pub fn lock_args(&self) -> Vec<&'static str> {
        let flags = [(self.locked, "--locked"), (self.offline, "--offline"), (self.frozen, "--frozen")];
        flags.into_iter().filter_map(|(set, flag)| set.then_some(flag)).collect()
    }
}

/// Asks cargo what the workspace is.
///
/// # Errors
/// [`WorkspaceError::NoManifest`], [`WorkspaceError::Metadata`] with cargo's own words, or a tool that cannot run.
pub fn discover(cargo: Cargo, options: DiscoverOptions) -> Result<Workspace, WorkspaceError> {
    let rustc = cargo.rustc()?;
    let mut tool = cargo.tool().args(["metadata", "--format-version=1", "--color=never"]).args(options.lock_args());
    tool = tool.args(options.features.args());
    if let Some(path) = &options.manifest_path {
        tool = tool.arg("--manifest-path").arg(path);
    }
    if let Some(dir) = &options.target_dir {
        tool = tool.env("CARGO_TARGET_DIR", cargo.cwd.join(dir));
    }
    if options.no_deps {
        tool = tool.arg("--no-deps");
    } else if let Some(platform) = options.target.as_deref().or_else(|| rustc.host()) {
        // Without it cargo wants the dependencies of every platform, which an offline cache does not have.
        tool = tool.arg("--filter-platform").arg(platform);
    }
    let output = tool.run()?;
    if !output.success() {
        return Err(refused(&cargo, &output));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    // Other tools may have written lines before (a wrapper around cargo); the object is one line.
    let line = text.lines().find(|line| line.starts_with('{')).unwrap_or_default();
    let metadata = MetadataCommand::parse(line).map_err(|error| WorkspaceError::Metadata { message: error.to_string() })?;
    let manifest_path = match &options.manifest_path {
        Some(path) => cargo.cwd.join(path),
        None => metadata.workspace_root.join("Cargo.toml"),
    };
    Ok(Workspace { metadata, cargo, rustc, manifest_path, options })
}

fn refused(cargo: &Cargo, output: &ToolOutput) -> WorkspaceError {
    if output.stderr.contains("could not find `Cargo.toml` in") {
        return WorkspaceError::NoManifest { dir: cargo.cwd.to_string() };
    }
    let from_error = output.stderr.find("error: ").and_then(|at| output.stderr.get(at + "error: ".len()..));
    WorkspaceError::Metadata { message: from_error.unwrap_or(&output.stderr).trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Crate;
    use super::*;
    use crate::error::Expected;

    #[test]
    fn a_workspace_is_read_with_its_path_dependencies_outside() {
        let one = Crate::named("a é");
        one.write("Cargo.toml", "[package]\nname='one'\nedition='2021'\n[dependencies]\nout={path='../out'}\n")
            .write("src/lib.rs", "");
        one.write("../out/Cargo.toml", "[package]\nname='out'\nedition='2021'\n").write("../out/src/lib.rs", "");
        let options = DiscoverOptions { offline: true, ..DiscoverOptions::default() };
        let workspace = discover(Cargo::new(one.root()), options).unwrap();
        assert_eq!(workspace.root(), one.root());
        assert_eq!(workspace.local_dependencies(), [one.root().parent().unwrap().join("out")]);
        assert_eq!(workspace.state_dir(), one.root().join("target/perf-expert"));
        assert!(workspace.rustc.host().is_some());
    }

    #[test]
    fn a_foreign_target_directory_gets_a_place_per_workspace() {
        let one = Crate::named("one");
        one.write("Cargo.toml", "[package]\nname='one'\nedition='2021'\n").write("src/lib.rs", "");
        let shared = one.root().join("../shared");
        let options = DiscoverOptions { no_deps: true, target_dir: Some(shared.clone()), ..DiscoverOptions::default() };
        let workspace = discover(Cargo::new(one.root()), options).unwrap();
        let place = workspace.state_dir();
        assert!(place.as_str().contains("shared/perf-expert/one-"), "{place}");
    }

    #[test]
    fn no_manifest_and_a_broken_one_are_typed_errors() {
        let empty = Crate::named("empty");
        let error = discover(Cargo::new(empty.root()), DiscoverOptions::default()).unwrap_err();
        assert!(matches!(error, WorkspaceError::NoManifest { .. }), "{error}");
        assert!(error.hint().unwrap().contains("--manifest-path"));
        empty.write("Cargo.toml", "[package\n");
        let error = discover(Cargo::new(empty.root()), DiscoverOptions::default()).unwrap_err();
        assert!(matches!(&error, WorkspaceError::Metadata { message } if !message.starts_with("error")), "{error}");
    }
}
