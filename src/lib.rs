//! x
pub mod error;
pub mod exit;
pub mod heat;
pub mod measure;
pub mod process;
pub mod profile;
pub mod source;
pub mod stats;
