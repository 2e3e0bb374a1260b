//! Compares a function's linkage name with a qualified name as source code spells it.

/// The segments of a demangled or written path that identify a function: no generic arguments, no trait of a trait impl, no
/// closures inside the function, no compiler-made `{impl#0}`.
fn segments(path: &str) -> Vec<String> {
    let mut flat = String::with_capacity(path.len());
    // One entry per open `<`: true where its text is kept, as in the `Type` of `<Type as Trait>::method`.
    let mut open: Vec<bool> = Vec::new();
    let mut previous = ' ';
    for (at, c) in path.char_indices() {
        match c {
            '<' => open.push(flat.is_empty()),
            '>' if previous != '-' => {
                open.pop();
            }
            ' ' if open.last() == Some(&true) && path.get(at..).is_some_and(|rest| rest.starts_with(" as ")) => {
                open.pop();
                open.push(false);
            }
            c if open.iter().all(|kept| *kept) => flat.push(c),
            _ => {}
        }
        previous = c;
    }
    let all = flat.split("::").map(str::trim).filter(|segment| !segment.is_empty());
    let named = all.filter(|segment| !segment.starts_with("{impl") && !segment.starts_with("{{impl"));
    named.take_while(|segment| !segment.contains("closure")).map(str::to_owned).collect()
}

/// A qualified name to look for.
pub(super) struct Wanted {
    segments: Vec<String>,
}

impl Wanted {
    pub(super) fn new(name: &str) -> Self {
        Self { segments: segments(name) }
    }

    /// True when the function with this linkage name (or plain name, if it has none) is the wanted one or a closure in it.
    pub(super) fn is(&self, linkage_name: &str) -> bool {
        // Both mangling schemes spell identifiers out, so most names need no demangling.
        let Some(leaf) = self.segments.last() else { return false };
        if leaf.is_ascii() && !linkage_name.contains(leaf.as_str()) {
            return false;
        }
        let Ok(demangled) = rustc_demangle::try_demangle(linkage_name) else {
            return linkage_name == leaf;
        };
        segments(&format!("{demangled:#}")).ends_with(&self.segments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generics_traits_and_closures_do_not_count() {
        assert_eq!(segments("a::b::Type<alloc::vec::Vec<u8>>::get"), ["a", "b", "Type", "get"]);
        assert_eq!(segments("<a::b::Type<u8> as core::fmt::Display>::fmt"), ["a", "b", "Type", "fmt"]);
        assert_eq!(segments("a::f::<u8>::{closure#0}"), ["a", "f"]);
        assert_eq!(segments("a::f::{{closure}}"), ["a", "f"]);
        assert_eq!(segments("<a::S<fn() -> u8>>::m"), ["a", "S", "m"]);
    }

    #[test]
    fn a_mangled_name_matches_its_path_and_not_another_module() {
        let mangled = "_ZN6bench18made_one17h0123456789abcdefE";
        assert!(Wanted::new("bench1::made_one").is(mangled));
        assert!(Wanted::new("made_one").is(mangled));
        assert!(!Wanted::new("bench2::made_one").is(mangled));
        assert!(!Wanted::new("bench1::made").is(mangled));
    }

    #[test]
    fn a_name_that_is_not_mangled_matches_its_last_segment() {
        assert!(Wanted::new("krate::exported").is("exported"));
        assert!(!Wanted::new("krate::exported").is("exported_too"));
        assert!(!Wanted::new("").is("exported"));
    }
}
