//! How types and impl headers are called in paths and keys.

use quote::ToTokens;
use syn::{GenericArgument, ItemImpl, Path, PathArguments, Type};

use super::attributes::compact;
use super::uses::Names;

/// A path without generic arguments: `std::vec::Vec`.
pub(super) fn path(path: &Path) -> String {
    path.segments.iter().map(|s| s.ident.to_string()).collect::<Vec<_>>().join("::")
}

/// A type as profiles name it: paths resolved, generic arguments and lifetimes gone.
pub(super) fn of(ty: &Type, names: &Names, module: &[String]) -> String {
    match ty {
        Type::Path(typed) if typed.qself.is_none() => names.resolve(&path(&typed.path), module),
        Type::Reference(reference) => format!("&{}", of(&reference.elem, names, module)),
        Type::Slice(slice) => format!("[{}]", of(&slice.elem, names, module)),
        Type::Paren(inner) => of(&inner.elem, names, module),
        Type::Group(inner) => of(&inner.elem, names, module),
        other => compact(other),
    }
}

/// The impl's name in keys: subject and trait with their arguments, without the impl's own generics, bounds and lifetimes,
/// so that a changed bound does not change the identity of every method.
pub(super) fn impl_key(item: &ItemImpl) -> String {
    let subject = without_lifetimes(&item.self_ty);
    match &item.trait_ {
        Some((of, _)) => {
            let not = item.modifiers.polarity.map_or("", |_| "!");
            format!("impl {not}{} for {subject}", compact(of))
        }
        None => format!("impl {subject}"),
    }
}

fn without_lifetimes(ty: &Type) -> String {
    let Type::Path(named) = ty else { return compact(ty) };
    let mut named = named.clone();
    for segment in &mut named.path.segments {
        let PathArguments::AngleBracketed(arguments) = &mut segment.arguments else { continue };
        let kept = arguments.args.iter().filter(|a| !matches!(a, GenericArgument::Lifetime(_))).cloned().collect();
        arguments.args = kept;
        if arguments.args.is_empty() {
            segment.arguments = PathArguments::None;
        }
    }
    compact(&named.into_token_stream())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> String {
        impl_key(&syn::parse_str(text).unwrap())
    }

    #[test]
    fn bounds_and_lifetimes_do_not_change_an_impls_identity() {
        assert_eq!(header("impl<'a, T> Parser<'a, T> {}"), "impl Parser<T>");
        assert_eq!(header("impl<T: Clone> Parser<'_, T> where T: Copy {}"), "impl Parser<T>");
        assert_eq!(header("impl<'a> Parser<'a> {}"), "impl Parser");
        assert_eq!(header("unsafe impl<T> From<Vec<u8>> for Parser<T> {}"), "impl From<Vec<u8>> for Parser<T>");
        assert_eq!(header("impl !Send for X {}"), "impl !Send for X");
    }

    #[test]
    fn types_are_named_without_arguments() {
        let name = |text: &str| of(&syn::parse_str(text).unwrap(), &Names::default(), &["k".to_owned()]);
        assert_eq!(name("crate::a::B<u8>"), "k::a::B");
        assert_eq!(name("&'a mut [Vec<T>]"), "&[Vec]");
    }
}
