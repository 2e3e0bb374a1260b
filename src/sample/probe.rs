//! *Executed or not*: one short run of a workload says whether source regions ran, by one-shot breakpoints (ptrace).
//!
//! The breakpoints stand where the executable's DWARF says that code of a region begins: statements of the line tables, entries of
//! functions and of their inlined copies. It takes no samples, measures no time, and draws no conclusion about heat.
//!
//! What it cannot see: code in shared libraries that the executable loads; a function whose machine code the compiler merged into
//! another one's (its debug information is gone: [`Outcome::NoCode`]); and an instruction that the optimizer hoisted in front of the
//! condition that guards it, with its line, counts as executed.

mod error;
mod region;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod breakpoints;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod dies;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod elf;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod image;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod lines;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod map;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod names;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod paths;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod run;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod sites;
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod unsupported;

pub use error::ProbeError;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub use map::ProbeMap;
pub use region::{Execution, Limits, Outcome, Probed, Region};
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub use run::{available, run};
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub use sites::Sites;
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
pub use unsupported::{ProbeMap, Sites, available, run};

#[cfg(test)]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod tests;
