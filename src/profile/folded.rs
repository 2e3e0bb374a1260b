//! Folded stacks: one line per stack, root first, `;` between frames, the count last. Export and import.
//!
//! What is written carries function names only; what is read may say more (`label`).

mod label;

use std::borrow::Cow;

use super::model::{Engine, Frame, Profile, ProfileBuilder, Quality, UNKNOWN};
use crate::error::Expected;

/// Characters that would break a line apart, and how they are written instead.
const ESCAPES: [(char, &str); 4] = [('\\', "\\x5c"), (';', "\\x3b"), ('\n', "\\x0a"), ('\r', "\\x0d")];

/// A line that is not folded stacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is not a folded stack: {reason}")]
pub struct FoldedError {
    /// The line's number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Expected for FoldedError {
    fn hint(&self) -> Option<String> {
        Some("each line must read `root;caller;leaf COUNT`, as inferno-collapse and stackcollapse scripts write it".into())
    }
}

/// All stacks as folded lines, sorted, equal stacks added up.
pub fn write(profile: &Profile) -> String {
    scaled(profile, 1.0)
}

/// The same with each count multiplied, to the next whole number.
pub(super) fn scaled(profile: &Profile, by: f64) -> String {
    let mut lines = std::collections::BTreeMap::<String, u64>::new();
    for stack in &profile.stacks {
        let names: Vec<String> = profile.frames_of(stack).rev().map(|frame| escape(&label(frame))).collect();
        *lines.entry(names.join(";")).or_insert(0) += stack.count;
    }
    let is_as_counted = by.to_bits() == 1.0_f64.to_bits();
    let mut text = String::new();
    for (stack, count) in lines {
        let count = if is_as_counted { count } else { (count as f64 * by).round() as u64 };
        text.push_str(&stack);
        text.push(' ');
        text.push_str(&count.to_string());
        text.push('\n');
    }
    text
}

/// Reads folded stacks; empty lines and `#` comments are skipped. Nothing is known about rate, loss and CPU time.
pub fn read(text: &str) -> Result<Profile, FoldedError> {
    let mut builder = ProfileBuilder::new();
    let (mut samples, mut lines, mut smallest) = (0u64, 0u64, u64::MAX);
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_end_matches('\r');
        if line.trim().is_empty() || line.starts_with("# ") {
            continue;
        }
        let wrong = |reason| FoldedError { line: index + 1, reason };
        let (stack, count) = line.rsplit_once(' ').ok_or(wrong("no count after the stack"))?;
        let count: u64 = count.parse().map_err(|_| wrong("the count is not a whole number"))?;
        samples = samples.checked_add(count).ok_or(wrong("the counts add up to more than 2^64"))?;
        let frames = stack.split(';').rev().map(|name| builder.frame(label::frame(&unescape(name)))).collect();
        builder.stack(frames, count);
        if count > 0 {
            (lines, smallest) = (lines + 1, smallest.min(count));
        }
    }
    if are_weights(lines, smallest) {
        builder.weighted(lines);
        samples = lines;
    }
    Ok(builder.finish(imported(samples)))
}

/// The format does not say what it counts. Among many stacks some are seen a few times; where none is, the numbers are
/// microseconds or the like, as of bpftrace's and bcc's scripts.
fn are_weights(lines: u64, smallest: u64) -> bool {
    lines > 0 && ((lines >= 20 && smallest >= 1000) || smallest >= 1_000_000)
}

fn imported(samples: u64) -> Quality {
    Quality { engine: Engine::Imported, samples, frequency: 0, lost: 0, truncated: 0, cpu_ns: None, wall_ns: 0 }
}

/// The function's name, or where the code of an unnamed one lies: `[libc.so.6]` tells more than `[unknown]`.
fn label(frame: &Frame) -> Cow<'_, str> {
    if frame.function != UNKNOWN || frame.module == UNKNOWN {
        return Cow::Borrowed(&frame.function);
    }
    Cow::Owned(format!("[{}]", frame.module.trim_matches(['[', ']'])))
}

/// One function name as it may stand between `;`.
fn escape(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match ESCAPES.iter().find(|(special, _)| *special == c) {
            Some((_, written)) => out.push_str(written),
            None => out.push(c),
        }
    }
    out
}

fn unescape(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find('\\') {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let written = ESCAPES.iter().find(|(_, written)| tail.starts_with(written));
        let (meant, len) = written.map_or(('\\', 1), |(special, written)| (*special, written.len()));
        out.push(meant);
        rest = &tail[len..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn profile_of(stacks: &[(Vec<String>, u64)]) -> Profile {
        let mut builder = ProfileBuilder::new();
        for (names, count) in stacks {
            let frames = names
                .iter()
                .map(|name| {
                    builder.frame(Frame {
                        function: name.clone(),
                        file: None,
                        line: None,
                        module: UNKNOWN.into(),
                        inlined: false,
                    })
                })
                .collect();
            builder.stack(frames, *count);
        }
        builder.finish(imported(stacks.iter().map(|(_, count)| count).sum()))
    }

    #[test]
    fn stacks_are_written_root_first() {
        let profile = profile_of(&[(vec!["leaf".into(), "main".into()], 3)]);
        assert_eq!(write(&profile), "main;leaf 3\n");
    }

    #[test]
    fn a_semicolon_in_a_name_does_not_split_it() {
        let profile = profile_of(&[(vec!["[u8; 3] as a::T::m".into()], 1)]);
        assert_eq!(write(&profile), "[u8\\x3b 3] as a::T::m 1\n");
        assert_eq!(read(&write(&profile)).unwrap().frames[0].function, "[u8; 3] as a::T::m");
    }

    #[test]
    fn unnamed_code_is_told_by_its_module() {
        let mut profile = profile_of(&[(vec![UNKNOWN.into(), "main".into()], 2)]);
        assert_eq!(write(&profile), "main;[unknown] 2\n");
        profile.frames[0].module = "libc.so.6".into();
        assert_eq!(write(&profile), "main;[libc.so.6] 2\n");
    }

    #[test]
    fn a_line_without_a_count_is_an_error_that_names_it() {
        let error = read("main;leaf 3\nmain;leaf\n").unwrap_err();
        assert_eq!((error.line, error.reason), (2, "no count after the stack"));
        assert!(read("a;b 18446744073709551615\na;b 1\n").is_err());
    }

    #[test]
    fn microseconds_are_not_taken_for_samples() {
        let lines: Vec<String> = (0..30).map(|number| format!("main;f{number} {}\n", 1000 + number)).collect();
        let lines = lines.concat();
        let weighed = read(&lines).unwrap();
        assert_eq!((weighed.records, weighed.quality.samples), (Some(30), 30));
        assert_eq!(read(&format!("{lines}main;rare 3\n")).unwrap().records, None);
        assert_eq!(read("main;loop 5000\n").unwrap().records, None);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(stacks in prop::collection::vec(
            (prop::collection::vec("[a-z;\\\\]{0,2}[a-z]{1,5}(::[a-z]{1,4}){0,2}", 1..5), 1u64..1000), 0..12)) {
            let profile = profile_of(&stacks);
            let text = write(&profile);
            let back = read(&text).unwrap();
            prop_assert_eq!(back.samples(), profile.samples());
            prop_assert_eq!(write(&back), text);
        }

        #[test]
        fn any_text_is_survived(text in "(.|\n){0,200}") {
            let _error_or_not = read(&text);
        }
    }
}
