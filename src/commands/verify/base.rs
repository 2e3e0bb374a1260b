//! Which commit is the base, by which rule.

use std::io::Read;

use crate::analysis::HeadSide;
use crate::cli::{HookKind, VerifyArgs};
use crate::commands::context::Context;
use crate::error::{Expected, Result};
use crate::evidence::Evidence;
use crate::figures::{self, counted};
use crate::git::Choice;
use crate::git::base::{self, Base as Chosen, Request, Unusable, choose, parse_event, parse_push_lines};
use crate::sides::Diff;
use crate::source::ChangeKind;
use crate::store::Store;

/// Standard input that is not what git gives to a pre-push hook.
#[derive(Debug, thiserror::Error)]
#[error("standard input is not what git gives to a pre-push hook: `{0}`")]
struct HookInput(String);

impl Expected for HookInput {
    fn hint(&self) -> Option<String> {
        Some("each line is `LOCAL-REF LOCAL-SHA REMOTE-REF REMOTE-SHA`; in lefthook set `use_stdin: true`".into())
    }
}

/// The baseline that nobody needs to name.
const DEFAULT: &str = "default";

/// What it says about the base.
fn ask_default(store: &Store, request: &mut Request) {
    if let Some(default) = store.list_baselines().into_iter().find(|one| one.name == DEFAULT) {
        request.unusable = default.dirty.then_some(Unusable::Dirty);
        request.baseline = default.commit.filter(|_| !default.dirty);
    } else if let Some((_, error)) = store.unreadable_baselines().into_iter().find(|(name, _)| name == DEFAULT) {
        request.unusable = Some(Unusable::Unreadable { problem: error.to_string(), hint: error.hint() });
    }
}

/// What is compared: one choice, or one per ref that a push updates.
pub(super) fn choices(context: &Context, store: &Store, args: &VerifyArgs) -> Result<Vec<Choice>> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let event_text = variable("GITHUB_EVENT_PATH").and_then(|path| std::fs::read_to_string(path).ok());
    let mut request = Request {
        explicit: args.base.clone(),
        pushed: None,
        pre_commit: variable("PRE_COMMIT_FROM_REF").zip(variable("PRE_COMMIT_TO_REF")),
        github: variable("GITHUB_EVENT_NAME")
            .and_then(|name| parse_event(&name, variable("GITHUB_SHA").as_deref(), event_text.as_deref())),
        baseline: None,
        unusable: None,
    };
    ask_default(store, &mut request);
    if let Some(name) = &args.baseline {
        let record = store.load_baseline::<Evidence>(name)?.record;
        if let Some(commit) = record.commit {
            return Ok(vec![Choice::Base(base::Base { commit, chosen_by: format!("--baseline {name}"), head: None })]);
        }
    }
    if args.hook != Some(HookKind::PrePush) {
        return Ok(vec![choose(&request, &context.git)?]);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let pushed = parse_push_lines(&text);
    if pushed.len() < text.lines().filter(|line| !line.trim().is_empty()).count() {
        return Err(HookInput(text.lines().next().unwrap_or_default().to_owned()).into());
    }
    if pushed.is_empty() {
        return Ok(vec![Choice::Nothing { reason: "nothing is pushed".into() }]);
    }
    let mut choices = Vec::new();
    for one in pushed {
        request.pushed = Some(vec![one]);
        let choice = choose(&request, &context.git)?;
        if !choices.contains(&choice) {
            choices.push(choice);
        }
    }
    Ok(choices)
}

/// The tree-ish with the base's sources: of a dirty baseline, the tree that was measured.
pub(super) fn tree_of(store: &Store, args: &VerifyArgs, chosen: &Chosen) -> Result<String> {
    let Some(name) = &args.baseline else { return Ok(chosen.commit.clone()) };
    let evidence = store.load_baseline::<Evidence>(name)?.record.workloads;
    Ok(evidence.dirty_tree.unwrap_or_else(|| chosen.commit.clone()))
}

/// "3f2c1aa (merge-base with origin/main) .. working tree: 2 items changed, 1 moved".
pub(super) fn comparing(chosen: &Chosen, head: &HeadSide, diff: &Diff) -> String {
    let to = match (&head.commit, head.dirty) {
        (Some(commit), false) => figures::commit(commit),
        _ => "working tree",
    };
    let count = |wanted: &dyn Fn(ChangeKind) -> bool| diff.changes.iter().filter(|change| wanted(change.kind)).count();
    let moved = count(&|kind| kind == ChangeKind::Moved);
    let ambient = count(&|kind| kind == ChangeKind::Ambient);
    let changed = diff.changes.len() - moved - ambient;
    let mut parts = vec![format!("{} changed", counted(changed, "item"))];
    parts.extend((moved > 0).then(|| format!("{moved} moved")));
    parts.extend((ambient > 0).then(|| format!("{ambient} ambient")));
    format!("{} ({}) .. {to}: {}", figures::commit(&chosen.commit), chosen.chosen_by, parts.join(", "))
}
