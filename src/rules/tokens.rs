//! Performance tokens of an item: what makes code costlier to own in exchange for speed.
//!
//! Counted on Rust's own tokens, so that comments and strings never match. Does not judge: a token alone proves nothing (it
//! matches a performance commit only 18 % of the time, `reference/evidence-rules.md` §0.9).

mod item;
mod kind;
mod necessity;
mod net;
mod scan;
#[cfg(test)]
mod tests;
mod walk;

pub use item::{foreign_functions, item_tokens};
pub use kind::{TokenClass, TokenKind};
pub use net::{Added, added};
pub use scan::{Occurrence, Scan, scan};
pub(super) use walk::declares_table;
