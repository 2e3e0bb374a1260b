//! The texts of the hooks, and whose a hook file is.
//!
//! Writes nothing: `commands/hook.rs` does.

use camino::Utf8Path;

use crate::cli::HookTool;

/// The line by which `hook uninstall` knows its own file.
pub const MARKER: &str = "# cargo-perf-expert: managed hook";

/// The git `pre-push` hook. git runs it with the refs on standard input.
pub const GIT: &str = include_str!("hook/pre-push.sh");
const GITHUB: &str = include_str!("hook/github.yml");
const PRE_COMMIT: &str = include_str!("hook/pre-commit.yaml");
const LEFTHOOK: &str = include_str!("hook/lefthook.yml");
const HUSKY: &str = include_str!("hook/husky.sh");

/// The text to put where the tool looks for it; its first comment says where that is. `manifest`: the package's manifest, relative
/// to the repository's top, where it is not at the top: there hooks run.
pub fn snippet(tool: HookTool, manifest: Option<&Utf8Path>) -> String {
    let text = match tool {
        HookTool::Git => GIT,
        HookTool::Github => GITHUB,
        HookTool::PreCommit => PRE_COMMIT,
        HookTool::Lefthook => LEFTHOOK,
        HookTool::Husky => HUSKY,
    };
    manifest.map_or_else(|| text.to_owned(), |path| with_manifest(text, &crate::figures::word(path.as_str())))
}

fn with_manifest(text: &str, word: &str) -> String {
    let with = |text: &str, command: &str| text.replace(command, &format!("{command} --manifest-path {word}"));
    with(&with(text, "cargo perf-expert verify"), "cargo perf-expert report")
}

/// What [`crate::figures::word`] made the word of.
fn unquoted(word: &str) -> String {
    let inner = word.strip_prefix('\'').and_then(|word| word.strip_suffix('\''));
    inner.map_or_else(|| word.to_owned(), |inner| inner.replace("'\\''", "'"))
}

/// Whose a hook file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// `hook install` wrote it, as it stands.
    Ours,
    /// `hook install` wrote it, and somebody changed it.
    Edited,
    /// Somebody else wrote it.
    Foreign,
}

/// Whose a hook file is: its whole text must be one that `hook install` writes.
pub fn origin(text: &str) -> Origin {
    // Whatever the manifest is called, the text around it is ours.
    let manifest = text.split_once("verify --manifest-path ").and_then(|(_, rest)| rest.split_once(" --hook pre-push"));
    let is_word = |word: &str| crate::figures::word(&unquoted(word)) == word;
    let ours = match manifest {
        Some((word, _)) => is_word(word) && text == with_manifest(GIT, word),
        None => text == GIT,
    };
    match (ours, text.lines().any(|line| line.trim() == MARKER)) {
        (true, _) => Origin::Ours,
        (false, true) => Origin::Edited,
        (false, false) => Origin::Foreign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_installed_hook_is_recognised_and_a_foreign_one_is_not() {
        assert_eq!(origin(GIT), Origin::Ours);
        assert_eq!(origin("#!/bin/sh\nexec cargo perf-expert verify --hook pre-push\n"), Origin::Foreign);
        for manifest in ["rust/Cargo.toml", "sp ace's/Cargo.toml"] {
            assert_eq!(origin(&snippet(HookTool::Git, Some(manifest.into()))), Origin::Ours, "{manifest}");
        }
    }

    #[test]
    fn a_hook_with_lines_of_the_user_is_not_taken_for_ours() {
        assert_eq!(origin(&format!("{GIT}make check\n")), Origin::Edited);
        assert_eq!(origin(&GIT.replace("exec ", "make check\n")), Origin::Edited);
        let other = snippet(HookTool::Git, Some("rust/Cargo.toml".into()));
        assert_eq!(origin(&other.replace("rust/Cargo.toml", "rust/Cargo.toml; make check")), Origin::Edited);
        assert_eq!(origin(&other.replace("rust/Cargo.toml", "'a'; make check; 'b'")), Origin::Edited);
        assert_eq!(origin(&other.replace("90s", "10s")), Origin::Edited);
    }

    #[test]
    fn a_package_below_the_top_is_named_in_every_text() {
        for tool in [HookTool::Git, HookTool::Github, HookTool::PreCommit, HookTool::Lefthook, HookTool::Husky] {
            let text = snippet(tool, Some("a dir/Cargo.toml".into()));
            assert!(text.contains("perf-expert verify --manifest-path 'a dir/Cargo.toml'"), "{tool:?}");
            assert!(!text.contains("perf-expert report --message"), "{tool:?}");
        }
    }

    #[test]
    fn every_snippet_runs_verify_and_says_where_it_goes() {
        for tool in [HookTool::Git, HookTool::Github, HookTool::PreCommit, HookTool::Lefthook, HookTool::Husky] {
            let text = snippet(tool, None);
            assert!(text.contains("perf-expert verify"), "{tool:?}");
            assert!(text.contains("# "), "{tool:?}");
        }
    }
}
