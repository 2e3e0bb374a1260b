//! The texts of the hooks, and whose a hook file is.
//!
//! Writes nothing: `commands/hook.rs` does.

use crate::cli::HookTool;

/// The line by which `hook uninstall` knows its own file.
pub const MARKER: &str = "# cargo-perf-expert: managed hook";

/// The git `pre-push` hook. git runs it with the refs on standard input.
pub const GIT: &str = include_str!("hook/pre-push.sh");
const GITHUB: &str = include_str!("hook/github.yml");
const PRE_COMMIT: &str = include_str!("hook/pre-commit.yaml");
const LEFTHOOK: &str = include_str!("hook/lefthook.yml");
const HUSKY: &str = include_str!("hook/husky.sh");

/// The text to put where the tool looks for it; its first comment says where that is.
pub fn snippet(tool: HookTool) -> &'static str {
    match tool {
        HookTool::Git => GIT,
        HookTool::Github => GITHUB,
        HookTool::PreCommit => PRE_COMMIT,
        HookTool::Lefthook => LEFTHOOK,
        HookTool::Husky => HUSKY,
    }
}

/// True when a hook file was written by `hook install`.
pub fn is_ours(text: &str) -> bool {
    text.lines().any(|line| line.trim() == MARKER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_installed_hook_is_recognised_and_a_foreign_one_is_not() {
        assert!(is_ours(GIT));
        assert!(!is_ours("#!/bin/sh\nexec cargo perf-expert verify --hook pre-push\n"));
    }

    #[test]
    fn every_snippet_runs_verify_and_says_where_it_goes() {
        for tool in [HookTool::Git, HookTool::Github, HookTool::PreCommit, HookTool::Lefthook, HookTool::Husky] {
            let text = snippet(tool);
            assert!(text.contains("perf-expert verify"), "{tool:?}");
            assert!(text.contains("# "), "{tool:?}");
        }
    }
}
