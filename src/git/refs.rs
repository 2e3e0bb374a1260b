//! Names of commits: revisions, ancestry, the default upstream branch, configuration.

use camino::{Utf8Path, Utf8PathBuf};

use super::{Git, GitError, without_config};

/// The branch that work is merged into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// Full name, such as `refs/remotes/origin/main`.
    pub reference: String,
    /// The commit it points to, as far as this clone knows.
    pub commit: String,
}

impl Upstream {
    /// The name as people say it: `origin/main`.
    pub fn short(&self) -> &str {
        let name = self.reference.strip_prefix("refs/").unwrap_or(&self.reference);
        name.strip_prefix("remotes/").or_else(|| name.strip_prefix("heads/")).unwrap_or(name)
    }
}

impl Git {
    /// The commit that is checked out; `None` in a repository without commits.
    pub fn head(&self) -> Result<Option<String>, GitError> {
        self.try_resolve("HEAD")
    }

    /// The commit that `rev` names.
    ///
    /// # Errors
    /// [`GitError::UnknownRevision`] if there is none.
    pub fn resolve(&self, rev: &str) -> Result<String, GitError> {
        match self.try_resolve(rev)? {
            Some(commit) => Ok(commit),
            None => Err(GitError::UnknownRevision { rev: rev.to_owned(), shallow: self.is_shallow()? }),
        }
    }

    /// The commit that `rev` names, or `None`.
    pub fn try_resolve(&self, rev: &str) -> Result<Option<String>, GitError> {
        let spec = format!("{rev}^{{commit}}");
        let output = self.run(["rev-parse", "--verify", "--quiet", "--end-of-options", &spec])?;
        Ok(output.success().then(|| output.text()).filter(|commit| !commit.is_empty()))
    }

    /// The best common ancestor; `None` if the histories do not meet (or were cut off).
    pub fn merge_base(&self, left: &str, right: &str) -> Result<Option<String>, GitError> {
        let output = self.run(["merge-base", "--end-of-options", left, right])?;
        Ok(output.success().then(|| output.text()).filter(|commit| !commit.is_empty()))
    }

    /// True if `ancestor` is reachable from `descendant` (or is the same commit).
    pub fn is_ancestor(&self, ancestor: &str, descendant: &str) -> Result<bool, GitError> {
        Ok(self.run(["merge-base", "--is-ancestor", "--end-of-options", ancestor, descendant])?.success())
    }

    /// True if the history of this clone was cut off.
    pub fn is_shallow(&self) -> Result<bool, GitError> {
        Ok(self.checked(["rev-parse", "--is-shallow-repository"])?.text() == "true")
    }

    /// The branch that work is merged into: what `origin/HEAD` says, then the default of the remote that this branch
    /// follows, then `origin/main`, `origin/master`, and the local `main` or `master` when another branch is checked out.
    pub fn upstream_default(&self) -> Result<Option<Upstream>, GitError> {
        let branch = self.branch()?;
        let mut remotes = vec!["origin".to_owned()];
        if let Some(branch) = &branch
            && let Some(remote) = self.config(&format!("branch.{branch}.remote"))?
            && remote != "."
            && !remotes.contains(&remote)
        {
            remotes.push(remote);
        }
        for remote in &remotes {
            let output = self.run(["symbolic-ref", "--quiet", &format!("refs/remotes/{remote}/HEAD")])?;
            if output.success()
                && let Some(found) = self.upstream(output.text())?
            {
                return Ok(Some(found));
            }
        }
        // The remote that is followed knows better than a guess at `origin`.
        for remote in remotes.iter().rev() {
            for name in ["main", "master"] {
                if let Some(found) = self.upstream(format!("refs/remotes/{remote}/{name}"))? {
                    return Ok(Some(found));
                }
            }
        }
        for name in ["main", "master"] {
            if branch.as_deref() == Some(name) {
                return Ok(None);
            }
            if let Some(found) = self.upstream(format!("refs/heads/{name}"))? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn upstream(&self, reference: String) -> Result<Option<Upstream>, GitError> {
        Ok(self.try_resolve(&reference)?.map(|commit| Upstream { reference, commit }))
    }

    /// The branch that is checked out; `None` when HEAD is detached.
    pub fn branch(&self) -> Result<Option<String>, GitError> {
        let output = self.run(["symbolic-ref", "--quiet", "--short", "HEAD"])?;
        Ok(output.success().then(|| output.text()))
    }

    /// One value of the repository's configuration, as git merges it.
    pub fn config(&self, key: &str) -> Result<Option<String>, GitError> {
        let output = without_config().cwd(&self.root).args(["config", "--get", key]).run()?;
        Ok(output.success().then(|| output.text()))
    }

    /// The directory that git runs hooks from: `core.hooksPath` if set, resolved as git resolves it, else the common one.
    pub fn hooks_path(&self) -> Result<Utf8PathBuf, GitError> {
        let output = without_config()
            .cwd(&self.root)
            .args(["rev-parse", "--path-format=absolute", "--git-path", "hooks"])
            .run_checked()?;
        Ok(output.text().into())
    }

    /// The tree object of a commit: equal for two commits with the same contents.
    pub fn tree_hash(&self, rev: &str) -> Result<String, GitError> {
        let output = self.run(["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{rev}^{{tree}}")])?;
        if output.success() {
            return Ok(output.text());
        }
        Err(GitError::UnknownRevision { rev: rev.to_owned(), shallow: self.is_shallow()? })
    }

    /// True if git tracks this file (relative to the top of the work tree).
    pub fn is_tracked(&self, path: &Utf8Path) -> Result<bool, GitError> {
        Ok(self.run(["ls-files", "--error-unmatch", "-z", "--", path.as_str()])?.success())
    }

    /// Submodules of a commit: path and the commit that it asks for.
    pub fn submodules(&self, rev: &str) -> Result<Vec<(Utf8PathBuf, String)>, GitError> {
        let commit = self.resolve(rev)?;
        let output = self.checked(["ls-tree", "-r", "-z", "--full-tree", &commit])?;
        let text = String::from_utf8_lossy(&output.stdout);
        let links = text.split('\0').filter_map(|entry| entry.strip_prefix("160000 commit ")?.split_once('\t'));
        Ok(links.map(|(commit, path)| (path.into(), commit.to_owned())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Repo;
    use super::*;
    use crate::error::Expected;

    #[test]
    fn an_empty_repository_has_no_head() {
        assert_eq!(Repo::new().open().head().unwrap(), None);
    }

    #[test]
    fn revisions_resolve_and_unknown_ones_say_so() {
        let repo = Repo::new();
        let first = repo.write("a", "1").commit("one");
        let second = repo.write("a", "2").commit("two");
        let git = repo.open();
        assert_eq!(git.resolve("HEAD^").unwrap(), first);
        assert_eq!(git.head().unwrap().as_deref(), Some(second.as_str()));
        assert!(git.is_ancestor(&first, &second).unwrap() && !git.is_ancestor(&second, &first).unwrap());
        let error = git.resolve("--output=/tmp/x").unwrap_err();
        assert!(matches!(error, GitError::UnknownRevision { .. }), "{error}");
        assert_ne!(git.tree_hash(&first).unwrap(), git.tree_hash("HEAD").unwrap());
    }

    #[test]
    fn the_merge_base_is_where_the_branch_left() {
        let repo = Repo::new();
        let fork = repo.write("a", "1").commit("one");
        repo.git(&["checkout", "-q", "-b", "work"]);
        repo.write("b", "1").commit("work");
        repo.git(&["checkout", "-q", "main"]);
        repo.write("c", "1").commit("main moves on");
        assert_eq!(repo.open().merge_base("work", "main").unwrap(), Some(fork));
    }

    #[test]
    fn the_local_main_serves_another_branch_but_not_itself() {
        let repo = Repo::new();
        let commit = repo.write("a", "1").commit("one");
        assert_eq!(repo.open().upstream_default().unwrap(), None);
        repo.git(&["checkout", "-q", "-b", "work"]);
        let upstream = repo.open().upstream_default().unwrap().unwrap();
        assert_eq!((upstream.short(), upstream.commit.as_str()), ("main", commit.as_str()));
    }

    #[test]
    fn a_clone_follows_the_default_branch_of_its_remote() {
        let repo = Repo::new();
        repo.git(&["checkout", "-q", "-b", "trunk"]);
        repo.write("a", "1").commit("one");
        let clone = repo.outside("clone");
        repo.git(&["clone", "-q", repo.root().as_str(), clone.as_str()]);
        let git = Git::discover(&clone).unwrap();
        assert_eq!(git.upstream_default().unwrap().unwrap().short(), "origin/trunk");
        repo.git(&["-C", clone.as_str(), "remote", "rename", "origin", "up"]);
        assert_eq!(git.upstream_default().unwrap().unwrap().short(), "up/trunk");
    }

    #[test]
    fn a_shallow_clone_gives_the_exact_fix() {
        let repo = Repo::new();
        let first = repo.write("a", "1").commit("one");
        repo.write("a", "2").commit("two");
        let clone = repo.outside("clone");
        repo.git(&["clone", "-q", "--depth", "1", &format!("file://{}", repo.root()), clone.as_str()]);
        let git = Git::discover(&clone).unwrap();
        assert!(git.is_shallow().unwrap());
        let hint = git.resolve(&first).unwrap_err().hint().unwrap();
        assert!(hint.contains("git fetch --unshallow") && hint.contains("fetch-depth: 0"), "{hint}");
    }

    #[test]
    fn hooks_live_where_git_looks_for_them() {
        let repo = Repo::new();
        let git = repo.open();
        assert_eq!(git.hooks_path().unwrap(), repo.root().join(".git/hooks"));
        repo.git(&["config", "core.hooksPath", "my hooks"]);
        assert_eq!(git.hooks_path().unwrap(), repo.root().join("my hooks"));
        assert_eq!(git.config("core.hooksPath").unwrap().as_deref(), Some("my hooks"));
        assert_eq!(git.config("no.such").unwrap(), None);
    }

    #[test]
    fn tracked_means_in_the_index_and_names_are_literal() {
        let repo = Repo::new();
        repo.write("-a [x].rs", "").commit("one");
        repo.write("b.rs", "");
        let git = repo.open();
        assert!(git.is_tracked("-a [x].rs".into()).unwrap());
        assert!(!git.is_tracked("b.rs".into()).unwrap());
        assert!(!git.is_tracked("*.rs".into()).unwrap());
    }
}
