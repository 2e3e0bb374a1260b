//! The base of a push: what git tells a pre-push hook, and the range of the pre-commit framework.

use super::{BaseError, Choice, Facts, Request, base, fallback};

/// One line of a pre-push hook's standard input (githooks(5)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedRef {
    /// Name of the local ref, or `(delete)`.
    pub local: String,
    /// The commit that is pushed; all zeros for a deletion.
    pub local_sha: String,
    /// Name of the ref at the remote.
    pub remote: String,
    /// What the remote has now; all zeros for a new ref.
    pub remote_sha: String,
}

impl PushedRef {
    fn deletes(&self) -> bool {
        is_zero(&self.local_sha)
    }

    fn is_tag(&self) -> bool {
        self.remote.starts_with("refs/tags/")
    }

    fn branch(&self) -> &str {
        self.remote.strip_prefix("refs/heads/").unwrap_or(&self.remote)
    }
}

fn is_zero(sha: &str) -> bool {
    !sha.is_empty() && sha.bytes().all(|byte| byte == b'0')
}

/// Reads `<local ref> <local sha> <remote ref> <remote sha>` lines; others are skipped.
pub fn parse_push_lines(text: &str) -> Vec<PushedRef> {
    let line = |line: &str| {
        // The local name can be any expression (`HEAD~1`, `:/a message`), the other three have no spaces.
        let mut words = line.trim_end().rsplitn(4, ' ');
        let (remote_sha, remote, local_sha, local) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let is_sha = |sha: &str| sha.len() >= 40 && sha.bytes().all(|byte| byte.is_ascii_hexdigit());
        let pushed =
            PushedRef { local: local.into(), local_sha: local_sha.into(), remote: remote.into(), remote_sha: remote_sha.into() };
        (is_sha(local_sha) && is_sha(remote_sha)).then_some(pushed)
    };
    text.lines().filter_map(line).collect()
}

pub(super) fn choose(refs: &[PushedRef], checked_out: &str, request: &Request, facts: &dyn Facts) -> Result<Choice, BaseError> {
    let nothing = |reason: &str| Ok(Choice::Nothing { reason: reason.into() });
    let alive: Vec<&PushedRef> = refs.iter().filter(|pushed| !pushed.deletes()).collect();
    if alive.is_empty() {
        return nothing(if refs.is_empty() { "the push updates nothing" } else { "the push only deletes" });
    }
    let branches: Vec<&PushedRef> = alive.into_iter().filter(|pushed| !pushed.is_tag()).collect();
    // Of several branches, the one that is checked out is the one that was worked on.
    let worked_on = branches.iter().find(|pushed| pushed.local_sha == checked_out).or_else(|| branches.first());
    let Some(pushed) = worked_on else { return nothing("the push only brings tags") };
    if !is_zero(&pushed.remote_sha)
        && facts.commit(&pushed.remote_sha)?.is_some()
        && let Some(commit) = facts.merge_base(&pushed.local_sha, &pushed.remote_sha)?
    {
        let rule = format!("what the remote has of {} (pre-push)", pushed.branch());
        return Ok(base(commit, rule, Some(pushed.local_sha.clone())));
    }
    fallback(&pushed.local_sha, Some(&pushed.local_sha), request, facts)
}

pub(super) fn choose_range(from: &str, to: &str, request: &Request, facts: &dyn Facts) -> Result<Choice, BaseError> {
    let Some(head) = facts.commit(to)? else { return Err(BaseError::Unknown { rev: to.into() }) };
    if !is_zero(from)
        && let Some(from) = facts.commit(from)?
        && let Some(commit) = facts.merge_base(&head, &from)?
    {
        return Ok(base(commit, "PRE_COMMIT_FROM_REF".into(), Some(head)));
    }
    fallback(&head, Some(&head), request, facts)
}
