//! From file texts to items, many files at once.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use camino::Utf8PathBuf;
use proc_macro2::TokenStream;

use super::approximate;
use super::collect::{Collector, Declared, Found};
use super::model::Item;
use super::place::SourceFile;
use super::tokens::Tokens;

/// Stack of a parsing thread: the parser recurses as deep as the code nests.
/// 16 KiB for each unit of [`MAX_DEPTH`]; the pages are only touched when needed.
const STACK_BYTES: usize = MAX_DEPTH * (16 << 10);

/// Recursion bound ([`Tokens::depth`]) beyond which a file is scanned instead of parsed. Real files stay below a tenth of it.
const MAX_DEPTH: usize = 16_000;

/// Bracket nesting beyond which a file is scanned instead of parsed, so that hostile input cannot exhaust the stack.
pub(super) const MAX_NESTING: usize = 1_000;

/// One file's result.
#[derive(Debug, Default)]
pub(super) struct FileItems {
    pub(super) found: Vec<Found>,
    pub(super) declared: Vec<Declared>,
    pub(super) approximate: bool,
}

/// The items of one file, in order of their lines. A file that does not parse gives approximate items.
pub fn items(file: &SourceFile) -> Vec<Item> {
    items_of(std::slice::from_ref(file))
}

/// The items of many files, in the order of the files. `#[path]` and `#[cfg(test)] mod` declarations in one file are applied to the others.
pub fn items_of(files: &[SourceFile]) -> Vec<Item> {
    parse_all(files).into_iter().flat_map(|file| file.found).map(|found| found.item).collect()
}

/// True when the file declares `mod NAME;` as code that ships: not under `#[cfg(test)]`, by itself or around it.
pub fn declares_code(file: &SourceFile, name: &str) -> bool {
    parallel(&[file]).iter().flat_map(|parsed| &parsed.declared).any(|declared| declared.name == name && !declared.test_only)
}

/// Parses all files, then once more those whose place another file's `mod` declaration changes.
pub(super) fn parse_all(files: &[SourceFile]) -> Vec<FileItems> {
    let refs: Vec<&SourceFile> = files.iter().collect();
    let mut parsed = parallel(&refs);
    let moved = corrected_places(files, &parsed);
    let again: Vec<&SourceFile> = moved.iter().map(|(_, file)| file).collect();
    for ((at, _), items) in moved.iter().zip(parallel(&again)) {
        if let Some(slot) = parsed.get_mut(*at) {
            *slot = items;
        }
    }
    parsed
}

/// Parses on as many threads as there are cores. Threads of our own also keep the parser's span table to themselves.
pub(super) fn parallel(files: &[&SourceFile]) -> Vec<FileItems> {
    let workers = thread::available_parallelism().map_or(1, usize::from).min(8).min(files.len());
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some((at, file)) = take(files, &next) {
            done.push((at, parse(file)));
        }
        done
    };
    let mut results: Vec<(usize, FileItems)> = thread::scope(|scope| {
        let handles: Vec<_> =
            (0..workers).filter_map(|_| thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work).ok()).collect();
        handles.into_iter().filter_map(|handle| handle.join().ok()).flatten().collect()
    });
    // What a thread that could not start, or that the parser brought down, left behind.
    let seen: HashSet<usize> = results.iter().map(|(at, _)| *at).collect();
    let missing = files.iter().enumerate().filter(|(at, _)| !seen.contains(at));
    results.extend(missing.map(|(at, file)| (at, scan(file))).collect::<Vec<_>>());
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, items)| items).collect()
}

fn take<'f>(files: &[&'f SourceFile], next: &AtomicUsize) -> Option<(usize, &'f SourceFile)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    files.get(at).map(|file| (at, *file))
}

fn parse(file: &SourceFile) -> FileItems {
    let parsed = exact(file).unwrap_or_else(|| scan(file));
    proc_macro2::extra::invalidate_current_thread_spans();
    parsed
}

/// The items by syntax; `None` when the file does not parse.
fn exact(file: &SourceFile) -> Option<FileItems> {
    let text = without_preamble(&file.text);
    if nesting(text) > MAX_NESTING {
        return None;
    }
    let stream: TokenStream = text.parse().ok()?;
    let tokens = Tokens::new(stream.clone());
    if tokens.depth() > MAX_DEPTH {
        return None;
    }
    let syntax: syn::File = syn::parse2(stream).ok()?;
    let (found, declared) = Collector::new(file, &tokens).file(&syntax);
    Some(FileItems { found, declared, approximate: false })
}

/// The items by their header lines.
pub(super) fn scan(file: &SourceFile) -> FileItems {
    FileItems { found: approximate::items(file), declared: Vec::new(), approximate: true }
}

/// The text without byte order mark and `#!` line; the line numbers stay.
fn without_preamble(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let is_shebang = text.starts_with("#!") && !text.get(2..).unwrap_or_default().trim_start().starts_with('[');
    if is_shebang { text.find('\n').and_then(|end| text.get(end..)).unwrap_or_default() } else { text }
}

/// An upper bound of the bracket nesting: brackets in strings count, too.
pub(super) fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Files whose module path or test flag a declaration in another file sets.
fn corrected_places(files: &[SourceFile], parsed: &[FileItems]) -> Vec<(usize, SourceFile)> {
    let by_path: HashMap<Utf8PathBuf, usize> = files.iter().enumerate().map(|(at, file)| (file.path.clone(), at)).collect();
    let mut corrected: HashMap<usize, SourceFile> = HashMap::new();
    for (declaring, parsed) in files.iter().zip(parsed) {
        for declared in parsed.declared.iter().filter(|d| d.path.is_some() || d.test_only) {
            let target = candidates(declared).into_iter().find_map(|path| by_path.get(&path).copied());
            let Some((at, file)) = target.and_then(|at| Some((at, files.get(at)?))) else { continue };
            let place = corrected.entry(at).or_insert_with(|| file.clone());
            place.test_only |= declared.test_only;
            if declared.path.is_some() {
                place.module.clone_from(&declared.module);
                place.crate_name.clone_from(&declaring.crate_name);
            }
        }
    }
    let mut changed: Vec<(usize, SourceFile)> =
        corrected.into_iter().filter(|(at, file)| files.get(*at).is_some_and(|old| old != file)).collect();
    changed.sort_by_key(|(at, _)| *at);
    changed
}

pub(super) fn candidates(declared: &Declared) -> Vec<Utf8PathBuf> {
    match &declared.path {
        Some(path) => vec![normalized(&declared.path_base.join(path))],
        None => vec![declared.dir.join(format!("{}.rs", declared.name)), declared.dir.join(&declared.name).join("mod.rs")],
    }
}

/// The path without `.` and `..`.
pub(super) fn normalized(path: &camino::Utf8Path) -> Utf8PathBuf {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.components() {
        match part.as_str() {
            "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/").into()
}

/// Gives equal keys their ordinals, in order.
pub(super) fn number(found: &mut [Found]) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for found in found {
        let ordinal = seen.entry(found.item.key.clone()).or_insert(0);
        *ordinal += 1;
        found.item.key = format!("{}#{ordinal}", found.item.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::model::ItemKind;

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile::new(path, text, &[])
    }

    fn of(text: &str) -> Vec<Item> {
        items(&file("src/a.rs", text))
    }

    fn find<'i>(items: &'i [Item], key: &str) -> &'i Item {
        let key = format!("src/a.rs::{key}");
        items.iter().find(|item| item.key == key).unwrap_or_else(|| panic!("{key} in {items:#?}"))
    }

    const TORTURE: &str = r#"#!/usr/bin/env run
//! Module docs.
#![allow(dead_code)]
use std::fmt::{self, Display};

/// Docs.
/// More docs.
#[inline(never)]
pub(crate) const unsafe extern "C" fn first<'a, const N: usize>(
    x: &'a [u8; N],
) -> u8
where
    u8: Copy,
{
    fn nested(y: u8) -> u8 {
        y + 1
    }
    let closure = |z: u8| z * 2;
    macro_rules! local { () => { 1 } }
    closure(nested(x[0])) + local!()
}

struct Parser<'a, T>(&'a [T]);

impl<'a, T: Clone> Parser<'a, T> {
    const LIMIT: usize = 3;
    fn next(&self) -> usize { Self::LIMIT }
}

impl<T> Display for Parser<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "x")
    }
}

trait Step {
    type Out;
    fn required(&self) -> u8;
    fn provided(&self) -> u8 {
        self.required()
    }
}

mod inner {
    pub mod deep {
        pub fn r#type() {}
        impl super::super::Step for u8 { type Out = u8; fn required(&self) -> u8 { 1 } }
    }
}

macro_rules! define_fn {
    ($name:ident) => {
        fn $name() -> u64 { 7 }
    };
}

define_fn!(made);

#[cfg(unix)]
fn twin() -> u8 { 1 }
#[cfg(not(unix))]
fn twin() -> u8 { 2 }

static TABLE: [u8; 2] = { const fn fill() -> [u8; 2] { [1, 2] } fill() };
type Alias = Vec<u8>;
enum Layout { A, B(u64) }

#[cfg(test)]
mod tests {
    #[test]
    fn it_works() {}
    fn helper() {}
}
"#;

    #[test]
    fn every_kind_of_item_is_found_with_its_lines() {
        let items = of(TORTURE);
        let shown: Vec<_> = items
            .iter()
            .map(|i| (i.key.trim_start_matches("src/a.rs::").to_owned(), i.kind, i.lines, i.body_lines))
            .filter(|(_, kind, _, _)| *kind != ItemKind::Scope)
            .collect();
        let expected = [
            ("first#1", ItemKind::Function, (6, 21), (9, 21)),
            ("first::nested#1", ItemKind::Function, (15, 17), (15, 17)),
            ("first::macro_rules local#1", ItemKind::MacroRules, (19, 19), (19, 19)),
            ("type Parser#1", ItemKind::Type, (23, 23), (23, 23)),
            ("impl Parser<T>#1", ItemKind::Impl, (25, 28), (25, 28)),
            ("impl Parser<T>::const LIMIT#1", ItemKind::Const, (26, 26), (26, 26)),
            ("impl Parser<T>::next#1", ItemKind::Method, (27, 27), (27, 27)),
            ("impl Display for Parser<T>#1", ItemKind::Impl, (30, 34), (30, 34)),
            ("impl Display for Parser<T>::fmt#1", ItemKind::Method, (31, 33), (31, 33)),
            ("trait Step#1", ItemKind::Trait, (36, 42), (36, 42)),
            ("trait Step::required#1", ItemKind::TraitMethod, (38, 38), (38, 38)),
            ("trait Step::provided#1", ItemKind::TraitMethod, (39, 41), (39, 41)),
            ("inner::deep::r#type#1", ItemKind::Function, (46, 46), (46, 46)),
            ("inner::deep::impl super::super::Step for u8#1", ItemKind::Impl, (47, 47), (47, 47)),
            ("inner::deep::impl super::super::Step for u8::type Out#1", ItemKind::TypeAlias, (47, 47), (47, 47)),
            ("inner::deep::impl super::super::Step for u8::required#1", ItemKind::Method, (47, 47), (47, 47)),
            ("macro_rules define_fn#1", ItemKind::MacroRules, (51, 55), (51, 55)),
            ("define_fn!#1", ItemKind::MacroCall, (57, 57), (57, 57)),
            ("twin#1", ItemKind::Function, (59, 60), (60, 60)),
            ("twin#2", ItemKind::Function, (61, 62), (62, 62)),
            ("TABLE::fill#1", ItemKind::Function, (64, 64), (64, 64)),
            ("static TABLE#1", ItemKind::Static, (64, 64), (64, 64)),
            ("type Alias#1", ItemKind::TypeAlias, (65, 65), (65, 65)),
            ("type Layout#1", ItemKind::Type, (66, 66), (66, 66)),
            ("tests::it_works#1", ItemKind::Function, (70, 71), (71, 71)),
            ("tests::helper#1", ItemKind::Function, (72, 72), (72, 72)),
        ];
        let mut shown: Vec<_> = shown.iter().map(|(k, kind, l, b)| (k.as_str(), *kind, *l, *b)).collect();
        let mut expected = expected.to_vec();
        shown.sort_by_key(|s| (s.2.0, s.0.to_owned()));
        expected.sort_by_key(|s| (s.2.0, s.0.to_owned()));
        assert_eq!(shown, expected);
    }

    #[test]
    fn paths_are_qualified_as_profiles_name_them() {
        let items = of(TORTURE);
        for (key, path) in [
            ("first#1", "crate::a::first"),
            ("first::nested#1", "crate::a::first::nested"),
            ("impl Parser<T>::next#1", "crate::a::Parser::next"),
            ("impl Display for Parser<T>::fmt#1", "<crate::a::Parser as Display>::fmt"),
            ("trait Step::provided#1", "crate::a::Step::provided"),
            ("inner::deep::r#type#1", "crate::a::inner::deep::r#type"),
            ("inner::deep::impl super::super::Step for u8::required#1", "<u8 as super::super::Step>::required"),
            ("define_fn!#1", "crate::a::define_fn!"),
        ] {
            assert_eq!(find(&items, key).path, path);
        }
        assert_eq!(find(&items, "define_fn!#1").made_names, ["made"]);
        assert_eq!(find(&items, "first#1").attributes, ["inline(never)"]);
        assert!(find(&items, "tests::helper#1").test_only && !find(&items, "twin#1").test_only);
    }

    #[test]
    fn a_nested_function_is_not_part_of_the_outer_body() {
        let base = of("fn outer() { fn inner() { 1; } inner() }");
        let head = of("fn outer() { fn inner() { 2; } inner() }");
        assert_eq!(find(&base, "outer#1").body_hash, find(&head, "outer#1").body_hash);
        assert_ne!(find(&base, "outer::inner#1").body_hash, find(&head, "outer::inner#1").body_hash);
    }

    #[test]
    fn a_closure_is_part_of_its_function() {
        let base = of("fn outer() { let c = || 1; c() }");
        let head = of("fn outer() { let c = || 2; c() }");
        assert_ne!(find(&base, "outer#1").body_hash, find(&head, "outer#1").body_hash);
    }

    #[test]
    fn docs_comments_and_visibility_change_no_hash() {
        let hashes = |item: &Item| (item.body_hash, item.signature_hash, item.attributes_hash);
        let base = of("#[cold]\nfn f(a: u8) -> u8 { a }");
        let head = of("/// Docs\n#[cold]\n#[must_use]\npub fn f(\n    a: u8, // x\n) -> u8 {\n    // y\n    a\n}");
        assert_eq!(hashes(find(&base, "f#1")), hashes(find(&head, "f#1")));
    }

    #[test]
    fn hashes_are_the_same_in_every_process() {
        let items = of("fn f(a: u8) -> u8 { a }");
        // Recorded once; a stored baseline of an older process must still compare equal.
        assert_eq!(find(&items, "f#1").body_hash, 12_074_814_649_685_591_270);
    }

    #[test]
    fn a_path_attribute_and_a_test_module_reach_the_other_file() {
        let files = [
            file("src/lib.rs", "#[path = \"odd/place.rs\"] mod tidy;\n#[cfg(test)] mod checks;\nmod plain;"),
            file("src/odd/place.rs", "fn f() {}"),
            file("src/checks.rs", "fn g() {}"),
            file("src/plain.rs", "mod tidy { #[path = \"x.rs\"] mod y; }"),
            file("src/plain/tidy/x.rs", "fn h() {}"),
        ];
        let items = items_of(&files);
        let path = |name: &str| items.iter().find(|i| i.path.ends_with(name)).map(|i| (i.path.as_str(), i.test_only));
        assert_eq!(path("::f"), Some(("crate::tidy::f", false)));
        assert_eq!(path("::g"), Some(("crate::checks::g", true)));
        assert_eq!(path("::h"), Some(("crate::plain::tidy::y::h", false)));
    }

    #[test]
    fn a_file_that_does_not_parse_gives_approximate_items() {
        let items = of("fn good() { 1 }\nfn bad( {\n");
        assert_eq!(items.iter().filter(|i| i.kind == ItemKind::Function).count(), 2);
        assert!(items.iter().all(|i| i.approximate));
    }

    #[test]
    fn hostile_nesting_is_survived() {
        for text in
            ["(".repeat(1 << 20), format!("fn f() {{ {}1{} }}", "(".repeat(100_000), ")".repeat(100_000)), "!".repeat(1 << 16)]
        {
            assert!(of(&text).iter().all(|item| item.approximate));
        }
        let just = MAX_DEPTH / 2;
        for (open, core, close, count) in [
            ("!", "true", "", just),
            ("!", "true", "", 4 * just),
            ("1 + ", "1", "", just),
            ("(", "1", ")", 900),
            ("{", "1", "}", 900),
            ("|| ", "1", "", just / 2),
            ("if a {} else ", "{}", "", just / 4),
            ("return ", "1", "", just),
            ("x as A<", "B", ">", 1),
            ("a.b(|| ", "1", ")", 900),
        ] {
            let text = format!("fn f() {{ {}{core}{} }}", open.repeat(count), close.repeat(count));
            assert!(!of(&text).is_empty(), "{open}");
        }
        let types = format!("fn f(a: {}B{}) {{}}", "A<".repeat(just / 2), ">".repeat(just / 2));
        assert!(!of(&types).is_empty());
    }

    #[test]
    fn only_a_module_outside_of_cfg_test_is_code() {
        assert!(declares_code(&file("src/lib.rs", "pub mod tests;"), "tests"));
        assert!(!declares_code(&file("src/lib.rs", "#[cfg(test)]\nmod tests;"), "tests"));
        assert!(!declares_code(&file("src/lib.rs", "mod test;\nmod tests { fn a() {} }"), "tests"));
    }
}
