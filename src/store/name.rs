//! Names of baselines are names of directories: nothing that could lead elsewhere.

use super::StoreError;

/// Longest name, so that the file system takes it with room for suffixes.
const LONGEST: usize = 100;

/// Letters, digits, `-`, `_`, `.`; the first one a letter or digit. Everything else could be a path or a flag.
pub(super) fn check(name: &str) -> Result<(), StoreError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    // Windows drops a dot at the end of a name.
    if first && name.len() <= LONGEST && name.bytes().all(plain) && !name.ends_with('.') {
        return Ok(());
    }
    Err(StoreError::BadName { name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn good_names_pass_and_paths_do_not() {
        for good in ["default", "v1.2.3", "main", "before_rewrite-2"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "../x", "a/b", "a\\b", "-x", ".tmp-1", "é", "a b", "a.", "a\0", "C:", &"a".repeat(101)] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn an_accepted_name_is_one_plain_component(name in "\\PC{0,8}") {
            if check(&name).is_ok() {
                let path = std::path::Path::new(&name);
                prop_assert_eq!(path.components().count(), 1);
                prop_assert!(matches!(path.components().next(), Some(std::path::Component::Normal(_))));
            }
        }
    }
}
