//! From the join to the report, whatever profile was joined.

use crate::analysis::{
    Analysis, BaseSide, ChangeResult, Command, Environment, Finding, HeadSide, SCHEMA_VERSION, Severity, WorkloadResult,
};
use crate::cli::CheckArgs;
use crate::commands::context::ContextParts;
use crate::commands::report::show;
use crate::commands::verify::judge::rules_of;
use crate::conclude::{next_steps, now, point_elsewhere, tool};
use crate::error::Result;
use crate::exit::Exit;
use crate::git::Git;
use crate::rules::{BaseEvidence, Commit};
use crate::shell::Shell;
use crate::sides::{Diff, not_checked};
use crate::verdict::{self, Policy};

/// What was joined.
pub(super) struct Conclusion<'a> {
    pub(super) parts: &'a ContextParts,
    pub(super) git: &'a Git,
    pub(super) diff: &'a Diff,
    pub(super) base: BaseSide,
    pub(super) environment: Environment,
    pub(super) workloads: Vec<WorkloadResult>,
    pub(super) changes: Vec<ChangeResult>,
    /// Why the profile cannot carry an error of coldness.
    pub(super) weakness: Option<&'static str>,
    /// True when the profile is of another tree or machine: what rests on it warns at most.
    pub(super) is_of_elsewhere: bool,
}

impl Conclusion<'_> {
    /// Judges by the rules alone, and reports.
    pub(super) fn show(self, args: &CheckArgs, shell: &mut Shell) -> Result<Exit> {
        let config = &self.parts.config;
        let commits: Vec<Commit> = self.git.commits(&self.base.commit, "HEAD")?.into_iter().map(Commit::from).collect();
        let mut findings = rules_of(
            config,
            self.diff,
            &self.changes,
            &self.workloads,
            self.weakness,
            &commits,
            &BaseEvidence::Valid,
            Command::Check,
            config.margin.unwrap_or(0.02),
        );
        if self.is_of_elsewhere {
            soften(&mut findings);
        }
        point_elsewhere(&mut findings, &self.workloads);
        let tests = not_checked("`check` runs nothing");
        let judged = verdict::judge(
            &verdict::Evidence {
                command: Command::Check,
                workloads: &self.workloads,
                changes: &self.changes,
                findings: &findings,
                tests: &tests,
            },
            &Policy::new(&config.fail_on.clone().unwrap_or_default(), config.on_inconclusive.unwrap_or_default()),
        );
        let mut analysis = Analysis {
            schema_version: SCHEMA_VERSION,
            tool: tool(),
            command: Command::Check,
            created: now(),
            verdict: judged.verdict,
            reasons: judged.reasons,
            exit_code: judged.exit.code(),
            base: Some(self.base),
            head: HeadSide { commit: self.git.head()?, dirty: self.git.is_dirty()? },
            environment: self.environment,
            workloads: self.workloads,
            changes: self.changes,
            findings,
            tests,
            skipped: Vec::new(),
            next_steps: Vec::new(),
        };
        analysis.next_steps = next_steps(&analysis);
        show(&analysis, args.format.message_format, shell)?;
        Ok(judged.exit)
    }
}

/// A profile of another tree proves nothing about this one (what calls an item may differ).
fn soften(findings: &mut [Finding]) {
    for finding in findings.iter_mut().filter(|finding| finding.severity == Severity::Error) {
        finding.severity = Severity::Warning;
    }
}
