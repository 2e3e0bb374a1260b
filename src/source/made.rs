//! Which functions a macro call may make.

use std::collections::HashSet;

use proc_macro2::{TokenStream, TokenTree};

/// Names in a macro call's arguments: first those after `fn`, then every other identifier (`define_fn!(made)`).
pub(super) fn names(arguments: TokenStream) -> Vec<String> {
    let mut found = Found::default();
    found.walk(arguments);
    let Found { functions, others } = found;
    let mut seen = HashSet::new();
    functions.into_iter().chain(others).filter(|name| is_name(name) && seen.insert(name.clone())).collect()
}

#[derive(Default)]
struct Found {
    functions: Vec<String>,
    others: Vec<String>,
}

impl Found {
    fn walk(&mut self, tokens: TokenStream) {
        let mut after_fn = false;
        for tree in tokens {
            match &tree {
                TokenTree::Ident(name) => {
                    let name = name.to_string();
                    after_fn = if after_fn {
                        self.functions.push(name);
                        false
                    } else {
                        let is_fn = name == "fn";
                        self.others.push(name);
                        is_fn
                    };
                }
                TokenTree::Group(group) => {
                    self.walk(group.stream());
                    after_fn = false;
                }
                _ => after_fn = false,
            }
        }
    }
}

/// Keywords are no names.
fn is_name(word: &str) -> bool {
    const WORDS: [&str; 36] = [
        "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern", "false", "fn", "for",
        "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return", "self", "static", "struct",
        "super", "trait", "true", "type", "unsafe", "use", "where",
    ];
    word != "_" && word != "while" && !WORDS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_come_first_and_keywords_never() {
        let made = names("pub struct A; fn second() { let x = 1; } made, u32".parse().unwrap());
        assert_eq!(made, ["second", "A", "x", "made", "u32"]);
    }
}
