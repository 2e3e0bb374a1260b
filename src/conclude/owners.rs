//! The owners of a workload's time as the analysis shows them.

use super::root_causes::Seen;
use crate::analysis::{CauseResult, OwnerResult, StackFrame};
use crate::diagnose::Time;
use crate::heat::{ExcerptFrame, HotOwner, Share};
use crate::sample::offcpu::Wait;
use crate::source::Tree;

/// Owners together carry this much, or as much as there is.
const MOST: f64 = 0.8;
/// More of them are no answer.
const FEW: usize = 5;
/// What holds less by its interval is not worth a look.
const LEAST: f64 = 0.01;

/// Who computes and who waits, as parts of the work time: `U·p_cpu` and `(1−U)·p_off` (`evidence-rules.md` §1.1); the kernel's part,
/// which no sample of user code shows, is nobody's. Of the CPU samples alone where nobody watched the threads. Causes that were
/// found before sign them.
pub(super) fn of_side(side: &Seen<'_>, causes: &[CauseResult]) -> Vec<OwnerResult> {
    let time = side.work.map(Time::of).filter(|time| time.total() > 0.0);
    let mut all = Vec::new();
    if let Some(joined) = side.cpu {
        let engine = joined.profile().quality.engine;
        let of = if time.is_some() { "work time" } else { "CPU samples" };
        let share = |share: Share| time.as_ref().map_or(share, |time| time.running(engine, share));
        all.extend(joined.owners(FEW).into_iter().filter_map(|owner| one(owner, side.tree, &share, of, None)));
    }
    for (time, (wait, joined)) in time.iter().flat_map(|time| side.waits.iter().map(move |waits| (time, waits))) {
        let share = |share: Share| time.waiting([(joined.profile(), share.share)]);
        all.extend(joined.owners(FEW).into_iter().filter_map(|owner| one(owner, side.tree, &share, "work time", Some(*wait))));
    }
    let mut owners = few(all);
    for owner in &mut owners {
        owner.signature = signature(causes, &owner.item);
    }
    owners
}

/// Largest first, until they hold most together.
fn few(mut all: Vec<OwnerResult>) -> Vec<OwnerResult> {
    all.retain(|owner| owner.low >= LEAST);
    all.sort_by(|a, b| b.share.total_cmp(&a.share).then_with(|| a.item.cmp(&b.item)));
    let mut carried = 0.0;
    let wanted = |owner: &OwnerResult| {
        let wanted = carried < MOST;
        carried += owner.share;
        wanted
    };
    all.into_iter().take(FEW).take_while(wanted).collect()
}

/// `part`: what a share of the samples is `of`. `wait`: for what it waits; `None` where it runs.
fn one(owner: HotOwner, tree: &Tree, part: &dyn Fn(Share) -> Share, of: &str, wait: Option<Wait>) -> Option<OwnerResult> {
    let item = tree.get(owner.item)?;
    let stack_share = owner.stack.as_ref().map(|stack| part(stack.share).share);
    let share = part(owner.share);
    Some(OwnerResult {
        item: item.path.clone(),
        file: item.file.to_string(),
        line: item.body_lines.0,
        state: if wait.is_some() { "blocked" } else { "running" }.into(),
        wait: wait.map(|wait| wait.name().to_owned()),
        of: of.into(),
        share: share.share,
        low: share.low,
        high: share.high,
        samples: owner.share.hits,
        stack: owner.stack.into_iter().flat_map(|stack| stack.frames).map(frame).collect(),
        stack_share,
        signature: None,
    })
}

/// The cause that holds most of an item's time: `S05 siphash-small-keys`.
fn signature(causes: &[CauseResult], item: &str) -> Option<String> {
    let of_item = |cause: &CauseResult| cause.owners.iter().find(|owner| owner.item == item).map(|owner| owner.share);
    let most = causes.iter().filter(|&cause| of_item(cause).is_some());
    let most = most.max_by(|a, b| of_item(a).unwrap_or(0.0).total_cmp(&of_item(b).unwrap_or(0.0)))?;
    Some(format!("{} {}", most.id, most.name))
}

fn frame(frame: ExcerptFrame) -> StackFrame {
    StackFrame { function: frame.function, file: frame.file, line: frame.line, inlined: frame.inlined }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{cause, owner};

    #[test]
    fn as_many_as_hold_most_are_owners_and_none_by_chance() {
        let of = |item: &str, share: f64, low: f64| OwnerResult { share, low, ..owner(item) };
        let names = |all: Vec<OwnerResult>| few(all).into_iter().map(|one| one.item).collect::<Vec<_>>();
        assert_eq!(names(vec![of("b", 0.1, 0.08), of("a", 0.75, 0.7), of("c", 0.05, 0.04)]), ["a", "b"]);
        assert_eq!(names((0..9).map(|n| of(&format!("f{n}"), 0.05, 0.04)).collect()).len(), FEW);
        assert_eq!(names(vec![of("a", 0.02, 0.003)]), [""; 0]);
    }

    #[test]
    fn the_cause_that_holds_most_of_an_items_time_signs_it() {
        let (small, mut large) = (cause("parse::lexer::next", (0.3, 0.25, 0.35)), cause("parse::lexer::next", (0.5, 0.45, 0.55)));
        (large.id, large.name) = ("S11".into(), "formatting".into());
        let causes = [small, large];
        assert_eq!(signature(&causes, "parse::lexer::next").as_deref(), Some("S11 formatting"));
        assert_eq!(signature(&causes, "parse::other"), None);
    }
}
