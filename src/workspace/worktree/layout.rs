//! Where a checkout lies inside of its nest, so that `../x` means the same as in the user's work tree. Pure.

use camino::{Utf8Path, Utf8PathBuf};

/// A link to make.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Link {
    /// Relative to the nest.
    pub(super) place: Utf8PathBuf,
    /// What it stands for, absolute.
    pub(super) target: Utf8PathBuf,
}

/// The checkout's place and the links around it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Relative to the nest; ends in the name of the work tree.
    pub(super) checkout: Utf8PathBuf,
    pub(super) links: Vec<Link>,
}

impl Layout {
    /// For a work tree at `root` (absolute) and directories outside of it. The nest stands for the deepest directory that
    /// holds the work tree and all of them.
    pub(super) fn new(root: &Utf8Path, outside: impl IntoIterator<Item = Utf8PathBuf>) -> Self {
        let parent = root.parent().unwrap_or(root);
        let outside: Vec<Utf8PathBuf> = outside.into_iter().filter(|dir| !dir.starts_with(root)).collect();
        let shared = |dir: &Utf8PathBuf| parent.ancestors().find(|ancestor| dir.starts_with(ancestor));
        // The fewer components, the higher: the nest stands for the highest.
        let tops = outside.iter().filter_map(shared).chain([parent]);
        let top = tops.min_by_key(|ancestor| ancestor.components().count()).unwrap_or(parent);
        let link = |dir: &Utf8PathBuf| {
            let ancestor = shared(dir)?;
            // A package around the repository itself cannot be linked: its directory is the nest's own.
            let first = dir.strip_prefix(ancestor).ok()?.components().next()?;
            let target = ancestor.join(first);
            Some(Link { place: target.strip_prefix(top).ok()?.to_owned(), target })
        };
        let mut links: Vec<Link> = outside.iter().filter_map(link).collect();
        links.sort();
        links.dedup();
        let checkout = root.strip_prefix(top).unwrap_or(root).to_owned();
        // The root of the file system has no name of its own.
        let checkout = if checkout.as_str().is_empty() || checkout.is_absolute() { "checkout".into() } else { checkout };
        Self { checkout, links }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(root: &str, outside: &[&str]) -> (String, Vec<(String, String)>) {
        let layout = Layout::new(root.into(), outside.iter().map(|&dir| dir.into()));
        (layout.checkout.into_string(), layout.links.into_iter().map(|link| (link.place.into(), link.target.into())).collect())
    }

    #[test]
    fn without_neighbours_the_checkout_stands_alone() {
        assert_eq!(layout("/home/u/repo", &["/home/u/repo/inner"]), ("repo".into(), vec![]));
    }

    #[test]
    fn a_sibling_is_linked_beside() {
        let links = vec![("x".into(), "/home/u/x".into())];
        assert_eq!(layout("/home/u/repo", &["/home/u/x", "/home/u/x/y"]), ("repo".into(), links));
    }

    #[test]
    fn farther_relatives_deepen_the_nest() {
        let (checkout, links) = layout("/home/u/proj/repo", &["/home/libs/a/b", "/home/u/proj/x", "/opt/c"]);
        assert_eq!(checkout, "home/u/proj/repo");
        let links: Vec<String> = links.into_iter().map(|(place, target)| format!("{place} -> {target}")).collect();
        assert_eq!(links, ["home/libs -> /home/libs", "home/u/proj/x -> /home/u/proj/x", "opt -> /opt"]);
    }

    #[test]
    fn a_package_around_the_repository_is_not_linked() {
        assert_eq!(layout("/home/u/repo", &["/home/u"]), ("repo".into(), vec![]));
    }
}
