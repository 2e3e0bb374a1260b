//! Targets whose executables are the same on both sides.

use std::collections::HashSet;

use crate::evidence::Program;
use crate::source::{Change, ChangeKind};
use crate::workspace::{SameCode, machine_code};

/// Package and target name of every program whose machine code is the same on both sides.
pub(crate) fn same_code(base: &[Program], head: &[Program], changes: &[Change]) -> HashSet<(String, String)> {
    // Tables may differ by shifted panic locations alone, but only if no item changed is that all they can differ by.
    let items_changed = changes.iter().any(|change| change.kind != ChangeKind::Moved);
    let is_same = |old: &Program, new: &Program| match machine_code::compare(&old.executable, &new.executable) {
        Ok(SameCode::Same) => true,
        Ok(SameCode::SameButTables { .. }) => !items_changed,
        Ok(SameCode::Different { .. }) | Err(_) => false,
    };
    let twin =
        |new: &Program| base.iter().find(|old| old.package == new.package && old.target == new.target && old.kind == new.kind);
    let same = head.iter().filter(|new| twin(new).is_some_and(|old| is_same(old, new)));
    same.map(|program| (program.package.clone(), program.target.clone())).collect()
}
