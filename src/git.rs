//! The only door to git: revisions, changed files, texts of a revision, history and temporary worktrees.
//!
//! Does not parse source, does not decide what a change means, and never writes to the user's branches, index or files.

pub mod base;
mod blobs;
mod changes;
mod error;
mod files;
mod history;
mod refs;
#[cfg(test)]
pub(crate) mod testing;
mod worktree;

use camino::{Utf8Path, Utf8PathBuf};

pub use base::{Base, BaseError, Choice};
pub use changes::{FileChange, FileStatus, Head};
pub use error::GitError;
pub(crate) use error::SHALLOW_HINT;
pub use history::{Commit, CommitInfo};
pub use refs::Upstream;
pub use worktree::{Worktree, prune_stale};

use crate::process::{Tool, ToolError, ToolOutput};

/// A repository, seen from one of its work trees.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "`git_dir` and `common_dir` are git's own words")]
pub struct Git {
    root: Utf8PathBuf,
    git_dir: Utf8PathBuf,
    common_dir: Utf8PathBuf,
    ignored: Vec<Utf8PathBuf>,
}

impl Git {
    /// Finds the repository that `dir` lies in.
    ///
    /// # Errors
    /// [`GitError::NotARepository`] outside of one, [`GitError::Bare`] where there is no work tree.
    pub fn discover(dir: &Utf8Path) -> Result<Self, GitError> {
        let ask = |flag: &str| -> Result<Utf8PathBuf, GitError> {
            let output = command().cwd(dir).args(["rev-parse", "--path-format=absolute", flag]).run()?;
            if !output.success() {
                return Err(GitError::of_discovery(dir, &output));
            }
            let bytes = output.stdout.strip_suffix(b"\n").unwrap_or(&output.stdout).to_vec();
            match String::from_utf8(bytes) {
                Ok(path) => Ok(path.into()),
                Err(raw) => Err(GitError::NotUtf8 { path: String::from_utf8_lossy(raw.as_bytes()).into_owned() }),
            }
        };
        Ok(Self {
            root: ask("--show-toplevel")?,
            git_dir: ask("--git-dir")?,
            common_dir: ask("--git-common-dir")?,
            ignored: Vec::new(),
        })
    }

    /// Treats everything below `dir` as if git ignored it: our own target directory is never "untracked work".
    #[must_use]
    pub fn ignoring(mut self, dir: &Utf8Path) -> Self {
        if let Ok(inside) = dir.strip_prefix(&self.root)
            && !inside.as_str().is_empty()
        {
            self.ignored.push(inside.to_owned());
        }
        self
    }

    /// The top of the work tree, absolute.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// The git directory of this work tree (`.git`, or `.git/worktrees/NAME`).
    pub fn git_dir(&self) -> &Utf8Path {
        &self.git_dir
    }

    /// The git directory that all work trees share.
    pub fn common_dir(&self) -> &Utf8Path {
        &self.common_dir
    }

    fn is_ignored(&self, path: &Utf8Path) -> bool {
        self.ignored.iter().any(|dir| path.starts_with(dir))
    }

    /// A git command that starts at the top of the work tree.
    fn tool(&self) -> Tool {
        command().cwd(&self.root)
    }

    fn run<I: IntoIterator<Item = S>, S: AsRef<std::ffi::OsStr>>(&self, args: I) -> Result<ToolOutput, ToolError> {
        self.tool().args(args).run()
    }

    fn checked<I: IntoIterator<Item = S>, S: AsRef<std::ffi::OsStr>>(&self, args: I) -> Result<ToolOutput, ToolError> {
        self.tool().args(args).run_checked()
    }
}

/// `git --version`: `git version 2.47.3`.
pub fn version() -> Result<String, GitError> {
    Ok(without_config().arg("--version").run_checked()?.text())
}

/// git as a machine reads it: plain paths, English messages, no pager, no prompt, no lock, and no program of the
/// repository's choosing (hooks, fsmonitor, pathspec magic in file names).
fn command() -> Tool {
    without_config().args(["-c", "core.hooksPath=/dev/null"])
}

fn without_config() -> Tool {
    Tool::new("git")
        .args(["-c", "core.quotepath=off", "-c", "core.fsmonitor=false", "-c", "color.ui=false", "-c", "log.showSignature=false"])
        .env("LC_ALL", "C")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_LITERAL_PATHSPECS", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env_remove("GIT_DIFF_OPTS")
        .env_remove("GIT_CEILING_DIRECTORIES")
        .env_remove("GIT_GLOB_PATHSPECS")
        .env_remove("GIT_NOGLOB_PATHSPECS")
        .env_remove("GIT_ICASE_PATHSPECS")
}

#[cfg(test)]
mod tests {
    use super::testing::Repo;
    use super::*;
    use crate::error::Expected;

    #[test]
    fn a_directory_outside_of_any_repository_is_a_typed_error_with_a_way_out() {
        let dir = tempfile::tempdir().unwrap();
        let error = Git::discover(Utf8Path::from_path(dir.path()).unwrap()).unwrap_err();
        assert!(matches!(error, GitError::NotARepository { .. }), "{error}");
        assert!(error.hint().unwrap().contains("git init"));
    }

    #[test]
    fn a_bare_repository_has_nothing_to_measure() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        command().cwd(dir).args(["init", "-q", "--bare"]).run_checked().unwrap();
        assert!(matches!(Git::discover(dir).unwrap_err(), GitError::Bare { .. }));
    }

    #[test]
    fn the_top_of_a_hostile_directory_name_is_found_from_below() {
        let repo = Repo::named("a é\n-x");
        repo.write("src/lib.rs", "").commit("one");
        let git = Git::discover(&repo.root().join("src")).unwrap();
        assert_eq!(git.root(), repo.root());
        assert_eq!(git.common_dir(), repo.root().join(".git"));
    }

    #[test]
    fn a_linked_worktree_has_its_own_git_dir_and_the_common_one() {
        let repo = Repo::new();
        repo.write("a", "1").commit("one");
        let linked = repo.outside("linked");
        repo.git(&["worktree", "add", "-q", "--detach", linked.as_str()]);
        let git = Git::discover(&linked).unwrap();
        assert_eq!(git.root(), linked);
        assert_ne!(git.git_dir(), git.common_dir());
        assert_eq!(git.common_dir(), repo.root().join(".git"));
    }

    const LINKED: &str = "PERF_EXPERT_TEST_LINKED";

    /// Runs in a process of its own, started by the next test with `GIT_DIR` of another repository.
    #[test]
    #[ignore = "needs the environment that the next test gives it"]
    fn inside_a_hook_of_another_repository() {
        let here = std::env::var(LINKED).unwrap();
        assert!(std::env::var_os("GIT_DIR").is_some());
        let git = Git::discover(Utf8Path::new(&here)).unwrap();
        assert_eq!(git.root(), here);
        assert_eq!(git.commit_info("HEAD").unwrap().subject, "linked");
    }

    #[test]
    fn git_dir_in_the_environment_of_a_hook_does_not_change_the_answer() {
        let (repo, other) = (Repo::new(), Repo::new());
        repo.write("a", "1").commit("linked");
        other.write("a", "1").commit("another repository");
        let linked = repo.outside("linked");
        repo.git(&["worktree", "add", "-q", "--detach", linked.as_str()]);
        let launch = crate::process::Launch::new(std::env::current_exe().unwrap(), repo.root())
            .args(["--exact", "git::tests::inside_a_hook_of_another_repository", "--ignored"])
            .env("GIT_DIR", other.root().join(".git").as_str())
            .env(LINKED, linked.as_str());
        let finished = crate::process::run(&launch, &crate::process::Limits::default()).unwrap();
        assert!(finished.stdout_text().contains("1 passed"), "{}", finished.stdout_text());
    }
}
