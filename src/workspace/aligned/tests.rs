use super::super::testing::Crate;
use super::super::{Cargo, DiscoverOptions, TargetKind, TargetRef, discover};
use super::*;
use crate::process::Tool;

const MANIFEST: &str = "[package]\nname='one'\nedition='2021'\nversion='0.1.0'\n[lib]\n[[bench]]\nname='speed'\nharness=false\n";
/// Of odd sizes: none of them would lie on 64 bytes because of the one before it.
const LIB: &str = "#[inline(never)] pub fn f(x: u64) -> u64 { x * 3 }\n#[inline(never)] pub fn g(x: u64) -> u64 { f(x) + 1 }\n\
    #[inline(never)] pub fn h(x: u64) -> u64 { g(x) ^ f(x) }\n#[cfg(not(ours))] compile_error!(\"a flag was lost\");\n";
const BENCH: &str = "fn main() { println!(\"{}\", one::h(std::env::args().count() as u64)) }";

fn built(config: &str) -> Result<(Crate, Utf8PathBuf), AlignError> {
    let one = Crate::named("one");
    one.write("Cargo.toml", MANIFEST)
        .write("src/lib.rs", LIB)
        .write("benches/speed.rs", BENCH)
        .write(".cargo/config.toml", config);
    let options = DiscoverOptions { offline: true, ..DiscoverOptions::default() };
    let workspace = discover(Cargo::new(one.root()), options)?;
    let targets = [TargetRef { package: "one".into(), target: "speed".into(), kind: TargetKind::Bench }];
    let dir = one.root().join("aligned");
    let request = BuildRequest { side: "head", targets: &targets, target_dir: &dir, profile: None, jobs: None, quiet: true };
    let executable = build_aligned(&workspace, &request, Duration::from_secs(120))?;
    Ok((one, executable))
}

#[test]
fn functions_lie_on_64_bytes_and_the_user_s_flags_are_kept() {
    let environment = ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"].iter().any(|name| std::env::var_os(name).is_some());
    if environment {
        return;
    }
    for config in ["[build]\nrustflags=['--cfg=ours']\n", "[target.'cfg(all())']\nrustflags=['--cfg=ours']\n"] {
        let (_one, executable) = built(config).unwrap();
        assert_eq!(Tool::new(&executable).arg("x").run_checked().unwrap().text(), "1");
        let functions = own_functions(&std::fs::read(&executable).unwrap(), &["one".into(), "speed".into()]);
        assert!(functions.len() >= 3, "{functions:?}");
    }
}

#[test]
fn what_does_not_build_or_comes_out_otherwise_is_said() {
    assert!(matches!(built(""), Err(AlignError::DoesNotBuild)));
}

#[test]
fn the_functions_of_a_crate_are_known_by_their_names() {
    let itself = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let own = own_functions(&itself, &["perf_expert".into()]);
    assert!(own.len() > 100 && own.iter().any(|address| address % ALIGNMENT != 0));
    assert!(own_functions(&itself, &["no_such_crate".into()]).is_empty());
}
