//! Which files a change touches: `git diff --raw -z -M`, and the untracked ones of a work tree.

use camino::Utf8PathBuf;

use super::{Git, GitError};

/// The side that a base is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// The files on disk, untracked ones included.
    WorkingTree,
    /// A commit.
    Commit(String),
}

/// What happened to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileStatus {
    /// Only at head.
    Added,
    /// On both sides, different contents, mode or type.
    Modified,
    /// Only at base.
    Deleted,
    /// The same file under another name, perhaps edited.
    Renamed {
        /// Its path at base.
        from: Utf8PathBuf,
    },
}

/// One changed file. A name that is not UTF-8 (cargo cannot build one) comes with replacement characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// What happened.
    pub status: FileStatus,
    /// Path at head (at base for deleted files), relative to the top of the work tree.
    pub path: Utf8PathBuf,
}

impl FileChange {
    /// Where the file was at base; `None` if it was not there.
    pub fn base_path(&self) -> Option<&Utf8PathBuf> {
        match &self.status {
            FileStatus::Added => None,
            FileStatus::Modified | FileStatus::Deleted => Some(&self.path),
            FileStatus::Renamed { from } => Some(from),
        }
    }

    /// Where the file is at head; `None` if it is gone.
    pub fn head_path(&self) -> Option<&Utf8PathBuf> {
        (self.status != FileStatus::Deleted).then_some(&self.path)
    }
}

/// git's name of the tree without files, for a repository without commits.
const EMPTY_TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

impl Git {
    /// Files that differ between the commit `base` and `head`, ordered by path.
    pub fn changed_files(&self, base: &str, head: &Head) -> Result<Vec<FileChange>, GitError> {
        let mut tool = self.tool().args(["diff", "--raw", "-z", "-M", "--no-abbrev", "--no-ext-diff", "--no-textconv"]);
        tool = tool.args(["--end-of-options", base]);
        if let Head::Commit(commit) = head {
            tool = tool.arg(commit);
        }
        let output = tool.arg("--").run_checked()?;
        let mut changes = parse_raw(&output.stdout).ok_or(GitError::Answer { command: "diff --raw" })?;
        if *head == Head::WorkingTree {
            for path in self.untracked()? {
                match changes.iter_mut().find(|change| change.path == path) {
                    // Removed from the index, still on disk.
                    Some(change) => change.status = FileStatus::Modified,
                    None => changes.push(FileChange { status: FileStatus::Added, path }),
                }
            }
        }
        changes.retain(|change| !self.is_ignored(&change.path));
        changes.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(changes)
    }

    /// Files that git neither tracks nor ignores.
    pub fn untracked(&self) -> Result<Vec<Utf8PathBuf>, GitError> {
        let output = self.checked(["ls-files", "--others", "--exclude-standard", "-z"])?;
        let paths = fields(&output.stdout).map(Utf8PathBuf::from);
        Ok(paths.filter(|path| !self.is_ignored(path)).collect())
    }

    /// True if the work tree differs from HEAD: edits, staged or not, and untracked files.
    pub fn is_dirty(&self) -> Result<bool, GitError> {
        let head = self.head()?.unwrap_or_else(|| EMPTY_TREE.to_owned());
        Ok(!self.changed_files(&head, &Head::WorkingTree)?.is_empty())
    }
}

/// The NUL-terminated fields of an answer, as text.
pub(super) fn fields(bytes: &[u8]) -> impl Iterator<Item = String> + '_ {
    let body = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    let fields = (!body.is_empty()).then(|| body.split(|&byte| byte == 0));
    fields.into_iter().flatten().map(|field| String::from_utf8_lossy(field).into_owned())
}

/// `:<mode> <mode> <hash> <hash> <status>[score] NUL path NUL [path NUL]` (git-diff, "Raw output format").
fn parse_raw(bytes: &[u8]) -> Option<Vec<FileChange>> {
    let mut changes: Vec<FileChange> = Vec::new();
    let mut rest = fields(bytes);
    while let Some(header) = rest.next() {
        let letter = header.strip_prefix(':')?.split(' ').nth(4)?.chars().next()?;
        let first = Utf8PathBuf::from(rest.next()?);
        let change = match letter {
            'A' => FileChange { status: FileStatus::Added, path: first },
            'D' => FileChange { status: FileStatus::Deleted, path: first },
            'R' => FileChange { status: FileStatus::Renamed { from: first }, path: rest.next()?.into() },
            'C' => FileChange { status: FileStatus::Added, path: rest.next()?.into() },
            'M' | 'T' | 'U' => FileChange { status: FileStatus::Modified, path: first },
            _ => return None,
        };
        // A conflict comes twice: once as unmerged, once as it is on disk.
        if !changes.iter().any(|known| known.path == change.path) {
            changes.push(change);
        }
    }
    Some(changes)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Repo;
    use super::*;

    fn seen(repo: &Repo, base: &str, head: &Head) -> Vec<String> {
        let changes = repo.open().changed_files(base, head).unwrap();
        changes.iter().map(|change| format!("{:?} {:?}", change.status, change.path)).collect()
    }

    #[test]
    fn every_kind_of_change_of_a_work_tree_is_seen() {
        let repo = Repo::new();
        let long = "a line that makes the file recognisable\n".repeat(20);
        repo.write("moved.rs", &long).write("edited.rs", "1").write("gone.rs", "2").write("same.rs", "3");
        repo.write(".gitignore", "ignored\n");
        let base = repo.commit("one");
        repo.git(&["mv", "moved.rs", "new é\nname.rs"]);
        repo.write("edited.rs", "22").write("-untracked.rs", "").write("ignored", "");
        repo.write("same.rs", "3");
        std::fs::remove_file(repo.root().join("gone.rs")).unwrap();
        assert_eq!(
            seen(&repo, &base, &Head::WorkingTree),
            [
                "Added \"-untracked.rs\"",
                "Modified \"edited.rs\"",
                "Deleted \"gone.rs\"",
                "Renamed { from: \"moved.rs\" } \"new é\\nname.rs\"",
            ]
        );
    }

    #[test]
    fn a_commit_as_head_ignores_the_work_tree() {
        let repo = Repo::new();
        let base = repo.write("a", "1").commit("one");
        let head = repo.write("a", "2").commit("two");
        repo.write("b", "untracked");
        assert_eq!(seen(&repo, &base, &Head::Commit(head)), ["Modified \"a\""]);
    }

    #[test]
    fn a_file_taken_out_of_the_index_but_not_off_the_disk_is_one_change() {
        let repo = Repo::new();
        let base = repo.write("a", "1").commit("one");
        repo.git(&["rm", "-q", "--cached", "a"]);
        assert_eq!(seen(&repo, &base, &Head::WorkingTree), ["Modified \"a\""]);
    }

    #[test]
    fn our_own_target_directory_is_no_change_even_if_git_does_not_ignore_it() {
        let repo = Repo::new();
        repo.write("a", "1").commit("one");
        repo.write("target/perf-expert/x", "");
        let git = repo.open();
        assert!(git.is_dirty().unwrap());
        assert!(!git.ignoring(&repo.root().join("target")).is_dirty().unwrap());
    }

    #[test]
    fn dirty_means_edited_staged_or_untracked() {
        let repo = Repo::new();
        assert!(!repo.open().is_dirty().unwrap());
        repo.write("a", "1");
        assert!(repo.open().is_dirty().unwrap());
        repo.commit("one");
        assert!(!repo.open().is_dirty().unwrap());
        repo.write("a", "2");
        repo.git(&["add", "a"]);
        assert!(repo.open().is_dirty().unwrap());
    }

    #[test]
    fn a_submodule_free_answer_that_is_cut_off_is_refused() {
        assert_eq!(parse_raw(b":100644 100644 1 2 M\0"), None);
        assert_eq!(parse_raw(b"nonsense\0a\0"), None);
        assert_eq!(parse_raw(b""), Some(Vec::new()));
    }
}
