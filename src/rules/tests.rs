//! The rules over whole changes, from source text on both sides.

#![expect(clippy::similar_names, reason = "head and heat are both words of the house")]

mod micro;
mod premature;
mod suppression;

use camino::Utf8PathBuf;

use super::*;
use crate::analysis::{ChangeResult, Command, Heat, WorkloadResult};
use crate::report::samples;
use crate::source::{Change, ChangeKind, Item, ItemKind};

/// A change under test: one file per function `name`, with its text on both sides.
pub(super) struct Case {
    changes: Vec<(Change, ChangeResult, Option<String>, Option<String>)>,
    pub(super) workloads: Vec<WorkloadResult>,
    pub(super) commits: Vec<Commit>,
    pub(super) evidence: BaseEvidence,
    pub(super) allow: Vec<Allow>,
    narrowed: bool,
}

impl Case {
    pub(super) fn new() -> Self {
        let evidence = BaseEvidence::Valid;
        Self { changes: Vec::new(), workloads: Vec::new(), commits: Vec::new(), evidence, allow: Vec::new(), narrowed: false }
    }

    /// A function that is the whole text of its file `src/<name>.rs`.
    pub(super) fn function(self, name: &str, base: Option<&str>, head: Option<&str>, heat: Heat) -> Self {
        let file = format!("src/{name}.rs");
        self.item(name, &file, base, head, heat, |_| (1, u32::MAX))
    }

    /// A function on some lines of a file.
    pub(super) fn item(
        mut self,
        name: &str,
        file: &str,
        base: Option<&str>,
        head: Option<&str>,
        heat: Heat,
        lines: impl Fn(&str) -> (u32, u32),
    ) -> Self {
        let kind = match (base, head) {
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Deleted,
            _ => ChangeKind::Modified,
        };
        let side = |text: &str| {
            let (first, last) = lines(text);
            item(name, file, (first, last.min(u32::try_from(text.lines().count()).unwrap())), text)
        };
        let change = Change { kind, base: base.map(side), head: head.map(side), note: None };
        let shares = match heat {
            Heat::Hot => Some((0.4, 0.37, 0.43)),
            Heat::Warm => Some((0.03, 0.02, 0.04)),
            Heat::Cold => Some((0.0004, 0.0001, 0.0015)),
            Heat::Uncertain => Some((0.01, 0.005, 0.02)),
            Heat::Unmeasured => None,
        };
        let path = format!("app::{name}");
        let result = shares.map_or_else(|| samples::change(&path), |shares| samples::heated(&path, heat, shares, "bench/load"));
        let result = ChangeResult { file: file.into(), kind, ..result };
        self.changes.push((change, result, base.map(Into::into), head.map(Into::into)));
        self
    }

    pub(super) fn commit(mut self, subject: &str, body: &str, files: &[&str]) -> Self {
        let files = files.iter().map(|&file| Utf8PathBuf::from(file)).collect();
        let id = format!("{}a1b2c3d4e5f6", self.commits.len());
        self.commits.push(Commit { id, subject: subject.into(), body: body.into(), files });
        self
    }

    pub(super) fn workload(mut self, workload: WorkloadResult) -> Self {
        self.workloads.push(workload);
        self
    }

    pub(super) fn narrowed(mut self) -> Self {
        self.narrowed = true;
        self
    }

    pub(super) fn evidence(mut self, evidence: BaseEvidence) -> Self {
        self.evidence = evidence;
        self
    }

    pub(super) fn allow(mut self, allow: serde_json::Value) -> Self {
        self.allow.push(serde_json::from_value(allow).unwrap());
        self
    }

    pub(super) fn findings(&self) -> Vec<Finding> {
        let changes = self.changes.iter().map(|(change, result, base, head)| ChangedItem {
            change,
            result,
            base_file: base.as_deref(),
            head_file: head.as_deref(),
        });
        judge(&Facts {
            command: Command::Verify,
            changes: changes.collect(),
            weakness: self.narrowed.then_some("only the selected workloads were looked at"),
            workloads: &self.workloads,
            commits: &self.commits,
            base_evidence: &self.evidence,
            allow: &self.allow,
            today: "2026-03-01".parse().unwrap(),
            noise_floor: 0.02,
        })
    }

    pub(super) fn only(&self) -> Finding {
        let mut findings = self.findings();
        assert_eq!(findings.len(), 1, "{findings:#?}");
        findings.remove(0)
    }

    pub(super) fn silent(&self) {
        let findings = self.findings();
        assert!(findings.is_empty(), "{findings:#?}");
    }
}

fn item(name: &str, file: &str, lines: (u32, u32), text: &str) -> Item {
    let keyword =
        (1..).zip(text.lines()).find(|(line, text)| *line >= lines.0 && text.contains("fn ")).map_or(lines.0, |(line, _)| line);
    let is_table = text.starts_with("static");
    Item {
        key: format!("{file}::{name}"),
        path: format!("app::{name}"),
        kind: if is_table { ItemKind::Static } else { ItemKind::Function },
        file: file.into(),
        lines,
        body_lines: (keyword, lines.1),
        made_names: Vec::new(),
        signature_hash: 0,
        body_hash: 0,
        attributes_hash: 0,
        attributes: Vec::new(),
        approximate: false,
        test_only: false,
    }
}
