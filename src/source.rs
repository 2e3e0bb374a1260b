//! Rust source as items: what stands where, and what a change did to each item.
//!
//! Pure: takes file texts, returns values. git and the file system stay outside.

mod approximate;
mod attributes;
mod change;
mod collect;
mod crate_files;
mod extent;
mod files;
mod hash;
mod items;
mod kinds;
mod lockfile;
mod made;
mod manifest;
mod mention;
pub mod model;
mod moves;
mod name;
mod note;
mod place;
mod strip;
mod tokens;
mod tree;
mod typename;
mod uses;

pub use change::changes;
pub use crate_files::crate_files;
pub use files::{FileChange, FileRole, ambient_file_changes, data_file_change, included_file_change, is_included, role};
pub use items::{declares_code, items, items_of};
pub use mention::mentions;
pub use model::{Change, ChangeKind, Item, ItemKind, Reach};
pub(crate) use place::unit_test_declarers;
pub use place::{CrateRoot, SourceFile};
pub use tree::{ItemId, Tree};

#[cfg(test)]
mod laws;
