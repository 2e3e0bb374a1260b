//! Words for the workloads that failed while they were probed or profiled at head.

use std::collections::BTreeMap;

use crate::figures::counted;

/// Workloads that a line names before it counts the rest.
const NAMED: usize = 3;
/// Characters of a failure that a line keeps.
const LONGEST: usize = 160;

/// One line per failure, whatever the number of workloads that it struck; those that are `told` elsewhere are left out.
pub(crate) fn troubles(problems: &BTreeMap<String, String>, told: impl Fn(&str) -> bool) -> Vec<String> {
    let mut struck: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (id, problem) in problems.iter().filter(|(id, _)| !told(id)) {
        // A failure names its workload; without the name, equal failures are equal.
        let same = first_line(&problem.replace(&format!("`{id}`"), "it"));
        struck.entry(same).or_default().push(id);
    }
    struck.iter().map(|(problem, ids)| line(problem, ids)).collect()
}

fn line(problem: &str, ids: &[&str]) -> String {
    let named: Vec<String> = ids.iter().take(NAMED).map(|id| format!("`{id}`")).collect();
    let rest = ids.len().saturating_sub(NAMED);
    let more = if rest > 0 { format!(" and {}", counted(rest, "more workload")) } else { String::new() };
    format!("no profile at head of {}{more}: {problem}", named.join(", "))
}

fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let short: String = line.chars().take(LONGEST).collect();
    if short.len() < line.len() { format!("{short}…") } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_failures_are_one_line_and_what_is_told_elsewhere_is_none() {
        let problem = |id: &str| (id.to_owned(), format!("`{id}` failed with exit code 3: no such file\nand more"));
        let mut problems: BTreeMap<String, String> = ["a", "b", "c", "d", "e"].map(problem).into();
        problems.insert("f".into(), "x".repeat(500));
        let lines = troubles(&problems, |id| id == "e");
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert_eq!(lines[0], "no profile at head of `a`, `b`, `c` and 1 more workload: it failed with exit code 3: no such file");
        assert!(lines[1].ends_with('…') && lines[1].chars().count() < 200, "{}", lines[1]);
    }
}
