//! The tokens of every changed item on both sides, scanned once, and what each item gained.
//!
//! Code that only moved between items is not gained: what another item lost is taken off.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::rules::facts::{ChangedItem, Facts};
use crate::rules::tokens::{self, Added, Scan, TokenKind};
use crate::source::{Item, ItemKind};

/// Both sides of one item.
#[derive(Debug, Clone, Default)]
pub(super) struct Sides {
    pub(super) base: Scan,
    pub(super) head: Scan,
    /// What head has more of, after moves between items are taken off.
    pub(super) added: Vec<Added>,
}

impl Sides {
    /// True when the change takes away loops, or puts a map where a search was: a better algorithm, whatever it is called.
    pub(super) fn is_algorithmic(&self) -> bool {
        let fewer_loops = self.head.loop_depth < self.base.loop_depth;
        fewer_loops || (self.head.maps > self.base.maps && self.head.searches < self.base.searches)
    }
}

/// Scans by item path and file.
#[derive(Debug, Clone, Default)]
pub(super) struct Scans(BTreeMap<(String, String), Sides>);

impl Scans {
    pub(super) fn of(facts: &Facts<'_>) -> Self {
        let tables = tables(facts);
        let base_items = by_file(facts.changes.iter().filter_map(|item| item.change.base.as_ref()));
        let head_items = by_file(facts.changes.iter().filter_map(|item| item.change.head.as_ref()));
        let mut scans: BTreeMap<(String, String), Sides> = BTreeMap::new();
        for item in facts.changes.iter().filter(|item| item.is_code()) {
            let base = scan_side(item.change.base.as_ref(), item.base_file, &tables, &base_items);
            let head = scan_side(item.change.head.as_ref(), item.head_file, &tables, &head_items);
            let added = tokens::added(&base, &head);
            scans.insert(key(item), Sides { base, head, added });
        }
        take_off_moves(&mut scans);
        Self(scans)
    }

    pub(super) fn get(&self, item: &ChangedItem<'_>) -> Option<&Sides> {
        self.0.get(&key(item))
    }
}

fn key(item: &ChangedItem<'_>) -> (String, String) {
    (item.result.file.clone(), item.change.item().map(|item| item.key.clone()).unwrap_or_default())
}

/// Names of the numeric tables that the change adds as items of their own.
fn tables(facts: &Facts<'_>) -> BTreeSet<String> {
    let added = facts.changes.iter().filter(|item| item.change.base.is_none()).filter_map(|item| {
        let head = item.change.head.as_ref().filter(|head| matches!(head.kind, ItemKind::Const | ItemKind::Static))?;
        let tokens = tokens::item_tokens(item.head_file?, head.lines, &[])?;
        tokens::declares_table(&tokens).then(|| head.path.rsplit("::").next().unwrap_or_default().to_owned())
    });
    added.collect()
}

/// The changed items of one side by file: those inside of another one are judged on their own.
fn by_file<'a>(items: impl Iterator<Item = &'a Item>) -> HashMap<&'a str, Vec<&'a Item>> {
    let mut files: HashMap<&str, Vec<&Item>> = HashMap::new();
    for item in items {
        files.entry(item.file.as_str()).or_default().push(item);
    }
    files
}

fn scan_side(item: Option<&Item>, file: Option<&str>, tables: &BTreeSet<String>, changed: &HashMap<&str, Vec<&Item>>) -> Scan {
    let (Some(item), Some(file)) = (item, file) else { return Scan::default() };
    let inside = |other: &&&Item| other.key != item.key && item.lines.0 <= other.lines.0 && other.lines.1 <= item.lines.1;
    let others = changed.get(item.file.as_str()).into_iter().flatten();
    let holes: Vec<(u32, u32)> = others.filter(inside).map(|other| other.lines).collect();
    let tokens = tokens::item_tokens(file, item.lines, &holes);
    tokens.map(|tokens| tokens::scan(tokens, tables, &tokens::foreign_functions(file))).unwrap_or_default()
}

/// Takes off what other items lost: equal text anywhere first, then by count within a file.
fn take_off_moves(scans: &mut BTreeMap<(String, String), Sides>) {
    let (mut count, mut text) = losses(scans);
    for sides in scans.values_mut() {
        for gain in &mut sides.added {
            for key in &gain.keys {
                let from = text.get_mut(&(gain.kind, key.clone())).and_then(Vec::pop);
                if let Some(left) = from.and_then(|file| count.get_mut(&(file, gain.kind))) {
                    gain.count = gain.count.saturating_sub(1);
                    *left = left.saturating_sub(1);
                }
            }
        }
    }
    for ((file, _), sides) in scans {
        for gain in &mut sides.added {
            if let Some(left) = count.get_mut(&(file.clone(), gain.kind)) {
                let taken = gain.count.min(*left);
                (gain.count, *left) = (gain.count - taken, *left - taken);
            }
        }
        sides.added.retain(|gain| gain.count > 0);
    }
}

type LostCount = HashMap<(String, TokenKind), usize>;
type LostText = HashMap<(TokenKind, String), Vec<String>>;

/// What items lost: how many of a kind in each file, and which texts from which files.
fn losses(scans: &BTreeMap<(String, String), Sides>) -> (LostCount, LostText) {
    let (mut count, mut text) = (LostCount::new(), LostText::new());
    for ((file, _), sides) in scans {
        for loss in tokens::added(&sides.head, &sides.base) {
            *count.entry((file.clone(), loss.kind)).or_default() += loss.count;
            for key in loss.keys {
                text.entry((loss.kind, key)).or_default().push(file.clone());
            }
        }
    }
    (count, text)
}
