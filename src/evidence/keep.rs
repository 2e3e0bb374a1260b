//! Profiles on disk: pprof for machines, a flame graph for people.

use camino::{Utf8Path, Utf8PathBuf};

use super::{EvidenceError, StoredProfile};
use crate::profile::{Profile, flamegraph, pprof};

/// A profile as files that are still to be written.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Where they will lie, and how far to trust them.
    pub stored: StoredProfile,
    /// Paths inside the baseline and their contents.
    pub files: Vec<(Utf8PathBuf, Vec<u8>)>,
}

/// Encodes the profile of workload `id`. `number` keeps the file names of similar ids apart.
pub fn keep_profile(id: &str, number: usize, profile: &Profile) -> Result<Kept, EvidenceError> {
    let name = format!("{number:03}-{}", slug(id));
    let file = Utf8PathBuf::from(format!("profiles/{name}.pb.gz"));
    let mut files = vec![(file.clone(), pprof::encode(profile)?)];
    // A profile without samples has no picture; that is said by its quality.
    let picture = flamegraph::svg(profile, id).ok().map(|svg| (Utf8PathBuf::from(format!("flamegraphs/{name}.svg")), svg));
    let flamegraph = picture.as_ref().map(|(path, _)| path.clone());
    files.extend(picture);
    Ok(Kept { stored: StoredProfile { file, flamegraph, quality: profile.quality.clone() }, files })
}

/// Reads a stored profile.
pub fn read_profile(path: &Utf8Path) -> Result<Profile, EvidenceError> {
    let bytes = fs_err::read(path)?;
    Ok(pprof::decode(&bytes)?)
}

/// A file name for an id: letters, digits, `-` and `_`, at most 60.
fn slug(id: &str) -> String {
    id.chars().take(60).map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_becomes_a_harmless_file_name() {
        assert_eq!(slug("parse/large ../ü"), "parse_large_____");
    }
}
