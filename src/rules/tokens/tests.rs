//! Which text counts as which token.

use std::collections::BTreeSet;

use super::*;

fn scan_text(text: &str) -> Scan {
    let lines = u32::try_from(text.lines().count()).unwrap();
    let foreign = foreign_functions(text);
    scan(item_tokens(text, (1, lines), &[]).expect("lexes"), &BTreeSet::from(["TABLE".to_owned()]), &foreign)
}

fn kinds(text: &str) -> Vec<TokenKind> {
    let mut kinds: Vec<_> = scan_text(text).occurrences.iter().map(|occurrence| occurrence.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

fn gained(base: &str, head: &str) -> Vec<(TokenKind, usize)> {
    added(&scan_text(base), &scan_text(head)).into_iter().map(|added| (added.kind, added.count)).collect()
}

#[test]
fn comments_strings_and_docs_never_match() {
    let text = r##"
        /// unsafe { get_unchecked(1) } #[inline(always)]
        fn f() {
            // unsafe { transmute(x) }
            let s = "unsafe { x.get_unchecked(1) }";
            let r = r#"par_iter() MaybeUninit"#;
            /* _mm_add_epi8(a, b) */
        }"##;
    assert_eq!(kinds(text), []);
}

#[test]
fn each_costly_token_is_recognised() {
    for (kind, text) in [
        (TokenKind::Unchecked, "fn f(x: &[u8]) -> u8 { unsafe { *x.get_unchecked(1) } }"),
        (TokenKind::Transmute, "fn f(x: u32) -> f32 { unsafe { std::mem::transmute::<u32, f32>(x) } }"),
        (TokenKind::PointerCopy, "fn f() { unsafe { std::ptr::copy_nonoverlapping(a, b, 3) } }"),
        (TokenKind::Uninitialized, "fn f() { unsafe { v.set_len(3) } }"),
        (TokenKind::Uninitialized, "fn f() { let x: MaybeUninit<u8> = MaybeUninit::uninit(); }"),
        (TokenKind::Simd, "fn f() { let x = _mm256_loadu_si256(p); }"),
        (TokenKind::Simd, "fn f() { use std::arch::x86_64::__m128i; }"),
        (TokenKind::Simd, "#[target_feature(enable = \"avx2\")] fn f() {}"),
        (TokenKind::UnsafeFn, "pub unsafe fn f() {}"),
        (TokenKind::UnsafeBlock, "fn f() { unsafe { *p } }"),
        (TokenKind::InlineAlways, "#[inline(always)] fn f() {}"),
        (TokenKind::InlineAlways, "#[cfg_attr(not(test), inline(always))] fn f() {}"),
        (TokenKind::Table, "fn f(b: u8) -> u8 { TABLE[b as usize] }"),
        (TokenKind::Table, "fn f(b: u8) -> u8 { static T: [u8; 256] = make(); T[usize::from(b)] }"),
        (TokenKind::Hasher, "fn f() { let m: FxHashMap<u8, u8> = Default::default(); }"),
        (TokenKind::Rayon, "fn f(v: &[u8]) -> u64 { v.par_iter().map(g).sum() }"),
        (TokenKind::MemoCache, "#[cached] fn f() {}"),
        (TokenKind::MemoCache, "fn f() { static C: Mutex<HashMap<u8, u8>> = Mutex::new(HashMap::new()); }"),
        (TokenKind::GlobalAllocator, "#[global_allocator] static A: System = System;"),
        (TokenKind::BranchHint, "fn f() { if likely(x) {} }"),
        (TokenKind::InlineStorage, "fn f() { let v: SmallVec<[u8; 8]> = SmallVec::new(); }"),
        (TokenKind::BitTrick, "fn f(x: u64) -> u32 { x.trailing_zeros() }"),
    ] {
        assert!(kinds(text).contains(&kind), "{kind:?} in {text}: {:?}", kinds(text));
    }
}

#[test]
fn cheap_tokens_are_none_at_all() {
    for text in [
        "fn f() { let v = Vec::with_capacity(8); }",
        "fn f() { v.sort_unstable(); v.reserve(3); }",
        "fn f(x: &str) -> &str { x }",
        "#[cold] fn f() {}",
        "#[inline] fn f() {}",
        "fn f() { let s = std::mem::take(&mut x); }",
    ] {
        assert_eq!(kinds(text), [], "{text}");
    }
}

#[test]
fn unsafe_for_what_safe_code_cannot_do_is_not_a_token() {
    for text in [
        "fn f() { unsafe { libc::getpid() } }",
        "fn f() { unsafe { std::env::set_var(\"A\", \"b\") } }",
        "fn f() { unsafe { Pin::new_unchecked(&mut x) } }",
        "fn f() { unsafe { self.map_unchecked_mut(|s| &mut s.x) } }",
        "extern \"C\" { fn deflate(x: i32); }\nfn f() { unsafe { deflate(1) } }",
        "pub unsafe extern \"C\" fn f() {}",
        "unsafe impl Send for X {}",
        "#[unsafe(no_mangle)] pub fn f() {}",
        "unsafe fn f() { Box::from_raw(p) }",
    ] {
        assert_eq!(kinds(text), [], "{text}");
    }
}

#[test]
fn a_name_is_not_a_call() {
    assert_eq!(kinds("fn f() { let x = sqlx::query_unchecked!(\"…\"); }"), []);
    assert_eq!(kinds("fn get_unchecked(x: u8) {}"), []);
    assert_eq!(kinds("fn f() { url.new_unchecked(1) }"), [], "outside of an unsafe context");
    assert_eq!(kinds("fn f() { const KEY: [u8; 4] = *b\"abcd\"; g(KEY[i]) }"), [], "a magic number is not a table");
    assert_eq!(kinds("fn f() { const KEY: [u8; 32] = k(); g(&KEY) }"), [], "a key is not indexed");
    assert_eq!(kinds("fn f(m: &'static HashMap<u8, u8>) { let x: &'static HashMap<u8, u8> = m; }"), []);
}

#[test]
fn only_net_additions_count() {
    let safe = "fn f(x: &[u8]) -> u8 { x[1] }";
    let fast = "fn f(x: &[u8]) -> u8 { unsafe { *x.get_unchecked(1) } }";
    assert_eq!(gained(safe, fast), [(TokenKind::Unchecked, 1), (TokenKind::UnsafeBlock, 1)]);
    assert_eq!(gained(fast, safe), []);
    assert_eq!(gained(fast, "fn f(x: &[u8]) -> u8 { log(); unsafe { *x.get_unchecked(2) } }"), []);
}

#[test]
fn a_block_inside_a_function_that_was_unsafe_is_no_new_unsafety() {
    assert_eq!(gained("unsafe fn f() { g() }", "unsafe fn f() { unsafe { g() } }"), []);
}

#[test]
fn a_hasher_counts_only_as_a_swap() {
    let swap = gained("fn f() { let m = HashMap::new(); }", "fn f() { let m = FxHashMap::default(); }");
    assert_eq!(swap, [(TokenKind::Hasher, 1)]);
    assert_eq!(gained("fn f() {}", "fn f() { let m = FxHashMap::default(); }"), []);
}

#[test]
fn the_first_new_token_is_the_one_to_point_at() {
    let base = "fn f() {\n    unsafe { a.get_unchecked(1) };\n}";
    let head = "fn f() {\n    unsafe { a.get_unchecked(1) };\n    let é = unsafe { b.get_unchecked(2) };\n}";
    let added = added(&scan_text(base), &scan_text(head));
    let unchecked = added.iter().find(|added| added.kind == TokenKind::Unchecked).unwrap();
    assert_eq!((unchecked.first.line, unchecked.first.columns), (3, (23, 36)));
}

#[test]
fn loops_and_searches_are_measured() {
    let nested = scan_text("fn f() { for a in x { while b { if c.contains(&a) {} } } loop {} }");
    assert_eq!((nested.loop_depth, nested.searches), (2, 1));
    assert_eq!(scan_text("fn f(g: impl for<'a> Fn(&'a u8)) { h(); }").loop_depth, 0);
}
