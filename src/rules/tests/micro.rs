//! `PE-201`.

use super::Case;
use crate::analysis::{Bottleneck, Heat, Outcome, Severity};
use crate::report::samples;

const SAFE: &str = "fn load(x: &[u8]) -> u8 {\n    x[1]\n}\n";
const UNCHECKED: &str = "fn load(x: &[u8]) -> u8 {\n    unsafe { *x.get_unchecked(1) }\n}\n";

fn changed(base: &str, head: &str, heat: Heat) -> Case {
    Case::new().function("load", Some(base), Some(head), heat)
}

fn load() -> crate::analysis::WorkloadResult {
    let mut workload = samples::measured("bench/load", Outcome::Same, 1e6, (0.997, 0.99, 1.004));
    workload.hot_path = vec![samples::hot("app::other", 0.41, 0.41), samples::hot("app::main", 0.01, 0.99)];
    workload
}

#[test]
fn unsafe_in_a_cold_function_is_an_error_that_says_where_the_time_is() {
    let finding = changed(SAFE, UNCHECKED, Heat::Cold).workload(load()).only();
    assert_eq!((finding.rule.as_str(), finding.severity), ("PE-201", Severity::Error));
    assert_eq!(
        finding.message,
        "`get_unchecked` and `unsafe { … }` added to cold code: `app::load` holds 0.04 % [0.01, 0.15] of `bench/load` \
         (n = 1880), at most 1.0015x to gain; top is `app::other` with 41 %"
    );
    assert_eq!(finding.fix, "keep the safe form (drop `get_unchecked`); the time is in `app::other`");
    assert_eq!(finding.evidence.iter().map(|e| e.kind.as_str()).collect::<Vec<_>>(), ["token", "token", "share", "measurement"]);
    let snippet = finding.snippet.unwrap();
    assert_eq!(&snippet.text[snippet.highlight.0..snippet.highlight.1], "get_unchecked");
    assert_eq!((finding.line, snippet.first_line), (Some(2), 2));
    assert!(finding.bound.unwrap().max_speedup < 1.002);
}

#[test]
fn the_bottleneck_is_named_when_no_cpu_work_can_relieve_it() {
    let mut workload = load();
    workload.bottleneck = Some(Bottleneck { class: "io-bound".into(), confidence: 0.9, ..Bottleneck::default() });
    let finding = changed(SAFE, UNCHECKED, Heat::Cold).workload(workload).only();
    assert!(finding.message.ends_with("; the workload is io-bound"), "{}", finding.message);
}

#[test]
fn other_costly_tokens_in_a_cold_function_are_a_warning() {
    let inlined = "#[inline(always)]\nfn load(x: &[u8]) -> u8 {\n    x[1]\n}\n";
    assert_eq!(changed(SAFE, inlined, Heat::Cold).only().severity, Severity::Warning);
    let parallel = "fn load(x: &[u8]) -> u8 {\n    x.par_iter().copied().max().unwrap_or(0)\n}\n";
    assert_eq!(changed(SAFE, parallel, Heat::Cold).only().severity, Severity::Warning);
}

#[test]
fn cold_in_a_selection_of_workloads_is_no_error() {
    let finding = changed(SAFE, UNCHECKED, Heat::Cold).workload(load()).narrowed().only();
    assert_eq!(finding.severity, Severity::Warning);
    assert!(finding.not_proven.iter().any(|text| text.contains("only the selected workloads")), "{finding:#?}");
}

#[test]
fn hot_and_warm_functions_may_be_optimized() {
    changed(SAFE, UNCHECKED, Heat::Hot).silent();
    changed(SAFE, UNCHECKED, Heat::Warm).silent();
}

#[test]
fn an_unmeasured_function_is_never_called_cold() {
    let finding = changed(SAFE, UNCHECKED, Heat::Unmeasured).only();
    assert_eq!(finding.severity, Severity::Info);
    assert!(finding.message.contains("no workload is seen to execute"), "{}", finding.message);
    assert!(!finding.message.contains("cold"));
}

#[test]
fn an_uncertain_share_is_only_worth_knowing() {
    let finding = changed(SAFE, UNCHECKED, Heat::Uncertain).only();
    assert_eq!(finding.severity, Severity::Info);
    assert!(finding.message.contains("uncertain"), "{}", finding.message);
}

#[test]
fn cheap_tokens_stay_silent_when_cold() {
    let capacity =
        "fn load(x: &[u8]) -> u8 {\n    let mut v = Vec::with_capacity(x.len());\n    v.sort_unstable();\n    x[1]\n}\n";
    changed(SAFE, capacity, Heat::Cold).silent();
    changed(SAFE, "#[cold]\nfn load(x: &[u8]) -> u8 {\n    x[1]\n}\n", Heat::Cold).silent();
}

#[test]
fn code_that_was_there_before_is_not_added() {
    changed(UNCHECKED, "fn load(x: &[u8]) -> u8 {\n    log();\n    unsafe { *x.get_unchecked(1) }\n}\n", Heat::Cold).silent();
    changed(UNCHECKED, SAFE, Heat::Cold).silent();
}

#[test]
fn unsafe_code_that_moved_into_another_function_is_not_added() {
    let outer = "fn load(x: &[u8]) -> u8 {\n    inner(x)\n}\n";
    let inner = "fn inner(x: &[u8]) -> u8 {\n    unsafe { *x.get_unchecked(1) }\n}\n";
    changed(UNCHECKED, outer, Heat::Cold).function("inner", None, Some(inner), Heat::Cold).silent();
    let differs = inner.replace('1', "2");
    changed(UNCHECKED, outer, Heat::Cold).item("inner", "src/load.rs", None, Some(&differs), Heat::Cold, |_| (1, 3)).silent();
    let elsewhere = changed(UNCHECKED, outer, Heat::Cold).function("inner", None, Some(&differs), Heat::Cold);
    assert_eq!(elsewhere.findings().len(), 1, "another text in another file is new");
}

#[test]
fn unsafe_that_may_have_no_safe_form_is_a_warning_at_most() {
    for body in
        ["unsafe { crate::dead::raw(3); }", "unsafe { COUNT += 1; }", "unsafe { (*p).next = self.head; }", "unsafe { &*p }"]
    {
        let head = format!("fn load(x: &[u8]) -> u8 {{\n    {body}\n    x[1]\n}}\n");
        let new = Case::new().function("load", None, Some(&head), Heat::Cold);
        for case in [new, changed(SAFE, &head, Heat::Cold)] {
            let finding = case.commit("perf: raw list", "", &["src/load.rs"]).only();
            assert_eq!(finding.severity, Severity::Warning, "{body}");
            assert!(finding.fix.starts_with("if speed is the reason for `unsafe { … }`"), "{}", finding.fix);
        }
        // Another costly token beside it does not make it unsafe for speed.
        let inlined = format!("#[inline(always)]\n{head}");
        assert_eq!(changed(SAFE, &inlined, Heat::Cold).only().severity, Severity::Warning, "{body}");
    }
    changed(SAFE, "fn load(x: &[u8]) -> u8 {\n    unsafe { core::arch::x86_64::__cpuid(0) };\n    x[1]\n}\n", Heat::Cold)
        .silent();
}

#[test]
fn unsafe_that_only_speed_explains_is_an_error_in_new_code_too() {
    let added = |text: &str| Case::new().function("load", None, Some(text), Heat::Cold).only();
    assert_eq!(added(UNCHECKED).severity, Severity::Error);
    let vector = added("fn load(x: V) -> V {\n    unsafe { _mm_add_epi8(x, x) }\n}\n");
    assert_eq!(vector.severity, Severity::Error);
}

#[test]
fn moderate_tokens_need_a_stated_intent() {
    let small = "fn load(x: &[u8]) -> u8 {\n    let v: SmallVec<[u8; 8]> = SmallVec::new();\n    x[1]\n}\n";
    changed(SAFE, small, Heat::Cold).silent();
    let stated = changed(SAFE, small, Heat::Cold).commit("perf: no heap in load", "", &["src/load.rs"]);
    assert_eq!(stated.only().severity, Severity::Warning);
}

#[test]
fn a_measured_gain_has_the_last_word() {
    let faster = samples::reached("bench/load", Outcome::Faster, 1e6, (0.9, 0.88, 0.92), &["app::load"]);
    changed(SAFE, UNCHECKED, Heat::Cold).workload(faster).silent();
}

#[test]
fn a_new_table_counts_for_the_function_that_indexes_it() {
    let indexed = "fn load(x: &[u8]) -> u8 {\n    CLASS[x[1] as usize]\n}\n";
    let table = "static CLASS: [u8; 256] = classes();\n";
    let case = changed(SAFE, indexed, Heat::Cold).function("CLASS", None, Some(table), Heat::Unmeasured);
    let finding = case.only();
    assert!(finding.message.starts_with("`CLASS` added to cold code"), "{}", finding.message);
}

#[test]
fn a_nested_function_is_judged_on_its_own() {
    let base = "fn load() {\n    fn deep(x: &[u8]) -> u8 {\n        x[1]\n    }\n    a();\n}\n";
    let head = "fn load() {\n    fn deep(x: &[u8]) -> u8 {\n        unsafe { *x.get_unchecked(1) }\n    }\n    b();\n}\n";
    let case = changed(base, head, Heat::Cold).item("deep", "src/load.rs", Some(base), Some(head), Heat::Cold, |_| (2, 4));
    assert_eq!(case.only().item.as_deref(), Some("app::deep"));
}
