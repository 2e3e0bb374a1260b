//! Every cause that is known, from the embedded files, read once.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::entry::{Entry, File, written_out};
use super::pattern::Pattern;

/// The files, one per class of trouble, and the families of names that they use.
const FILES: [(&str, &str); 7] = [
    ("families.toml", include_str!("catalogue/families.toml")),
    ("alloc.toml", include_str!("catalogue/alloc.toml")),
    ("memory.toml", include_str!("catalogue/memory.toml")),
    ("cpu.toml", include_str!("catalogue/cpu.toml")),
    ("contention.toml", include_str!("catalogue/contention.toml")),
    ("io.toml", include_str!("catalogue/io.toml")),
    ("database.toml", include_str!("catalogue/database.toml")),
];

/// The patterns of an entry, ready to be asked.
#[derive(Debug, Clone)]
pub(super) struct Signature {
    pub(super) frames: Vec<Pattern>,
    pub(super) under: Vec<Pattern>,
    pub(super) unless: Vec<Pattern>,
    pub(super) nowhere: Vec<Pattern>,
}

/// Causes in the order of their ids, with their patterns at the same places.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    pub(super) entries: Vec<Entry>,
    pub(super) signatures: Vec<Signature>,
    /// Calls of the kernel.
    pub(super) calls: Vec<Pattern>,
}

impl Catalogue {
    /// Reads files of the catalogue.
    pub(super) fn read(files: &[(&str, &str)]) -> Result<Self, String> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut families: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, text) in files {
            let file: File = toml::from_str(text).map_err(|error| format!("{name}: {error}"))?;
            entries.extend(file.cause);
            families.extend(file.families);
        }
        entries.sort_by(|a, b| a.id.cmp(&b.id));
        let signature = |entry: &Entry| {
            let of = |list: &[String]| written_out(list, &families).map_err(|why| format!("{}: {why}", entry.id));
            Ok(Signature {
                frames: of(&entry.frames)?,
                under: of(&entry.under)?,
                unless: of(&entry.unless)?,
                nowhere: of(&entry.nowhere)?,
            })
        };
        let signatures = entries.iter().map(signature).collect::<Result<_, String>>()?;
        let calls = written_out(&["@syscall".to_owned()], &families)?;
        Ok(Self { entries, signatures, calls })
    }
}

/// The embedded catalogue; a test reads it, so that it is never empty.
pub(super) static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::read(&FILES).unwrap_or_default());

/// Every cause, in the order of the ids.
pub fn entries() -> &'static [Entry] {
    &CATALOGUE.entries
}

/// The cause with that id or name, in any case.
pub fn find(query: &str) -> Option<&'static Entry> {
    let wanted = query.trim().to_lowercase().replace('_', "-");
    entries().iter().find(|entry| entry.id.to_lowercase() == wanted || entry.name == wanted)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_entry_is_complete() {
        let catalogue = Catalogue::read(&FILES).unwrap();
        assert!(!catalogue.entries.is_empty());
        for entry in &catalogue.entries {
            let id = &entry.id;
            assert!(id.len() == 3 && id.starts_with('S') && id[1..].parse::<u32>().is_ok(), "{id}");
            assert!(entry.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{id}");
            assert!(entry.title.len() > 5 && entry.title.len() < 60 && !entry.title.ends_with('.'), "{id}: {}", entry.title);
            assert!(entry.why.len() > 40 && entry.why.ends_with('.'), "{id}: {}", entry.why);
            assert!(entry.fixes.len() >= 2 && entry.fixes.iter().all(|fix| fix.len() > 10 && !fix.ends_with('.')), "{id}");
            assert!(entry.sketch.contains("{owner}") && entry.sketch.lines().count() <= 12, "{id}");
            let (low, high) = entry.recoverable;
            assert!(0.0 < low && low <= high && high <= 1.0, "{id}");
            assert!(entry.min_share > 0.0 && entry.min_share < 1.0, "{id}");
            assert_eq!(entry.frames.is_empty(), entry.needs.is_some(), "{id} cannot show");
            let counted = entry.counters.values().chain(entry.kernel.values());
            assert!(counted.into_iter().all(|bounds| bounds.min.is_some() || bounds.max.is_some()), "{id}");
            let is_prose = |line: &&str| !line.starts_with("    ");
            let wide: Vec<String> =
                entry.explain().lines().filter(is_prose).filter(|line| line.chars().count() > 140).map(str::to_owned).collect();
            assert!(wide.is_empty(), "{id} has lines that do not fit a terminal: {wide:?}");
        }
    }

    #[test]
    fn ids_and_names_are_unique() {
        let numbers: Vec<String> = (1..=45).map(|number| format!("S{number:02}")).collect();
        assert_eq!(entries().iter().map(|entry| entry.id.clone()).collect::<Vec<_>>(), numbers);
        let names: BTreeSet<_> = entries().iter().map(|entry| &entry.name).collect();
        let ids: BTreeSet<_> = entries().iter().map(|entry| &entry.id).collect();
        assert_eq!((names.len(), ids.len()), (entries().len(), entries().len()));
        assert!(entries().len() <= super::super::marks::MOST);
    }

    #[test]
    fn a_cause_is_found_by_id_and_name() {
        assert_eq!(find("s05").unwrap().name, find("SIPHASH_small-keys").unwrap().name);
        assert!(find("S99").is_none());
    }

    #[test]
    fn an_unknown_family_or_key_is_an_error() {
        let entry = FILES[1].1;
        assert!(Catalogue::read(&[("x", entry)]).unwrap_err().contains("no family is called"));
        assert!(Catalogue::read(&[FILES[0], ("x", &entry.replacen("why =", "wy =", 1))]).is_err());
    }
}
