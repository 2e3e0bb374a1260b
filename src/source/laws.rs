//! Laws that hold for any source: layout is invisible, identity is stable.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use proptest::prelude::*;

use super::{ChangeKind, Item, SourceFile, changes, items};

const SOURCE: &str = r##"
#![feature(x)]
use std::{fmt, io::{self, Read}};
const TABLE: [u8; 3] = [1, 2, 3];
#[derive(Clone, Debug)] pub struct Pair<'a, T: 'a>(pub &'a T, Vec<Vec<u8>>);
#[inline(never)] pub(crate) fn first<'a>(x: &'a [u8], y: (u8,)) -> Option<&'a u8> {
    let text = "a // not a comment"; let raw = r#"x "y" /* z */"#; let byte = b'\''; let c = '"';
    fn nested(r#type: u64) -> u64 { r#type << 3 >> 1 }
    let f = |a: &u8, b| a == b && !x.is_empty() || nested(1u64) >= 2;
    match x { [a, .., b] if f(a, b) => Some(a), &[] | [_] => None, _ => x.iter().map(|v| v).find(|&&v| v != 0x1f) }
}
impl<'a, T> fmt::Display for Pair<'a, T> where T: Clone { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{}", 1.5e3) } }
trait Shape { const SIDES: u32; fn area(&self) -> f64; fn twice(&self) -> f64 { self.area() * 2.0 } }
macro_rules! make { ($($name:ident),* $(,)?) => { $(fn $name() -> u8 { 1 })* }; }
make!(one, two);
#[cfg(unix)] fn twin() -> i32 { -1 }
#[cfg(not(unix))] fn twin() -> i32 { 'l: loop { break 'l 2 } }
mod inner { pub async fn wait() -> Result<(), ()> { super::ready().await?; Ok(()) } }
"##;

const GAPS: [&str; 8] = [" ", "\n", "\t", "\n\n    ", " /* a { \" */ ", " // b } ' \n", "/* /* c */ */", "\r\n"];

/// Writes the tokens again with other gaps between them.
fn respaced(stream: TokenStream, gaps: &mut impl Iterator<Item = usize>, out: &mut String) {
    let mut glued = false;
    for tree in stream {
        if !glued {
            out.push_str(gaps.next().and_then(|gap| GAPS.get(gap)).unwrap_or(&" "));
        }
        glued = matches!(&tree, TokenTree::Punct(punct) if punct.spacing() == Spacing::Joint);
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                out.push_str(open);
                respaced(group.stream(), gaps, out);
                out.push_str(gaps.next().and_then(|gap| GAPS.get(gap)).unwrap_or(&" "));
                out.push_str(close);
            }
            other => out.push_str(&other.to_string()),
        }
    }
}

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile::new(path, text, &[])
}

fn hashes(items: &[Item]) -> Vec<(String, u64, u64, u64)> {
    let mut all: Vec<_> = items.iter().map(|i| (i.key.clone(), i.signature_hash, i.body_hash, i.attributes_hash)).collect();
    all.sort();
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn reformatting_and_comments_change_no_hash(gaps in proptest::collection::vec(0usize..8, 200)) {
        let mut text = String::new();
        respaced(SOURCE.parse().unwrap(), &mut gaps.into_iter().cycle(), &mut text);
        let before = items(&file("src/a.rs", SOURCE));
        let after = items(&file("src/a.rs", &text));
        prop_assert!(before.iter().chain(&after).all(|item| !item.approximate), "{}", text);
        prop_assert_eq!(hashes(&before), hashes(&after));
        prop_assert_eq!(changes(&[file("src/a.rs", SOURCE)], &[file("src/a.rs", &text)], &[]), vec![]);
    }

    #[test]
    fn changing_one_number_changes_one_item(at in 0usize..40, to in 1000u32..2000) {
        let functions: Vec<String> = (0..40).map(|n| format!("fn f{n}() -> u32 {{ g({n}) + h({n}, {n}) }}")).collect();
        let mut changed = functions.clone();
        changed[at] = format!("fn f{at}() -> u32 {{ g({to}) + h({at}, {at}) }}");
        let found = changes(&[file("src/a.rs", &functions.join("\n"))], &[file("src/a.rs", &changed.join("\n"))], &[]);
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!(found[0].kind, ChangeKind::Modified);
        prop_assert_eq!(&found[0].head.as_ref().unwrap().path, &format!("crate::a::f{at}"));
    }

    #[test]
    fn moving_an_item_between_files_is_moved(at in 0usize..10) {
        let functions: Vec<String> =
            (0..10).map(|n| format!("fn f{n}(xs: &[u32]) -> u32 {{ xs.iter().map(|x| x * {n}).sum() }}")).collect();
        let (moved, rest): (Vec<_>, Vec<_>) = functions.iter().cloned().enumerate().partition(|(n, _)| *n == at);
        let text = |list: Vec<(usize, String)>| list.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("\n");
        let base = [file("src/a.rs", &functions.join("\n")), file("src/b.rs", "")];
        let head = [file("src/a.rs", &text(rest)), file("src/b.rs", &text(moved))];
        let found = changes(&base, &head, &[]);
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!(found[0].kind, ChangeKind::Moved);
        prop_assert_eq!(&found[0].head.as_ref().unwrap().path, &format!("crate::b::f{at}"));
    }

    #[test]
    fn a_text_is_never_a_change_of_itself(text in "(fn [a-c]\\(\\) \\{ [a-z0-9;(){}\"'/*\n ]{0,20}\\}?\n?){0,6}") {
        // The second comparison cannot take the shortcut for equal texts.
        let spaced = format!("{text}\n");
        prop_assert_eq!(changes(&[file("src/a.rs", &text)], &[file("src/a.rs", &text)], &[]), vec![]);
        prop_assert!(changes(&[file("src/a.rs", &text)], &[file("src/a.rs", &spaced)], &[]).is_empty());
    }

    #[test]
    fn any_text_is_survived(text in "\\PC{0,80}") {
        let _ = items(&file("src/a.rs", &text));
    }
}
