//! Whether a `Cargo.toml` changed in a way that can change machine code.
//!
//! Compares normalized `key = value` lines per table, which is enough for that question; it is no TOML parser.

use std::collections::BTreeMap;

/// Tables that no build reads.
const TABLES: [&str; 6] = ["package.metadata", "workspace.metadata", "badges", "lints", "workspace.lints", "package.docs"];

/// Keys of `[package]` and `[workspace.package]` that are only information.
const KEYS: [&str; 16] = [
    "description",
    "version",
    "authors",
    "license",
    "license-file",
    "readme",
    "keywords",
    "categories",
    "repository",
    "homepage",
    "documentation",
    "include",
    "exclude",
    "publish",
    "rust-version",
    "metadata",
];

/// The entries that differ and matter, as `[table] − key = old`, `[table] + key = new`.
pub(super) fn difference(base: &str, head: &str) -> Vec<String> {
    diff(&relevant(base), &relevant(head))
}

/// The entries of a settings file (`rust-toolchain.toml`, `.cargo/config.toml`) that differ; all of them matter.
pub(super) fn settings_difference(base: &str, head: &str) -> Vec<String> {
    diff(&entries(base), &entries(head))
}

type Entry = (String, String);

fn relevant(text: &str) -> Vec<Entry> {
    let mut all = entries(text);
    all.retain(|(table, entry)| matters(table, entry));
    all
}

fn matters(table: &str, entry: &str) -> bool {
    if TABLES.iter().any(|ignored| table == *ignored || table.strip_prefix(ignored).is_some_and(|rest| rest.starts_with('.'))) {
        return false;
    }
    let key = entry.split(['=', '.']).next().unwrap_or_default().trim().trim_matches('"');
    !(matches!(table, "package" | "workspace.package" | "project") && KEYS.contains(&key))
}

fn diff(base: &[Entry], head: &[Entry]) -> Vec<String> {
    let mut balance: BTreeMap<&Entry, i64> = BTreeMap::new();
    for entry in base {
        *balance.entry(entry).or_insert(0) -= 1;
    }
    for entry in head {
        *balance.entry(entry).or_insert(0) += 1;
    }
    let mut changed: Vec<(&Entry, i64)> = balance.into_iter().filter(|(_, count)| *count != 0).collect();
    let key = |entry: &str| entry.split('=').next().unwrap_or_default().to_owned();
    // The old value directly before the new one.
    changed.sort_by_key(|((table, entry), count)| (table.clone(), key(entry), *count));
    let show = |((table, entry), count): (&Entry, i64)| {
        let sign = if count < 0 { '−' } else { '+' };
        if table.is_empty() { format!("{sign} {entry}") } else { format!("[{table}] {sign} {entry}") }
    };
    changed.into_iter().map(show).collect()
}

/// Every `key = value` with its table; arrays and strings over several lines become one entry.
fn entries(text: &str) -> Vec<Entry> {
    let mut table = String::new();
    let mut open = Open::default();
    let mut entry = String::new();
    let mut out = Vec::new();
    for line in text.lines() {
        let code = open.line(line);
        let code = code.trim();
        if entry.is_empty() && code.starts_with('[') && !code.contains('=') && open.is_closed() {
            code.trim_matches(['[', ']', ' ']).clone_into(&mut table);
            continue;
        }
        if !code.is_empty() {
            if !entry.is_empty() {
                entry.push(' ');
            }
            entry.push_str(&code.split_whitespace().collect::<Vec<_>>().join(" "));
        }
        if open.is_closed() && !entry.is_empty() {
            out.push((table.clone(), tidy(&std::mem::take(&mut entry))));
        }
    }
    if !entry.is_empty() {
        out.push((table, tidy(&entry)));
    }
    out
}

/// One spelling for `a=1` and `a = 1`, `[1, 2,]` and `[ 1, 2 ]`.
fn tidy(entry: &str) -> String {
    let entry = entry.replace("[ ", "[").replace(" ]", "]").replace(",]", "]");
    match entry.split_once('=') {
        Some((key, value)) => format!("{} = {}", key.trim(), value.trim()),
        None => entry,
    }
}

/// What is still open at the end of a line.
#[derive(Default)]
struct Open {
    brackets: usize,
    /// `"""` or `'''`.
    long_string: Option<&'static str>,
}

impl Open {
    fn is_closed(&self) -> bool {
        self.brackets == 0 && self.long_string.is_none()
    }

    /// The line without its comment.
    fn line(&mut self, line: &str) -> String {
        let mut out = String::new();
        let mut rest = line;
        while let Some(c) = rest.chars().next() {
            let taken = self.piece(rest, c);
            if taken == 0 {
                break;
            }
            let (piece, after) = rest.split_at(taken);
            out.push_str(piece);
            rest = after;
        }
        out
    }

    /// How many bytes to keep; 0 at a comment.
    fn piece(&mut self, rest: &str, c: char) -> usize {
        if let Some(quote) = self.long_string {
            let Some(end) = rest.find(quote) else { return rest.len() };
            self.long_string = None;
            return end + quote.len();
        }
        for quote in ["\"\"\"", "'''"] {
            if rest.starts_with(quote) {
                self.long_string = Some(quote);
                return quote.len();
            }
        }
        match c {
            '#' => return 0,
            '"' | '\'' => return string_end(rest, c),
            '[' | '{' => self.brackets += 1,
            ']' | '}' => self.brackets = self.brackets.saturating_sub(1),
            _ => {}
        }
        c.len_utf8()
    }
}

fn string_end(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if c == quote && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped && quote == '"';
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = r#"
[package]
name = "x"
version = "0.1.0" # comment
description = """
text = [
"""
keywords = [
    "a",
]

[package.metadata.docs.rs]
all-features = true

[dependencies]
serde = { version = "1", features = ["derive"] }

[[bench]]
name = "a"
harness = false

[profile.release]
lto = true
"#;

    #[test]
    fn information_comments_and_layout_do_not_matter() {
        for (from, to) in [
            ("0.1.0", "0.2.0"),
            ("# comment", "# other # comment"),
            ("text = [", "other = {"),
            ("    \"a\",\n", "    \"a\", \"b\",\n"),
            ("all-features = true", "all-features = false"),
            ("lto = true", "lto=true   # yes"),
            ("[\"derive\"]", "[ \"derive\", ]"),
        ] {
            assert!(BASE.contains(from));
            assert_eq!(difference(BASE, &BASE.replace(from, to)), [""; 0], "{from} → {to}");
        }
    }

    #[test]
    fn profiles_dependencies_and_targets_matter() {
        let changed = |from: &str, to: &str| difference(BASE, &BASE.replace(from, to));
        assert_eq!(
            changed("lto = true", "lto = \"fat\""),
            ["[profile.release] − lto = true", "[profile.release] + lto = \"fat\""]
        );
        assert_eq!(changed("lto = true", ""), ["[profile.release] − lto = true"]);
        assert_eq!(changed("\"derive\"", "\"derive\", \"rc\"").len(), 2);
        assert_eq!(changed("[[bench]]\nname = \"a\"", "[[bench]]\nname = \"a\"\n[[bench]]\nname = \"b\"").len(), 1);
        assert_eq!(changed("name = \"x\"", "name = \"x\"\nedition = \"2024\""), ["[package] + edition = \"2024\""]);
    }
}
