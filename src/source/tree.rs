//! All items of one side, found by position or by name.

use std::collections::{HashMap, HashSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::items::items_of;
use super::model::{Item, ItemKind};
use super::name::{Agreement, Name, agreement};
use super::place::SourceFile;

/// Index of an item in its [`Tree`].
pub type ItemId = u32;

/// The items of one side's files.
#[derive(Debug, Default)]
pub struct Tree {
    items: Vec<Item>,
    names: Vec<Name>,
    files: HashMap<Utf8PathBuf, Vec<Node>>,
    by_last_name: HashMap<String, Vec<ItemId>>,
    by_made_name: HashMap<String, Vec<ItemId>>,
    by_key: HashMap<String, ItemId>,
    crates: HashSet<String>,
}

/// A code item's lines inside its file, and the item around it.
#[derive(Debug, Clone, Copy)]
struct Node {
    first: u32,
    last: u32,
    item: ItemId,
    parent: Option<usize>,
}

impl Tree {
    /// The tree of a side, from its files.
    pub fn of(files: &[SourceFile]) -> Self {
        let mut tree = Self::new(items_of(files));
        tree.crates.extend(files.iter().map(|file| file.crate_name.clone()));
        tree
    }

    /// The tree of items that were found before.
    pub fn new(items: Vec<Item>) -> Self {
        let mut tree = Self { items, ..Self::default() };
        for (at, item) in tree.items.iter().enumerate() {
            let id = at as ItemId;
            let name = Name::parse(&item.path);
            tree.by_key.insert(item.key.clone(), id);
            if item.kind.is_code() {
                tree.files.entry(item.file.clone()).or_default().push(Node {
                    first: item.lines.0,
                    last: item.lines.1,
                    item: id,
                    parent: None,
                });
                if let Some(last) = name.last() {
                    tree.by_last_name.entry(last.to_owned()).or_default().push(id);
                }
                for made in &item.made_names {
                    tree.by_made_name.entry(made.clone()).or_default().push(id);
                }
            } else {
                // Every file is known, also one without code.
                tree.files.entry(item.file.clone()).or_default();
                if item.kind == ItemKind::Scope {
                    tree.crates.extend(name.path.first().cloned());
                }
            }
            tree.names.push(name);
        }
        tree.files.values_mut().for_each(|nodes| nest(nodes));
        tree
    }

    /// All items.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// An item by its index.
    pub fn get(&self, id: ItemId) -> Option<&Item> {
        self.items.get(id as usize)
    }

    /// The index of an item, by its key.
    pub fn id(&self, key: &str) -> Option<ItemId> {
        self.by_key.get(key).copied()
    }

    /// True when the file is one of this side's.
    pub fn has_file(&self, file: &Utf8Path) -> bool {
        self.files.contains_key(file)
    }

    /// The files of this side, in no particular order.
    pub fn files(&self) -> impl Iterator<Item = &Utf8Path> {
        self.files.keys().map(Utf8PathBuf::as_path)
    }

    /// True when a crate of this name is part of this side.
    pub fn has_crate(&self, name: &str) -> bool {
        self.crates.contains(name)
    }

    /// The innermost code item at a 1-based line of a file: a nested function rather than the one around it.
    pub fn innermost(&self, file: &Utf8Path, line: u32) -> Option<&Item> {
        self.innermost_id(file, line).and_then(|id| self.get(id))
    }

    /// [`Tree::innermost`] as an index.
    pub fn innermost_id(&self, file: &Utf8Path, line: u32) -> Option<ItemId> {
        let nodes = self.files.get(file)?;
        let mut at = nodes.partition_point(|node| node.first <= line).checked_sub(1);
        while let Some(node) = at.and_then(|at| nodes.get(at)) {
            if node.last >= line {
                return Some(node.item);
            }
            at = node.parent;
        }
        None
    }

    /// The code item that a normalized function name of a profile means, if that is certain: the qualified path decides, by itself or
    /// as the only qualified ending. A bare name means nothing, except a `#[no_mangle]` symbol. Closures are their function.
    pub fn by_name(&self, function: &str) -> Option<&Item> {
        self.by_name_id(function).and_then(|id| self.get(id))
    }

    /// [`Tree::by_name`] as an index.
    pub fn by_name_id(&self, function: &str) -> Option<ItemId> {
        let asked = Name::parse(function);
        let last = asked.last()?;
        let candidates = self.by_last_name.get(last).map_or(&[][..], Vec::as_slice);
        let is_ours = |name: &str| self.crates.contains(name);
        let graded: Vec<(Agreement, ItemId)> =
            candidates.iter().filter_map(|&id| Some((agreement(&asked, self.names.get(id as usize)?, is_ours)?, id))).collect();
        let only = |wanted: Agreement| {
            let mut fitting = graded.iter().filter(|(agreement, _)| *agreement == wanted).map(|(_, id)| *id);
            Some((fitting.next()?, fitting.next()))
        };
        match only(Agreement::Exact).or_else(|| only(Agreement::Suffix)) {
            Some((id, None)) => Some(id),
            Some((_, Some(_))) => None,
            None => self.made(&asked, last),
        }
    }

    /// What a macro call or an exported symbol's name means.
    fn made(&self, asked: &Name, last: &str) -> Option<ItemId> {
        let candidates = self.by_made_name.get(last)?;
        let graded = candidates.iter().filter_map(|&id| Some((self.made_prefix(asked, id)?, id)));
        let mut best: Option<(usize, ItemId, bool)> = None;
        for (prefix, id) in graded {
            best = match best {
                Some((longest, _, _)) if prefix > longest => Some((prefix, id, true)),
                Some((longest, first, _)) if prefix == longest => Some((longest, first, false)),
                None => Some((prefix, id, true)),
                other => other,
            };
        }
        best.filter(|(_, _, unique)| *unique).map(|(_, id, _)| id)
    }

    /// How much of the asked path is the candidate's module, if the rest is made of the candidate's names.
    fn made_prefix(&self, asked: &Name, id: ItemId) -> Option<usize> {
        let (item, name) = (self.get(id)?, self.names.get(id as usize)?);
        if item.kind != ItemKind::MacroCall {
            return (asked.path.len() == 1 && asked.subject.is_empty()).then_some(0);
        }
        let module = name.path.get(..name.path.len().saturating_sub(1))?;
        // `Type as Trait::made`: the type stands in the module, the method is the call's.
        let path = if asked.subject.is_empty() { &asked.path } else { &asked.subject };
        let rest = path.strip_prefix(module)?;
        let is_made = |part: &String| item.made_names.contains(part);
        (!rest.is_empty() && rest.iter().all(is_made)).then_some(module.len())
    }
}

/// Sorts by position, outer before inner, and links each to the one around it.
fn nest(nodes: &mut [Node]) {
    nodes.sort_by_key(|node| (node.first, std::cmp::Reverse(node.last)));
    let mut open: Vec<usize> = Vec::new();
    for at in 0..nodes.len() {
        let Some(node) = nodes.get(at).copied() else { continue };
        while open.last().and_then(|&outer| nodes.get(outer)).is_some_and(|outer| outer.last < node.first) {
            open.pop();
        }
        if let Some(node) = nodes.get_mut(at) {
            node.parent = open.last().copied();
        }
        open.push(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::CrateRoot;

    const LIB: &str = "\
pub mod a;
fn outer() {
    fn inner() {
        1;
    }
    let c = || inner();
}
macro_rules! define_fn {
    ($name:ident) => {
        fn $name() {}
    };
}
define_fn!(made);
struct Parser;
impl Parser { fn next(&self) {} }
impl Iterator for Parser {
    type Item = u8;
    fn next(&mut self) -> Option<u8> { None }
}
trait Step { fn step(&self) { 1; } }
#[unsafe(no_mangle)] extern \"C\" fn exported() {}
";
    const A: &str = "pub fn run() {}\npub mod b { pub fn run() {} }\npub mod c { pub fn run() {} fn only() {} }\n";

    fn tree() -> Tree {
        let roots = [CrateRoot::new("my-lib", "src/lib.rs")];
        Tree::of(&[SourceFile::new("src/lib.rs", LIB, &roots), SourceFile::new("src/a.rs", A, &roots)])
    }

    #[test]
    fn the_innermost_item_at_a_line_wins() {
        let tree = tree();
        let at = |line| tree.innermost("src/lib.rs".into(), line).map(|item| item.path.as_str());
        assert_eq!(at(1), None);
        assert_eq!(at(2), Some("my_lib::outer"));
        assert_eq!(at(4), Some("my_lib::outer::inner"));
        assert_eq!(at(6), Some("my_lib::outer"));
        assert_eq!(at(10), Some("my_lib::define_fn!"));
        assert_eq!(at(18), Some("<my_lib::Parser as Iterator>::next"));
        assert_eq!(at(99), None);
        assert_eq!(tree.innermost("src/none.rs".into(), 1), None);
    }

    #[test]
    fn the_qualified_path_decides_and_a_bare_name_does_not() {
        let tree = tree();
        let named = |name| tree.by_name(name).map(|item| item.path.as_str());
        for (name, path) in [
            ("my_lib::outer::{{closure}}", "my_lib::outer"),
            ("my_lib::outer::inner", "my_lib::outer::inner"),
            ("my_lib::a::run", "my_lib::a::run"),
            ("my_lib::a::b::run", "my_lib::a::b::run"),
            ("b::run", "my_lib::a::b::run"),
            ("my_lib::Parser::next", "my_lib::Parser::next"),
            ("my_lib::Parser as core::iter::traits::iterator::Iterator::next", "<my_lib::Parser as Iterator>::next"),
            ("<my_lib::Parser<T> as core::iter::Iterator>::next", "<my_lib::Parser as Iterator>::next"),
            ("my_lib::Step::step", "my_lib::Step::step"),
            ("my_lib::made", "my_lib::define_fn!"),
            ("exported", "my_lib::exported"),
        ] {
            assert_eq!(named(name), Some(path), "{name}");
        }
        for name in [
            "run",
            "only",
            "made",
            "other::a::run",
            "dep::Parser::next",
            "my_lib::a::made",
            "u8 as core::iter::Iterator::next",
            "",
            "::",
        ] {
            assert_eq!(named(name), None, "{name}");
        }
    }
}
