//! x
pub mod analysis;
pub mod error;
pub mod exit;
pub mod figures;
pub mod measure;
pub mod process;
pub mod profile;
pub mod report;
pub mod rules;
pub mod shell;
pub mod source;
pub mod verdict;
