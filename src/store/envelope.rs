//! What every file of the store has in common: a schema version and the tool that wrote it.

use camino::Utf8Path;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{StoreError, write};

/// Version of everything that is stored. Raised when an older tool could misread what a newer one writes.
pub const SCHEMA_VERSION: u64 = 1;

#[derive(Serialize)]
struct Sealed<'a, T> {
    schema_version: u64,
    tool_version: &'a str,
    body: &'a T,
}

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Opened<T> {
    body: T,
}

#[derive(Deserialize)]
struct Version {
    schema_version: u64,
}

/// Writes `body` to `path`, whole or not at all.
pub(super) fn seal<T: Serialize>(path: &Utf8Path, body: &T) -> Result<(), StoreError> {
    let sealed = Sealed { schema_version: SCHEMA_VERSION, tool_version: env!("CARGO_PKG_VERSION"), body };
    let mut text = serde_json::to_vec_pretty(&sealed)
        .map_err(|error| StoreError::Io(std::io::Error::other(format!("cannot write {path} as JSON: {error}"))))?;
    text.push(b'\n');
    write::replace(path, &text)
}

/// Reads `path`; `Ok(None)` if there is no such file. `remedy` is what to type if the file is damaged.
pub(super) fn open<T: DeserializeOwned>(path: &Utf8Path, remedy: &str) -> Result<Option<T>, StoreError> {
    let text = match fs_err::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::Io(error)),
    };
    let damaged = |error: serde_json::Error| StoreError::Damaged {
        file: path.to_string(),
        problem: error.to_string(),
        remedy: remedy.to_owned(),
    };
    // The version first: a newer body may have any shape.
    let version: Version = serde_json::from_slice(&text).map_err(damaged)?;
    if version.schema_version > SCHEMA_VERSION {
        return Err(StoreError::Newer { file: path.to_string(), found: version.schema_version, known: SCHEMA_VERSION });
    }
    let opened: Opened<T> = serde_json::from_slice(&text).map_err(damaged)?;
    Ok(Some(opened.body))
}
