//! The laws of the matcher, and both ways that names are mangled, on small hand-made profiles.

use proptest::prelude::*;

use super::*;
use crate::diagnose::{OnCpu, Work};
use crate::heat::{PathMapper, join};
use crate::profile::model::ProfileBuilder;
use crate::profile::normalize::normalize;
use crate::profile::{Engine, Frame, Profile, Quality};
use crate::sample::offcpu::{Observed, Transfers, Wait, Waiting};
use crate::source::{CrateRoot, SourceFile, Tree};

const SECOND: u64 = 1_000_000_000;

fn tree() -> Tree {
    let text =
        "pub fn lookup() {}\npub fn build() {}\npub struct Key;\nimpl std::hash::Hash for Key {\n    fn hash(&self) {}\n}\n";
    Tree::of(&[SourceFile::new("src/lib.rs", text, &[CrateRoot::new("app", "src/lib.rs")])])
}

/// Names as the symbol table has them, leaf first, separated by ` < `.
fn profile(stacks: &[(String, u64)]) -> Profile {
    let mut builder = ProfileBuilder::new();
    let mut samples = 0;
    for (stack, count) in stacks {
        let frame =
            |name: &str| Frame { function: normalize(name), file: None, line: None, module: "app-1".into(), inlined: false };
        let frames = stack.split(" < ").map(|name| builder.frame(frame(name))).collect();
        builder.stack(frames, *count);
        samples += count;
    }
    let quality =
        Quality { engine: Engine::PerfEvent, samples, frequency: 1000, lost: 0, truncated: 0, cpu_ns: None, wall_ns: 0 };
    builder.finish(quality)
}

fn found_with(stacks: &[(&str, u64)], work: Option<&Work>, noise: Option<f64>) -> Vec<Cause> {
    let stacks: Vec<(String, u64)> = stacks.iter().map(|&(stack, count)| (stack.to_owned(), count)).collect();
    of_profile(&profile(&stacks), work, noise)
}

fn of_profile(profile: &Profile, work: Option<&Work>, noise: Option<f64>) -> Vec<Cause> {
    let tree = tree();
    let joined = join(profile, &tree, &PathMapper::new(["/repo".into()]));
    causes(&Subject { cpu: Some(&joined), waits: &[], work, faults: None, noise }).causes
}

fn found(stacks: &[(&str, u64)]) -> Vec<(String, u64)> {
    found_with(stacks, None, None).into_iter().map(|cause| (cause.entry.id.clone(), cause.share.hits)).collect()
}

const SIP: &str = "core::hash::sip::Sip13Rounds::d_rounds < core::hash::sip::Hasher::finish < hashbrown::map::make_hash";

#[test]
fn a_cause_names_its_owner_with_place_share_stack_and_gain() {
    let stack = format!("{SIP} < std::collections::hash::map::HashMap<K,V,S>::get < app::lookup < app::main");
    let found = found_with(&[(&stack, 410), ("app::lookup < app::main", 590)], None, None);
    let [cause] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((cause.entry.id.as_str(), cause.share.share), ("S05", 0.41));
    let owner = &cause.owners[0];
    assert_eq!((owner.item.as_str(), owner.file.as_str(), owner.line), ("app::lookup", "src/lib.rs", 1));
    assert_eq!(cause.functions, ["core::hash::sip::Sip13Rounds::d_rounds"]);
    let names: Vec<&str> = cause.stack.iter().map(|line| line.function.as_str()).collect();
    assert_eq!(names.first().zip(names.last()), Some((&"core::hash::sip::Sip13Rounds::d_rounds", &"app::main")));
    assert!(cause.gain.low > 1.2 && cause.gain.high < 1.6 && cause.gain.high < cause.gain.most && cause.gain.most < 1.85);
}

#[test]
fn both_manglings_and_every_allocator_are_one_family() {
    for name in [
        "malloc",
        "_int_malloc",
        "__libc_malloc_impl",
        "_rjem_je_malloc_default",
        "_rjem_malloc",
        "je_sdallocx",
        "mi_malloc_aligned",
        "_mi_page_malloc",
        "__rust_alloc",
        "__rdl_alloc",
        "_RNvCs691rhTbG0Ee_7___rustc12___rust_alloc",
        "_RNvCs691rhTbG0Ee_7___rustc14___rust_dealloc",
        "_RNvCs691rhTbG0Ee_7___rustc11___rdl_alloc",
    ] {
        assert_eq!(found(&[(&format!("{name} < app::build"), 900), ("app::build", 100)]), [("S01".into(), 900)], "{name}");
    }
    for name in [
        "_ZN4core4hash3sip15Hasher$LT$S$GT$5write17h0123456789abcdefE",
        "_RNvMs_NtNtCs8bMHGfpQ4hM_4core4hash3sipNtB4_11Sip13Rounds8d_rounds",
        "<core::hash::sip::Hasher<S> as core::hash::Hasher>::write",
    ] {
        assert_eq!(found(&[(&format!("{name} < app::lookup"), 900), ("app::build", 100)]), [("S05".into(), 900)], "{name}");
    }
}

#[test]
fn what_was_asked_for_as_a_whole_owns_what_it_does_underneath() {
    let compile = "malloc < alloc::raw_vec::RawVec<T,A>::grow_one < regex_automata::nfa::thompson::compiler::Compiler::compile";
    let hash = format!("{SIP} < regex_automata::nfa::thompson::compiler::Compiler::compile");
    assert_eq!(
        found(&[(&format!("{compile} < app::lookup"), 300), (&format!("{hash} < app::lookup"), 300), ("app::lookup", 400)]),
        [("S08".into(), 600)]
    );
    assert_eq!(
        found(&[("malloc < alloc::raw_vec::RawVec<T,A>::grow_one < app::build", 9), ("malloc < app::build", 991)]).len(),
        1
    );
}

#[test]
fn what_is_called_back_counts_for_who_asked() {
    let sort = "core::slice::sort::unstable::quicksort::quicksort < app::build";
    let closure = format!("app::build::{{{{closure}}}} < {sort}");
    assert_eq!(found(&[(&closure, 500), (sort, 500)]), [("S30".into(), 1000)]);
    let stack =
        "<app::Key as core::hash::Hash>::hash < core::hash::BuildHasher::hash_one < hashbrown::map::make_hash < app::lookup";
    let causes = found_with(&[(stack, 1000)], None, None);
    assert_eq!(causes[0].owners[0].item, "app::lookup");
    assert!(found(&[("app::build < core::iter::Map::next < app::lookup", 1000)]).is_empty(), "its own work is no cause");
}

#[test]
fn shares_are_of_the_work_time_where_it_is_known() {
    let waiting = Waiting { wait: Wait::Socket, what: None, idle: false, ns: 3 * SECOND, samples: 600 };
    let work = Work {
        runs: 1,
        cpus: 2,
        user_ns: SECOND,
        on_cpu: OnCpu { samples: 1000, ..OnCpu::default() },
        observed: Observed { watched_ns: 4 * SECOND, looks: 800, on_cpu_ns: SECOND, waits: vec![waiting], ..Observed::default() },
        ..Work::default()
    };
    let stack = format!("{SIP} < app::lookup");
    let found = found_with(&[(&stack, 800), ("app::lookup", 200)], Some(&work), None);
    assert!((found[0].share.share - 0.2).abs() < 1e-9 && found[0].of_work_time, "{:?}", found[0].share);
    assert!(!found_with(&[(&stack, 800)], None, None)[0].of_work_time);
}

#[test]
fn the_kernel_s_time_is_shared_out_by_the_calls() {
    let transfers = Transfers { reads: 500_000, writes: 0, bytes: 500_000, written: None, disk_bytes: 0 };
    let work = Work {
        runs: 1,
        user_ns: SECOND / 5,
        system_ns: SECOND * 4 / 5,
        observed: Observed { watched_ns: SECOND, looks: 200, transfers: Some(transfers), ..Observed::default() },
        ..Work::default()
    };
    let reads = "read < std::sys::fd::unix::FileDesc::read < <std::fs::File as std::io::Read>::read < app::lookup";
    let alone = found_with(&[(reads, 500), ("app::build", 500)], Some(&work), None);
    assert_eq!(alone[0].entry.id, "S23");
    assert!((alone[0].share.share - 0.9).abs() < 1e-9 && (alone[0].kernel - 0.8).abs() < 1e-9, "{:?}", alone[0].share);
    let beside = found_with(&[(reads, 500), ("fsync < app::build", 500)], Some(&work), None);
    assert!((beside[0].share.share - 0.5).abs() < 1e-9, "another call has its part: {:?}", beside[0].share);
    let few =
        Work { observed: Observed { transfers: Some(Transfers { reads: 500, ..transfers }), ..work.observed.clone() }, ..work };
    assert!(found_with(&[(reads, 500), ("app::build", 500)], Some(&few), None).is_empty(), "few reads are no cause");
}

#[test]
fn what_is_waited_counts_by_its_time_and_rests_on_its_looks() {
    let waiting = Waiting { wait: Wait::Durability, what: None, idle: false, ns: 3 * SECOND, samples: 600 };
    let observed =
        Observed { watched_ns: 4 * SECOND, looks: 800, on_cpu_ns: SECOND, waits: vec![waiting], ..Observed::default() };
    let written = |bytes| Some(Transfers { writes: 600, bytes, written: Some(bytes), ..Transfers::default() });
    let observed = Observed { transfers: written(600 * 40), ..observed };
    let work = Work { runs: 1, user_ns: SECOND, voluntary_switches: 600, observed, ..Work::default() };
    let stacks = [("fsync < std::fs::File::sync_all < app::build".to_owned(), 2 * SECOND), ("fsync".to_owned(), SECOND)];
    let waited = Profile { records: Some(600), ..profile(&stacks) };
    let (tree, mapper) = (tree(), PathMapper::new(["/repo".into()]));
    let waits = [(Wait::Durability, join(&waited, &tree, &mapper))];
    let running = profile(&[("app::build".to_owned(), 1000)]);
    let cpu = join(&running, &tree, &mapper);
    let found = causes(&Subject { cpu: Some(&cpu), waits: &waits, work: Some(&work), faults: None, noise: None }).causes;
    let [cause] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((cause.entry.id.as_str(), cause.owners[0].item.as_str(), cause.share.hits), ("S22", "app::build", 400));
    assert!((cause.share.share - 0.5).abs() < 1e-9 && (cause.waited - 0.5).abs() < 1e-9, "{:?}", cause.share);
    assert!(cause.share.low > 0.46 && cause.share.high < 0.54, "{:?}", cause.share);
    let batches = |transfers| Work { observed: Observed { transfers, ..work.observed.clone() }, ..work.clone() };
    for work in [batches(written(600 * 40_000)), batches(None)] {
        let found = causes(&Subject { cpu: Some(&cpu), waits: &waits, work: Some(&work), faults: None, noise: None }).causes;
        assert!(found.is_empty(), "large batches, or nobody knows: {found:?}");
    }
    let sockets = [(Wait::Socket, join(&waited, &tree, &mapper))];
    assert!(
        causes(&Subject { waits: &sockets, cpu: None, work: Some(&work), faults: None, noise: None }).causes.is_empty(),
        "another kind of wait"
    );
}

#[test]
fn a_cause_that_says_only_where_names_what_is_done_there() {
    let observed = Observed {
        watched_ns: 4 * SECOND,
        transfers: Some(Transfers { writes: 600, bytes: 24_000, ..Transfers::default() }),
        waits: vec![Waiting { wait: Wait::Durability, what: None, idle: false, ns: 3 * SECOND, samples: 600 }],
        ..Observed::default()
    };
    let work = Work { runs: 1, user_ns: SECOND, voluntary_switches: 600, observed, ..Work::default() };
    let poll = "tokio::runtime::task::core::Core<T,S>::poll < tokio::runtime::scheduler::multi_thread::worker::Context::run_task";
    let waited = profile(&[(format!("fsync < std::fs::File::sync_all < app::build < {poll}"), 3 * SECOND)]);
    let waited = Profile { records: Some(600), ..waited };
    let (tree, mapper) = (tree(), PathMapper::new(["/repo".into()]));
    let waits = [(Wait::Durability, join(&waited, &tree, &mapper))];
    let found = causes(&Subject { cpu: None, waits: &waits, work: Some(&work), faults: None, noise: None }).causes;
    let [cause] = found.as_slice() else { panic!("{found:?}") };
    let inner = cause.inner.as_ref().unwrap();
    assert_eq!((cause.entry.id.as_str(), inner.entry.id.as_str()), ("S44", "S22"));
    assert!((inner.share.share - cause.share.share).abs() < 1e-9 && inner.share.low < inner.share.share, "{inner:?}");
    let mechanism = format!("{SIP} < app::lookup");
    assert_eq!(found_with(&[(&mechanism, 1000)], None, None)[0].inner, None);
}

#[test]
fn a_cause_of_two_kinds_of_waits_has_one_interval() {
    let waiting = |wait, ns, samples| Waiting { wait, what: None, idle: false, ns, samples };
    let waits = vec![waiting(Wait::Durability, SECOND, 50), waiting(Wait::Lock, 2 * SECOND, 100)];
    let work = Work { runs: 1, user_ns: SECOND, observed: Observed { waits, ..Observed::default() }, ..Work::default() };
    let in_a_task = "app::build < tokio::runtime::scheduler::multi_thread::worker::Context::run_task";
    let of = |leaf: &str, ns, looks| Profile { records: Some(looks), ..profile(&[(format!("{leaf} < {in_a_task}"), ns)]) };
    let (synced, locked) = (of("fsync", SECOND, 50), of("syscall", 2 * SECOND, 100));
    let (tree, mapper) = (tree(), PathMapper::new(["/repo".into()]));
    let waits = [(Wait::Durability, join(&synced, &tree, &mapper)), (Wait::Lock, join(&locked, &tree, &mapper))];
    let found = causes(&Subject { cpu: None, waits: &waits, work: Some(&work), faults: None, noise: None }).causes;
    let whole = crate::heat::Share::weighed(3, 4, 200);
    let cause = found.iter().find(|cause| cause.entry.id == "S44").unwrap();
    let share = cause.share;
    assert!((share.low - whole.low).abs() < 1e-3 && (share.high - whole.high).abs() < 1e-3, "{share:?}, not {whole:?}");
}

#[test]
fn page_faults_that_hold_it_up_are_told_by_their_own_stacks() {
    // Half of the time in the kernel, 400 000 faults per CPU second: the samples show a loop, the faults whose pages it touches.
    let observed = Observed { watched_ns: 4 * SECOND, looks: 800, on_cpu_ns: 4 * SECOND, ..Observed::default() };
    let on_cpu = OnCpu { samples: 2000, sampled_ns: Some(2 * SECOND), ..OnCpu::default() };
    let time = Work { runs: 1, user_ns: 2 * SECOND, system_ns: 2 * SECOND, on_cpu, observed, ..Work::default() };
    let work = Work { minor_faults: Some(1_600_000), ..time };
    let touched = profile(&[("image::ImageBuffer::from_pixel < app::build".to_owned(), 900), ("app::lookup".to_owned(), 100)]);
    let running = profile(&[("app::lookup".to_owned(), 2000)]);
    let (tree, mapper) = (tree(), PathMapper::new(["/repo".into()]));
    let (cpu, touched) = (join(&running, &tree, &mapper), join(&touched, &tree, &mapper));
    let found = |faults| causes(&Subject { cpu: Some(&cpu), waits: &[], work: Some(&work), faults, noise: None }).causes;
    let told = found(Some(&touched));
    let [cause] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((cause.entry.id.as_str(), cause.owners[0].item.as_str(), cause.share.hits), ("S04", "app::build", 0));
    let crate::heat::Share { share, low, high, .. } = cause.share;
    assert!((share - 0.4).abs() < 1e-9 && (0.09..0.1001).contains(&low) && high > 0.49 && high < 0.51, "{:?}", cause.share);
    assert!((cause.kernel - share).abs() < 1e-9, "an estimate of the kernel's time, all of it");
    assert!(found(None).is_empty(), "nobody sampled the faults");
}

#[test]
fn below_the_floor_nothing_is_advised() {
    let stack = format!("{SIP} < app::lookup");
    let share = |hits| [(stack.as_str(), hits), ("app::lookup", 10_000 - hits)];
    assert_eq!(found_with(&share(900), None, None).len(), 1);
    assert!(found_with(&share(900), None, Some(0.045)).is_empty(), "9 % where 4.5 % is noise");
    let silenced = |hits: u64, noise| {
        let stacks: Vec<(String, u64)> = share(hits).iter().map(|&(stack, count)| (stack.to_owned(), count)).collect();
        let (tree, profile) = (tree(), profile(&stacks));
        let joined = join(&profile, &tree, &PathMapper::new(["/repo".into()]));
        let found = causes(&Subject { cpu: Some(&joined), waits: &[], work: None, faults: None, noise });
        (found.silenced, (found.threshold * 1000.0).round() as u64)
    };
    assert_eq!(silenced(900, Some(0.06)), (1, 120), "the machine's noise hides it");
    assert_eq!((silenced(900, None), silenced(300, Some(0.06))), ((0, 30), (0, 120)), "told, and worth no word anywhere");
    assert_eq!(found_with(&share(900), None, Some(0.04)).len(), 1);
    assert!(found_with(&share(300), None, None).is_empty(), "the lower end of 3 % is less than 3 %");
    assert!(found_with(&[(stack.as_str(), 2), ("app::lookup", 8)], None, None)[..].iter().all(|one| one.share.low >= 0.03));
}

/// Frames that causes know, that none knows, and the workspace's own.
const NAMES: [&str; 16] = [
    "malloc",
    "__rustc::__rust_dealloc",
    "memmove",
    "core::hash::sip::Hasher::write",
    "alloc::raw_vec::RawVecInner::grow_amortized",
    "alloc::vec::Vec::remove",
    "core::fmt::write",
    "core::ptr::drop_in_place",
    "serde_json::value::Value as serde::Deserialize::deserialize",
    "regex_syntax::parser::parse",
    "std::sys::sync::mutex::futex::Mutex::lock_contended",
    "std::rt::lang_start",
    "app::lookup",
    "app::build",
    "app::Key as core::hash::Hash::hash",
    "other::helper",
];

fn stacks() -> impl Strategy<Value = Vec<(String, u64)>> {
    let stack = proptest::collection::vec(proptest::sample::select(NAMES.to_vec()), 1..8);
    proptest::collection::vec((stack.prop_map(|names| names.join(" < ")), 1u64..2000), 1..20)
}

proptest! {
    #[test]
    fn shares_are_parts_of_one_whole(stacks in stacks(), noise in proptest::option::of(0.0f64..0.3)) {
        let causes = of_profile(&profile(&stacks), None, noise);
        let samples: u64 = stacks.iter().map(|(_, count)| count).sum();
        prop_assert!(causes.iter().map(|cause| cause.share.hits).sum::<u64>() <= samples, "a stack was counted twice");
        for cause in &causes {
            let share = cause.share;
            prop_assert!(0.0 < share.low && share.low <= share.share && share.share <= share.high && share.high <= 1.0);
            prop_assert!(share.low >= cause.threshold && cause.threshold >= 0.03 && share.share >= cause.entry.min_share);
            prop_assert!(cause.threshold >= 2.0 * noise.unwrap_or(0.0));
            prop_assert_eq!(cause.owners.iter().map(|owner| owner.share.hits).sum::<u64>(), share.hits);
            prop_assert!(1.0 <= cause.gain.low && cause.gain.low <= cause.gain.high && cause.gain.high <= cause.gain.most);
            prop_assert!(!cause.owners.is_empty() && !cause.stack.is_empty() && cause.stack.len() <= 8);
        }
    }

    #[test]
    fn without_an_owner_there_is_no_advice(stacks in stacks()) {
        let foreign: Vec<(String, u64)> =
            stacks.into_iter().map(|(stack, count)| (stack.replace("app::", "elsewhere::"), count)).collect();
        prop_assert!(of_profile(&profile(&foreign), None, None).is_empty());
    }

    #[test]
    fn the_order_of_stacks_does_not_matter(stacks in stacks()) {
        let reversed: Vec<(String, u64)> = stacks.iter().rev().cloned().collect();
        prop_assert_eq!(of_profile(&profile(&stacks), None, None), of_profile(&profile(&reversed), None, None));
    }
}
