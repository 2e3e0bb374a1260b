//! What a module brings into scope, as a list in which order, grouping and layout do not show.

use std::collections::{HashMap, HashSet};

use syn::{Item, ItemUse, UseTree};

use super::attributes::compact;

/// The leaves of one `use`: `use a::{b, c as d};` is `a::b` and `a::c as d`.
pub(super) fn leaves(item: &ItemUse) -> Vec<String> {
    let conditions = item.attrs.iter().filter(|a| a.path().is_ident("cfg")).map(compact);
    let root = if item.leading_colon.is_some() { "use ::" } else { "use " };
    let prefix = conditions.chain([root.to_owned()]).collect::<Vec<_>>().join(" ");
    let mut out = Vec::new();
    walk(&item.tree, &prefix, &mut out);
    out
}

fn walk(tree: &UseTree, prefix: &str, out: &mut Vec<String>) {
    match tree {
        UseTree::Path(path) => walk(&path.tree, &format!("{prefix}{}::", path.ident), out),
        UseTree::Name(name) => out.push(format!("{prefix}{}", name.ident)),
        UseTree::Rename(rename) => out.push(format!("{prefix}{} as {}", rename.ident, rename.rename)),
        UseTree::Glob(_) => out.push(format!("{prefix}*")),
        UseTree::Group(group) => group.items.iter().for_each(|inner| walk(inner, prefix, out)),
    }
}

/// Which type a bare name means inside one module.
#[derive(Debug, Default)]
pub(super) struct Names {
    declared: HashSet<String>,
    imported: HashMap<String, String>,
}

impl Names {
    /// Reads the declarations and imports of one module.
    pub(super) fn of(items: &[Item]) -> Self {
        let mut names = Self::default();
        for item in items {
            match item {
                Item::Struct(item) => names.declare(&item.ident),
                Item::Enum(item) => names.declare(&item.ident),
                Item::Union(item) => names.declare(&item.ident),
                Item::Trait(item) => names.declare(&item.ident),
                Item::Type(item) => names.declare(&item.ident),
                Item::Use(item) => leaves(item).iter().for_each(|leaf| names.import(leaf)),
                _ => {}
            }
        }
        names
    }

    fn declare(&mut self, name: &syn::Ident) {
        self.declared.insert(name.to_string());
    }

    fn import(&mut self, leaf: &str) {
        let Some((_, path)) = leaf.split_once("use ") else { return };
        let (path, bound) = path.split_once(" as ").unwrap_or((path, path.rsplit("::").next().unwrap_or(path)));
        let (path, bound) = if bound == "self" {
            let owner = path.strip_suffix("::self").unwrap_or(path);
            (owner, owner.rsplit("::").next().unwrap_or(owner))
        } else {
            (path, bound)
        };
        self.imported.insert(bound.to_owned(), path.trim_start_matches("::").to_owned());
    }

    /// The qualified path of a type's path as written in `module` (crate name first); generic arguments are already gone.
    pub(super) fn resolve(&self, written: &str, module: &[String]) -> String {
        let (first, rest) = written.split_once("::").map_or((written, None), |(first, rest)| (first, Some(rest)));
        let join = |base: &str| rest.map_or_else(|| base.to_owned(), |rest| format!("{base}::{rest}"));
        let parent = module.get(..module.len().saturating_sub(1)).filter(|p| !p.is_empty()).unwrap_or(module);
        match first {
            "crate" => join(module.first().map_or("crate", String::as_str)),
            "self" if rest.is_some() => join(&module.join("::")),
            "super" => rest.map_or_else(|| parent.join("::"), |rest| self.above(rest, parent)),
            _ if self.declared.contains(first) => format!("{}::{written}", module.join("::")),
            _ => match self.imported.get(first) {
                Some(path) if path != first => Self::default().resolve(&join(path), module),
                _ => written.to_owned(),
            },
        }
    }

    fn above(&self, rest: &str, parent: &[String]) -> String {
        if rest.starts_with("super::") { self.resolve(rest, parent) } else { format!("{}::{rest}", parent.join("::")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Vec<Item> {
        syn::parse_file(text).unwrap().items
    }

    #[test]
    fn grouping_does_not_show() {
        let all = |text: &str| {
            let mut out: Vec<String> =
                parse(text).iter().filter_map(|i| if let Item::Use(u) = i { Some(leaves(u)) } else { None }).flatten().collect();
            out.sort();
            out
        };
        assert_eq!(all("use a::{c as d, b::{self, *}};"), all("use a::b::*; use a::b::self; use a::c as d;"));
        assert_ne!(all("use a::b;"), all("#[cfg(unix)] use a::b;"));
    }

    #[test]
    fn bare_names_mean_what_the_module_says() {
        let names = Names::of(&parse("use super::x::Far; use crate::y::{self, Near as N}; struct Own;"));
        let module = ["krate".to_owned(), "m".to_owned()];
        for (written, expected) in [
            ("Own", "krate::m::Own"),
            ("Far", "krate::x::Far"),
            ("N", "krate::y::Near"),
            ("y::T", "krate::y::T"),
            ("super::T", "krate::T"),
            ("super::super::T", "krate::T"),
            ("self::T", "krate::m::T"),
            ("crate::a::T", "krate::a::T"),
            ("u32", "u32"),
        ] {
            assert_eq!(names.resolve(written, &module), expected, "{written}");
        }
    }
}
