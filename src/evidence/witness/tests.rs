use super::*;
use crate::source::{CrateRoot, SourceFile};

const LIB: &str = "pub fn utf8len(bytes: &[u8]) -> usize {\n    bytes.len()\n}\npub fn other() {}\n";

fn asked<'a>(tree: &'a Tree, mapper: &'a PathMapper, names: &[&str]) -> Asked<'a> {
    let key = |name: &&str| tree.items().iter().find(|item| item.path.ends_with(*name)).map(|item| item.key.as_str());
    Asked { tree, mapper, items: names.iter().map(key).collect() }
}

#[test]
fn functions_of_a_recorded_run_are_mapped_to_items() {
    let counts = Counts::parse(include_str!("../../../fixtures/callgrind/words.out")).unwrap();
    let roots = [CrateRoot::new("words", "src/lib.rs")];
    let tree = Tree::of(&[SourceFile::new(camino::Utf8PathBuf::from("src/lib.rs"), LIB, &roots)]);
    let mapper = PathMapper::new([camino::Utf8PathBuf::from("/home/me/words")]);
    let read = read(&counts, &asked(&tree, &mapper, &["utf8len", "other", "gone"]));
    let [Some(Counted::Function(function)), Some(Counted::Nothing), None] = read.items[..] else { panic!("{read:?}") };
    assert!(function > 80_000 && function < read.iteration.unwrap() && read.iteration.unwrap() <= read.process, "{read:?}");
}

#[test]
fn code_that_is_inlined_is_counted_by_its_lines() {
    let text = "events: Ir\nfl=(1) /home/me/words/benches/b.rs\nfn=(1) main\n9 5\nfi=(2) /home/me/words/src/lib.rs\n2 40\n4 7\n";
    let roots = [CrateRoot::new("words", "src/lib.rs")];
    let tree = Tree::of(&[SourceFile::new(camino::Utf8PathBuf::from("src/lib.rs"), LIB, &roots)]);
    let mapper = PathMapper::new([camino::Utf8PathBuf::from("/home/me/words")]);
    let read = read(&Counts::parse(text).unwrap(), &asked(&tree, &mapper, &["utf8len", "other"]));
    assert_eq!(read.items, [Some(Counted::Lines(40)), Some(Counted::Lines(7))]);
    assert_eq!((read.iteration, read.process), (None, 52));
}

#[test]
fn the_iteration_is_criterion_s_function_or_its_drop_in_s() {
    for name in [
        "criterion::bencher::Bencher<M>::iter",
        "criterion::bencher::Bencher::iter_batched",
        "codspeed_criterion_compat_walltime::bencher::Bencher<M>::__codspeed_root_frame__iter",
    ] {
        assert!(runs_one_iteration(name), "{name}");
    }
    for name in ["bencher::Bencher::iter", "mine::bencher::Bencher::iter", "criterion::bencher::Bencher::iter::{{closure}}"] {
        assert!(!runs_one_iteration(name), "{name}");
    }
}
