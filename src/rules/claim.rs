//! Numeric promises in commit text: "2x faster", "30 % less time", "speeds up decode by 15 %".
//!
//! Only promises about time are read: "30 % fewer allocations" cannot be checked against a clock, and "30 % less code" is none.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// A promise about time.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// As written: `2x faster`.
    pub text: String,
    /// The promised time at head over time at base, read in the writer's favour; below 1.
    pub ratio: f64,
    /// "up to": a promise about the best case only.
    pub at_most: bool,
    /// Written as a factor (`2x`), not as a percentage.
    pub as_factor: bool,
}

const NUMBER: &str =
    r"(?P<upto>up to )?(?P<text>(?P<n>\d+(?:\.\d+)?)(?:\s?(?:x|×|%)?\s?(?:-|–|to)\s?\d+(?:\.\d+)?)?\s?(?P<unit>x|×|%|times)";

static AFTER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?i)(?:^|[^\w.]){NUMBER}\s*(?:(?P<gain>faster|quicker|(?:the )?speed(?:[- ]?ups?)?\b)|(?:less|lower) (?P<time>(?:cpu |wall |run ?|total )?(?:time|latency|cpu|cycles)\b)))"
    ))
});

static BEFORE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?i)\b(?:(?P<gain>speed(?:s|ed|ing)? ?up|accelerat\w+)|(?P<time>(?:reduc|cut|lower|shrink)\w* (?:\w+ ){{0,3}}?(?:time|latency|cycles)))\b[^.;\n]{{0,60}}? by (?:about |around |roughly |~ ?)?{NUMBER})"
    ))
});

/// The promises in a text, in order of appearance per pattern.
pub fn parse(text: &str) -> Vec<Claim> {
    find(text).into_iter().map(|(_, claim)| claim).collect()
}

/// The same, each with its place in the text (in bytes).
pub fn find(text: &str) -> Vec<(Range<usize>, Claim)> {
    let found = AFTER.captures_iter(text).chain(BEFORE.captures_iter(text));
    let mut claims: Vec<(Range<usize>, Claim)> = Vec::new();
    for captures in found {
        if let (Some(whole), Some(claim)) = (captures.get(0), claim(&captures))
            && !claims.iter().any(|(_, known)| known.text == claim.text)
        {
            // What stands before a number is only looked at.
            let before = whole.as_str().chars().next().filter(|c| !c.is_alphanumeric()).map_or(0, char::len_utf8);
            claims.push((whole.start() + before..whole.end(), claim));
        }
    }
    claims
}

/// Reads one match; a range counts from its lower end.
fn claim(captures: &Captures<'_>) -> Option<Claim> {
    let number: f64 = captures.name("n")?.as_str().parse().ok()?;
    let as_factor = captures.name("unit")?.as_str() != "%";
    let about_speed = captures.name("gain").is_some();
    let ratio = match (as_factor, about_speed) {
        (true, _) => 1.0 / number,
        // "30 % faster" may mean 30 % more speed or 30 % less time: the former promises less.
        (false, true) => 1.0 / (1.0 + number / 100.0),
        (false, false) => 1.0 - number / 100.0,
    };
    let text = captures.name("text")?.as_str().split_whitespace().collect::<Vec<_>>().join(" ");
    let at_most = captures.name("upto").is_some();
    (ratio > 0.0 && ratio < 1.0).then_some(Claim { text, ratio, at_most, as_factor })
}

#[expect(clippy::expect_used, reason = "a literal pattern; every test of this module compiles it")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a literal pattern")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn only(text: &str) -> Claim {
        let claims = parse(text);
        assert_eq!(claims.len(), 1, "{text}: {claims:?}");
        claims.into_iter().next().unwrap()
    }

    #[test]
    fn factors_and_percentages_become_ratios_of_time() {
        for (text, ratio) in [
            ("about 2x faster", 0.5),
            ("2.5× faster", 0.4),
            ("10 times faster", 0.1),
            ("30% less time", 0.7),
            ("takes 30 % less CPU time", 0.7),
            ("25 % faster", 0.8),
            ("a 2x speedup", 0.5),
            ("2x the speed", 0.5),
            ("1.5-2x faster", 1.0 / 1.5),
            ("speeds up decode by 25%", 0.8),
            ("reduces p95 latency by 40 %", 0.6),
        ] {
            let claim = only(text);
            assert!((claim.ratio - ratio).abs() < 1e-9, "{text}: {claim:?}");
        }
    }

    #[test]
    fn the_text_is_kept_as_written() {
        assert_eq!(only("Decode is about 2x  faster now").text, "2x faster");
        assert_eq!(only("saves: 30 % less time").text, "30 % less time");
        assert!(only("up to 3x faster").at_most);
        assert!(!only("3x faster").at_most);
    }

    #[test]
    fn what_no_clock_can_check_is_no_claim() {
        for text in [
            "30 % less code",
            "50% fewer allocations",
            "2x slower",
            "v2 faster",
            "100x100 pixels",
            "0.5x faster",
            "1000 % less time",
        ] {
            assert_eq!(parse(text), [], "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panicking(text in "\\PC{0,80}") {
            for claim in parse(&text) {
                prop_assert!(claim.ratio > 0.0 && claim.ratio < 1.0);
            }
        }
    }
}
