use super::super::testing::Crate;
use super::super::{Cargo, DiscoverOptions, SameCode, TargetRef, build, discover, machine_code};
use super::*;

const MANIFEST: &str = "[package]\nname='one'\nedition='2021'\nversion='0.1.0'\n[lib]\n[[bin]]\nname='tool'\npath='src/main.rs'\n\
    [[bench]]\nname='speed'\nharness=false\n";
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
    let options = DiscoverOptions { offline: true, ..DiscoverOptions::default() };
    let workspace = discover(Cargo::new(one.root()), options).unwrap();
    let dir = workspace.side_target_dir("head");
    for kind in [TargetKind::Bench, TargetKind::Bin] {
        let name = if kind == TargetKind::Bench { "speed" } else { "tool" };
        let targets = [TargetRef { package: "one".into(), target: name.into(), kind }];
        let request = BuildRequest { side: "head", targets: &targets, target_dir: &dir, profile: None, jobs: None, quiet: false };
        let built = build(&workspace, &request).unwrap().executables.remove(0).path;
        let before = std::fs::read(&built).unwrap();
        let deps = names(&dir.join("release/deps"));
        let relinkable = Relinkable::prepare(&workspace, &request, Some(&built)).unwrap();
        let out = |name: &str| one.root().join(name);
        relinkable.link(None, &out("plain")).unwrap();
        assert_eq!(machine_code::compare(&built, &out("plain")).unwrap(), SameCode::Same, "{name}");
        match relinkable.link(Some(1), &out("first")) {
            Err(RelinkError::NoLinker) => return skip("no linker here can reorder functions"),
            made => made.unwrap(),
        };
        relinkable.link(Some(2), &out("second")).unwrap();
        relinkable.link(Some(1), &out("again")).unwrap();
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
        Relinkable::prepare(&workspace, &request, Some(&built)).unwrap().link(Some(1), &out("later")).unwrap();
        assert!(same("first", "later"), "{name}");
    }
}

#[test]
fn a_bench_profile_of_its_own_is_not_ignored() {
    let one = fixture();
    one.write("Cargo.toml", &format!("{MANIFEST}[profile.bench]\nopt-level=1\n"));
    let workspace = discover(Cargo::new(one.root()), DiscoverOptions { offline: true, ..DiscoverOptions::default() }).unwrap();
    let targets = [TargetRef { package: "one".into(), target: "tool".into(), kind: TargetKind::Bin }];
    let dir = workspace.side_target_dir("head");
    let request = BuildRequest { side: "head", targets: &targets, target_dir: &dir, profile: None, jobs: None, quiet: false };
    let refused = Relinkable::prepare(&workspace, &request, None).unwrap_err();
    assert!(matches!(refused, RelinkError::BenchProfile), "{refused}");
}
