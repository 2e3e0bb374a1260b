//! Rust source as items: what stands where, and what a change did to each item.
//!
//! Pure: takes file texts, returns values. git and the file system stay outside.

mod approximate;
mod attributes;
mod collect;
mod extent;
mod hash;
mod items;
mod kinds;
mod made;
pub mod model;
mod place;
mod strip;
mod tokens;
mod typename;
mod uses;

pub use items::{items, items_of};
pub use model::{Change, ChangeKind, Item, ItemKind};
pub use place::{CrateRoot, SourceFile};
