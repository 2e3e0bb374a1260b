//! One line per changed item.

use crate::analysis::ChangeResult;
use crate::heat::bound;
use crate::join::{ItemHeat, SideView, heat_of};
use crate::source::{Change, ChangeKind};

/// The results of all changes, hottest first, then in the order of the files.
pub(crate) fn change_results(changes: &[Change], base: &SideView<'_>, head: &SideView<'_>) -> Vec<ChangeResult> {
    let mut results: Vec<ChangeResult> =
        changes.iter().enumerate().filter_map(|(index, change)| result(index, change, base, head)).collect();
    results.sort_by(|a, b| {
        let low = |one: &ChangeResult| one.low.unwrap_or(-1.0);
        low(b).total_cmp(&low(a)).then_with(|| (&a.file, a.head_lines, &a.item).cmp(&(&b.file, b.head_lines, &b.item)))
    });
    results
}

fn result(index: usize, change: &Change, base: &SideView<'_>, head: &SideView<'_>) -> Option<ChangeResult> {
    let item = change.item()?;
    let is_code = item.kind.is_code() && !matches!(change.kind, ChangeKind::Moved | ChangeKind::Ambient);
    let heat: Option<ItemHeat> = is_code.then(|| heat_of(index, change, base, head));
    let heat = heat.as_ref();
    let total = heat.and_then(|heat| heat.total);
    let [base_lines, head_lines] = change.lines();
    Some(ChangeResult {
        item: item.path.clone(),
        kind: change.kind,
        file: item.file.to_string(),
        base_lines,
        head_lines,
        note: change.note.clone(),
        heat: heat.map(|heat| heat.heat),
        heat_reason: heat.and_then(|heat| heat.reason.clone()),
        self_share: heat.and_then(|heat| heat.own).map(|share| share.share),
        total: total.map(|share| share.share),
        low: total.map(|share| share.low),
        high: total.map(|share| share.high),
        samples: total.map(|share| share.samples),
        side: heat.and_then(|heat| heat.side).map(str::to_owned),
        workload: heat.and_then(|heat| heat.workload.clone()),
        joined_by: None,
        max_speedup: total.and_then(|share| bound(share.high)),
        approximate: item.approximate,
        test_only: item.test_only,
    })
}
