//! The base side as a checkout beside the user's work tree, so that it builds as it would have in its place.
//!
//! What would differ from a checkout in place is mended: path dependencies outside of the repository are named by their
//! absolute paths (and linked at the same distance, for build scripts and the like), submodules are checked out beside, an
//! untracked `Cargo.lock` is copied, and cargo starts where it starts for the head, because a directory below the repository
//! would merge the repository's `.cargo/config.toml` a second time. A commit with build settings of its own is checked out beside
//! the repository instead: the head's must not reach it.

mod layout;
mod settings;

use camino::{Utf8Path, Utf8PathBuf};

use super::manifest::Manifest;
use super::{Cargo, DiscoverOptions, Workspace, WorkspaceError, discover, normal};
use crate::git::{Git, Worktree, prune_stale};
use crate::store::{Lock, StoreError};
use layout::Layout;
use settings::Settings;

/// A commit, checked out and ready to build. The checkout goes away with it.
#[derive(Debug)]
pub struct Side {
    /// The root manifest of the workspace in the checkout.
    pub manifest: Utf8PathBuf,
    /// How to call cargo for this side.
    pub cargo: Cargo,
    /// What the report must say about how this side was made.
    pub warnings: Vec<String>,
    commit: String,
    // Dropped in this order: submodules, the checkout, the directories around it, the lock.
    _submodules: Vec<Worktree>,
    tree: Worktree,
    _nest: Nest,
    _lock: Lock,
}

impl Side {
    /// The top of the checkout: what the top of the work tree is to the head.
    pub fn root(&self) -> &Utf8Path {
        self.tree.dir()
    }

    /// The commit that is checked out.
    pub fn commit(&self) -> &str {
        &self.commit
    }

    /// Asks cargo what the workspace is on this side, with the head's flags.
    pub fn discover(&self, head: &Workspace) -> Result<Workspace, WorkspaceError> {
        let options = DiscoverOptions { manifest_path: Some(self.manifest.clone()), target_dir: None, ..head.options.clone() };
        discover(self.cargo.clone(), options)
    }
}

/// The directories around a checkout, and the links in them.
#[derive(Debug)]
struct Nest(Utf8PathBuf);

impl Drop for Nest {
    fn drop(&mut self) {
        let _gone_or_busy = fs_err::remove_dir_all(&self.0);
        // Where checkouts lie stays as long as there are others, or their locks.
        let _not_empty = self.0.parent().map(std::fs::remove_dir);
    }
}

/// Checks `commit` out below the state directory of `head` and makes it ready to build.
///
/// # Errors
/// [`WorkspaceError::NotAtBase`] if the commit has no such workspace, [`WorkspaceError::OutsideRepository`], a commit that is
/// not there, or another run that uses the same checkout.
pub fn prepare(git: &Git, head: &Workspace, commit: &str) -> Result<Side, WorkspaceError> {
    let commit = git.resolve(commit)?;
    let short: String = commit.chars().take(12).collect();
    let inside = inside(git, head)?;
    let manifest = inside.join("Cargo.toml");
    let manifests = Manifests::at(git, &commit)?;
    if !manifests.has(&manifest) {
        return Err(WorkspaceError::NotAtBase { commit: short, manifest: manifest.into_string() });
    }
    let worktrees = head.state_dir().join("worktrees");
    let beside = settings::beside(git, &head.state_dir());
    fs_err::create_dir_all(&worktrees)?;
    for nests in [&worktrees, &beside] {
        remove_leftovers(git, nests, &worktrees)?;
    }
    let _not_there_or_in_use = std::fs::remove_dir(&beside);
    let lock = Lock::acquire(&worktrees.join(format!("{short}.lock")))?;
    let settings = Settings::of(git, head, &commit)?;
    let nests = match settings.differing() {
        None => &worktrees,
        Some(file) => {
            let not_writable = |source| WorkspaceError::NotBeside { dir: beside.to_string(), file: file.to_string(), source };
            std::fs::create_dir_all(&beside).map_err(not_writable)?;
            &beside
        }
    };

    let outside = manifests.outside(git.root()).into_iter().chain(head.local_dependencies());
    let layout = Layout::new(git.root(), outside.filter(|dir| dir.exists()));
    let nest = Nest(nests.join(&short));
    let tree = git.worktree_add(&nest.0.join(&layout.checkout), &commit)?;
    let mut warnings = Vec::new();
    for link in &layout.links {
        let place = nest.0.join(&link.place);
        if let Some(parent) = place.parent() {
            fs_err::create_dir_all(parent)?;
        }
        symlink(&link.target, &place)?;
    }
    manifests.name_outside_absolutely(git.root(), tree.dir())?;
    let submodules = check_out_submodules(git, tree.dir(), &commit, &mut warnings)?;
    let root = tree.dir().join(&inside);
    copy_lock_file(head, &root, &mut warnings)?;
    stop_search_for_workspace(&root)?;
    let cargo = settings.cargo(git, head, tree.dir(), &root, &mut warnings)?;
    Ok(Side {
        manifest: root.join("Cargo.toml"),
        cargo,
        warnings,
        commit,
        _submodules: submodules,
        tree,
        _nest: nest,
        _lock: lock,
    })
}

/// Where the workspace root lies in the repository.
fn inside(git: &Git, head: &Workspace) -> Result<Utf8PathBuf, WorkspaceError> {
    let root = head.root().canonicalize_utf8()?;
    let top = git.root().canonicalize_utf8()?;
    root.strip_prefix(&top)
        .map(Utf8Path::to_owned)
        .map_err(|_outside| WorkspaceError::OutsideRepository { root: root.to_string(), repository: top.to_string() })
}

/// Removes the checkouts of runs that were killed: those in `nests` whose lock in `locks` is free.
fn remove_leftovers(git: &Git, nests: &Utf8Path, locks: &Utf8Path) -> Result<(), WorkspaceError> {
    let Ok(entries) = nests.read_dir_utf8() else { return Ok(()) };
    for entry in entries.flatten().filter(|entry| entry.path().is_dir()) {
        match Lock::acquire(&locks.join(format!("{}.lock", entry.file_name()))) {
            Ok(_free) => prune_stale(git, entry.path())?,
            Err(StoreError::Busy { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
    }
    Ok(())
}

/// The manifests of a commit.
struct Manifests(Vec<(Utf8PathBuf, Manifest)>);

impl Manifests {
    fn at(git: &Git, commit: &str) -> Result<Self, WorkspaceError> {
        let mut files = git.files(commit)?;
        files.retain(|file| file.file_name() == Some("Cargo.toml"));
        let texts = git.texts(commit, &files)?;
        let parsed = files.into_iter().zip(texts).filter_map(|(file, text)| {
            let text = String::from_utf8(text?).ok()?;
            Some((file, Manifest::parse(&text)))
        });
        Ok(Self(parsed.collect()))
    }

    fn has(&self, path: &Utf8Path) -> bool {
        self.0.iter().any(|(file, _)| file == path)
    }

    /// Directories that these manifests name and that lie outside of `root`.
    fn outside(&self, root: &Utf8Path) -> Vec<Utf8PathBuf> {
        self.0.iter().flat_map(|(file, manifest)| leading_outside(root, file, manifest)).map(|(_, dir)| dir).collect()
    }

    /// Writes outside paths as absolute ones into the checkout. cargo hashes the path of such a package into the names of its
    /// symbols: through a link the base would have other symbols than the head, and so another layout (measured).
    fn name_outside_absolutely(&self, root: &Utf8Path, tree: &Utf8Path) -> Result<(), WorkspaceError> {
        for (file, manifest) in &self.0 {
            let outside: Vec<_> = leading_outside(root, file, manifest).filter(|(_, dir)| dir.exists()).collect();
            let path = tree.join(file);
            if outside.is_empty() || path.is_symlink() {
                continue;
            }
            let mut text = fs_err::read_to_string(&path)?;
            for (written, dir) in outside {
                // JSON's strings are among TOML's basic strings.
                let absolute = serde_json::Value::from(dir.as_str()).to_string();
                text = text.replace(&format!("\"{written}\""), &absolute).replace(&format!("'{written}'"), &absolute);
            }
            fs_err::write(&path, text)?;
        }
        Ok(())
    }
}

/// Paths of a manifest that lead out of `root`: as written, and where to.
fn leading_outside<'a>(
    root: &'a Utf8Path,
    file: &Utf8Path,
    manifest: &Manifest,
) -> impl Iterator<Item = (Utf8PathBuf, Utf8PathBuf)> + use<'a> {
    let dir = root.join(file.parent().unwrap_or(file));
    let resolved = manifest.paths().into_iter().map(move |path| (normal(&dir.join(&path)), path));
    resolved.filter(move |(dir, path)| path.is_relative() && !dir.starts_with(root)).map(|(dir, path)| (path, dir))
}

/// A worktree has empty directories for submodules: each gets a worktree of the user's own clone, so nothing is fetched.
fn check_out_submodules(
    git: &Git,
    tree: &Utf8Path,
    commit: &str,
    warnings: &mut Vec<String>,
) -> Result<Vec<Worktree>, WorkspaceError> {
    let mut worktrees = Vec::new();
    for (path, wanted) in git.submodules(commit)? {
        let clone = git.root().join(&path);
        let ours = Git::discover(&clone).ok().filter(|found| found.root() != git.root());
        match ours {
            Some(sub) if sub.try_resolve(&wanted)?.is_some() => {
                worktrees.push(sub.worktree_add(&tree.join(&path), &wanted)?);
            }
            _ => warnings.push(format!("the submodule {path} is not available at the base's commit and stays empty")),
        }
    }
    Ok(worktrees)
}

/// Without the same `Cargo.lock` the two sides could differ by the versions that cargo chooses today.
fn copy_lock_file(head: &Workspace, root: &Utf8Path, warnings: &mut Vec<String>) -> Result<(), WorkspaceError> {
    let (ours, theirs) = (head.root().join("Cargo.lock"), root.join("Cargo.lock"));
    if theirs.exists() || !ours.exists() {
        return Ok(());
    }
    fs_err::copy(&ours, &theirs)?;
    warnings
        .push("the base has no Cargo.lock under git: it is built with the head's, so both sides use the same versions".into());
    Ok(())
}

/// A base without `[workspace]` inside of a repository that has one today: cargo would find today's, further up, and refuse.
/// An empty table in the checkout's own manifest ends the search and changes nothing else.
fn stop_search_for_workspace(root: &Utf8Path) -> Result<(), WorkspaceError> {
    let path = root.join("Cargo.toml");
    let text = fs_err::read_to_string(&path)?;
    let manifest = Manifest::parse(&text);
    if manifest.is_workspace_root() || manifest.names_workspace() {
        return Ok(());
    }
    let is_root = |dir: &Utf8Path| {
        std::fs::read_to_string(dir.join("Cargo.toml")).is_ok_and(|text| Manifest::parse(&text).is_workspace_root())
    };
    if root.ancestors().skip(1).any(is_root) {
        fs_err::write(&path, format!("{text}\n[workspace]\n"))?;
    }
    Ok(())
}

#[cfg(unix)]
fn symlink(target: &Utf8Path, place: &Utf8Path) -> std::io::Result<()> {
    fs_err::os::unix::fs::symlink(target, place)
}

#[cfg(windows)]
fn symlink(target: &Utf8Path, place: &Utf8Path) -> std::io::Result<()> {
    if target.is_dir() {
        fs_err::os::windows::fs::symlink_dir(target, place)
    } else {
        fs_err::os::windows::fs::symlink_file(target, place)
    }
}

#[cfg(not(any(unix, windows)))]
fn symlink(_target: &Utf8Path, place: &Utf8Path) -> std::io::Result<()> {
    Err(std::io::Error::new(std::io::ErrorKind::Unsupported, format!("cannot link {place} on this system")))
}

#[cfg(test)]
mod tests;
