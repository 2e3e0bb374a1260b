//! Rust source as items: what stands where, and what a change did to each item.
//!
//! Pure: takes file texts, returns values. git and the file system stay outside.

pub mod model;

pub use model::{Change, ChangeKind, Item, ItemKind};
