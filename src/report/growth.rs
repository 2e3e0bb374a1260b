//! Owners of the time and what grew, in words, the same for every page.

use crate::analysis::{GROWTH, GrownPlace, Growth, Outcome, OwnerResult, WorkloadResult};
use crate::figures;
use crate::report::names::readable;
use crate::source::ChangeKind;

/// One line per place that grew or shrank, at most `most`; why nobody can tell; nothing for a workload that did not move.
pub(super) fn lines(workload: &WorkloadResult, most: usize) -> Vec<String> {
    let Some(growth) = &workload.growth else {
        let moved = matches!(workload.outcome, Outcome::Slower | Outcome::Faster);
        let why = workload.unmeasured.get(GROWTH).filter(|_| moved);
        return why.map(|why| format!("which functions take another time is not known: {why}")).into_iter().collect();
    };
    if growth.places.is_empty() {
        return vec![nothing(growth)];
    }
    let mut lines: Vec<String> = growth.places.iter().take(most).map(place).collect();
    let more = growth.places.len().saturating_sub(most);
    if more > 0 {
        lines.push(format!("{more} more places differ"));
    }
    lines.extend(growth.note.clone());
    lines
}

fn nothing(growth: &Growth) -> String {
    let samples = |count: u64| figures::counted(count as usize, "sample");
    format!(
        "no function differs by more than chance between its profiles ({} at base, {} at head)",
        samples(growth.base_samples),
        samples(growth.head_samples)
    )
}

/// `+4.10 ms [+3.20, +5.00] in core::slice::sort under count::words (changed)`.
fn place(place: &GrownPlace) -> String {
    let difference = figures::difference((place.difference, place.low, place.high), "ns");
    let owner = place.owner.as_ref().filter(|owner| **owner != place.function);
    let is_changed = |item: Option<&String>| item.is_some() && item == place.through.as_ref();
    let kind = place.through_kind.map_or("changed", word);
    let mark = |item: Option<&String>| if is_changed(item) { format!(" ({kind})") } else { String::new() };
    let function = readable(&place.function);
    let own = owner.is_none();
    let at = place.file.as_ref().zip(place.line).map(|(file, line)| format!("{file}:{line}"));
    let own_marks: Vec<String> =
        is_changed(place.owner.as_ref()).then(|| kind.to_owned()).into_iter().chain(at.filter(|_| own)).collect();
    let own_marks = if own_marks.is_empty() { String::new() } else { format!(" ({})", own_marks.join(", ")) };
    let name = if own { format!("`{function}`{own_marks}") } else { format!("`{function}`{}", only(place)) };
    let under = owner.map(|owner| format!(" under `{owner}`{}", mark(Some(owner)))).unwrap_or_default();
    let through = match &place.through {
        Some(_) if is_changed(place.owner.as_ref()) => String::new(),
        Some(item) => format!(", through `{item}` ({kind})"),
        None => ", through no changed item (unexplained)".into(),
    };
    format!("{difference} in {name}{under}{through}")
}

fn only(place: &GrownPlace) -> &'static str {
    match place.side.as_str() {
        "head" => " (new)",
        "base" => " (gone)",
        _ => "",
    }
}

pub(super) fn word(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Added => "added",
        ChangeKind::Deleted => "deleted",
        ChangeKind::Ambient => "may affect it",
        ChangeKind::Modified | ChangeKind::Signature | ChangeKind::Attributes | ChangeKind::Moved => "changed",
    }
}

/// `41 % [38, 44] of the CPU samples, running`.
pub(super) fn share(owner: &OwnerResult) -> String {
    let state = owner.wait.as_ref().map_or_else(|| owner.state.clone(), |wait| format!("{} ({wait})", owner.state));
    let cause = owner.signature.as_ref().map(|signature| format!(": {signature}")).unwrap_or_default();
    format!("{} of the {}, {state}{cause}", figures::share_with_interval(owner.share, owner.low, owner.high), owner.of)
}

/// What starts every Rust program and thread: it and its callers tell nothing.
const BEGINNINGS: [&str; 2] = ["std::sys::backtrace::__rust_begin_short_backtrace", "std::rt::lang_start"];

/// `30 %: core::slice::sort ← count::words ← main`: the heaviest stack, leaf first, without what starts every program; `None` where
/// the owner alone is on it.
pub(super) fn stack(owner: &OwnerResult) -> Option<String> {
    let begins = |name: &&str| !BEGINNINGS.iter().any(|beginning| name.starts_with(beginning));
    let mut names: Vec<&str> = owner.stack.iter().map(|frame| frame.function.as_str()).take_while(begins).collect();
    while names.len() > 1 && names.last() == Some(&"core::ops::function::FnOnce::call_once") {
        names.pop();
    }
    names.dedup();
    let names: Vec<String> = names.into_iter().map(readable).collect();
    let share = owner.stack_share.map(|share| format!("{}: ", figures::share(share))).unwrap_or_default();
    (names.len() > 1).then(|| format!("{share}{}", names.join(" ← ")))
}
