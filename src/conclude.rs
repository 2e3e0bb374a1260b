//! From joined evidence to the analysis: one result per workload and per changed item.
//!
//! Pure. Does not judge (`verdict`, `rules`) and does not render (`report`).

mod bottleneck;
mod causes;
mod changes;
mod environment;
mod growth;
mod imported;
mod memory;
mod next;
mod owners;
mod production;
mod profiles;
mod root_causes;
mod slo;
mod waiting;
mod witness;
mod workloads;

pub(crate) use bottleneck::add_bottlenecks;
pub(crate) use causes::point_elsewhere;
pub(crate) use changes::change_results;
pub(crate) use environment::{environment, now, tool};
pub(crate) use growth::{Both, add_growth};
pub(crate) use imported::hyperfine;
pub(crate) use memory::add_memory;
pub(crate) use next::next_steps;
pub(crate) use production::{Production, doubt};
pub(crate) use profiles::{hot_items, profile_result, profile_warnings, qualities};
pub(crate) use root_causes::{Profiled, add_root_causes};
pub(crate) use slo::{baseline_slos, slo_results};
pub(crate) use waiting::add_waiting;
pub(crate) use witness::{Counts, Testimony, no_witness, witnessed};
#[cfg(test)]
pub(crate) use workloads::same_code;
pub(crate) use workloads::{Comparison, SAME_CODE, baseline_result, compared, counted};
