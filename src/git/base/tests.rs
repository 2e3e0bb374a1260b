use std::collections::BTreeMap;

use super::*;

const HEAD: &str = "1111111111111111111111111111111111111111";
const OLD: &str = "2222222222222222222222222222222222222222";
const FORK: &str = "3333333333333333333333333333333333333333";
const ZERO: &str = "0000000000000000000000000000000000000000";

/// A repository that exists only as answers.
#[derive(Default)]
struct Told {
    commits: BTreeMap<String, String>,
    merge_bases: BTreeMap<(String, String), String>,
    upstream: Option<(String, String)>,
    shallow: bool,
    dirty: bool,
}

impl Facts for Told {
    fn commit(&self, rev: &str) -> Result<Option<String>, GitError> {
        Ok(self.commits.get(rev).cloned())
    }
    fn merge_base(&self, left: &str, right: &str) -> Result<Option<String>, GitError> {
        Ok(self.merge_bases.get(&(left.into(), right.into())).cloned())
    }
    fn upstream(&self) -> Result<Option<(String, String)>, GitError> {
        Ok(self.upstream.clone())
    }
    fn shallow(&self) -> Result<bool, GitError> {
        Ok(self.shallow)
    }
    fn dirty(&self) -> Result<bool, GitError> {
        Ok(self.dirty)
    }
}

fn told(commits: &[(&str, &str)]) -> Told {
    let all = commits.iter().copied().chain([("HEAD", HEAD), (HEAD, HEAD), (OLD, OLD)]);
    Told { commits: all.map(|(rev, sha)| (rev.to_owned(), sha.to_owned())).collect(), ..Told::default() }
}

fn forked(mut facts: Told, left: &str, right: &str) -> Told {
    facts.merge_bases.insert((left.into(), right.into()), FORK.into());
    facts
}

fn chosen(request: &Request, facts: &Told) -> (String, String, Option<String>) {
    match choose(request, facts).unwrap() {
        Choice::Base(base) => (base.commit, base.chosen_by, base.head),
        Choice::Nothing { reason } => panic!("nothing: {reason}"),
    }
}

fn pushed(lines: &str) -> Request {
    Request { pushed: Some(parse_push_lines(lines)), ..Request::default() }
}

#[test]
fn the_explicit_base_wins_over_everything() {
    let mut facts = told(&[("v1", OLD)]);
    facts.upstream = Some(("origin/main".into(), FORK.into()));
    let request = Request { explicit: Some("v1".into()), baseline: Some(FORK.into()), ..pushed("") };
    assert_eq!(chosen(&request, &facts), (OLD.into(), "`--base v1`".into(), None));
}

#[test]
fn an_unknown_explicit_base_is_a_usage_error_or_a_shallow_clone() {
    let request = Request { explicit: Some("nope".into()), ..Request::default() };
    let error = choose(&request, &told(&[])).unwrap_err();
    assert_eq!((error.exit(), matches!(error, BaseError::Unknown { .. })), (Exit::Usage, true));
    let error = choose(&request, &Told { shallow: true, ..told(&[]) }).unwrap_err();
    assert!(error.hint().unwrap().contains("git fetch --unshallow"));
}

#[test]
fn a_push_to_a_known_branch_compares_with_what_the_remote_has() {
    let facts = forked(told(&[]), HEAD, OLD);
    let request = pushed(&format!("refs/heads/work {HEAD} refs/heads/work {OLD}\n"));
    assert_eq!(chosen(&request, &facts), (FORK.into(), "what the remote has of work (pre-push)".into(), Some(HEAD.into())));
}

#[test]
fn a_new_branch_compares_with_where_it_left_the_upstream_branch() {
    let mut facts = forked(told(&[]), HEAD, "upstream");
    facts.upstream = Some(("origin/main".into(), "upstream".into()));
    let request = pushed(&format!("refs/heads/work {HEAD} refs/heads/work {ZERO}\n"));
    assert_eq!(chosen(&request, &facts), (FORK.into(), "merge-base with origin/main".into(), Some(HEAD.into())));
}

#[test]
fn a_remote_commit_that_was_never_fetched_is_no_base() {
    let mut facts = forked(told(&[]), HEAD, "upstream");
    facts.upstream = Some(("origin/main".into(), "upstream".into()));
    let unseen = "9".repeat(40);
    let request = pushed(&format!("refs/heads/work {HEAD} refs/heads/work {unseen}\n"));
    assert_eq!(chosen(&request, &facts).1, "merge-base with origin/main");
}

#[test]
fn a_push_that_deletes_or_brings_tags_only_has_nothing_to_compare() {
    for (lines, word) in [
        (format!("(delete) {ZERO} refs/heads/work {OLD}\n"), "deletes"),
        (format!("refs/tags/v1 {HEAD} refs/tags/v1 {ZERO}\n"), "tags"),
        (String::new(), "nothing"),
    ] {
        let choice = choose(&pushed(&lines), &told(&[])).unwrap();
        assert!(matches!(&choice, Choice::Nothing { reason } if reason.contains(word)), "{choice:?}");
    }
}

#[test]
fn of_several_pushed_branches_the_checked_out_one_counts() {
    let facts = forked(told(&[]), HEAD, OLD);
    let other = "8".repeat(40);
    let request =
        pushed(&format!("refs/heads/x {other} refs/heads/x {OLD}\nHEAD~1 x {HEAD} refs/heads/work {OLD}\nnot a line\n"));
    assert_eq!(chosen(&request, &facts).2, Some(HEAD.into()));
}

#[test]
fn the_range_of_the_pre_commit_framework_is_taken() {
    let facts = forked(told(&[]), HEAD, OLD);
    let request = Request { pre_commit: Some((OLD.into(), HEAD.into())), ..Request::default() };
    assert_eq!(chosen(&request, &facts), (FORK.into(), "PRE_COMMIT_FROM_REF".into(), Some(HEAD.into())));
}

#[test]
fn a_pull_request_compares_with_the_first_parent_of_its_merge_commit() {
    let facts = told(&[(&format!("{HEAD}^1"), FORK), (&format!("{HEAD}^2"), OLD)]);
    let event = parse_event("pull_request", Some(HEAD), Some(&format!(r#"{{"pull_request":{{"base":{{"sha":"{OLD}"}}}}}}"#)));
    let request = Request { github: event, ..Request::default() };
    assert_eq!(chosen(&request, &facts), (FORK.into(), "HEAD^1 of the pull request's merge commit".into(), None));
}

#[test]
fn a_pull_request_whose_own_head_is_checked_out_compares_with_the_merge_base() {
    let facts = forked(told(&[(&format!("{HEAD}^1"), "wrong")]), HEAD, OLD);
    let event =
        parse_event("pull_request", Some("another"), Some(&format!(r#"{{"pull_request":{{"base":{{"sha":"{OLD}"}}}}}}"#)));
    let request = Request { github: event, ..Request::default() };
    assert_eq!(chosen(&request, &facts).0, FORK);
}

#[test]
fn a_merge_group_names_its_base() {
    let facts = forked(told(&[]), HEAD, OLD);
    let event = parse_event("merge_group", Some(HEAD), Some(&format!(r#"{{"merge_group":{{"base_sha":"{OLD}"}}}}"#)));
    let request = Request { github: event, ..Request::default() };
    assert_eq!(chosen(&request, &facts), (FORK.into(), "base of the merge group".into(), None));
}

#[test]
fn a_shallow_checkout_on_github_gets_the_exact_fix() {
    let facts = Told { shallow: true, ..told(&[]) };
    let request = Request { github: parse_event("pull_request", Some(HEAD), None), ..Request::default() };
    let error = choose(&request, &facts).unwrap_err();
    assert!(error.hint().unwrap().contains("fetch-depth: 0"));
}

#[test]
fn other_events_and_damaged_payloads_leave_the_word_to_the_next_rule() {
    assert_eq!(parse_event("push", Some(HEAD), None), None);
    let mut facts = forked(told(&[]), HEAD, "upstream");
    facts.upstream = Some(("origin/main".into(), "upstream".into()));
    let request = Request { github: parse_event("merge_group", None, Some("{ damaged")), ..Request::default() };
    assert_eq!(chosen(&request, &facts).1, "merge-base with origin/main");
}

#[test]
fn without_upstream_the_stored_baseline_is_next() {
    let request = Request { baseline: Some(OLD.into()), ..Request::default() };
    assert_eq!(chosen(&request, &told(&[])), (OLD.into(), "commit of the stored baseline".into(), None));
}

#[test]
fn a_stored_baseline_that_cannot_serve_is_never_passed_over_in_silence() {
    let mut facts = told(&[]);
    facts.dirty = true;
    let unusable = |unusable| Request { unusable: Some(unusable), ..Request::default() };
    let rule = chosen(&unusable(Unusable::Dirty), &facts).1;
    assert_eq!(rule, "HEAD, under uncommitted work (no upstream branch; the stored baseline is of uncommitted work)");
    let gone = Request { baseline: Some(FORK.into()), ..Request::default() };
    assert!(chosen(&gone, &facts).1.contains("the commit of the stored baseline is gone"));
    let unreadable = unusable(Unusable::Unreadable { problem: "x.json is damaged".into(), hint: Some("make it again".into()) });
    let error = choose(&unreadable, &facts).unwrap_err();
    assert!(error.to_string().contains("x.json is damaged"), "{error}");
    assert_eq!(error.hint().unwrap(), "make it again; or name the base with `--base REV`");
    facts.upstream = Some(("origin/main".into(), "upstream".into()));
    let facts = forked(facts, HEAD, "upstream");
    assert_eq!(chosen(&unreadable, &facts).1, "merge-base with origin/main", "it is not needed here");
}

#[test]
fn the_last_resort_is_head_under_a_dirty_tree_and_the_commit_before_under_a_clean_one() {
    let parent = format!("{HEAD}^1");
    let mut facts = told(&[(&parent, OLD)]);
    assert_eq!(chosen(&Request::default(), &facts).0, OLD);
    facts.dirty = true;
    assert_eq!(chosen(&Request::default(), &facts).0, HEAD);
}

#[test]
fn an_empty_repository_and_a_single_commit_say_what_is_missing() {
    assert!(matches!(choose(&Request::default(), &Told::default()), Err(BaseError::NoCommits)));
    assert!(matches!(choose(&Request::default(), &told(&[])), Err(BaseError::Nowhere)));
}

#[test]
fn a_real_repository_answers_like_the_told_one() {
    let repo = crate::git::testing::Repo::new();
    let fork = repo.write("a", "1").commit("one");
    repo.git(&["checkout", "-q", "-b", "work"]);
    repo.write("a", "2").commit("two");
    let Choice::Base(base) = choose(&Request::default(), &repo.open()).unwrap() else { panic!() };
    assert_eq!((base.commit, base.chosen_by.as_str()), (fork, "merge-base with main"));
}
