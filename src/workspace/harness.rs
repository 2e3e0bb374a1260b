//! How a bench target is driven: criterion, divan, libtest, or as a program of its own.
//!
//! The rule, in this order:
//! 1. The manifest's `harness` (true unless set; `cargo metadata` does not tell it, so the manifest is read).
//!    With `harness = true` rustc's libtest is `main`: **libtest**, if the root file has `#![feature(test)]` (there is no
//!    `#[bench]` without) and the toolchain accepts it. A source that brings criterion's or divan's `main` under libtest would
//!    run nothing: not runnable, and the snippet sets `harness = false`.
//! 2. `harness = false`: the tokens of the bench's root file, comments and strings left out, under the names by which the
//!    package depends on each harness (a renamed dependency counts by its new name):
//!    `iai::main!` counts instructions under valgrind and saves no summary: not runnable · `gungraun::main` (also imported), or
//!    `library_benchmark_groups` or `binary_benchmark_groups` beside its name: **gungraun** · `divan::main` or `Divan`: **divan** ·
//!    `benchmark_main`, or bencher's name together with `run_tests_console`: **bencher** ·
//!    `criterion_main`, or criterion's name together with `Criterion` (a hand-written `main`): **criterion** ·
//!    everything else is a program: **other**.
//!
//! Nothing is built or run to find out.

use proc_macro2::{TokenStream, TokenTree};
use serde::{Deserialize, Serialize};

/// Who provides `main` of a bench target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Harness {
    /// criterion (or `CodSpeed`'s drop-in).
    Criterion,
    /// divan (or `CodSpeed`'s drop-in).
    Divan,
    /// rustc's `#[bench]`.
    Libtest,
    /// The bencher crate (or `CodSpeed`'s drop-in).
    Bencher,
    /// gungraun or iai-callgrind.
    Gungraun,
    /// A program that measures itself, or not at all.
    Other,
}

impl Harness {
    /// As reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Criterion => "criterion",
            Self::Divan => "divan",
            Self::Libtest => "libtest",
            Self::Bencher => "bencher",
            Self::Gungraun => "gungraun",
            Self::Other => "program",
        }
    }

    /// True when one executable holds several benchmarks, each with an id.
    pub fn has_ids(self) -> bool {
        self != Self::Other
    }
}

/// What the decision rests on.
#[derive(Debug, Clone, Copy)]
pub struct BenchFacts<'a> {
    /// Name of the target.
    pub name: &'a str,
    /// `harness` of the manifest.
    pub harness: bool,
    /// Dependencies: package name, and the name the source sees.
    pub dependencies: &'a [(String, String)],
    /// The bench's root file.
    pub source: &'a str,
    /// True if the toolchain accepts `#![feature(…)]`.
    pub allows_features: bool,
}

/// Why a bench target cannot be measured, and what changes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// A fragment.
    pub reason: String,
    /// Text to put somewhere, or a command to type.
    pub snippet: Option<String>,
}

const CRITERION: [&str; 3] = ["criterion", "codspeed-criterion-compat", "criterion2"];
const DIVAN: [&str; 2] = ["divan", "codspeed-divan-compat"];
const BENCHER: [&str; 2] = ["bencher", "codspeed-bencher-compat"];
/// Each with the runner that must be installed in the same version.
const GUNGRAUN: [(&str, &str); 2] = [("gungraun", "gungraun-runner"), ("iai-callgrind", "iai-callgrind-runner")];

/// The crate that a gungraun bench uses, and its runner.
pub fn runner_of(dependencies: &[(String, String)], source: &str) -> Option<(&'static str, &'static str)> {
    let words = words(source);
    let seen = |package: &str| dependencies.iter().find(|(name, _)| name == package).map(|(_, alias)| alias.replace('-', "_"));
    GUNGRAUN.into_iter().find(|(package, _)| seen(package).is_some_and(|alias| words.contains(&alias)))
}

/// Applies the rule above.
pub fn recognise(facts: &BenchFacts<'_>) -> Result<Harness, Refusal> {
    let words = words(facts.source);
    let main_of = |packages: &[&str]| aliases(facts, packages).iter().any(|alias| calls_main(&words, alias));
    let has = |word: &str| words.iter().any(|found| found == word);
    let divan = main_of(&DIVAN) || (has("Divan") && aliases(facts, &DIVAN).iter().any(|alias| has(alias)));
    let criterion = has("criterion_main") || (has("Criterion") && aliases(facts, &CRITERION).iter().any(|alias| has(alias)));
    let bencher = has("benchmark_main") || (has("run_tests_console") && aliases(facts, &BENCHER).iter().any(|alias| has(alias)));
    if facts.harness {
        return libtest(facts, &words, criterion || divan || bencher);
    }
    if main_of(&["iai"]) {
        return Err(Refusal {
            reason: "iai counts instructions under valgrind and saves them nowhere; gungraun is its successor".into(),
            snippet: None,
        });
    }
    let gungraun = main_of(&GUNGRAUN.map(|(package, _)| package))
        || ((has("library_benchmark_groups") || has("binary_benchmark_groups"))
            && runner_of(facts.dependencies, facts.source).is_some());
    Ok(if gungraun {
        Harness::Gungraun
    } else if divan {
        Harness::Divan
    } else if criterion {
        Harness::Criterion
    } else if bencher {
        Harness::Bencher
    } else {
        Harness::Other
    })
}

fn libtest(facts: &BenchFacts<'_>, words: &[String], foreign_main: bool) -> Result<Harness, Refusal> {
    let own_main = || Some(format!("[[bench]]\nname = \"{}\"\nharness = false", facts.name));
    if foreign_main {
        return Err(Refusal { reason: "libtest is its `main`, so its own benchmarks never run".into(), snippet: own_main() });
    }
    let Some(unconditional) = test_feature(words) else {
        let has_main = has_sequence(words, &["fn", "main", "("]);
        return Err(Refusal {
            reason: "libtest is its `main`, and without `#![feature(test)]` it has no benchmark".into(),
            snippet: has_main.then(own_main).flatten(),
        });
    };
    if unconditional && !facts.allows_features {
        return Err(Refusal {
            reason: "`#![feature(test)]` needs a nightly toolchain".into(),
            snippet: Some("cargo +nightly perf-expert baseline".into()),
        });
    }
    Ok(Harness::Libtest)
}

/// `#[bench]` works only where the root file has `#![feature(test)]`. `Some(false)`: inside of a `cfg_attr`, which asks only
/// where its condition holds.
fn test_feature(words: &[String]) -> Option<bool> {
    let names_test = |from: usize| words.iter().skip(from).take_while(|word| *word != ")").any(|word| word == "test");
    let mut features = words.windows(2).enumerate().filter(|(_, two)| two.iter().eq(["feature", "("]));
    let (at, _) = features.find(|(at, _)| names_test(at + 2))?;
    let before = at.checked_sub(3).and_then(|start| words.get(start..at));
    Some(before.is_some_and(|before| before.iter().eq(["#", "!", "("])))
}

fn has_sequence(words: &[String], wanted: &[&str]) -> bool {
    words.windows(wanted.len()).any(|window| window.iter().eq(wanted))
}

/// The names under which the source sees these packages, as identifiers.
fn aliases(facts: &BenchFacts<'_>, packages: &[&str]) -> Vec<String> {
    let seen = facts.dependencies.iter().filter(|(package, _)| packages.contains(&package.as_str()));
    seen.map(|(_, alias)| alias.replace('-', "_")).collect()
}

/// `alias::main` as a path or macro, also `use alias::main` (but not `use alias::{main_thing}`).
fn calls_main(words: &[String], alias: &str) -> bool {
    has_sequence(words, &[alias, ":", ":", "main"])
}

/// Identifiers and punctuation in order; a file that Rust's lexer refuses is split at everything that is not a word.
fn words(source: &str) -> Vec<String> {
    let mut words = Vec::new();
    if let Ok(tokens) = source.parse::<TokenStream>() {
        flatten(tokens, &mut words);
    } else {
        let text = source.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        words.extend(text.map(str::to_owned));
    }
    words
}

fn flatten(tokens: TokenStream, words: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => words.push(ident.to_string()),
            TokenTree::Punct(punct) => words.push(punct.as_char().to_string()),
            TokenTree::Group(group) => {
                words.push("(".into());
                flatten(group.stream(), words);
                words.push(")".into());
            }
            TokenTree::Literal(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(harness: bool, dependencies: &[(&str, &str)], source: &str) -> Result<Harness, Refusal> {
        let dependencies: Vec<_> = dependencies.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        recognise(&BenchFacts { name: "x", harness, dependencies: &dependencies, source, allows_features: false })
    }

    const CRITERION_DEP: (&str, &str) = ("criterion", "criterion");
    const DIVAN_DEP: (&str, &str) = ("divan", "divan");

    #[test]
    fn each_harness_is_recognised_by_what_the_source_uses() {
        for (dependencies, source, expected) in [
            (vec![CRITERION_DEP], "use criterion::{criterion_group, criterion_main};\ncriterion_main!(b);", Harness::Criterion),
            (vec![CRITERION_DEP], "fn main() { criterion::Criterion::default().configure_from_args(); }", Harness::Criterion),
            (vec![("codspeed-criterion-compat", "criterion")], "use criterion::*; criterion_main!(b);", Harness::Criterion),
            (vec![("criterion", "bencher")], "fn main() { bencher::Criterion::default(); }", Harness::Criterion),
            // A helper crate that passes criterion's macros on.
            (vec![], "use our_benches::criterion_main; criterion_main!(b);", Harness::Criterion),
            (vec![DIVAN_DEP], "fn main() { divan::main(); }", Harness::Divan),
            (vec![CRITERION_DEP, DIVAN_DEP], "fn main() { divan::main(); }", Harness::Divan),
            (vec![("codspeed-divan-compat", "divan")], "fn main() { divan :: main ( ) }", Harness::Divan),
            (vec![DIVAN_DEP], "use divan::Divan; fn main() { Divan::from_args().main() }", Harness::Divan),
            (vec![("bencher", "bencher")], "use bencher::*; benchmark_group!(g, a); benchmark_main!(g);", Harness::Bencher),
            (
                vec![("codspeed-bencher-compat", "bencher")],
                "#[macro_use] extern crate bencher; benchmark_main!(g);",
                Harness::Bencher,
            ),
            (vec![("bencher", "b")], "fn main() { b::run_tests_console(&b::TestOpts::default(), tests()); }", Harness::Bencher),
            (vec![CRITERION_DEP], "fn main() { println!(\"no harness\"); }", Harness::Other),
            (vec![CRITERION_DEP], "use criterion::black_box; fn main() { black_box(1); }", Harness::Other),
            (vec![DIVAN_DEP], "fn main() { divan::black_box(1); }", Harness::Other),
            (vec![], "", Harness::Other),
        ] {
            assert_eq!(decide(false, &dependencies, source), Ok(expected), "{source}");
        }
    }

    #[test]
    fn comments_and_strings_are_no_code() {
        let source = "//! like criterion_main! in Criterion\nfn main() { let s = \"criterion::Criterion criterion_main\"; } // divan::main()";
        assert_eq!(decide(false, &[CRITERION_DEP, DIVAN_DEP], source), Ok(Harness::Other));
    }

    #[test]
    fn a_file_that_no_lexer_takes_is_still_looked_at() {
        assert_eq!(decide(false, &[CRITERION_DEP], "criterion_main!(b); \" never closed"), Ok(Harness::Criterion));
    }

    #[test]
    fn criterion_under_libtest_gets_the_snippet() {
        let refusal = decide(true, &[CRITERION_DEP], "criterion_main!(b);").unwrap_err();
        assert_eq!(refusal.snippet.unwrap(), "[[bench]]\nname = \"x\"\nharness = false");
    }

    #[test]
    fn libtest_needs_nightly_where_the_source_asks_for_it() {
        let source = "#![feature(test)]\nextern crate test;";
        assert!(decide(true, &[], source).unwrap_err().reason.contains("nightly"));
        assert_eq!(decide(true, &[], "#![cfg_attr(nightly, feature(test))]"), Ok(Harness::Libtest));
        let facts = BenchFacts { name: "x", harness: true, dependencies: &[], source, allows_features: true };
        assert_eq!(recognise(&facts), Ok(Harness::Libtest));
    }

    #[test]
    fn libtest_without_benchmarks_is_said() {
        let refusal = decide(true, &[], "#[test] fn f() {}").unwrap_err();
        assert!(refusal.reason.contains("no benchmark") && refusal.snippet.is_none());
        assert!(decide(true, &[], "fn main() {}").unwrap_err().snippet.unwrap().ends_with("harness = false"));
        assert!(decide(true, &[], "#![feature(core_intrinsics)]").unwrap_err().reason.contains("no benchmark"));
    }

    #[test]
    fn instruction_counters_are_told_apart_by_what_they_save() {
        let main = "use gungraun::{library_benchmark_group, main}; main!(library_benchmark_groups = b);";
        for (package, source, runner) in [
            ("iai-callgrind", "iai_callgrind::main!(library_benchmark_groups = b);", "iai-callgrind-runner"),
            ("gungraun", main, "gungraun-runner"),
        ] {
            assert_eq!(decide(false, &[(package, package)], source), Ok(Harness::Gungraun), "{package}");
            let dependencies = [(package.to_owned(), package.to_owned())];
            assert_eq!(runner_of(&dependencies, source), Some((package, runner)));
        }
        assert!(decide(false, &[("iai", "iai")], "iai::main!(b);").unwrap_err().reason.contains("valgrind"));
        assert_eq!(decide(false, &[], main), Ok(Harness::Other), "nothing of that name is depended on");
    }
}
