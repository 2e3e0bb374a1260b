use proptest::prelude::*;

use super::*;

/// The example of the format's specification, with a call of a function by itself.
const SMALL: &str = "\
# callgrind format
events: Cycles Ir
positions: line

fl=(1) file1.c
fn=(1) main
16 1000 20
cfn=(2) func1
calls=1 50
16 1000 400
cfi=(2) file2.c
cfn=(3) func2
calls=3 20
+1 1000 700

fn=(2)
51 1000 100
cfi=(2)
cfn=(3)
calls=2 20
* 1000 300
fi=(3) inlined.h
+1 500 50
fe=(1)
-1

fl=(2)
fn=(3)
20 1000 700
cfn=(3)
calls=1 20
+2 900 600
";

fn of(counts: &Counts, name: &str) -> Option<u64> {
    counts.of_functions(|function| function == name)
}

#[test]
fn a_function_holds_what_it_calls_and_a_call_of_itself_counts_once() {
    let counts = Counts::parse(SMALL).unwrap();
    assert_eq!(counts.total, 20 + 100 + 50 + 700);
    assert_eq!((of(&counts, "main"), of(&counts, "func1"), of(&counts, "func2")), (Some(1120), Some(450), Some(700)));
    assert_eq!(of(&counts, "func3"), None);
    assert_eq!(counts.functions().collect::<Vec<_>>(), ["main", "func1", "func2"]);
}

#[test]
fn functions_that_call_each_other_are_not_counted_twice() {
    let counts = Counts::parse(SMALL).unwrap();
    assert_eq!(counts.of_functions(|name| name.starts_with("func")), Some(100 + 50 + 700));
}

#[test]
fn inlined_lines_are_of_the_file_that_they_come_from() {
    let counts = Counts::parse(SMALL).unwrap();
    assert_eq!(counts.at_lines(|file, line| file == "inlined.h" && line == 52), Some(50));
    assert_eq!(counts.at_lines(|file, line| file == "file1.c" && line == 16), Some(420));
    assert_eq!(counts.at_lines(|file, line| file == "file2.c" && line == 22), None);
}

#[test]
fn what_is_not_understood_names_its_line() {
    for (text, line) in [("fn=(1)", 1), ("events: Cycles", 1), ("fn=a\nfl=b\n-1 5", 3), ("fn=a\n\n5 x", 3), ("nonsense", 1)] {
        assert_eq!(Counts::parse(text), Err(CallgrindError { line }), "{text}");
    }
    assert_eq!(Counts::parse("").unwrap(), Counts::default());
}

const RECORDED: &str = include_str!("../../../fixtures/callgrind/words.out");

#[test]
fn a_recorded_run_of_a_criterion_benchmark_is_read() {
    let counts = Counts::parse(RECORDED).unwrap();
    let summary = RECORDED.lines().find_map(|line| line.strip_prefix("summary: ")).unwrap();
    assert_eq!(counts.total.to_string(), summary);
    let named = |end: &str| counts.of_functions(|name| crate::profile::normalize::normalize(name).ends_with(end));
    let (function, iteration) = (named("words::utf8len").unwrap(), named("criterion::bencher::Bencher::iter").unwrap());
    assert!(function < iteration && iteration <= counts.total && function > 9 * iteration / 10, "{function} {iteration}");
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[a-z(]{0,3}[=:]?[()0-9 x+*-]{0,12}(\n[fncalse=()0-9 +*-]{0,14}){0,6}") {
        let _whatever = Counts::parse(&text);
    }
}

#[test]
fn parts_in_one_file_add_up() {
    let text = include_str!("../../../fixtures/callgrind/words.out");
    let (one, two) = (Counts::parse(text).unwrap(), Counts::parse(&format!("{text}\nversion: 1\npart: 2\n{text}")).unwrap());
    let iteration = |counts: &Counts| counts.of_functions(|name| name.contains("utf8len")).unwrap();
    assert_eq!((two.total, iteration(&two)), (2 * one.total, 2 * iteration(&one)));
}
