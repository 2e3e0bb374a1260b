//! One file per command; each reads like the workflow that it performs, and does nothing else.

pub(crate) mod baseline;
pub(crate) mod check;
pub(crate) mod context;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod hook;
pub(crate) mod list;
pub(crate) mod meta;
pub(crate) mod report;
pub(crate) mod verify;
