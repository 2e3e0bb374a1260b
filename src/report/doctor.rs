//! What `doctor` found, rendered: one line per check, what to do where one is not ok, the self-test, the answer last.

use std::io::{self, Write};

use anstyle::Style;

use super::human::style;
use super::text::{clean, paint};
use super::{Format, Look, markdown};
use crate::doctor::self_test::{Rate, SelfTest};
use crate::doctor::{Check, Diagnosis, Status};
use crate::figures;

/// The JSON schema (draft 2020-12) of `doctor --message-format json`.
pub const DOCTOR_SCHEMA: &str = include_str!("doctor.schema.json");

/// Writes a diagnosis in a format.
pub fn render_diagnosis(diagnosis: &Diagnosis, format: Format, look: Look, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Human => human(diagnosis, look, out),
        Format::Short => short(diagnosis, out),
        Format::Json => json(diagnosis, out),
        Format::Markdown => markdown::doctor(diagnosis, out),
    }
}

fn json(diagnosis: &Diagnosis, out: &mut dyn Write) -> io::Result<()> {
    let text = serde_json::to_string_pretty(diagnosis).map_err(io::Error::other)?;
    writeln!(out, "{text}")
}

fn short(diagnosis: &Diagnosis, out: &mut dyn Write) -> io::Result<()> {
    for check in &diagnosis.checks {
        writeln!(out, "{}", clean(&format!("{}[{}]: {}", status(check.status), check.id, check.summary)))?;
    }
    if let Some(test) = &diagnosis.self_test {
        for (name, text) in self_test(test) {
            writeln!(out, "{}", clean(&format!("self-test[{name}]: {text}")))?;
        }
    }
    writeln!(out, "{}", clean(&answer(diagnosis)))
}

fn human(diagnosis: &Diagnosis, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let widest = diagnosis.checks.iter().map(|check| check.title.chars().count()).max().unwrap_or(0);
    for check in &diagnosis.checks {
        let word = format!("{:<7}", status(check.status));
        let title = format!("{:<widest$}", clean(&check.title));
        writeln!(out, "{}  {title}  {}", paint(&word, color(check.status), look.color), clean(&check.summary))?;
        for line in way_out(check).unwrap_or_default().lines() {
            writeln!(out, "         {}  → {}", " ".repeat(widest), clean(line))?;
        }
    }
    writeln!(out)?;
    if let Some(test) = &diagnosis.self_test {
        let bench = if test.target == test.workload { String::new() } else { format!(", target {}", test.target) };
        let title = format!("Self-test on `{}` (package {}{bench})", test.workload, test.package);
        writeln!(out, "{}", paint(&clean(&title), style::HEADING, look.color))?;
        for (name, text) in self_test(test) {
            writeln!(out, "  {}", clean(&format!("{name:<20} {text}")))?;
        }
        writeln!(out)?;
    }
    let style = if diagnosis.can_measure { color(Status::Ok) } else { color(Status::Missing) };
    writeln!(out, "{}", paint(&clean(&answer(diagnosis)), style, look.color))
}

/// What to do about a check that is not ok.
pub(super) fn way_out(check: &Check) -> Option<&str> {
    check.remedy.as_deref().filter(|_| check.status != Status::Ok)
}

/// The name of a status.
pub(super) fn status(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::Limited => "limited",
        Status::Missing => "missing",
    }
}

const fn color(status: Status) -> Style {
    match status {
        Status::Ok => style::GOOD,
        Status::Limited => style::UNSURE,
        Status::Missing => style::BAD,
    }
}

/// Whether the machine can measure, and what stands out.
pub(super) fn answer(diagnosis: &Diagnosis) -> String {
    if !diagnosis.can_measure {
        return format!("This machine cannot measure: {}.  exit {}", diagnosis.reasons.join("; "), diagnosis.exit_code);
    }
    let named = |wanted: Status| {
        let titles = diagnosis.checks.iter().filter(|check| check.status == wanted).map(|check| check.title.as_str());
        let titles: Vec<&str> = titles.collect();
        (!titles.is_empty()).then(|| format!("; {}: {}", status(wanted), titles.join(", ")))
    };
    let rest = [named(Status::Limited), named(Status::Missing)].into_iter().flatten().collect::<String>();
    format!("This machine can measure{rest}.")
}

/// The lines of a self-test: name and text.
pub(super) fn self_test(test: &SelfTest) -> Vec<(&'static str, String)> {
    let (same, slowed) = (&test.same, &test.slowed);
    let size = figures::share(slowed.size);
    let change = slowed.verdicts.change.map(|change| format!(" (measured {}, median)", figures::change(1.0 + change)));
    let detectable = match test.smallest_detectable {
        Some(change) => format!("{} (median of the verdicts; margin {})", figures::share(change), figures::share(test.margin)),
        None => "not measured: no verdict tells".into(),
    };
    let cut = if test.cut_short == 0 { String::new() } else { format!(", {} cut short and not counted", test.cut_short) };
    let each =
        same.seconds.zip(same.rounds).map(|(seconds, rounds)| format!("; one takes {seconds:.1} s and {rounds:.0} rounds"));
    vec![
        (
            "false alarms",
            format!(
                "{} of the same code against itself: {} slower, {} faster, {} same, {} inconclusive",
                rate(&test.false_alarms, true),
                same.slower,
                same.faster,
                same.same,
                same.inconclusive
            ),
        ),
        (
            "slowdown found",
            format!(
                "{} with {size} injected{}, {} inconclusive",
                rate(&slowed.found, false),
                change.unwrap_or_default(),
                slowed.verdicts.inconclusive
            ),
        ),
        ("smallest detectable", detectable),
        ("injected how", slowed.injection.described(slowed.size)),
        ("clock", format!("{} ({})", test.clock.clock, test.clock.reason)),
        (
            "effort",
            format!(
                "{} in {:.0} s{cut}{}",
                figures::counted(same.n + slowed.verdicts.n, "verdict"),
                test.seconds,
                each.unwrap_or_default()
            ),
        ),
    ]
}

/// `0 of 18 (at most 18 %)`: a count is never shown without what it leaves open.
fn rate(rate: &Rate, upper: bool) -> String {
    let (word, bound) = if upper { ("at most", rate.high) } else { ("at least", rate.low) };
    format!("{} of {} ({word} {}, 95 % interval)", rate.hits, rate.n, figures::share(bound))
}
