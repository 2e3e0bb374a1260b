use super::super::testing::Crate;
use super::super::{Cargo, DiscoverOptions, SameCode, discover, machine_code};
use super::*;
use crate::error::Expected;
use crate::exit::Exit;

const MANIFEST: &str = "[package]\nname='one-é'\nedition='2021'\nversion='0.1.0'\n[lib]\nname='one'\n[[bin]]\nname='tool'\npath='src/main.rs'\n\
    [dependencies]\nout={path='../out side'}\n[[bench]]\nname='speed'\nharness=false\n[profile.release]\nstrip=true\n";

fn fixture() -> Crate {
    let one = Crate::named("a é b");
    one.write("Cargo.toml", &MANIFEST.replace("one-é", "one")).write("src/lib.rs", "pub fn f(x: u64) -> u64 { out::g(x) * 3 }");
    one.write("src/main.rs", "fn main() { println!(\"{}\", one::f(std::env::args().count() as u64)) }");
    one.write("benches/speed.rs", "fn main() { println!(\"{}\", one::f(std::env::args().count() as u64)) }");
    one.write("../out side/Cargo.toml", "[package]\nname='out'\nedition='2021'\n");
    one.write("../out side/src/lib.rs", "pub fn g(x: u64) -> u64 { x + 1 }");
    one
}

fn open(one: &Crate) -> Workspace {
    discover(Cargo::new(one.root()), DiscoverOptions { offline: true, ..DiscoverOptions::default() }).unwrap()
}

fn target(name: &str, kind: TargetKind) -> TargetRef {
    TargetRef { package: "one".into(), target: name.into(), kind }
}

fn build_into(workspace: &Workspace, dir: &camino::Utf8Path, targets: &[TargetRef]) -> Result<Built, WorkspaceError> {
    build(workspace, &BuildRequest { side: "head", targets, target_dir: dir, profile: None, jobs: None, quiet: false })
}

#[test]
fn benches_and_binaries_are_built_with_debug_info_wherever_they_lie() {
    let one = fixture();
    let workspace = open(&one);
    let targets = [target("speed", TargetKind::Bench), target("tool", TargetKind::Bin)];
    let built = build_into(&workspace, &workspace.side_target_dir("head"), &targets).unwrap();
    assert_eq!(built.executables.iter().map(|one| &one.target).collect::<Vec<_>>(), targets.iter().collect::<Vec<_>>());
    for artifact in &built.executables {
        assert!(artifact.path.starts_with(workspace.side_target_dir("head")), "{}", artifact.path);
        assert_eq!(artifact.cwd, one.root());
        assert!(artifact.env.contains(&("CARGO_MANIFEST_DIR".into(), one.root().to_string())));
        let launch = crate::process::Launch::new(artifact.path.as_std_path(), artifact.cwd.as_std_path());
        let finished = crate::process::run(&launch, &crate::process::Limits::default()).unwrap();
        assert_eq!(finished.stdout_text(), "6\n");
        #[cfg(target_os = "linux")]
        assert!(machine_code::has_debug_info(&artifact.path).unwrap(), "{}", artifact.path);
    }
    assert!(built.rustc.contains("host: "));
    assert!(!one.root().join("target/release").exists(), "the user's cache is untouched");
}

#[test]
fn comments_leave_the_machine_code_alone_and_constants_do_not() {
    let one = fixture();
    let workspace = open(&one);
    let targets = [target("speed", TargetKind::Bench)];
    let build_as = |side: &str, text: &str| {
        one.write("src/lib.rs", text);
        let built = build_into(&workspace, &workspace.side_target_dir(side), &targets).unwrap();
        built.executables[0].path.clone()
    };
    let base = build_as("base", "pub fn f(x: u64) -> u64 { out::g(x) * 3 }");
    let comment = build_as("comment", "// a comment\npub fn f(x: u64) -> u64 { out::g(x) * 3 }");
    let slower = build_as("slower", "pub fn f(x: u64) -> u64 { out::g(x) * 1_000_003 + x / 7 }");
    assert_eq!(machine_code::compare(&base, &comment).unwrap(), SameCode::Same);
    match machine_code::compare(&base, &slower).unwrap() {
        SameCode::Different { sections } => assert!(!sections.is_empty()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn code_that_does_not_compile_ends_with_101_and_says_which_side_and_what_to_do() {
    let one = fixture();
    one.write("src/lib.rs", "pub fn f(x: u64) -> u64 { nonsense }");
    let workspace = open(&one);
    let error = build_into(&workspace, &workspace.side_target_dir("head"), &[target("speed", TargetKind::Bench)]).unwrap_err();
    assert!(error.to_string().starts_with("head does not build"), "{error}");
    assert!(error.hint().unwrap().contains("cargo bench --no-run"));
    assert_eq!(error.exit(), Exit::Incomplete);
}

#[test]
fn the_profile_is_named_as_cargo_reads_it_from_the_environment() {
    let names: Vec<String> = profile_environment("my-perf").into_iter().map(|(name, _)| name).collect();
    assert!(names.contains(&"CARGO_PROFILE_MY_PERF_DEBUG".to_owned()), "{names:?}");
    let names: Vec<String> = profile_environment("bench").into_iter().map(|(name, _)| name).collect();
    assert!(names.contains(&"CARGO_PROFILE_BENCH_STRIP".to_owned()) && names.contains(&"CARGO_PROFILE_RELEASE_STRIP".to_owned()));
}
