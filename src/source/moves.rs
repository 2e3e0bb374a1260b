//! Items that only one side has under their identity: the same body elsewhere is the same item, moved or renamed.

use std::collections::HashMap;

use super::change::{compared, kind_of_change, one_sided};
use super::collect::Found;
use super::model::{Change, ChangeKind, ItemKind};

/// Bodies with fewer tokens (`{ self.0 }`, `{ None }`) are equal by chance: only the same name pairs them.
const TELLING_TOKENS: usize = 8;

/// Pairs what moved and reports the rest as added or deleted.
pub(super) fn resolve(gone: Vec<Found>, fresh: Vec<Found>) -> Vec<Change> {
    let mut fresh: Vec<Option<Found>> = fresh.into_iter().map(Some).collect();
    let mut by_body: HashMap<(Class, u64), Vec<usize>> = HashMap::new();
    for (at, found) in fresh.iter().enumerate() {
        if let Some(found) = found {
            by_body.entry((class(found), found.item.body_hash)).or_default().push(at);
        }
    }
    let mut changes = Vec::new();
    let mut rest = gone;
    // The best partners first, so that no weaker one takes their place.
    for closeness in [Closeness::NameAndSignature, Closeness::Signature, Closeness::Name] {
        let mut unpaired = Vec::new();
        for base in rest {
            let candidates = by_body.get(&(class(&base), base.item.body_hash)).map_or(&[][..], Vec::as_slice);
            let chosen = best(&base, candidates, &fresh, closeness).and_then(|at| fresh.get_mut(at)?.take());
            match chosen {
                Some(head) => changes.push(moved(base, head)),
                None => unpaired.push(base),
            }
        }
        rest = unpaired;
    }
    changes.extend(rest.into_iter().filter_map(|found| one_sided(found, ChangeKind::Deleted)));
    changes.extend(fresh.into_iter().flatten().filter_map(|found| one_sided(found, ChangeKind::Added)));
    changes
}

/// What must be equal beside the body.
#[derive(Clone, Copy)]
enum Closeness {
    NameAndSignature,
    Signature,
    Name,
}

/// What may become what: a function may become a method.
#[derive(PartialEq, Eq, Hash)]
enum Class {
    Function,
    Other(ItemKind),
}

fn class(found: &Found) -> Class {
    match found.item.kind {
        ItemKind::Function | ItemKind::Method | ItemKind::TraitMethod => Class::Function,
        other => Class::Other(other),
    }
}

/// The candidate in the same file if there is one, else the first.
fn best(base: &Found, candidates: &[usize], fresh: &[Option<Found>], closeness: Closeness) -> Option<usize> {
    let mut fitting = candidates.iter().copied().filter(|&at| match fresh.get(at) {
        Some(Some(head)) => fits(base, head, closeness),
        _ => false,
    });
    let first = fitting.clone().next()?;
    let same_file = |at: &usize| matches!(fresh.get(*at), Some(Some(head)) if head.item.file == base.item.file);
    Some(fitting.find(same_file).unwrap_or(first))
}

fn fits(base: &Found, head: &Found, closeness: Closeness) -> bool {
    if base.item.approximate != head.item.approximate {
        return false;
    }
    let same_name = base.name == head.name;
    let same_signature = base.item.signature_hash == head.item.signature_hash;
    match closeness {
        Closeness::NameAndSignature => same_name && same_signature,
        // An impl's body is always equal; its header is what names it.
        Closeness::Signature => same_signature && base.body_tokens >= TELLING_TOKENS,
        Closeness::Name => same_name && base.body_tokens >= TELLING_TOKENS,
    }
}

/// Equal everything: moved. A new signature or attributes on the way: that.
fn moved(base: Found, head: Found) -> Change {
    if kind_of_change(&base, &head).is_some_and(|kind| kind != ChangeKind::Modified) {
        let from = origin(&base, &head);
        if let Some(mut change) = compared(base.clone(), head.clone()) {
            change.note = Some(change.note.map_or_else(|| from.clone(), |note| format!("{note}; {from}")));
            return change;
        }
    }
    let note = Some(origin(&base, &head));
    Change { kind: ChangeKind::Moved, base: Some(base.item), head: Some(head.item), note }
}

fn origin(base: &Found, head: &Found) -> String {
    let verb = if base.name == head.name { "moved" } else { "renamed" };
    if base.item.file == head.item.file {
        format!("{verb} from {}", base.item.path)
    } else {
        format!("{verb} from {} in {}", base.item.path, base.item.file)
    }
}
