//! The items of one side, found by line or by name.

use std::collections::HashMap;

use camino::{Utf8Path, Utf8PathBuf};

use crate::source::{Item, ItemKind};

/// Items of one side with their indexes.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    items: Vec<Item>,
    by_file: HashMap<Utf8PathBuf, Vec<usize>>,
    by_last: HashMap<String, Vec<usize>>,
    by_made: HashMap<String, Vec<usize>>,
    by_key: HashMap<String, usize>,
}

impl Tree {
    /// Indexes the items that have code.
    pub fn new(items: impl IntoIterator<Item = Item>) -> Self {
        let mut tree = Self::default();
        for item in items.into_iter().filter(|item| item.kind.is_code()) {
            let index = tree.items.len();
            tree.by_file.entry(item.file.clone()).or_default().push(index);
            tree.by_last.entry(last_segment(&item.path).to_owned()).or_default().push(index);
            if item.kind == ItemKind::MacroCall {
                for name in &item.made_names {
                    tree.by_made.entry(name.clone()).or_default().push(index);
                }
            }
            tree.by_key.insert(item.key.clone(), index);
            tree.items.push(item);
        }
        tree
    }

    /// The item at an index.
    pub fn get(&self, index: usize) -> Option<&Item> {
        self.items.get(index)
    }

    /// The index of an item by its key.
    pub fn index_of(&self, key: &str) -> Option<usize> {
        self.by_key.get(key).copied()
    }

    /// The innermost item around a line of a file.
    pub fn innermost(&self, file: &Utf8Path, line: u32) -> Option<usize> {
        let around = |&&index: &&usize| self.get(index).is_some_and(|item| (item.lines.0..=item.lines.1).contains(&line));
        let size = |&&index: &&usize| self.get(index).map_or(u32::MAX, |item| item.lines.1 - item.lines.0);
        self.by_file.get(file)?.iter().filter(around).min_by_key(size).copied()
    }

    /// The item that a normalized function name belongs to. Only a path that fits exactly one item decides: several modules
    /// may have a function of one name. Closures belong to their function.
    pub fn by_name(&self, function: &str) -> Option<usize> {
        let name = plain(function.split("::{{").next().unwrap_or(function));
        let last = last_segment(&name);
        let fits = |&&index: &&usize| self.get(index).is_some_and(|item| same_path(&plain(&item.path), &name));
        let mut hits = self.by_last.get(last).into_iter().flatten().filter(fits);
        match (hits.next(), hits.next()) {
            (Some(&index), None) => Some(index),
            (Some(_), Some(_)) => None,
            (None, _) => self.made(&name, last),
        }
    }

    /// A function that a macro call made: its module is the call's module.
    fn made(&self, name: &str, last: &str) -> Option<usize> {
        let fits = |&&index: &&usize| {
            let module = self.get(index).map(|item| module_of(&item.path)).unwrap_or_default();
            name.starts_with(module) && (module.is_empty() || name[module.len()..].starts_with("::"))
        };
        let mut hits = self.by_made.get(last).into_iter().flatten().filter(fits);
        match (hits.next(), hits.next()) {
            (Some(&index), None) => Some(index),
            _ => None,
        }
    }
}

/// `<T as Trait>::m` and `T as Trait::m` are the same name.
fn plain(path: &str) -> String {
    path.replace(['<', '>'], "")
}

fn last_segment(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

fn module_of(path: &str) -> &str {
    path.rsplit_once("::").map_or("", |(module, _)| module)
}

/// Equal, or one is the tail of the other at a `::` with at least two segments: impls name their types by short or long paths.
fn same_path(item: &str, name: &str) -> bool {
    let tail = |long: &str, short: &str| short.contains("::") && long.strip_suffix(short).is_some_and(|head| head.ends_with("::"));
    item == name || tail(item, name) || tail(name, item) || (item.contains(" as ") && same_impl(item, name))
}

/// `a::b::T as c::Trait::m` against `T as Trait::m`: each part by its last segments.
fn same_impl(item: &str, name: &str) -> bool {
    let split = |path: &str| {
        let (head, method) = path.rsplit_once("::")?;
        let (ty, tr) = head.split_once(" as ")?;
        Some((last_segment(ty).to_owned(), last_segment(tr).to_owned(), method.to_owned()))
    };
    split(item).is_some_and(|parts| split(name) == Some(parts))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn item(path: &str, file: &str, lines: (u32, u32), kind: ItemKind) -> Item {
        Item {
            key: format!("{file}::{path}"),
            path: path.into(),
            kind,
            file: file.into(),
            lines,
            body_lines: lines,
            made_names: Vec::new(),
            signature_hash: 0,
            body_hash: 0,
            attributes_hash: 0,
            attributes: Vec::new(),
            approximate: false,
            test_only: false,
        }
    }

    #[test]
    fn the_innermost_item_wins() {
        let tree = Tree::new([
            item("c::outer", "src/lib.rs", (1, 20), ItemKind::Function),
            item("c::outer::inner", "src/lib.rs", (5, 8), ItemKind::Function),
        ]);
        assert_eq!(tree.innermost(Utf8Path::new("src/lib.rs"), 6), Some(1));
        assert_eq!(tree.innermost(Utf8Path::new("src/lib.rs"), 2), Some(0));
        assert_eq!(tree.innermost(Utf8Path::new("src/lib.rs"), 21), None);
    }

    #[test]
    fn a_bare_name_that_fits_two_items_fits_none() {
        let tree = Tree::new([
            item("c::a::decode", "src/a.rs", (1, 2), ItemKind::Function),
            item("c::b::decode", "src/b.rs", (1, 2), ItemKind::Function),
        ]);
        assert_eq!(tree.by_name("decode"), None);
        assert_eq!(tree.by_name("c::b::decode"), Some(1));
        assert_eq!(tree.by_name("c::b::decode::{{closure}}"), Some(1));
        assert_eq!(tree.by_name("other::decode"), None);
    }

    #[test]
    fn trait_impls_are_found_in_both_spellings() {
        let tree = Tree::new([item("<c::T as c::Work>::work", "src/lib.rs", (1, 2), ItemKind::Method)]);
        assert_eq!(tree.by_name("c::T as c::Work::work"), Some(0));
        assert_eq!(tree.by_name("<c::T as c::Work>::work"), Some(0));
    }

    #[test]
    fn a_function_that_a_macro_call_made_belongs_to_the_call() {
        let mut call = item("c::m::make!", "src/m.rs", (3, 3), ItemKind::MacroCall);
        call.made_names = vec!["made".into()];
        let tree = Tree::new([call]);
        assert_eq!(tree.by_name("c::m::made"), Some(0));
        assert_eq!(tree.by_name("c::n::made"), None);
    }
}
