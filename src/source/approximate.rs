//! Items of a file that does not parse: every `fn` header starts one, it ends before the next.
//!
//! Scopes come from indentation, because brackets are what such a file gets wrong. Hashes compare only with other
//! approximate items.

use super::attributes::compact;
use super::collect::Found;
use super::hash;
use super::items::number;
use super::model::{Item, ItemKind};
use super::place::SourceFile;
use super::strip::{Line, lines};
use super::typename;
use super::uses::Names;

/// Longest impl header that is still parsed, bytes: the text is known to be damaged, and the parser recurses.
const MAX_HEADER: usize = 500;

/// A header line.
struct Header {
    line: usize,
    indent: usize,
    kind: HeaderKind,
}

enum HeaderKind {
    Function(String),
    /// `impl …`, `trait …`, `mod …`: name in keys, name in paths.
    Scope(String, String),
}

/// The functions of a file that does not parse, and one scope item for the rest.
pub(super) fn items(file: &SourceFile) -> Vec<Found> {
    let lines = lines(&file.text);
    let headers: Vec<Header> = lines.iter().enumerate().filter_map(|(at, line)| header(at, line)).collect();
    let mut scopes: Vec<(usize, String, String)> = Vec::new();
    let mut found = Vec::new();
    let mut rest = vec![true; lines.len()];
    for (at, header) in headers.iter().enumerate() {
        scopes.retain(|(indent, _, _)| *indent < header.indent);
        match &header.kind {
            HeaderKind::Scope(key, path) => scopes.push((header.indent, key.clone(), path.clone())),
            HeaderKind::Function(name) => {
                let next = headers.get(at + 1).map_or(lines.len(), |next| start(&lines, next.line));
                let range = (start(&lines, header.line), end(&lines, header, next));
                rest.iter_mut().take(range.1 + 1).skip(range.0).for_each(|line| *line = false);
                found.push(function(file, &lines, name, &scopes, (range.0, header.line, range.1)));
            }
        }
    }
    found.push(remainder(file, &lines, &rest));
    number(&mut found);
    found
}

/// Attributes and docs directly above belong to the header.
fn start(lines: &[Line], header: usize) -> usize {
    let above = lines.get(..header).unwrap_or_default().iter().rev();
    header - above.take_while(|line| line.is_comment || line.code.trim_start().starts_with("#[")).count()
}

/// The last line that is not blank, not a comment, and not a bracket of the surrounding block.
fn end(lines: &[Line], header: &Header, next: usize) -> usize {
    let body = lines.get(header.line + 1..next).unwrap_or_default().iter().enumerate().rev();
    let is_outer = |line: &Line| {
        let text = line.code.trim();
        text.is_empty() || (indent(&line.code) < header.indent && text.starts_with(['}', ')']))
    };
    header.line + body.skip_while(|(_, line)| is_outer(line)).map(|(at, _)| at + 1).next().unwrap_or(0)
}

fn function(
    file: &SourceFile,
    lines: &[Line],
    name: &str,
    scopes: &[(usize, String, String)],
    (first, header, last): (usize, usize, usize),
) -> Found {
    let keys: Vec<&str> = scopes.iter().map(|(_, key, _)| key.as_str()).chain([name]).collect();
    let places = std::iter::once(file.crate_name.as_str()).chain(file.module.iter().map(String::as_str));
    let path: Vec<&str> = places.chain(scopes.iter().map(|(_, _, path)| path.as_str())).chain([name]).collect();
    let body = lines.get(header..=last).unwrap_or_default();
    let above = lines.get(first..header).unwrap_or_default();
    let in_block = scopes.iter().any(|(_, key, _)| key.starts_with("impl ") || key.starts_with("trait "));
    let number = |at: usize| at as u32 + 1;
    let item = Item {
        key: format!("{}::{}", file.path, keys.join("::")),
        path: path.join("::"),
        kind: if in_block { ItemKind::Method } else { ItemKind::Function },
        file: file.path.clone(),
        lines: (number(first), number(last)),
        body_lines: (number(header), number(last)),
        made_names: Vec::new(),
        signature_hash: 0,
        body_hash: text_hash(body),
        attributes_hash: text_hash(above),
        attributes: Vec::new(),
        approximate: true,
        test_only: file.test_only || above.iter().any(|line| line.code.contains("#[test]")),
    };
    let words = body.iter().map(|line| line.code.split_whitespace().count()).sum();
    Found { item, name: name.to_owned(), body_tokens: words, parts: Vec::new() }
}

/// Everything outside functions, as one ambient part.
fn remainder(file: &SourceFile, lines: &[Line], rest: &[bool]) -> Found {
    let outside: Vec<&Line> = lines.iter().zip(rest).filter(|(_, rest)| **rest).map(|(line, _)| line).collect();
    let range = (1, lines.len().max(1) as u32);
    let path: Vec<&str> = std::iter::once(&file.crate_name).chain(&file.module).map(String::as_str).collect();
    let item = Item {
        key: format!("{}::{{scope}}", file.path),
        path: path.join("::"),
        kind: ItemKind::Scope,
        file: file.path.clone(),
        lines: range,
        body_lines: range,
        made_names: Vec::new(),
        signature_hash: 0,
        body_hash: text_hash(outside),
        attributes_hash: 0,
        attributes: Vec::new(),
        approximate: true,
        test_only: file.test_only,
    };
    Found { name: item.path.clone(), item, body_tokens: 0, parts: Vec::new() }
}

/// Hash of the code without comments and, as far as a scan can, without layout.
fn text_hash<'l>(lines: impl IntoIterator<Item = &'l Line>) -> u64 {
    let words: Vec<u64> = lines
        .into_iter()
        .flat_map(|line| line.code.split_whitespace().map(|word| hash::of_bytes(word.as_bytes())).collect::<Vec<_>>())
        .collect();
    hash::of_sequence(words.into_iter())
}

fn indent(code: &str) -> usize {
    code.chars().take_while(|c| c.is_whitespace()).count()
}

fn header(at: usize, line: &Line) -> Option<Header> {
    let mut rest = line.shape.trim_start();
    let indent = line.shape.len() - rest.len();
    while let Some(after) = qualifier(rest) {
        rest = after.trim_start();
    }
    let kind = if let Some(after) = rest.strip_prefix("fn ") {
        HeaderKind::Function(identifier(after.trim_start())?)
    } else if let Some(after) = rest.strip_prefix("mod ").filter(|after| after.contains('{')) {
        let name = identifier(after)?;
        HeaderKind::Scope(name.clone(), name)
    } else if let Some(after) = rest.strip_prefix("trait ") {
        let name = identifier(after)?;
        HeaderKind::Scope(format!("trait {name}"), name)
    } else if rest.starts_with("impl ") || rest.starts_with("impl<") {
        impl_scope(rest.split('{').next().unwrap_or(rest))
    } else {
        return None;
    };
    Some(Header { line: at, indent, kind })
}

fn impl_scope(header: &str) -> HeaderKind {
    let text = header.trim();
    if text.len() > MAX_HEADER {
        return HeaderKind::Scope(text.to_owned(), text.to_owned());
    }
    if let Ok(item) = syn::parse_str::<syn::ItemImpl>(&format!("{text} {{}}")) {
        let subject = typename::of(&item.self_ty, &Names::default(), &[]);
        HeaderKind::Scope(typename::impl_key(&item), subject)
    } else {
        let words = text.parse().map_or_else(|_| text.to_owned(), |tokens: proc_macro2::TokenStream| compact(&tokens));
        HeaderKind::Scope(words.clone(), words)
    }
}

fn qualifier(text: &str) -> Option<&str> {
    for word in ["pub ", "default ", "const ", "async ", "unsafe ", "extern \"\" ", "extern "] {
        if let Some(rest) = text.strip_prefix(word) {
            return Some(rest);
        }
    }
    let inside = text.strip_prefix("pub(")?;
    inside.split_once(')').map(|(_, rest)| rest)
}

fn identifier(text: &str) -> Option<String> {
    let text = text.strip_prefix("r#").unwrap_or(text);
    let name: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BROKEN: &str = r#"use a::b;

/// Docs of one.
#[inline]
pub fn one() {
    let x = "fn fake() {";  // fn commented()
    x.y(
}

impl<'a> Parser<'a> {
    pub(crate) const unsafe fn two(&self) -> u32 {
        2
    }

    fn three(&self) {
        3
    }
}

fn four() { 4 }
"#;

    fn scan(text: &str) -> Vec<Found> {
        items(&SourceFile::new("src/a.rs", text, &[]))
    }

    #[test]
    fn every_function_header_starts_an_item() {
        let found = scan(BROKEN);
        let shown: Vec<_> = found.iter().map(|f| (f.item.key.clone(), f.item.lines, f.item.body_lines)).collect();
        let expected = [
            ("src/a.rs::one#1", (3, 8), (5, 8)),
            ("src/a.rs::impl Parser::two#1", (11, 13), (11, 13)),
            ("src/a.rs::impl Parser::three#1", (15, 17), (15, 17)),
            ("src/a.rs::four#1", (20, 20), (20, 20)),
            ("src/a.rs::{scope}#1", (1, 20), (1, 20)),
        ]
        .map(|(key, lines, body)| (key.to_owned(), lines, body));
        assert_eq!(shown, expected);
        assert!(found.iter().all(|f| f.item.approximate));
    }

    #[test]
    fn comments_and_indentation_do_not_count() {
        let changed = BROKEN.replace("        2\n", "   /* why */  2 // because\n");
        let hashes = |text: &str| scan(text).iter().map(|f| f.item.body_hash).collect::<Vec<_>>();
        assert_eq!(hashes(BROKEN), hashes(&changed));
        assert_ne!(hashes(BROKEN), hashes(&BROKEN.replace("        2\n", "        5\n")));
    }
}
