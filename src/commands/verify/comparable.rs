//! Whether both sides of a workload do the same work: its dataset, its own source, and the files that it may read.

use crate::evidence::Program;
use crate::measure::Workload;
use crate::sides::{DataFile, Diff, OwnSources, is_for_tests};
use crate::source::{self, Change, ChangeKind};

/// The data that keeps the sides from doing the same work; `None` when there is no such data.
pub(super) fn other_data(workload: &Workload, diff: &Diff, own: &OwnSources) -> Option<String> {
    if let Some(dataset) = changed_dataset(workload, diff) {
        return Some(format!("not comparable: its dataset `{dataset}` changed"));
    }
    let read = diff.data.iter().find(|file| may_read(workload, file, own))?;
    Some(format!("not comparable: `{}` changed and the workload may read it", read.path))
}

/// True when a bench does other work than before, because a file of its own crate says so.
pub(super) fn own_source_changed(workload: &Workload, diff: &Diff, own: &OwnSources) -> bool {
    let is_own = |change: &Change| {
        let mut items = [&change.base, &change.head].into_iter().flatten();
        items.any(|item| own.is_own(workload, &item.file))
    };
    diff.changes.iter().any(|change| change.kind != ChangeKind::Moved && is_own(change))
}

/// A changed file that the program may read although no source names it: what its workloads gain or lose is not pinned on items.
pub(super) fn in_doubt<'d>(program: &Program, diff: &'d Diff) -> Option<&'d str> {
    let doubtful = |file: &&DataFile| {
        file.readers.is_empty() && !is_for_tests(&file.path) && (file.path.starts_with(&program.package_dir) || !file.in_package)
    };
    diff.data.iter().find(doubtful).map(|file| file.path.as_str())
}

/// A dataset of the workload that the change touches.
fn changed_dataset(workload: &Workload, diff: &Diff) -> Option<String> {
    let is_changed = |dataset: &&camino::Utf8PathBuf| {
        let path = workload.package_dir.join(dataset);
        diff.files.iter().any(|file| file.path == path)
    };
    workload.datasets.iter().find(is_changed).map(ToString::to_string)
}

/// True when an argument names the file, or a source that the program can contain.
fn may_read(workload: &Workload, file: &DataFile, own: &OwnSources) -> bool {
    let inside = file.path.strip_prefix(&workload.package_dir).unwrap_or(&file.path);
    let named = workload.args.iter().any(|arg| source::mentions(&format!("\"{arg}\""), inside));
    let contains = |reader: &camino::Utf8PathBuf| {
        let of_a_bench = own.is_any(reader) || reader.components().any(|part| part.as_str() == "benches");
        own.is_own(workload, reader) || !of_a_bench
    };
    named || file.readers.iter().any(contains)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{Workload, WorkloadKind};

    fn workload(package_dir: &str, args: &[&str]) -> Workload {
        Workload {
            id: "scan".into(),
            harness_id: "scan".into(),
            package: "a".into(),
            package_dir: package_dir.into(),
            target: "scan".into(),
            kind: WorkloadKind::Binary,
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
            datasets: Vec::new(),
            timeout_ms: None,
        }
    }

    fn data(path: &str, readers: &[&str]) -> Diff {
        let readers = readers.iter().map(|&reader| reader.into()).collect();
        Diff { data: vec![DataFile { path: path.into(), readers, in_package: true }], ..Diff::default() }
    }

    fn other(workload: &Workload, diff: &Diff) -> Option<String> {
        other_data(workload, diff, &OwnSources::default())
    }

    #[test]
    fn data_that_the_program_may_read_keeps_it_from_being_compared() {
        let plain = workload("", &[]);
        let why = other(&plain, &data("data/words.txt", &["src/lib.rs"])).unwrap();
        assert_eq!(why, "not comparable: `data/words.txt` changed and the workload may read it");
        assert_eq!(other(&plain, &data("data/words.txt", &["benches/other.rs"])), None, "another bench's data");
        assert_eq!(other(&plain, &data("data/words.txt", &[])), None, "nobody names it");
        assert!(other(&workload("", &["--input=data/words.txt"]), &data("data/words.txt", &[])).is_some());
    }

    #[test]
    fn data_that_nobody_names_leaves_a_doubt_in_its_own_package_only() {
        let program = |dir: &str| Program {
            package: "a".into(),
            package_dir: dir.into(),
            target: "scan".into(),
            kind: WorkloadKind::Bench,
            executable: "scan".into(),
            source: "benches/scan.rs".into(),
            env: Vec::new(),
        };
        let diff = data("crates/a/data/x.bin", &[]);
        assert_eq!(in_doubt(&program("crates/a"), &diff), Some("crates/a/data/x.bin"));
        assert_eq!(in_doubt(&program("crates/b"), &diff), None);
        assert_eq!(in_doubt(&program("crates/a"), &data("crates/a/tests/golden/x.snap", &[])), None);
    }
}
