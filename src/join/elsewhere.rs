//! A profile that was taken of another tree than the base's: it speaks only of those items that are the same in both.

use std::collections::{HashMap, HashSet};

use crate::source::{Change, Item};

/// Which changed items the profiled tree does not have as the base has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// In words: "the commit 3f2c1aa".
    profiled: String,
    /// Per change, in their order: true if its item at base is another one there, or is not there.
    differs: Vec<bool>,
}

impl Elsewhere {
    /// Compares the items of the profiled tree with the base's. Those that go by the name of a changed item but are another get a
    /// key of their own: their samples stay theirs, and no change answers to them.
    pub fn set_apart(items: &mut [Item], changes: &[Change], profiled: &str) -> Self {
        let wanted: HashMap<&str, &Item> =
            changes.iter().filter_map(|change| change.base.as_ref()).map(|item| (item.key.as_str(), item)).collect();
        let mut same: HashSet<&str> = HashSet::new();
        for item in items {
            match wanted.get(item.key.as_str()) {
                Some(at_base) if is_same(at_base, item) => {
                    same.insert(&at_base.key);
                }
                Some(_) => item.key = format!("{}@{profiled}", item.key),
                None => {}
            }
        }
        let differs = |change: &Change| change.base.as_ref().is_some_and(|item| !same.contains(item.key.as_str()));
        Self { profiled: profiled.to_owned(), differs: changes.iter().map(differs).collect() }
    }

    /// Why the profile says nothing about the change at an index; `None` when it does.
    pub fn why_unmeasured(&self, change: usize) -> Option<String> {
        let differs = self.differs.get(change).copied().unwrap_or(false);
        differs.then(|| format!("the profile is of {}, which does not have it as the base has it", self.profiled))
    }
}

fn is_same(left: &Item, right: &Item) -> bool {
    let hashes = |item: &Item| (item.signature_hash, item.body_hash, item.attributes_hash);
    hashes(left) == hashes(right) && !left.approximate && !right.approximate
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{CrateRoot, SourceFile, changes, items_of};

    fn files(text: &str) -> Vec<SourceFile> {
        vec![SourceFile::new("src/lib.rs", text, &[CrateRoot::new("one", "src/lib.rs")])]
    }

    #[test]
    fn only_items_that_are_the_same_in_both_trees_answer() {
        let profiled = "fn hot() { 1; }\nfn other() { 1; }\n";
        let base = "// shifted\n\nfn hot() { 1; }\nfn other() { 2; }\nfn late() { 1; }\n";
        let head = "fn hot() { 9; }\nfn other() { 9; }\nfn late() { 9; }\nfn new() {}\n";
        let changes = changes(&files(base), &files(head), &[]);
        let mut items = items_of(&files(profiled));
        let elsewhere = Elsewhere::set_apart(&mut items, &changes, "the commit abc");
        let why = |name: &str| {
            let at = changes.iter().position(|change| change.item().is_some_and(|item| item.path.ends_with(name))).unwrap();
            elsewhere.why_unmeasured(at)
        };
        assert_eq!((why("::hot"), why("::new")), (None, None));
        assert!(why("::other").unwrap().contains("the commit abc"));
        assert!(why("::late").is_some());
        let keys: Vec<&str> = items.iter().map(|item| item.key.as_str()).collect();
        assert!(keys.contains(&"src/lib.rs::hot#1") && !keys.contains(&"src/lib.rs::other#1"), "{keys:?}");
    }
}
