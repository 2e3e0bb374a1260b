//! Causes by name in the sections about the cause, the fix, the edit and its check. Nothing of it enters the verdict.

use std::io::{self, Write};

use super::escape::{code, text};
use crate::analysis::Analysis;
use crate::figures;
use crate::report::advice::{Advice, advice, silenced};
use crate::report::names::readable;
use crate::report::text::clean_lines;
use crate::stats::Plan;

/// Causes that are written out; the rest is in the JSON report.
const SHOWN: usize = 5;
const OWNERS: usize = 5;

fn shown(analysis: &Analysis) -> Vec<Advice<'_>> {
    let mut all = advice(analysis);
    all.truncate(SHOWN);
    all
}

/// True when there is something to advise.
pub(super) fn any(analysis: &Analysis) -> bool {
    !advice(analysis).is_empty()
}

/// What holds the time, why, whose it is, and the stack.
pub(super) fn causes(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    let all = shown(analysis);
    let silenced = silenced(analysis);
    if all.is_empty() && silenced.is_none() {
        return Ok(());
    }
    writeln!(out, "\nCauses by name, changed or not (advice, no part of a verdict):\n")?;
    for one in all {
        writeln!(out, "- {}", text(&format!("{} {}", one.cause.id, one.headline())))?;
        writeln!(out, "  - {}", text(&one.cause.why))?;
        if let Some(inner) = one.inner() {
            writeln!(out, "  - {}", text(&inner))?;
        }
        if one.cause.owners.len() > 1 {
            let owner = |owner: &crate::analysis::CauseOwnerResult| {
                let share = figures::share_with_interval(owner.share, owner.low, owner.high);
                format!("{} ({}) {share}", code(&owner.item), code(&format!("{}:{}", owner.file, owner.line)))
            };
            let owners: Vec<String> = one.cause.owners.iter().take(OWNERS).map(owner).collect();
            writeln!(out, "  - owners: {}", owners.join(", "))?;
        }
        let frames: Vec<String> = one.cause.stack.iter().map(|frame| code(&readable(&frame.function))).collect();
        if !frames.is_empty() {
            writeln!(out, "  - stack, leaf first: {}", frames.join(" < "))?;
        }
    }
    silenced.map_or(Ok(()), |silenced| writeln!(out, "- {}", text(&silenced)))
}

/// One step per cause: the first fix, its gain, and what else there is.
pub(super) fn steps(analysis: &Analysis) -> Vec<String> {
    let step = |one: Advice<'_>| {
        let owner = one.cause.owner().map(|owner| format!(" in `{}`", owner.item)).unwrap_or_default();
        let mut fixes = one.cause.fixes.iter();
        let first = fixes.next().map(String::as_str).unwrap_or_default();
        let others: Vec<String> = fixes.map(|fix| format!("; or: {fix}")).collect();
        let (id, effort, gain) = (&one.cause.id, &one.cause.effort, one.gain());
        format!("{id}{owner}: {first} (effort {effort}; {gain} for `{}`){}", one.workload.id, others.concat())
    };
    shown(analysis).into_iter().map(step).collect()
}

/// Where each fix goes, and how it looks there.
pub(super) fn edits(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    for one in shown(analysis) {
        let Some(owner) = one.cause.owner() else { continue };
        let place = code(&format!("{}:{}", owner.file, owner.line));
        writeln!(out, "\n{} for {place}, {} (a sketch, not a patch):\n", one.cause.id, code(&owner.item))?;
        // Nothing of a name may end the block.
        writeln!(out, "```rust\n{}\n```", clean_lines(&one.cause.sketch).replace("```", "'''"))?;
    }
    Ok(())
}

/// What to run after each edit, what it is expected to show, and what would show at all.
pub(super) fn checks(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    let looks = Plan::default().looks;
    let rounds = looks.first().zip(looks.last()).map(|(first, last)| format!(", {first} to {last} rounds")).unwrap_or_default();
    for one in shown(analysis) {
        let (low, high) = (one.cause.expected.low, one.cause.expected.high);
        let expected = format!("{} to {}", figures::change(1.0 / low), figures::change(1.0 / high));
        let what = if one.is_of_all_threads() {
            "work of all its threads, which is less time only where nothing else holds it up"
        } else {
            "time"
        };
        let sees = match one.workload.smallest_detectable {
            Some(change) => format!("a change of {} or more shows there on this machine", figures::share(change)),
            None => "what would show there is not measured yet".into(),
        };
        let command = format!("cargo perf-expert verify --workload {}", quoted(&one.workload.id));
        writeln!(out, "- After {}: {}{rounds}; expected {expected} {what} (estimate); {sees}.", one.cause.id, code(&command))?;
    }
    Ok(())
}

/// As a shell takes it.
fn quoted(id: &str) -> String {
    let plain = id.chars().all(|c| c.is_alphanumeric() || "/_-.:".contains(c));
    if plain { id.to_owned() } else { format!("'{}'", id.replace('\'', "'\\''")) }
}
