//! `unsafe` that is not there for speed.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};

/// Names whose presence says that a block is unsafe for what it does, not for how fast it does it: foreign calls, process
/// environment, pinning, ownership across a pointer, manual allocation, raw descriptors, memory maps, assembly, questions to the processor.
const NECESSARY: [&str; 37] = [
    "libc",
    "ffi",
    "windows_sys",
    "winapi",
    "nix",
    "bindings",
    "c_void",
    "c_char",
    "c_int",
    "CStr",
    "CString",
    "set_var",
    "remove_var",
    "pre_exec",
    "from_raw_fd",
    "borrow_raw",
    "from_raw_handle",
    "from_raw_socket",
    "Mmap",
    "MmapMut",
    "MmapOptions",
    "asm",
    "global_asm",
    "from_raw",
    "into_raw",
    "drop_in_place",
    "alloc",
    "dealloc",
    "realloc",
    "new_unchecked",
    "map_unchecked_mut",
    "map_unchecked",
    "__cpuid",
    "__cpuid_count",
    "_xgetbv",
    "_rdtsc",
    "__rdtscp",
];

/// True when the tokens need `unsafe` for something that safe code cannot do.
pub(super) fn is_necessary(tokens: TokenStream, foreign: &BTreeSet<String>) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Ident(ident) => {
            let name = ident.to_string();
            NECESSARY.contains(&name.as_str()) || name == "sys" || name.ends_with("_sys") || foreign.contains(&name)
        }
        TokenTree::Group(group) => is_necessary(group.stream(), foreign),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}
