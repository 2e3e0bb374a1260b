//! What belongs to a bench and not to what it measures: the files of its own crate, on either side.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};

use camino::{Utf8Path, Utf8PathBuf};

use super::{Head, Texts};
use crate::commands::context::{Context, relative};
use crate::error::Result;
use crate::evidence::{Evidence, Program};
use crate::measure::{Workload, WorkloadKind};
use crate::source::{SourceFile, crate_files};

/// The own files of each bench target.
#[derive(Debug, Default)]
pub(crate) struct OwnSources {
    by_target: HashMap<(String, String), BTreeSet<Utf8PathBuf>>,
}

impl OwnSources {
    /// Follows the modules of every bench among head's programs, and of its twin at base.
    pub(crate) fn read(context: &Context, head: &Head, base_tree: &str, base: &Evidence, programs: &[Program]) -> Result<Self> {
        let roots = context.crate_roots();
        let read = |texts: &Texts<'_>| texts.sources(&texts.rust_files()?, &roots);
        let old = Side::new(read(&Texts::Tree(&context.git, base_tree.to_owned()))?, head);
        let new = Side::new(read(&head.texts(context))?, head);
        let mut own = Self::default();
        for program in programs.iter().filter(|program| program.kind != WorkloadKind::Binary) {
            let is_twin =
                |old: &&Program| (&old.package, &old.target, old.kind) == (&program.package, &program.target, program.kind);
            let twin = base.programs.iter().find(is_twin);
            let mut files = new.own(&program.source);
            files.extend(twin.map(|twin| old.own(&twin.source)).unwrap_or_default());
            own.by_target.insert((program.package.clone(), program.target.clone()), files);
        }
        Ok(own)
    }

    /// True when the file belongs to the bench that runs the workload. A binary is what is measured, not the measure.
    pub(crate) fn is_own(&self, workload: &Workload, file: &Utf8Path) -> bool {
        let target = (workload.package.clone(), workload.target.clone());
        workload.kind != WorkloadKind::Binary && self.by_target.get(&target).is_some_and(|files| files.contains(file))
    }

    /// True when the file belongs to any bench.
    pub(crate) fn is_any(&self, file: &Utf8Path) -> bool {
        self.by_target.values().any(|files| files.contains(file))
    }
}

/// One side's sources.
struct Side {
    files: Vec<SourceFile>,
    /// Root files of the libraries and binaries.
    subjects: Vec<Utf8PathBuf>,
    /// Their files; only asked for when a bench has more than its root file.
    measured: OnceCell<BTreeSet<Utf8PathBuf>>,
}

impl Side {
    fn new(files: Vec<SourceFile>, head: &Head) -> Self {
        let targets = head.workspace.members().into_iter().flat_map(|package| &package.targets);
        let subjects = targets.filter(|one| !(one.is_bench() || one.is_test() || one.is_example() || one.is_custom_build()));
        let subjects = subjects.map(|target| relative(&head.root, &target.src_path)).collect();
        Self { files, subjects, measured: OnceCell::new() }
    }

    /// The files of the crate with this root, less those that a library or binary has, too.
    fn own(&self, root: &Utf8Path) -> BTreeSet<Utf8PathBuf> {
        let mut files = crate_files(root, &self.files);
        if files.len() > 1 {
            let measured =
                self.measured.get_or_init(|| self.subjects.iter().flat_map(|root| crate_files(root, &self.files)).collect());
            files.retain(|file| file == root || !measured.contains(file));
        }
        files.insert(root.to_owned());
        files
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_library_has_too_is_measured_and_not_the_measure() {
        let file = |path: &str, text: &str| SourceFile::new(path, text, &[]);
        let files = vec![
            file("src/lib.rs", "mod hot;"),
            file("src/hot.rs", ""),
            file("benches/run.rs", "#[path = \"../src/hot.rs\"] mod hot; #[path = \"../support/mod.rs\"] mod support;"),
            file("support/mod.rs", ""),
        ];
        let side = Side { files, subjects: vec!["src/lib.rs".into()], measured: OnceCell::new() };
        let own: Vec<String> = side.own("benches/run.rs".into()).into_iter().map(String::from).collect();
        assert_eq!(own, ["benches/run.rs", "support/mod.rs"]);
    }
}
