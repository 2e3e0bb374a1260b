//! Which numeric promises a commit makes for itself, and about what.
//!
//! A number in a message is often about something else: the code before, another library, a case that was given up. Only the
//! subject, and lines of the body that speak for the change, are heard; what is negated, past, hypothetical or said of a third
//! party is dropped. Does not know the change.

use std::sync::LazyLock;

use regex::Regex;

use crate::rules::claim::{self, Claim};

/// A promise that a commit makes for its own change.
#[derive(Debug, Clone, PartialEq)]
pub struct Promise {
    /// The number.
    pub claim: Claim,
    /// The words of its clause that may name what it is about, as written (`decode`, `Lexer::next`); empty: the change itself.
    pub about: Vec<String>,
    /// Said of some input, platform or setting only ("on large inputs"): one workload cannot contradict it.
    pub limited: bool,
}

impl Promise {
    /// True when a word of the promise is the item's name or the end of its path.
    pub fn names(&self, item: &str) -> bool {
        self.about.iter().any(|word| item == word || item.strip_suffix(word.as_str()).is_some_and(|path| path.ends_with("::")))
    }
}

/// Words that make a whole sentence one about what is not.
static HYPOTHETICAL: LazyLock<Regex> = LazyLock::new(|| {
    word(r"if|unless|would|could|should|might|may|can|until|used to|hope\w*|expect\w*|plan\w*|goal|todo|wish\w*")
});

/// Words that make a clause one about something else: negation, the past, third parties, tests and texts about a promise.
static ELSEWHERE: LazyLock<Regex> = LazyLock::new(|| {
    word(concat!(
        r"not|\w+n't|never|no|without|instead|rather|was|were|had|been|previous\w*|old|former\w*|original\w*|earlier|once|before",
        r"|who|which|that|whose|where|crate|librar\w+|upstream|competitors?|alternatives?|others|their|theirs|than",
        r"|claim\w*|document\w*|docs?|readme|changelog|comments?|says?|said|print\w*|tests?|assert\w*|ensur\w+|verif\w+|check\w*",
        r"|wrong\w*|reject\w*|revert\w*|undo\w*|los[est]\w*|allegedly|supposedly|by accident",
    ))
});

/// The one comparison that a promise is made of.
static THAN_BASE: LazyLock<Regex> = LazyLock::new(|| {
    word(concat!(
        r"than (?:it was )?(?:before|previously|now|main|master|base|baseline|today",
        r"|(?:the |it )?(?:old|previous|current|original|former|used to)(?: (?:one|code|version|implementation|be|way))?)",
    ))
});

/// What is taken away is not promised: "drop the 2x faster path".
static TAKEN_AWAY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)\b(?:remov|drop|delet|disabl|fix|avoid|los|forgo)\w* (?:the |an? |our |any |its )?(?:about )?$")
});

/// A line that speaks for the change: "Speedup: 2x", "benchmarks: …", "This makes …".
static LABELLED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?i)^[\s*•-]*(?:(?:speed-?ups?|bench\w*|results?|perf\w*|gains?|improvements?|measured|timings?)\b[^:]{0,40}:\s",
        r"|(?:(?:this|the) (?:change|commit|patch|pr)|this|we|makes?|now|speeds?|reduces?|cuts?)\s)",
    ))
});

/// What follows a number and narrows it.
static LIMIT: LazyLock<Regex> =
    LazyLock::new(|| word(r"on|for|when|with|in|under|at|where|if|given|using|against|vs|versus|compared|as long as|only"));

/// A beginning that narrows what follows, and platforms and settings, wherever they stand: this machine may be another one.
static LIMITED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?i)(?:^\s*|[,:]\s+)(?:on|for|when|with|under|in|at|where|using|given)\s",
        r"|\b(?:aarch64|arm(?:v\d\w*|64)?|neon|x86(?:_64)?|amd64|i686|avx\w*|sse\d\w*|simd|riscv\w*|wasm\w*|windows|macos|darwin|linux|musl",
        r"|apple|intel|amd|m[1-4]|(?:32|64)[ -]bit|debug|nightly|no_std|cfg|features?|cold|warm)\b",
    ))
});

/// Words that name nothing: the language of promises itself.
const PLAIN: &str = " a an the this that it its is are be now by to of up and in as at on for with makes make made making get gets give \
    gives giving take takes taking run runs running become becomes about around roughly approximately nearly almost over least another \
    further some perf performance speed speeds speedup speedups speeding sped faster fast quicker less lower time times cpu wall total \
    latency cycles runtime reduce reduces reduced reduction cut cuts lowers shrink accelerate accelerates improve improves improved \
    improvement gain gains measured result results bench benches benchmark benchmarks code function fn method change commit patch pr we \
    much significantly overall x than before p50 p95 p99 median mean average most all everything whole ";

/// The promises of a message whose subject may be heard by itself; those of its body count only if the subject is about speed.
pub fn of_subject(subject: &str) -> Vec<Promise> {
    sentences(subject).flat_map(promises).collect()
}

/// The promises in lines of a body that speak for the change.
pub fn of_body(body: &str) -> Vec<Promise> {
    let lines = paragraphs(body);
    let spoken = lines.iter().flat_map(|line| sentences(line)).filter(|line| LABELLED.is_match(line));
    spoken.flat_map(promises).collect()
}

/// A text without the clauses that hold a number but promise nothing: they state no intent either.
pub fn without_asides(text: &str) -> String {
    let heard = of_subject(text);
    let mut rest = String::new();
    for sentence in sentences(text) {
        let found = claim::find(sentence);
        if found.is_empty() || found.iter().any(|(_, claim)| heard.iter().any(|promise| promise.claim == *claim)) {
            rest.push_str(sentence);
            rest.push(' ');
        }
    }
    rest
}

/// A body's paragraphs with their lines joined; list items and labelled lines stand alone, quotations are left out.
fn paragraphs(body: &str) -> Vec<String> {
    let mut paragraphs: Vec<String> = vec![String::new()];
    for line in body.lines() {
        let quoted = line.starts_with('>') || line.starts_with("    ") || line.starts_with('\t');
        let text = line.trim();
        let stands_alone = text.starts_with(['-', '*', '•']) || text.split(' ').next().is_some_and(|first| first.ends_with(':'));
        if text.is_empty() || stands_alone || quoted {
            paragraphs.push(String::new());
        }
        if let Some(last) = paragraphs.last_mut().filter(|_| !quoted) {
            last.push_str(if last.is_empty() { "" } else { " " });
            last.push_str(text);
        }
    }
    paragraphs
}

/// Split at the end of sentences and at semicolons; `2.5x` is one word.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    static END: LazyLock<Regex> = LazyLock::new(|| pattern(r"[.!?]\s|[;\n]"));
    END.split(text)
}

fn promises(sentence: &str) -> Vec<Promise> {
    // Questions and conditions promise nothing, wherever in the sentence the number stands.
    if HYPOTHETICAL.is_match(&THAN_BASE.replace_all(sentence, " ")) || sentence.trim_end().ends_with('?') {
        return Vec::new();
    }
    claim::find(sentence).into_iter().filter_map(|(range, claim)| promise(sentence, &range, claim)).collect()
}

fn promise(sentence: &str, at: &std::ops::Range<usize>, claim: Claim) -> Option<Promise> {
    static BREAK: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?i)[,:()]\s|[()\u{2013}\u{2014}]|\s-+\s|\s(?:but|although|though|while|whereas|and)\s"));
    let start = BREAK.find_iter(sentence).map(|found| found.end()).take_while(|&end| end <= at.start).last().unwrap_or(0);
    let end = BREAK.find_iter(sentence).map(|found| found.start()).find(|&start| start >= at.end).unwrap_or(sentence.len());
    let before = sentence.get(start..at.start)?;
    let after = THAN_BASE.replace_all(sentence.get(at.end..end)?, " ");
    let said = sentence.get(at.clone())?;
    let clause = format!("{before} {said} {after}");
    if ELSEWHERE.is_match(&clause) || TAKEN_AWAY.is_match(before) {
        return None;
    }
    Some(Promise {
        about: named(&clause.replace(&claim.text, " ")),
        limited: LIMIT.is_match(&after) || LIMITED.is_match(sentence),
        claim,
    })
}

/// The words of a clause that may name something.
fn named(clause: &str) -> Vec<String> {
    let words = clause.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').map(|word| word.trim_matches(':'));
    let is_plain = |word: &str| PLAIN.contains(&format!(" {} ", word.to_lowercase()));
    let is_number = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    words.filter(|word| !word.is_empty() && !is_number(word) && !is_plain(word)).map(str::to_owned).collect()
}

fn word(alternatives: &str) -> Regex {
    pattern(&format!(r"(?i)\b(?:{alternatives})\b"))
}

#[expect(clippy::expect_used, reason = "a literal pattern; every test of this module compiles it")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a literal pattern")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_subject_that_promises_is_heard() {
        for (text, about) in [
            ("perf: hash is now 5x faster", &["hash"] as &[&str]),
            ("parse_row takes 30 % less time", &["parse_row"]),
            ("perf: make `Lexer::next` 2x faster than before", &["Lexer::next"]),
            ("Speed up decode by 25 %", &["decode"]),
            ("Use a table: about 2x faster", &[]),
            ("perf: rewrite hash, 2.5x faster", &[]),
            ("perf: 2x faster than the old code", &[]),
        ] {
            let heard = of_subject(text);
            assert_eq!(heard.len(), 1, "{text}: {heard:?}");
            assert_eq!(
                (heard[0].about.as_slice(), heard[0].limited),
                (about.iter().map(|&w| w.to_owned()).collect::<Vec<_>>().as_slice(), false),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_said_of_something_else_is_not() {
        for text in [
            "The old code was 30 % faster but wrong.",
            "Note that crate foo would be 3x faster, but we do not use it.",
            "Add a guard; until now users could get a 2x speedup by accident",
            "hash is not 2x faster",
            "hash isn't 2x faster any more",
            "Drop the 2x faster path",
            "Compare with memchr, which is 3x faster",
            "clang is 2x faster than gcc",
            "If you enable simd, hash is 2x faster",
            "Test that hash is 2x faster",
            "Correct the claim of a 2x speedup",
            "hash should be 2x faster",
        ] {
            assert_eq!((of_subject(text), of_body(text)), (vec![], vec![]), "{text}");
        }
    }

    #[test]
    fn a_promise_about_some_input_is_limited() {
        for text in [
            "hash is 2x faster on large inputs",
            "2x faster for ASCII",
            "perf: 30 % faster when warm",
            "On aarch64, hash is 2x faster",
            "perf(avx2): hash is 2x faster",
        ] {
            assert!(of_subject(text)[0].limited, "{text}");
        }
    }

    #[test]
    fn a_body_is_heard_where_it_speaks_for_the_change() {
        for text in [
            "Why.\n\nSpeedup: 2x faster",
            "benchmarks: parse is 30 % faster",
            "This makes the lexer\n2x faster.",
            "- result: 2x faster",
        ] {
            assert_eq!(of_body(text).len(), 1, "{text}");
        }
        for text in ["It is 30 % faster.", "> This is 2x faster", "    This is 2x faster", "Somebody said so: 2x faster"] {
            assert_eq!(of_body(text), [], "{text}");
        }
    }

    #[test]
    fn an_aside_states_no_intent() {
        assert_eq!(without_asides("Add a guard; until now users could get a 2x speedup by accident").trim(), "Add a guard");
        assert_eq!(without_asides("perf: 2x faster").trim(), "perf: 2x faster");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panicking(text in "[a-z0-9 %x.,:;()é–\\n]{0,60}2x faster[a-z ,.é–:]{0,30}") {
            let _read = (of_subject(&text), of_body(&text), without_asides(&text));
        }
    }
}
