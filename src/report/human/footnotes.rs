//! What would make a table too wide, below it: long reasons and reasons of several rows once, cut names whole.

use crate::figures;
use crate::report::text::{clean, shorten};

/// Wider than that, a reason does not fit beside the figures on most screens.
const LONG: usize = 60;
/// What is no longer than that may be said again and again.
const SHORT: usize = 20;

/// The reasons of a table's rows.
#[derive(Debug, Default)]
pub(super) struct Footnotes(Vec<String>);

impl Footnotes {
    /// Of these reasons, the long ones and those of several rows.
    pub(super) fn of(reasons: &[String]) -> Self {
        let mut below: Vec<String> = Vec::new();
        for reason in reasons {
            let length = reason.chars().count();
            let is_shared = reasons.iter().filter(|other| *other == reason).count() > 1;
            if (length > LONG || (is_shared && length > SHORT)) && !below.contains(reason) {
                below.push(reason.clone());
            }
        }
        Self(below)
    }

    /// What stands in the table: the reason, or `(1)`.
    pub(super) fn cell(&self, reason: &str) -> String {
        let number = self.0.iter().position(|one| one == reason);
        number.map_or_else(|| reason.to_owned(), |number| format!("({})", number + 1))
    }

    /// What stands below it.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().zip(1..).map(|(reason, number)| format!("({number}) {reason}"))
    }
}

/// Those of the names that are wider than a column, whole, as they can be typed; `None` where none is.
pub(super) fn whole<'n>(names: impl IntoIterator<Item = &'n str>, width: usize) -> Option<String> {
    let mut cut: Vec<String> = Vec::new();
    for name in names.into_iter().filter(|name| name.chars().count() > width) {
        let typed = figures::word(&clean(name));
        if !cut.contains(&typed) {
            cut.push(typed);
        }
    }
    (!cut.is_empty()).then(|| format!("cut above: {}", cut.join(", ")))
}

/// Lines about workloads, those that say the same of several once: `a, b: wall clock, …`.
pub(super) fn together<'n>(lines: impl IntoIterator<Item = (&'n str, String)>, width: usize) -> Vec<String> {
    let mut known: Vec<(String, Vec<String>)> = Vec::new();
    for (name, line) in lines {
        let name = shorten(name, width);
        match known.iter_mut().find(|(said, _)| *said == line) {
            Some((_, names)) => names.push(name),
            None => known.push((line, vec![name])),
        }
    }
    known.into_iter().map(|(line, names)| format!("{}: {line}", names.join(", "))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_or_said_twice_stands_below_once() {
        let long = "x".repeat(LONG + 1);
        let shared = "not comparable: its bench changed".to_owned();
        let reasons = ["same".to_owned(), shared.clone(), long.clone(), shared.clone(), "same".to_owned()];
        let notes = Footnotes::of(&reasons);
        let cells: Vec<String> = reasons.iter().map(|reason| notes.cell(reason)).collect();
        assert_eq!(cells, ["same", "(1)", "(2)", "(1)", "same"]);
        assert_eq!(notes.lines().collect::<Vec<_>>(), [format!("(1) {shared}"), format!("(2) {long}")]);
    }

    #[test]
    fn a_cut_name_can_be_typed() {
        assert_eq!(whole(["short", "a long/name", "a long/name"], 6).as_deref(), Some("cut above: 'a long/name'"));
        assert_eq!(whole(["short"], 6), None);
    }

    #[test]
    fn lines_that_say_the_same_become_one() {
        let lines = [("a", "slow".to_owned()), ("b", "fast".to_owned()), ("c", "slow".to_owned())];
        assert_eq!(together(lines, 9), ["a, c: slow", "b: fast"]);
    }
}
