//! Patterns over normalized function names: `*` stands for any text, `{a,b}` for one of several, everything else for itself.
//!
//! A pattern must fit the whole name. `{{closure}}` is no alternative but the name that closures have. It knows nothing of causes.

/// One pattern without alternatives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    /// The texts between the stars; one alone must be the whole name.
    parts: Vec<String>,
}

impl Pattern {
    fn new(text: &str) -> Self {
        Self { parts: text.split('*').map(str::to_owned).collect() }
    }

    /// True when the name fits.
    pub(super) fn fits(&self, name: &str) -> bool {
        let (Some(first), Some(last)) = (self.parts.first(), self.parts.last()) else { return false };
        if self.parts.len() == 1 {
            return name == first;
        }
        let Some(rest) = name.strip_prefix(first.as_str()) else { return false };
        let Some(mut rest) = rest.strip_suffix(last.as_str()) else { return false };
        for part in self.parts.get(1..self.parts.len() - 1).unwrap_or_default() {
            let Some(at) = rest.find(part.as_str()) else { return false };
            rest = rest.get(at + part.len()..).unwrap_or_default();
        }
        true
    }
}

/// The patterns that a text with alternatives stands for.
pub(super) fn patterns(text: &str) -> Vec<Pattern> {
    expand(text).iter().map(|text| Pattern::new(text)).collect()
}

/// Writes out the first group of alternatives, then those in what comes of it.
fn expand(text: &str) -> Vec<String> {
    let Some((start, end)) = group(text) else { return vec![text.to_owned()] };
    let (before, inside, after) = (&text[..start], &text[start + 1..end], &text[end + 1..]);
    inside.split(',').flat_map(|one| expand(&format!("{before}{}{after}", one.trim()))).collect()
}

/// Where the first `{…}` begins and ends that is not `{{…}}`.
fn group(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    loop {
        let start = from + text.get(from..)?.find('{')?;
        if text[start..].starts_with("{{") {
            from = start + text[start..].find("}}")? + 2;
            continue;
        }
        return Some((start, start + text[start..].find('}')?));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, name: &str) -> bool {
        patterns(pattern).iter().any(|one| one.fits(name))
    }

    #[test]
    fn a_pattern_fits_the_whole_name() {
        assert!(fits("malloc", "malloc") && !fits("malloc", "malloc_consolidate") && !fits("malloc", "my::malloc"));
        assert!(fits("core::hash::sip::*", "core::hash::sip::Hasher::finish"));
        assert!(fits("*::Value as *::deserialize", "serde_json::value::Value as serde::de::Deserialize::deserialize"));
        assert!(!fits("a*b", "ab_c") && fits("a*b", "ab") && !fits("ab*ba", "aba"));
    }

    #[test]
    fn alternatives_are_written_out_and_closures_are_none() {
        assert!(fits("x::{get,set}::{{closure}}", "x::set::{{closure}}"));
        assert!(!fits("x::{get,set}::{{closure}}", "x::put::{{closure}}"));
        assert!(fits("{a,b}{c,d}", "bd") && fits("{{closure}}", "{{closure}}"));
        assert_eq!(patterns("{half").len(), 1);
    }
}
