//! A commit checked out beside the user's work tree, for as long as a guard lives.

use camino::{Utf8Path, Utf8PathBuf};

use super::{Git, GitError};

/// A detached worktree. It is removed on drop, also after Ctrl-C, when git itself may not be started any more.
#[derive(Debug)]
pub struct Worktree {
    git: Git,
    dir: Utf8PathBuf,
}

impl Git {
    /// Checks `commit` out into `dir`, which must not exist. The repository's hooks do not run.
    pub fn worktree_add(&self, dir: &Utf8Path, commit: &str) -> Result<Worktree, GitError> {
        let commit = self.resolve(commit)?;
        if let Some(parent) = dir.parent() {
            fs_err::create_dir_all(parent)?;
        }
        // The guard comes first: an interrupt in the middle of the checkout leaves nothing either.
        let guard = Worktree { git: self.clone(), dir: dir.to_owned() };
        self.checked(["worktree", "add", "--detach", "--force", "--quiet", dir.as_str(), &commit])?;
        Ok(guard)
    }
}

impl Worktree {
    /// The top of the checkout.
    pub fn dir(&self) -> &Utf8Path {
        &self.dir
    }
}

impl Drop for Worktree {
    fn drop(&mut self) {
        let removed = self.git.checked(["worktree", "remove", "--force", "--force", self.dir.as_str()]);
        if removed.is_err() {
            remove_by_hand(&self.git, &self.dir);
        }
    }
}

/// What `git worktree remove` does, without git: the files, then the administrative directory that points to them.
fn remove_by_hand(git: &Git, dir: &Utf8Path) {
    for admin in registered(git) {
        if admin.checkout == dir {
            let _best_effort = fs_err::remove_dir_all(&admin.dir);
        }
    }
    let _best_effort = fs_err::remove_dir_all(dir);
    // git keeps no empty `worktrees` directory either; a full one refuses to go.
    let _best_effort = std::fs::remove_dir(git.common_dir().join("worktrees"));
}

struct Admin {
    dir: Utf8PathBuf,
    checkout: Utf8PathBuf,
}

/// The worktrees that git knows: each `worktrees/NAME/gitdir` names the `.git` file of a checkout.
fn registered(git: &Git) -> Vec<Admin> {
    let Ok(entries) = git.common_dir().join("worktrees").read_dir_utf8() else { return Vec::new() };
    let admin = |dir: Utf8PathBuf| {
        let pointer = std::fs::read_to_string(dir.join("gitdir")).ok()?;
        let pointer = Utf8PathBuf::from(pointer.trim_end_matches('\n'));
        // Relative since git 2.48, if `worktree.useRelativePaths` is set.
        let pointer = if pointer.is_relative() { dir.join(pointer).canonicalize_utf8().ok()? } else { pointer };
        Some(Admin { checkout: pointer.parent()?.to_owned(), dir })
    };
    entries.flatten().filter_map(|entry| admin(entry.into_path())).collect()
}

/// Removes every worktree below `dir`: leftovers of a run that was killed. The caller makes sure that no other run owns
/// them (it holds the lock of that place). Returns how many there were.
pub fn prune_stale(git: &Git, dir: &Utf8Path) -> Result<usize, GitError> {
    let stale: Vec<Admin> = registered(git).into_iter().filter(|admin| admin.checkout.starts_with(dir)).collect();
    for admin in &stale {
        drop(Worktree { git: git.clone(), dir: admin.checkout.clone() });
    }
    if dir.exists() {
        fs_err::remove_dir_all(dir)?;
    }
    Ok(stale.len())
}

#[cfg(test)]
mod tests {
    use super::super::testing::Repo;
    use super::*;

    fn names(repo: &Repo) -> usize {
        repo.git(&["worktree", "list"]).lines().count()
    }

    #[test]
    fn a_worktree_holds_the_commit_and_leaves_no_trace() {
        let repo = Repo::named("a é");
        let first = repo.write("a", "1").commit("one");
        repo.write("a", "2").commit("two");
        let dir = repo.outside("deep/er/tree");
        let tree = repo.open().worktree_add(&dir, &first).unwrap();
        assert_eq!(std::fs::read_to_string(tree.dir().join("a")).unwrap(), "1");
        assert_eq!(Git::discover(tree.dir()).unwrap().head().unwrap(), Some(first));
        drop(tree);
        assert!(!dir.exists());
        assert_eq!(names(&repo), 1);
    }

    #[test]
    fn edits_in_a_worktree_do_not_keep_it_alive() {
        let repo = Repo::new();
        let first = repo.write("a", "1").commit("one");
        let dir = repo.outside("tree");
        let tree = repo.open().worktree_add(&dir, &first).unwrap();
        std::fs::write(dir.join("a"), "edited").unwrap();
        std::fs::write(dir.join("new"), "untracked").unwrap();
        drop(tree);
        assert!(!dir.exists());
    }

    #[test]
    fn removal_works_when_git_may_not_be_started_any_more() {
        let repo = Repo::new();
        let first = repo.write("a", "1").commit("one");
        let dir = repo.outside("tree");
        let git = repo.open();
        std::mem::forget(git.worktree_add(&dir, &first).unwrap());
        remove_by_hand(&git, &dir);
        assert!(!dir.exists());
        assert_eq!(names(&repo), 1);
        assert!(!repo.root().join(".git/worktrees").exists());
    }

    #[test]
    fn leftovers_of_a_killed_run_are_pruned_and_other_worktrees_stay() {
        let repo = Repo::new();
        let first = repo.write("a", "1").commit("one");
        let git = repo.open();
        let ours = repo.outside("ours");
        std::mem::forget(git.worktree_add(&ours.join("x/repo"), &first).unwrap());
        let users = git.worktree_add(&repo.outside("users"), &first).unwrap();
        assert_eq!(prune_stale(&git, &ours).unwrap(), 1);
        assert!(!ours.exists() && users.dir().exists());
        assert_eq!(names(&repo), 2);
    }

    #[test]
    fn hooks_of_the_repository_do_not_run() {
        let repo = Repo::new();
        let first = repo.write("a", "1").commit("one");
        let mark = repo.outside("hook-ran");
        let hook = repo.root().join(".git/hooks/post-checkout");
        std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
        std::fs::write(&hook, format!("#!/bin/sh\ntouch '{mark}'\n")).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let _tree = repo.open().worktree_add(&repo.outside("tree"), &first).unwrap();
        assert!(!mark.exists());
    }
}
