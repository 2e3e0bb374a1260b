//! Contents of files at a revision, by one `git cat-file --batch`.

use camino::{Utf8Path, Utf8PathBuf};

use super::changes::fields;
use super::{Git, GitError};

impl Git {
    /// Every file of a revision, relative to the top.
    pub fn files(&self, rev: &str) -> Result<Vec<Utf8PathBuf>, GitError> {
        let commit = self.resolve(rev)?;
        let output = self.checked(["ls-tree", "-r", "-z", "--name-only", "--full-tree", &commit])?;
        Ok(fields(&output.stdout).map(Utf8PathBuf::from).collect())
    }

    /// The bytes of each of `paths` (relative to the top) at `rev`, in the same order; `None` where there is no such file.
    pub fn texts<P: AsRef<Utf8Path>>(&self, rev: &str, paths: &[P]) -> Result<Vec<Option<Vec<u8>>>, GitError> {
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let rev = self.resolve(rev)?;
        let specs: Vec<String> = paths.iter().map(|path| format!("{rev}:{}", path.as_ref())).collect();
        // NUL-terminated requests came with git 2.38; only a newline in a name needs them.
        let nul = specs.iter().any(|spec| spec.contains('\n'));
        let end = if nul { '\0' } else { '\n' };
        let mut requests = String::new();
        for spec in &specs {
            requests.push_str(spec);
            requests.push(end);
        }
        let tool = self.tool().args(["cat-file", "--batch"]).args(nul.then_some("-z"));
        let output = tool.stdin(requests.into_bytes()).run_checked()?;
        let mut rest = output.stdout.as_slice();
        let mut texts = Vec::with_capacity(specs.len());
        for spec in &specs {
            let (text, after) = answer(rest, spec).ok_or(GitError::Answer { command: "cat-file --batch" })?;
            texts.push(text.map(<[u8]>::to_vec));
            rest = after;
        }
        Ok(texts)
    }
}

type Answer<'a> = (Option<&'a [u8]>, &'a [u8]);

/// `<hash> <type> <size> LF <contents> LF`, or `<request> missing LF`, which repeats the name with its newlines.
fn answer<'a>(bytes: &'a [u8], spec: &str) -> Option<Answer<'a>> {
    if let Some(said) = bytes.strip_prefix(spec.as_bytes()) {
        return Some((None, said.strip_prefix(b" missing\n")?));
    }
    let end = bytes.iter().position(|&byte| byte == b'\n')?;
    let (header, body) = bytes.split_at_checked(end)?;
    let mut words = std::str::from_utf8(header).ok()?.split(' ').skip(1);
    let is_file = words.next()? == "blob";
    let size: usize = words.next()?.parse().ok()?;
    let (text, after) = body.get(1..)?.split_at_checked(size)?;
    Some((is_file.then_some(text), after.strip_prefix(b"\n")?))
}

#[cfg(test)]
mod tests {
    use super::super::testing::Repo;
    use super::*;

    #[test]
    fn texts_come_in_order_binary_safe_and_missing_ones_are_none() {
        let repo = Repo::new();
        let binary = [0_u8, 10, 255, 10, 0];
        repo.write("bin", binary).write("empty", "").write("dir/-é \"x", "text\n");
        repo.commit("one");
        let paths = ["bin", "no such", "empty", "dir/-é \"x", "dir"];
        let texts = repo.open().texts("HEAD", &paths).unwrap();
        assert_eq!(texts, [Some(binary.to_vec()), None, Some(Vec::new()), Some(b"text\n".to_vec()), None]);
    }

    #[test]
    fn a_newline_in_a_name_is_only_a_character() {
        let repo = Repo::new();
        repo.write("a\nb", "1").commit("one");
        assert_eq!(repo.open().texts("HEAD", &["a\nb", "x\ny"]).unwrap(), [Some(b"1".to_vec()), None]);
    }

    #[test]
    fn an_unknown_revision_is_an_error_and_not_a_row_of_missing_files() {
        let repo = Repo::new();
        repo.write("a", "1").commit("one");
        assert!(matches!(repo.open().texts("nonsense", &["a"]), Err(GitError::UnknownRevision { .. })));
    }

    #[test]
    fn a_cut_off_answer_is_refused() {
        assert!(answer(b"abc blob 10\nshort\n", "r:p").is_none());
        assert!(answer(b"", "r:p").is_none());
    }
}
