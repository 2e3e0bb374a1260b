//! What was compared, and what limits the conclusions.

use std::io::{self, Write};

use super::{Page, style};
use crate::analysis::{Analysis, Command, HeadSide};
use crate::figures;
use crate::profile::Engine;
use crate::report::text::{clean, paint};

/// Warnings that are shown before the rest is counted.
const WARNINGS: usize = 3;

pub(super) fn write(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let color = page.look.color;
    writeln!(out, "{}", clean(&compared(page.analysis)))?;
    let warnings = &page.analysis.environment.warnings;
    let label = paint("warning", style::WARNING, color);
    for warning in warnings.iter().take(page.shown(warnings.len(), WARNINGS)) {
        writeln!(out, "{label}: {}", clean(warning))?;
    }
    page.cut(out, warnings.len(), WARNINGS, "warnings")?;
    writeln!(out)
}

fn compared(analysis: &Analysis) -> String {
    let head = head(&analysis.head);
    let base =
        analysis.base.as_ref().map(|base| format!("{} ({}; {})", figures::commit(&base.commit), base.chosen_by, base.evidence));
    match (analysis.command, base) {
        (Command::Baseline, _) => format!("Baseline of {head}{}", built_with(analysis)),
        (Command::Verify, Some(base)) => format!("Compared {base} with {head}"),
        (Command::Check, _) if analysis.environment.engine == Engine::Imported.name() => checked_with(analysis, &head),
        (Command::Check, Some(base)) => format!("Checked {head} against the profile of {base}; nothing was built or run"),
        (Command::Verify | Command::Check, None) => format!("Examined {head}; there is no base"),
    }
}

/// A profile from elsewhere is of the base only as far as it says so.
fn checked_with(analysis: &Analysis, head: &str) -> String {
    let base = analysis.base.as_ref();
    let base = base.map(|base| format!(" against {} ({}); {}", figures::commit(&base.commit), base.chosen_by, base.evidence));
    format!("Checked {head}{}; nothing was built or run", base.unwrap_or_default())
}

fn built_with(analysis: &Analysis) -> String {
    let environment = &analysis.environment;
    let profile = environment.profile.as_ref().map(|profile| format!("profile {profile}"));
    let engine =
        if environment.engine == "none" { "no sampler".to_owned() } else { format!("sampled by {}", environment.engine) };
    let parts = [environment.rustc.clone(), profile, environment.cpu.clone(), Some(engine)];
    format!(": {}", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

fn head(head: &HeadSide) -> String {
    match (&head.commit, head.dirty) {
        (Some(commit), false) => figures::commit(commit).to_owned(),
        (Some(commit), true) => format!("the working tree ({} + uncommitted changes)", figures::commit(commit)),
        (None, _) => "the working tree (no commit yet)".into(),
    }
}
