//! Text from outside, made safe to show, and columns.

/// Characters that reorder what a reader sees without being control characters (CVE-2021-42574), and line separators.
const DECEIVING: [char; 14] = [
    '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}',
    '\u{2069}', '\u{2028}', '\u{2029}', '\u{feff}',
];

/// One line without control characters: escape sequences lose their power, line breaks and tabs become spaces.
pub fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' => clean.push(' '),
            c if c.is_control() || DECEIVING.contains(&c) => {}
            c => clean.push(c),
        }
    }
    clean
}

/// Several lines, each [`clean`].
pub(crate) fn clean_lines(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n")
}

/// At most `width` characters: the start gives way, because the end of a path tells more.
pub(super) fn shorten(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().skip(length + 1 - width.max(1)).collect();
    format!("…{kept}")
}

/// A table without borders; each column as wide as its widest cell, the last one not padded.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Vec<Cell>>,
}

/// A cell and how to colour it.
#[derive(Debug, Clone, Default)]
pub(super) struct Cell {
    text: String,
    style: anstyle::Style,
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, style: anstyle::Style::new() }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl Cell {
    pub(super) fn styled(text: impl Into<String>, style: anstyle::Style) -> Self {
        Self { text: text.into(), style }
    }
}

impl Table {
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The lines, without an end of line.
    pub(super) fn lines(&self, color: bool) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        // What ends a row may run on under the columns that follow.
        let padded = |row: &&Vec<Cell>, column: usize| last(row).is_some_and(|last| column < last);
        let width = |column: usize| {
            let rows = self.rows.iter().filter(|row| padded(row, column));
            rows.filter_map(|row| row.get(column)).map(|cell| cell.text.chars().count()).max()
        };
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
        self.rows.iter().map(|row| line(row, &widths, color)).collect()
    }
}

/// The column of the last cell with a text.
fn last(row: &[Cell]) -> Option<usize> {
    row.iter().rposition(|cell| !cell.text.is_empty())
}

fn line(row: &[Cell], widths: &[usize], color: bool) -> String {
    let mut line = String::new();
    let last = last(row);
    for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
        if last.is_none_or(|last| column > last) {
            break;
        }
        let padding = if Some(column) == last { 0 } else { width - cell.text.chars().count() + 2 };
        line.push_str(&paint(&cell.text, cell.style, color));
        line.push_str(&" ".repeat(padding));
    }
    line
}

/// Text in a style, if colours are wanted.
pub(super) fn paint(text: &str, style: anstyle::Style, color: bool) -> String {
    if color { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escape_sequences_lose_their_power() {
        assert_eq!(clean("a\u{1b}[31mred\u{7}\r\nb\u{9b}2J"), "a[31mred b2J");
        assert_eq!(clean("f\u{202e}nf\u{2066}"), "fnf");
        assert_eq!(clean("µ → é"), "µ → é");
    }

    #[test]
    fn the_start_of_a_long_path_gives_way() {
        assert_eq!(shorten("crate::module::function", 12), "…e::function");
        assert_eq!(shorten("short", 12), "short");
        assert_eq!(shorten("éééé", 2), "…é");
    }

    #[test]
    fn columns_line_up_and_trailing_cells_are_not_padded() {
        let mut table = Table::default();
        table.row(["a".into(), "1".into(), "".into()]);
        table.row(["long".into(), "22".into(), "x".into()]);
        assert_eq!(table.lines(false), ["a     1", "long  22  x"]);
        table.row(["b".into(), "runs on".into()]);
        assert_eq!(table.lines(false), ["a     1", "long  22  x", "b     runs on"]);
    }

    proptest! {
        #[test]
        fn clean_text_has_no_control_characters(text in any::<String>()) {
            prop_assert!(!clean(&text).chars().any(char::is_control));
        }
    }
}
