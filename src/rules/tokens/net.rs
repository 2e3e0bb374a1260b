//! Net additions: what head has more of than base.

use std::collections::HashMap;

use super::kind::{TokenClass, TokenKind};
use super::scan::{Occurrence, Scan};

/// A kind of token that an item gained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// What it gained.
    pub kind: TokenKind,
    /// How many more than before; at least 1.
    pub count: usize,
    /// The first one that base does not have, to point at.
    pub first: Occurrence,
    /// Keys of all that base does not have.
    pub keys: Vec<String>,
}

impl Added {
    /// True for unsafe code that nothing but speed explains: an unchecked access, a vector instruction; not a plain `unsafe`.
    pub fn is_unsafe_for_speed(&self) -> bool {
        let unsafe_kind = self.kind.class() == TokenClass::Unsafe && self.kind.only_for_speed();
        unsafe_kind || (self.kind == TokenKind::Simd && self.keys.iter().any(|key| key.starts_with("_mm")))
    }
}

/// The kinds that head has more of than base, in the order of [`TokenKind`].
pub fn added(base: &Scan, head: &Scan) -> Vec<Added> {
    let mut kinds: Vec<TokenKind> = head.occurrences.iter().map(|occurrence| occurrence.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.into_iter().filter_map(|kind| gain(kind, base, head)).collect()
}

fn gain(kind: TokenKind, base: &Scan, head: &Scan) -> Option<Added> {
    let mut count = head.count(kind).saturating_sub(base.count(kind));
    match kind {
        // Blocks inside of what was unsafe already are the 2024 edition's spelling, not new unsafety.
        TokenKind::UnsafeBlock if base.unsafe_fn => count = 0,
        // A swap takes a std map away; a new map in a crate that uses another hasher throughout is no micro-optimization.
        TokenKind::Hasher => count = count.min(base.std_maps.saturating_sub(head.std_maps)),
        _ => {}
    }
    let fresh = fresh(kind, base, head);
    let first = fresh.first().copied().or_else(|| head.occurrences.iter().find(|occurrence| occurrence.kind == kind))?;
    let keys = fresh.iter().map(|occurrence| occurrence.key.clone()).collect();
    (count > 0).then(|| Added { kind, count, first: first.clone(), keys })
}

/// Head's occurrences of a kind, less those that base has too.
fn fresh<'a>(kind: TokenKind, base: &Scan, head: &'a Scan) -> Vec<&'a Occurrence> {
    let mut known: HashMap<&str, usize> = HashMap::new();
    for occurrence in base.occurrences.iter().filter(|occurrence| occurrence.kind == kind) {
        *known.entry(&occurrence.key).or_default() += 1;
    }
    let is_fresh = |occurrence: &&Occurrence| match known.get_mut(occurrence.key.as_str()) {
        Some(left) if *left > 0 => {
            *left -= 1;
            false
        }
        _ => true,
    };
    head.occurrences.iter().filter(|occurrence| occurrence.kind == kind).filter(is_fresh).collect()
}
