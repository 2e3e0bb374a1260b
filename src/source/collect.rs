//! Walks a parsed file and makes its items.
//!
//! Syntax of the single kinds is in `kinds`; this file keeps the scope: module, impl, enclosing function, test or not.

use std::mem;

use syn::visit::{self, Visit};
use syn::{Attribute, Item as Syntax, ItemMod};

use super::extent::Extent;
use super::model::{Item, ItemKind};
use super::place::SourceFile;
use super::tokens::{Position, Tokens};
use super::uses::{self, Names};
use super::{attributes, hash};

/// An item and what only the comparison needs.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) item: Item,
    /// The item's own name, the last part of its path.
    pub(super) name: String,
    /// Tokens in the body: few mean that an equal hash says little.
    pub(super) body_tokens: usize,
    /// What a scope consists of, for messages (`use a::b`).
    pub(super) parts: Vec<String>,
}

/// A `mod x;`: its file belongs to another place than its path says, or only to tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declared {
    /// Directory of the declaring module.
    pub(super) dir: camino::Utf8PathBuf,
    pub(super) name: String,
    /// `#[path]`, relative to `path_base`.
    pub(super) path: Option<String>,
    pub(super) path_base: camino::Utf8PathBuf,
    /// Module path of the declared module.
    pub(super) module: Vec<String>,
    pub(super) test_only: bool,
}

/// Where the walk stands.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    /// Prefix of keys inside the file: `inner::impl Parser`.
    pub(super) key: String,
    /// Prefix of qualified paths: `krate::inner::Parser`.
    pub(super) path: String,
    /// Crate name and modules.
    pub(super) module: Vec<String>,
    pub(super) test_only: bool,
}

impl Scope {
    /// One step inside.
    pub(super) fn enter(&self, key: &str, path: &str, test_only: bool) -> Self {
        let mut inner = self.clone();
        inner.key = join(&self.key, key);
        inner.path = join(&self.path, path);
        inner.test_only |= test_only;
        inner
    }
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}::{name}") }
}

/// What is emitted for one item beside its extent.
pub(super) struct Naming<'a> {
    pub(super) kind: ItemKind,
    /// Name in the key: with a prefix where it is no function (`const X`).
    pub(super) key: &'a str,
    /// Last part of the path.
    pub(super) name: &'a str,
    /// Whole path, where it is not the scope's path and the name.
    pub(super) path: Option<String>,
    pub(super) attributes: &'a [Attribute],
    pub(super) made_names: Vec<String>,
}

/// The walker.
pub(super) struct Collector<'a> {
    pub(super) file: &'a SourceFile,
    pub(super) tokens: &'a Tokens,
    pub(super) scope: Scope,
    pub(super) names: Names,
    /// For every body being walked, the parts that are items of their own.
    holes: Vec<Vec<(Position, Position)>>,
    pub(super) found: Vec<Found>,
    pub(super) declared: Vec<Declared>,
    inline_modules: Vec<String>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(file: &'a SourceFile, tokens: &'a Tokens) -> Self {
        let module: Vec<String> = std::iter::once(&file.crate_name).chain(&file.module).cloned().collect();
        let scope = Scope { key: String::new(), path: module.join("::"), module, test_only: file.test_only };
        Self {
            file,
            tokens,
            scope,
            names: Names::default(),
            holes: Vec::new(),
            found: Vec::new(),
            declared: Vec::new(),
            inline_modules: Vec::new(),
        }
    }

    /// All items of the file, in order of their lines.
    pub(super) fn file(mut self, syntax: &syn::File) -> (Vec<Found>, Vec<Declared>) {
        self.scope.test_only |= attributes::is_test(&syntax.attrs);
        let last_line = self.file.text.lines().count().max(1) as u32;
        self.module(&syntax.attrs, &syntax.items, (1, last_line));
        let mut found = self.found;
        found.sort_by_key(|f| f.item.lines.0);
        super::items::number(&mut found);
        (found, self.declared)
    }

    fn module(&mut self, inner: &[Attribute], items: &[Syntax], lines: (u32, u32)) {
        let outer_names = mem::replace(&mut self.names, Names::of(items));
        let mut parts: Vec<String> = inner
            .iter()
            .filter(|a| matches!(a.style, syn::AttrStyle::Inner(_)) && !is_inert(a))
            .map(attributes::compact)
            .collect();
        for item in items {
            self.item(item, &mut parts);
        }
        parts.sort();
        self.found.push(self.module_scope(parts, lines));
        self.names = outer_names;
    }

    fn module_scope(&self, parts: Vec<String>, lines: (u32, u32)) -> Found {
        let item = Item {
            key: self.key("{scope}"),
            path: self.scope.path.clone(),
            kind: ItemKind::Scope,
            file: self.file.path.clone(),
            lines,
            body_lines: lines,
            made_names: Vec::new(),
            signature_hash: 0,
            body_hash: hash::of_sequence(parts.iter().map(|part| hash::of_bytes(part.as_bytes()))),
            attributes_hash: 0,
            attributes: Vec::new(),
            approximate: false,
            test_only: self.scope.test_only,
        };
        Found { item, name: self.scope.path.clone(), body_tokens: 0, parts }
    }

    /// An item of a module: an item of ours, or a part of the module's scope.
    fn item(&mut self, item: &Syntax, parts: &mut Vec<String>) {
        match item {
            Syntax::Use(item) => parts.extend(uses::leaves(item)),
            Syntax::Mod(item) => self.submodule(item, parts),
            Syntax::ExternCrate(item) => parts.push(attributes::compact(item)),
            Syntax::ForeignMod(item) => parts.push(attributes::compact(item)),
            Syntax::TraitAlias(item) => parts.push(attributes::compact(item)),
            Syntax::Verbatim(tokens) => parts.push(attributes::compact(tokens)),
            other => self.kind(other),
        }
    }

    fn submodule(&mut self, item: &ItemMod, parts: &mut Vec<String>) {
        let name = item.ident.to_string();
        let name = name.trim_start_matches("r#");
        let test_only = attributes::is_test(&item.attrs);
        let steering = item.attrs.iter().filter(|a| !is_inert(a));
        parts.extend(steering.map(|a| format!("{} mod {name}", attributes::compact(a))));
        let mut inner = self.scope.enter(name, name, test_only);
        inner.module.push(name.to_owned());
        let outer = mem::replace(&mut self.scope, inner);
        if let Some((brace, items)) = &item.content {
            self.inline_modules.push(name.to_owned());
            let line = |span: proc_macro2::Span| span.start().line as u32;
            self.module(&item.attrs, items, (line(item.mod_token.span), line(brace.span.close())));
            self.inline_modules.pop();
        } else {
            self.declare(name, item);
        }
        self.scope = outer;
    }

    /// Remembers `mod x;`; the scope is already the declared module's.
    fn declare(&mut self, name: &str, item: &ItemMod) {
        let below = |dir: camino::Utf8PathBuf| self.inline_modules.iter().fold(dir, |dir, inner| dir.join(inner));
        let dir = below(self.file.module_dir());
        let own_dir = self.file.path.parent().map(ToOwned::to_owned).unwrap_or_default();
        let path_base = if self.inline_modules.is_empty() { own_dir } else { dir.clone() };
        self.declared.push(Declared {
            dir,
            name: name.to_owned(),
            path: attributes::path(&item.attrs),
            path_base,
            module: self.scope.module.get(1..).unwrap_or_default().to_vec(),
            test_only: self.scope.test_only,
        });
    }

    /// Walks a body in an inner scope and returns the parts of it that became items of their own.
    pub(super) fn body(&mut self, inner: Scope, walk: impl FnOnce(&mut Self)) -> Vec<(Position, Position)> {
        let outer = mem::replace(&mut self.scope, inner);
        self.holes.push(Vec::new());
        walk(self);
        self.scope = outer;
        let mut holes = self.holes.pop().unwrap_or_default();
        holes.sort_unstable();
        holes
    }

    /// Walks something whose parts stay items of the surrounding body (impl blocks).
    pub(super) fn within(&mut self, inner: Scope, walk: impl FnOnce(&mut Self)) {
        let outer = mem::replace(&mut self.scope, inner);
        walk(self);
        self.scope = outer;
    }

    /// True inside a function's or constant's body.
    pub(super) fn is_nested(&self) -> bool {
        !self.holes.is_empty()
    }

    /// Makes the item; the surrounding body no longer contains it.
    pub(super) fn emit(&mut self, naming: Naming<'_>, extent: &Extent, holes: &[(Position, Position)]) {
        self.hole((extent.start, extent.end + 1));
        let name_hole = extent.name.map(|at| (at, at + 1));
        let (signature_hash, _) = self.tokens.hash(extent.header, extent.body, name_hole.as_slice());
        let (body_hash, body_tokens) = self.tokens.hash(extent.body, extent.end + 1, holes);
        let (attributes_hash, _) = self.tokens.hash(extent.start, extent.after_attributes, &[]);
        let item = Item {
            key: self.key(naming.key),
            path: naming.path.unwrap_or_else(|| join(&self.scope.path, naming.name)),
            kind: naming.kind,
            file: self.file.path.clone(),
            lines: extent.lines(),
            body_lines: extent.body_lines(),
            made_names: naming.made_names,
            signature_hash,
            body_hash,
            attributes_hash,
            attributes: attributes::codegen(naming.attributes),
            approximate: false,
            test_only: self.scope.test_only || attributes::is_test(naming.attributes),
        };
        self.found.push(Found { item, name: naming.name.to_owned(), body_tokens, parts: Vec::new() });
    }

    /// Key without ordinal.
    fn key(&self, name: &str) -> String {
        format!("{}::{}", self.file.path, join(&self.scope.key, name))
    }

    /// Takes a part out of the surrounding body.
    pub(super) fn hole(&mut self, part: (Position, Position)) {
        if let Some(outer) = self.holes.last_mut() {
            outer.push(part);
        }
    }
}

fn is_inert(attribute: &Attribute) -> bool {
    Tokens::new(quote::ToTokens::to_token_stream(attribute)).is_empty()
}

impl<'ast> Visit<'ast> for Collector<'_> {
    /// Reached only inside bodies: what is code becomes an item, everything else stays part of the body.
    fn visit_item(&mut self, item: &'ast Syntax) {
        match item {
            Syntax::Fn(_) | Syntax::Impl(_) | Syntax::Trait(_) => self.kind(item),
            Syntax::Macro(mac) if mac.ident.is_some() => self.kind(item),
            Syntax::Mod(module) => {
                let name = module.ident.to_string();
                let mut inner = self.scope.enter(&name, &name, attributes::is_test(&module.attrs));
                inner.module.push(name);
                self.within(inner, |walker| visit::visit_item(walker, item));
            }
            other => visit::visit_item(self, other),
        }
    }

    // Neither can hold a function worth telling apart, and they are half of every file.
    fn visit_type(&mut self, _: &'ast syn::Type) {}
    fn visit_pat(&mut self, _: &'ast syn::Pat) {}
    fn visit_path(&mut self, _: &'ast syn::Path) {}
    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}
