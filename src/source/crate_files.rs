//! Which files belong to a crate: its root file, and whatever `mod` and `include!` lead to from there.

use std::collections::{BTreeSet, HashMap};

use camino::{Utf8Path, Utf8PathBuf};

use super::items::{candidates, normalized, parallel};
use super::place::SourceFile;

/// The files of the crate with this root file, among the files of its side. Modules behind any `cfg` count.
pub fn crate_files(root: &Utf8Path, files: &[SourceFile]) -> BTreeSet<Utf8PathBuf> {
    let by_path: HashMap<&Utf8Path, &SourceFile> = files.iter().map(|file| (file.path.as_path(), file)).collect();
    let mut seen = BTreeSet::new();
    let mut open = vec![(root.to_owned(), Vec::new())];
    while !open.is_empty() {
        let mut placed: Vec<SourceFile> = Vec::new();
        for (path, module) in open.drain(..) {
            if let Some(file) = by_path.get(path.as_path())
                && seen.insert(path)
            {
                placed.push(SourceFile { module, ..(*file).clone() });
            }
        }
        let parsed = parallel(&placed.iter().collect::<Vec<_>>());
        for declared in parsed.iter().flat_map(|file| &file.declared) {
            let found = candidates(declared).into_iter().find(|path| by_path.contains_key(path.as_path()));
            // Below `#[path]`, a file owns its directory, as a root does.
            let module = if declared.path.is_some() { Vec::new() } else { declared.module.clone() };
            open.extend(found.map(|path| (path, module)));
        }
        open.extend(placed.iter().flat_map(included).map(|path| (path, Vec::new())));
    }
    seen
}

/// The files that `include!("…")` takes in.
fn included(file: &SourceFile) -> Vec<Utf8PathBuf> {
    let dir = file.path.parent().unwrap_or(Utf8Path::new(""));
    let named = file.text.split("include!(").skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
    named.map(|name| normalized(&dir.join(name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files_of(root: &str, files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<SourceFile> = files.iter().map(|(path, text)| SourceFile::new(*path, *text, &[])).collect();
        crate_files(root.into(), &files).into_iter().map(String::from).collect()
    }

    #[test]
    fn modules_paths_and_includes_are_followed() {
        let files = [
            ("benches/deep/main.rs", "mod util;\nmod inner { mod far; }"),
            ("benches/deep/util.rs", "mod more;"),
            ("benches/deep/util/more.rs", ""),
            ("benches/deep/inner/far.rs", "include!(\"../made.rs\");"),
            ("benches/deep/made.rs", ""),
            ("benches/deep/stray.rs", ""),
            ("benches/supp.rs", "#[path = \"../support/mod.rs\"]\nmod support;"),
            ("support/mod.rs", "mod data;"),
            ("support/data.rs", "mod gone;"),
        ];
        assert_eq!(
            files_of("benches/deep/main.rs", &files),
            [
                "benches/deep/inner/far.rs",
                "benches/deep/made.rs",
                "benches/deep/main.rs",
                "benches/deep/util/more.rs",
                "benches/deep/util.rs"
            ]
        );
        assert_eq!(files_of("benches/supp.rs", &files), ["benches/supp.rs", "support/data.rs", "support/mod.rs"]);
        assert!(files_of("benches/none.rs", &files).is_empty());
    }

    #[test]
    fn a_file_behind_path_owns_its_directory_and_a_circle_ends() {
        let files = [
            ("benches/a.rs", "#[path = \"../common.rs\"] mod x;"),
            ("common.rs", "mod y;\n#[path = \"benches/a.rs\"] mod again;"),
            ("y.rs", ""),
        ];
        assert_eq!(files_of("benches/a.rs", &files), ["benches/a.rs", "common.rs", "y.rs"]);
    }
}
