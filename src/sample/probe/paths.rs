//! Which of the paths that DWARF spells mean a given source file.

/// Removes `.` and empty components and resolves `..` without asking the file system.
pub(super) fn normalized(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut kept: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if kept.last().is_some_and(|last| *last != "..") => {
                kept.pop();
            }
            ".." if absolute => {}
            part => kept.push(part),
        }
    }
    let joined = kept.join("/");
    if absolute { format!("/{joined}") } else { joined }
}

/// `name`, seen from `directory` unless it is absolute; both may be relative.
pub(super) fn joined(directory: &str, name: &str) -> String {
    if name.starts_with('/') || directory.is_empty() { normalized(name) } else { normalized(&format!("{directory}/{name}")) }
}

/// True when `path` ends with all components of `tail`, and `tail` is relative.
fn ends_with(path: &str, tail: &str) -> bool {
    !tail.is_empty()
        && !tail.starts_with('/')
        && path.strip_suffix(tail).is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

/// Indices of the known (normalized) paths that mean one of `spellings`: equal ones if there are any, else those where one is the
/// relative tail of the other.
pub(super) fn matching(known: &[String], spellings: &[String]) -> Vec<usize> {
    let select = |means: &dyn Fn(&str, &str) -> bool| -> Vec<usize> {
        let wanted = |path: &&String| spellings.iter().any(|spelling| means(path, spelling));
        known.iter().enumerate().filter(|(_, path)| wanted(path)).map(|(index, _)| index).collect()
    };
    let equal = select(&|path, spelling| path == spelling);
    if equal.is_empty() { select(&|path, spelling| ends_with(path, spelling) || ends_with(spelling, path)) } else { equal }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn owned(paths: &[&str]) -> Vec<String> {
        paths.iter().map(|&path| path.to_owned()).collect()
    }

    #[test]
    fn a_path_is_resolved_without_the_file_system() {
        assert_eq!(normalized("/a/./b/../c//d"), "/a/c/d");
        assert_eq!(normalized("../x/.."), "..");
        assert_eq!(normalized("/../a"), "/a");
        assert_eq!(joined("/ws", "src/lib.rs"), "/ws/src/lib.rs");
        assert_eq!(joined("/ws", "/std/lib.rs"), "/std/lib.rs");
    }

    #[test]
    fn the_full_path_wins_over_tails() {
        let known = owned(&["/ws/a/src/lib.rs", "src/lib.rs", "/ws/b/src/lib.rs"]);
        assert_eq!(matching(&known, &owned(&["/ws/a/src/lib.rs"])), [0]);
    }

    #[test]
    fn a_remapped_path_is_found_by_its_tail_and_a_foreign_one_is_not() {
        let known = owned(&["a/src/lib.rs", "/ws/b/src/lib.rs", "rc/lib.rs"]);
        assert_eq!(matching(&known, &owned(&["/home/me/ws/a/src/lib.rs"])), [0]);
        assert_eq!(matching(&known, &owned(&["src/lib.rs"])), [0, 1]);
        assert!(matching(&known, &owned(&["/elsewhere/src/lib.rs"])).is_empty());
    }

    proptest! {
        #[test]
        fn normalizing_twice_changes_nothing(path in "(/|\\.|a|b){0,12}") {
            let once = normalized(&path);
            prop_assert_eq!(normalized(&once), once);
        }
    }
}
