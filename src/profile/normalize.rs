//! One spelling per function, whichever mangling scheme, demangler or debug format named it.
//!
//! Rules: `reference/evidence-rules.md` §4.1. Both schemes occur in one executable: on stable Rust 1.95 the precompiled
//! std is v0 and user code legacy. Does not classify functions (allocator, lock, …).

use std::fmt::Write;

/// Suffixes that compilers and linkers append to a symbol's name; digits and further parts may follow each.
const CLONE_SUFFIXES: [&str; 6] = [".isra.", ".constprop.", ".part.", ".cold", ".llvm.", ".lto_priv."];

/// How the names of glibc's CPU-specific variants (`__memmove_avx_unaligned_erms`) go on after the plain name.
const IFUNC_VARIANTS: [&str; 9] = ["avx", "evex", "sse", "ssse", "erms", "unaligned", "generic", "neon", "sve"];

/// The name of a function as reports, rules and matching use it: demangled, without hash, generic arguments, clone
/// suffixes and symbol versions; `<T as Trait>::m` becomes `T as Trait::m`, closures `::{{closure}}`.
///
/// A name that follows no known scheme comes back as it is.
pub fn normalize(name: &str) -> String {
    let name = strip_version(name);
    let demangled = match rustc_demangle::try_demangle(name) {
        Ok(symbol) => format!("{symbol:#}"),
        Err(_) => name.to_owned(),
    };
    let plain = strip_clone_suffix(&demangled);
    if let Some(base) = ifunc_base(plain) {
        return base.to_owned();
    }
    simplify(plain).filter(|simple| !simple.is_empty()).unwrap_or_else(|| plain.to_owned())
}

/// [`normalize`] for names that another tool may have demangled: without the hash that some leave at the end.
pub fn foreign(name: &str) -> String {
    let is_hash = |hash: &str| hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let plain = name.rsplit_once("::h").filter(|(_, hash)| is_hash(hash)).map_or(name, |(plain, _)| plain);
    normalize(plain)
}

/// Cuts `@GLIBC_2.34`, `@@VERS` and `@plt`.
fn strip_version(name: &str) -> &str {
    match name.find('@') {
        Some(at) if at > 0 && !name.contains([' ', '<']) => &name[..at],
        _ => name,
    }
}

fn strip_clone_suffix(name: &str) -> &str {
    let first = CLONE_SUFFIXES.iter().filter_map(|suffix| name.find(suffix)).min();
    match first {
        Some(at) if at > 0 => &name[..at],
        _ => name,
    }
}

fn ifunc_base(name: &str) -> Option<&str> {
    let (base, variant) = name.strip_prefix("__")?.split_once('_')?;
    let known = base.starts_with("mem") || base.starts_with("str") || base.starts_with("wcs") || base.starts_with("wmem");
    (known && IFUNC_VARIANTS.iter().any(|v| variant.starts_with(v))).then_some(base)
}

/// Rewrites one demangled path; `None` when its brackets do not balance (a C++ operator, say).
fn simplify(path: &str) -> Option<String> {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(next) = rest.chars().next() {
        rest = match next {
            '<' => {
                let inner = bracketed(rest)?;
                angle(&mut out, inner)?;
                &rest[inner.len() + 2..]
            }
            '{' => brace(&mut out, rest)?,
            '-' | '=' if rest[1..].starts_with('>') => {
                out.push_str(&rest[..2]);
                &rest[2..]
            }
            '>' => return None,
            other => {
                out.push(other);
                &rest[other.len_utf8()..]
            }
        };
    }
    Some(out)
}

/// What stands between the `<` that `text` starts with and its partner.
fn bracketed(text: &str) -> Option<&str> {
    let mut depth = 0usize;
    let mut previous = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' if previous != '-' && previous != '=' => {
                depth -= 1;
                if depth == 0 {
                    return text.get(1..at);
                }
            }
            _ => {}
        }
        previous = c;
    }
    None
}

/// Writes what `<inner>` means at the place that `out` has reached: nothing for generic arguments, a type otherwise.
fn angle(out: &mut String, inner: &str) -> Option<()> {
    if let Some(header) = inner.strip_prefix("impl ").filter(|_| out.ends_with("::") || at_path_start(out)) {
        // Legacy symbols put impls of foreign types under the module that holds them; the type is what names the function.
        out.truncate(path_start(out));
        return impl_header(out, header);
    }
    if at_path_start(out) {
        out.push_str(&simplify(inner)?);
    } else if out.ends_with("::") {
        out.truncate(out.len() - 2);
    }
    Some(())
}

fn impl_header(out: &mut String, header: &str) -> Option<()> {
    let simple = simplify(header)?;
    match simple.split_once(" for ") {
        Some((of, subject)) if !of.is_empty() => write!(out, "{subject} as {of}").ok(),
        _ => {
            out.push_str(&simple);
            Some(())
        }
    }
}

/// Copies `{{closure}}`, and turns `{closure#0}`, `{async_fn#0}`, `{shim:vtable#0}` … into that style. Returns what follows.
fn brace<'a>(out: &mut String, text: &'a str) -> Option<&'a str> {
    if let Some(inner) = text.strip_prefix("{{") {
        let end = inner.find("}}")?;
        if &inner[..end] != "vtable.shim" {
            write!(out, "{{{{{}}}}}", &inner[..end]).ok()?;
        }
        return Some(&inner[end + 2..]);
    }
    let end = text.find('}')?;
    let inner = &text[1..end];
    let kind = inner.split_once('#').map_or(inner, |(kind, _number)| kind);
    match kind {
        _ if !inner.contains('#') => out.push_str(&text[..=end]),
        _ if kind.starts_with("shim:") => {
            out.truncate(out.trim_end_matches("::").len());
        }
        // Legacy linkage names call every one of these a closure.
        "closure" | "async_fn" | "async_block" | "async_closure" | "coroutine" | "gen_fn" | "gen_block" => {
            out.push_str("{{closure}}");
        }
        _ => write!(out, "{{{{{kind}}}}}").ok()?,
    }
    Some(&text[end + 1..])
}

fn at_path_start(out: &str) -> bool {
    out.is_empty() || out.ends_with([' ', '(', '[', '&', ',', '*'])
}

fn path_start(out: &str) -> usize {
    out.rfind([' ', '(', '[', '&', ',', '*']).map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn same(pairs: &[(&str, &str)]) {
        for (raw, expected) in pairs {
            assert_eq!(&normalize(raw), expected, "{raw}");
        }
    }

    #[test]
    fn legacy_symbols_lose_hash_and_generics() {
        same(&[
            ("_ZN3tgt7share_b17h0123456789abcdefE", "tgt::share_b"),
            ("_ZN3tgt5inner28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE", "tgt::inner::{{closure}}"),
            (
                "_ZN68_$LT$alloc..sync..Arc$LT$T$C$A$GT$$u20$as$u20$core..clone..Clone$GT$5clone17h0123456789abcdefE",
                "alloc::sync::Arc as core::clone::Clone::clone",
            ),
            ("_ZN3tgt7share_b17h0123456789abcdefE.llvm.1234567", "tgt::share_b"),
            ("_ZN3tgt7share_b17h0123456789abcdefE.cold", "tgt::share_b"),
        ]);
    }

    #[test]
    fn v0_symbols_read_like_legacy_ones() {
        same(&[
            ("_RNvCs1234_3tgt7share_b", "tgt::share_b"),
            ("_RNCNvCs1234_3tgt5inner0B3_", "tgt::inner::{{closure}}"),
            ("_RINvCs1234_3tgt7genericmEB2_", "tgt::generic"),
            ("_RNvMs_Cs1234_3tgtNtB4_6Parser4next", "tgt::Parser::next"),
            ("_RNvXs_Cs1234_3tgtNtB4_6ParserNtB4_4Step4next", "tgt::Parser as tgt::Step::next"),
        ]);
    }

    #[test]
    fn both_styles_meet_in_one_name() {
        same(&[
            ("<std::sys::sync::mutex::futex::Mutex>::lock_contended", "std::sys::sync::mutex::futex::Mutex::lock_contended"),
            ("<usize as core::fmt::Display>::fmt", "usize as core::fmt::Display::fmt"),
            ("core::fmt::num::imp::<impl core::fmt::Display for usize>::fmt", "usize as core::fmt::Display::fmt"),
            ("core::slice::<impl [T]>::sort", "[T]::sort"),
            ("core::num::<impl u32>::pow", "u32::pow"),
            ("<u32>::pow", "u32::pow"),
        ]);
    }

    #[test]
    fn generic_arguments_go_and_qualified_types_stay() {
        same(&[
            ("share_d_default<tgt::S>", "share_d_default"),
            ("alloc::vec::Vec<T,A>::push", "alloc::vec::Vec::push"),
            ("tgt::generic::<u32, fn(u8) -> u16>::{closure#1}", "tgt::generic::{{closure}}"),
            ("core::ptr::drop_in_place<alloc::vec::Vec<core::option::Option<u8>>>", "core::ptr::drop_in_place"),
            ("<<T as a::X>::Assoc as b::Y<Z>>::m::<Q>", "T as a::X::Assoc as b::Y::m"),
            (
                "<alloc::boxed::Box<dyn core::ops::Fn(u8) -> u8> as core::ops::Fn<A>>::call",
                "alloc::boxed::Box as core::ops::Fn::call",
            ),
            ("core::ops::function::FnOnce::call_once{{vtable.shim}}", "core::ops::function::FnOnce::call_once"),
            ("<tgt::F as core::ops::FnOnce<()>>::call_once::{shim:vtable#0}", "tgt::F as core::ops::FnOnce::call_once"),
            ("{async_fn#0}", "{{closure}}"),
        ]);
    }

    #[test]
    fn c_names_lose_versions_clones_and_cpu_variants() {
        same(&[
            ("pthread_create@@GLIBC_2.34", "pthread_create"),
            ("inflate.constprop.0", "inflate"),
            ("inflate.part.3.cold", "inflate"),
            ("__memmove_avx_unaligned_erms", "memmove"),
            ("__memcmp_evex_movbe", "memcmp"),
            ("__memset_avx2_unaligned", "memset"),
            ("__libc_start_main_impl", "__libc_start_main_impl"),
            ("_start", "_start"),
            ("[unknown]", "[unknown]"),
        ]);
    }

    #[test]
    fn names_that_do_not_balance_stay_as_they_are() {
        same(&[("operator<<", "operator<<"), ("a::operator->", "a::operator->"), ("x<y", "x<y"), ("{half", "{half"), ("", "")]);
    }

    #[test]
    fn a_name_that_was_demangled_elsewhere_loses_its_hash() {
        assert_eq!(foreign("<tgt::S as tgt::Step>::next::h0123456789abcdef"), "tgt::S as tgt::Step::next");
        assert_eq!(foreign("tgt::hash::h0123"), "tgt::hash::h0123");
        assert_eq!(foreign("_ZN3tgt7share_b17h0123456789abcdefE"), "tgt::share_b");
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in ".{0,60}") {
            normalize(&text);
        }

        #[test]
        fn bracket_soup_is_survived(text in "[<>{}#:a \\-@.é]{0,40}") {
            normalize(&text);
        }

        #[test]
        fn a_path_is_a_fixed_point_and_generics_do_not_matter(
            path in "[a-z_]{1,6}(::[A-Za-z_]{1,6}){0,4}",
            generics in "[A-Z](, [a-z]{1,4}(<[A-Z]>)?){0,3}",
        ) {
            prop_assert_eq!(normalize(&path), path.clone());
            prop_assert_eq!(normalize(&format!("{path}::<{generics}>")), path.clone());
            prop_assert_eq!(normalize(&format!("{path}<{generics}>::m")), format!("{path}::m"));
            prop_assert_eq!(normalize(&format!("<{path}<{generics}>>::m")), format!("{path}::m"));
            let qualified = normalize(&format!("<{path}<{generics}> as b::T>::m"));
            prop_assert_eq!(&qualified, &format!("{path} as b::T::m"));
            prop_assert_eq!(normalize(&qualified), qualified);
        }
    }
}
