//! The whole catalogue against every recorded program: what shows a cause is named, what only looks like it is not.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Deserialize;

use super::recorded::{Recorded, fixtures, mapper, programs, tree};
use crate::diagnose::causes::{Cause, Subject, causes, waits};
use crate::diagnose::diagnose;
use crate::heat::{Joined, join};
use crate::sample::offcpu::Wait;
use crate::source::Tree;

/// What is known of a program (`fixtures/causes/expected.toml`).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// The function that has to be named, and the share of the work time that it holds at least; `None` where nothing must be named.
    #[serde(default)]
    owner: Option<String>,
    #[serde(default)]
    share: f64,
    /// Classes that are right, `cpu-bound` …: several where the machine decides.
    class: Vec<String>,
    /// Causes that show beside it, each checked by hand; of any other, the test complains.
    #[serde(default)]
    also: BTreeSet<String>,
}

/// `s05_siphash` and `n05_siphash` are about `S05`.
fn cause_of(program: &str) -> String {
    format!("S{}", &program[1..3])
}

fn expected() -> BTreeMap<String, Expected> {
    toml::from_str(&std::fs::read_to_string(fixtures().join("expected.toml")).unwrap()).unwrap()
}

fn found(program: &str, tree: &Tree) -> (Recorded, Vec<Cause>) {
    let recorded = Recorded::load(program);
    let joined = join(&recorded.profile, tree, &mapper());
    let waited = waits(&recorded.work);
    let waits: Vec<(Wait, Joined<'_>)> = waited.iter().map(|(wait, profile)| (*wait, join(profile, tree, &mapper()))).collect();
    let found =
        causes(&Subject { cpu: Some(&joined), waits: &waits, work: Some(&recorded.work), faults: None, noise: None }).causes;
    (recorded, found)
}

/// `S05 42 % in total, build`.
fn shown(causes: &[Cause]) -> String {
    let mut text = String::new();
    for cause in causes {
        let owners: Vec<&str> = cause.owners.iter().map(|owner| owner.item.as_str()).collect();
        let functions: Vec<&str> = cause.functions.iter().take(3).map(String::as_str).collect();
        let share = cause.share.share * 100.0;
        write!(text, "\n    {} {share:.0} % in {} by {}", cause.entry.id, owners.join(", "), functions.join(", ")).unwrap();
    }
    text
}

/// What is wrong with what was found, one line each.
fn complaints(program: &str, expected: &Expected, tree: &Tree) -> Vec<String> {
    let (_, found) = found(program, tree);
    let own = cause_of(program);
    let mut wrong = Vec::new();
    match &expected.owner {
        Some(owner) => {
            let of_owner = |cause: &Cause| cause.owners.iter().find(|one| one.item.ends_with(owner)).map(|one| one.share.share);
            let first = found.iter().filter_map(|cause| Some((cause, of_owner(cause)?))).max_by(|a, b| a.1.total_cmp(&b.1));
            match first {
                None => wrong.push(format!("{program}: nothing for {owner}")),
                Some((cause, share)) if cause.entry.id != own || share < expected.share => {
                    wrong.push(format!("{program}: {} holds {share:.2} of {owner}", cause.entry.id));
                }
                Some(_) => {}
            }
        }
        None if found.iter().any(|cause| cause.entry.id == own) => wrong.push(format!("{program}: {own} in the fixed form")),
        None => {}
    }
    let others = found.iter().map(|cause| cause.entry.id.clone()).filter(|id| *id != own);
    wrong.extend(others.filter(|id| !expected.also.contains(id)).map(|id| format!("{program}: {id} is not expected")));
    if !wrong.is_empty() {
        wrong.push(format!("  found:{}", shown(&found)));
    }
    wrong
}

#[test]
fn every_program_shows_its_cause_and_no_other() {
    let (tree, expected) = (tree(), expected());
    assert_eq!(expected.keys().cloned().collect::<Vec<_>>(), programs(), "each program has its expectation");
    let wrong: Vec<String> = expected.iter().flat_map(|(program, expected)| complaints(program, expected, &tree)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_program_is_of_the_class_that_it_was_written_for() {
    let wrong: Vec<String> = expected()
        .iter()
        .filter_map(|(program, expected)| {
            let work = Recorded::load(program).work;
            let found = diagnose(&work).unwrap_or_else(|why| panic!("{program}: {why}"));
            let name = found.kind.map_or_else(|| found.class.name().to_owned(), |kind| format!("{} {kind}", found.class.name()));
            let right = expected.class.iter().any(|class| name.starts_with(class.as_str()));
            (!right).then(|| format!("{program}: {name}, not {}; {}", expected.class.join(" or "), found.evidence.join("; ")))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
