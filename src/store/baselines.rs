//! Named baselines: `baselines/NAME/baseline.json` names one directory beside it that holds the files.
//!
//! Replacing that one small file is the moment at which a new baseline takes the place of the old one. Whatever a killed run
//! leaves beside it is not named by anything, and the next writer removes it.

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{BaselineRecord, Draft, SCHEMA_VERSION, Store, StoreError, envelope, name, write};
use crate::config::nearest::nearest;

const RECORD: &str = "baseline.json";

/// The contents of `baseline.json`.
#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "W: DeserializeOwned"))]
struct Pointer<W> {
    /// Directory beside it with the files.
    generation: String,
    record: BaselineRecord<W>,
}

/// A stored baseline.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline<W> {
    /// What it says about itself.
    pub record: BaselineRecord<W>,
    dir: Utf8PathBuf,
}

/// One line of a list of baselines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaselineSummary {
    /// Its name.
    pub name: String,
    /// The commit that was built.
    pub commit: Option<String>,
    /// True if there was uncommitted work.
    pub dirty: bool,
    /// When it was made.
    pub created: Timestamp,
}

impl<W> Baseline<W> {
    /// Where a file of the baseline lies on disk.
    pub fn path(&self, file: &Utf8Path) -> Utf8PathBuf {
        self.dir.join(file)
    }
}

fn remedy(name: &str) -> String {
    let save = if name == "default" { String::new() } else { format!(" --save {name}") };
    format!("make it again with `cargo perf-expert baseline{save}`")
}

impl Store {
    fn home(&self, name: &str) -> Utf8PathBuf {
        self.dir().join("baselines").join(name)
    }

    /// Refuses to put a baseline in the place of one that a newer version of this tool made.
    ///
    /// # Errors
    /// [`StoreError::Newer`], [`StoreError::BadName`].
    pub fn may_replace(&self, name: &str) -> Result<(), StoreError> {
        name::check(name)?;
        match self.summary(name) {
            Err(newer @ StoreError::Newer { .. }) => Err(newer),
            _ => Ok(()),
        }
    }

    /// Saves a baseline under `record.name`, in place of the one of that name. Its files, schema and tool version are filled in.
    pub fn save_baseline<W: Serialize + DeserializeOwned>(
        &self,
        mut record: BaselineRecord<W>,
        draft: Draft,
    ) -> Result<Baseline<W>, StoreError> {
        self.must_write()?;
        name::check(&record.name)?;
        self.may_replace(&record.name)?;
        let home = self.home(&record.name);
        fs_err::create_dir_all(&home).map_err(|source| StoreError::writing(&home, source))?;
        let generation = free_name(&home);
        let dir = home.join(&generation);
        record.files = draft.settle(&dir)?;
        write::sync_dir(&home)?;
        record.schema_version = SCHEMA_VERSION;
        env!("CARGO_PKG_VERSION").clone_into(&mut record.tool_version);
        let pointer = Pointer { generation: generation.clone(), record };
        if let Err(error) = envelope::seal(&home.join(RECORD), &pointer) {
            let _nobody_names_it = fs_err::remove_dir_all(&dir);
            return Err(error);
        }
        write::sync_dir(&self.dir().join("baselines"))?;
        remove_others(&home, &generation);
        Ok(Baseline { record: pointer.record, dir })
    }

    /// Loads a baseline and checks that all of its files are there in full length.
    ///
    /// # Errors
    /// [`StoreError::Missing`] with the nearest name, [`StoreError::Newer`], [`StoreError::Damaged`].
    pub fn load_baseline<W: Serialize + DeserializeOwned>(&self, name: &str) -> Result<Baseline<W>, StoreError> {
        name::check(name)?;
        let home = self.home(name);
        let path = home.join(RECORD);
        let Some(pointer) = envelope::open::<Pointer<W>>(&path, &remedy(name))? else {
            let names = self.names();
            let nearest = nearest(name, names.iter().map(String::as_str)).map(str::to_owned);
            return Err(StoreError::Missing { name: name.to_owned(), nearest });
        };
        let damaged = |file: &Utf8Path, problem: &str| StoreError::Damaged {
            file: file.to_string(),
            problem: problem.into(),
            remedy: remedy(name),
        };
        name::check(&pointer.generation).map_err(|_bad| damaged(&path, "it names no directory of its own"))?;
        let dir = home.join(&pointer.generation);
        for (file, expected) in &pointer.record.files {
            let file = dir.join(file);
            match fs_err::metadata(&file) {
                Ok(found) if found.len() == expected.size => {}
                Ok(found) => return Err(damaged(&file, &format!("{} bytes instead of {}", found.len(), expected.size))),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(damaged(&file, "it is missing")),
                Err(error) => return Err(StoreError::Io(error)),
            }
        }
        Ok(Baseline { record: pointer.record, dir })
    }

    /// All readable baselines, newest first. [`Store::unreadable_baselines`] has the others.
    pub fn list_baselines(&self) -> Vec<BaselineSummary> {
        let mut list: Vec<BaselineSummary> = self.names().iter().filter_map(|name| self.summary(name).ok().flatten()).collect();
        list.sort_by(|left, right| right.created.cmp(&left.created).then_with(|| left.name.cmp(&right.name)));
        list
    }

    /// Names of the baselines that are damaged or were made by a newer version, and what is wrong with each.
    pub fn unreadable_baselines(&self) -> Vec<(String, StoreError)> {
        self.names().into_iter().filter_map(|name| Some((name.clone(), self.summary(&name).err()?))).collect()
    }

    fn summary(&self, name: &str) -> Result<Option<BaselineSummary>, StoreError> {
        let path = self.home(name).join(RECORD);
        let pointer = envelope::open::<Pointer<serde_json::Value>>(&path, &remedy(name))?;
        Ok(pointer.map(|Pointer { record, .. }| BaselineSummary {
            name: name.to_owned(),
            commit: record.commit,
            dirty: record.dirty,
            created: record.created,
        }))
    }

    /// Removes a baseline.
    pub fn remove_baseline(&self, name: &str) -> Result<(), StoreError> {
        self.must_write()?;
        name::check(name)?;
        let home = self.home(name);
        if !home.join(RECORD).exists() {
            return Err(StoreError::Missing { name: name.to_owned(), nearest: None });
        }
        // The record first: without it the rest is litter.
        fs_err::remove_file(home.join(RECORD)).map_err(StoreError::Io)?;
        fs_err::remove_dir_all(&home).map_err(StoreError::Io)
    }

    fn names(&self) -> Vec<String> {
        let Ok(entries) = self.dir().join("baselines").read_dir_utf8() else { return Vec::new() };
        let names = entries.flatten().map(|entry| entry.file_name().to_owned());
        let mut names: Vec<String> =
            names.filter(|name| name::check(name).is_ok() && self.home(name).join(RECORD).exists()).collect();
        names.sort();
        names
    }

    /// Removes what a killed run left half done. A record that cannot be read keeps its directory: someone may want to look.
    pub(super) fn sweep(&self) {
        remove_temporary(&self.dir().join("analyses"));
        let Ok(entries) = self.dir().join("baselines").read_dir_utf8() else { return };
        for entry in entries.flatten() {
            let path = entry.path();
            let record = path.join(RECORD);
            if entry.file_name().starts_with(".tmp-") || (path.is_dir() && !record.exists()) {
                let _litter = fs_err::remove_dir_all(path);
            } else if let Ok(Some(pointer)) = envelope::open::<Pointer<serde_json::Value>>(&record, "") {
                remove_others(path, &pointer.generation);
            }
        }
    }
}

fn remove_temporary(dir: &Utf8Path) {
    let Ok(entries) = dir.read_dir_utf8() else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().starts_with(".tmp-")) {
        let _litter = fs_err::remove_file(entry.path());
    }
}

/// Removes everything in `home` but the record and the directory that it names.
fn remove_others(home: &Utf8Path, generation: &str) {
    let Ok(entries) = home.read_dir_utf8() else { return };
    for entry in entries.flatten() {
        if entry.file_name() == generation || entry.file_name() == RECORD {
            continue;
        }
        let path = entry.path();
        let _litter = if path.is_dir() { fs_err::remove_dir_all(path) } else { fs_err::remove_file(path) };
    }
}

fn free_name(home: &Utf8Path) -> String {
    let mut names = (1_u64..).map(|number| format!("files-{number}"));
    names.find(|name| !home.join(name).exists()).unwrap_or_default()
}
