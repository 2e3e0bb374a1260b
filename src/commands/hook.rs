//! `hook print`, `hook install`, `hook uninstall`.

use camino::{Utf8Path, Utf8PathBuf};

use super::context::current_dir;
use crate::cli::{HookAction, HookArgs, HookTool};
use crate::error::{Expected, Result};
use crate::exit::Exit;
use crate::git::Git;
use crate::hook::{self, Origin};
use crate::shell::Shell;

/// Why a hook was not touched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HookError {
    /// Somebody else's hook is there.
    #[error("`{path}` is a hook that this tool did not write")]
    Foreign {
        /// The file.
        path: Utf8PathBuf,
    },
    /// This tool's hook, with changes.
    #[error("`{path}` was changed since this tool wrote it")]
    Edited {
        /// The file.
        path: Utf8PathBuf,
    },
    /// Nothing to remove.
    #[error("there is no hook of this tool at `{path}`")]
    None {
        /// The file.
        path: Utf8PathBuf,
    },
}

impl Expected for HookError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Foreign { .. } => Some("add this line to it: `cargo perf-expert verify --hook pre-push --max-time 90s`".into()),
            Self::Edited { path } => Some(format!("it is yours now: edit it, or remove it by hand with `rm '{path}'`")),
            Self::None { .. } => Some("`git config core.hooksPath` tells where git looks".into()),
        }
    }
}

/// Does what the user asked for.
pub(crate) fn hook(args: &HookArgs, shell: &mut Shell) -> Result<Exit> {
    match args.action {
        HookAction::Print { tool } => {
            let text = hook::snippet(tool, manifest()?.as_deref());
            shell.result(|out| out.write_all(text.as_bytes()))?;
        }
        HookAction::Install => install(shell)?,
        HookAction::Uninstall => uninstall(shell)?,
    }
    Ok(Exit::Pass)
}

fn path() -> Result<Utf8PathBuf> {
    let git = Git::discover(&current_dir()?)?;
    Ok(git.hooks_path()?.join("pre-push"))
}

/// The outermost manifest on the way from the repository's top, where hooks run, to here; `None` when it is at the top, or nowhere.
fn manifest() -> Result<Option<Utf8PathBuf>> {
    let here = current_dir()?;
    let Ok(git) = Git::discover(&here) else { return Ok(None) };
    let below = super::context::relative(git.root(), &here);
    if below.is_absolute() {
        return Ok(None);
    }
    let mut dirs: Vec<&Utf8Path> = below.ancestors().collect();
    dirs.reverse();
    let outermost = dirs.into_iter().map(|dir| dir.join("Cargo.toml")).find(|path| git.root().join(path).is_file());
    Ok(outermost.filter(|path| path.as_str() != "Cargo.toml"))
}

/// Refuses what `hook install` did not write: not one line of somebody else is overwritten or removed.
fn must_be_ours(path: &Utf8Path) -> Result<()> {
    // A file that is there but not text is somebody else's, too.
    let origin = fs_err::read_to_string(path).map_or(Origin::Foreign, |text| hook::origin(&text));
    match origin {
        Origin::Ours => Ok(()),
        Origin::Edited => Err(HookError::Edited { path: path.to_owned() }.into()),
        Origin::Foreign => Err(HookError::Foreign { path: path.to_owned() }.into()),
    }
}

fn install(shell: &mut Shell) -> Result<()> {
    let path = path()?;
    if path.exists() {
        must_be_ours(&path)?;
    }
    let manifest = manifest()?;
    if let Some(dir) = path.parent() {
        fs_err::create_dir_all(dir)?;
    }
    fs_err::write(&path, hook::snippet(HookTool::Git, manifest.as_deref()))?;
    make_executable(&path)?;
    shell.status("Installed", &path);
    Ok(())
}

fn uninstall(shell: &mut Shell) -> Result<()> {
    let path = path()?;
    if !path.exists() {
        return Err(HookError::None { path }.into());
    }
    must_be_ours(&path)?;
    fs_err::remove_file(&path)?;
    shell.status("Removed", &path);
    Ok(())
}

#[cfg(unix)]
fn make_executable(path: &Utf8PathBuf) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o755))?;
    Ok(())
}

#[cfg(not(unix))]
fn make_executable(_path: &Utf8PathBuf) -> Result<()> {
    Ok(())
}
