//! The profile as pprof's `profile.proto` (gzip): what the store keeps, and what `go tool pprof` and speedscope open.
//!
//! Physical frames become locations, their inlined calls several lines of one location. Quality and aliases travel as
//! comments, so they survive a round trip. Reads other tools' files too. Takes no samples and writes no files.

#[cfg(unix)]
mod decode;
#[cfg(unix)]
mod encode;

use super::model::Profile;
use crate::error::Expected;

/// Starts the comment that carries our `Quality` as JSON.
#[cfg(unix)]
const QUALITY_COMMENT: &str = "cargo-perf-expert quality ";

/// Starts each comment that carries one of our aliases as JSON.
#[cfg(unix)]
const ALIAS_COMMENT: &str = "cargo-perf-expert alias ";

/// Largest decompressed profile that is read, bytes: far above any real one, far below what would exhaust memory.
#[cfg(unix)]
const MAX_BYTES: u64 = 512 << 20;

/// Why bytes are not a profile.
#[derive(Debug, thiserror::Error)]
pub enum PprofError {
    /// The gzip wrapper is damaged or cut short.
    #[error("the profile cannot be decompressed")]
    Gzip(#[source] std::io::Error),
    /// It unpacks to more than any profile holds.
    #[error("the profile unpacks to more than 512 MiB")]
    TooLarge,
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

/// Reads `profile.proto`, gzip'd or plain, ours or another tool's. Never panics on damaged input.
#[cfg(unix)]
pub fn decode(bytes: &[u8]) -> Result<Profile, PprofError> {
    let unpacked = unpack(bytes)?;
    let message: pprof::protos::Profile =
        pprof::protos::Message::decode(unpacked.as_ref()).map_err(|error| PprofError::Protobuf(format!("{error}")))?;
    decode::profile(&message)
}

#[cfg(unix)]
fn unpack(bytes: &[u8]) -> Result<std::borrow::Cow<'_, [u8]>, PprofError> {
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
pub fn decode(_bytes: &[u8]) -> Result<Profile, PprofError> {
    Err(PprofError::Unsupported)
}

#[cfg(test)]
mod tests;
