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
    let of_another = "[target.'cfg(not(target_os=\"linux\"))']\nrustflags=['--cfg=theirs']\n";
    for ours in [
        "[build]\nrustflags=['--cfg=ours']\n",
        "[build]\nrustflags='--cfg ours'\n",
        "[target.'cfg(all())']\nrustflags='--cfg ours'\n",
    ] {
        let (_one, executable) = built(&format!("{ours}{of_another}")).unwrap();
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

#[test]
fn a_function_belongs_to_the_crate_that_its_path_begins_with() {
    let of = |symbol: &str| defining_crate(symbol);
    let own = Some("sort".to_owned());
    assert_eq!(of("_ZN4sort4main17h0123456789abcdefE"), own);
    assert_eq!(of("_RNvCs1234_4sort4main"), own);
    assert_eq!(of("_ZN51_$LT$sort..Key$u20$as$u20$core..cmp..PartialOrd$GT$2lt17h0123456789abcdefE"), own);
    assert_eq!(of("_RNvXCs1234_4sortNtB2_3KeyNtNtCs99_4core3cmp10PartialOrd2lt"), own);
    // Names of std that have "4sort" and "4core" in them.
    let std = Some("core".to_owned());
    assert_eq!(of("_ZN4core5slice4sort6shared9smallsort22panic_on_ord_violation17h0123456789abcdefE"), std);
    assert_eq!(of("_RNvNtNtNtNtCs5678_4core5slice4sort6shared9smallsort22panic_on_ord_violation"), std);
    assert_eq!(of("_ZN4core3ptr30drop_in_place$LT$sort..Key$GT$17h0123456789abcdefE"), std);
    for of_none in ["main", "_ZN44_$LT$$u5b$T$u5d$$u20$as$u20$sort..Sorted$GT$4sort17h0123456789abcdefE", ""] {
        assert_eq!(of(of_none), None, "{of_none}");
    }
}

#[test]
fn crates_that_come_with_the_toolchain_are_not_taken_for_one_s_own() {
    let sysroot = Cargo::new(".").sysroot().unwrap();
    let host = Cargo::new(".").rustc().unwrap().host().unwrap().to_owned();
    let libraries = Utf8PathBuf::from(sysroot).join("lib/rustlib").join(host).join("lib");
    assert!(comes_compiled(&libraries, "core") && comes_compiled(&libraries, "hashbrown"));
    assert!(!comes_compiled(&libraries, "sort") && !comes_compiled(&libraries, "cor"));
}
