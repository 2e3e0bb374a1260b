//! Function names of profiles and paths of items, taken apart so that they can be compared.

/// A qualified name without generic arguments and closures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    /// The implementing type of `Type as Trait::method`; empty for plain paths.
    pub(super) subject: Vec<String>,
    /// The whole path, or everything after `as`: trait path and method.
    pub(super) path: Vec<String>,
}

impl Name {
    /// Takes `crate::m::f::{{closure}}`, `crate::m::Type::f`, `<crate::Type as Trait>::f` or `crate::Type as Trait::f` apart.
    pub(super) fn parse(name: &str) -> Self {
        let plain = without_generics(name);
        let (subject, path) = plain.rsplit_once(" as ").unwrap_or(("", &plain));
        Self { subject: segments(subject), path: segments(path) }
    }

    /// The method's or function's own name.
    pub(super) fn last(&self) -> Option<&str> {
        self.path.last().map(String::as_str)
    }

    /// True when the name says which crate it is from, and `is_ours` knows that crate.
    pub(super) fn is_from(&self, is_ours: impl Fn(&str) -> bool) -> bool {
        let first = |path: &[String]| path.first().is_some_and(|name| is_ours(name));
        first(&self.subject) || first(&self.path)
    }
}

/// Removes `<…>` arguments; the brackets of a leading `<Type as Trait>` go, what they hold stays.
fn without_generics(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    // For every open bracket: does it hold arguments?
    let mut open: Vec<bool> = Vec::new();
    let mut dropped = 0usize;
    let mut previous = ' ';
    for c in name.chars() {
        match c {
            '<' => {
                let arguments = dropped > 0 || out.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
                dropped += usize::from(arguments);
                open.push(arguments);
            }
            '>' if previous != '-' && previous != '=' => dropped -= usize::from(open.pop().unwrap_or(false)),
            _ if dropped == 0 => out.push(c),
            _ => {}
        }
        previous = c;
    }
    out
}

/// Path segments; reference and slice marks, empty segments and closures left out, `r#` too.
fn segments(path: &str) -> Vec<String> {
    let path = path.trim().trim_start_matches(['&', '[', '*', '(']).trim_end_matches([']', ')']);
    let path = path.strip_prefix("mut ").or(path.strip_prefix("dyn ")).unwrap_or(path);
    let parts = path.split("::").map(|part| part.trim_start_matches("r#"));
    parts.filter(|part| !part.is_empty() && *part != "{{closure}}" && !part.starts_with("{closure")).map(str::to_owned).collect()
}

/// How well a profile's name and an item's path agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Agreement {
    /// One is a qualified ending of the other.
    Suffix,
    /// The same path.
    Exact,
}

/// Compares a profile's name with an item's; `is_ours` tells the crates of the tree.
pub(super) fn agreement(asked: &Name, item: &Name, is_ours: impl Fn(&str) -> bool) -> Option<Agreement> {
    match (asked.subject.is_empty(), item.subject.is_empty()) {
        (true, true) => plain(&asked.path, &item.path, is_ours),
        (false, false) => qualified(asked, item, is_ours),
        _ => None,
    }
}

fn plain(asked: &[String], item: &[String], is_ours: impl Fn(&str) -> bool) -> Option<Agreement> {
    if asked == item {
        return Some(Agreement::Exact);
    }
    // A bare name says too little on either side.
    let shortened = asked.len() > 1 && item.ends_with(asked);
    let unresolved = item.len() > 1 && asked.ends_with(item) && asked.first().is_some_and(|name| is_ours(name));
    (shortened || unresolved).then_some(Agreement::Suffix)
}

fn qualified(asked: &Name, item: &Name, is_ours: impl Fn(&str) -> bool) -> Option<Agreement> {
    let same_method = asked.path == item.path || last_two(&asked.path) == last_two(&item.path);
    if !same_method || asked.subject.last() != item.subject.last() {
        return None;
    }
    let says_no_crate = asked.subject.len() == 1 && asked.path.len() == 2;
    if !says_no_crate && !asked.is_from(is_ours) {
        return None;
    }
    Some(if asked.subject == item.subject { Agreement::Exact } else { Agreement::Suffix })
}

/// Trait and method; what qualifies the trait is written differently everywhere.
fn last_two(path: &[String]) -> &[String] {
    path.get(path.len().saturating_sub(2)..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agree(asked: &str, item: &str) -> Option<Agreement> {
        agreement(&Name::parse(asked), &Name::parse(item), |name| name == "k")
    }

    #[test]
    fn the_spellings_of_profiles_and_items_agree() {
        for (asked, item) in [
            ("k::m::f", "k::m::f"),
            ("k::m::f::{{closure}}::{{closure}}", "k::m::f"),
            ("k::m::Type<T>::f::<u8>", "k::m::Type::f"),
            ("k::m::Type as k::Trait::f", "<k::m::Type as Trait>::f"),
            ("<k::m::Type<fn(u8) -> u8> as core::fmt::Display>::fmt", "<k::m::Type as fmt::Display>::fmt"),
            ("k::m::Type as k::Trait::f::{{closure}}", "<k::m::Type as Trait>::f"),
            ("k::m::r#type", "k::m::type"),
        ] {
            assert_eq!(agree(asked, item), Some(Agreement::Exact), "{asked} / {item}");
        }
    }

    #[test]
    fn qualified_endings_agree_and_bare_names_do_not() {
        assert_eq!(agree("m::f", "k::m::f"), Some(Agreement::Suffix));
        assert_eq!(agree("k::m::Type::f", "Type::f"), Some(Agreement::Suffix));
        assert_eq!(agree("k::a::Type as k::Trait::f", "<Type as Trait>::f"), Some(Agreement::Suffix));
        for (asked, item) in [
            ("f", "k::m::f"),
            ("k::other::f", "k::m::f"),
            ("dep::m::Type::f", "Type::f"),
            ("dep::Type as core::fmt::Display::fmt", "<Type as Display>::fmt"),
            ("k::m::Type as k::Trait::f", "k::m::Type::f"),
            ("k::m::Type as k::A::f", "<k::m::Type as B>::f"),
        ] {
            assert_eq!(agree(asked, item), None, "{asked} / {item}");
        }
    }
}
