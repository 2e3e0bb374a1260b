//! x
pub mod analysis;
pub mod error;
pub mod exit;
pub mod measure;
pub mod process;
pub mod profile;
pub mod sample;
pub mod source;
pub mod stats;
