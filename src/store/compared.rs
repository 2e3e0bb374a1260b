//! The profiles of both sides of the last comparison, for pictures of what differs. They lie beside their analysis.

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::{Store, StoreError, envelope, write};

/// What is kept of one workload; files are in the same directory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// Its id.
    pub workload: String,
    /// Base's profile, gzip'd `profile.proto`.
    pub base: Utf8PathBuf,
    /// Head's profile.
    pub head: Utf8PathBuf,
    /// How long the sampled part of an iteration takes at base, nanoseconds.
    pub base_ns: f64,
    /// The same at head.
    pub head_ns: f64,
}

/// Names what is complete.
const INDEX: &str = "compared.json";

impl Store {
    /// Keeps profiles beside the analysis at `analysis`, in place of those of any comparison before. `files`: names as in `compared`,
    /// and contents.
    pub fn save_compared(
        &self,
        analysis: &Utf8Path,
        compared: &[Compared],
        files: &[(Utf8PathBuf, Vec<u8>)],
    ) -> Result<(), StoreError> {
        self.must_write()?;
        let dir = analysis.with_extension("");
        fs_err::create_dir_all(&dir).map_err(|source| StoreError::writing(&dir, source))?;
        for (name, bytes) in files {
            write::replace(&dir.join(name), bytes)?;
        }
        envelope::seal(&dir.join(INDEX), &compared.to_vec())?;
        for old in self.comparisons().into_iter().filter(|old| *old != dir) {
            let _retried_next_time = fs_err::remove_dir_all(old);
        }
        Ok(())
    }

    /// What is kept of the last comparison, and the directory that holds it; nothing when there was none.
    pub fn last_compared(&self) -> Result<(Utf8PathBuf, Vec<Compared>), StoreError> {
        // A comparison that was cut short has no index.
        for dir in self.comparisons().into_iter().rev() {
            if let Some(compared) = envelope::open(&dir.join(INDEX), "run `cargo perf-expert verify` again")? {
                return Ok((dir, compared));
            }
        }
        Ok((self.dir().to_owned(), Vec::new()))
    }

    /// Their directories, oldest first.
    fn comparisons(&self) -> Vec<Utf8PathBuf> {
        let Ok(entries) = self.dir().join("analyses").read_dir_utf8() else { return Vec::new() };
        let numbered = |path: &Utf8PathBuf| path.is_dir() && path.file_name().is_some_and(|name| name.parse::<u64>().is_ok());
        let mut all: Vec<Utf8PathBuf> = entries.flatten().map(camino::Utf8DirEntry::into_path).filter(numbered).collect();
        all.sort();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(workload: &str) -> Compared {
        Compared { workload: workload.into(), base: "0-base".into(), head: "0-head".into(), base_ns: 1.5, head_ns: 2.0 }
    }

    #[test]
    fn only_the_last_comparison_is_kept_and_one_cut_short_does_not_hide_it() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        let store = Store::open(dir).unwrap();
        assert_eq!(store.last_compared().unwrap().1, []);
        for name in ["first", "second"] {
            let at = store.save_analysis(&serde_json::json!({})).unwrap();
            store.save_compared(&at, &[one(name)], &[("0-base".into(), vec![1]), ("0-head".into(), vec![2])]).unwrap();
        }
        fs_err::create_dir_all(dir.join("analyses/00000009")).unwrap();
        let (at, compared) = Store::read(dir).last_compared().unwrap();
        assert_eq!((compared, fs_err::read(at.join("0-head")).unwrap()), (vec![one("second")], vec![2]));
        assert!(!dir.join("analyses/00000001").exists());
        assert!(matches!(Store::read(dir).save_compared(dir, &[], &[]), Err(StoreError::ReadOnly)));
    }
}
