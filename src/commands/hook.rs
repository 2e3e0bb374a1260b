//! `hook print`, `hook install`, `hook uninstall`.

use camino::Utf8PathBuf;

use super::context::current_dir;
use crate::cli::{HookAction, HookArgs};
use crate::error::{Expected, Result};
use crate::exit::Exit;
use crate::git::Git;
use crate::hook;
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
            Self::None { .. } => Some("`git config core.hooksPath` tells where git looks".into()),
        }
    }
}

/// Does what the user asked for.
pub(crate) fn hook(args: &HookArgs, shell: &mut Shell) -> Result<Exit> {
    match args.action {
        HookAction::Print { tool } => shell.result(|out| out.write_all(hook::snippet(tool).as_bytes()))?,
        HookAction::Install => install(shell)?,
        HookAction::Uninstall => uninstall(shell)?,
    }
    Ok(Exit::Pass)
}

fn path() -> Result<Utf8PathBuf> {
    let git = Git::discover(&current_dir()?)?;
    Ok(git.hooks_path()?.join("pre-push"))
}

fn install(shell: &mut Shell) -> Result<()> {
    let path = path()?;
    if let Ok(text) = fs_err::read_to_string(&path)
        && !hook::is_ours(&text)
    {
        return Err(HookError::Foreign { path }.into());
    }
    // A file that is there but not text is somebody else's, too.
    if path.exists() && fs_err::read_to_string(&path).is_err() {
        return Err(HookError::Foreign { path }.into());
    }
    if let Some(dir) = path.parent() {
        fs_err::create_dir_all(dir)?;
    }
    fs_err::write(&path, hook::GIT)?;
    make_executable(&path)?;
    shell.status("Installed", &path);
    Ok(())
}

fn uninstall(shell: &mut Shell) -> Result<()> {
    let path = path()?;
    match fs_err::read_to_string(&path) {
        Ok(text) if hook::is_ours(&text) => {
            fs_err::remove_file(&path)?;
            shell.status("Removed", &path);
            Ok(())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(HookError::None { path }.into()),
        _ => Err(HookError::Foreign { path }.into()),
    }
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
