//! Where stacks end: the functions in which threads and processes begin.

use super::binary::Binaries;
use super::space::CodeAddress;

/// Where threads and processes begin. A walk that ends in silence anywhere else (code without unwind tables whose frame
/// pointer happened to be zero) is incomplete.
pub(in crate::sample) const ROOTS: [&str; 9] =
    ["_start", "__libc_start_main", "clone", "__clone", "clone3", "__clone3", "start_thread", "_dl_start_user", "start"];

/// File names of the C libraries and loaders, in which every other thread begins; their own symbols are often stripped.
const MODULES: [&str; 4] = ["libc.", "libc-", "libpthread", "ld-"];

/// True for the file of a C library or loader.
pub(in crate::sample) fn is_system(module: &str) -> bool {
    MODULES.iter().any(|prefix| module.starts_with(prefix))
}

/// True when a walk that came to its end (leaf first) ended where stacks do. In a C library it must have left it in between: one that
/// never did was lost in the leaf, as such a library is without symbols as a rule and may use the frame pointer.
pub(in crate::sample) fn is_rooted(stack: &[CodeAddress], binaries: &Binaries) -> bool {
    let binary = |code: &CodeAddress| code.binary.and_then(|id| binaries.get(id));
    let Some((last, inner)) = stack.split_last() else { return false };
    let Some(end) = binary(last) else { return false };
    if end.is_root(last.address) {
        return true;
    }
    is_system(&end.name) && inner.iter().any(|code| binary(code).is_some_and(|one| !is_system(&one.name)))
}
