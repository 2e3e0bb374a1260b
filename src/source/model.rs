//! Items and changes as values.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemKind {
    /// A free function, also one nested in another function's body.
    Function,
    /// A function in an `impl` block.
    Method,
    /// A function in a `trait`, with a default body or only declared.
    TraitMethod,
    /// `macro_rules!`; the compiler attributes the cost of its body to its own lines.
    MacroRules,
    /// A macro invoked in item position (`define_fn!(made);`): what it makes carries the macro's lines, so names join it.
    MacroCall,
    /// `const`.
    Const,
    /// `static`.
    Static,
    /// `struct`, `enum` or `union`: layout.
    Type,
    /// `type X = …`.
    TypeAlias,
    /// A trait's header and required items.
    Trait,
    /// An impl's header (its functions are items of their own).
    Impl,
    /// `use`, `extern`, `mod x;` with attributes, and inner attributes, taken together per module.
    Scope,
    /// Something that is not Rust source: a manifest, a lock file, a build script's input, a toolchain file.
    File,
    /// A file that a program may read when it runs: it changes the work, not the code.
    Data,
}

impl ItemKind {
    /// True when the item has machine code of its own, so that it can be hot.
    pub fn is_code(self) -> bool {
        matches!(self, Self::Function | Self::Method | Self::TraitMethod | Self::MacroRules | Self::MacroCall)
    }
}

/// One item of one side of the comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Identity inside its side: file, scope inside the file (inline modules, impl header, enclosing function), name and
    /// ordinal among equals (cfg twins), e.g. `src/parse.rs::impl Parser<T>::next_token#1`.
    pub key: String,
    /// Qualified path for people and for name matching: `crate_name::module::Type::method`
    /// (`<Type as Trait>::method` for trait impls).
    pub path: String,
    /// What it is.
    pub kind: ItemKind,
    /// File, relative to the repository root, `/` separated.
    pub file: Utf8PathBuf,
    /// First and last line, 1-based, attributes and doc comments included.
    pub lines: (u32, u32),
    /// First and last line from the `fn` keyword (or the item's own keyword) on, without attributes and docs.
    pub body_lines: (u32, u32),
    /// Names that its code may carry in a profile when lines do not tell: the functions that a macro call makes, the symbol that
    /// `#[no_mangle]` gives, and the crates that a changed `Cargo.lock` names.
    pub made_names: Vec<String>,
    /// Hash of the signature's (header's) tokens, without attributes, visibility and the item's own name.
    pub signature_hash: u64,
    /// Hash of the body's tokens, comments and doc attributes left out; nested items that are items of their own left out too.
    pub body_hash: u64,
    /// Hash of the attributes' tokens, doc and lint attributes left out.
    pub attributes_hash: u64,
    /// The `fn`'s attributes that steer code generation (`inline(never)`, `cold`, `target_feature(…)`), for messages.
    pub attributes: Vec<String>,
    /// True when the file did not parse and the lines come from the nearest `fn` header.
    pub approximate: bool,
    /// True under `#[cfg(test)]` or `#[test]`, in test targets and in examples.
    pub test_only: bool,
}

/// What happened to an item between base and head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// The body's tokens differ.
    Modified,
    /// Only at head.
    Added,
    /// Only at base; its heat is in the base profile.
    Deleted,
    /// The same tokens elsewhere: not a change of behaviour.
    Moved,
    /// Only the signature differs.
    Signature,
    /// Only attributes differ (`#[inline]`, `#[cold]`, …).
    Attributes,
    /// May affect any item: consts, layouts, `use`, manifests, lock file, build script, toolchain.
    Ambient,
}

/// One changed item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// The item at base, unless it was added.
    pub base: Option<Item>,
    /// The item at head, unless it was deleted.
    pub head: Option<Item>,
    /// What changed, where the kind does not say it: "Cargo.lock: serde 1.0.1 → 1.0.2", "const TABLE", "+ #[inline(never)]".
    pub note: Option<String>,
}

/// How far a change can have an effect: what a regression must run through to be explained by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// The item itself: its frames, on the side that has it.
    Item,
    /// Code of this file (its imports changed).
    File(Utf8PathBuf),
    /// Code of these crates (their locked versions changed), `_` for `-`.
    Crates(Vec<String>),
    /// Anything (a layout, a constant, the build's settings).
    Everything,
}

impl Change {
    /// How far it reaches. Only ambient changes reach beyond their own item.
    pub fn reach(&self) -> Reach {
        let Some(item) = self.item().filter(|_| self.kind == ChangeKind::Ambient) else { return Reach::Item };
        match item.kind {
            ItemKind::Data => Reach::Item,
            ItemKind::Scope => Reach::File(item.file.clone()),
            ItemKind::File if !item.made_names.is_empty() => Reach::Crates(item.made_names.clone()),
            _ => Reach::Everything,
        }
    }

    /// First and last line at base and at head: from the item's keyword on, with attributes only where those are what changed.
    pub fn lines(&self) -> [Option<(u32, u32)>; 2] {
        let lines = |item: &Item| if self.kind == ChangeKind::Attributes { item.lines } else { item.body_lines };
        [self.base.as_ref().map(lines), self.head.as_ref().map(lines)]
    }

    /// The item as it stands now, or as it stood.
    pub fn item(&self) -> Option<&Item> {
        self.head.as_ref().or(self.base.as_ref())
    }
}
