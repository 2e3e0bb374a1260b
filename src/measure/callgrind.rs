//! Callgrind's output: instructions per function with everything it calls, and per source line.
//!
//! Reads text (the format of the Valgrind manual, "Callgrind Format Specification"); runs nothing and knows no items. Names
//! come as the file has them.

use std::collections::{BTreeMap, HashMap};

/// A file that is not what callgrind writes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("callgrind's output is not understood at line {line}")]
pub struct CallgrindError {
    /// 1-based.
    pub line: usize,
}

/// One run, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Instructions of the whole process.
    pub total: u64,
    /// Names of functions, by number.
    names: Vec<String>,
    /// Own instructions, by function.
    own: Vec<u64>,
    /// Instructions of calls, with everything below: caller and callee.
    calls: BTreeMap<(usize, usize), u64>,
    /// Instructions by file and line, those of calls from there included; calls of a function by itself left out.
    lines: BTreeMap<(String, u32), u64>,
}

impl Counts {
    /// Reads one output file.
    pub fn parse(text: &str) -> Result<Self, CallgrindError> {
        let mut reader = Reader::default();
        for (number, line) in text.lines().enumerate() {
            reader.line(line.trim_end()).ok_or(CallgrindError { line: number + 1 })?;
        }
        let mut counts = reader.counts;
        counts.total = counts.own.iter().sum();
        Ok(counts)
    }

    /// Instructions of the functions whose name is wanted, with everything that they call; calls among them count once.
    /// `None` when no function has such a name.
    pub fn of_functions(&self, wanted: impl Fn(&str) -> bool) -> Option<u64> {
        let chosen: Vec<bool> = self.names.iter().map(|name| wanted(name)).collect();
        if !chosen.contains(&true) {
            return None;
        }
        let is_chosen = |function: usize| chosen.get(function) == Some(&true);
        let own: u64 = self.own.iter().enumerate().filter(|(function, _)| is_chosen(*function)).map(|(_, own)| own).sum();
        let below = self.calls.iter().filter(|((from, to), _)| is_chosen(*from) && !is_chosen(*to)).map(|(_, cost)| cost);
        Some(own + below.sum::<u64>())
    }

    /// Instructions of the lines that are wanted, with what is called from them; for code that was inlined everywhere. `None`
    /// when no such line was executed.
    pub fn at_lines(&self, wanted: impl Fn(&str, u32) -> bool) -> Option<u64> {
        let mut found = self.lines.iter().filter(|((file, line), _)| wanted(file, *line)).map(|(_, cost)| *cost).peekable();
        found.peek()?;
        Some(found.sum())
    }

    /// Every function's name.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }
}

/// Files and functions have numbers of their own; a number without a name refers back.
#[derive(Debug, Default)]
struct Compressed(HashMap<String, String>);

impl Compressed {
    fn name(&mut self, text: &str) -> Option<String> {
        let Some(rest) = text.strip_prefix('(') else { return Some(text.to_owned()) };
        let (number, name) = rest.split_once(')')?;
        let name = name.trim_start();
        if name.is_empty() {
            return self.0.get(number).cloned();
        }
        self.0.insert(number.to_owned(), name.to_owned());
        Some(name.to_owned())
    }
}

#[derive(Debug, Default)]
struct Reader {
    counts: Counts,
    numbers: HashMap<String, usize>,
    files: Compressed,
    functions: Compressed,
    /// Columns before the costs: 1, or 2 with addresses.
    positions: usize,
    /// Which column is the line.
    line_column: usize,
    /// Which cost is `Ir`.
    event: usize,
    last: Vec<u64>,
    file: String,
    function: Option<usize>,
    callee: Option<usize>,
    /// The next line is the cost of a call.
    is_call: bool,
}

impl Reader {
    /// `None` for a line that does not fit.
    fn line(&mut self, line: &str) -> Option<()> {
        let starts = line.chars().next();
        match starts {
            None | Some('#') => Some(()),
            Some(first) if first.is_ascii_digit() || matches!(first, '+' | '-' | '*') => self.cost(line),
            Some(_) => match line.split_once('=') {
                Some((key, value)) if key.chars().all(|c| c.is_ascii_lowercase()) => self.position(key, value),
                _ => self.header(line),
            },
        }
    }

    fn header(&mut self, line: &str) -> Option<()> {
        let (key, value) = line.split_once(':')?;
        let words: Vec<&str> = value.split_whitespace().collect();
        match key {
            "positions" => {
                self.positions = words.len();
                self.line_column = words.iter().position(|word| *word == "line")?;
            }
            "events" => self.event = words.iter().position(|word| *word == "Ir")?,
            _ => {}
        }
        Some(())
    }

    fn position(&mut self, key: &str, value: &str) -> Option<()> {
        match key {
            "fl" | "fi" | "fe" => self.file = self.files.name(value)?,
            "cfi" | "cfl" => drop(self.files.name(value)?),
            "fn" => self.function = Some(self.function_number(value)?),
            "cfn" => self.callee = Some(self.function_number(value)?),
            "calls" => self.is_call = true,
            // Objects do not matter, and jumps cost nothing.
            _ => {}
        }
        Some(())
    }

    fn function_number(&mut self, value: &str) -> Option<usize> {
        let name = self.functions.name(value)?;
        let next = self.counts.names.len();
        let number = *self.numbers.entry(name.clone()).or_insert(next);
        if number == next {
            self.counts.names.push(name);
            self.counts.own.push(0);
        }
        Some(number)
    }

    fn cost(&mut self, line: &str) -> Option<()> {
        let mut words = line.split_whitespace();
        let columns = self.positions.max(1);
        self.last.resize(columns, 0);
        for column in 0..columns {
            let word = words.next()?;
            let slot = self.last.get_mut(column)?;
            *slot = match word.split_at_checked(1)? {
                ("*", "") => *slot,
                ("+", by) => slot.checked_add(number(by)?)?,
                ("-", by) => slot.checked_sub(number(by)?)?,
                _ => number(word)?,
            };
        }
        let at = u32::try_from(*self.last.get(self.line_column)?).ok()?;
        // Costs that are zero at the end of a line are left out.
        let cost = words.nth(self.event).map_or(Some(0), |word| word.parse().ok())?;
        let function = self.function?;
        let itself = if std::mem::take(&mut self.is_call) {
            let callee = self.callee.take()?;
            *self.counts.calls.entry((function, callee)).or_default() += cost;
            callee == function
        } else {
            *self.counts.own.get_mut(function)? += cost;
            false
        };
        if !itself {
            *self.counts.lines.entry((self.file.clone(), at)).or_default() += cost;
        }
        Some(())
    }
}

/// Addresses are written in base 16.
fn number(word: &str) -> Option<u64> {
    match word.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => word.parse().ok(),
    }
}

#[cfg(test)]
mod tests;
