//! The join on hand-made profiles of a small workspace.

use proptest::prelude::*;

use super::*;
use crate::profile::model::ProfileBuilder;
use crate::profile::{Engine, Frame, Profile, Quality};
use crate::source::{CrateRoot, Reach, SourceFile, Tree};

const LIB: &str = "\
pub fn outer(xs: &[u64]) -> u64 {
    let add = |a: u64, b: u64| {
        a + b
    };
    let sum = xs.iter().fold(0, add);
    sum + helper!(sum) + inner(sum)
}
fn inner(x: u64) -> u64 {
    x * 3
}
macro_rules! define_fn {
    ($name:ident) => {
        pub fn $name() -> u64 {
            7
        }
    };
}
define_fn!(made);
pub fn recursive(n: u64) -> u64 {
    if n == 0 { 0 } else { recursive(n - 1) }
}
";

fn tree() -> Tree {
    let roots = [CrateRoot::new("app", "src/lib.rs"), CrateRoot::new("work", "benches/work.rs")];
    Tree::of(&[
        SourceFile::new("src/lib.rs", LIB, &roots),
        SourceFile::new("benches/work.rs", "fn bench() {\n    run();\n}\n", &roots),
    ])
}

fn mapper() -> PathMapper {
    PathMapper::new(["/repo".into()])
}

fn quality() -> Quality {
    Quality { engine: Engine::Imported, samples: 0, frequency: 1000, lost: 0, truncated: 0, cpu_ns: None, wall_ns: 0 }
}

/// `function@file:line`, leaf first, separated by ` < `; without a file `function`, `[module]` before a C function.
fn profile(stacks: &[(&str, u64)]) -> Profile {
    let mut builder = ProfileBuilder::new();
    for (stack, count) in stacks {
        let frames = stack.split(" < ").map(|text| builder.frame(frame(text))).collect();
        builder.stack(frames, *count);
    }
    builder.finish(quality())
}

fn frame(text: &str) -> Frame {
    let (module, text) = text.strip_prefix('[').and_then(|t| t.split_once(']')).unwrap_or(("work-1", text));
    let (function, place) = text.split_once('@').map_or((text, None), |(function, place)| (function, Some(place)));
    let (file, line) = match place.map(|place| place.rsplit_once(':').ok_or(place)) {
        Some(Ok((file, line))) => (Some(file), line.parse().ok()),
        Some(Err(file)) => (Some(file), None),
        None => (None, None),
    };
    Frame { function: function.into(), file: file.map(Into::into), line, module: module.into(), inlined: false }
}

const LIB_RS: &str = "/repo/src/lib.rs";

fn key(name: &str) -> String {
    format!("src/lib.rs::{name}#1")
}

fn hits(joined: &Joined<'_>, name: &str) -> (u64, u64, u64) {
    let share = joined.share(&key(name));
    (share.self_share.hits, share.owned.hits, share.total.hits)
}

#[test]
fn a_closure_is_its_function_and_std_is_the_work_of_its_caller() {
    let profile = profile(&[
        (&format!("app::outer::{{{{closure}}}}@{LIB_RS}:3 < app::outer@{LIB_RS}:5 < work::bench@/repo/benches/work.rs:2"), 10),
        (
            &format!(
                "core::iter::fold@/rustc/1/library/core/src/iter.rs:9 < app::outer@{LIB_RS}:5 < work::bench@/repo/benches/work.rs:2"
            ),
            30,
        ),
        (&format!("app::inner@{LIB_RS}:9 < app::outer@{LIB_RS}:6 < work::bench@/repo/benches/work.rs:2"), 60),
    ]);
    let tree = tree();
    let joined = join(&profile, &tree, &mapper());
    assert_eq!(hits(&joined, "outer"), (10, 40, 100));
    assert_eq!(hits(&joined, "inner"), (60, 60, 60));
    assert_eq!(joined.share("benches/work.rs::bench#1").total.hits, 100);
    assert_eq!(hits(&joined, "recursive"), (0, 0, 0));
    assert_eq!(joined.share("no such key").total, Share::new(0, 100));
}

#[test]
fn recursion_counts_a_sample_once() {
    let profile =
        profile(&[(&format!("app::recursive@{LIB_RS}:20 < app::recursive@{LIB_RS}:20 < app::recursive@{LIB_RS}:20"), 5)]);
    let tree = tree();
    assert_eq!(hits(&join(&profile, &tree, &mapper()), "recursive"), (5, 5, 5));
}

#[test]
fn without_lines_the_qualified_name_decides() {
    let profile = profile(&[
        (&format!("app::inner@{LIB_RS}"), 1),
        ("app::inner", 2),
        ("inner", 4),
        ("other::inner@/elsewhere/src/lib.rs:9", 8),
        ("dep::inner@/root/.cargo/registry/src/idx/dep-1.0.0/src/lib.rs:9", 16),
    ]);
    let tree = tree();
    assert_eq!(hits(&join(&profile, &tree, &mapper()), "inner"), (3, 3, 3));
}

#[test]
fn a_macro_made_function_is_the_macro_and_the_call() {
    let profile = profile(&[
        (&format!("app::made@{LIB_RS}:14"), 3),
        // A statement macro: the line is the macro's, the name the function's.
        (&format!("app::outer@{LIB_RS}:14"), 4),
    ]);
    let tree = tree();
    let joined = join(&profile, &tree, &mapper());
    assert_eq!(hits(&joined, "macro_rules define_fn"), (7, 7, 7));
    assert_eq!(hits(&joined, "define_fn!"), (3, 3, 3));
    assert_eq!(hits(&joined, "outer"), (4, 4, 4));
}

#[test]
fn a_remapped_path_needs_the_crates_name_to_count() {
    let profile = profile(&[("app::inner@/remapped/src/lib.rs:9", 1), ("dep::inner@/other/src/lib.rs:9", 2)]);
    let tree = tree();
    let joined = join(&profile, &tree, &mapper());
    assert_eq!(hits(&joined, "inner"), (1, 1, 1));
}

#[test]
fn the_hot_path_names_items_and_foreign_functions_with_their_origin() {
    let profile = profile(&[
        (&format!("[libc.so.6]memmove < alloc::vec::Vec::push@/rustc/1/library/alloc/src/vec.rs:1 < app::outer@{LIB_RS}:5"), 50),
        (&format!("serde_json::parse@/root/.cargo/registry/src/idx/serde_json-1.0.0/src/de.rs:7 < app::inner@{LIB_RS}:9"), 30),
        ("[vdso]clock_gettime < criterion::iter", 20),
    ]);
    let tree = tree();
    let spots = join(&profile, &tree, &mapper()).hot_path(10);
    let shown: Vec<(&str, Origin, u64, u64, Option<u32>)> =
        spots.iter().map(|s| (s.name.as_str(), s.origin.clone(), s.self_share.hits, s.owned.hits, s.line)).collect();
    assert_eq!(
        shown,
        [
            ("app::outer", Origin::Workspace, 0, 50, Some(1)),
            ("memmove", Origin::System("libc.so.6".into()), 50, 50, None),
            ("app::inner", Origin::Workspace, 0, 30, Some(8)),
            ("serde_json::parse", Origin::Dependency("serde_json".into()), 30, 30, None),
            ("clock_gettime", Origin::Unknown, 20, 20, None),
        ]
    );
    assert_eq!(spots.first().unwrap().file.as_deref(), Some("src/lib.rs"));
}

#[test]
fn stacks_through_an_item_merge_lines_and_keep_the_item_in_sight() {
    let deep = (0..20).map(|at| format!("app::x{at} < ")).collect::<Vec<_>>().concat();
    let profile = profile(&[
        (&format!("app::inner@{LIB_RS}:8 < app::outer@{LIB_RS}:6"), 5),
        (&format!("app::inner@{LIB_RS}:9 < app::outer@{LIB_RS}:6"), 7),
        (&format!("{deep}app::inner@{LIB_RS}:9 < app::outer@{LIB_RS}:6"), 3),
        ("app::recursive", 100),
    ]);
    let tree = tree();
    let stacks = join(&profile, &tree, &mapper()).stacks_through(&key("inner"), 8, 5);
    let shown: Vec<(u64, usize, usize, usize)> =
        stacks.iter().map(|s| (s.share.hits, s.frames.len(), s.hidden_callees, s.hidden_callers)).collect();
    assert_eq!(shown, [(12, 2, 0, 0), (3, 6, 16, 0)]);
    assert!(stacks.iter().all(|stack| stack.frames.iter().filter(|frame| frame.is_item).count() == 1));
    assert_eq!(stacks.first().unwrap().frames.first().unwrap().line, Some(9));
}

#[test]
fn an_ambient_change_reaches_its_crates_and_its_file() {
    let profile = profile(&[
        (&format!("serde::de@/root/.cargo/registry/src/idx/serde-1.0.0/src/de.rs:7 < app::inner@{LIB_RS}:9"), 30),
        (&format!("app::inner@{LIB_RS}:9"), 20),
        ("work::bench@/repo/benches/work.rs:2", 50),
    ]);
    let tree = tree();
    let joined = join(&profile, &tree, &mapper());
    assert_eq!(joined.reached_by(&Reach::Crates(vec!["serde".into()])).hits, 30);
    assert_eq!(joined.reached_by(&Reach::File("src/lib.rs".into())).hits, 50);
    assert_eq!(joined.reached_by(&Reach::Everything).hits, 100);
}

#[test]
fn no_samples_give_no_shares() {
    let (profile, tree) = (profile(&[]), tree());
    let joined = join(&profile, &tree, &mapper());
    assert_eq!((joined.samples(), joined.hot_path(5).len()), (0, 0));
    assert_eq!(joined.share(&key("inner")).total, Share::new(0, 0));
}

fn any_frame() -> impl Strategy<Value = String> {
    prop_oneof![
        (1u32..25).prop_map(|line| format!("app::outer@{LIB_RS}:{line}")),
        Just("app::made".to_owned()),
        Just(format!("app::inner@{LIB_RS}")),
        Just("core::fold@/rustc/1/library/core/src/x.rs:1".to_owned()),
        Just("[libc.so.6]malloc".to_owned()),
        (1u32..4).prop_map(|line| format!("work::bench@/repo/benches/work.rs:{line}")),
    ]
}

proptest! {
    #[test]
    fn shares_are_ordered_and_stay_inside_zero_and_one(
        stacks in proptest::collection::vec((proptest::collection::vec(any_frame(), 1..8), 1u64..50), 0..20),
    ) {
        let stacks: Vec<(String, u64)> = stacks.into_iter().map(|(frames, count)| (frames.join(" < "), count)).collect();
        let stacks: Vec<(&str, u64)> = stacks.iter().map(|(stack, count)| (stack.as_str(), *count)).collect();
        let (profile, tree) = (profile(&stacks), tree());
        let joined = join(&profile, &tree, &mapper());
        prop_assert_eq!(joined.samples(), stacks.iter().map(|(_, count)| count).sum::<u64>());
        for item in tree.items() {
            let share = joined.share(&item.key);
            prop_assert!(share.self_share.hits <= share.owned.hits && share.owned.hits <= share.total.hits);
            for one in [share.self_share, share.owned, share.total] {
                prop_assert!(0.0 <= one.low && one.low <= one.share && one.share <= one.high && one.high <= 1.0);
            }
            let through: u64 = joined.stacks_through(&item.key, 8, usize::MAX).iter().map(|s| s.share.hits).sum();
            prop_assert_eq!(through, share.total.hits);
        }
        let leaves: u64 = joined.hot_path(usize::MAX).iter().filter(|s| s.key.is_none()).map(|s| s.self_share.hits).sum();
        prop_assert!(leaves <= joined.samples());
    }
}
