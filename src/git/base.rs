//! Which commit a change is compared with, and which rule chose it.
//!
//! Pure over [`Facts`]: does not read the environment or standard input itself (see [`Request`]).

mod github;
mod push;

use super::error::SHALLOW_HINT;
use super::{Git, GitError};
use crate::error::Expected;
use crate::exit::Exit;

pub use github::{GithubEvent, parse_event};
pub use push::{PushedRef, parse_push_lines};

/// The commit to compare with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Full hash.
    pub commit: String,
    /// The rule that chose it, for the report: a fragment such as "merge-base with origin/main".
    pub chosen_by: String,
    /// The commit that a push proposes; `None`: what is checked out, work tree included.
    pub head: Option<String>,
}

/// The answer to "compare with what?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Compare with this commit.
    Base(Base),
    /// There is nothing to compare (a push that only deletes).
    Nothing {
        /// Why, as a fragment.
        reason: String,
    },
}

/// Everything outside of the repository that has a say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// `--base REV`.
    pub explicit: Option<String>,
    /// The lines that git gave to a pre-push hook ([`parse_push_lines`]).
    pub pushed: Option<Vec<PushedRef>>,
    /// `PRE_COMMIT_FROM_REF` and `PRE_COMMIT_TO_REF`.
    pub pre_commit: Option<(String, String)>,
    /// The GitHub event ([`parse_event`]).
    pub github: Option<GithubEvent>,
    /// The commit of the stored baseline.
    pub baseline: Option<String>,
    /// Why there is a stored baseline, but no commit of it to compare with.
    pub unusable: Option<Unusable>,
}

/// Why the commit of a stored baseline cannot serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// It was made of uncommitted work.
    Dirty,
    /// What it was made of cannot be told.
    Unreadable {
        /// Which file, and what is wrong with it.
        problem: String,
        /// The way out.
        hint: Option<String>,
    },
}

/// What the rules ask the repository.
pub trait Facts {
    /// The commit that a name stands for, if it is here.
    fn commit(&self, rev: &str) -> Result<Option<String>, GitError>;
    /// The best common ancestor.
    fn merge_base(&self, left: &str, right: &str) -> Result<Option<String>, GitError>;
    /// Short name and commit of the branch that work is merged into.
    fn upstream(&self) -> Result<Option<(String, String)>, GitError>;
    /// True if the history was cut off.
    fn shallow(&self) -> Result<bool, GitError>;
    /// True if the work tree has uncommitted work.
    fn dirty(&self) -> Result<bool, GitError>;
}

impl Facts for Git {
    fn commit(&self, rev: &str) -> Result<Option<String>, GitError> {
        self.try_resolve(rev)
    }

    fn merge_base(&self, left: &str, right: &str) -> Result<Option<String>, GitError> {
        Self::merge_base(self, left, right)
    }

    fn upstream(&self) -> Result<Option<(String, String)>, GitError> {
        Ok(self.upstream_default()?.map(|upstream| (upstream.short().to_owned(), upstream.commit)))
    }

    fn shallow(&self) -> Result<bool, GitError> {
        self.is_shallow()
    }

    fn dirty(&self) -> Result<bool, GitError> {
        self.is_dirty()
    }
}

/// Why no base could be named.
#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    /// The repository has no commit at all.
    #[error("the repository has no commit to compare with")]
    NoCommits,
    /// `--base` (or a hook) names something that is not here.
    #[error("the base `{rev}` is not a commit of this repository")]
    Unknown {
        /// As it was given.
        rev: String,
    },
    /// The history that would tell was not fetched.
    #[error("the clone is shallow: {missing} is not in it")]
    Shallow {
        /// What was looked for.
        missing: String,
    },
    /// Every rule came up empty.
    #[error("found no commit to compare with: there is no upstream branch, no baseline and no earlier commit")]
    Nowhere,
    /// The stored baseline would be the next to ask, and nobody knows what it says.
    #[error("found no commit to compare with: {problem}")]
    Unreadable {
        /// Which file, and what is wrong with it.
        problem: String,
        /// The way out.
        hint: Option<String>,
    },
    /// git itself failed.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl Expected for BaseError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoCommits => Some("commit something first: `git add . && git commit`".into()),
            Self::Unknown { .. } => Some("name a branch, a tag or a commit that `git log` knows".into()),
            Self::Shallow { .. } => Some(SHALLOW_HINT.into()),
            Self::Unreadable { hint: Some(hint), .. } => Some(format!("{hint}; or name the base with `--base REV`")),
            Self::Nowhere | Self::Unreadable { hint: None, .. } => Some("name one with `--base REV`".into()),
            Self::Git(error) => error.hint(),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Unknown { .. } => Exit::Usage,
            Self::Git(error) => error.exit(),
            _ => Exit::NoBaseline,
        }
    }
}

/// Applies the rules in the order of the documentation: the explicit name, the push, GitHub's event, the merge-base with the
/// upstream branch, the stored baseline, the commit before.
pub fn choose(request: &Request, facts: &dyn Facts) -> Result<Choice, BaseError> {
    if let Some(rev) = &request.explicit {
        return match facts.commit(rev)? {
            Some(commit) => Ok(base(commit, format!("`--base {rev}`"), None)),
            None if facts.shallow()? => Err(BaseError::Shallow { missing: format!("`{rev}`") }),
            None => Err(BaseError::Unknown { rev: rev.clone() }),
        };
    }
    let Some(checked_out) = facts.commit("HEAD")? else { return Err(BaseError::NoCommits) };
    if let Some(refs) = &request.pushed {
        return push::choose(refs, &checked_out, request, facts);
    }
    if let Some((from, to)) = &request.pre_commit {
        return push::choose_range(from, to, request, facts);
    }
    if let Some(event) = &request.github
        && let Some(found) = github::choose(event, &checked_out, facts)?
    {
        return Ok(found);
    }
    fallback(&checked_out, None, request, facts)
}

fn base(commit: String, chosen_by: String, head: Option<String>) -> Choice {
    Choice::Base(Base { commit, chosen_by, head })
}

/// The rules that need no outside word. `pushed` is the commit that a push proposes.
fn fallback(head: &str, pushed: Option<&str>, request: &Request, facts: &dyn Facts) -> Result<Choice, BaseError> {
    let proposed = pushed.map(str::to_owned);
    if let Some((name, upstream)) = facts.upstream()? {
        if let Some(commit) = facts.merge_base(head, &upstream)? {
            return Ok(base(commit, format!("merge-base with {name}"), proposed));
        }
        if facts.shallow()? {
            return Err(BaseError::Shallow { missing: format!("the merge-base with {name}") });
        }
    }
    let why_not = match (&request.baseline, &request.unusable) {
        (Some(commit), _) => match facts.commit(commit)? {
            Some(commit) => return Ok(base(commit, "commit of the stored baseline".into(), proposed)),
            None => "no upstream branch; the commit of the stored baseline is gone",
        },
        (None, Some(Unusable::Unreadable { problem, hint })) => {
            return Err(BaseError::Unreadable { problem: problem.clone(), hint: hint.clone() });
        }
        (None, Some(Unusable::Dirty)) => "no upstream branch; the stored baseline is of uncommitted work",
        (None, None) => "no upstream branch",
    };
    if pushed.is_none() && facts.dirty()? {
        return Ok(base(head.to_owned(), format!("HEAD, under uncommitted work ({why_not})"), proposed));
    }
    match facts.commit(&format!("{head}^1"))? {
        Some(commit) => Ok(base(commit, format!("the commit before ({why_not})"), proposed)),
        None if facts.shallow()? => Err(BaseError::Shallow { missing: "the commit before".into() }),
        None => Err(BaseError::Nowhere),
    }
}

#[cfg(test)]
mod tests;
