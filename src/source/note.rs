//! What changed about an item, in a few words.

use std::collections::BTreeSet;

use super::collect::Found;
use super::model::{ChangeKind, Item, ItemKind};

/// Most parts that a note names.
const NAMED: usize = 4;

/// What differs between the two sides, where the kind alone does not say it.
pub(super) fn difference(base: &Found, head: &Found, kind: ChangeKind) -> Option<String> {
    match head.item.kind {
        ItemKind::Scope => Some(scope(base, head)),
        kind_of_item if !kind_of_item.is_code() => {
            let what = describe(&head.item, &head.name);
            Some(match kind {
                ChangeKind::Attributes => format!("attributes of {what}"),
                ChangeKind::Signature => format!("header of {what}"),
                _ if kind_of_item == ItemKind::Type => format!("layout of {what}"),
                _ => what,
            })
        }
        _ if kind == ChangeKind::Attributes || base.item.attributes != head.item.attributes => attributes(&base.item, &head.item),
        _ => None,
    }
}

/// An item without machine code that only one side has.
pub(super) fn one_sided(found: &Found, kind: ChangeKind) -> String {
    let verb = if kind == ChangeKind::Deleted { "deleted" } else { "added" };
    format!("{} {verb}", describe(&found.item, &found.name))
}

fn describe(item: &Item, name: &str) -> String {
    match item.kind {
        ItemKind::Const => format!("const {name}"),
        ItemKind::Static => format!("static {name}"),
        ItemKind::Type | ItemKind::TypeAlias => format!("type {name}"),
        ItemKind::Trait => format!("trait {name}"),
        ItemKind::Impl => format!("impl {}", item.path),
        ItemKind::File | ItemKind::Data => item.file.to_string(),
        _ => name.to_owned(),
    }
}

fn scope(base: &Found, head: &Found) -> String {
    let (old, new): (BTreeSet<&String>, BTreeSet<&String>) = (base.parts.iter().collect(), head.parts.iter().collect());
    if base.item.approximate || head.item.approximate || old == new {
        return "code outside functions".to_owned();
    }
    let removed = old.difference(&new).map(|part| format!("− {part}"));
    listed(removed.chain(new.difference(&old).map(|part| format!("+ {part}"))).collect())
}

fn attributes(base: &Item, head: &Item) -> Option<String> {
    let removed = base.attributes.iter().filter(|a| !head.attributes.contains(a)).map(|a| format!("− #[{a}]"));
    let added = head.attributes.iter().filter(|a| !base.attributes.contains(a)).map(|a| format!("+ #[{a}]"));
    let parts: Vec<String> = removed.chain(added).collect();
    (!parts.is_empty()).then(|| listed(parts))
}

/// The first few, and how many more.
pub(super) fn listed(mut parts: Vec<String>) -> String {
    let more = parts.len().saturating_sub(NAMED);
    parts.truncate(NAMED);
    let text = parts.join(", ");
    if more == 0 { text } else { format!("{text} and {more} more") }
}
