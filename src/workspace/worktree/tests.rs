use super::super::{BuildRequest, SameCode, TargetKind, TargetRef, build, machine_code};
use super::*;
use crate::git::testing::Repo;

const LIB: &str = "pub fn f(x: u64) -> u64 { x * 3 }";

fn repository() -> Repo {
    let repo = Repo::named("my répo");
    repo.write("Cargo.toml", "[package]\nname='one'\nedition='2021'\nversion='0.1.0'\n[[bench]]\nname='speed'\nharness=false\n");
    repo.write("src/lib.rs", LIB).write(".gitignore", "target\nCargo.lock\n");
    repo.write("benches/speed.rs", "fn main() { println!(\"{}\", one::f(std::env::args().count() as u64)) }");
    repo
}

fn open(repo: &Repo) -> (Git, Workspace) {
    let options = DiscoverOptions { offline: true, ..DiscoverOptions::default() };
    let head = discover(Cargo::new(repo.root()), options).unwrap();
    (repo.open().ignoring(head.target_dir()), head)
}

fn build_bench(workspace: &Workspace, dir: &Utf8Path) -> Utf8PathBuf {
    let targets = [TargetRef { package: "one".into(), target: "speed".into(), kind: TargetKind::Bench }];
    let request = BuildRequest { side: "base", targets: &targets, target_dir: dir, profile: None, jobs: None, quiet: false };
    build(workspace, &request).unwrap().executables[0].path.clone()
}

#[test]
fn the_base_builds_to_the_same_machine_code_in_another_directory_and_leaves_no_trace() {
    let repo = repository();
    repo.write(".cargo/config.toml", "[build]\nrustflags = [\"-Ccodegen-units=1\"]\n");
    let base = repo.commit("one");
    repo.write("src/lib.rs", format!("// a comment\n{LIB}"));
    let (git, head) = open(&repo);
    let side = prepare(&git, &head, &base).unwrap();
    assert_eq!(side.cargo, head.cargo, "the configuration is the same: cargo starts where it starts for the head");
    assert!(side.root().ends_with("my répo"));
    let base_workspace = side.discover(&head).unwrap();
    assert_eq!(base_workspace.root(), side.root());
    let base_bench = build_bench(&base_workspace, &head.side_target_dir("base"));
    let head_bench = build_bench(&head, &head.side_target_dir("head"));
    assert_ne!(base_bench, head_bench);
    assert!(matches!(machine_code::compare(&base_bench, &head_bench).unwrap(), SameCode::Same | SameCode::SameButTables { .. }));
    let nest = head.state_dir().join("worktrees").join(&base[..12]);
    assert!(nest.exists());
    drop(side);
    assert!(!nest.exists());
    assert_eq!(repo.git(&["worktree", "list"]).lines().count(), 1);
}

#[test]
fn an_untracked_lock_file_serves_both_sides_and_is_said() {
    let repo = repository();
    let base = repo.commit("one");
    let (git, head) = open(&repo);
    assert!(repo.root().join("Cargo.lock").exists(), "cargo metadata made it");
    let side = prepare(&git, &head, &base).unwrap();
    assert!(side.root().join("Cargo.lock").exists());
    assert!(side.warnings.iter().any(|warning| warning.contains("Cargo.lock")), "{:?}", side.warnings);
}

#[test]
fn path_dependencies_outside_of_the_repository_still_resolve() {
    let repo = repository();
    let write = |path: &str, text: &str| {
        let path = repo.outside(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("libs/out/Cargo.toml", "[package]\nname='out'\nedition='2021'\n[dependencies]\nsecond={path='../second'}\n");
    write("libs/out/src/lib.rs", "pub use second::g;");
    write("libs/second/Cargo.toml", "[package]\nname='second'\nedition='2021'\n");
    write("libs/second/src/lib.rs", "pub fn g(x: u64) -> u64 { x + 1 }");
    repo.write("Cargo.toml", "[package]\nname='one'\nedition='2021'\n[dependencies]\nout={path='../libs/out'}\n[[bench]]\nname='speed'\nharness=false\n");
    repo.write("src/lib.rs", "pub fn f(x: u64) -> u64 { out::g(x) }");
    let base = repo.commit("one");
    let (git, head) = open(&repo);
    let side = prepare(&git, &head, &base).unwrap();
    let base_bench = build_bench(&side.discover(&head).unwrap(), &head.side_target_dir("base"));
    let head_bench = build_bench(&head, &head.side_target_dir("head"));
    assert_eq!(machine_code::compare(&base_bench, &head_bench).unwrap(), SameCode::Same);
    let hashed = |bench: &Utf8Path| -> Vec<String> {
        let files = bench.parent().unwrap().read_dir_utf8().unwrap().flatten().map(|file| file.file_name().to_owned());
        let mut names: Vec<String> = files.filter(|name| Utf8Path::new(name).extension() == Some("rlib")).collect();
        names.sort();
        names
    };
    assert_eq!(hashed(&base_bench), hashed(&head_bench), "the same symbol hashes on both sides");
    drop(side);
    assert!(repo.outside("libs/out/src/lib.rs").exists(), "what was linked is not removed with the links");
}

#[test]
fn a_base_from_before_the_workspace_still_builds() {
    let repo = repository();
    let base = repo.commit("one");
    repo.write("Cargo.toml", "[workspace]\nmembers=['core']\n");
    repo.git(&["rm", "-q", "-r", "src", "benches"]);
    repo.write("core/Cargo.toml", "[package]\nname='core-of-one'\nedition='2021'\n").write("core/src/lib.rs", "");
    repo.commit("two");
    let (git, head) = open(&repo);
    let side = prepare(&git, &head, &base).unwrap();
    let workspace = side.discover(&head).unwrap();
    assert!(workspace.member("one").is_some());
    assert_eq!(workspace.root(), side.root());
}

#[test]
fn other_settings_move_the_base_out_of_the_repository() {
    let repo = repository();
    repo.write(".cargo/config.toml", "[build]\nrustflags = []\n");
    let base = repo.commit("one");
    repo.write(".cargo/config.toml", "[build]\nrustflags = [\"-Ctarget-cpu=native\"]\n");
    let (git, head) = open(&repo);
    let side = prepare(&git, &head, &base).unwrap();
    assert_eq!(side.cargo.cwd, side.root());
    assert!(side.warnings.iter().any(|warning| warning.contains(".cargo/config.toml differs")), "{:?}", side.warnings);
    let nest = side.root().parent().unwrap().to_owned();
    assert_eq!(nest.parent().unwrap().parent(), repo.root().parent());
    // What `kill -9` leaves is found there, too.
    std::mem::forget(git.worktree_add(&nest.join("../000000000000/repo"), &base).unwrap());
    drop(side);
    drop(prepare(&git, &head, &base).unwrap());
    assert!(!nest.parent().unwrap().exists());
    assert_eq!(repo.git(&["worktree", "list"]).lines().count(), 1);
}

#[test]
fn settings_that_only_the_head_has_do_not_reach_the_base() {
    let repo = repository();
    repo.write("src/lib.rs", "pub fn f(x: u64) -> u64 { if cfg!(ours) { x / 3 + 7 } else { x * 3 } }");
    let base = repo.commit("one");
    repo.write(".cargo/config.toml", "[build]\nrustflags = [\"--cfg=ours\"]\n");
    repo.write("rust-toolchain.toml", "[toolchain]\nchannel = \"no-such-toolchain\"\n");
    repo.commit("two");
    let git = repo.open().ignoring(&repo.root().join("target"));
    // Found before there is a toolchain file that nobody has.
    let settings = std::fs::read(repo.root().join("rust-toolchain.toml")).unwrap();
    std::fs::remove_file(repo.root().join("rust-toolchain.toml")).unwrap();
    let (_, head) = open(&repo);
    let head_bench = build_bench(&head, &head.side_target_dir("head"));
    std::fs::write(repo.root().join("rust-toolchain.toml"), settings).unwrap();
    let side = prepare(&git, &head, &base).unwrap();
    let base_bench = build_bench(&side.discover(&head).unwrap(), &head.side_target_dir("base"));
    assert!(matches!(machine_code::compare(&base_bench, &head_bench).unwrap(), SameCode::Different { .. }));
}

#[test]
fn a_private_configuration_goes_along_with_a_base_that_lies_elsewhere() {
    let repo = repository();
    repo.write("rust-toolchain", "stable\n");
    let base = repo.commit("one");
    repo.write("rust-toolchain", "beta\n");
    repo.commit("two");
    std::fs::remove_file(repo.root().join("rust-toolchain")).unwrap();
    repo.write(".cargo/config.toml", "[build]\nrustflags = []\n");
    let (git, head) = open(&repo);
    let side = prepare(&git, &head, &base).unwrap();
    assert!(side.root().join(".cargo/config.toml").exists());
    assert!(!side.root().starts_with(git.root()));
}

#[test]
fn a_private_configuration_applies_to_both_sides() {
    let repo = repository();
    let base = repo.commit("one");
    repo.write(".cargo/config.toml", "[build]\nrustflags = []\n");
    let (git, head) = open(&repo);
    assert_eq!(prepare(&git, &head, &base).unwrap().cargo, head.cargo);
}

#[test]
fn submodules_are_checked_out_from_the_users_own_clone() {
    let library = Repo::named("library");
    let wanted = library.write("x.txt", "1").commit("one");
    let repo = repository();
    repo.git(&["submodule", "--quiet", "add", library.root().as_str(), "vendor/library"]);
    let base = repo.commit("one");
    library.write("x.txt", "2").commit("two");
    repo.git(&["-C", "vendor/library", "pull", "-q"]);
    let (git, head) = open(&repo);
    assert_eq!(git.submodules(&base).unwrap(), [("vendor/library".into(), wanted)]);
    let side = prepare(&git, &head, &base).unwrap();
    assert_eq!(std::fs::read_to_string(side.root().join("vendor/library/x.txt")).unwrap(), "1");
    let nest = side.root().to_owned();
    drop(side);
    assert!(!nest.exists());
    assert_eq!(repo.git(&["-C", "vendor/library", "worktree", "list"]).lines().count(), 1);
}

#[test]
fn leftovers_are_removed_unless_somebody_holds_their_lock() {
    let repo = repository();
    let base = repo.commit("one");
    let (git, head) = open(&repo);
    let side = prepare(&git, &head, &base).unwrap();
    let root = side.root().to_owned();
    assert!(matches!(prepare(&git, &head, &base), Err(WorkspaceError::Store(StoreError::Busy { .. }))));
    assert!(root.exists(), "the other run keeps its checkout");
    drop(side);
    // What `kill -9` leaves: a checkout that git knows, and a free lock.
    std::mem::forget(git.worktree_add(&root, &base).unwrap());
    let side = prepare(&git, &head, &base).unwrap();
    assert!(side.root().join("src/lib.rs").exists());
}

#[test]
fn a_commit_without_this_workspace_is_named() {
    let repo = Repo::new();
    let base = repo.write("README", "").commit("zero");
    repo.write("Cargo.toml", "[package]\nname='one'\nedition='2021'\n").write("src/lib.rs", "").commit("one");
    let (git, head) = open(&repo);
    let error = prepare(&git, &head, &base).unwrap_err();
    assert!(matches!(&error, WorkspaceError::NotAtBase { manifest, .. } if manifest == "Cargo.toml"), "{error}");
}
