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
        None => match &place.moved {
            Some(other) => format!(", moved: `{}` on the same stacks changed by as much the other way", readable(other)),
            None => ", through no changed item (unexplained)".into(),
        },
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
    let cause = owner.signature.as_ref().map(|signature| format!(": {signature}")).unwrap_or_default();
    let share = figures::share_with_interval(owner.share, owner.low, owner.high);
    format!("{share} of the {}, {}{cause}", owner.of, state(owner))
}

/// What starts every Rust program and thread: it and its callers tell nothing.
const BEGINNINGS: [&str; 2] = ["std::sys::backtrace::__rust_begin_short_backtrace", "std::rt::lang_start"];

/// What the heaviest stack of an owner holds: `30 % of the work time`; `None` where that is the owner's whole share, or not known.
pub(super) fn stack_share(owner: &OwnerResult) -> Option<String> {
    let share = figures::share(owner.stack_share?);
    (share != figures::share(owner.share)).then(|| format!("{share} of the {}", owner.of))
}

/// `41 % of the work time, running: …`: the first owner's share, and its heaviest stack.
pub(super) fn first_stack(workload: &WorkloadResult) -> Option<String> {
    let owner = workload.owners.first()?;
    let share = figures::share(owner.stack_share.unwrap_or(owner.share));
    Some(format!("{share} of the {}, {}: {}", owner.of, state(owner), stack(owner)?))
}

fn state(owner: &OwnerResult) -> String {
    owner.wait.as_ref().map_or_else(|| owner.state.clone(), |wait| format!("{} ({wait})", owner.state))
}

/// `core::slice::sort ← count::words ← main`: the heaviest stack, leaf first, without what starts every program; `None` where the
/// owner alone is on it.
pub(super) fn stack(owner: &OwnerResult) -> Option<String> {
    let begins = |name: &&str| !BEGINNINGS.iter().any(|beginning| name.starts_with(beginning));
    let mut names: Vec<&str> = owner.stack.iter().map(|frame| frame.function.as_str()).take_while(begins).collect();
    while names.len() > 1 && names.last() == Some(&"core::ops::function::FnOnce::call_once") {
        names.pop();
    }
    names.dedup();
    let names: Vec<String> = names.into_iter().map(readable).collect();
    (names.len() > 1).then(|| names.join(" ← "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{grown, owner, workload};

    #[test]
    fn what_moved_is_not_called_unexplained() {
        let said = |moved: Option<&str>| {
            let mut growth = grown("parse::words", "parse::sort");
            growth.places[1].moved = moved.map(str::to_owned);
            lines(&WorkloadResult { growth: Some(growth), ..workload("w") }, 5)[1].clone()
        };
        assert!(said(None).ends_with("through no changed item (unexplained)"), "{}", said(None));
        let told = said(Some("parse::tree::walk"));
        assert!(told.ends_with("moved: `parse::tree::walk` on the same stacks changed by as much the other way"), "{told}");
    }

    #[test]
    fn each_line_says_what_its_share_is_of() {
        let mut one = owner("parse::lexer::next");
        assert_eq!(stack_share(&one).as_deref(), Some("30 % of the work time"));
        let line = first_stack(&WorkloadResult { owners: vec![one.clone()], ..workload("w") }).unwrap();
        assert!(line.starts_with("30 % of the work time, running: "), "{line}");
        one.stack_share = Some(0.412);
        assert_eq!(stack_share(&one), None, "the same number is not said again");
    }
}
