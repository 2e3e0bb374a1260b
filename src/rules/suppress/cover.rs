//! How far a comment reaches: the item or statement that it stands on.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Lines from `line` to the end of the statement or item whose first token stands on `line`; just `line` when none does.
pub(super) fn statement_from(tokens: &TokenStream, line: usize) -> (usize, usize) {
    (line, end_of(tokens.clone(), line).unwrap_or(line))
}

/// First line after `line` on which a token starts.
pub(super) fn next_code_line(tokens: &TokenStream, line: usize) -> Option<usize> {
    tokens.clone().into_iter().find_map(|tree| {
        let (start, end) = (tree.span().start().line, tree.span().end().line);
        match tree {
            _ if start > line => Some(start),
            // The closing delimiter ends the block: what follows belongs to another one.
            TokenTree::Group(group) if end > line => next_code_line(&group.stream(), line).or(Some(end)),
            _ => None,
        }
    })
}

/// True when a literal (also the text of a doc comment) covers that line and column.
pub(super) fn in_literal(tokens: &TokenStream, at: (usize, usize)) -> bool {
    tokens.clone().into_iter().any(|tree| {
        let (start, end) = (tree.span().start(), tree.span().end());
        let covers = (start.line, start.column) <= at && at < (end.line, end.column);
        covers
            && match tree {
                TokenTree::Literal(_) => true,
                TokenTree::Group(group) => in_literal(&group.stream(), at),
                TokenTree::Ident(_) | TokenTree::Punct(_) => false,
            }
    })
}

fn end_of(tokens: TokenStream, line: usize) -> Option<usize> {
    let mut trees = tokens.into_iter().peekable();
    while let Some(tree) = trees.peek() {
        let (start, end) = (tree.span().start().line, tree.span().end().line);
        match tree {
            _ if start == line => return Some(statement_end(trees)),
            TokenTree::Group(group) if start < line && line <= end => return end_of(group.stream(), line),
            _ => {}
        }
        trees.next();
    }
    None
}

/// The last line of the statement or item that these trees start with.
fn statement_end(trees: impl Iterator<Item = TokenTree>) -> usize {
    let mut trees = trees.peekable();
    let (mut last, mut arm, mut equals) = (0, false, false);
    while let Some(tree) = trees.next() {
        last = tree.span().end().line;
        let after_equals = std::mem::take(&mut equals);
        match tree {
            TokenTree::Punct(punct) => match punct.as_char() {
                ';' => break,
                ',' if arm => break,
                '>' if after_equals => arm = true,
                '=' => equals = true,
                _ => {}
            },
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && !goes_on(trees.peek()) => break,
            _ => {}
        }
    }
    last
}

/// True when a statement goes on behind a block: `} else {`, `}.method()`, `};`.
fn goes_on(next: Option<&TokenTree>) -> bool {
    match next {
        Some(TokenTree::Punct(punct)) => punct.as_char() != '#',
        Some(TokenTree::Ident(ident)) => ident == "else" || ident == "as",
        _ => false,
    }
}
