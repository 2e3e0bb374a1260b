//! Whose code a frame is.

use serde::{Deserialize, Serialize};

use super::path::{Location, clean, outside};
use crate::profile::Frame;
use crate::source::Tree;

/// Whose code it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The repository.
    Workspace,
    /// This crate from elsewhere.
    Dependency(String),
    /// The standard library.
    Std,
    /// A system library, by the name of its file (`libc.so.6`).
    System(String),
    /// Not known.
    Unknown,
}

/// The origin of a frame that no item claims.
pub(super) fn of(frame: &Frame, location: Option<&Location>, tree: &Tree) -> Origin {
    match location {
        Some(Location::Repository(_)) => Origin::Workspace,
        Some(Location::Dependency(name)) => Origin::Dependency(name.clone()),
        Some(Location::Std) => Origin::Std,
        Some(Location::Probably(_) | Location::Ambiguous(_) | Location::Elsewhere) | None => by_name(frame, tree),
    }
}

/// True where path and name leave it open that a frame is of the workspace. For when there is no tree to ask.
pub fn may_be_workspace(frame: &Frame) -> bool {
    let Some(file) = &frame.file else { return false };
    let elsewhere = frame.module.contains(".so") || frame.module.starts_with('[');
    !elsewhere && outside(&clean(file), |_| false).is_none()
}

/// The crate that a function's name begins with; `Type as Trait::method` is of the type's crate.
pub(super) fn crate_of(function: &str) -> Option<&str> {
    let start = function.trim_start_matches(['<', '&', '[', '*', '(']);
    let (name, _) = start.split_once("::")?;
    (!name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')).then_some(name)
}

fn by_name(frame: &Frame, tree: &Tree) -> Origin {
    match crate_of(&frame.function) {
        Some("std" | "core" | "alloc" | "__rustc" | "panic_unwind" | "proc_macro") => Origin::Std,
        Some(name) if tree.has_crate(name) => Origin::Workspace,
        Some(name) if !frame.module.contains(".so") => Origin::Dependency(name.to_owned()),
        _ if frame.module.contains(".so") || frame.module.starts_with('[') => Origin::System(frame.module.clone()),
        _ => Origin::Unknown,
    }
}
