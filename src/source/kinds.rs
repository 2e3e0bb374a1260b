//! One small function per syntactic kind: its extent, its names, its inner items.

use proc_macro2::Span;
use syn::visit::Visit;
use syn::{
    Attribute, Block, FnModifiers, ImplItem, Item as Syntax, ItemConst, ItemEnum, ItemFn, ItemImpl, ItemMacro, ItemStatic,
    ItemStruct, ItemTrait, ItemType, ItemUnion, Macro, Signature, Token, TraitItem, Visibility,
};

use super::collect::{Collector, Naming};
use super::extent::{self, Extent, Start};
use super::model::ItemKind;
use super::{attributes, made, typename};

/// A function of any kind, as the walk sees it.
struct Function<'s> {
    kind: ItemKind,
    attributes: &'s [Attribute],
    visibility: Option<&'s Visibility>,
    modifiers: &'s FnModifiers,
    signature: &'s Signature,
    block: Option<&'s Block>,
    /// Last token of a function without a body.
    semicolon: Option<Span>,
    /// Qualified path of the owner of a trait impl's method: `<Type as Trait>`.
    owner: Option<&'s str>,
}

impl Collector<'_> {
    /// Makes the items of one syntactic item.
    pub(super) fn kind(&mut self, item: &Syntax) {
        match item {
            Syntax::Fn(item) => self.free_function(item),
            Syntax::Impl(item) => self.implementation(item),
            Syntax::Trait(item) => self.trait_definition(item),
            Syntax::Macro(item) => self.macro_item(item),
            Syntax::Const(item) => self.constant(item),
            Syntax::Static(item) => self.static_item(item),
            Syntax::Struct(item) => self.structure(item),
            Syntax::Enum(item) => self.enumeration(item),
            Syntax::Union(item) => self.union(item),
            Syntax::Type(item) => self.alias(item),
            _ => {}
        }
    }

    fn free_function(&mut self, item: &ItemFn) {
        self.function(&Function {
            kind: ItemKind::Function,
            attributes: &item.attrs,
            visibility: Some(&item.vis),
            modifiers: &item.modifiers,
            signature: &item.sig,
            block: Some(&item.block),
            semicolon: None,
            owner: None,
        });
    }

    fn function(&mut self, function: &Function<'_>) {
        let name = function.signature.ident.to_string();
        let path = function.owner.map(|owner| format!("{owner}::{name}"));
        let mut inner = self.scope.enter(&name, &name, attributes::is_test(function.attributes));
        if let Some(path) = &path {
            inner.path.clone_from(path);
        }
        let holes = self.body(inner, |walker| {
            if let Some(block) = function.block {
                walker.visit_block(block);
            }
        });
        let start = extent::function(function.attributes, function.visibility, function.modifiers, function.signature);
        let end = function.semicolon.unwrap_or(function.signature.fn_token.span);
        let (open, close) = function.block.map_or((end, end), |b| (b.brace_token.span.open(), b.brace_token.span.close()));
        let naming = Naming {
            kind: function.kind,
            key: &name,
            name: &name,
            path,
            attributes: function.attributes,
            made_names: attributes::exported_symbol(function.attributes, &name).into_iter().collect(),
        };
        self.emit(naming, &start.until(open, close), &holes);
    }

    fn implementation(&mut self, item: &ItemImpl) {
        let subject = typename::of(&item.self_ty, &self.names, &self.scope.module);
        let owner = item.trait_.as_ref().map(|(of, _)| format!("<{subject} as {}>", typename::path(of)));
        let key = typename::impl_key(item);
        if !self.is_nested() {
            self.impl_header(item, &key, owner.as_deref().unwrap_or(&subject));
        }
        let mut inner = self.scope.enter(&key, "", attributes::is_test(&item.attrs));
        inner.path = owner.clone().unwrap_or(subject);
        self.within(inner, |walker| item.items.iter().for_each(|part| walker.impl_part(part, owner.as_deref())));
    }

    /// Header without the items, which are items of their own.
    fn impl_header(&mut self, item: &ItemImpl, key: &str, path: &str) {
        let start = Start {
            attributes: &item.attrs,
            visibility: None,
            qualifiers: vec![item.modifiers.defaultness.map(|t| t.span), item.unsafety.map(|t| t.span)],
            keyword: item.impl_token.span,
            name: None,
        };
        let extent = start.until(item.brace_token.span.open(), item.brace_token.span.close());
        let everything = [(extent.body, extent.end + 1)];
        self.emit(naming(ItemKind::Impl, key, key, &item.attrs).at(path), &extent, &everything);
    }

    fn impl_part(&mut self, part: &ImplItem, owner: Option<&str>) {
        match part {
            ImplItem::Fn(item) => self.function(&Function {
                kind: ItemKind::Method,
                attributes: &item.attrs,
                visibility: Some(&item.vis),
                modifiers: &item.modifiers,
                signature: &item.sig,
                block: Some(&item.block),
                semicolon: None,
                owner,
            }),
            // Inside a function the whole block except its functions belongs to that function.
            _ if self.is_nested() => {}
            ImplItem::Const(item) => {
                let start = Start {
                    attributes: &item.attrs,
                    visibility: Some(&item.vis),
                    qualifiers: vec![item.modifiers.defaultness.map(|t| t.span)],
                    keyword: item.const_token.span,
                    name: Some(item.ident.span()),
                };
                let name = item.ident.to_string();
                let extent = start.until(item.eq_token.span, item.semi_token.span);
                self.initialised(ItemKind::Const, "const", &name, &item.attrs, &extent, |w| w.visit_expr(&item.expr));
            }
            ImplItem::Type(item) => {
                let start = Start {
                    attributes: &item.attrs,
                    visibility: Some(&item.vis),
                    qualifiers: vec![item.modifiers.defaultness.map(|t| t.span)],
                    keyword: item.type_token.span,
                    name: Some(item.ident.span()),
                };
                let name = item.ident.to_string();
                let key = format!("type {name}");
                let extent = start.until(item.eq_token.span, item.semi_token.span);
                self.emit(naming(ItemKind::TypeAlias, &key, &name, &item.attrs), &extent, &[]);
            }
            ImplItem::Macro(item) => self.macro_call(&item.attrs, &item.mac, item.semi_token),
            _ => {}
        }
    }

    fn trait_definition(&mut self, item: &ItemTrait) {
        let name = item.ident.to_string();
        let key = format!("trait {name}");
        let inner = self.scope.enter(&key, &name, attributes::is_test(&item.attrs));
        let holes = self.body(inner, |walker| {
            for part in &item.items {
                match part {
                    TraitItem::Fn(method) => walker.function(&Function {
                        kind: ItemKind::TraitMethod,
                        attributes: &method.attrs,
                        visibility: None,
                        modifiers: &method.modifiers,
                        signature: &method.sig,
                        block: method.default.as_ref(),
                        semicolon: method.semi_token.map(|t| t.span),
                        owner: None,
                    }),
                    TraitItem::Macro(call) => walker.macro_call(&call.attrs, &call.mac, call.semi_token),
                    _ => {}
                }
            }
        });
        let start = Start {
            attributes: &item.attrs,
            visibility: Some(&item.vis),
            qualifiers: vec![item.unsafety.map(|t| t.span), item.modifiers.auto_token.map(|t| t.span)],
            keyword: item.trait_token.span,
            name: Some(item.ident.span()),
        };
        let extent = start.until(item.brace_token.span.open(), item.brace_token.span.close());
        if self.is_nested() {
            // The header stays in the surrounding body; only the functions leave it.
            for hole in holes {
                self.hole(hole);
            }
        } else {
            self.emit(naming(ItemKind::Trait, &key, &name, &item.attrs), &extent, &holes);
        }
    }

    fn macro_item(&mut self, item: &ItemMacro) {
        let Some(ident) = &item.ident else { return self.macro_call(&item.attrs, &item.mac, item.semi_token) };
        let name = format!("{ident}!");
        let key = format!("macro_rules {ident}");
        let extent = macro_extent(&item.attrs, &item.mac, item.semi_token, Some(ident.span()));
        self.emit(naming(ItemKind::MacroRules, &key, &name, &item.attrs), &extent, &[]);
    }

    fn macro_call(&mut self, attributes: &[Attribute], mac: &Macro, semicolon: Option<Token![;]>) {
        let name = format!("{}!", typename::path(&mac.path));
        let extent = macro_extent(attributes, mac, semicolon, None);
        let mut naming = naming(ItemKind::MacroCall, &name, &name, attributes);
        naming.made_names = made::names(mac.tokens.clone());
        self.emit(naming, &extent, &[]);
    }

    fn constant(&mut self, item: &ItemConst) {
        let start = Start {
            attributes: &item.attrs,
            visibility: Some(&item.vis),
            qualifiers: vec![item.modifiers.defaultness.map(|t| t.span)],
            keyword: item.const_token.span,
            name: Some(item.ident.span()),
        };
        let extent = start.until(item.eq_token.span, item.semi_token.span);
        self.initialised(ItemKind::Const, "const", &item.ident.to_string(), &item.attrs, &extent, |w| w.visit_expr(&item.expr));
    }

    fn static_item(&mut self, item: &ItemStatic) {
        let start = Start {
            attributes: &item.attrs,
            visibility: Some(&item.vis),
            qualifiers: Vec::new(),
            keyword: item.static_token.span,
            name: Some(item.ident.span()),
        };
        let extent = start.until(item.eq_token.span, item.semi_token.span);
        self.initialised(ItemKind::Static, "static", &item.ident.to_string(), &item.attrs, &extent, |w| w.visit_expr(&item.expr));
    }

    /// A constant or static; functions in its initialiser are items of their own.
    fn initialised(
        &mut self,
        kind: ItemKind,
        word: &str,
        name: &str,
        attributes: &[Attribute],
        extent: &Extent,
        walk: impl FnOnce(&mut Self),
    ) {
        let inner = self.scope.enter(name, name, attributes::is_test(attributes));
        let holes = self.body(inner, walk);
        self.emit(naming(kind, &format!("{word} {name}"), name, attributes), extent, &holes);
    }

    fn structure(&mut self, item: &ItemStruct) {
        let end = item.semi_token.map(|t| t.span);
        let (open, close) = extent::fields(&item.fields).unwrap_or((item.ident.span(), item.ident.span()));
        let (open, close) = match (end, extent::fields(&item.fields)) {
            (Some(end), None) => (end, end),
            (Some(end), Some(_)) => (open, end),
            (None, _) => (open, close),
        };
        self.layout("type", &item.attrs, &item.vis, item.struct_token.span, &item.ident, open, close);
    }

    fn enumeration(&mut self, item: &ItemEnum) {
        let span = &item.brace_token.span;
        self.layout("type", &item.attrs, &item.vis, item.enum_token.span, &item.ident, span.open(), span.close());
    }

    fn union(&mut self, item: &ItemUnion) {
        let span = &item.fields.brace_token.span;
        self.layout("type", &item.attrs, &item.vis, item.union_token.span, &item.ident, span.open(), span.close());
    }

    fn alias(&mut self, item: &ItemType) {
        let start = Start {
            attributes: &item.attrs,
            visibility: Some(&item.vis),
            qualifiers: vec![item.modifiers.defaultness.map(|t| t.span)],
            keyword: item.type_token.span,
            name: Some(item.ident.span()),
        };
        let name = item.ident.to_string();
        let extent = start.until(item.eq_token.span, item.semi_token.span);
        self.emit(naming(ItemKind::TypeAlias, &format!("type {name}"), &name, &item.attrs), &extent, &[]);
    }

    #[expect(clippy::too_many_arguments, reason = "the parts that struct, enum and union share under different field names")]
    fn layout(
        &mut self,
        word: &str,
        attributes: &[Attribute],
        visibility: &Visibility,
        keyword: Span,
        ident: &syn::Ident,
        open: Span,
        close: Span,
    ) {
        let start = Start { attributes, visibility: Some(visibility), qualifiers: Vec::new(), keyword, name: Some(ident.span()) };
        let name = ident.to_string();
        self.emit(naming(ItemKind::Type, &format!("{word} {name}"), &name, attributes), &start.until(open, close), &[]);
    }
}

fn naming<'a>(kind: ItemKind, key: &'a str, name: &'a str, attributes: &'a [Attribute]) -> Naming<'a> {
    Naming { kind, key, name, path: None, attributes, made_names: Vec::new() }
}

impl Naming<'_> {
    /// Gives the whole path.
    fn at(mut self, path: &str) -> Self {
        self.path = Some(path.to_owned());
        self
    }
}

fn macro_extent(attributes: &[Attribute], mac: &Macro, semicolon: Option<Token![;]>, name: Option<Span>) -> Extent {
    let (open, close) = extent::delimiters(&mac.delimiter);
    let keyword = mac.path.segments.first().map_or(mac.bang_token.span, |segment| segment.ident.span());
    let qualifiers = vec![mac.path.leading_colon.and_then(|colon| colon.spans.first().copied())];
    let start = Start { attributes, visibility: None, qualifiers, keyword, name };
    start.until(open, semicolon.map_or(close, |token| token.span))
}
