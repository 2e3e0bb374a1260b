//! Unmodified criterion executables, 0.3 to 0.8: what they list, how one id is run alone, what they leave behind.
//!
//! What an executable understands is found by asking it (`--list` with the flags in question): `--help` does not exist in
//! every build of 0.5, and versions are not visible in a binary.

mod dialect;
mod list;
mod result;

pub use dialect::Dialect;
pub use list::{Listing, list};
pub use result::{check_ran, iterations, read_result, total};

use std::path::{Path, PathBuf};

/// Where the run in `scratch` keeps its files: never the user's `target/criterion`.
pub fn home(scratch: &Path) -> PathBuf {
    scratch.join("criterion")
}
