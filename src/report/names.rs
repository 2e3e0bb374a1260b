//! Names of functions as people write them; does not touch the canonical names that programs match on.

/// `<NonNull as PartialEq>::eq` for the canonical `core::ptr::non_null::NonNull as core::cmp::PartialEq::eq`; a plain path stays as it is.
pub(super) fn readable(name: &str) -> String {
    // The workspace's own items are written as in source already.
    let canonical = Some(name).filter(|name| !name.starts_with('<'));
    let Some((subject, of)) = canonical.and_then(|name| name.rsplit_once(" as ")) else { return name.to_owned() };
    let (path, closures) = of.find("::{{").map_or((of, ""), |at| of.split_at(at));
    let Some((of_trait, method)) = path.rsplit_once("::") else { return name.to_owned() };
    format!("<{} as {}>::{method}{closures}", short(subject), short(of_trait))
}

/// The last segment of a plain path; anything else (a reference, a tuple, a nested qualified name) as it is.
fn short(path: &str) -> &str {
    let plain = path.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ':');
    if plain { path.rsplit("::").next().unwrap_or(path) } else { path }
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn trait_methods_read_as_in_source_and_paths_stay() {
        for (canonical, read) in [
            ("core::ptr::non_null::NonNull as core::cmp::PartialEq::eq", "<NonNull as PartialEq>::eq"),
            ("tgt::Parser as tgt::Step::next::{{closure}}", "<Parser as Step>::next::{{closure}}"),
            ("&mut I as core::iter::Iterator::next", "<&mut I as Iterator>::next"),
            ("T as a::X::Assoc as b::Y::m", "<T as a::X::Assoc as Y>::m"),
            ("<hex::BytesToHexChars as Iterator>::next", "<hex::BytesToHexChars as Iterator>::next"),
            ("wordcount::count::step", "wordcount::count::step"),
            ("x as y", "x as y"),
        ] {
            assert_eq!(readable(canonical), read);
        }
    }
}
