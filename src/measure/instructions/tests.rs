//! The kernel counts page faults on every machine; they stand in for instructions.

use std::ffi::OsStr;
use std::time::Duration;

use super::*;
use crate::measure::WorkloadKind;
use crate::measure::allocations::tests::{HARNESS, built};
use crate::measure::workload::sample;
use crate::sample::counter::countable;

/// Touches fresh pages: regions too small for large ones.
const PAGES: &str = r#"
    extern "C" { fn mmap(at: *mut u8, len: usize, prot: i32, flags: i32, fd: i32, off: i64) -> *mut u8; fn munmap(at: *mut u8, len: usize) -> i32; }
    fn pages() { unsafe {
        let at = mmap(std::ptr::null_mut(), NUMBER * 4096, 3, 0x22, -1, 0);
        for page in 0..NUMBER { at.add(page * 4096).write_volatile(1); }
        munmap(at, NUMBER * 4096);
    } }
"#;

fn pairs(base: &str, head: &str, kind: WorkloadKind) -> Result<InstructionPairs, InstructionsError> {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let base = built(dirs[0].path(), base, &[]).unwrap();
    let head = built(dirs[1].path(), head, &[]).unwrap();
    let counter = AllocationCounter::prepare(&dirs[0].path().join("cache"), OsStr::new("rustc")).unwrap();
    let mut runner = LiveRunner::new(None, dirs[0].path(), Duration::from_secs(60));
    let (workload, limits) = (sample("work", kind), Limits::default());
    instruction_pairs(&mut runner, Ok(&counter), &workload, (&base, &head), limits, Event::PageFaults)
}

fn middle(values: &[f64]) -> f64 {
    crate::stats::median(values).unwrap()
}

fn with_pages(source: &str, number: &str) -> String {
    format!("{source}{}", PAGES.replace("NUMBER", number))
}

#[test]
fn one_iteration_is_told_from_everything_around_it() {
    if countable(Event::PageFaults).is_err() {
        return;
    }
    let harness = HARNESS.replace("LOOK", "pages();");
    let pairs = pairs(&with_pages(&harness, "40"), &with_pages(&harness, "50"), WorkloadKind::Criterion).unwrap();
    assert_eq!((pairs.what, pairs.base.len(), pairs.head.len()), ("one iteration", PAIRS, PAIRS));
    let (base, head) = (middle(&pairs.base), middle(&pairs.head));
    assert!((base - 40.0).abs() < 2.0 && (head - 50.0).abs() < 2.0, "{pairs:?}");
}

#[test]
fn a_program_of_fixed_work_is_counted_as_a_whole() {
    if countable(Event::PageFaults).is_err() {
        return;
    }
    let program = "fn main() { for _ in 0..100 { pages(); } }";
    let pairs = pairs(&with_pages(program, "10"), &with_pages(program, "20"), WorkloadKind::Binary).unwrap();
    let more = middle(&pairs.head) - middle(&pairs.base);
    assert!(pairs.what == "the whole process" && (more - 1000.0).abs() < 50.0, "{pairs:?}");
}

#[test]
fn where_work_is_not_known_nothing_is_counted() {
    let program = "fn main() {}";
    assert!(matches!(pairs(program, program, WorkloadKind::Divan), Err(InstructionsError::UnknownWork)));
    let fixed = HARNESS.replace("LOOK", "").replace("after(\"--measurement-time\")", "0.0 * after(\"--measurement-time\") + 5.0");
    let looking = HARNESS.replace("LOOK", "for _ in 0..3 { std::hint::black_box(Instant::now()); }");
    for (source, word) in [(fixed, "cannot be told"), (looking, "looks at the clock")] {
        match pairs(&source, &source, WorkloadKind::Criterion) {
            Err(InstructionsError::Count(_)) => return,
            other => assert!(other.unwrap_err().to_string().contains(word)),
        }
    }
}
