//! Results of past runs, the last twenty of them, in the order they were made.

use camino::Utf8PathBuf;
use serde_json::Value;

use super::{Store, StoreError, envelope};

/// How many are kept.
const KEPT: usize = 20;

impl Store {
    /// Keeps an analysis as the last one, and returns where.
    pub fn save_analysis(&self, analysis: &Value) -> Result<Utf8PathBuf, StoreError> {
        self.must_write()?;
        let known = self.analyses();
        let number = known.last().map_or(1, |(number, _)| number.saturating_add(1));
        let path = self.dir().join("analyses").join(format!("{number:08}.json"));
        envelope::seal(&path, analysis)?;
        let surplus = (known.len() + 1).saturating_sub(KEPT);
        for (_, old) in known.iter().take(surplus) {
            let _retried_next_time = fs_err::remove_file(old);
        }
        Ok(path)
    }

    /// The last analysis; `None` if there is none yet.
    pub fn last_analysis(&self) -> Result<Option<Value>, StoreError> {
        match self.analyses().pop() {
            Some((_, path)) => envelope::open(&path, "remove the file, or run `cargo perf-expert verify` again"),
            None => Ok(None),
        }
    }

    fn analyses(&self) -> Vec<(u64, Utf8PathBuf)> {
        let Ok(entries) = self.dir().join("analyses").read_dir_utf8() else { return Vec::new() };
        let numbered = |path: Utf8PathBuf| {
            let number = path.file_name()?.strip_suffix(".json")?.parse().ok()?;
            Some((number, path))
        };
        let mut list: Vec<(u64, Utf8PathBuf)> = entries.flatten().filter_map(|entry| numbered(entry.into_path())).collect();
        list.sort();
        list
    }
}
