//! What a function's attributes say: test code, code generation, exported symbol.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{AttrStyle, Attribute, Meta};

use super::tokens::{Position, position};

/// Attributes that steer code generation, inside `unsafe(…)` or not.
const CODEGEN: [&str; 12] = [
    "inline",
    "cold",
    "target_feature",
    "optimize",
    "no_mangle",
    "export_name",
    "link_section",
    "naked",
    "instruction_set",
    "track_caller",
    "rustc_inline",
    "global_allocator",
];

/// Where the first outer attribute (or doc comment) starts.
pub(super) fn start(attributes: &[Attribute]) -> Option<Position> {
    attributes.iter().find(|a| a.style == AttrStyle::Outer).map(|a| position(a.pound_token.span))
}

/// True for `#[test]`, `#[tokio::test]`, `#[cfg(test)]`: code that no workload runs.
pub(super) fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::Path(path) => path.segments.last().is_some_and(|s| s.ident == "test"),
        Meta::List(list) if list.path.is_ident("cfg") => cfg_is_test(list.tokens.clone()),
        Meta::List(list) => list.path.segments.last().is_some_and(|s| s.ident == "test"),
        Meta::NameValue(_) => false,
    })
}

/// True when a `cfg` predicate can only hold in a test build.
fn cfg_is_test(predicate: TokenStream) -> bool {
    let trees: Vec<TokenTree> = predicate.into_iter().collect();
    match trees.as_slice() {
        [TokenTree::Ident(name)] => name == "test",
        [TokenTree::Ident(name), TokenTree::Group(group)] if name == "all" => parts(group.stream()).into_iter().any(cfg_is_test),
        [TokenTree::Ident(name), TokenTree::Group(group)] if name == "any" => {
            let parts = parts(group.stream());
            !parts.is_empty() && parts.into_iter().all(cfg_is_test)
        }
        _ => false,
    }
}

fn parts(list: TokenStream) -> Vec<TokenStream> {
    let trees: Vec<TokenTree> = list.into_iter().collect();
    trees
        .split(|tree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ','))
        .filter(|part| !part.is_empty())
        .map(|part| part.iter().cloned().collect())
        .collect()
}

/// The attributes that steer code generation, written without spaces: `inline(never)`.
pub(super) fn codegen(attributes: &[Attribute]) -> Vec<String> {
    let relevant = attributes.iter().map(|a| compact(&a.meta)).filter(|text| {
        let inner = text.strip_prefix("unsafe(").unwrap_or(text);
        let name = inner.split(['(', '=', ')']).next().unwrap_or_default();
        CODEGEN.contains(&name)
    });
    relevant.collect()
}

/// The symbol that `#[no_mangle]` or `#[export_name]` gives a function.
pub(super) fn exported_symbol(attributes: &[Attribute], name: &str) -> Option<String> {
    codegen(attributes).iter().find_map(|text| {
        let inner = text.strip_prefix("unsafe(").and_then(|t| t.strip_suffix(')')).unwrap_or(text);
        match inner.split_once('=') {
            Some(("export_name", value)) => Some(value.trim_matches('"').to_owned()),
            _ => (inner == "no_mangle").then(|| name.to_owned()),
        }
    })
}

/// `#[path = "…"]` of a `mod`.
pub(super) fn path(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    })
}

/// Tokens as text without spaces, except between words.
pub(super) fn compact(tokens: &impl ToTokens) -> String {
    let text = tokens.to_token_stream().to_string();
    let mut out = String::with_capacity(text.len());
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let between_words = out.chars().next_back().is_some_and(is_word) && chars.peek().is_some_and(|&next| is_word(next));
        if c != ' ' || between_words {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<Attribute> {
        syn::parse_str::<syn::ItemFn>(&format!("{text} fn f() {{}}")).unwrap().attrs
    }

    #[test]
    fn test_code_is_recognised() {
        for yes in ["#[test]", "#[tokio::test(flavor = \"x\")]", "#[cfg(test)]", "#[cfg(all(unix, test))]", "#[cfg(any(test))]"] {
            assert!(is_test(&of(yes)), "{yes}");
        }
        for no in ["#[cfg(not(test))]", "#[cfg(any(test, feature = \"x\"))]", "#[cfg(feature = \"test\")]", "#[inline]"] {
            assert!(!is_test(&of(no)), "{no}");
        }
    }

    #[test]
    fn codegen_attributes_are_named_without_spaces() {
        let attributes = of("#[inline(never)] #[doc(hidden)] #[target_feature(enable = \"avx2\")] #[cold]");
        assert_eq!(codegen(&attributes), ["inline(never)", "target_feature(enable=\"avx2\")", "cold"]);
    }

    #[test]
    fn exported_symbols_are_known() {
        assert_eq!(exported_symbol(&of("#[unsafe(no_mangle)]"), "f").as_deref(), Some("f"));
        assert_eq!(exported_symbol(&of("#[export_name = \"g\"]"), "f").as_deref(), Some("g"));
        assert_eq!(exported_symbol(&of("#[inline]"), "f"), None);
    }
}
