use super::super::testing::Crate;
use super::super::{Cargo, DiscoverOptions, SameCode, TargetRef, build, discover, machine_code};
use super::*;

const MANIFEST: &str = "[package]\nname='one'\nedition='2021'\nversion='0.1.0'\n[lib]\n[[bin]]\nname='tool'\npath='src/main.rs'\n\
    [[bench]]\nname='speed'\nharness=false\n";
const PATIENCE: Duration = Duration::from_secs(90);
const MAIN: &str = "fn main() { println!(\"{}\", one::f(std::env::args().count() as u64)) }";

fn fixture() -> Crate {
    let one = Crate::named("a b");
    one.write("Cargo.toml", MANIFEST).write("src/lib.rs", "#[inline(never)] pub fn f(x: u64) -> u64 { x * 3 }");
    one.write("src/main.rs", MAIN).write("benches/speed.rs", MAIN);
    one
}

#[expect(clippy::print_stderr, reason = "a test that checks nothing here says so")]
fn skip(why: &str) {
    eprintln!("skipped: {why}");
}

#[test]
fn links_are_of_the_same_code_in_another_order_and_leave_the_build_alone() {
    let names = |path: &Utf8Path| -> Vec<String> {
        path.read_dir_utf8().unwrap().flatten().map(|entry| entry.file_name().to_owned()).collect()
    };
    let one = fixture();
    let workspace = discovered(&one).unwrap();
    let dir = workspace.side_target_dir("head");
    for kind in [TargetKind::Bench, TargetKind::Bin] {
        let name = if kind == TargetKind::Bench { "speed" } else { "tool" };
        let targets = [TargetRef { package: "one".into(), target: name.into(), kind }];
        let request = request(&targets, &dir);
        let built = build(&workspace, &request).unwrap().executables.remove(0).path;
        let before = std::fs::read(&built).unwrap();
        let deps = names(&dir.join("release/deps"));
        let relinkable = Relinkable::prepare(&workspace, &request, Some(&built), PATIENCE).unwrap();
        let out = |name: &str| one.root().join(name);
        relinkable.link_as_built(&out("plain")).unwrap();
        assert_eq!(machine_code::compare(&built, &out("plain")).unwrap(), SameCode::Same, "{name}");
        match relinkable.link(1, &out("first")) {
            Err(RelinkError::NoLinker) => return skip("no linker here can reorder functions"),
            made => made.unwrap(),
        };
        relinkable.link(2, &out("second")).unwrap();
        relinkable.link(1, &out("again")).unwrap();
        let same = |left: &str, right: &str| machine_code::compare(&out(left), &out(right)).unwrap() == SameCode::Same;
        assert!(same("first", "again") && !same("first", "second") && !same("first", "plain"), "{name}");
        for link in ["plain", "first", "second"] {
            assert_eq!(Tool::new(out(link)).args(["x"]).run_checked().unwrap().text(), "6");
        }
        drop(relinkable);
        assert_eq!(std::fs::read(&built).unwrap(), before, "the build's own executable");
        // cargo's list of dependencies of the second compilation stays.
        let left: Vec<String> = names(&dir.join("release/deps")).into_iter().filter(|name| !deps.contains(name)).collect();
        assert!(left.iter().all(|name| Utf8Path::new(name).extension() == Some("d")), "{left:?}");
        // Fresh for cargo or not: a second time works as the first.
        Relinkable::prepare(&workspace, &request, Some(&built), PATIENCE).unwrap().link(1, &out("later")).unwrap();
        assert!(same("first", "later"), "{name}");
    }
}

fn request<'a>(targets: &'a [TargetRef], target_dir: &'a Utf8Path) -> BuildRequest<'a> {
    BuildRequest { side: "head", targets, target_dir, profile: None, jobs: None, quiet: false }
}

fn discovered(one: &Crate) -> Result<Workspace, WorkspaceError> {
    discover(Cargo::new(one.root()), DiscoverOptions { offline: true, ..DiscoverOptions::default() })
}

#[test]
fn a_bench_profile_of_its_own_is_kept() {
    let one = fixture();
    let profiles = "[profile.release]\nopt-level=3\n[profile.bench]\nopt-level=1\nlto='fat'\ncodegen-units=1\n";
    one.write("Cargo.toml", &format!("{MANIFEST}{profiles}"));
    let workspace = discovered(&one).unwrap();
    let dir = workspace.side_target_dir("head");
    let targets = [TargetRef { package: "one".into(), target: "tool".into(), kind: TargetKind::Bin }];
    let request = request(&targets, &dir);
    let built = build(&workspace, &request).unwrap().executables.remove(0).path;
    let relinkable = Relinkable::prepare(&workspace, &request, Some(&built), PATIENCE).unwrap();
    let again = one.root().join("again");
    relinkable.link_as_built(&again).unwrap();
    assert_eq!(machine_code::compare(&built, &again).unwrap(), SameCode::Same);
}

#[test]
fn a_bench_profile_that_cannot_be_copied_is_not_ignored() {
    let one = fixture();
    let workspace = discovered(&one).unwrap();
    let dir = workspace.side_target_dir("head");
    let targets = [TargetRef { package: "one".into(), target: "tool".into(), kind: TargetKind::Bin }];
    let request = request(&targets, &dir);
    let built = build(&workspace, &request).unwrap().executables.remove(0).path;
    // As from a configuration above the workspace: not the code that was built.
    one.write("src/lib.rs", "#[inline(never)] pub fn f(x: u64) -> u64 { x * 5 }");
    let refused = Relinkable::prepare(&workspace, &request, Some(&built), PATIENCE).unwrap_err();
    assert!(matches!(refused, RelinkError::BenchProfile), "{refused}");
}

/// A linker that reads no list and drops what would shuffle, as wrappers do that filter arguments.
#[test]
fn a_link_in_the_order_of_the_build_is_not_claimed_for_another() {
    let one = fixture();
    let (wrapper, host) = (one.root().join("wrapper"), Cargo::new(one.root()).rustc().unwrap());
    let text = "#!/bin/sh\nfor arg do\n  shift\n  case $arg in\n    *shuffle-sections*|*--verbose*) ;;\n    *) set -- \"$@\" \"$arg\" ;;\n  \
        esac\ndone\nexec cc \"$@\"\n";
    one.write("wrapper", text);
    Tool::new("chmod").args(["+x", wrapper.as_str()]).run_checked().unwrap();
    for strip in ["", "rustflags=['-Cstrip=symbols']\n"] {
        one.write(".cargo/config.toml", &format!("[target.{}]\nlinker='{wrapper}'\n{strip}", host.host().unwrap()));
        let workspace = discovered(&one).unwrap();
        let dir = workspace.side_target_dir("head");
        let targets = [TargetRef { package: "one".into(), target: "speed".into(), kind: TargetKind::Bench }];
        let relinkable = Relinkable::prepare(&workspace, &request(&targets, &dir), None, PATIENCE).unwrap();
        let refused = relinkable.link(1, &one.root().join("first")).unwrap_err();
        assert!(matches!(refused, RelinkError::OrderKept), "{refused}");
    }
}

/// GNU ld, if it is there: with it alone, and with the toolchain's LLD beside it.
#[test]
fn where_the_build_s_linker_cannot_shuffle_another_way_is_found() {
    if !Tool::new("ld.bfd").arg("--version").run().is_ok_and(|ended| ended.success()) {
        return skip("GNU ld is not here");
    }
    let one = fixture();
    one.write(".cargo/config.toml", "[build]\nrustflags=['-Clink-arg=-fuse-ld=bfd']\n");
    one.write(
        "src/lib.rs",
        "#[inline(never)] pub fn f(x: u64) -> u64 { x * 3 }\n#[inline(never)] pub fn g(x: u64) -> u64 { f(x) }",
    );
    let workspace = discovered(&one).unwrap();
    let dir = workspace.side_target_dir("head");
    let targets = [TargetRef { package: "one".into(), target: "speed".into(), kind: TargetKind::Bench }];
    let mut relinkable = Relinkable::prepare(&workspace, &request(&targets, &dir), None, PATIENCE).unwrap();
    let out = |name: &str| one.root().join(name);
    let same = |left: &str, right: &str| machine_code::compare(&out(left), &out(right)).unwrap() == SameCode::Same;
    if relinkable.own_lld.is_some() {
        assert_eq!(relinkable.link(1, &out("lld")).unwrap(), Linker::ToolchainLld);
        assert_eq!(Tool::new(out("lld")).args(["x"]).run_checked().unwrap().text(), "6");
    }
    relinkable.own_lld = None;
    relinkable.way = OnceCell::new();
    relinkable.link_as_built(&out("plain")).unwrap();
    for (seed, name) in [(1, "first"), (2, "second"), (1, "again")] {
        assert_eq!(relinkable.link(seed, &out(name)).unwrap(), Linker::GnuLd);
        assert_eq!(Tool::new(out(name)).args(["x"]).run_checked().unwrap().text(), "6");
    }
    assert!(same("first", "again") && !same("first", "second") && !same("first", "plain"));
    // Nothing is lost or twice there.
    let functions = |name: &str| listed::functions(&out(name)).unwrap().into_iter().collect::<std::collections::BTreeSet<_>>();
    assert_eq!(functions("first"), functions("plain"));
}
