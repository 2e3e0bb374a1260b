//! What goes wrong in real life: each case ends with a clear error, the way out, the right exit code, and nothing left behind.

use std::path::Path;
use std::process::Command;

use crate::common::{Repo, git, run_in};

/// No worktree, no temporary directory, no process of the repository is left.
fn assert_nothing_left(repo: &Repo) {
    assert_eq!(crate::common::checkouts(repo), Vec::<std::path::PathBuf>::new());
    assert_eq!(git(repo.root(), &["worktree", "list"]).lines().count(), 1);
    let root = repo.root().to_str().unwrap();
    let processes = Command::new("ps").args(["-eo", "pid,args"]).output().unwrap();
    let processes = String::from_utf8_lossy(&processes.stdout).into_owned();
    let orphans: Vec<&str> = processes.lines().filter(|line| line.contains(&format!("{root}/target/perf-expert"))).collect();
    assert!(orphans.is_empty(), "{orphans:?}");
}

const BENCH_HEAD: &str = "use words::{scan, setup};\nfn work() {\n    let words = setup::words(4096);\n    for _ in 0..2000 {\n        std::hint::black_box(scan::checksum(std::hint::black_box(&words)));\n    }\n}\n";

fn with_bench(main: &str) -> Repo {
    let repo = Repo::new("hot-slower");
    repo.write("benches/scan.rs", &format!("{BENCH_HEAD}fn main() {{\n{main}\n}}\n"));
    repo.commit("Change the bench");
    repo
}

#[test]
fn outside_of_a_git_repository_it_says_so() {
    let dir = tempfile::tempdir().unwrap();
    crate::common::copy_tree(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hot-slower/base"), dir.path());
    let run = run_in(dir.path(), &["baseline"], &[("GIT_CEILING_DIRECTORIES", dir.path().to_str().unwrap())], b"");
    assert_eq!(run.code, 101, "{}", run.stderr);
    assert!(run.stderr.contains("git repository") && run.stderr.contains("git init"), "{}", run.stderr);
}

#[test]
fn outside_of_a_package_it_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let run = run_in(dir.path(), &["baseline"], &[], b"");
    assert_eq!(run.code, 101, "{}", run.stderr);
    assert!(run.stderr.contains("Cargo.toml"), "{}", run.stderr);
}

#[test]
fn without_benches_and_binaries_it_shows_what_to_add() {
    let repo = Repo::new("hot-slower");
    std::fs::remove_dir_all(repo.root().join("benches")).unwrap();
    let manifest = repo.read("Cargo.toml").replace("[[bench]]\nname = \"scan\"\nharness = false\n", "");
    repo.write("Cargo.toml", &manifest);
    repo.commit("Remove the bench");
    let run = repo.run(&["baseline"]);
    assert_eq!(run.code, 102, "{}", run.stderr);
    assert!(run.stderr.contains("[[bench]]"), "{}", run.stderr);
}

#[test]
fn an_unknown_bench_name_gets_the_nearest_one() {
    let repo = Repo::new("hot-slower");
    let run = repo.run(&["baseline", "--bench", "scam"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("scam") && run.stderr.contains("`scan`"), "{}", run.stderr);
}

#[test]
fn an_unknown_workload_gets_the_nearest_one() {
    let repo = Repo::new("hot-slower");
    let run = repo.run(&["baseline", "--workload", "scam"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("`scan`"), "{}", run.stderr);
}

#[test]
fn a_misspelt_key_in_the_manifest_gets_the_nearest_one() {
    let repo = Repo::new("hot-slower");
    let manifest = format!("{}\n[package.metadata.perf-expert]\nmargni = \"3%\"\n", repo.read("Cargo.toml"));
    repo.write("Cargo.toml", &manifest);
    let run = repo.run(&["baseline", "--allow-dirty"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("margni") && run.stderr.contains("margin"), "{}", run.stderr);
}

#[test]
fn a_dirty_tree_is_refused_unless_allowed() {
    let repo = Repo::new("hot-slower");
    repo.apply_head();
    let refused = repo.run(&["baseline"]);
    assert_eq!(refused.code, 101, "{}", refused.stderr);
    assert!(refused.stderr.contains("--allow-dirty"), "{}", refused.stderr);
    let allowed = repo.run(&["baseline", "--allow-dirty", "--message-format", "json"]);
    assert_eq!(allowed.code, 0, "{}", allowed.stderr);
    assert_eq!(allowed.json()["head"]["dirty"], true);
}

#[test]
fn a_compile_error_at_head_is_shown_as_cargo_shows_it() {
    let repo = Repo::new("hot-slower");
    repo.write("src/rare.rs", "pub fn broken() -> u64 { \"text\" }\n");
    let run = repo.run(&["verify", "--no-tests", "--base", "HEAD"]);
    assert_eq!(run.code, 101, "{}", run.stderr);
    assert!(run.stderr.contains("E0308"), "{}", run.stderr);
    assert_nothing_left(&repo);
}

#[test]
fn a_bench_that_panics_is_named_with_what_it_said() {
    let repo = with_bench("    work();\n    panic!(\"the roof is on fire\");");
    let run = repo.run(&["baseline"]);
    assert_eq!(run.code, 102, "{}\n{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("the roof is on fire"), "{}", run.stderr);
    assert_nothing_left(&repo);
}

#[test]
fn a_bench_that_starts_to_exit_with_3_fails_the_verdict() {
    let repo = with_bench("    work();");
    assert_eq!(repo.run(&["baseline", "-q"]).code, 0);
    repo.write(
        "src/scan.rs",
        &repo.read("src/scan.rs").replace("    sum\n}", "    if sum != 1 { std::process::exit(3) }\n    sum\n}"),
    );
    let run = repo.run(&["verify", "--no-tests"]);
    assert_eq!(run.code, 100, "{}\n{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("exit code 3"), "{}", run.stdout);
    assert_nothing_left(&repo);
}

#[test]
fn a_bench_that_hangs_is_killed_at_its_timeout() {
    let repo = with_bench("    loop { std::thread::sleep(std::time::Duration::from_secs(1)); }");
    let run = repo.run(&["baseline", "--timeout", "2s"]);
    assert_eq!(run.code, 102, "{}\n{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("2.0 s"), "{}", run.stderr);
    assert_nothing_left(&repo);
}

#[test]
fn a_megabyte_of_stderr_is_no_problem() {
    let repo = with_bench("    eprintln!(\"{}\", \"x\".repeat(1 << 20));\n    work();");
    let run = repo.run(&["baseline"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    assert!(run.stderr.len() < 100_000);
}

#[test]
fn a_child_that_outlives_its_bench_is_ended() {
    let child = "    std::process::Command::new(\"sleep\").arg(\"4000\").spawn().unwrap();\n    work();";
    let repo = with_bench(child);
    let run = repo.run(&["baseline"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    let processes = Command::new("ps").args(["-eo", "args"]).output().unwrap();
    assert!(!String::from_utf8_lossy(&processes.stdout).lines().any(|line| line == "sleep 4000"));
    assert_nothing_left(&repo);
}

#[test]
fn a_shallow_clone_gets_the_exact_fix() {
    let repo = Repo::new("hot-slower");
    repo.apply_head();
    repo.commit("perf: Make it slower");
    let dir = tempfile::tempdir().unwrap();
    let url = format!("file://{}", repo.root().display());
    git(dir.path(), &["clone", "-q", "--depth", "1", &url, "clone"]);
    let run = run_in(&dir.path().join("clone"), &["verify", "--no-tests", "--base", "HEAD^"], &[], b"");
    assert_eq!(run.code, 102, "{}", run.stderr);
    assert!(run.stderr.contains("--unshallow") && run.stderr.contains("fetch-depth: 0"), "{}", run.stderr);
}

#[test]
fn a_store_of_a_newer_version_is_named_and_left_alone() {
    let repo = Repo::new("hot-slower");
    assert_eq!(repo.run(&["baseline", "-q"]).code, 0);
    let file = "target/perf-expert/baselines/default/baseline.json";
    let newer = repo.read(file).replacen("\"schema_version\": 1", "\"schema_version\": 99", 1);
    let newer = newer.replacen("\"schema_version\":1", "\"schema_version\":99", 1);
    repo.write(file, &newer);
    let run = repo.run(&["check"]);
    assert_eq!(run.code, 101, "{}\n{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("baseline.json") && run.stderr.contains("newer"), "{}", run.stderr);
    // It would name the base, so nothing else may in its place; nor may it be replaced.
    repo.write("README.md", "Words.\n");
    let verified = repo.run(&["verify", "--no-tests"]);
    assert_eq!(verified.code, 102, "{}\n{}", verified.stdout, verified.stderr);
    for needed in ["baseline.json", "newer", "--base REV"] {
        assert!(verified.stderr.contains(needed), "{}", verified.stderr);
    }
    let replaced = repo.run(&["baseline", "-q", "--allow-dirty"]);
    assert_eq!(replaced.code, 101, "{}\n{}", replaced.stdout, replaced.stderr);
    assert!(replaced.stderr.contains("newer") && replaced.stderr.contains("--baseline-dir"), "{}", replaced.stderr);
    assert_eq!(repo.read(file), newer);
}

#[test]
fn a_truncated_store_is_named_with_the_way_out() {
    let repo = Repo::new("hot-slower");
    assert_eq!(repo.run(&["baseline", "-q"]).code, 0);
    let file = "target/perf-expert/baselines/default/baseline.json";
    let text = repo.read(file);
    repo.write(file, &text[..text.len() / 2]);
    let run = repo.run(&["check"]);
    assert_eq!(run.code, 101, "{}\n{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("baseline.json") && run.stderr.contains("cargo perf-expert baseline"), "{}", run.stderr);
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let repo = Repo::new("hot-slower");
    let run = repo.run(&["baseline", "--baseline-dir", "/proc/perf-expert"]);
    assert_eq!(run.code, 101, "{}", run.stderr);
    assert!(run.stderr.contains("/proc/perf-expert") && run.stderr.contains("--baseline-dir"), "{}", run.stderr);
}

#[test]
fn a_second_run_at_once_is_refused() {
    let repo = with_bench("    std::thread::sleep(std::time::Duration::from_secs(2));\n    work();");
    let exe = assert_cmd::cargo::cargo_bin("cargo-perf-expert");
    let mut first = Command::new(exe)
        .args(["baseline", "-q"])
        .current_dir(repo.root())
        .env_remove("CARGO_TARGET_DIR")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let lock = repo.root().join("target/perf-expert/lock");
    let begun = std::time::Instant::now();
    while !lock.exists() && begun.elapsed().as_secs() < 60 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    let second = repo.run(&["baseline"]);
    let stopped = Command::new("kill").args(["-INT", &first.id().to_string()]).status().unwrap();
    assert!(stopped.success());
    assert_eq!(first.wait().unwrap().code(), Some(130), "Ctrl-C ends with 130");
    assert_eq!(second.code, 101, "{}", second.stderr);
    assert!(second.stderr.contains(&first.id().to_string()), "it names the other process: {}", second.stderr);
    assert_nothing_left(&repo);
}
