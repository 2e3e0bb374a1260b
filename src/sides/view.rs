//! The items of a side.

use camino::Utf8PathBuf;

use super::Texts;
use crate::error::Result;
use crate::source::{self, CrateRoot, Item};

/// All items of a side.
pub(crate) fn all_items(texts: &Texts<'_>, roots: &[CrateRoot]) -> Result<Vec<Item>> {
    let files = texts.rust_files()?;
    Ok(source::items_of(&texts.sources(&files, roots)?))
}

/// The items of some files of a side.
pub(crate) fn items_of_files(texts: &Texts<'_>, files: &[Utf8PathBuf], roots: &[CrateRoot]) -> Result<Vec<Item>> {
    Ok(source::items_of(&texts.sources(files, roots)?))
}
