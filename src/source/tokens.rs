//! A file's tokens as one flat list with positions, so that the hash of any part is a slice away.
//!
//! Left out, because it cannot change the machine code: comments, docs, lint attributes, whitespace, trailing commas.

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};

use super::hash;

/// Line (high half) and column (low half) of a token's start; later tokens are greater.
pub(super) type Position = u64;

/// The position of a span's start.
pub(super) fn position(span: Span) -> Position {
    let start = span.start();
    ((start.line as u64) << 32) | (start.column as u64 & 0xffff_ffff)
}

/// The 1-based line of a position.
pub(super) fn line(position: Position) -> u32 {
    (position >> 32) as u32
}

/// Attributes that steer the compiler's messages or tools, never its code.
const INERT: [&str; 12] =
    ["doc", "allow", "warn", "deny", "forbid", "expect", "must_use", "deprecated", "rustfmt", "clippy", "diagnostic", "rustdoc"];

/// The flat list.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    entries: Vec<(Position, u64)>,
    /// How deep a recursive parser, visitor or destructor of this text may go, at most.
    depth: usize,
}

/// What one level of brackets counts towards the depth: a parenthesis passes through every level of precedence.
const GROUP_DEPTH: usize = 8;

impl Tokens {
    /// Flattens a token stream.
    pub(super) fn new(stream: TokenStream) -> Self {
        let mut tokens = Self::default();
        tokens.stream(stream, 0, false, false);
        tokens
    }

    /// An upper bound of the recursion that the text can cause: brackets, and operators or types in an unbroken chain.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// True when nothing that can affect code is left.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Hash and number of the tokens that start in `from..to`, without those that start in one of the `holes`
    /// (half-open, in ascending order).
    pub(super) fn hash(&self, from: Position, to: Position, holes: &[(Position, Position)]) -> (u64, usize) {
        let start = self.entries.partition_point(|&(at, _)| at < from);
        let end = self.entries.partition_point(|&(at, _)| at < to);
        let mut holes = holes.iter().peekable();
        let mut count = 0;
        let part = self.entries.get(start..end).unwrap_or_default();
        let kept = part.iter().filter(|&&(at, _)| {
            while holes.next_if(|hole| hole.1 <= at).is_some() {}
            holes.peek().is_none_or(|hole| hole.0 > at)
        });
        let hash = hash::of_sequence(kept.map(|&(_, hash)| {
            count += 1;
            hash
        }));
        (hash, count)
    }

    fn push(&mut self, span: Span, hash: u64) {
        self.entries.push((position(span), hash));
    }

    /// `exact` keeps trailing commas (they mean something in `macro_rules!`), `last_comma` says this list may lose its own.
    fn stream(&mut self, stream: TokenStream, outer: usize, exact: bool, last_comma: bool) {
        let mut trees: Vec<TokenTree> = stream.into_iter().collect();
        if last_comma && trees.last().is_some_and(is_comma) {
            trees.pop();
        }
        let (mut at, mut depth) = (0, outer);
        while let Some(tree) = trees.get(at) {
            if let Some(length) = inert_attribute(trees.get(at..).unwrap_or_default()) {
                at += length;
                continue;
            }
            depth = if ends_chain(tree, trees.get(at + 1)) { outer } else { depth + 1 };
            self.depth = self.depth.max(depth);
            match tree {
                TokenTree::Group(group) => {
                    let before = trees.get(..at).unwrap_or_default();
                    self.group(group, depth + GROUP_DEPTH, exact || in_macro_rules(before), before);
                }
                TokenTree::Punct(punct) => self.punct(punct, trees.get(at + 1)),
                other => self.push(other.span(), hash::of_display(other)),
            }
            at += 1;
        }
    }

    fn group(&mut self, group: &Group, depth: usize, exact: bool, before: &[TokenTree]) {
        let (open, close) = match group.delimiter() {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::None => ("", ""),
        };
        self.push(group.span_open(), hash::of_bytes(open.as_bytes()));
        self.stream(group.stream(), depth, exact, !exact && trailing_comma_is_layout(group, before));
        self.push(group.span_close(), hash::of_bytes(close.as_bytes()));
    }

    /// Spacing is layout (`|x|&y` is `|x| &y`), except that `a && b` is not `a & &b`.
    fn punct(&mut self, punct: &Punct, next: Option<&TokenTree>) {
        let doubled = punct.as_char() == '&'
            && punct.spacing() == Spacing::Joint
            && matches!(next, Some(TokenTree::Punct(next)) if next.as_char() == '&');
        let hash = if doubled { hash::of_bytes(b"&&") } else { hash::of_display(&punct.as_char()) };
        self.push(punct.span(), hash);
    }
}

/// True after `;`, `,` and a block that no operator or `else` continues: what follows starts anew.
fn ends_chain(tree: &TokenTree, next: Option<&TokenTree>) -> bool {
    match (tree, next) {
        (TokenTree::Punct(punct), _) => matches!(punct.as_char(), ';' | ','),
        (TokenTree::Group(group), Some(TokenTree::Ident(word))) => group.delimiter() == Delimiter::Brace && word != "else",
        (TokenTree::Group(group), Some(TokenTree::Punct(punct))) => {
            group.delimiter() == Delimiter::Brace && punct.as_char() == '#'
        }
        _ => false,
    }
}

fn is_comma(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ',')
}

fn in_macro_rules(before: &[TokenTree]) -> bool {
    let named = matches!(before, [.., TokenTree::Ident(mac), TokenTree::Punct(_), TokenTree::Ident(_)] if mac == "macro_rules");
    named
        || matches!(before, [.., TokenTree::Ident(mac), TokenTree::Punct(bang)] if mac == "macro_rules" && bang.as_char() == '!')
}

/// A trailing comma is a formatter's choice, except in the one-element tuple `(x,)`.
fn trailing_comma_is_layout(group: &Group, before: &[TokenTree]) -> bool {
    if group.delimiter() != Delimiter::Parenthesis {
        return group.stream().into_iter().nth(1).is_some();
    }
    if group.stream().into_iter().filter(is_comma).count() > 1 {
        return true;
    }
    match before {
        [.., TokenTree::Ident(name)] => !is_keyword(name),
        [.., TokenTree::Punct(previous), TokenTree::Punct(last)] => last.as_char() == '>' && !"-=".contains(previous.as_char()),
        [.., TokenTree::Punct(last)] => last.as_char() == '>',
        _ => false,
    }
}

/// Keywords after which a parenthesis opens a tuple or a grouped expression, not arguments.
fn is_keyword(ident: &Ident) -> bool {
    const BEFORE_EXPRESSION: [&str; 14] =
        ["return", "break", "in", "match", "if", "while", "else", "move", "as", "let", "mut", "ref", "for", "where"];
    BEFORE_EXPRESSION.iter().any(|keyword| ident == keyword)
}

/// The number of trees that an attribute without effect on code takes at the start of `trees`.
fn inert_attribute(trees: &[TokenTree]) -> Option<usize> {
    let (length, group) = match trees {
        [TokenTree::Punct(pound), TokenTree::Group(group), ..] if pound.as_char() == '#' => (2, group),
        [TokenTree::Punct(pound), TokenTree::Punct(bang), TokenTree::Group(group), ..]
            if pound.as_char() == '#' && bang.as_char() == '!' =>
        {
            (3, group)
        }
        _ => return None,
    };
    (group.delimiter() == Delimiter::Bracket && is_inert(&group.stream().into_iter().collect::<Vec<_>>())).then_some(length)
}

fn is_inert(attribute: &[TokenTree]) -> bool {
    match attribute {
        [TokenTree::Ident(name), TokenTree::Group(group)] if name == "cfg_attr" => {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            let mut parts = inner.split(is_comma).skip(1).filter(|part| !part.is_empty()).peekable();
            parts.peek().is_some() && parts.all(is_inert)
        }
        [TokenTree::Ident(name), ..] => INERT.iter().any(|inert| name == inert),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(text: &str) -> u64 {
        Tokens::new(text.parse().unwrap()).hash(0, u64::MAX, &[]).0
    }

    #[test]
    fn layout_is_not_hashed() {
        for (a, b) in [
            ("f(a,b)", "f( a , /* why */ b )"),
            ("f(a, b)", "f(\n    a,\n    b,\n)"),
            ("f(a)", "f(\n    a,\n)"),
            ("fn f<T>(a: T)", "fn f<T>(\n a: T,\n)"),
            ("[a, b]", "[a, b,]"),
            ("|x|&y", "|x| &y"),
            ("Vec<Vec<u8>>", "Vec<Vec<u8> >"),
            ("#[doc = \"x\"] a", "a"),
            ("/// x\n a", "a"),
            ("#[allow(dead_code)] a", "a"),
            ("#[cfg_attr(docsrs, doc(cfg(unix)))] a", "a"),
        ] {
            assert_eq!(hash(a), hash(b), "{a} / {b}");
        }
    }

    #[test]
    fn meaning_is_hashed() {
        for (a, b) in [
            ("(a,)", "(a)"),
            ("return (a,)", "return (a)"),
            ("a && b", "a & &b"),
            ("\"a b\"", "\"a  b\""),
            ("r#\"a\"#", "\"a\""),
            ("b\"a\"", "\"a\""),
            ("r#type", "r#fn"),
            ("#[inline] a", "a"),
            ("#[cfg_attr(x, inline, doc(hidden))] a", "a"),
            ("(a) b", "(a b)"),
            ("macro_rules! m { ($a:expr,) => {} }", "macro_rules! m { ($a:expr) => {} }"),
        ] {
            assert_ne!(hash(a), hash(b), "{a} / {b}");
        }
    }

    #[test]
    fn depth_counts_chains_and_brackets_but_not_length() {
        let depth = |text: String| Tokens::new(text.parse().unwrap()).depth();
        assert!(depth("!".repeat(500)) >= 500);
        assert!(depth("if a {} else ".repeat(500)) >= 500);
        assert!(depth(format!("{}{}", "(".repeat(100), ")".repeat(100))) >= 100 * GROUP_DEPTH);
        assert!(depth("#[inline] fn f(a: u8) { g(a); }".repeat(500)) < 50);
        assert!(depth("a + b, c; ".repeat(500)) < 50);
    }

    #[test]
    fn holes_are_left_out() {
        let all = Tokens::new("a b c d".parse().unwrap());
        let without = all.hash(0, u64::MAX, &[((1 << 32) + 2, (1 << 32) + 6)]);
        assert_eq!(without, (hash("a d"), 2));
    }
}
