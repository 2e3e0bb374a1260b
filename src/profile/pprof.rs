//! The profile as pprof's `profile.proto` (gzip): what the store keeps, and what `go tool pprof` and speedscope open.
//!
//! Physical frames become locations, their inlined calls several lines of one location. Quality and aliases travel as
//! comments, so they survive a round trip. Reads other tools' files too. Takes no samples and writes no files.

#[cfg(unix)]
mod decode;
#[cfg(unix)]
mod encode;
#[cfg(unix)]
mod foreign;

use super::model::Profile;
use crate::error::Expected;

/// Starts the comment that carries our `Quality` as JSON.
#[cfg(unix)]
const QUALITY_COMMENT: &str = "cargo-perf-expert quality ";

/// Starts each comment that carries one of our aliases as JSON.
#[cfg(unix)]
const ALIAS_COMMENT: &str = "cargo-perf-expert alias ";

/// Largest decompressed profile that is read, bytes: far above any real one, far below what would exhaust memory.
const MAX_BYTES: u64 = 512 << 20;

/// Why bytes are not a profile.
#[derive(Debug, thiserror::Error)]
pub enum PprofError {
    /// The gzip wrapper is damaged or cut short.
    #[error("the profile cannot be decompressed")]
    Gzip(#[source] std::io::Error),
    /// It unpacks to more than any profile holds.
    #[error("the profile would take more memory than any real one")]
    TooLarge,
    /// It profiles something else than CPU time.
    #[error("the profile holds no CPU samples, but {0}")]
    NotCpu(String),
    /// The protobuf message is damaged.
    #[error("the profile is not a pprof message: {0}")]
    Protobuf(String),
    /// The message refers to something that it does not contain, or contradicts itself.
    #[error("the profile is inconsistent: {0}")]
    Inconsistent(&'static str),
    /// This build has no protobuf codec (only Unix builds have one).
    #[error("pprof profiles are not supported on this operating system")]
    Unsupported,
}

impl Expected for PprofError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unsupported => None,
            Self::NotCpu(_) => Some("take a CPU profile: heat is a share of CPU time".into()),
            Self::TooLarge => Some("take a shorter profile, or of one process".into()),
            _ => Some("the file is damaged or no pprof profile; take the profile again".into()),
        }
    }
}

/// The profile as gzip'd `profile.proto`; the same profile gives the same bytes.
#[cfg(unix)]
pub fn encode(profile: &Profile) -> Result<Vec<u8>, PprofError> {
    use std::io::Write;
    let message = encode::message(profile)?;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&pprof::protos::Message::encode_to_vec(&message)).map_err(PprofError::Gzip)?;
    gzip.finish().map_err(PprofError::Gzip)
}

/// A profile that was read, with what only other tools' files say.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The stacks.
    pub profile: Profile,
    /// Which of the file's values are the counts (`samples/count`, `cpu/nanoseconds`).
    pub sampled: String,
    /// Where they are weights: what one sample weighs, 0 where that is not said.
    pub one_weighs: Option<u64>,
    /// The revision that its labels name.
    pub revision: Option<Revision>,
    /// The files that the sampled program had mapped.
    pub mapped: Vec<Mapped>,
}

/// What the labels of a profile say about its program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The label's key.
    pub label: String,
    /// A commit, a tag or a version.
    pub value: String,
    /// Other values that samples carry; these samples are left out.
    pub others: usize,
    /// Records that were left out for this.
    pub left_out: u64,
}

/// A mapped executable or library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// Where it was.
    pub path: String,
    /// Its build id, as the file writes it.
    pub build_id: Option<String>,
}

/// Reads `profile.proto`, gzip'd or plain, ours or another tool's. Never panics on damaged input.
pub fn decode(bytes: &[u8]) -> Result<Profile, PprofError> {
    Ok(import(bytes)?.profile)
}

/// [`decode`] with all that the file says.
#[cfg(unix)]
pub fn import(bytes: &[u8]) -> Result<Imported, PprofError> {
    let unpacked = unpack(bytes)?;
    foreign::check_size(&unpacked)?;
    let message: pprof::protos::Profile =
        pprof::protos::Message::decode(unpacked.as_ref()).map_err(|error| PprofError::Protobuf(format!("{error}")))?;
    decode::import(&message)
}

/// Undoes gzip, if there is any.
pub fn unpack(bytes: &[u8]) -> Result<std::borrow::Cow<'_, [u8]>, PprofError> {
    use std::io::Read;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes.into());
    }
    let mut out = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes).take(MAX_BYTES + 1).read_to_end(&mut out).map_err(PprofError::Gzip)?;
    if out.len() as u64 > MAX_BYTES { Err(PprofError::TooLarge) } else { Ok(out.into()) }
}

/// Always [`PprofError::Unsupported`].
#[cfg(not(unix))]
pub fn encode(_profile: &Profile) -> Result<Vec<u8>, PprofError> {
    Err(PprofError::Unsupported)
}

/// Always [`PprofError::Unsupported`].
#[cfg(not(unix))]
pub fn import(_bytes: &[u8]) -> Result<Imported, PprofError> {
    Err(PprofError::Unsupported)
}

#[cfg(test)]
mod tests;
