//! The walk over an item's token trees that finds the performance tokens.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

use super::kind::TokenKind;
use super::necessity::is_necessary;
use super::scan::Scan;

const FAST_HASHERS: [&str; 9] = [
    "FxHashMap",
    "FxHashSet",
    "FxBuildHasher",
    "AHashMap",
    "AHashSet",
    "FnvHashMap",
    "FnvHashSet",
    "IntMap",
    "BuildHasherDefault",
];
const PARALLEL: [&str; 8] =
    ["par_iter", "par_iter_mut", "into_par_iter", "par_chunks", "par_chunks_mut", "par_bridge", "par_sort", "par_sort_unstable"];
const MEMO: [&str; 5] = ["LruCache", "SizedCache", "TimedCache", "UnboundCache", "TimedSizedCache"];
const INLINE_STORAGE: [&str; 7] = ["SmallVec", "smallvec", "ArrayVec", "TinyVec", "CompactString", "SmolStr", "ArrayString"];
const BIT_TRICKS: [&str; 6] = ["trailing_zeros", "leading_zeros", "count_ones", "chunks_exact", "as_chunks", "array_chunks"];
const BRANCH_HINTS: [&str; 3] = ["likely", "unlikely", "cold_path"];
const MAPS: [&str; 5] = ["HashMap", "HashSet", "BTreeMap", "BTreeSet", "IndexMap"];
const NUMBERS: [&str; 14] =
    ["u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32", "f64"];

/// An array shorter than this is a constant (a magic number, a key's length), not a lookup table.
const SHORTEST_TABLE: usize = 16;

/// Where a token stands.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    in_unsafe: bool,
    loops: usize,
}

pub(super) struct Walker<'a> {
    pub(super) scan: Scan,
    pub(super) tables: BTreeSet<String>,
    pub(super) foreign: &'a BTreeSet<String>,
}

impl Walker<'_> {
    /// Walks an item from its attributes on.
    pub(super) fn item(&mut self, tokens: TokenStream) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        self.scan.unsafe_fn = header_is_unsafe(&trees);
        self.trees(&trees, Place::default());
    }

    fn trees(&mut self, trees: &[TokenTree], outer: Place) {
        let (mut rest, mut place) = (trees, outer);
        while let Some((tree, tail)) = rest.split_first() {
            let before = trees.get(..trees.len() - rest.len()).unwrap_or_default();
            rest = match tree {
                TokenTree::Ident(ident) => self.ident(ident, before, tail, &mut place),
                TokenTree::Punct(punct) if punct.as_char() == '#' => self.attribute(tail),
                TokenTree::Group(group) => {
                    self.group(group, place);
                    // An `unsafe fn` is unsafe up to the end of its body.
                    place = if group.delimiter() == Delimiter::Brace { outer } else { place };
                    tail
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => tail,
            };
        }
    }

    fn group(&mut self, group: &Group, place: Place) {
        let inner: Vec<TokenTree> = group.stream().into_iter().collect();
        self.trees(&inner, place);
    }

    /// Looks at one identifier; returns what is left to walk.
    fn ident<'t>(&mut self, ident: &Ident, before: &[TokenTree], tail: &'t [TokenTree], place: &mut Place) -> &'t [TokenTree] {
        match ident.to_string().as_str() {
            "unsafe" => return self.unsafety(ident, tail, place),
            "for" | "while" | "loop" => return self.looping(tail, *place),
            "fn" => return tail.get(1..).unwrap_or_default(),
            "static" | "const" if !matches!(before.last(), Some(TokenTree::Punct(p)) if p.as_char() == '\'') => {
                self.declaration(ident, tail);
            }
            name => self.name(name, ident, before, tail, *place),
        }
        tail
    }

    fn unsafety<'t>(&mut self, keyword: &Ident, tail: &'t [TokenTree], place: &mut Place) -> &'t [TokenTree] {
        if let Some(group) = brace(tail.first()) {
            if !is_necessary(group.stream(), self.foreign) {
                self.scan.push(TokenKind::UnsafeBlock, "unsafe { … }", keyword.span(), group.to_string());
                self.group(group, Place { in_unsafe: true, ..*place });
            }
            return tail.get(1..).unwrap_or_default();
        }
        let is_fn = tail.first().is_some_and(|tree| is_ident(tree, "fn"));
        let body = tail.iter().find_map(|tree| brace(Some(tree)));
        if is_fn && !body.is_some_and(|body| is_necessary(body.stream(), self.foreign)) {
            let key = tail.get(1).map(ToString::to_string).unwrap_or_default();
            self.scan.push(TokenKind::UnsafeFn, "unsafe fn", keyword.span(), key);
            place.in_unsafe = true;
        }
        tail
    }

    /// Walks a loop's header, then its body one level deeper.
    fn looping<'t>(&mut self, tail: &'t [TokenTree], place: Place) -> &'t [TokenTree] {
        let is_bound = tail.first().is_some_and(|tree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == '<'));
        let Some(at) = tail.iter().position(|tree| brace(Some(tree)).is_some()) else { return tail };
        let (header, body) = tail.split_at(at);
        if is_bound || header.iter().any(|tree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ';')) {
            return tail;
        }
        self.trees(header, place);
        if let Some(group) = brace(body.first()) {
            let inner = Place { loops: place.loops + 1, ..place };
            self.scan.loop_depth = self.scan.loop_depth.max(inner.loops);
            self.group(group, inner);
        }
        body.get(1..).unwrap_or_default()
    }

    fn attribute<'t>(&mut self, tail: &'t [TokenTree]) -> &'t [TokenTree] {
        let inner = usize::from(matches!(tail.first(), Some(TokenTree::Punct(punct)) if punct.as_char() == '!'));
        let Some(TokenTree::Group(group)) = tail.get(inner) else { return tail };
        if group.delimiter() != Delimiter::Bracket {
            return tail;
        }
        self.attribute_tokens(group.stream());
        tail.get(inner + 1..).unwrap_or_default()
    }

    fn attribute_tokens(&mut self, tokens: TokenStream) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        for (at, tree) in trees.iter().enumerate() {
            let argument = match trees.get(at + 1) {
                Some(TokenTree::Group(group)) => group.stream().to_string(),
                _ => String::new(),
            };
            match tree {
                TokenTree::Ident(ident) => match ident.to_string().as_str() {
                    "inline" if argument == "always" => self.found(TokenKind::InlineAlways, "#[inline(always)]", ident),
                    "target_feature" if argument.starts_with("enable") => self.found(TokenKind::Simd, "#[target_feature]", ident),
                    "cached" | "memoize" if at == 0 => self.found(TokenKind::MemoCache, &format!("#[{ident}]"), ident),
                    "global_allocator" => self.found(TokenKind::GlobalAllocator, "#[global_allocator]", ident),
                    _ => {}
                },
                TokenTree::Group(group) => self.attribute_tokens(group.stream()),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }

    /// A `static` or `const` inside the item: a table, or a cache.
    fn declaration(&mut self, keyword: &Ident, tail: &[TokenTree]) {
        let end = tail.iter().position(|tree| matches!(tree, TokenTree::Punct(p) if p.as_char() == '='));
        let Some(header) = end.and_then(|end| tail.get(..end)) else { return };
        let name = header.iter().find_map(|tree| match tree {
            TokenTree::Ident(ident) if ident != "mut" => Some(ident.to_string()),
            _ => None,
        });
        let Some(name) = name else { return };
        if header.iter().any(is_table_type) {
            self.tables.insert(name);
        } else if keyword == "static"
            && header.iter().any(|tree| MAPS.iter().any(|map| is_ident(tree, map)) || is_ident(tree, "DashMap"))
        {
            self.scan.push(TokenKind::MemoCache, &format!("static {name}"), keyword.span(), name);
        }
    }

    fn name(&mut self, name: &str, ident: &Ident, before: &[TokenTree], tail: &[TokenTree], place: Place) {
        let call = arguments(tail);
        let method = matches!(before.last(), Some(TokenTree::Punct(punct)) if punct.as_char() == '.');
        let bang = matches!(tail.first(), Some(TokenTree::Punct(punct)) if punct.as_char() == '!');
        if place.in_unsafe && call.is_some() {
            self.unsafe_call(name, ident, before, tail, call);
        }
        match name {
            "MaybeUninit" => self.found_in(TokenKind::Uninitialized, name, ident, tail),
            "is_x86_feature_detected" if bang => self.found(TokenKind::Simd, name, ident),
            "arch" | "simd" if qualified_by_std(before) => self.found(TokenKind::Simd, &format!("std::{name}"), ident),
            "contains" | "position" | "find" if method => self.scan.searches += 1,
            _ if is_intrinsic(name) && call.is_some() => self.found_in(TokenKind::Simd, name, ident, tail),
            _ if FAST_HASHERS.contains(&name) => self.found(TokenKind::Hasher, name, ident),
            _ if PARALLEL.contains(&name) && method => self.found_in(TokenKind::Rayon, name, ident, tail),
            _ if MEMO.contains(&name) => self.found(TokenKind::MemoCache, name, ident),
            _ if INLINE_STORAGE.contains(&name) => self.found(TokenKind::InlineStorage, name, ident),
            _ if BIT_TRICKS.contains(&name) && method => self.found_in(TokenKind::BitTrick, name, ident, tail),
            _ if BRANCH_HINTS.contains(&name) && call.is_some() => self.found_in(TokenKind::BranchHint, name, ident, tail),
            _ if self.tables.contains(name) && is_indexed(tail) => self.found_in(TokenKind::Table, name, ident, tail),
            _ => {}
        }
        self.scan.std_maps += usize::from(matches!(name, "HashMap" | "HashSet"));
        self.scan.maps += usize::from(MAPS.contains(&name) || FAST_HASHERS.contains(&name));
    }

    fn unsafe_call(&mut self, name: &str, ident: &Ident, before: &[TokenTree], tail: &[TokenTree], call: Option<&Group>) {
        // `Pin`'s own API carries the name too: `get_unchecked_mut()` without an index, `Pin::new_unchecked`.
        let empty = call.is_none_or(|group| group.stream().is_empty());
        let pin = before.len() >= 3 && before.get(before.len() - 3).is_some_and(|tree| is_ident(tree, "Pin"));
        match name {
            "transmute" | "transmute_copy" => self.found_in(TokenKind::Transmute, name, ident, tail),
            "copy_nonoverlapping" => self.found_in(TokenKind::PointerCopy, name, ident, tail),
            "set_len" | "assume_init" => self.found_in(TokenKind::Uninitialized, name, ident, tail),
            "get_unchecked" | "get_unchecked_mut" if empty => {}
            _ if (name.ends_with("_unchecked") || name == "get_unchecked_mut") && !pin => {
                self.found_in(TokenKind::Unchecked, name, ident, tail);
            }
            _ => {}
        }
    }

    fn found(&mut self, kind: TokenKind, text: &str, ident: &Ident) {
        self.scan.push(kind, text, ident.span(), text.to_owned());
    }

    /// A token whose next tree tells this use from another one.
    fn found_in(&mut self, kind: TokenKind, text: &str, ident: &Ident, tail: &[TokenTree]) {
        let key = format!("{text} {}", tail.first().map(ToString::to_string).unwrap_or_default());
        self.scan.push(kind, text, ident.span(), key);
    }
}

fn is_ident(tree: &TokenTree, name: &str) -> bool {
    matches!(tree, TokenTree::Ident(ident) if ident == name)
}

fn brace(tree: Option<&TokenTree>) -> Option<&Group> {
    match tree {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => Some(group),
        _ => None,
    }
}

/// True when `unsafe` stands before the item's first `fn`.
fn header_is_unsafe(trees: &[TokenTree]) -> bool {
    let header = trees.iter().take_while(|tree| !is_ident(tree, "fn"));
    let mut is_unsafe = false;
    for tree in header {
        if brace(Some(tree)).is_some() {
            return false;
        }
        is_unsafe |= is_ident(tree, "unsafe");
    }
    is_unsafe
}

/// The argument list right behind a name, over a turbofish.
fn arguments(tail: &[TokenTree]) -> Option<&Group> {
    let turbofish = tail.iter().take(3).map(ToString::to_string).collect::<String>() == "::<";
    let direct = if turbofish { tail.iter().find(|tree| matches!(tree, TokenTree::Group(_))) } else { tail.first() };
    match direct {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => Some(group),
        _ => None,
    }
}

/// True when the name is indexed by something that is not a literal.
fn is_indexed(tail: &[TokenTree]) -> bool {
    match tail.first() {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket => {
            group.stream().into_iter().any(|tree| matches!(tree, TokenTree::Ident(_) | TokenTree::Group(_)))
        }
        _ => false,
    }
}

/// `[u8; 256]`: an array of numbers long enough to be a table.
fn is_table_type(tree: &TokenTree) -> bool {
    let TokenTree::Group(group) = tree else { return false };
    let text = group.stream().to_string();
    let Some((element, length)) = text.split_once(';') else { return false };
    let long = length.trim().replace('_', "").parse::<usize>().map_or(true, |length| length >= SHORTEST_TABLE);
    group.delimiter() == Delimiter::Bracket && NUMBERS.contains(&element.trim()) && long
}

fn is_intrinsic(name: &str) -> bool {
    ["_mm_", "_mm256_", "_mm512_"].iter().any(|prefix| name.starts_with(prefix))
}

/// `std :: arch`, `core :: simd`.
fn qualified_by_std(before: &[TokenTree]) -> bool {
    let root = before.len().checked_sub(3).and_then(|at| before.get(at));
    root.is_some_and(|tree| is_ident(tree, "std") || is_ident(tree, "core"))
}

/// True when the item is a `static` or `const` table of numbers.
pub(in crate::rules) fn declares_table(tokens: &TokenStream) -> bool {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let declares = trees.iter().any(|tree| is_ident(tree, "static") || is_ident(tree, "const"));
    let header = trees.iter().take_while(|tree| !matches!(tree, TokenTree::Punct(p) if p.as_char() == '='));
    declares && header.into_iter().any(is_table_type)
}
