//! Prepares what is compared: the diff as items, the programs of a side, its evidence, and the view that the join needs.
//!
//! Asks git, cargo, the store and the workloads; does not judge.

mod diff;
mod gather;
mod measuring;
mod programs;
mod scratch;
mod stored;
mod tests_run;
mod texts;
mod view;

pub(crate) use diff::{Diff, read_diff};
pub(crate) use gather::{Gathered, clock_shim, gather, refusal};
pub(crate) use measuring::{Jobs, jobs};
pub(crate) use programs::{build_programs, BuiltSide};
pub(crate) use scratch::Scratch;
pub(crate) use stored::{Base, BaseRequest, SideError, find_base, fingerprint, gather_commit, save};
pub(crate) use tests_run::{not_checked, run_tests};
pub(crate) use texts::Texts;
pub(crate) use view::all_items;
