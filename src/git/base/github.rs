//! The base of a pull request or merge group on GitHub Actions.

use super::{BaseError, Choice, Facts, base};

/// What the event says about the base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GithubEvent {
    /// `GITHUB_EVENT_NAME`.
    pub name: String,
    /// `GITHUB_SHA`: for `pull_request`, the merge commit that GitHub made.
    pub sha: Option<String>,
    /// Tip of the target branch, or `merge_group.base_sha`.
    pub base_sha: Option<String>,
}

/// Reads the event. `payload` is the text of the file that `GITHUB_EVENT_PATH` names; a damaged one only costs its base.
pub fn parse_event(name: &str, sha: Option<&str>, payload: Option<&str>) -> Option<GithubEvent> {
    let pointer = match name {
        "pull_request" | "pull_request_target" => "/pull_request/base/sha",
        "merge_group" => "/merge_group/base_sha",
        _ => return None,
    };
    let payload: Option<serde_json::Value> = payload.and_then(|text| serde_json::from_str(text).ok());
    let base_sha = payload.as_ref().and_then(|value| value.pointer(pointer)?.as_str()).map(str::to_owned);
    Some(GithubEvent { name: name.into(), sha: sha.map(str::to_owned), base_sha })
}

pub(super) fn choose(event: &GithubEvent, checked_out: &str, facts: &dyn Facts) -> Result<Option<Choice>, BaseError> {
    // The merge commit's first parent is the target branch as GitHub merged it: newer than the event's base,
    // whose diff would blame this request for what others merged meanwhile.
    if event.name == "pull_request" && event.sha.as_deref() == Some(checked_out) {
        if facts.commit(&format!("{checked_out}^2"))?.is_some()
            && let Some(commit) = facts.commit(&format!("{checked_out}^1"))?
        {
            return Ok(Some(base(commit, "HEAD^1 of the pull request's merge commit".into(), None)));
        }
        if facts.shallow()? {
            return Err(BaseError::Shallow { missing: "HEAD^1, the target branch of the pull request,".into() });
        }
    }
    let Some(sha) = &event.base_sha else { return Ok(None) };
    let rule = if event.name == "merge_group" { "base of the merge group" } else { "merge-base with the pull request's target" };
    if let Some(tip) = facts.commit(sha)?
        && let Some(commit) = facts.merge_base(checked_out, &tip)?
    {
        return Ok(Some(base(commit, rule.into(), None)));
    }
    if facts.shallow()? { Err(BaseError::Shallow { missing: format!("the {rule}") }) } else { Ok(None) }
}
