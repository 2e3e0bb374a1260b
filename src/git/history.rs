//! Commits: what their authors said and which files they touched.

use camino::Utf8PathBuf;

use super::changes::fields;
use super::{Git, GitError};

/// One commit of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Full hash.
    pub sha: String,
    /// First paragraph of the message, on one line.
    pub subject: String,
    /// The rest of the message.
    pub body: String,
    /// Files it touched, relative to the top; empty for merges. A rename counts as both names.
    pub files: Vec<Utf8PathBuf>,
}

/// What a report says about one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitInfo {
    /// Full hash.
    pub sha: String,
    /// When it was committed, seconds since 1970.
    pub time: i64,
    /// First line of its message.
    pub subject: String,
}

impl Git {
    /// The commits that are in `head` and not in `base`, newest first.
    pub fn commits(&self, base: &str, head: &str) -> Result<Vec<Commit>, GitError> {
        let (base, head) = (self.resolve(base)?, self.resolve(head)?);
        let range = format!("{base}..{head}");
        let log = |args: &[&str]| self.checked([&["log", "-z", "--encoding=UTF-8"], args, &[range.as_str(), "--"]].concat());
        let mut commits = parse_messages(&log(&["--no-patch", "--format=%H%n%s%n%b"])?.stdout);
        let touched = log(&["--format=%x01%H", "--name-only", "--no-renames", "--no-ext-diff", "--no-textconv"])?.stdout;
        add_files(&mut commits, &touched);
        Ok(commits)
    }

    /// Time and subject of one commit.
    pub fn commit_info(&self, rev: &str) -> Result<CommitInfo, GitError> {
        let sha = self.resolve(rev)?;
        let output = self.checked(["log", "-1", "--no-patch", "--encoding=UTF-8", "--format=%ct%n%s", &sha, "--"])?;
        let text = output.text();
        let (time, subject) = text.split_once('\n').unwrap_or((&text, ""));
        let time = time.parse().map_err(|_not_a_number| GitError::Answer { command: "log" })?;
        Ok(CommitInfo { sha, time, subject: subject.to_owned() })
    }
}

fn parse_messages(bytes: &[u8]) -> Vec<Commit> {
    let commit = |record: String| {
        let (sha, message) = record.split_once('\n').unwrap_or((&record, ""));
        let (subject, body) = message.split_once('\n').unwrap_or((message, ""));
        Commit { sha: sha.to_owned(), subject: subject.to_owned(), body: body.trim_end().to_owned(), files: Vec::new() }
    };
    fields(bytes).map(commit).collect()
}

/// Each commit is announced by `\x01` and its hash. Only the hash that must come next is believed, so that no file name can
/// pretend to be a commit.
fn add_files(commits: &mut [Commit], bytes: &[u8]) {
    let heads: Vec<String> = commits.iter().map(|commit| format!("\x01{}", commit.sha)).collect();
    let mut current = None;
    let mut next = 0;
    for field in fields(bytes) {
        if heads.get(next) == Some(&field) {
            (current, next) = (commits.get_mut(next), next + 1);
        } else if let Some(commit) = &mut current {
            // git writes a newline between the header of a commit and its first file.
            let name = if commit.files.is_empty() { field.strip_prefix('\n').unwrap_or(&field) } else { &field };
            commit.files.push(name.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Repo;

    #[test]
    fn commits_carry_their_words_and_their_files() {
        let repo = Repo::new();
        let base = repo.write("a", "1").commit("one");
        repo.write("é\nx", "1").write("b", "1").commit("Make it 2x faster\n\nBecause the loop\nwas slow.");
        repo.commit("nothing at all");
        let commits = repo.open().commits(&base, "HEAD").unwrap();
        assert_eq!(commits.len(), 2);
        assert_eq!((commits[0].subject.as_str(), commits[0].files.len()), ("nothing at all", 0));
        assert_eq!(commits[1].subject, "Make it 2x faster");
        assert_eq!(commits[1].body, "Because the loop\nwas slow.");
        assert_eq!(commits[1].files, ["b", "é\nx"]);
    }

    #[test]
    fn a_file_name_cannot_pretend_to_be_a_commit() {
        let repo = Repo::new();
        let base = repo.write("a", "1").commit("one");
        repo.write("\x01deadbeef", "1").commit("two");
        let commits = repo.open().commits(&base, "HEAD").unwrap();
        assert_eq!(commits.len(), 1);
        assert_eq!(commits[0].files, ["\x01deadbeef"]);
    }

    #[test]
    fn nothing_lies_between_a_commit_and_itself() {
        let repo = Repo::new();
        repo.write("a", "1").commit("one");
        assert_eq!(repo.open().commits("HEAD", "HEAD").unwrap(), []);
    }

    #[test]
    fn a_commit_knows_its_time_and_subject() {
        let repo = Repo::new();
        let sha = repo.write("a", "1").commit("one: é");
        let info = repo.open().commit_info("HEAD").unwrap();
        assert_eq!((info.sha, info.subject.as_str()), (sha, "one: é"));
        assert!(info.time > 1_500_000_000);
    }
}
