//! Colours with a meaning.

use anstyle::{AnsiColor, Style};

use crate::analysis::{Heat, Outcome, Verdict};

pub(in crate::report) const HEADING: Style = Style::new().bold();
pub(super) const FAINT: Style = Style::new().dimmed();
pub(in crate::report) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(in crate::report) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(in crate::report) const UNSURE: Style = AnsiColor::Yellow.on_default().bold();
const PLAIN: Style = Style::new();

pub(super) const fn outcome(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Slower => BAD,
        Outcome::Faster => GOOD,
        Outcome::Inconclusive => UNSURE,
        Outcome::Same => PLAIN,
        Outcome::NotMeasured | Outcome::NotJudged => FAINT,
    }
}

pub(super) const fn heat(heat: Option<Heat>) -> Style {
    match heat {
        Some(Heat::Hot) => BAD,
        Some(Heat::Warm) => UNSURE,
        Some(Heat::Cold) => AnsiColor::Cyan.on_default(),
        Some(Heat::Uncertain) => PLAIN,
        Some(Heat::Unmeasured) | None => FAINT,
    }
}

pub(super) const fn verdict(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Pass => GOOD,
        Verdict::Fail => BAD,
        Verdict::Inconclusive => UNSURE,
    }
}

pub(super) const WARNING: Style = UNSURE;
