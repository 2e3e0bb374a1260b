//! Evidence from running programs.

pub mod probe;
