//! What a change did to each item: base items against head items.
//!
//! Identity first (file after renames, scope, name), then equal bodies elsewhere, and only then added or deleted.

use std::collections::{BTreeMap, HashMap};

use camino::{Utf8Path, Utf8PathBuf};

use super::collect::Found;
use super::items::{FileItems, parse_all, scan};
use super::model::{Change, ChangeKind, ItemKind};
use super::moves;
use super::note;
use super::place::SourceFile;

/// The changed items between two sets of files. `renames` are git's (old, new) pairs; files that are equal on both sides may be left out.
///
/// Kinds other than code (`ItemKind::is_code`): a changed one is [`ChangeKind::Ambient`], with a note. An added or deleted one
/// is `Added` or `Deleted`: it affects nothing by itself, and what uses it is a change of its own; only trait impls
/// are ambient even then. Visibility, docs, lint attributes, comments, layout and the order of `use` lines are no changes.
pub fn changes(base: &[SourceFile], head: &[SourceFile], renames: &[(Utf8PathBuf, Utf8PathBuf)]) -> Vec<Change> {
    let new_names: HashMap<&Utf8Path, &Utf8Path> = renames.iter().map(|(old, new)| (old.as_path(), new.as_path())).collect();
    let (base, head) = without_equal_files(base, head, &new_names);
    let mut old = parse_all(&base);
    let mut new = parse_all(&head);
    scan_both_or_none((&base, &mut old), (&head, &mut new), &new_names);
    let old: Vec<Found> = old.into_iter().flat_map(|file| file.found).collect();
    let new: Vec<Found> = new.into_iter().flat_map(|file| file.found).collect();
    let mut changes = compare(old, new, &new_names);
    changes.sort_by(|a, b| order(a).cmp(&order(b)));
    changes
}

fn order(change: &Change) -> Option<(&Utf8Path, (u32, u32), &str)> {
    change.item().map(|item| (item.file.as_path(), item.lines, item.key.as_str()))
}

/// Most of a rename's or a whole tree's text is equal; parsing is what costs.
fn without_equal_files(
    base: &[SourceFile],
    head: &[SourceFile],
    renamed: &HashMap<&Utf8Path, &Utf8Path>,
) -> (Vec<SourceFile>, Vec<SourceFile>) {
    let heads: HashMap<&Utf8Path, &SourceFile> = head.iter().map(|file| (file.path.as_path(), file)).collect();
    let mut equal: Vec<&Utf8Path> = Vec::new();
    let mut kept = Vec::new();
    for file in base {
        let path = renamed.get(file.path.as_path()).copied().unwrap_or(&file.path);
        match heads.get(path) {
            Some(other) if other.text == file.text => equal.push(path),
            _ => kept.push(file.clone()),
        }
    }
    equal.sort_unstable();
    let head = head.iter().filter(|file| equal.binary_search(&file.path.as_path()).is_err()).cloned().collect();
    (kept, head)
}

/// Hashes of a scanned file mean nothing to those of a parsed one: where one side does not parse, both are scanned.
fn scan_both_or_none(
    (base, old): (&[SourceFile], &mut [FileItems]),
    (head, new): (&[SourceFile], &mut [FileItems]),
    renamed: &HashMap<&Utf8Path, &Utf8Path>,
) {
    let heads: HashMap<&Utf8Path, usize> = head.iter().enumerate().map(|(at, file)| (file.path.as_path(), at)).collect();
    for (file, items) in base.iter().zip(old) {
        let path = renamed.get(file.path.as_path()).copied().unwrap_or(&file.path);
        let Some(&at) = heads.get(path) else { continue };
        let (Some(other), Some(other_items)) = (head.get(at), new.get_mut(at)) else { continue };
        if items.approximate && !other_items.approximate {
            *other_items = scan(other);
        } else if !items.approximate && other_items.approximate {
            *items = scan(file);
        }
    }
}

fn compare(old: Vec<Found>, new: Vec<Found>, renamed: &HashMap<&Utf8Path, &Utf8Path>) -> Vec<Change> {
    let mut groups: BTreeMap<String, (Vec<Found>, Vec<Found>)> = BTreeMap::new();
    for found in old {
        let file = renamed.get(found.item.file.as_path()).copied().unwrap_or(&found.item.file);
        groups.entry(identity(&found, file)).or_default().0.push(found);
    }
    for found in new {
        groups.entry(identity(&found, &found.item.file)).or_default().1.push(found);
    }
    let (mut changes, mut gone, mut fresh) = (Vec::new(), Vec::new(), Vec::new());
    for (mut before, mut after) in groups.into_values() {
        for closeness in [equal as fn(&Found, &Found) -> bool, same_body, any] {
            for (base, head) in pair_up(&mut before, &mut after, closeness) {
                changes.extend(compared(base, head));
            }
        }
        gone.extend(before);
        fresh.extend(after);
    }
    changes.extend(moves::resolve(gone, fresh));
    changes
}

/// The key without its ordinal, in head's file names.
fn identity(found: &Found, file: &Utf8Path) -> String {
    let inside = found.item.key.get(found.item.file.as_str().len()..).unwrap_or(&found.item.key);
    let name = inside.rsplit_once('#').map_or(inside, |(name, _)| name);
    format!("{file}{name}")
}

fn equal(base: &Found, head: &Found) -> bool {
    kind_of_change(base, head).is_none()
}

fn same_body(base: &Found, head: &Found) -> bool {
    base.item.body_hash == head.item.body_hash
}

fn any(_: &Found, _: &Found) -> bool {
    true
}

/// Takes out the pairs that are close enough, in order.
fn pair_up(before: &mut Vec<Found>, after: &mut Vec<Found>, close: fn(&Found, &Found) -> bool) -> Vec<(Found, Found)> {
    let mut pairs = Vec::new();
    let mut rest = Vec::new();
    for base in before.drain(..) {
        match after.iter().position(|head| close(&base, head)) {
            Some(at) => pairs.push((base, after.remove(at))),
            None => rest.push(base),
        }
    }
    *before = rest;
    pairs
}

/// The strongest difference between two sides of one item.
pub(super) fn kind_of_change(base: &Found, head: &Found) -> Option<ChangeKind> {
    let (base, head) = (&base.item, &head.item);
    if base.body_hash != head.body_hash {
        Some(ChangeKind::Modified)
    } else if base.signature_hash != head.signature_hash {
        Some(ChangeKind::Signature)
    } else if base.attributes_hash != head.attributes_hash {
        Some(ChangeKind::Attributes)
    } else {
        None
    }
}

/// The change of one item that both sides have.
pub(super) fn compared(base: Found, head: Found) -> Option<Change> {
    let kind = kind_of_change(&base, &head)?;
    let note = note::difference(&base, &head, kind);
    let kind = if head.item.kind.is_code() { kind } else { ChangeKind::Ambient };
    Some(Change { kind, base: Some(base.item), head: Some(head.item), note })
}

/// The change of an item that only one side has; `None` where that means nothing by itself.
pub(super) fn one_sided(found: Found, kind: ChangeKind) -> Option<Change> {
    let is_trait_impl = found.item.kind == ItemKind::Impl && found.item.path.starts_with('<');
    if found.item.kind == ItemKind::Scope || (found.item.kind == ItemKind::Impl && !is_trait_impl) {
        return None;
    }
    let note = (!found.item.kind.is_code()).then(|| note::one_sided(&found, kind));
    let is_base = kind == ChangeKind::Deleted;
    let kind = if is_trait_impl { ChangeKind::Ambient } else { kind };
    let (base, head) = if is_base { (Some(found.item), None) } else { (None, Some(found.item)) };
    Some(Change { kind, base, head, note })
}

#[cfg(test)]
mod tests {
    use super::*;

    type Text<'t> = (&'t str, &'t str);

    fn files(texts: &[Text<'_>]) -> Vec<SourceFile> {
        texts.iter().map(|(path, text)| SourceFile::new(*path, *text, &[])).collect()
    }

    fn diff(base: &[Text<'_>], head: &[Text<'_>]) -> Vec<(ChangeKind, String, Option<String>)> {
        renaming(base, head, &[])
    }

    fn renaming(base: &[Text<'_>], head: &[Text<'_>], renames: &[(&str, &str)]) -> Vec<(ChangeKind, String, Option<String>)> {
        let renames: Vec<(Utf8PathBuf, Utf8PathBuf)> = renames.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect();
        changes(&files(base), &files(head), &renames)
            .into_iter()
            .map(|c| (c.kind, c.item().unwrap().path.clone(), c.note))
            .collect()
    }

    fn kinds(base: &str, head: &str) -> Vec<(ChangeKind, String)> {
        diff(&[("src/lib.rs", base)], &[("src/lib.rs", head)]).into_iter().map(|(kind, path, _)| (kind, path)).collect()
    }

    const LONG: &str = "{ let mut sum = 0; for x in xs { sum += x * x; } sum }";

    #[test]
    fn the_strongest_kind_names_a_change() {
        use ChangeKind::{Attributes, Modified, Signature};
        let base = "fn f(a: u8) -> u8 { a }";
        for (head, kind) in [
            ("fn f(a: u8) -> u8 { a + 1 }", Some(Modified)),
            ("#[cold] fn f(a: &u8) -> u8 { a + 1 }", Some(Modified)),
            ("#[cold] fn f(b: &u8) -> u8 { a }", Some(Signature)),
            ("#[cold] fn f(a: u8) -> u8 { a }", Some(Attributes)),
            ("/// docs\n#[must_use] pub fn f(a: u8,) -> u8 { /* same */ a }", None),
        ] {
            let expected: Vec<_> = kind.into_iter().map(|kind| (kind, "crate::f".to_owned())).collect();
            assert_eq!(kinds(base, head), expected, "{head}");
        }
    }

    #[test]
    fn attributes_are_named_in_the_note() {
        let changes = diff(&[("a.rs", "#[inline] fn f() {}")], &[("a.rs", "#[inline(never)] fn f() {}")]);
        assert_eq!(changes, [(ChangeKind::Attributes, "a::f".into(), Some("− #[inline], + #[inline(never)]".into()))]);
    }

    #[test]
    fn a_moved_function_is_not_a_change() {
        let function = format!("fn sum(xs: &[u64]) -> u64 {LONG}");
        let base = [("src/a.rs", function.as_str()), ("src/b.rs", "")];
        let public = format!("/// Docs.\npub(crate) {function}");
        let head = [("src/a.rs", ""), ("src/b.rs", public.as_str())];
        let changes = diff(&base, &head);
        assert_eq!(changes, [(ChangeKind::Moved, "crate::b::sum".into(), Some("moved from crate::a::sum in src/a.rs".into()))]);
    }

    #[test]
    fn a_renamed_function_is_moved_and_a_new_signature_on_the_way_is_said() {
        let base = format!("fn sum(xs: &[u64]) -> u64 {LONG}");
        assert_eq!(kinds(&base, &format!("fn total(xs: &[u64]) -> u64 {LONG}")), [(ChangeKind::Moved, "crate::total".into())]);
        let method = format!("struct S; impl S {{ fn sum(xs: &[u32]) -> u32 {LONG} }}");
        let changes = kinds(&format!("struct S; {base}"), &method);
        assert_eq!(changes, [(ChangeKind::Signature, "crate::S::sum".into())]);
    }

    #[test]
    fn trivial_bodies_are_not_moves_unless_the_name_says_so() {
        use ChangeKind::{Added, Deleted, Moved};
        assert_eq!(kinds("fn a() {}", "fn b() {}"), [(Deleted, "crate::a".into()), (Added, "crate::b".into())]);
        assert_eq!(kinds("fn a() {}", "mod m { fn a() {} }"), [(Moved, "crate::m::a".into())]);
    }

    #[test]
    fn a_renamed_file_is_no_change_and_an_edit_in_it_is_one() {
        let base = format!("use std::fmt; fn a() {LONG}\nfn b() {{ 1 }}\nimpl T {{ fn c(&self) {{}} }}");
        let renames = [("src/old.rs", "src/new/mod.rs")];
        assert_eq!(renaming(&[("src/old.rs", &base)], &[("src/new/mod.rs", &base)], &renames), []);
        let head = base.replace("{ 1 }", "{ 2 }");
        let changes = renaming(&[("src/old.rs", &base)], &[("src/new/mod.rs", &head)], &renames);
        assert_eq!(changes, [(ChangeKind::Modified, "crate::new::b".into(), None)]);
    }

    #[test]
    fn inserting_a_cfg_twin_leaves_the_other_alone() {
        let base = "#[cfg(unix)] fn f() { 1; }\n#[cfg(windows)] fn f() { 2; }";
        let head = "#[cfg(wasm)] fn f() { 3; }\n#[cfg(unix)] fn f() { 1; }\n#[cfg(windows)] fn f() { 5; }";
        let changes = changes(&files(&[("src/lib.rs", base)]), &files(&[("src/lib.rs", head)]), &[]);
        let shown: Vec<_> = changes.iter().map(|c| (c.kind, c.item().unwrap().lines.0)).collect();
        assert_eq!(shown.len(), 2);
        assert!(shown.iter().any(|s| s.0 == ChangeKind::Added) && shown.iter().any(|s| s.0 == ChangeKind::Modified));
        assert!(shown.iter().all(|s| s.1 != 2), "{shown:?}");
    }

    #[test]
    fn what_has_no_machine_code_is_ambient() {
        let base =
            "use a::X; const TABLE: [u8; 1] = [1]; struct S { a: u8, b: u64 } trait T: Sized {} impl T for S {} enum E { A }";
        let head =
            "use b::X; const TABLE: [u8; 1] = [2]; struct S { b: u64, a: u8 } trait T: Copy {} #[derive(Clone)] enum E { A }";
        let notes: Vec<(ChangeKind, Option<String>)> =
            diff(&[("src/lib.rs", base)], &[("src/lib.rs", head)]).into_iter().map(|(kind, _, note)| (kind, note)).collect();
        for note in [
            "− use a::X, + use b::X",
            "const TABLE",
            "layout of type S",
            "header of trait T",
            "impl <crate::S as T> deleted",
            "attributes of type E",
        ] {
            assert!(notes.contains(&(ChangeKind::Ambient, Some(note.to_owned()))), "{note} in {notes:?}");
        }
        assert_eq!(notes.len(), 6);
    }

    #[test]
    fn reach_is_the_file_for_imports_and_everything_for_layouts() {
        let reach = |base: &str, head: &str| {
            changes(&files(&[("src/lib.rs", base)]), &files(&[("src/lib.rs", head)]), &[]).first().map(Change::reach)
        };
        assert_eq!(reach("use a::X;", "use b::X;"), Some(super::super::Reach::File("src/lib.rs".into())));
        assert_eq!(reach("const X: u8 = 1;", "const X: u8 = 2;"), Some(super::super::Reach::Everything));
        assert_eq!(reach("fn x() { 1 }", "fn x() { 2 }"), Some(super::super::Reach::Item));
    }

    #[test]
    fn order_and_grouping_of_imports_are_no_change() {
        assert_eq!(kinds("use a::b;\nuse c::{d, e};\nmod x;", "mod y; use c::e; use {a::b, c::d};"), []);
    }

    #[test]
    fn a_whole_new_file_is_added_and_a_deleted_one_deleted() {
        let text = "use std::fmt; struct S; impl S { fn m(&self) {} } fn f() {}";
        let kinds = |changes: Vec<(ChangeKind, String, Option<String>)>| {
            let mut all: Vec<_> = changes.into_iter().map(|(kind, path, _)| (kind, path)).collect();
            all.sort();
            all
        };
        let all = |kind| ["crate::x::S", "crate::x::S::m", "crate::x::f"].map(|path| (kind, path.to_owned())).to_vec();
        assert_eq!(kinds(diff(&[], &[("src/x.rs", text)])), all(ChangeKind::Added));
        assert_eq!(kinds(diff(&[("src/x.rs", text)], &[])), all(ChangeKind::Deleted));
    }

    #[test]
    fn a_changed_bound_does_not_hide_a_changed_body() {
        let changes = kinds("impl<T> S<T> { fn m(&self) { 1; } }", "impl<T: Copy> S<T> { fn m(&self) { 2; } }");
        assert_eq!(changes, [(ChangeKind::Ambient, "S".into()), (ChangeKind::Modified, "S::m".into())]);
    }

    #[test]
    fn a_macro_body_is_an_item() {
        let base = "macro_rules! m { () => { 1 }; }\nm!(made);\nfn user() { m!() }";
        assert_eq!(kinds(base, &base.replace("=> { 1 }", "=> { 2 }")), [(ChangeKind::Modified, "crate::m!".into())]);
    }

    #[test]
    fn a_side_that_does_not_parse_is_compared_with_a_scan_of_the_other() {
        let base = "use a::b;\n\nfn one() {\n    1\n}\n\nfn two() {\n    2\n}\n";
        let head = "use a::b;\n\nfn one() {\n    1 // still\n}\n\nfn two() {\n    2 +\n}\n}\n";
        let changes = changes(&files(&[("src/lib.rs", base)]), &files(&[("src/lib.rs", head)]), &[]);
        let shown: Vec<_> =
            changes.iter().map(|c| (c.kind, c.item().unwrap().path.as_str(), c.item().unwrap().approximate)).collect();
        assert_eq!(shown, [(ChangeKind::Modified, "crate::two", true)]);
    }
}
