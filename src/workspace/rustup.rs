//! Whether the toolchain was chosen by the user (`cargo +nightly`, `rustup override`), for every commit alike, or by a file of the
//! commit.

use camino::Utf8Path;

use crate::process::Tool;

const CHOSEN: &str = "RUSTUP_TOOLCHAIN";

/// True if the toolchain in the environment is not what rustup would choose by the files at `cwd`. rustup always sets the variable
/// for the programs that it starts, so that it is there says nothing.
pub(super) fn is_overridden(cwd: &Utf8Path) -> bool {
    let Some(chosen) = std::env::var(CHOSEN).ok().filter(|name| !name.is_empty()) else { return false };
    let asked = Tool::new("rustup").args(["show", "active-toolchain"]).env_remove(CHOSEN).cwd(cwd).run();
    asked.is_ok_and(|answer| answer.success() && is_users_choice(&chosen, &answer.text()))
}

/// `answer`: `NAME (reason)`.
fn is_users_choice(chosen: &str, answer: &str) -> bool {
    let by_files = answer.split_whitespace().next().unwrap_or_default();
    let is_same = by_files == chosen || by_files.starts_with(&format!("{chosen}-"));
    !is_same || answer.contains("directory override")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_files_do_not_say_is_the_users_choice() {
        let by_file = "1.90.0-x86_64-unknown-linux-gnu (overridden by '/r/rust-toolchain.toml')";
        assert!(!is_users_choice("1.90.0-x86_64-unknown-linux-gnu", by_file));
        assert!(!is_users_choice("1.90.0", by_file));
        assert!(is_users_choice("nightly-x86_64-unknown-linux-gnu", by_file));
        assert!(!is_users_choice("stable-x86_64-unknown-linux-gnu", "stable-x86_64-unknown-linux-gnu (default)"));
        assert!(is_users_choice("beta-x86_64", "beta-x86_64 (directory override for '/r')"));
    }
}
