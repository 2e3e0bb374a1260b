//! Where each syntactic kind of item begins, names itself, opens its body and ends.

use proc_macro2::Span;
use syn::{Attribute, Fields, FnModifiers, MacroDelimiter, Signature, Visibility};

use super::attributes;
use super::tokens::{Position, line, position};

/// The positions of one item's parts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    /// First token, attributes and docs included.
    pub(super) start: Position,
    /// First token after the attributes: the visibility, or the header.
    pub(super) after_attributes: Position,
    /// First token of the header, visibility left out.
    pub(super) header: Position,
    /// The item's own keyword (`fn`).
    pub(super) keyword: Position,
    /// The item's own name in its header.
    pub(super) name: Option<Position>,
    /// First token of the body; equals `end` where there is none.
    pub(super) body: Position,
    /// Last token.
    pub(super) end: Position,
}

impl Extent {
    /// First and last line, attributes included.
    pub(super) fn lines(&self) -> (u32, u32) {
        (line(self.start), line(self.end))
    }

    /// First and last line from the keyword on.
    pub(super) fn body_lines(&self) -> (u32, u32) {
        (line(self.keyword), line(self.end))
    }
}

/// What all kinds share: how an item starts.
pub(super) struct Start<'a> {
    pub(super) attributes: &'a [Attribute],
    pub(super) visibility: Option<&'a Visibility>,
    /// Qualifiers before the keyword (`const unsafe extern "C"`).
    pub(super) qualifiers: Vec<Option<Span>>,
    pub(super) keyword: Span,
    pub(super) name: Option<Span>,
}

impl Start<'_> {
    /// The extent, given where the body begins and where the item ends.
    pub(super) fn until(&self, body: Span, end: Span) -> Extent {
        let keyword = position(self.keyword);
        let header = self.qualifiers.iter().flatten().map(|&span| position(span)).fold(keyword, Position::min);
        let after_attributes = self.visibility.and_then(visibility_span).map_or(header, position);
        Extent {
            start: attributes::start(self.attributes).map_or(after_attributes, |at| at.min(after_attributes)),
            after_attributes,
            header,
            keyword,
            name: self.name.map(position),
            body: position(body),
            end: position(end),
        }
    }
}

fn visibility_span(visibility: &Visibility) -> Option<Span> {
    match visibility {
        Visibility::Public(token) => Some(token.span),
        Visibility::Restricted(restricted) => Some(restricted.pub_token.span),
        Visibility::Inherited => None,
    }
}

/// How a function of any kind starts.
pub(super) fn function<'a>(
    attributes: &'a [Attribute],
    visibility: Option<&'a Visibility>,
    modifiers: &FnModifiers,
    signature: &Signature,
) -> Start<'a> {
    let safety = match signature.safety {
        syn::Safety::Safe(token) => Some(token.span),
        syn::Safety::Unsafe(token) => Some(token.span),
        syn::Safety::Default => None,
    };
    let qualifiers = vec![
        modifiers.defaultness.map(|t| t.span),
        signature.constness.map(|t| t.span),
        signature.asyncness.map(|t| t.span),
        safety,
        signature.abi.as_ref().map(|abi| abi.extern_token.span),
    ];
    Start { attributes, visibility, qualifiers, keyword: signature.fn_token.span, name: Some(signature.ident.span()) }
}

/// Opening and closing delimiter of a macro's arguments.
pub(super) fn delimiters(delimiter: &MacroDelimiter) -> (Span, Span) {
    let span = match delimiter {
        MacroDelimiter::Paren(token) => &token.span,
        MacroDelimiter::Brace(token) => &token.span,
        MacroDelimiter::Bracket(token) => &token.span,
    };
    (span.open(), span.close())
}

/// Opening and closing delimiter of a struct's fields.
pub(super) fn fields(fields: &Fields) -> Option<(Span, Span)> {
    match fields {
        Fields::Named(named) => Some((named.brace_token.span.open(), named.brace_token.span.close())),
        Fields::Unnamed(unnamed) => Some((unnamed.paren_token.span.open(), unnamed.paren_token.span.close())),
        Fields::Unit => None,
    }
}
