//! Targets whose executables are the same on both sides, and so are the shared libraries that they load.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::Path;

use camino::Utf8Path;

use crate::evidence::Program;
use crate::source::{Change, ChangeKind};
use crate::workspace::libraries::{self, Libraries};
use crate::workspace::{SameCode, machine_code};

/// Package and target name of every program whose machine code is the same on both sides.
pub(crate) fn same_code(base: &[Program], head: &[Program], changes: &[Change]) -> HashSet<(String, String)> {
    // Tables may differ by shifted panic locations alone, but only if no item changed is that all they can differ by.
    let items_changed = changes.iter().any(|change| change.kind != ChangeKind::Moved);
    let is_same_file = |old: &Utf8Path, new: &Utf8Path| match machine_code::compare(old, new) {
        Ok(SameCode::Same) => true,
        Ok(SameCode::SameButTables { .. }) => !items_changed,
        Ok(SameCode::Different { .. }) | Err(_) => false,
    };
    let is_same = |old: &Program, new: &Program| {
        is_same_file(&old.executable, &new.executable) && same_libraries(&loaded(old), &loaded(new), is_same_file)
    };
    let twin =
        |new: &Program| base.iter().find(|old| old.package == new.package && old.target == new.target && old.kind == new.kind);
    let same = head.iter().filter(|new| twin(new).is_some_and(|old| is_same(old, new)));
    same.map(|program| (program.package.clone(), program.target.clone())).collect()
}

/// What a program loads when it starts.
fn loaded(program: &Program) -> Libraries {
    const VARIABLE: &str = "LD_LIBRARY_PATH";
    let own = program.env.iter().rev().find(|(name, _)| name == VARIABLE).map(|(_, value)| OsString::from(value));
    let told = own.or_else(|| std::env::var_os(VARIABLE));
    libraries::of(program.executable.as_std_path(), told.as_deref()).unwrap_or_default()
}

/// The same file is the same; two files are if their code is. One that only the loader's cache knows is of the system, for both.
fn same_libraries(old: &Libraries, new: &Libraries, is_same: impl Fn(&Utf8Path, &Utf8Path) -> bool) -> bool {
    let same = |old: &Path, new: &Path| {
        let both = Utf8Path::from_path(old).zip(Utf8Path::from_path(new));
        old == new || both.is_some_and(|(old, new)| is_same(old, new))
    };
    old.len() == new.len()
        && old.iter().zip(new).all(|((old_name, old), (new_name, new))| {
            old_name == new_name
                && match (old, new) {
                    (Some(old), Some(new)) => same(old, new),
                    (None, None) => true,
                    _ => false,
                }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn libraries(entries: &[(&str, Option<&str>)]) -> Libraries {
        entries.iter().map(|(name, place)| ((*name).to_owned(), place.map(Into::into))).collect()
    }

    #[test]
    fn a_library_that_differs_or_is_missing_on_one_side_makes_a_difference() {
        let never = |_: &Utf8Path, _: &Utf8Path| false;
        let system = libraries(&[("libc.so.6", Some("/lib/libc.so.6")), ("libz.so.1", None)]);
        assert!(same_libraries(&system, &system, never));
        let old = libraries(&[("libown.so", Some("/base/libown.so"))]);
        let new = libraries(&[("libown.so", Some("/head/libown.so"))]);
        assert!(!same_libraries(&old, &new, never));
        assert!(same_libraries(&old, &new, |_, _| true));
        assert!(!same_libraries(&old, &libraries(&[("libown.so", None)]), |_, _| true));
        assert!(!same_libraries(&old, &libraries(&[]), |_, _| true));
    }
}
