//! The owners of a workload's time as the analysis shows them.

use crate::analysis::{OwnerResult, StackFrame, WorkloadResult};
use crate::heat::{ExcerptFrame, HotOwner};
use crate::join::SideView;
use crate::source::Tree;

/// Adds the owners of each workload, head's where head was profiled and base's where it was not.
pub(crate) fn add_owners(results: &mut [WorkloadResult], base: Option<&SideView<'_>>, head: &SideView<'_>) {
    for result in results {
        let shown = std::iter::once(head).chain(base).find_map(|side| Some((side.tree(), side.joined(&result.id)?)));
        let Some((tree, joined)) = shown else { continue };
        result.owners = joined.owners().into_iter().filter_map(|owner| running(owner, tree)).collect();
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

fn frame(frame: ExcerptFrame) -> StackFrame {
    StackFrame { function: frame.function, file: frame.file, line: frame.line, inlined: frame.inlined }
}
