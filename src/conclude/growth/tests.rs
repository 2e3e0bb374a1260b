//! Growth on hand-made profiles of both sides.

use super::*;
use crate::evidence::{Driven, WorkloadEvidence};
use crate::join::SideData;
use crate::profile::{Frame, Profile, ProfileBuilder, Quality};
use crate::report::samples::measured;
use crate::source::{SourceFile, changes, items};

const BASE: &str = "pub fn caller() { leaf() }\npub fn leaf() {}\npub fn other() {}\n";

fn quality() -> Quality {
    Quality { engine: Engine::PerfEvent, samples: 0, frequency: 999, lost: 0, truncated: 0, cpu_ns: None, wall_ns: 0 }
}

/// `function:line` of `src/a.rs`, or `function` elsewhere; leaf first, separated by ` < `.
fn profile(file: &str, stacks: &[(&str, u64)]) -> Profile {
    let mut builder = ProfileBuilder::new();
    for (stack, count) in stacks {
        let frames = stack.split(" < ").map(|text| {
            let own = text.rsplit_once(':').and_then(|(name, line)| Some((name, line.parse().ok()?)));
            let (function, line) = own.map_or((text, None), |(name, line)| (name, Some(line)));
            let file = line.map(|_| format!("/repo/{file}"));
            builder.frame(Frame { function: function.into(), file, line, module: "exe".into(), inlined: false })
        });
        let frames = frames.collect();
        builder.stack(frames, *count);
    }
    builder.finish(quality())
}

struct Case {
    changes: Vec<Change>,
    base: SideData,
    head: SideData,
    evidence: [Evidence; 2],
}

impl Case {
    fn of(base: (&str, &str, &[(&str, u64)]), head: (&str, &str, &[(&str, u64)])) -> Self {
        let file = |(path, text, _): (&str, &str, &[(&str, u64)])| SourceFile::new(path, text, &[]);
        let side = |(path, _, stacks): (&str, &str, &[(&str, u64)]), file: &SourceFile| {
            let mut data = SideData::new("/repo".into(), items(file));
            data.add_profile("work", profile(path, stacks));
            data
        };
        let (old, new) = (file(base), file(head));
        let (of_base, of_head) = (side(base, &old), side(head, &new));
        let renames = if base.0 == head.0 { Vec::new() } else { vec![(base.0.into(), head.0.into())] };
        let changes = changes(&[old], &[new], &renames);
        Self { changes, base: of_base, head: of_head, evidence: [Evidence::default(), Evidence::default()] }
    }

    fn result(&self, ratio: f64) -> WorkloadResult {
        let outcome = if ratio > 1.0 { Outcome::Slower } else { Outcome::Faster };
        let mut results = vec![measured("work", outcome, 1e6, (ratio, ratio * 0.99, ratio * 1.01))];
        let (base, head) = (self.base.view(), self.head.view());
        let [base_evidence, head_evidence] = &self.evidence;
        add_growth(&mut results, &Both { changes: &self.changes, base: &base, head: &head, base_evidence, head_evidence });
        results.remove(0)
    }
}

#[test]
fn what_a_changed_caller_makes_another_do_goes_through_the_caller() {
    let head = BASE.replace("{ leaf() }", "{ leaf(); leaf() }");
    let case = Case::of(
        ("src/a.rs", BASE, &[("sort < a::leaf:2 < a::caller:1", 2000), ("a::other:3", 2000)]),
        ("src/a.rs", &head, &[("sort < a::leaf:2 < a::caller:1", 4000), ("a::other:3", 2000)]),
    );
    let growth = case.result(1.5).growth.unwrap();
    let [place] = growth.places.as_slice() else { panic!("{growth:#?}") };
    assert_eq!((place.function.as_str(), place.owner.as_deref(), place.side.as_str()), ("sort", Some("crate::a::leaf"), "both"));
    assert_eq!((place.through.as_deref(), place.through_kind), (Some("crate::a::caller"), Some(ChangeKind::Modified)));
    assert!((place.difference - 5e5).abs() < 1e3 && place.low > 0.0, "{place:?}");
    assert_eq!((place.file.as_deref(), place.line), (Some("src/a.rs"), Some(2)));
}

#[test]
fn growth_that_shows_no_changed_item_is_unexplained() {
    let head = BASE.replace("fn other() {}", "fn other() { leaf() }");
    let case = Case::of(
        ("src/a.rs", BASE, &[("a::leaf:2 < a::caller:1", 2000), ("a::other:3", 2000)]),
        ("src/a.rs", &head, &[("a::leaf:2 < a::caller:1", 4000), ("a::other:3", 2000)]),
    );
    let growth = case.result(1.5).growth.unwrap();
    assert_eq!(
        growth.places.iter().map(|one| (one.function.as_str(), one.through.as_deref())).collect::<Vec<_>>(),
        [("crate::a::leaf", None)]
    );
}

#[test]
fn an_item_that_moved_is_the_same_item() {
    let stacks: &[(&str, u64)] = &[("a::leaf:2 < a::caller:1", 3000), ("a::other:3", 3000)];
    let moved: &[(&str, u64)] = &[("b::leaf:2 < b::caller:1", 3000), ("b::other:3", 3000)];
    let case = Case::of(("src/a.rs", BASE, stacks), ("src/b.rs", BASE, moved));
    let growth = case.result(1.001).growth.unwrap();
    assert!(growth.places.is_empty(), "{growth:#?}");
    let more: &[(&str, u64)] = &[("b::leaf:2 < b::caller:1", 6000), ("b::other:3", 3000)];
    let growth = Case::of(("src/a.rs", BASE, stacks), ("src/b.rs", BASE, more)).result(1.5).growth.unwrap();
    let named: Vec<_> =
        growth.places.iter().map(|one| (one.function.as_str(), one.side.as_str(), one.through.as_deref())).collect();
    assert_eq!(named, [("crate::b::leaf", "both", None)], "moving changes nothing and explains nothing");
}

#[test]
fn functions_of_one_side_are_new_or_gone() {
    let case = Case::of(
        ("src/a.rs", BASE, &[("hash < a::leaf:2", 3000), ("a::other:3", 3000)]),
        ("src/a.rs", BASE, &[("tree < a::leaf:2", 3000), ("a::other:3", 3000)]),
    );
    let growth = case.result(1.02).growth.unwrap();
    let mut named: Vec<_> = growth.places.iter().map(|one| (one.function.as_str(), one.side.as_str())).collect();
    named.sort_unstable();
    assert_eq!(named, [("hash", "base"), ("tree", "head")]);
}

#[test]
fn what_functions_inlined_into_an_unchanged_loop_take_from_each_other_is_not_told() {
    let stacks = |add: u64, mul: u64| -> [(&'static str, u64); 3] {
        [("add < a::leaf:2 < a::caller:1", add), ("mul < a::leaf:2 < a::caller:1", mul), ("a::other:3", 3000)]
    };
    let named = |head: &str| {
        let case = Case::of(("src/a.rs", BASE, &stacks(3000, 2000)), ("src/a.rs", head, &stacks(2000, 3000)));
        case.result(1.02).growth.unwrap().places.len()
    };
    assert_eq!(named(&BASE.replace("{ leaf() }", "{ leaf(); other() }")), 0, "the caller was changed");
    assert_eq!(named(&BASE.replace("fn leaf() {}", "fn leaf() { other() }")), 2, "the loop itself was changed");
}

#[test]
fn too_few_samples_on_a_side_claim_nothing() {
    let case = Case::of(("src/a.rs", BASE, &[("a::leaf:2", 299)]), ("src/a.rs", BASE, &[("a::other:3", 4000)]));
    let result = case.result(1.5);
    assert!(result.growth.is_none());
    let why = &result.unmeasured[GROWTH];
    assert!(why.contains("at base has 299 samples") && why.contains("fewer than 300"), "{why}");
}

#[test]
fn without_the_cpu_time_of_an_iteration_nothing_is_split() {
    let case = Case::of(("src/a.rs", BASE, &[("a::leaf:2", 4000)]), ("src/a.rs", BASE, &[("a::leaf:2", 4000)]));
    let mut results = vec![measured("work", Outcome::Slower, 1e6, (1.5, 1.4, 1.6))];
    results[0].metrics[0].clock = Some("wall".into());
    let (base, head) = (case.base.view(), case.head.view());
    let [base_evidence, head_evidence] = &case.evidence;
    add_growth(&mut results, &Both { changes: &case.changes, base: &base, head: &head, base_evidence, head_evidence });
    assert!(results[0].growth.is_none() && results[0].unmeasured[GROWTH].contains("CPU time"), "{results:#?}");
}

#[test]
fn set_up_between_batches_is_noticed() {
    let case = Case::of(
        (
            "src/a.rs",
            BASE,
            &[("a::leaf:2 < criterion::bencher::Bencher::iter_batched", 3000), ("a::other:3 < x::iter_batched", 3000)],
        ),
        (
            "src/a.rs",
            BASE,
            &[("a::leaf:2 < criterion::bencher::Bencher::iter_batched", 4000), ("a::other:3 < x::iter_batched", 2000)],
        ),
    );
    let growth = case.result(2.0).growth.unwrap();
    assert_eq!(growth.places.iter().map(|one| one.function.as_str()).collect::<Vec<_>>(), ["crate::a::leaf"]);
    assert!(growth.note.unwrap().contains("set-up"));
}

#[test]
fn the_kernels_part_is_in_no_place_and_that_is_said() {
    let stacks: &[(&str, u64)] = &[("a::leaf:2", 3000)];
    let mut case = Case::of(("src/a.rs", BASE, stacks), ("src/a.rs", BASE, stacks));
    let workload = crate::measure::workload::sample("work", crate::measure::WorkloadKind::Bench);
    let driven = Driven { workload, harness: crate::measure::harness::Harness::Process };
    for (evidence, system_ns) in case.evidence.iter_mut().zip([100, 200]) {
        let work = Some(crate::diagnose::Work { runs: 1, user_ns: 800, system_ns, ..Default::default() });
        evidence.workloads = vec![WorkloadEvidence { work, ..WorkloadEvidence::of(&driven) }];
    }
    let growth = case.result(1.2).growth.unwrap();
    assert!((growth.base - 1e6 * 8.0 / 9.0).abs() < 1.0 && (growth.head - 1.2e6 * 0.8).abs() < 1.0, "{growth:?}");
    assert!(growth.note.unwrap().contains("11 % at base, 20 % at head"));
}
