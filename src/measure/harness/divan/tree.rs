//! Divan's text tree: the only thing it prints, in list, test and bench runs alike.
//!
//! Reads rows with their full paths; what a row means is for the caller. Lines that the program itself prints between rows are
//! passed over.

use super::figures::{Printed, Rate, duration, rate};

/// A row: a benchmark, a group of them, or one of several thread counts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// Names from the root down, joined as divan's filters want them.
    pub(super) path: String,
    /// Depth below the root, which has 0.
    pub(super) depth: usize,
    /// Marked `(ignored)`.
    pub(super) ignored: bool,
    /// Fastest and median sample, where it was timed.
    pub(super) times: Option<Times>,
    /// Iterations of all samples and threads, where they are printed.
    pub(super) iterations: Option<f64>,
    /// Throughput at the median, per counter.
    pub(super) rates: Vec<Rate>,
}

/// The times of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Times {
    pub(super) fastest: Printed,
    pub(super) median: Printed,
}

/// fastest, slowest, median, mean, samples, iters.
const COLUMNS: usize = 6;
const MEDIAN: usize = 2;
const COLUMN_RULE: char = '│';
const IGNORED: &str = "(ignored)";

/// All rows of an output, in its order.
pub(super) fn rows(text: &str) -> Vec<Row> {
    let lines: Vec<&str> = text.lines().collect();
    let mut rows: Vec<Row> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        if let Some((depth, rest)) = branch(line) {
            // A branch that hangs in the air belongs to no tree of ours.
            if depth > names.len() {
                continue;
            }
            let (name, times, ignored) = parse_row(rest);
            let iterations = iterations(rest).filter(|_| times.is_some());
            names.truncate(depth);
            names.push(name);
            rows.push(Row { path: names.join("::"), depth, ignored, times, iterations, rates: Vec::new() });
        } else if lines.get(number + 1).and_then(|next| branch(next)).is_some_and(|(depth, _)| depth == 1) && is_root(line) {
            names = vec![root(line).to_owned()];
        } else if let Some(row) = rows.last_mut() {
            continue_row(row, line);
        }
    }
    rows
}

/// The rows that no other row hangs below.
pub(super) fn leaves(rows: &[Row]) -> impl Iterator<Item = &Row> {
    let is_parent = |at: usize, row: &Row| rows.get(at + 1).is_some_and(|next| next.depth > row.depth);
    rows.iter().enumerate().filter(move |(at, row)| !is_parent(*at, row)).map(|(_, row)| row)
}

/// Depth and what follows the branch: `│  ├─ name` is at 2.
fn branch(line: &str) -> Option<(usize, &str)> {
    let (mut rest, mut depth) = (line, 1);
    while let Some(inner) = rest.strip_prefix("│  ").or_else(|| rest.strip_prefix("   ")) {
        (rest, depth) = (inner, depth + 1);
    }
    let rest = rest.strip_prefix("├─ ").or_else(|| rest.strip_prefix("╰─ "))?;
    Some((depth, rest))
}

/// The name in front of the headings, where there are any.
fn root(line: &str) -> &str {
    let name = columns(line).map_or(line, |(first, _)| first).trim_end();
    name.strip_suffix("fastest").unwrap_or(name).trim_end()
}

fn is_root(line: &str) -> bool {
    line.chars().next().is_some_and(|first| !first.is_whitespace() && first != COLUMN_RULE)
}

fn parse_row(rest: &str) -> (String, Option<Times>, bool) {
    let Some((first, times)) = columns(rest) else {
        let name = rest.trim_end();
        let plain = name.strip_suffix(IGNORED);
        return (plain.unwrap_or(name).trim_end().to_owned(), None, plain.is_some());
    };
    // At least two spaces stand between a name and its first column.
    match first.trim_end().rsplit_once("  ") {
        Some((name, IGNORED)) => (name.trim_end().to_owned(), None, true),
        Some((name, _)) if times.is_some() => (name.trim_end().to_owned(), times, false),
        _ => (first.trim_end().to_owned(), None, false),
    }
}

/// The first column, with the name or a prefix in front, and the times if the columns hold any.
fn columns(text: &str) -> Option<(&str, Option<Times>)> {
    let cells: Vec<&str> = text.rsplitn(COLUMNS, COLUMN_RULE).collect();
    if cells.len() < COLUMNS {
        return None;
    }
    let cell = |column: usize| cells.get(COLUMNS - 1 - column).copied();
    let first = cell(0)?;
    let fastest = last_words(first).and_then(duration);
    let times = fastest.zip(cell(MEDIAN).and_then(duration)).map(|(fastest, median)| Times { fastest, median });
    Some((first, times))
}

/// The last column.
fn iterations(text: &str) -> Option<f64> {
    let (_, last) = text.rsplit_once(COLUMN_RULE)?;
    last.trim().parse().ok().filter(|iterations: &f64| iterations.is_finite() && *iterations > 0.0)
}

/// `1.465 µs` out of `│  ├─ name   1.465 µs `.
fn last_words(cell: &str) -> Option<&str> {
    let cell = cell.trim_end();
    let (before, _unit) = cell.rsplit_once(' ')?;
    let number = before.rsplit([' ', COLUMN_RULE]).next()?;
    cell.get(before.len() - number.len()..)
}

/// Lines below a row: its throughput, its allocations, or its times when the program printed something in between.
fn continue_row(row: &mut Row, line: &str) {
    let Some((_, times)) = columns(line) else { return };
    if row.times.is_none() && times.is_some() {
        row.times = times;
        row.iterations = iterations(line);
        // What the program printed stands behind the padded name.
        row.path = row.path.split_once("  ").map_or(row.path.as_str(), |(path, _)| path).to_owned();
        return;
    }
    let mut cells = line.rsplitn(COLUMNS, COLUMN_RULE);
    if let Some(rate) = cells.nth(COLUMNS - 1 - MEDIAN).and_then(rate) {
        row.rates.push(rate);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEST: &str = include_str!("../../../../fixtures/divan/0.1.21-test.txt");
    const BENCH: &str = include_str!("../../../../fixtures/divan/0.1.21-bench.txt");

    fn paths(text: &str) -> Vec<String> {
        leaves(&rows(text)).map(|row| row.path.clone()).collect()
    }

    #[test]
    fn test_and_bench_runs_show_the_same_rows() {
        let ids = paths(TEST);
        assert_eq!(ids, paths(BENCH));
        assert_eq!(ids.len(), 14);
        for id in ["dv::alloc::100", "dv::mix", "dv::group::hard coded", "dv::group::threaded::t=2", "dv::my group::slow"] {
            assert!(ids.iter().any(|found| found == id), "{id}: {ids:?}");
        }
        assert!(ids.contains(&"dv::group::typed::Vec<u8>::a b".to_owned()));
    }

    #[test]
    fn every_row_that_ran_has_its_times() {
        for text in [BENCH, include_str!("../../../../fixtures/divan/codspeed-6.0.0-bench.txt")] {
            let rows = rows(text);
            for row in leaves(&rows) {
                assert_eq!(row.times.is_some(), !row.ignored, "{row:?}");
                assert!(row.times.is_none_or(|times| times.fastest.ns <= times.median.ns), "{row:?}");
            }
        }
        let rows = rows(BENCH);
        assert_eq!(rows.iter().filter(|row| row.ignored).count(), 1);
        let counted: Vec<_> = rows.iter().filter(|row| !row.rates.is_empty()).map(|row| row.rates.len()).collect();
        assert_eq!(counted, [2, 2], "allocation lines are no throughput");
    }

    #[test]
    fn what_the_program_prints_does_not_hide_a_row() {
        let text = "loading\ndv      fastest  │ slowest │ median │ mean │ samples │ iters\n\
            ╰─ a    hello\n1.5 µs  │ 2 µs │ 1.75 µs │ 1.8 µs │ 3 │ 3\nbye\n";
        let rows = rows(text);
        assert_eq!(rows.len(), 1);
        let found = rows.first().map(|row| (row.path.as_str(), row.times.map(|times| times.median.ns)));
        assert_eq!(found, Some(("dv::a", Some(1750.0))));
    }

    #[test]
    fn text_that_is_no_tree_has_no_rows() {
        assert!(rows("running 3 tests\ntest a ... ok\n").is_empty());
        assert!(rows("├─ in the air\n").is_empty());
        assert!(rows("").is_empty());
    }
}
