//! End to end: fixture trees and small crates in temporary git repositories, driven through the real binary.
//!
//! One crate, so that it is linked once. Every test makes its own repository; nothing here asserts on absolute times.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on shall panic")]

mod bad_input;
mod base;
mod binaries;
mod common;
mod criterion;
mod doctor;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod engine;
mod fixtures;
mod formats;
mod growth;
mod help;
mod hooks;
#[cfg(unix)]
mod interrupt;
mod objectives;
#[cfg(unix)]
mod production;
mod refusal;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod waiting;
