//! The items of a side, and the view of it that the join needs.

use camino::{Utf8Path, Utf8PathBuf};

use super::Texts;
use crate::error::Result;
use crate::heat::{PathMapper, Tree};
use crate::join::SideView;
use crate::source::{self, CrateRoot, Item};

/// All items of a side.
pub(crate) fn all_items(texts: &Texts<'_>, roots: &[CrateRoot]) -> Result<Vec<Item>> {
    let files = texts.rust_files()?;
    Ok(source::items_of(&texts.sources(&files, roots)?))
}

/// A view without profiles yet. `built_in` is the root of the tree that was compiled.
pub(crate) fn view_of(built_in: &Utf8Path, items: Vec<Item>) -> SideView {
    let mut files: Vec<Utf8PathBuf> = items.iter().map(|item| item.file.clone()).collect();
    files.dedup();
    let mapper = PathMapper::new(built_in, files.iter().map(Utf8PathBuf::as_path));
    SideView { tree: Tree::new(items), mapper, ..SideView::default() }
}
