//! The owners of a workload's time as the analysis shows them.

use crate::analysis::{CauseResult, OwnerResult, StackFrame, WorkloadResult};
use crate::heat::{ExcerptFrame, HotOwner};
use crate::join::SideView;
use crate::source::Tree;

/// Adds the owners of each workload, head's where head was profiled and base's where it was not; causes that were found before sign
/// them.
pub(crate) fn add_owners(results: &mut [WorkloadResult], base: Option<&SideView<'_>>, head: &SideView<'_>) {
    for result in results {
        let shown = std::iter::once(head).chain(base).find_map(|side| Some((side.tree(), side.joined(&result.id)?)));
        let Some((tree, joined)) = shown else { continue };
        let mut owners: Vec<OwnerResult> = joined.owners().into_iter().filter_map(|owner| running(owner, tree)).collect();
        for owner in &mut owners {
            owner.signature = signature(&result.causes, &owner.item);
        }
        result.owners = owners;
    }
}

fn running(owner: HotOwner, tree: &Tree) -> Option<OwnerResult> {
    let item = tree.get(owner.item)?;
    let stack_share = owner.stack.as_ref().map(|stack| stack.share.share);
    Some(OwnerResult {
        item: item.path.clone(),
        file: item.file.to_string(),
        line: item.body_lines.0,
        state: "running".into(),
        of: "cpu-samples".into(),
        share: owner.share.share,
        low: owner.share.low,
        high: owner.share.high,
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
    use crate::report::samples::cause;

    #[test]
    fn the_cause_that_holds_most_of_an_items_time_signs_it() {
        let (small, mut large) = (cause("parse::lexer::next", (0.3, 0.25, 0.35)), cause("parse::lexer::next", (0.5, 0.45, 0.55)));
        (large.id, large.name) = ("S11".into(), "formatting".into());
        let causes = [small, large];
        assert_eq!(signature(&causes, "parse::lexer::next").as_deref(), Some("S11 formatting"));
        assert_eq!(signature(&causes, "parse::other"), None);
    }
}
