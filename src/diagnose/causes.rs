//! Causes by name: signatures on inline chains, the fix in impact-to-effort order, and what it can bring.
//!
//! The catalogue is data (`catalogue/*.toml`); the matcher takes joined profiles and counters and returns what it found. It measures
//! nothing, and no verdict rests on it: every gain is an estimate.

mod catalogue;
mod entry;
mod gain;
mod marks;
mod matcher;
mod pattern;
mod sources;
mod tally;
#[cfg(test)]
mod tests;

pub use catalogue::{entries, find};
pub use entry::{Bounds, Counter, Effort, Entry, Family, Level, On};
pub use gain::Gain;
pub use matcher::{Cause, CauseOwner, Found, Inner, StackLine, Subject, causes, waits};
