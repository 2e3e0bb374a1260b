//! Prepares what is compared: the diff as items, the programs of a side, its evidence, and the view that the join needs.
//!
//! Asks git, cargo, the store and the workloads; does not judge.

mod aligned;
mod complete;
mod diff;
mod gather;
mod head;
mod measuring;
mod own_sources;
mod programs;
mod readers;
mod relinked;
mod same;
mod sampler;
mod scratch;
mod stored;
mod survey;
mod test_output;
mod tests_run;
mod texts;
mod view;

pub(crate) use complete::{Completion, keep};
pub(crate) use diff::{Diff, is_new_lock_file, read_diff};
pub(crate) use gather::{Depth, Gathered, allocation_counter, clock_shim, gather};
pub(crate) use head::Head;
pub(crate) use measuring::jobs;
pub(crate) use own_sources::OwnSources;
pub(crate) use programs::{BuiltSide, build_programs};
pub(crate) use readers::{DataFile, is_for_tests};
pub(crate) use relinked::{Relinked, Relinks};
pub(crate) use same::same_code;
pub(crate) use sampler::sampler;
pub(crate) use scratch::Scratch;
pub(crate) use stored::{Base, BaseRequest, SideError, find_base, fingerprint, gather_commit, save};
pub(crate) use survey::{Subject, Survey, base_answers, fill, survey, troubles};
pub(crate) use tests_run::{not_checked, run_tests};
pub(crate) use texts::Texts;
pub(crate) use view::{all_items, items_of_files};
