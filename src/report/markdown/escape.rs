//! Untrusted text in Markdown.

use crate::report::text::clean;

/// Text whose `code` between backticks stays code; everything else shows as it is written.
pub(super) fn text(raw: &str) -> String {
    let cleaned = clean(raw);
    let parts: Vec<&str> = cleaned.split('`').collect();
    let balanced = parts.len() % 2 == 1;
    let mut safe = String::new();
    for (at, part) in parts.iter().enumerate() {
        let is_code = at % 2 == 1 && (balanced || at + 1 < parts.len());
        if is_code { safe.push_str(&code(part)) } else { escape_into(part, &mut safe) }
    }
    safe
}

/// A code span; a backtick inside would end it.
pub(super) fn code(raw: &str) -> String {
    let inner = clean(raw).replace('`', "'");
    if inner.trim().is_empty() { String::new() } else { format!("`{inner}`") }
}

/// A code span in a table, where a bar would end the cell.
pub(super) fn cell(raw: &str) -> String {
    code(raw).replace('|', "¦")
}

fn escape_into(part: &str, safe: &mut String) {
    let mut characters = part.chars().peekable();
    let mut before = ' ';
    while let Some(character) = characters.next() {
        let after = characters.peek().copied().unwrap_or(' ');
        match character {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '@' => safe.push_str("&#64;"),
            c if is_special(before, c, after) => safe.extend(['\\', c]),
            c => safe.push(c),
        }
        before = character;
    }
}

/// True where a character would be markup: a forge reads `#` as a link, `]` only before what makes it one, `_` only at the edge
/// of a word. Plain prose and intervals stay legible.
fn is_special(before: char, character: char, after: char) -> bool {
    match character {
        '\\' | '*' | '#' | '|' | '$' => true,
        ']' => matches!(after, '(' | '[' | ':'),
        '[' => matches!(after, '^'),
        '_' => !(before.is_alphanumeric() && after.is_alphanumeric()),
        '~' => after == '~' || before == '~',
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn markup_from_outside_is_shown_and_not_obeyed() {
        assert_eq!(text("<img src=x> *b* [a](http://x) @team #12"), "&lt;img src=x&gt; \\*b\\* [a\\](http://x) &#64;team \\#12");
        assert_eq!(text("`Vec<T>` grew"), "`Vec<T>` grew");
        assert_eq!(text("one ` alone *x*"), "one  alone \\*x\\*");
        assert_eq!(code("a`b|c\u{1b}[0m"), "`a'b|c[0m`");
        assert_eq!(cell("a|b"), "`a¦b`");
        assert_eq!(text("perf_event_paranoid is _3_ [1, 2]"), "perf_event_paranoid is \\_3\\_ [1, 2]");
    }

    proptest! {
        #[test]
        fn no_html_survives_outside_of_code(raw in "[a-z<>&`@\\n]{0,40}") {
            let safe = text(&raw);
            let outside: String = safe.split('`').step_by(2).collect();
            prop_assert!(!outside.contains('<') && !outside.contains('>') && !outside.contains('@'));
            prop_assert!(!safe.contains('\n'));
        }
    }
}
