//! What a workload's time goes into when nobody guesses: the work-time model, and the class of its bottleneck.
//!
//! Pure: counters and waits in, a class with shares, confidence and evidence out (`reference/evidence-rules.md` §1.1, §3.2). It
//! measures nothing, advises nothing, and no verdict rests on it.

pub mod causes;
mod class;
mod faults;
mod growth;
mod host;
mod on_cpu;
mod portion;
#[cfg(test)]
mod tests;
mod time;
mod who;
mod words;
mod work;

pub use class::{Class, Diagnosis, diagnose, faults_hold_up};
pub use growth::{Growth, growth, is_watched, suspected};
pub use on_cpu::OnCpu;
pub use time::{Part, Time};
pub use who::{Waiter, blocked_workers, waiters};
pub use work::{Null, Work};
