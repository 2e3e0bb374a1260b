//! The pre-merge hook: its texts, installing it, and real pushes through it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::common::{Repo, git, run_in};

/// Far above what a push without measuring takes on a busy machine, below what a build and its rounds take.
const WITHOUT_MEASURING: Duration = Duration::from_secs(15);

#[test]
fn each_tool_gets_its_text() {
    for tool in ["git", "github", "pre-commit", "lefthook", "husky"] {
        let run = run_in(Path::new("/"), &["hook", "print", tool], &[], b"");
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{tool}");
        insta::assert_snapshot!(format!("print_{tool}"), run.stdout);
    }
}

/// A repository without a package: installing needs none.
fn plain() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap().join("plain");
    git(dir.path(), &["init", "-q", root.to_str().unwrap()]);
    (dir, root)
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().unwrap().permissions().mode() & 0o111 == 0o111
}

#[test]
fn install_writes_what_print_shows_and_uninstall_removes_it() {
    let (_dir, root) = plain();
    let hook = root.join(".git/hooks/pre-push");
    for _again in 0..2 {
        let run = run_in(&root, &["hook", "install"], &[], b"");
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(run.stderr.contains("pre-push"), "it says where: {}", run.stderr);
    }
    let printed = run_in(&root, &["hook", "print", "git"], &[], b"").stdout;
    assert_eq!(std::fs::read_to_string(&hook).unwrap(), printed);
    assert!(is_executable(&hook));
    assert_eq!(run_in(&root, &["hook", "uninstall"], &[], b"").code, 0);
    assert!(!hook.exists());
    let run = run_in(&root, &["hook", "uninstall"], &[], b"");
    assert_eq!(run.code, 101, "there is nothing to remove: {}", run.stderr);
}

#[test]
fn install_goes_where_the_hooks_path_says() {
    let (_dir, root) = plain();
    git(&root, &["config", "core.hooksPath", "my hooks"]);
    let run = run_in(&root, &["hook", "install"], &[], b"");
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(is_executable(&root.join("my hooks/pre-push")));
    assert!(!root.join(".git/hooks/pre-push").exists());
    assert_eq!(run_in(&root, &["hook", "uninstall"], &[], b"").code, 0);
    assert!(!root.join("my hooks/pre-push").exists());
}

#[test]
fn install_from_a_linked_worktree_serves_the_whole_repository() {
    let (dir, root) = plain();
    git(&root, &["commit", "-q", "--allow-empty", "-m", "Begin"]);
    let linked = dir.path().canonicalize().unwrap().join("linked");
    git(&root, &["worktree", "add", "-q", linked.to_str().unwrap()]);
    let run = run_in(&linked, &["hook", "install"], &[], b"");
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(root.join(".git/hooks/pre-push").exists());
}

#[test]
fn a_foreign_hook_is_left_as_it_is() {
    let (_dir, root) = plain();
    let hook = root.join(".git/hooks/pre-push");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    for theirs in [&b"#!/bin/sh\nexec make check\n"[..], &b"\x7fELF\xff\xfe"[..], &b""[..]] {
        std::fs::write(&hook, theirs).unwrap();
        for action in ["install", "uninstall"] {
            let run = run_in(&root, &["hook", action], &[], b"");
            assert_eq!(run.code, 101, "{action}: {}", run.stderr);
            assert!(run.stderr.contains("pre-push") && run.stderr.contains("--hook pre-push"), "{action}: {}", run.stderr);
            assert_eq!(std::fs::read(&hook).unwrap(), theirs, "{action}");
        }
    }
}

#[test]
fn a_hook_with_lines_of_the_user_is_neither_overwritten_nor_removed() {
    let (_dir, root) = plain();
    assert_eq!(run_in(&root, &["hook", "install"], &[], b"").code, 0);
    let hook = root.join(".git/hooks/pre-push");
    let edited = std::fs::read_to_string(&hook).unwrap().replace("exec cargo", "make check || exit 1\nexec cargo");
    std::fs::write(&hook, &edited).unwrap();
    for action in ["install", "uninstall"] {
        let run = run_in(&root, &["hook", action], &[], b"");
        assert_eq!(run.code, 101, "{action}: {}", run.stderr);
        assert!(run.stderr.contains("changed since") && run.stderr.contains("by hand"), "{action}: {}", run.stderr);
        assert_eq!(std::fs::read_to_string(&hook).unwrap(), edited, "{action}");
    }
}

#[test]
fn a_package_below_the_top_is_named_in_the_hook() {
    let (_dir, root) = plain();
    let inner = root.join("my rust/crates/a");
    std::fs::create_dir_all(&inner).unwrap();
    for manifest in ["my rust/Cargo.toml", "my rust/crates/a/Cargo.toml"] {
        std::fs::write(root.join(manifest), "").unwrap();
    }
    let run = run_in(&inner, &["hook", "install"], &[], b"");
    assert_eq!(run.code, 0, "{}", run.stderr);
    let hook = root.join(".git/hooks/pre-push");
    let text = std::fs::read_to_string(&hook).unwrap();
    assert!(text.contains("verify --manifest-path 'my rust/Cargo.toml' --hook pre-push"), "{text}");
    assert_eq!(run_in(&inner, &["hook", "print", "git"], &[], b"").stdout, text);
    assert_eq!(run_in(&root, &["hook", "uninstall"], &[], b"").code, 0, "wherever it is typed");
    assert!(!hook.exists());
}

/// The repository of a fixture with a bare remote that has its `main`, and the hook installed.
struct Pushed {
    repo: Repo,
    remote: PathBuf,
    _dir: tempfile::TempDir,
}

/// How a push ended.
struct Push {
    success: bool,
    said: String,
    took: Duration,
}

impl Pushed {
    fn new() -> Self {
        let repo = Repo::new("hot-slower");
        let dir = tempfile::tempdir().unwrap();
        let remote = dir.path().canonicalize().unwrap().join("remote.git");
        git(dir.path(), &["init", "-q", "--bare", remote.to_str().unwrap()]);
        git(repo.root(), &["remote", "add", "origin", remote.to_str().unwrap()]);
        git(repo.root(), &["push", "-q", "origin", "main"]);
        let run = repo.run(&["hook", "install"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        Self { repo, remote, _dir: dir }
    }

    fn at_remote(&self) -> String {
        git(&self.remote, &["for-each-ref", "--format=%(refname) %(objectname)"])
    }

    /// A real `git push` in `dir`; the hook finds the built binary as cargo's subcommand.
    fn push(dir: &Path, args: &[&str]) -> Push {
        let mut command = Command::new("git");
        command.arg("push").args(args).current_dir(dir).env("PATH", path_with_the_binary()).env("GIT_CONFIG_GLOBAL", "/dev/null");
        for name in crate::common::FOREIGN {
            command.env_remove(name);
        }
        let begun = Instant::now();
        let output = command.output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Push { success: output.status.success(), said, took: begun.elapsed() }
    }
}

fn path_with_the_binary() -> OsString {
    let dir = Path::new(env!("CARGO_BIN_EXE_cargo-perf-expert")).parent().unwrap().to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths([dir].into_iter().chain(std::env::split_paths(&path))).unwrap()
}

fn nothing_measured(push: &Push) {
    assert!(push.success, "{}", push.said);
    assert!(!push.said.contains("Building") && !push.said.contains("Measuring"), "{}", push.said);
    assert!(push.took < WITHOUT_MEASURING, "{:?}: {}", push.took, push.said);
}

#[test]
fn a_push_with_an_explained_regression_is_refused_and_documents_pass() {
    let pushed = Pushed::new();
    let repo = &pushed.repo;
    let before = pushed.at_remote();
    repo.apply_head();
    repo.commit("Mix once more");
    let push = Pushed::push(repo.root(), &["origin", "main"]);
    assert!(!push.success, "{}", push.said);
    assert!(push.said.contains("words::scan::checksum") && push.said.contains("exit 100"), "{}", push.said);
    assert!(push.said.contains("what the remote has of main"), "the report names the rule: {}", push.said);
    assert_eq!(pushed.at_remote(), before, "the remote got nothing");
    assert_eq!(crate::common::checkouts(repo), Vec::<PathBuf>::new());

    git(repo.root(), &["reset", "-q", "--hard", "origin/main"]);
    repo.write("README.md", "Words.\n");
    repo.write("src/lib.rs", &format!("// A note.\n{}", repo.read("src/lib.rs")));
    let commit = repo.commit("Say more");
    nothing_measured(&Pushed::push(repo.root(), &["origin", "main"]));
    assert_eq!(git(&pushed.remote, &["rev-parse", "main"]), commit);
}

#[test]
fn a_push_from_a_linked_worktree_is_judged_as_any_other() {
    let pushed = Pushed::new();
    let linked = pushed.repo.root().parent().unwrap().join("linked");
    git(pushed.repo.root(), &["worktree", "add", "-q", "-b", "topic", linked.to_str().unwrap()]);
    std::fs::write(linked.join("README.md"), "Words.\n").unwrap();
    git(&linked, &["add", "-A"]);
    git(&linked, &["commit", "-qm", "Say more"]);
    nothing_measured(&Pushed::push(&linked, &["origin", "topic"]));
    assert!(pushed.at_remote().contains("refs/heads/topic"));
    let before = pushed.at_remote();

    let slower = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hot-slower/head/src/scan.rs");
    std::fs::copy(slower, linked.join("src/scan.rs")).unwrap();
    git(&linked, &["commit", "-qam", "Mix once more"]);
    // As a branch that the remote does not know.
    let push = Pushed::push(&linked, &["origin", "HEAD:refs/heads/fresh"]);
    assert!(!push.success, "{}", push.said);
    assert!(push.said.contains("exit 100") && push.said.contains("merge-base with origin/main"), "{}", push.said);
    assert_eq!(pushed.at_remote(), before);
    let trees = git(pushed.repo.root(), &["worktree", "list"]);
    assert_eq!(trees.lines().count(), 2, "ours is gone, the user's is not: {trees}");
    assert_eq!(git(&linked, &["status", "--porcelain"]), "", "the index of the worktree is untouched");
}

#[test]
fn deleting_a_branch_and_pushing_a_tag_pass() {
    let pushed = Pushed::new();
    let root = pushed.repo.root();
    git(root, &["push", "-q", "--no-verify", "origin", "main:refs/heads/old"]);
    nothing_measured(&Pushed::push(root, &["origin", "--delete", "old"]));
    assert!(!pushed.at_remote().contains("refs/heads/old"));
    git(root, &["tag", "v1"]);
    nothing_measured(&Pushed::push(root, &["origin", "v1"]));
    assert!(pushed.at_remote().contains("refs/tags/v1"));
    nothing_measured(&Pushed::push(root, &["origin", "main"]));
}

#[test]
fn the_refs_on_standard_input_choose_base_and_head() {
    let pushed = Pushed::new();
    let repo = &pushed.repo;
    let base = git(repo.root(), &["rev-parse", "HEAD"]);
    git(repo.root(), &["checkout", "-q", "-b", "topic"]);
    repo.write("README.md", "Words.\n");
    let head = repo.commit("Say more");
    git(repo.root(), &["checkout", "-q", "main"]);
    let zero = "0".repeat(40);

    let line = format!("refs/heads/topic {head} refs/heads/topic {zero}\n");
    let run = repo.run_with(&["verify", "--hook", "pre-push", "--message-format", "json"], &[], line.as_bytes());
    let analysis = run.json();
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(analysis["base"]["commit"], base.as_str());
    assert_eq!(analysis["base"]["chosen_by"], "merge-base with origin/main");
    assert_eq!(analysis["head"]["commit"], head.as_str(), "what is pushed, not what is checked out");
    assert_eq!(analysis["head"]["dirty"], false);

    let garbage = repo.run_with(&["verify", "--hook", "pre-push"], &[], b"garbage\n");
    assert_eq!(garbage.code, 101, "what cannot be read must not pass: {}", garbage.stderr);
    for nothing in [String::new(), format!("(delete) {zero} refs/heads/old {head}\n")] {
        let run = repo.run_with(&["verify", "--hook", "pre-push"], &[], nothing.as_bytes());
        assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{nothing:?}: {}", run.stderr);
    }
    assert_eq!(crate::common::checkouts(repo), Vec::<PathBuf>::new());
}
