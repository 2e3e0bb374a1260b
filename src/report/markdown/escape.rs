//! Untrusted text in Markdown.

use crate::report::text::clean;

/// Markdown's and HTML's own characters, and `@` and `#`, which a forge turns into mentions and links.
const SPECIAL: &str = "\\*_{}[]<>()#+!|~&@$";

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

/// A code span; a backtick or a bar inside would end the span or the table cell.
pub(super) fn code(raw: &str) -> String {
    let inner = clean(raw).replace('`', "'").replace('|', "¦");
    if inner.trim().is_empty() { String::new() } else { format!("`{inner}`") }
}

fn escape_into(part: &str, safe: &mut String) {
    for character in part.chars() {
        match character {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '@' => safe.push_str("&#64;"),
            // Plain prose is full of these; they are only special in places that a sentence of ours never gives them.
            '(' | ')' | '+' | '!' | '{' | '}' | '~' => safe.push(character),
            c if SPECIAL.contains(c) => {
                safe.push('\\');
                safe.push(c);
            }
            c => safe.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn markup_from_outside_is_shown_and_not_obeyed() {
        assert_eq!(
            text("<img src=x> *b* [a](http://x) @team #12"),
            "&lt;img src=x&gt; \\*b\\* \\[a\\](http://x) &#64;team \\#12"
        );
        assert_eq!(text("`Vec<T>` grew"), "`Vec<T>` grew");
        assert_eq!(text("one ` alone *x*"), "one  alone \\*x\\*");
        assert_eq!(code("a`b|c\u{1b}[0m"), "`a'b¦c[0m`");
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
