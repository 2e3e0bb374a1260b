//! Fixture trees as temporary git repositories, and the real binary run in them.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A temporary git repository that holds one fixture.
pub(crate) struct Repo {
    _dir: tempfile::TempDir,
    root: PathBuf,
    case: PathBuf,
}

/// How one run of the binary ended.
pub(crate) struct Run {
    /// Exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Run {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.stdout, self.stderr))
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Copies a tree; `Cargo_test.toml` becomes `Cargo.toml` (cargo must not see fixtures as packages).
pub(crate) fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        let name = if name == "Cargo_test.toml" { "Cargo.toml".into() } else { name };
        let target = to.join(name);
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Runs git in `dir`, with an identity, away from the user's configuration.
pub(crate) fn git(dir: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "init.defaultBranch=main"])
        .args(args)
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

impl Repo {
    /// The fixture's base tree, committed.
    pub(crate) fn new(case: &str) -> Self {
        Self::at(case, "repo")
    }

    /// The same in a directory of this name.
    pub(crate) fn at(case: &str, name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join(name);
        let case = fixtures().join(case);
        copy_tree(&case.join("base"), &root);
        Self::committed(dir, root, case)
    }

    /// A repository of these files (path and text), committed.
    pub(crate) fn of_files(name: &str, files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join(name);
        for (path, text) in files {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self::committed(dir, root, PathBuf::new())
    }

    fn committed(dir: tempfile::TempDir, root: PathBuf, case: PathBuf) -> Self {
        std::fs::write(root.join(".gitignore"), "/target\n").unwrap();
        git(&root, &["init", "-q"]);
        // A lock file as a project that commits it has one; without it, cargo would write it as an untracked file.
        let locked = Command::new("cargo").args(["generate-lockfile", "--offline", "-q"]).current_dir(&root).status().unwrap();
        assert!(locked.success());
        git(&root, &["add", "-A"]);
        git(&root, &["commit", "-qm", "Add the base"]);
        Self { _dir: dir, root, case }
    }

    /// Where the repository is.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Puts the head tree into the working tree.
    pub(crate) fn apply_head(&self) {
        for entry in std::fs::read_dir(&self.root).unwrap() {
            let path = entry.unwrap().path();
            let keep = [".git", ".gitignore", "target", "Cargo.lock"];
            if keep.iter().any(|name| path.ends_with(name)) {
                continue;
            }
            if path.is_dir() { std::fs::remove_dir_all(&path).unwrap() } else { std::fs::remove_file(&path).unwrap() }
        }
        copy_tree(&self.case.join("head"), &self.root);
    }

    /// Commits everything.
    pub(crate) fn commit(&self, message: &str) -> String {
        git(&self.root, &["add", "-A"]);
        git(&self.root, &["commit", "-qm", message]);
        git(&self.root, &["rev-parse", "HEAD"])
    }

    /// Writes a file of the working tree.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// A file of the working tree.
    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.root.join(path)).unwrap()
    }

    /// Runs `cargo-perf-expert ARGS` in the repository.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.run_with(args, &[], b"")
    }

    /// The same with variables and standard input.
    pub(crate) fn run_with(&self, args: &[&str], env: &[(&str, &str)], stdin: &[u8]) -> Run {
        run_in(&self.root, args, env, stdin)
    }
}

/// Variables of whoever runs the tests that would change what is tested.
pub(crate) const FOREIGN: [&str; 13] = [
    "CARGO_TARGET_DIR",
    "CARGO_TERM_COLOR",
    "CARGO_TERM_PROGRESS_WHEN",
    "CLICOLOR_FORCE",
    "GITHUB_ACTIONS",
    "GITHUB_EVENT_NAME",
    "GITHUB_EVENT_PATH",
    "GITHUB_SHA",
    "PRE_COMMIT_FROM_REF",
    "PRE_COMMIT_TO_REF",
    "PERF_EXPERT_ENGINE",
    "PERF_EXPERT_SIMULATE_REFUSAL",
    "RUSTFLAGS",
];

/// Runs the binary in a directory.
pub(crate) fn run_in(dir: &Path, args: &[&str], env: &[(&str, &str)], stdin: &[u8]) -> Run {
    let mut command = assert_cmd::Command::cargo_bin("cargo-perf-expert").unwrap();
    command.args(args).current_dir(dir).write_stdin(stdin.to_vec());
    for name in FOREIGN {
        command.env_remove(name);
    }
    for (name, value) in env {
        command.env(name, value);
    }
    let output = command.output().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// What is left of checkouts; their lock files stay.
pub(crate) fn checkouts(repo: &Repo) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(repo.root().join("target/perf-expert/worktrees")) else { return Vec::new() };
    entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_none_or(|end| end != "lock")).collect()
}
