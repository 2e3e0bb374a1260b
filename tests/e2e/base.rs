//! Which commit is the base, by which rule, in the real binary; where its evidence comes from; and where it may lie.

use std::path::{Path, PathBuf};

use crate::common::{Repo, git, run_in};
use serde_json::Value;

/// `verify`, as JSON. Of documents alone it needs no build.
fn verify(dir: &Path, args: &[&str], env: &[(&str, &str)]) -> Value {
    let run = run_in(dir, &[&["verify", "-q", "--no-tests", "--message-format", "json"], args].concat(), env, b"");
    assert!(run.code == 0 || run.code == 100, "{}\n{}", run.stdout, run.stderr);
    run.json()
}

fn chosen(analysis: &Value) -> (String, String) {
    let text = |key: &str| analysis["base"][key].as_str().unwrap().to_owned();
    (text("commit"), text("chosen_by"))
}

fn document(dir: &Path, text: &str) -> String {
    std::fs::write(dir.join("README.md"), text).unwrap();
    git(dir, &["add", "-A"]);
    git(dir, &["commit", "-qm", text]);
    git(dir, &["rev-parse", "HEAD"])
}

#[test]
fn an_explicit_base_comes_first_and_a_wrong_one_is_a_usage_error() {
    let repo = Repo::new("hot-slower");
    let first = git(repo.root(), &["rev-parse", "HEAD"]);
    document(repo.root(), "One.");
    let last = document(repo.root(), "Two.");
    let refs = [("PRE_COMMIT_FROM_REF", last.as_str()), ("PRE_COMMIT_TO_REF", "HEAD")];
    assert_eq!(chosen(&verify(repo.root(), &["--base", "HEAD~2"], &refs)), (first, "`--base HEAD~2`".into()));
    for wrong in ["no-such-branch", "--output=x"] {
        let run = repo.run(&["verify", &format!("--base={wrong}")]);
        assert_eq!(run.code, 2, "{}", run.stderr);
        assert!(run.stderr.contains(wrong), "{}", run.stderr);
    }
}

#[test]
fn without_upstream_the_commit_before_or_head_under_uncommitted_work_serves() {
    let repo = Repo::new("hot-slower");
    let first = git(repo.root(), &["rev-parse", "HEAD"]);
    let second = document(repo.root(), "One.");
    assert_eq!(chosen(&verify(repo.root(), &[], &[])), (first, "the commit before (no upstream branch)".into()));
    repo.write("README.md", "Two.");
    let (commit, rule) = chosen(&verify(repo.root(), &[], &[]));
    assert_eq!(commit, second);
    assert!(rule.contains("HEAD") && rule.contains("uncommitted"), "{rule}");
}

#[test]
fn a_clone_compares_with_where_it_left_the_upstream_branch() {
    let repo = Repo::new("hot-slower");
    let fork = git(repo.root(), &["rev-parse", "HEAD"]);
    let dir = tempfile::tempdir().unwrap();
    git(dir.path(), &["clone", "-q", repo.root().to_str().unwrap(), "clone"]);
    let clone = dir.path().join("clone");
    git(&clone, &["checkout", "-q", "-b", "work"]);
    document(&clone, "Mine.");
    repo.write("NEWS.md", "Theirs.\n");
    repo.commit("Move on");
    git(&clone, &["fetch", "-q"]);
    let (commit, rule) = chosen(&verify(&clone, &[], &[]));
    assert_eq!((commit.as_str(), rule.as_str()), (fork.as_str(), "merge-base with origin/main"));
    let human = run_in(&clone, &["report"], &[], b"").stdout;
    assert!(human.starts_with(&format!("Compared {} (merge-base with origin/main", &fork[..7])), "{human}");
}

#[test]
fn the_range_of_the_pre_commit_framework_is_taken() {
    let repo = Repo::new("hot-slower");
    let first = git(repo.root(), &["rev-parse", "HEAD"]);
    let second = document(repo.root(), "One.");
    document(repo.root(), "Two.");
    let refs = [("PRE_COMMIT_FROM_REF", first.as_str()), ("PRE_COMMIT_TO_REF", second.as_str())];
    let analysis = verify(repo.root(), &[], &refs);
    assert_eq!(chosen(&analysis), (first, "PRE_COMMIT_FROM_REF".into()));
    assert_eq!((&analysis["head"]["commit"], &analysis["head"]["dirty"]), (&second.into(), &false.into()));
    assert_eq!(crate::common::checkouts(&repo), Vec::<PathBuf>::new());
}

#[test]
fn a_pull_request_compares_with_the_first_parent_of_its_merge_commit() {
    let repo = Repo::new("hot-slower");
    let root = repo.root();
    git(root, &["checkout", "-q", "-b", "request"]);
    document(root, "Mine.");
    git(root, &["checkout", "-q", "main"]);
    repo.write("NEWS.md", "Theirs.\n");
    let target = repo.commit("Move on");
    git(root, &["checkout", "-q", "--detach"]);
    git(root, &["merge", "-q", "--no-ff", "-m", "Merge", "request"]);
    let merge = git(root, &["rev-parse", "HEAD"]);
    let event = [("GITHUB_EVENT_NAME", "pull_request"), ("GITHUB_SHA", merge.as_str())];
    let (commit, rule) = chosen(&verify(root, &[], &event));
    assert_eq!(commit, target);
    assert!(rule.contains("HEAD^1") && rule.contains("pull request"), "{rule}");
}

#[test]
fn a_missing_base_is_made_in_a_worktree_and_used_again_wherever_the_repository_lies() {
    let repo = Repo::at("hot-slower", "mein Projekt, größer & älter (日本)");
    let base = git(repo.root(), &["rev-parse", "HEAD"]);
    repo.apply_head();
    repo.commit("Mix once more");
    let first = verify(repo.root(), &[], &[]);
    assert_eq!(chosen(&first).0, base);
    assert!(first["base"]["evidence"].as_str().unwrap().contains("in a worktree"), "{}", first["base"]);
    assert_eq!(crate::common::checkouts(&repo), Vec::<PathBuf>::new());
    let second = verify(repo.root(), &[], &[]);
    assert_eq!(chosen(&second), chosen(&first));
    let evidence = second["base"]["evidence"].as_str().unwrap();
    assert!(evidence.contains("baseline `auto-"), "{evidence}");
    for analysis in [first, second] {
        assert_eq!((&analysis["exit_code"], &analysis["changes"][0]["heat"]), (&100.into(), &"hot".into()), "{analysis:#}");
        assert_eq!(analysis["changes"][0]["file"], "src/scan.rs");
    }
}

#[test]
fn a_member_is_selected_from_a_subdirectory() {
    let repo = Repo::new("workspace-generic");
    let inside = repo.root().join("app/src");
    let run = run_in(&inside, &["baseline", "-q", "-p", "app", "--message-format", "json"], &[], b"");
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    assert_eq!(run.json()["workloads"][0]["package"], "app");
    assert!(repo.root().join("target/perf-expert/baselines/default").exists() && !inside.join("target").exists());
    repo.apply_head();
    let analysis = verify(&repo.root().join("fold"), &["-p", "app"], &[]);
    assert_eq!((&analysis["exit_code"], &analysis["changes"][0]["heat"]), (&100.into(), &"hot".into()), "{analysis:#}");
    assert_eq!(analysis["changes"][0]["file"], "fold/src/lib.rs", "relative to the repository, not to where it was typed");
    let unknown = run_in(&inside, &["baseline", "-p", "ap"], &[], b"");
    assert_ne!(unknown.code, 0);
    assert!(unknown.stderr.contains("`ap`"), "{}", unknown.stderr);
}

#[test]
fn a_path_dependency_outside_of_the_repository_is_found_from_the_worktree() {
    let repo = Repo::new("hot-slower");
    let outside = repo.root().parent().unwrap().join("outside");
    std::fs::create_dir_all(outside.join("src")).unwrap();
    let manifest = "[package]\nname = \"outside\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n";
    std::fs::write(outside.join("Cargo.toml"), manifest).unwrap();
    std::fs::write(outside.join("src/lib.rs"), "pub fn odd(word: u64) -> u64 { word | 1 }\n").unwrap();
    let manifest = repo.read("Cargo.toml").replace("[lib]", "[dependencies]\noutside = { path = \"../outside\" }\n\n[lib]");
    repo.write("Cargo.toml", &manifest);
    repo.write("src/scan.rs", &repo.read("src/scan.rs").replace("(sum ^ word)", "outside::odd(sum ^ word)"));
    let lock =
        std::process::Command::new("cargo").args(["generate-lockfile", "--offline", "-q"]).current_dir(repo.root()).status();
    assert!(lock.unwrap().success());
    let commit = repo.commit("Use what lies outside");

    let run = repo.run(&["baseline", "-q", "--rev", "HEAD", "--save", "outside", "--message-format", "json"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    let baseline = run.json();
    assert_eq!((&baseline["head"]["commit"], &baseline["head"]["dirty"]), (&commit.as_str().into(), &false.into()));
    assert!(baseline["workloads"][0]["profile"]["samples"].as_u64().unwrap() > 100, "{baseline:#}");
    let hot = baseline["workloads"][0]["hot_path"].as_array().unwrap();
    assert!(hot.iter().any(|one| one["item"] == "words::scan::checksum" && one["origin"] == "workspace"), "{hot:#?}");
    assert_eq!(crate::common::checkouts(&repo), Vec::<PathBuf>::new());

    repo.write("README.md", "Words.\n");
    assert_eq!(chosen(&verify(repo.root(), &["--baseline", "outside"], &[])), (commit, "--baseline outside".into()));
    // What is stored was built with the dependency as it was.
    std::fs::write(outside.join("src/lib.rs"), "pub fn odd(word: u64) -> u64 { word.rotate_left(7) | 3 }\n").unwrap();
    repo.write("src/rare.rs", &repo.read("src/rare.rs").replace("02x", "03x"));
    let run = repo.run(&["verify", "-q", "--no-tests", "--baseline", "outside"]);
    assert_eq!(run.code, 102, "{}\n{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("the dependency outside of the repository in"), "{}", run.stderr);
}

#[test]
fn check_claims_of_another_commit_than_the_profiled_one_only_what_was_profiled() {
    let repo = Repo::new("hot-slower");
    let first = git(repo.root(), &["rev-parse", "HEAD"]);
    assert_eq!(repo.run(&["baseline", "-q"]).code, 0);
    let late = "pub fn late(x: u64) -> u64 {\n    let y = x + 1;\n    let z = y + 1;\n    z + 1\n}\n";
    // Where the hot function was.
    repo.write(
        "src/scan.rs",
        &format!("//! One.\n\n\n{late}{}", repo.read("src/scan.rs").trim_start_matches("//! The hot path.")),
    );
    let second = repo.commit("Add what no profile knows");
    repo.write("src/scan.rs", &repo.read("src/scan.rs").replace("z + 1", "z + 2").replace("rotate_left(23)", "rotate_left(21)"));
    let heats = |analysis: &Value| -> Vec<(String, String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let changes = analysis["changes"].as_array().unwrap().iter();
        changes.map(|one| (text(&one["item"]), text(&one["heat"]), text(&one["heat_reason"]))).collect()
    };
    let against_second = repo.run(&["check", "--base", "HEAD", "--message-format", "json"]).json();
    assert_eq!(chosen(&against_second), (second, "--base HEAD".into()));
    let found = heats(&against_second);
    assert_eq!((found[0].0.as_str(), found[0].1.as_str()), ("words::scan::checksum", "hot"), "{found:?}");
    assert_eq!((found[1].0.as_str(), found[1].1.as_str()), ("words::scan::late", "unmeasured"), "{found:?}");
    assert!(found[1].2.contains(&format!("the profile is of the commit {}", &first[..7])), "{found:?}");
    assert!(against_second["environment"]["warnings"][0].as_str().unwrap().contains("is of the commit"), "{against_second:#}");
    assert_eq!(
        chosen(&repo.run(&["check", "--message-format", "json"]).json()),
        (first, "commit of the baseline `default`".into())
    );
}
