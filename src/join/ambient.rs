//! What ambient changes can reach: a dependency bump the stacks through it, an import its file, a profile change everything.

use crate::source::{Change, ChangeKind, Reach};

/// The reach of all ambient changes of a run together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ambient {
    /// Each of them.
    pub reaches: Vec<Reach>,
}

impl Ambient {
    /// True when nothing limits what may be affected.
    pub fn everything(&self) -> bool {
        self.reaches.contains(&Reach::Everything)
    }
}

/// The reach of all ambient changes among these. Test code and files that do not parse are no part of any build that is measured.
pub fn ambient_of(changes: &[Change]) -> Ambient {
    let ambient = changes.iter().filter(|change| change.kind == ChangeKind::Ambient);
    let built = ambient.filter(|change| !change.item().is_some_and(|item| item.test_only || item.approximate));
    Ambient { reaches: built.map(Change::reach).collect() }
}
