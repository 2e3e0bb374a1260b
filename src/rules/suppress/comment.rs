//! `// perf-expert: allow(PE-201): reason` in source text.

use std::str::FromStr as _;

use proc_macro2::TokenStream;

use crate::rules::suppress::{RulePattern, cover};

/// One suppression comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rules) struct Comment {
    /// Its own line.
    pub(in crate::rules) line: u32,
    /// The text of that line.
    pub(in crate::rules) text: String,
    /// First and last line that it covers.
    pub(in crate::rules) covers: (u32, u32),
    /// What it says.
    pub(in crate::rules) content: Result<Content, Malformed>,
}

/// A comment that works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rules) struct Content {
    pub(in crate::rules) rules: Vec<RulePattern>,
    pub(in crate::rules) reason: String,
}

/// Why a comment does not work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::rules) enum Malformed {
    #[error("the reason is missing")]
    NoReason,
    #[error("it is not written as `allow(RULE): reason`")]
    Syntax,
    #[error("no rule is called `{}`{}", .0.as_str(), .0.nearest().map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    UnknownRule(RulePattern),
}

const MARKER: &str = "perf-expert:";

/// Every suppression comment of a file.
pub(super) fn comments(file: &str) -> Vec<Comment> {
    if !file.contains(MARKER) {
        return Vec::new();
    }
    let tokens = TokenStream::from_str(file).ok();
    (1..).zip(file.lines()).filter_map(|(number, line)| comment(number, line, file, tokens.as_ref())).collect()
}

fn comment(number: usize, line: &str, file: &str, tokens: Option<&TokenStream>) -> Option<Comment> {
    let (before, after) = line.split_once(MARKER)?;
    let code = before.trim_end().strip_suffix("//")?;
    let column = code.chars().count();
    if code.ends_with('/') || tokens.is_some_and(|tokens| cover::in_literal(tokens, (number, column))) {
        return None;
    }
    let content = content(after.trim())?;
    let own_line = code.trim().is_empty();
    let covers = match (own_line, tokens) {
        (false, _) => (number, number),
        (true, Some(tokens)) => match cover::next_code_line(tokens, number) {
            Some(next) => cover::statement_from(tokens, next),
            None => (number, number),
        },
        (true, None) => next_plain_line(file, number),
    };
    let narrow = |line: usize| u32::try_from(line).unwrap_or(u32::MAX);
    Some(Comment { line: narrow(number), text: line.trim().to_owned(), covers: (narrow(covers.0), narrow(covers.1)), content })
}

/// Reads what follows the marker; `None` for prose that is no suppression.
fn content(text: &str) -> Option<Result<Content, Malformed>> {
    let Some(rest) = text.strip_prefix("allow") else {
        return text.contains("PE-").then_some(Err(Malformed::Syntax));
    };
    let listed = rest.trim_start().strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let Some((list, rest)) = listed else { return Some(Err(Malformed::Syntax)) };
    let rules: Vec<RulePattern> = list.split(',').map(RulePattern::new).filter(|rule| !rule.as_str().is_empty()).collect();
    if rules.is_empty() {
        return Some(Err(Malformed::Syntax));
    }
    if let Some(unknown) = rules.iter().find(|rule| !rule.is_known()) {
        return Some(Err(Malformed::UnknownRule(unknown.clone())));
    }
    let reason = rest.trim_start().strip_prefix(':').map(str::trim).unwrap_or_default();
    if reason.is_empty() { Some(Err(Malformed::NoReason)) } else { Some(Ok(Content { rules, reason: reason.to_owned() })) }
}

/// Without tokens (the file does not lex): the next line that is not blank and not a comment.
fn next_plain_line(file: &str, number: usize) -> (usize, usize) {
    let mut after = (1..).zip(file.lines()).skip(number);
    let found = after.find(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with("//"));
    let line = found.map_or(number, |(line, _)| line);
    (line, line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(file: &str) -> Comment {
        let comments = comments(file);
        assert_eq!(comments.len(), 1, "{comments:?}");
        comments.into_iter().next().unwrap()
    }

    #[test]
    fn a_comment_above_an_item_covers_the_item_with_attributes_and_docs() {
        let file = "fn a() {}\n// perf-expert: allow(PE-201): measured in production\n/// Doc.\n#[inline]\nfn b() {\n    x();\n}\nfn c() {}\n";
        let comment = only(file);
        assert_eq!((comment.line, comment.covers), (2, (3, 7)));
        let content = comment.content.unwrap();
        assert_eq!(content.reason, "measured in production");
    }

    #[test]
    fn a_comment_above_a_statement_covers_only_that_statement() {
        let file = "fn a() {\n    // perf-expert: allow(PE-2*): r\n    // more words\n    let x = if b { 1 } else {\n        2\n    };\n    y();\n}\n";
        assert_eq!(only(file).covers, (4, 6));
        let arm = "fn a() { match x {\n    // perf-expert: allow(PE-2*): r\n    A => f(\n    ),\n    B => g(),\n} }\n";
        assert_eq!(only(arm).covers, (3, 4));
    }

    #[test]
    fn a_trailing_comment_covers_its_line() {
        assert_eq!(only("fn a() {\n    x(); // perf-expert: allow(PE-201, PE-101): r\n}\n").covers, (2, 2));
    }

    #[test]
    fn strings_and_docs_are_not_comments() {
        assert_eq!(comments("fn a() { f(\"// perf-expert: allow(PE-201): r\"); }\n"), []);
        assert_eq!(comments("/// perf-expert: allow(PE-201): r\nfn a() {}\n"), []);
        assert_eq!(comments("const T: &str = r#\"\n// perf-expert: allow(PE-201): r\n\"#;\n"), []);
        assert_eq!(comments("// perf-expert: the tool that reads this\nfn a() {}\n"), []);
    }

    #[test]
    fn what_cannot_work_says_why() {
        let why = |text: &str| only(&format!("// perf-expert: {text}\nfn a() {{}}\n")).content.unwrap_err();
        assert_eq!(why("allow(PE-201)"), Malformed::NoReason);
        assert_eq!(why("allow(PE-201):  "), Malformed::NoReason);
        assert_eq!(why("allow PE-201: r"), Malformed::Syntax);
        assert_eq!(why("alow(PE-201): r"), Malformed::Syntax);
        assert_eq!(why("allow(PE-20l): r").to_string(), "no rule is called `PE-20l`; did you mean `PE-201`?");
    }

    #[test]
    fn a_file_that_does_not_lex_still_has_its_comments() {
        assert_eq!(only("fn a( {\n// perf-expert: allow(PE-201): r\n\nfn b() {}\n").covers, (4, 4));
    }

    #[test]
    fn a_comment_at_the_end_of_a_file_covers_nothing_else() {
        assert_eq!(only("fn a() {}\n// perf-expert: allow(PE-201): r\n").covers, (2, 2));
    }
}
