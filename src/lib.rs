//! x
pub mod config;
pub mod error;
pub mod exit;
pub mod git;
pub mod measure;
pub mod process;
pub mod profile;
pub mod source;
pub mod store;
pub mod workspace;
