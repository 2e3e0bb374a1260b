//! From where cargo is started for the base: cargo's configuration and the toolchain depend on it.

use camino::{Utf8Path, Utf8PathBuf};

use super::super::{Cargo, Workspace, WorkspaceError};
use crate::git::Git;

const CONFIGURATION: [&str; 2] = [".cargo/config.toml", ".cargo/config"];
const TOOLCHAIN: [&str; 2] = ["rust-toolchain.toml", "rust-toolchain"];

/// The same place as for the head, unless the base brings other settings: then the same place in its own checkout.
pub(super) fn cargo_for(
    git: &Git,
    head: &Workspace,
    tree: &Utf8Path,
    root: &Utf8Path,
    warnings: &mut Vec<String>,
) -> Result<Cargo, WorkspaceError> {
    let dirs = directories(git, head);
    let configuration = first_difference(git, tree, &dirs, &CONFIGURATION)?;
    let toolchain = first_difference(git, tree, &dirs, &TOOLCHAIN)?;
    if configuration.is_none() && toolchain.is_none() {
        return Ok(head.cargo.clone());
    }
    let same_place = head.cargo.cwd.strip_prefix(git.root()).map(|dir| tree.join(dir)).ok();
    let cwd = same_place.filter(|dir| dir.is_dir()).unwrap_or_else(|| root.to_owned());
    for file in [&configuration, &toolchain].into_iter().flatten() {
        warnings.push(format!("{file} differs between base and head: each side is built with its own"));
    }
    if configuration.is_some() && tree.starts_with(git.root()) {
        warnings.push("settings of the head's cargo configuration that the base's does not replace apply to the base too".into());
    }
    // What rustup chose for the head must not be imposed on a base that names another toolchain.
    Ok(if toolchain.is_some() { Cargo::choosing_anew(cwd) } else { head.cargo.at(cwd) })
}

/// From where cargo starts up to the top of the repository, relative to it.
fn directories(git: &Git, head: &Workspace) -> Vec<Utf8PathBuf> {
    let relative = |dir: &Utf8Path| dir.strip_prefix(git.root()).map(Utf8Path::to_owned).ok();
    let start = relative(&head.cargo.cwd).or_else(|| relative(head.root())).unwrap_or_default();
    start.ancestors().map(Utf8Path::to_owned).collect()
}

fn first_difference(
    git: &Git,
    tree: &Utf8Path,
    dirs: &[Utf8PathBuf],
    names: &[&str],
) -> Result<Option<Utf8PathBuf>, WorkspaceError> {
    for file in dirs.iter().flat_map(|dir| names.iter().map(move |name| dir.join(name))) {
        let ours = std::fs::read(git.root().join(&file)).ok();
        let theirs = std::fs::read(tree.join(&file)).ok();
        // A file that git does not know is the user's, for both sides.
        let private = theirs.is_none() && !git.is_tracked(&file)?;
        if ours != theirs && !private {
            return Ok(Some(file));
        }
    }
    Ok(None)
}
