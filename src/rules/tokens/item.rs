//! The tokens of an item, cut out of its file.

use std::collections::BTreeSet;
use std::str::FromStr as _;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The tokens on `lines` (1-based, inclusive) of a file, with `holes` (nested items that are judged on their own) left out.
/// `None` when they do not lex.
///
/// Line numbers of the spans are those of the file.
pub fn item_tokens(file: &str, lines: (u32, u32), holes: &[(u32, u32)]) -> Option<TokenStream> {
    let (first, last) = (lines.0.max(1), lines.1);
    let mut text = "\n".repeat(first as usize - 1);
    for (number, line) in (1_u32..).zip(file.lines()).skip(first as usize - 1).take_while(|&(number, _)| number <= last) {
        if !holes.iter().any(|hole| (hole.0..=hole.1).contains(&number)) {
            text.push_str(line);
        }
        text.push('\n');
    }
    TokenStream::from_str(&text).ok()
}

/// Names of the functions that a file declares in `extern` blocks.
pub fn foreign_functions(file: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if file.contains("extern \"")
        && let Ok(tokens) = TokenStream::from_str(file)
    {
        collect(tokens, false, &mut names);
    }
    names
}

fn collect(tokens: TokenStream, inside: bool, names: &mut BTreeSet<String>) {
    let (mut after_extern, mut after_fn) = (false, false);
    for tree in tokens {
        match tree {
            TokenTree::Ident(ident) if after_fn => {
                if inside {
                    names.insert(ident.to_string());
                }
                (after_extern, after_fn) = (false, false);
            }
            TokenTree::Ident(ident) => {
                after_fn = ident == "fn";
                after_extern = ident == "extern";
            }
            TokenTree::Group(group) => {
                let block = after_extern && group.delimiter() == Delimiter::Brace;
                collect(group.stream(), block, names);
                after_extern = false;
            }
            TokenTree::Literal(_) => {}
            TokenTree::Punct(_) => after_extern = false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_carry_the_lines_of_the_file() {
        let tokens = item_tokens("fn a() {}\n\nfn b() {\n    c();\n}\n", (3, 5), &[]).unwrap();
        assert_eq!(tokens.into_iter().next().unwrap().span().start().line, 3);
    }

    #[test]
    fn a_hole_is_not_part_of_the_item() {
        let file = "fn a() {\n    fn inner() {\n        deep();\n    }\n    inner();\n}\n";
        let text = item_tokens(file, (1, 6), &[(2, 4)]).unwrap().to_string();
        assert!(!text.contains("deep") && text.contains("inner"));
    }

    #[test]
    fn text_that_does_not_lex_has_no_tokens() {
        assert!(item_tokens("fn a() {\n", (1, 1), &[]).is_none());
    }

    #[test]
    fn foreign_functions_are_those_in_extern_blocks() {
        let names =
            foreign_functions("unsafe extern \"C\" { pub fn deflate(x: i32) -> i32; }\nextern \"C\" fn ours() {}\nfn own() {}");
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["deflate"]);
    }
}
